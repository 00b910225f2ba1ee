/* view.c -- declared views: checked as a user's SQL is, then created or replaced.
 *
 * SPDX-License-Identifier: MIT */

#include "store/conn.h"

static int run_on(store_conn *c, const char *start, const char *name, const char *rest,
                  dts_error *e) {
  buffer b;
  buffer_init(&b, 2 << 20);
  buffer_add_text(&b, start);
  sql_add_name(&b, name);
  buffer_add_text(&b, rest);
  int result = b.failed ? error_fail(e, "LIMIT_SIZE", "view '%s': its SQL is too long", name)
                        : store_exec(c, buffer_text(&b), NULL, 0, e);
  buffer_free(&b);
  return result;
}

static int refuse_parameters(const char *name, const value *parameters, dts_error *e) {
  if (!parameters->list.count) return 0;
  return error_fail(e, "SQL", "view '%s' has a parameter :%s, and nobody to give it a value", name,
                    parameters->list.items[0].text.bytes);
}

static int check_sql(store_conn *c, const char *name, const char *sql, dts_error *e) {
  arena a = {0};
  value parameters = value_list();
  int result = store_check(c, sql, &a, NULL, NULL, &parameters, e);
  if (result == 0) result = refuse_parameters(name, &parameters, e);
  arena_free(&a);
  return result;
}

/* A circle shows only when the view is read; so does a view that another view needs otherwise. */
static int check_view(store_conn *c, const char *name, dts_error *e) {
  buffer b;
  arena a = {0};
  buffer_init(&b, 1 << 10);
  buffer_add_text(&b, "select * from ");
  sql_add_name(&b, name);
  int result = store_check(c, buffer_text(&b), &a, NULL, NULL, NULL, e);
  arena_free(&a);
  buffer_free(&b);
  return result;
}

static int find_view(store_conn *c, const char *name, const char *sql, bool *exists, bool *same,
                     dts_error *e) {
  arena a = {0};
  buffer b;
  value key = value_text(name), type, old;
  buffer_init(&b, 2 << 20);
  buffer_add_text(&b, "CREATE VIEW ");
  sql_add_name(&b, name);
  buffer_add_format(&b, " AS %s", sql);
  int result =
      store_get(c, "select type from sqlite_schema where name = ?1", &key, 1, &a, &type, e);
  if (result == 0)
    result = store_get(c, "select sql from sqlite_schema where name = ?1", &key, 1, &a, &old, e);
  *exists = result == 0 && type.kind == VALUE_TEXT;
  *same = *exists && value_is(&old, buffer_text(&b));
  if (*exists && !value_is(&type, "view"))
    result =
        error_fail(e, "TABLE", "view '%s': the store has a %s of this name", name, type.text.bytes);
  arena_free(&a);
  buffer_free(&b);
  return result;
}

int store_view_ensure(store_conn *c, const char *name, const char *sql, dts_error *e) {
  bool exists, same;
  if (find_view(c, name, sql, &exists, &same, e) < 0) return -1;
  if (same) return check_view(c, name, e);
  if (exists && run_on(c, "DROP VIEW ", name, "", e) < 0) return -1;
  buffer rest;
  buffer_init(&rest, 2 << 20);
  buffer_add_format(&rest, " AS %s", sql);
  int result = check_sql(c, name, sql, e);
  if (result == 0) result = run_on(c, "CREATE VIEW ", name, buffer_text(&rest), e);
  if (result == 0) result = check_view(c, name, e);
  buffer_free(&rest);
  if (result == 0) store_touch(c, name);
  return result;
}

int store_view_drop(store_conn *c, const char *name, dts_error *e) {
  store_touch(c, name);
  return run_on(c, "DROP VIEW IF EXISTS ", name, "", e);
}
