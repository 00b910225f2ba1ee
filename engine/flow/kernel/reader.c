/* reader.c -- see reader.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/kernel/reader.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/date.h"
#include "format/json.h"

/* An answer that no frame would hold is not collected to its end. */
enum { LIMIT_MS = 30 * 1000, PAGE = 1000, ANSWER_LIMIT = 128 << 20 };

/* ---- parameters that come from the clock ---- */

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

/* "today", "now", "today_minus_3d", "today_plus_1w": false for any other name. */
static bool clock_value(const reader_context *x, const char *name, arena *a, value *out) {
  int32_t today = zone_date(x->zone, x->now);
  if (strcmp(name, "now") == 0) return *out = timestamp_value(a, x->now), true;
  bool minus = strncmp(name, "today_minus_", 12) == 0, plus = strncmp(name, "today_plus_", 11) == 0;
  if (minus || plus) {
    char *unit;
    long count = strtol(name + (minus ? 12 : 11), &unit, 10);
    long days = *unit == 'd' ? 1 : *unit == 'w' ? 7 : 0;
    if (!days || unit[1] || count < 0 || count > 40000) return false;
    today += (int32_t)(minus ? -count * days : count * days);
  } else if (strcmp(name, "today") != 0) {
    return false;
  }
  return *out = date_value(a, today), true;
}

/* The next `:name` of the SQL outside quotes and comments, copied to `name`; NULL at the end. */
static const char *next_parameter(const char *at, char name[64]) {
  for (; *at; at++) {
    if (*at == '\'' || *at == '"') {
      const char *end = strchr(at + 1, *at);
      if (!end) return NULL;
      at = end;
    } else if (at[0] == '-' && at[1] == '-') {
      at += strcspn(at, "\n");
      if (!*at) return NULL;
    } else if (at[0] == '/' && at[1] == '*') {
      at = strstr(at + 2, "*/");
      if (!at) return NULL;
      at++;
    } else if (at[0] == ':' && is_word(at[1]) && !isdigit((unsigned char)at[1])) {
      size_t size = 0;
      while (is_word(at[1 + size])) size++;
      snprintf(name, 64, "%.*s", (int)size, at + 1);
      return at + 1 + size;
    }
  }
  return NULL;
}

value reader_params(const reader_context *x, const char *sql, const value *params, arena *a,
                    bool *is_volatile) {
  value all = params && params->kind == VALUE_MAP ? value_copy(a, params) : value_map(), v;
  char name[64];
  for (const char *at = sql; (at = next_parameter(at, name));) {
    if (value_get(&all, name) || !clock_value(x, name, a, &v)) continue;
    value_set(a, &all, arena_text(a, name), v);
    if (is_volatile) *is_volatile = true;
  }
  return all;
}

int reader_check(const char *sql, const value *bound, dts_error *e) {
  char name[64];
  for (const char *at = sql; (at = next_parameter(at, name));) {
    bool of_clock = strncmp(name, "today_minus_", 12) == 0 || strncmp(name, "today_plus_", 11) == 0;
    if (!of_clock || value_get(bound, name)) continue;
    error_fail(e, "PARAM", "the parameter :%s is no date", name);
    if (e) e->status = 422;
    return error_hint(e, "days or weeks, 40000 at most: :today_minus_3d, :today_plus_2w");
  }
  return 0;
}

/* ---- reading ---- */

typedef struct reading {
  const reader_context *context;
  store_sql sql;
  arena *memory;
  value columns, tables, rows;
} reading;

/* A json column comes back as what was put in. */
static bool is_json(const reading *r, size_t column, const value *v, value *out) {
  if (v->kind != VALUE_TEXT || column >= r->columns.list.count) return false;
  bool json = strcmp(value_get_text(&r->columns.list.items[column], "type", ""), "json") == 0;
  return json && json_read(r->memory, v->text.bytes, v->text.size, out, NULL) == 0;
}

