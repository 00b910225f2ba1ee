/* query.c -- SQL written by users: one SELECT with named parameters, stopped at its limits.
 *
 * What a result column is comes from the table's declaration; for an expression it is guessed from
 * the values, so `columns` is complete only when the last row has been handed out.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/clock.h"
#include "format/date.h"
#include "store/conn.h"

enum { LIMIT_MS = 10000 };

static int refuse_parameter(const char *name, int index, dts_error *e) {
  error_fail(e, "SQL", "parameter %d is written %s: a name expected, such as :from", index,
             name ? name : "?");
  return error_hint(e, "write :name, and give its value under that name");
}

static int check_parameters(const statement *s, dts_error *e) {
  int count = sqlite3_bind_parameter_count(s->stmt);
  for (int i = 1; i <= count; i++) {
    const char *name = sqlite3_bind_parameter_name(s->stmt, i);
    if (!name || name[0] != ':') return refuse_parameter(name, i, e);
  }
  return 0;
}

static int bind_named(store_conn *c, statement *s, const value *params, dts_error *e) {
  int count = sqlite3_bind_parameter_count(s->stmt);
  for (int i = 1; i <= count; i++) {
    const char *name = sqlite3_bind_parameter_name(s->stmt, i);
    const value *v = value_get(params, name + 1);
    if (v && (v->kind == VALUE_LIST || v->kind == VALUE_MAP))
      return error_fail(e, "SQL", "%s is a %s: one plain value expected", name, value_kind_name(v));
    if (v && statement_bind(c, s, i, v, e) < 0) return -1;
  }
  return 0;
}

/* ---- types ---- */

static const char *type_text(int type) {
  return type == TYPE_UNKNOWN ? "any" : column_type_name((column_type)type);
}

static int guess_text(const value *v) {
  int32_t date;
  int64_t ms;
  if (v->text.size == 10 && date_read(v->text.bytes, 10, &date) == 0) return COLUMN_DATE;
  if (v->text.size == 24 && v->text.bytes[23] == 'Z' && timestamp_read(v->text.bytes, 24, &ms) == 0)
    return COLUMN_TIMESTAMP;
  return COLUMN_TEXT;
}

static int guess(const value *v) {
  switch (v->kind) {
  case VALUE_BOOLEAN: return COLUMN_BOOLEAN;
  case VALUE_INTEGER: return COLUMN_INTEGER;
  case VALUE_REAL: return COLUMN_REAL;
  case VALUE_TEXT: return guess_text(v);
  default: return TYPE_UNKNOWN;
  }
}

/* What two values of one column have in common: integers and reals are reals, all else is text. */
static int join(int a, int b) {
  if (a == TYPE_UNKNOWN || a == b) return b;
  if (b == TYPE_UNKNOWN) return a;
  bool numbers =
      (a == COLUMN_REAL || a == COLUMN_INTEGER) && (b == COLUMN_REAL || b == COLUMN_INTEGER);
  return numbers ? COLUMN_REAL : COLUMN_TEXT;
}

static void see_values(const statement *s, int *types) {
  for (int i = 0; i < s->count; i++)
    if (s->types[i] == TYPE_UNKNOWN && s->row[i].kind != VALUE_NULL && types[i] != COLUMN_TEXT)
      types[i] = join(types[i], guess(&s->row[i]));
}

static value columns_of(const statement *s, arena *a) {
  value list = value_list();
  for (int i = 0; i < s->count; i++) {
    value column = value_map();
    value_set(a, &column, "name", value_text(arena_text(a, s->names[i])));
    value_set(a, &column, "type", value_text(type_text(s->types[i])));
    value_add(a, &list, column);
  }
  return list;
}

static void set_types(const statement *s, const int *types, value *columns) {
  for (int i = 0; i < s->count; i++)
    columns->list.items[i].map.pairs[1].item = value_text(type_text(types[i]));
}

/* ---- running ---- */

static bool holds_blob(const statement *s) {
  for (int i = 0; i < s->count; i++)
    if (sqlite3_column_type(s->stmt, i) == SQLITE_BLOB) return true;
  return false;
}

static int limit_rows(int64_t limit, dts_error *e) {
  error_fail(e, "LIMIT_ROWS", "the query has more than %lld rows", (long long)limit);
  return error_hint(e, "add a where or a limit, or group the rows");
}

static int run(store_conn *c, statement *s, const store_sql *q, int *types, store_row *row,
               void *arg, dts_error *e) {
  const store_header header = {(size_t)s->count, s->names};
  bool more = true;
  for (int64_t n = 0;; n++) {
    if (statement_step(c, s, &more, e) < 0) return -1;
    if (!more) return 0;
    if (q->limit_rows && n >= q->limit_rows) return limit_rows(q->limit_rows, e);
    if (holds_blob(s)) return error_fail(e, "SQL", "the result holds bytes (a blob): use hex(...)");
    see_values(s, types);
    if (row && row(arg, &header, s->row, e) < 0) return -1;
  }
}

static int fail_time(int64_t limit, dts_error *e) {
  if (!e || strcmp(e->code, "LIMIT_TIME") != 0) return -1;
  error_fail(e, "LIMIT_TIME", "the query was stopped at its limit of %lld ms", (long long)limit);
  return error_hint(e, "look at fewer rows (where, limit), or give the table an index");
}

static int run_limited(store_conn *c, statement *s, const store_sql *q, int *types, store_row *row,
                       void *arg, dts_error *e) {
  int64_t limit = q->limit_ms > 0 ? q->limit_ms : LIMIT_MS, outer = c->deadline;
  c->deadline = clock_monotonic_ms() + limit;
  if (outer && outer < c->deadline) c->deadline = outer;
  int result = run(c, s, q, types, row, arg, e);
  c->deadline = outer;
  return result < 0 ? fail_time(limit, e) : 0;
}

int store_query(store_conn *c, const store_sql *q, arena *a, value *columns, value *tables,
                store_row *row, void *arg, dts_error *e) {
  statement *s = statement_take(c, q->sql, true, e);
  if (!s) return -1;
  arena scratch = {0};
  int *types = arena_alloc(&scratch, (size_t)s->count * sizeof *types);
  memcpy(types, s->types, (size_t)s->count * sizeof *types);
  if (columns) *columns = columns_of(s, a);
  if (tables) *tables = value_copy(a, &s->tables);
  int result = check_parameters(s, e);
  if (result == 0) result = bind_named(c, s, q->params, e);
  if (result == 0) result = run_limited(c, s, q, types, row, arg, e);
  if (result == 0 && columns) set_types(s, types, columns);
  arena_free(&scratch);
  statement_give(c, s);
  return result;
}

static value parameters_of(const statement *s, arena *a) {
  value list = value_list();
  int count = sqlite3_bind_parameter_count(s->stmt);
  for (int i = 1; i <= count; i++)
    value_add(a, &list, value_text(arena_text(a, sqlite3_bind_parameter_name(s->stmt, i) + 1)));
  return list;
}

int store_check(store_conn *c, const char *sql, arena *a, value *columns, value *tables,
                value *parameters, dts_error *e) {
  statement *s = statement_take(c, sql, true, e);
  if (!s) return -1;
  int result = check_parameters(s, e);
  if (result == 0 && columns) *columns = columns_of(s, a);
  if (result == 0 && tables) *tables = value_copy(a, &s->tables);
  if (result == 0 && parameters) *parameters = parameters_of(s, a);
  statement_give(c, s);
  return result;
}
