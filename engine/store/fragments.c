/* fragments.c -- the SQL that a declaration brings: a column's default and check.
 *
 * They must be whole expressions, a default one that fits its column; so that what is wrong is said of
 * the declaration, and not of every row.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "store/conn.h"

/* default and check must be whole expressions: what ends the parenthesis early would be more. */
static int check_expression(store_conn *c, const table *t, const char *what, const char *sql,
                            bool columns, const table_column *column, dts_error *e) {
  buffer b;
  dts_error inner = {0};
  buffer_init(&b, 1 << 20);
  buffer_add_format(&b, "select ((%s\n))", sql);
  for (size_t i = 0; columns && i < t->count; i++) {
    buffer_add_text(&b, i ? ", null as " : " from (select null as ");
    sql_add_name(&b, t->columns[i].name);
  }
  if (columns) buffer_add_char(&b, ')');
  arena a = {0};
  value found = value_list();
  int result = store_check(c, buffer_text(&b), &a, &found, NULL, NULL, &inner);
  if (result == 0 && found.list.count != 1)
    result = error_fail(&inner, "SQL", "one value expected");
  arena_free(&a);
  buffer_free(&b);
  if (result == 0) return 0;
  char *place = strstr(inner.message, " (line "); /* in the SQL above, not in the script's */
  if (place) *place = '\0';
  error_fail(e, "TABLE", "the %s of column '%s' of table '%s': %.400s", what, column->name, t->name,
             inner.message);
  return inner.hint[0] ? error_hint(e, "%s", inner.hint) : -1;
}

/* Its value must fit: else every row that leaves the column out would be refused, one by one. */
static int check_default(store_conn *c, const table *t, size_t column, dts_error *e) {
  const table_column *k = &t->columns[column];
  arena a = {0};
  buffer b;
  value v = value_null();
  dts_error inner = {0};
  buffer_init(&b, 1 << 20);
  buffer_add_format(&b, "select (%s\n)", k->otherwise);
  int result = store_get(c, buffer_text(&b), NULL, 0, &a, &v, &inner);
  value given = v;
  bool truth = k->type == COLUMN_BOOLEAN && v.kind == VALUE_INTEGER && (v.integer | 1) == 1;
  if (result == 0 && v.kind != VALUE_NULL && !truth)
    result = table_check(t, column, &a, &v, &inner);
  if (result == 0 && v.kind == VALUE_TEXT && k->type == COLUMN_TIMESTAMP &&
      !value_is(&given, v.text.bytes))
    result = error_fail(&inner, "TABLE", "write it as '%s'", v.text.bytes);
  if (result == 0 && k->type == COLUMN_BOOLEAN && given.kind == VALUE_TEXT)
    result = error_fail(&inner, "TABLE", "true or false expected, without quotation marks");
  if (result < 0)
    error_fail(e, "TABLE", "the default of column '%s' of table '%s': %.400s", k->name, t->name,
               inner.message);
  buffer_free(&b);
  arena_free(&a);
  return result;
}

int fragments_check(store_conn *c, const table *t, dts_error *e) {
  for (size_t i = 0; i < t->count; i++) {
    const table_column *k = &t->columns[i];
    if (k->otherwise && check_expression(c, t, "default", k->otherwise, false, k, e) < 0) return -1;
    if (k->otherwise && check_default(c, t, i, e) < 0) return -1;
    if (k->check && check_expression(c, t, "check", k->check, true, k, e) < 0) return -1;
  }
  return 0;
}