static int add_row(void *arg, const store_header *header, const value *row, dts_error *e) {
  reading *r = arg;
  value list = value_list();
  if (r->memory->total > ANSWER_LIMIT) {
    error_fail(e, "LIMIT_SIZE", "the answer of the query is larger than the %d MB that it may take",
               ANSWER_LIMIT >> 20);
    return error_hint(e, "take its rows in pages, for row in q:rows(), or fewer columns of it");
  }
  list.list.items = arena_alloc(r->memory, header->count * sizeof(value));
  list.list.count = header->count;
  for (size_t i = 0; i < header->count; i++)
    if (!is_json(r, i, &row[i], &list.list.items[i]))
      list.list.items[i] = value_copy(r->memory, &row[i]);
  value_add(r->memory, &r->rows, list);
  return 0;
}

const char *const reader_inner[] = {"dts_key", "dts_key_use", "dts_meta", "dts_validator", NULL};

bool reader_is_inner(const char *name) {
  for (size_t i = 0; reader_inner[i]; i++)
    if (strcmp(name, reader_inner[i]) == 0) return true;
  return false;
}

static int refuse_inner(const char *name, dts_error *e) {
  error_fail(e, "TABLE_REFUSED", "table '%s' is private", name);
  return error_hint(e, "it is the engine's own; `dts sql` reads it from a terminal");
}

static int check_private(const reader_context *x, const value *tables, dts_error *e) {
  for (size_t i = 0; i < tables->list.count; i++) {
    const char *name = tables->list.items[i].text.bytes;
    if (value_has(x->writes, name)) continue;
    if (reader_is_inner(name)) return refuse_inner(name, e);
    if (!registry_is_private(x->set, name)) continue;
    error_fail(e, "TABLE_REFUSED", "table '%s' is private", name);
    return error_hint(e, "only pipelines that may write it read it: see allow.tables");
  }
  return 0;
}

static int read_work(store_conn *c, void *arg, dts_error *e) {
  reading *r = arg;
  return store_query(c, &r->sql, r->memory, &r->columns, &r->tables, add_row, r, e);
}

static value names_of(arena *a, const value *columns, const char *field) {
  value list = value_list();
  for (size_t i = 0; i < columns->list.count; i++)
    value_add(a, &list, value_text(value_get_text(&columns->list.items[i], field, "")));
  return list;
}

static int64_t own_limit(const reader_context *x) {
  return x->limit_ms > 0 && x->limit_ms < LIMIT_MS ? x->limit_ms : LIMIT_MS;
}

int reader_sql(const reader_context *x, const char *sql, const value *params, int64_t limit_ms,
               int64_t limit_rows, arena *a, value *answer, value *tables, dts_error *e) {
  value bound = reader_params(x, sql, params, a, NULL);
  reading r = {.context = x,
               .memory = a,
               .columns = value_list(),
               .tables = value_list(),
               .rows = value_list()};
  r.sql = (store_sql){sql, &bound, limit_ms ? limit_ms : own_limit(x), limit_rows};
  if (reader_check(sql, &bound, e) < 0) return -1;
  if (store_read(x->store, read_work, &r, e) < 0 || check_private(x, &r.tables, e) < 0) return -1;
  for (size_t i = 0; x->read && i < r.tables.list.count; i++)
    value_add(x->read_memory, x->read, value_copy(x->read_memory, &r.tables.list.items[i]));
  *answer = value_map();
  value_set(a, answer, "columns", names_of(a, &r.columns, "name"));
  value_set(a, answer, "types", names_of(a, &r.columns, "type"));
  value_set(a, answer, "rows", r.rows);
  if (tables) *tables = r.tables;
  return 0;
}

/* ---- a table with conditions ---- */

int reader_names(const value *list, const char *what, dts_error *e) {
  if (!list || list->kind == VALUE_LIST) return 0;
  return error_fail(e, "WIRE", "%s: a list of columns expected, got a %s", what,
                    value_kind_name(list));
}

