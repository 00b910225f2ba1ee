/* put.c -- rows in and out of declared tables: whole-row upsert, update of some columns, delete.
 *
 * SPDX-License-Identifier: MIT */
#include "store/conn.h"

int store_put(store_conn *c, const table *t, const value *row, dts_error *e) {
  store_touch(c, t->name);
  return store_select(c, t->put_sql, row, t->count, NULL, NULL, e);
}

/* ---- update ---- */

typedef struct change {
  arena memory;
  value *row;  /* t->count values, checked */
  bool *given; /* which of them */
} change;

static int unknown_column(const table *t, const char *name, dts_error *e) {
  arena a = {0};
  const char *near = table_nearest(t, name, &a);
  error_fail(e, "COLUMN", "table '%s' has no column '%.60s'", t->name, name);
  if (near) error_hint(e, "did you mean '%s'?", near);
  arena_free(&a);
  return -1;
}

static int read_change(const table *t, const value *row, change *x, dts_error *e) {
  for (size_t i = 0; i < row->map.count; i++) {
    size_t column;
    const char *name =
        arena_copy(&x->memory, row->map.pairs[i].key.text.bytes, row->map.pairs[i].key.text.size);
    if (!table_find(t, name, &column)) return unknown_column(t, name, e);
    x->row[column] = row->map.pairs[i].item;
    x->given[column] = true;
    if (table_check(t, column, &x->memory, &x->row[column], e) < 0) return -1;
  }
  for (size_t i = 0; i < t->key_count; i++)
    if (!x->given[t->key[i]])
      return error_fail(e, "COLUMN", "an update of table '%s' names its whole key: '%s' is missing",
                        t->name, t->columns[t->key[i]].name);
  return 0;
}

static void add_setting(const table *t, size_t i, buffer *b) {
  sql_add_name(b, t->columns[i].name);
  if (t->columns[i].otherwise)
    buffer_add_format(b, "=coalesce(?%zu,(%s\n))", i + 1, t->columns[i].otherwise);
  else
    buffer_add_format(b, "=?%zu", i + 1);
}

/* Parameters are numbered by column; those that are not given are named too, so that the numbers
 * of all exist, in a term that is always true. */
static void add_update(const table *t, const change *x, buffer *b) {
  size_t set = 0;
  buffer_add_text(b, "update ");
  sql_add_name(b, t->name);
  buffer_add_text(b, " set ");
  for (size_t i = 0; i < t->count; i++)
    if (x->given[i] && !t->columns[i].key) {
      if (set++) buffer_add_char(b, ',');
      add_setting(t, i, b);
    }
  if (!set) add_setting(t, t->key[0], b);
  for (size_t i = 0; i < t->key_count; i++) {
    buffer_add_text(b, i ? " and " : " where ");
    sql_add_name(b, t->columns[t->key[i]].name);
    buffer_add_format(b, "=?%zu", t->key[i] + 1);
  }
  buffer_add_format(b, " and (?%zu is null or true)", t->count);
}

static int apply(store_conn *c, const table *t, change *x, dts_error *e) {
  buffer b;
  buffer_init(&b, 1 << 20);
  add_update(t, x, &b);
  int result = b.failed ? error_fail(e, "LIMIT_SIZE", "table '%s' is too wide to update", t->name)
                        : store_select(c, buffer_text(&b), x->row, t->count, NULL, NULL, e);
  buffer_free(&b);
  if (result < 0 || store_changes(c) > 0) return result;
  if (table_check_row(t, &x->memory, x->row, e) < 0) return -1;
  return store_put(c, t, x->row, e);
}

int store_update(store_conn *c, const table *t, const value *row, dts_error *e) {
  change x = {0};
  if (!t->key_count)
    return error_fail(e, "TABLE", "table '%s' has no key: rows are only added", t->name);
  if (row->kind != VALUE_MAP)
    return error_fail(e, "COLUMN", "a row of table '%s' is a map of columns, not a %s", t->name,
                      value_kind_name(row));
  x.row = arena_alloc(&x.memory, t->count * sizeof *x.row);
  x.given = arena_alloc(&x.memory, t->count * sizeof *x.given);
  int result = read_change(t, row, &x, e);
  store_touch(c, t->name);
  if (result == 0) result = apply(c, t, &x, e);
  arena_free(&x.memory);
  return result;
}

/* ---- delete ---- */

/* In a query null is no condition; a delete that lost a condition would take everything. */
static int refuse_nulls(const table *t, const value *where, dts_error *e) {
  for (size_t i = 0; where && where->kind == VALUE_MAP && i < where->map.count; i++) {
    const value_pair *p = &where->map.pairs[i];
    if (p->item.kind != VALUE_NULL) continue;
    error_fail(e, "WHERE", "a delete from table '%s' got no value for '%.*s'", t->name,
               (int)p->key.text.size, p->key.text.bytes);
    return error_hint(e, "leave the column out to mean all rows");
  }
  return 0;
}

int store_delete(store_conn *c, const table *t, const value *where, dts_error *e) {
  arena a = {0};
  value params = value_list();
  buffer b;
  buffer_init(&b, 1 << 20);
  buffer_add_text(&b, "delete from ");
  sql_add_name(&b, t->name);
  int result = refuse_nulls(t, where, e);
  if (result == 0) result = store_where(t, where, &b, &a, &params, e);
  store_touch(c, t->name);
  if (result == 0)
    result = store_select(c, buffer_text(&b), params.list.items, params.list.count, NULL, NULL, e);
  buffer_free(&b);
  arena_free(&a);
  return result;
}
