/* select.c -- values into statements and rows out of them.
 *
 * Integers are exact, NaN is refused (SQLite would quietly store null), booleans come back as
 * booleans where the column was declared as one. A blob comes out as its bytes.
 *
 * SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <math.h>
#include <string.h>

#include "store/conn.h"

int statement_bind(store_conn *c, statement *s, int index, const value *v, dts_error *e) {
  int rc = SQLITE_OK;
  switch (v->kind) {
  case VALUE_NULL: rc = sqlite3_bind_null(s->stmt, index); break;
  case VALUE_BOOLEAN: rc = sqlite3_bind_int(s->stmt, index, v->boolean); break;
  case VALUE_INTEGER: rc = sqlite3_bind_int64(s->stmt, index, v->integer); break;
  case VALUE_REAL:
    if (isnan(v->real)) return error_fail(e, "SQL", "parameter %d is not a number (NaN)", index);
    rc = sqlite3_bind_double(s->stmt, index, v->real);
    break;
  case VALUE_TEXT:
    rc = sqlite3_bind_text64(s->stmt, index, v->text.size ? v->text.bytes : "", v->text.size,
                             SQLITE_STATIC, SQLITE_UTF8);
    break;
  case VALUE_LIST:
  case VALUE_MAP:
    return error_fail(e, "SQL", "parameter %d is a %s: one plain value expected", index,
                      value_kind_name(v));
  }
  return rc == SQLITE_OK ? 0 : conn_fail(c, s->sql, e);
}

static int bind_all(store_conn *c, statement *s, const value *params, size_t count, dts_error *e) {
  int wanted = sqlite3_bind_parameter_count(s->stmt);
  if ((size_t)wanted != count)
    return error_fail(e, "SQL", "%d parameters expected, got %zu: %.60s", wanted, count, s->sql);
  for (size_t i = 0; i < count; i++)
    if (statement_bind(c, s, (int)i + 1, &params[i], e) < 0) return -1;
  return 0;
}

static value column(const statement *s, int i) {
  switch (sqlite3_column_type(s->stmt, i)) {
  case SQLITE_INTEGER: {
    int64_t n = sqlite3_column_int64(s->stmt, i);
    return s->types[i] == COLUMN_BOOLEAN ? value_boolean(n != 0) : value_integer(n);
  }
  case SQLITE_FLOAT: return value_real(sqlite3_column_double(s->stmt, i));
  case SQLITE_TEXT: {
    const char *text = (const char *)sqlite3_column_text(s->stmt, i);
    return value_bytes(text, (size_t)sqlite3_column_bytes(s->stmt, i));
  }
  case SQLITE_BLOB: {
    const char *bytes = sqlite3_column_blob(s->stmt, i); /* NULL when it is empty */
    return value_bytes(bytes ? bytes : "", (size_t)sqlite3_column_bytes(s->stmt, i));
  }
  default: return value_null();
  }
}

int statement_step(store_conn *c, statement *s, bool *more, dts_error *e) {
  int rc = sqlite3_step(s->stmt);
  *more = rc == SQLITE_ROW;
  if (rc == SQLITE_DONE) return 0;
  if (rc != SQLITE_ROW) return conn_fail(c, s->sql, e);
  for (int i = 0; i < s->count; i++) s->row[i] = column(s, i);
  return 0;
}

static bool changes_schema(const char *sql) {
  while (isspace((unsigned char)*sql)) sql++;
  return sqlite3_strnicmp(sql, "create", 6) == 0 || sqlite3_strnicmp(sql, "alter", 5) == 0 ||
         sqlite3_strnicmp(sql, "drop", 4) == 0;
}

static int step_all(store_conn *c, statement *s, store_row *row, void *arg, dts_error *e) {
  const store_header header = {(size_t)s->count, s->names};
  bool more = true;
  for (;;) {
    if (statement_step(c, s, &more, e) < 0) return -1;
    if (!more) return 0;
    if (row && row(arg, &header, s->row, e) < 0) return -1;
  }
}

int store_select(store_conn *c, const char *sql, const value *params, size_t count, store_row *row,
                 void *arg, dts_error *e) {
  statement *s = statement_take(c, sql, false, e);
  if (!s) return -1;
  int result = bind_all(c, s, params, count, e);
  if (result == 0) result = step_all(c, s, row, arg, e);
  statement_give(c, s);
  return result;
}

int store_exec(store_conn *c, const char *sql, const value *params, size_t count, dts_error *e) {
  if (store_select(c, sql, params, count, NULL, NULL, e) < 0) return -1;
  if (!c->writes || !changes_schema(sql)) return 0;
  c->changed_schema = true;
  return conn_read_schema(c, e);
}

int64_t store_changes(store_conn *c) { return sqlite3_changes64(c->db); }
int64_t store_last_id(store_conn *c) { return sqlite3_last_insert_rowid(c->db); }

int store_get(store_conn *c, const char *sql, const value *params, size_t count, arena *a,
              value *out, dts_error *e) {
  bool more = false;
  statement *s = statement_take(c, sql, false, e);
  if (!s) return -1;
  int result = bind_all(c, s, params, count, e);
  if (result == 0) result = statement_step(c, s, &more, e);
  if (result == 0) *out = more && s->count ? s->row[0] : value_null();
  if (result == 0 && out->kind == VALUE_TEXT) *out = a ? value_copy(a, out) : value_null();
  statement_give(c, s);
  return result;
}

typedef struct listing {
  arena *memory;
  value *list;
} listing;

static int add_first(void *arg, const store_header *header, const value *row, dts_error *e) {
  listing *l = arg;
  (void)header, (void)e;
  value_add(l->memory, l->list, value_copy(l->memory, &row[0]));
  return 0;
}

int store_list(store_conn *c, const char *sql, const value *params, size_t count, arena *a,
               value *out, dts_error *e) {
  listing l = {a, out};
  *out = value_list();
  return store_select(c, sql, params, count, add_first, &l, e);
}