static int add_order(const table *t, const value *order, buffer *sql, arena *a, dts_error *e) {
  value one = value_list();
  if (!order) return 0;
  if (order->kind == VALUE_TEXT) value_add(a, &one, *order), order = &one;
  if (reader_names(order, "order", e) < 0) return -1;
  for (size_t i = 0; i < order->list.count; i++) {
    const value *item = &order->list.items[i];
    const char *name = item->kind == VALUE_TEXT ? item->text.bytes : "";
    bool down = name[0] == '-';
    if (!table_find(t, name + down, NULL)) return table_unknown_column(t, name + down, a, e);
    buffer_add_format(sql, "%s\"%s\"%s", i ? ", " : " order by ", name + down, down ? " desc" : "");
  }
  return 0;
}

static int add_columns(const table *t, const value *columns, buffer *sql, arena *a, dts_error *e) {
  if (reader_names(columns, "columns", e) < 0) return -1;
  size_t count = columns ? columns->list.count : t->count;
  for (size_t i = 0; i < count; i++) {
    const char *name =
        columns ? columns->list.items[i].kind == VALUE_TEXT ? columns->list.items[i].text.bytes : ""
                : t->columns[i].name;
    if (!table_find(t, name, NULL)) return table_unknown_column(t, name, a, e);
    buffer_add_format(sql, "%s\"%s\"", i ? ", " : "select ", name);
  }
  return 0;
}

/* Conditions become positional parameters (?1 ..) in store_where; a user's statement binds by name, so
 * they are handed over as :p1 .. */
static int add_where(const table *t, const value *where, buffer *sql, arena *a, value *params,
                     dts_error *e) {
  value list = value_list();
  buffer clause;
  buffer_init(&clause, 1 << 20);
  int rc = store_where(t, where, &clause, a, &list, e);
  for (const char *at = rc == 0 ? buffer_text(&clause) : ""; *at; at++) {
    if (*at == '?')
      buffer_add_text(sql, ":p");
    else
      buffer_add_char(sql, *at);
  }
  for (size_t i = 0; rc == 0 && i < list.list.count; i++)
    value_set(a, params, arena_format(a, "p%zu", i + 1), list.list.items[i]);
  buffer_free(&clause);
  return rc;
}

/* ---- a view is read as a table without a key; types that are not declared are its first row's ---- */

typedef struct view_columns {
  const char *name;
  arena *memory;
  value columns;
} view_columns;

static int ignore_row(void *arg, const store_header *header, const value *row, dts_error *e) {
  (void)arg, (void)header, (void)row, (void)e;
  return 0;
}

static int check_view(store_conn *c, void *arg, dts_error *e) {
  view_columns *v = arg;
  store_sql q = {.sql = arena_format(v->memory, "select * from \"%s\" limit 1", v->name)};
  return store_query(c, &q, v->memory, &v->columns, NULL, ignore_row, NULL, e);
}

static const table *view_table(const reader_context *x, const char *name, arena *a, dts_error *e) {
  view_columns v = {name, a, value_list()};
  if (store_read(x->store, check_view, &v, e) < 0) return NULL;
  table *t = arena_alloc(a, sizeof *t);
  table_column *columns = arena_alloc(a, v.columns.list.count * sizeof *columns);
  *t = (table){.name = name, .file = "", .columns = columns};
  for (; t->count < v.columns.list.count; t->count++) {
    const value *column = &v.columns.list.items[t->count];
    table_column *out = &columns[t->count];
    out->name = value_get_text(column, "name", "");
    out->doc = "";
    column_type_read(value_get_text(column, "type", ""), &out->type); /* no rows: text will do */
  }
  return t;
}

static const table *find_table(const reader_context *x, const char *name, arena *a, dts_error *e) {
  const table *t = registry_table(x->set, name);
  if (t) return t;
  if (registry_find(&x->set->views, name)) return view_table(x, name, a, e);
  const char **names = memory_alloc((x->set->table_count + 1) * sizeof *names);
  for (size_t i = 0; i < x->set->table_count; i++) names[i] = x->set->tables[i]->name;
  const char *nearest = error_nearest(name, names);
  free(names);
  error_fail(e, "TABLE", "there is no table named '%s'", name);
  if (nearest) error_hint(e, "did you mean '%s'?", nearest);
  return NULL;
}

