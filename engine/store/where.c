/* where.c -- conditions as maps: {column: value | [values] | {from, to}} into SQL.
 *
 * Values are checked as the column's own are, so a condition that no row could meet is an error and
 * no empty answer. A null is no condition. Names come from the declaration, values are parameters.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "store/conn.h"

enum { LONGEST_LIST = 10000 };

typedef struct condition {
  const table *t;
  size_t column;
  buffer *b;
  arena *a;
  value *params;
  dts_error *e;
} condition;

static int add_parameter(condition *k, const value *v) {
  value checked = *v;
  if (v->kind == VALUE_NULL)
    return error_fail(k->e, "WHERE", "where: '%s' has an empty value in its list or range",
                      k->t->columns[k->column].name);
  if (table_check(k->t, k->column, k->a, &checked, k->e) < 0) return -1;
  value_add(k->a, k->params, checked);
  buffer_add_format(k->b, "?%zu", k->params->list.count);
  return 0;
}

static int add_term(condition *k, const char *operator, const value * v) {
  sql_add_name(k->b, k->t->columns[k->column].name);
  buffer_add_text(k->b, operator);
  return add_parameter(k, v);
}

static int add_list(condition *k, const value *list) {
  if (!list->list.count) return buffer_add_text(k->b, "false");
  if (list->list.count > LONGEST_LIST)
    return error_fail(k->e, "WHERE", "where: '%s' lists %zu values, at most %d expected",
                      k->t->columns[k->column].name, list->list.count, LONGEST_LIST);
  sql_add_name(k->b, k->t->columns[k->column].name);
  buffer_add_text(k->b, " in (");
  for (size_t i = 0; i < list->list.count; i++) {
    if (i) buffer_add_char(k->b, ',');
    if (add_parameter(k, &list->list.items[i]) < 0) return -1;
  }
  return buffer_add_char(k->b, ')');
}

static int check_range(const condition *k, const value *range) {
  static const char *const known[] = {"from", "to", NULL};
  const char *column = k->t->columns[k->column].name;
  for (size_t i = 0; i < range->map.count; i++) {
    const value *key = &range->map.pairs[i].key;
    if (!value_is(key, "from") && !value_is(key, "to")) {
      const char *near = error_nearest(arena_copy(k->a, key->text.bytes, key->text.size), known);
      error_fail(k->e, "WHERE", "where: '%s' has '%.*s', from and to expected", column,
                 (int)key->text.size, key->text.bytes);
      return near ? error_hint(k->e, "did you mean '%s'?", near) : -1;
    }
  }
  return 0;
}

static int add_range(condition *k, const value *range) {
  const value *from = value_get(range, "from"), *to = value_get(range, "to");
  if (!from && !to) return buffer_add_text(k->b, "true");
  if (from && add_term(k, " >= ", from) < 0) return -1;
  if (from && to) buffer_add_text(k->b, " and ");
  return to ? add_term(k, " <= ", to) : 0;
}

static int add_condition(condition *k, const value *v) {
  switch (v->kind) {
  case VALUE_LIST: return add_list(k, v);
  case VALUE_MAP: return check_range(k, v) < 0 ? -1 : add_range(k, v);
  default: return add_term(k, " = ", v);
  }
}

static int find_column(condition *k, const value *key) {
  const char *name = arena_copy(k->a, key->text.bytes, key->text.size);
  if (table_find(k->t, name, &k->column)) return 0;
  const char *near = table_nearest(k->t, name, k->a);
  error_fail(k->e, "WHERE", "where: table '%s' has no column '%.60s'", k->t->name, name);
  return near ? error_hint(k->e, "did you mean '%s'?", near) : -1;
}

int store_where(const table *t, const value *where, buffer *b, arena *a, value *params,
                dts_error *e) {
  condition k = {.t = t, .b = b, .a = a, .params = params, .e = e};
  const char *joint = " where ";
  if (!where || where->kind == VALUE_NULL) return 0;
  /* An empty Lua table is a list: it has no conditions either. */
  if (where->kind == VALUE_LIST && !where->list.count) return 0;
  if (where->kind != VALUE_MAP)
    return error_fail(e, "WHERE", "where: a map of columns expected, got a %s",
                      value_kind_name(where));
  for (size_t i = 0; i < where->map.count; i++) {
    const value_pair *p = &where->map.pairs[i];
    if (find_column(&k, &p->key) < 0) return -1;
    if (p->item.kind == VALUE_NULL) continue;
    buffer_add_text(b, joint);
    if (add_condition(&k, &p->item) < 0) return -1;
    joint = " and ";
  }
  return b->failed ? error_fail(e, "LIMIT_SIZE", "where: too many conditions") : 0;
}
