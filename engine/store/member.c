/* member.c -- the SQL function member(json, name): one member of an object that a column holds as
 * text.
 *
 * The engine's views need it, because a view may call only functions that are marked harmless, and
 * SQLite's own for JSON are not (3.40). Null for what is no object or lacks the member; lists and
 * objects come as JSON text.
 *
 * SPDX-License-Identifier: MIT */
#include "format/json.h"
#include "store/conn.h"

enum { MEMBER_BYTES = 16 * 1024 * 1024 };

static void give(sqlite3_context *x, const value *v) {
  buffer b;
  switch (v->kind) {
  case VALUE_NULL: return sqlite3_result_null(x);
  case VALUE_BOOLEAN: return sqlite3_result_int(x, v->boolean);
  case VALUE_INTEGER: return sqlite3_result_int64(x, v->integer);
  case VALUE_REAL: return sqlite3_result_double(x, v->real);
  case VALUE_TEXT:
    return sqlite3_result_text64(x, v->text.bytes, v->text.size, SQLITE_TRANSIENT, SQLITE_UTF8);
  default: break;
  }
  buffer_init(&b, MEMBER_BYTES);
  if (json_write(&b, v) == 0)
    sqlite3_result_text64(x, b.data, b.size, SQLITE_TRANSIENT, SQLITE_UTF8);
  buffer_free(&b);
}

static void member(sqlite3_context *x, int count, sqlite3_value **values) {
  const char *text = (const char *)sqlite3_value_text(values[0]);
  const char *name = (const char *)sqlite3_value_text(values[1]);
  arena a = {0};
  value v;
  (void)count;
  if (!text || !name) return;
  bool good = json_read(&a, text, (size_t)sqlite3_value_bytes(values[0]), &v, NULL) == 0;
  const value *found = good && v.kind == VALUE_MAP ? value_get(&v, name) : NULL;
  if (found) give(x, found);
  arena_free(&a);
}

int member_register(sqlite3 *db) {
  int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  return sqlite3_create_function(db, "member", 2, flags, NULL, member, NULL, NULL);
}