static int add_page(const value *args, buffer *sql, int64_t *size, int64_t *after, dts_error *e) {
  const value *page = value_get(args, "page");
  int64_t limit = value_get_integer(args, "limit", INT64_MAX);
  *size = page ? value_get_integer(page, "size", PAGE) : 0;
  *after = page ? value_get_integer(page, "after", 0) : 0;
  if (*size < 0 || *after < 0 || *after > INT64_MAX - *size)
    return error_fail(e, "WIRE", "a page of %lld rows after row %lld is none", (long long)*size,
                      (long long)*after);
  int64_t left = limit == INT64_MAX ? INT64_MAX : limit > *after ? limit - *after : 0;
  int64_t take = *size && *size < left ? *size : left;
  if (take != INT64_MAX) buffer_add_format(sql, " limit %lld", (long long)take);
  if (*after) buffer_add_format(sql, " offset %lld", (long long)*after);
  return 0;
}

static int table_sql(const reader_context *x, const value *args, buffer *sql, arena *a,
                     value *params, dts_error *e) {
  static const value all = {.kind = VALUE_MAP};
  const table *t = find_table(x, value_get_text(args, "table", "?"), a, e);
  const value *where = value_get(args, "where");
  if (!t || add_columns(t, value_get(args, "columns"), sql, a, e) < 0) return -1;
  buffer_add_format(sql, " from \"%s\"", t->name);
  if (add_where(t, where ? where : &all, sql, a, params, e) < 0) return -1;
  const value *order = value_get(args, "order");
  if (order) return add_order(t, order, sql, a, e);
  for (size_t i = 0; i < t->key_count; i++) /* pages need an order; the key is one */
    buffer_add_format(sql, "%s\"%s\"", i ? ", " : " order by ", t->columns[t->key[i]].name);
  return 0;
}

int reader_query(const reader_context *x, const value *args, arena *a, value *answer,
                 dts_error *e) {
  buffer sql;
  value params = value_map();
  int64_t size = 0, after = 0;
  const char *text = value_get_text(args, "sql", NULL);
  buffer_init(&sql, 1 << 20);
  int rc = 0;
  if (text)
    buffer_add_format(&sql, value_get(args, "page") ? "select * from (%s)" : "%s", text);
  else
    rc = table_sql(x, args, &sql, a, &params, e);
  const value *given = text ? value_get(args, "params") : &params;
  if (rc == 0) rc = add_page(args, &sql, &size, &after, e);
  if (rc == 0) rc = reader_sql(x, buffer_text(&sql), given, 0, 0, a, answer, NULL, e);
  buffer_free(&sql);
  if (rc < 0 || !size) return rc;
  size_t got = value_get(answer, "rows")->list.count;
  if ((int64_t)got == size) value_set(a, answer, "next", value_integer(after + size));
  return 0;
}

/* ---- one row ---- */

static value key_condition(const table *t, const value *key, arena *a) {
  value where = value_map();
  if (key->kind == VALUE_MAP) return *key;
  for (size_t i = 0; i < t->key_count; i++) {
    const value *part = key->kind == VALUE_LIST && i < key->list.count ? &key->list.items[i] : key;
    if (key->kind == VALUE_LIST || i == 0) value_set(a, &where, t->columns[t->key[i]].name, *part);
  }
  return where;
}

int reader_lookup(const reader_context *x, const value *args, arena *a, value *answer,
                  dts_error *e) {
  const table *t = find_table(x, value_get_text(args, "table", "?"), a, e);
  const value *key = value_get(args, "key");
  *answer = value_null();
  if (!t) return -1;
  if (!key) return 0;
  value query = value_map(), found;
  value_set(a, &query, "table", value_text(t->name));
  value_set(a, &query, "where", key_condition(t, key, a));
  value_set(a, &query, "limit", value_integer(1));
  if (reader_query(x, &query, a, &found, e) < 0) return -1;
  const value *rows = value_get(&found, "rows"), *columns = value_get(&found, "columns");
  if (!rows->list.count) return 0;
  *answer = value_map();
  for (size_t i = 0; i < columns->list.count; i++)
    value_set(a, answer, columns->list.items[i].text.bytes, rows->list.items[0].list.items[i]);
  return 0;
}
