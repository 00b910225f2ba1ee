/* store_test.c -- tables, rows in and out, views, versions.
 *
 * SPDX-License-Identifier: MIT */
#include "store/help.h"

#include <math.h>

static const char pump[] =
    "{\"name\":\"pump\",\"key\":[\"station\",\"date\"],\"index\":[[\"date\"]],\"columns\":["
    "{\"name\":\"station\",\"type\":\"text\"},{\"name\":\"date\",\"type\":\"date\"},"
    "{\"name\":\"price\",\"type\":\"real\",\"check\":\"price > 0\"},"
    "{\"name\":\"open\",\"type\":\"boolean\",\"default\":\"true\"},"
    "{\"name\":\"unit\",\"type\":\"text\",\"not_null\":true,\"default\":\"'R$'\"}]}";

typedef struct step {
  const table *t;
  value v;
} step;

static int ensure(store_conn *c, void *arg, dts_error *e) {
  return store_table_ensure(c, ((step *)arg)->t, e);
}
static int put(store_conn *c, void *arg, dts_error *e) {
  step *s = arg;
  arena a = {0};
  value row = value_copy(&a, &s->v);
  int result = table_check_row(s->t, &a, row.list.items, e);
  if (result == 0) result = store_put(c, s->t, row.list.items, e);
  arena_free(&a);
  return result;
}
static int update(store_conn *c, void *arg, dts_error *e) {
  return store_update(c, ((step *)arg)->t, &((step *)arg)->v, e);
}
static int erase(store_conn *c, void *arg, dts_error *e) {
  return store_delete(c, ((step *)arg)->t, &((step *)arg)->v, e);
}

static void must(store *s, store_work *work, const table *t, const char *json) {
  arena a = {0};
  dts_error e = {0};
  step x = {t, json ? help_json(&a, json) : value_null()};
  if (store_write(s, work, &x, &e) < 0) fail_msg("%s: %s", json ? json : t->name, e.message);
  arena_free(&a);
}

static void must_not(store *s, store_work *work, const table *t, const char *json,
                     const char *message) {
  arena a = {0};
  dts_error e = {0};
  step x = {t, json ? help_json(&a, json) : value_null()};
  assert_int_equal(store_write(s, work, &x, &e), -1);
  assert_string_equal(e.message, message);
  arena_free(&a);
}

static void shows(store *s, const char *sql, const char *expected) {
  arena a = {0};
  value v = help_get(s, &a, sql);
  if (!value_is(&v, expected))
    fail_msg("%s gave %.*s", sql, v.kind == VALUE_TEXT ? (int)v.text.size : 4,
             v.kind == VALUE_TEXT ? v.text.bytes : "null");
  arena_free(&a);
}

static const char all_rows[] = "select group_concat(r, ' ') from (select station || '|' || date || "
                               "'|' || coalesce(price, '-') ||"
                               " '|' || open || '|' || unit r from pump order by station, date)";

static void puts_whole_rows(void **state) {
  (void)state;
  arena a = {0};
  store *s = help_memory();
  table *t = help_table(&a, pump);
  must(s, ensure, t, NULL);
  must(s, ensure, t, NULL);
  must(s, put, t, "[\"a\",\"2026-01-01\",5,false,\"L\"]");
  shows(s, all_rows, "a|2026-01-01|5.0|0|L");
  must(s, put, t, "[\"a\",\"2026-01-01\",null,null,null]");
  shows(s, all_rows, "a|2026-01-01|-|1|R$");
  must_not(s, put, t, "[\"a\",\"2026-01-01\",-1,null,null]",
           "a value breaks the check of column 'price'");
  must_not(s, put, t, "[null,\"2026-01-01\",1,null,null]",
           "column 'station' of table 'pump' must have a value, got none");
  store_close(s);
  arena_free(&a);
}

static void updates_what_is_given(void **state) {
  (void)state;
  arena a = {0};
  store *s = help_memory();
  table *t = help_table(&a, pump);
  must(s, ensure, t, NULL);
  must(s, put, t, "[\"a\",\"2026-01-01\",5,false,\"L\"]");
  must(s, update, t, "{\"station\":\"a\",\"date\":\"2026-01-01\",\"price\":6}");
  shows(s, all_rows, "a|2026-01-01|6.0|0|L");
  must(s, update, t, "{\"station\":\"a\",\"date\":\"2026-01-01\",\"unit\":null}");
  shows(s, all_rows, "a|2026-01-01|6.0|0|R$");
  must(s, update, t, "{\"station\":\"a\",\"date\":\"2026-01-01\"}");
  must(s, update, t, "{\"date\":\"2026-01-02\",\"station\":\"b\",\"price\":1}");
  shows(s, all_rows, "a|2026-01-01|6.0|0|R$ b|2026-01-02|1.0|1|R$");
  must_not(s, update, t, "{\"station\":\"a\",\"price\":6}",
           "an update of table 'pump' names its whole key: 'date' is missing");
  must_not(s, update, t, "{\"station\":\"a\",\"date\":\"2026-01-01\",\"prise\":6}",
           "table 'pump' has no column 'prise'");
  store_close(s);
  arena_free(&a);
}

static void deletes_by_condition(void **state) {
  (void)state;
  arena a = {0};
  store *s = help_memory();
  table *t = help_table(&a, pump);
  must(s, ensure, t, NULL);
  for (int i = 1; i <= 9; i++) {
    char row[80];
    snprintf(row, sizeof row, "[\"%c\",\"2026-01-0%d\",%d,null,null]", 'a' + i % 3, i, i);
    must(s, put, t, row);
  }
  must(s, erase, t, "{\"station\":\"zz\"}");
  must(s, erase, t, "{\"station\":[]}");
  assert_int_equal(help_count(s, "select count(*) from pump"), 9);
  must(s, erase, t,
       "{\"station\":[\"a\",\"b\"],\"date\":{\"from\":\"2026-01-03\",\"to\":\"2026-01-06\"}}");
  assert_int_equal(help_count(s, "select count(*) from pump"), 6);
  must(s, erase, t, "{\"price\":{\"from\":8.5}}");
  assert_int_equal(help_count(s, "select count(*) from pump"), 5);
  must_not(s, erase, t, "{\"station\":null}",
           "a delete from table 'pump' got no value for 'station'");
  must_not(s, erase, t, "{\"date\":\"yesterday\"}",
           "column 'date' of table 'pump': a date YYYY-MM-DD expected, got \"yesterday\"");
  must_not(s, erase, t, "{\"date\":{\"form\":\"2026-01-01\"}}",
           "where: 'date' has 'form', from and to expected");
  must_not(s, erase, t, "{\"statoin\":1}", "where: table 'pump' has no column 'statoin'");
  must(s, erase, t, "{}");
  assert_int_equal(help_count(s, "select count(*) from pump"), 0);
  store_close(s);
  arena_free(&a);
}

static void appends_without_a_key(void **state) {
  (void)state;
  arena a = {0};
  store *s = help_memory();
  table *t =
      help_table(&a, "{\"name\":\"log\",\"columns\":[{\"name\":\"line\",\"type\":\"text\"}]}");
  must(s, ensure, t, NULL);
  must(s, put, t, "[\"same\"]");
  must(s, put, t, "[\"same\"]");
  assert_int_equal(help_count(s, "select count(*) from log"), 2);
  must_not(s, update, t, "{\"line\":\"x\"}", "table 'log' has no key: rows are only added");
  store_close(s);
  arena_free(&a);
}

static int columns_are(void *arg, const store_header *header, const value *row, dts_error *e) {
  (void)e;
  assert_int_equal(header->count, 5);
  assert_string_equal(header->names[2], "flag");
  *(int *)arg += 1;
  assert_int_equal(row[0].kind, VALUE_BOOLEAN);
  assert_int_equal(row[1].kind, VALUE_INTEGER);
  assert_int_equal(row[2].kind, VALUE_BOOLEAN);
  assert_true(row[3].integer == INT64_MIN);
  assert_int_equal(row[4].kind, VALUE_REAL);
  return 0;
}

static int read_columns(store_conn *c, void *arg, dts_error *e) {
  return store_select(c, "select open, open + 0, v.open as flag, ?1, price from v",
                      &(value){.kind = VALUE_INTEGER, .integer = INT64_MIN}, 1, columns_are, arg,
                      e);
}

static int make_view(store_conn *c, void *arg, dts_error *e) {
  return store_view_ensure(c, "v", arg, e);
}

static void gives_booleans_back(void **state) {
  (void)state;
  arena a = {0};
  int rows = 0;
  dts_error e = {0};
  store *s = help_memory();
  table *t = help_table(&a, pump);
  must(s, ensure, t, NULL);
  must(s, put, t, "[\"a\",\"2026-01-01\",5,true,\"L\"]");
  assert_int_equal(store_write(s, make_view, "select * from pump", &e), 0);
  assert_int_equal(store_read(s, read_columns, &rows, &e), 0);
  assert_int_equal(rows, 1);
  store_close(s);
  arena_free(&a);
}

static int bind_nan(store_conn *c, void *arg, dts_error *e) {
  value v = value_real(NAN), out;
  (void)arg;
  return store_get(c, "select ?1", &v, 1, NULL, &out, e);
}

static void refuses_nan(void **state) {
  (void)state;
  dts_error e = {0};
  store *s = help_memory();
  assert_int_equal(store_read(s, bind_nan, NULL, &e), -1);
  assert_string_equal(e.message, "parameter 1 is not a number (NaN)");
  store_close(s);
}

/* ---- changed declarations ---- */

#define T(columns, rest)   "{\"name\":\"t\",\"columns\":[" columns "]" rest "}"
#define COLUMN(name, type) "{\"name\":\"" name "\",\"type\":\"" type "\"}"

/* What does not name a new column (a run of the version before) gives it its default. */
static void new_columns_have_their_default(void **state) {
  (void)state;
  arena a = {0};
  store *s = help_memory();
  must(s, ensure, help_table(&a, T(COLUMN("k", "text"), "")), NULL);
  help_exec(s, "insert into t values ('before')");
  table *t = help_table(&a, "{\"name\":\"t\",\"columns\":[{\"name\":\"k\",\"type\":\"text\"},"
                            "{\"name\":\"a\",\"type\":\"text\",\"default\":\"'it''s'\"},"
                            "{\"name\":\"b\",\"type\":\"real\",\"default\":\"-1.5\"},"
                            "{\"name\":\"c\",\"type\":\"boolean\",\"default\":\"true\"},"
                            "{\"name\":\"d\",\"type\":\"integer\",\"default\":\"(1 + 2)\"}]}");
  must(s, ensure, t, NULL);
  help_exec(s, "insert into t(k) values ('behind')");
  assert_int_equal(help_count(s, "select count(*) from t where a = 'it''s' and b = -1.5 and c = 1"),
                   2);
  assert_int_equal(help_count(s, "select count(*) from t where d = 3"), 1);
  must(s, ensure, t, NULL);
  store_close(s);
  arena_free(&a);
}

static void follows_declarations(void **state) {
  (void)state;
  arena a = {0};
  char *folder = help_folder();
  store *s = help_open(folder);
  must(s, ensure,
       help_table(&a, T(COLUMN("k", "text") "," COLUMN("n", "integer"), ",\"key\":[\"k\"]")), NULL);
  help_exec(s, "insert into t values('a', 1)");
  store_close(s);
  s = help_open(folder);
  table *wider = help_table(
      &a,
      T(COLUMN(
            "k",
            "text") ",{\"name\":\"b\",\"type\":\"boolean\",\"not_null\":true,\"default\":\"true\"},"
                    "{\"name\":\"u\",\"type\":\"text\",\"default\":\"'x' || 'y'\"}",
        ",\"key\":[\"k\"],\"index\":[[\"b\",\"u\"]]"));
  must(s, ensure, wider, NULL);
  shows(s, "select k || n || b || u from t", "a11xy");
  must(s, put, wider, "[\"b\",false,null]");
  assert_int_equal(
      help_count(s, "select count(*) from sqlite_schema where name = 'dts_index.t.b.u'"), 1);
  must(s, ensure, help_table(&a, T(COLUMN("k", "text"), ",\"key\":[\"k\"]")), NULL);
  assert_int_equal(
      help_count(s, "select count(*) from sqlite_schema where name like 'dts_index.%'"), 0);
  must_not(s, ensure,
           help_table(&a, T(COLUMN("k", "text") "," COLUMN("n", "real"), ",\"key\":[\"k\"]")), NULL,
           "the type of n in table 't' changed from integer to real");
  must_not(
      s, ensure,
      help_table(&a, T(COLUMN("k", "text") "," COLUMN("n", "integer"), ",\"key\":[\"k\",\"n\"]")),
      NULL, "the key of its rows in table 't' changed from k to k, n");
  must_not(s, ensure, help_table(&a, T(COLUMN("k", "text"), "")), NULL,
           "the key of its rows in table 't' changed from k to none");
  store_close(s);
  help_remove(folder);
  arena_free(&a);
}

static void checks_expressions(void **state) {
  (void)state;
  arena a = {0};
  store *s = help_memory();
  must_not(s, ensure,
           help_table(&a, T("{\"name\":\"k\",\"type\":\"text\",\"default\":\"'a'), ('b'\"}", "")),
           NULL, "the default of column 'k' of table 't': row value misused");
  must_not(s, ensure,
           help_table(&a, T("{\"name\":\"k\",\"type\":\"text\",\"check\":\"kk > 1\"}", "")), NULL,
           "the check of column 'k' of table 't': unknown column 'kk'");
  must_not(
      s, ensure,
      help_table(&a, T("{\"name\":\"k\",\"type\":\"text\",\"default\":\"1); drop table x\"}", "")),
      NULL, "the default of column 'k' of table 't': near \";\": syntax error");
  help_exec(s, "create table t(k)");
  must_not(s, ensure, help_table(&a, T(COLUMN("k", "text"), "")), NULL,
           "table 't': the store has a table of this name that no script declares");
  store_close(s);
  arena_free(&a);
}

/* ---- versions ---- */

static void remember(void *arg, const char *const *tables, size_t count) {
  char *seen = arg;
  for (size_t i = 0; i < count; i++) strcat(strcat(seen, tables[i]), " ");
}

static int touch_and_fail(store_conn *c, void *arg, dts_error *e) {
  store_touch(c, arg);
  return error_fail(e, "TEST", "no");
}

static int touch(store_conn *c, void *arg, dts_error *e) {
  (void)e;
  store_touch(c, arg);
  return 0;
}

static int make_two_and_view(store_conn *c, void *arg, dts_error *e) {
  (void)arg;
  if (store_exec(c, "create table x(a)", NULL, 0, e) < 0 ||
      store_exec(c, "create table y(a)", NULL, 0, e) < 0)
    return -1;
  return store_view_ensure(c, "v", "select a from x", e);
}

/* Else what was kept of the old view would pass for the new one's. */
static void a_view_that_reads_less_has_a_greater_version(void **state) {
  (void)state;
  dts_error e = {0};
  store *s = help_memory();
  assert_int_equal(store_write(s, make_two_and_view, NULL, &e), 0);
  for (int i = 0; i < 2; i++) assert_int_equal(store_write(s, touch, "x", &e), 0);
  assert_int_equal(store_write(s, touch, "y", &e), 0);
  uint64_t before = store_version(s, "v");
  assert_int_equal(store_write(s, make_view, "select a from y", &e), 0);
  assert_true(store_version(s, "v") > before);
  before = store_version(s, "v");
  assert_int_equal(store_write(s, make_view, "select 1 as a", &e), 0);
  assert_true(store_version(s, "v") > before);
  store_close(s);
}

static void versions_move_with_commits(void **state) {
  (void)state;
  arena a = {0};
  char *folder = help_folder(), seen[200] = "";
  dts_error e = {0};
  store *s = help_open(folder);
  table *t = help_table(&a, pump);
  store_watch(s, remember, seen);
  assert_true(store_version(s, "pump") == 0);
  must(s, ensure, t, NULL);
  uint64_t v = store_version(s, "pump");
  assert_true(v > 0);
  must(s, put, t, "[\"a\",\"2026-01-01\",5,true,\"L\"]");
  assert_true(store_version(s, "pump") > v);
  v = store_version(s, "pump");
  assert_int_equal(store_write(s, touch_and_fail, "pump", &e), -1);
  assert_true(store_version(s, "pump") == v);
  assert_int_equal(store_write(s, touch, "elsewhere", &e), 0);
  assert_true(store_version(s, "pump") == v);
  assert_string_equal(seen, "pump elsewhere ");
  assert_int_equal(store_write(s, make_view, "select station from pump", &e), 0);
  uint64_t view = store_version(s, "v");
  assert_true(view > 0);
  must(s, erase, t, "{}");
  assert_true(store_version(s, "v") > view);
  v = store_version(s, "pump");
  view = store_version(s, "v");
  store_close(s);
  s = help_open(folder);
  assert_true(store_version(s, "pump") != v && store_version(s, "pump") > 0);
  assert_true(store_version(s, "v") != view);
  view = store_version(s, "v");
  must(s, put, t, "[\"a\",\"2026-01-01\",5,true,\"L\"]");
  assert_true(store_version(s, "v") > view);
  store_close(s);
  help_remove(folder);
  arena_free(&a);
}

static int drop_view(store_conn *c, void *arg, dts_error *e) { return store_view_drop(c, arg, e); }

static void views_are_replaced(void **state) {
  (void)state;
  dts_error e = {0};
  store *s = help_memory();
  help_exec(s, "create table x(a)");
  help_exec(s, "insert into x values(1)");
  assert_int_equal(store_write(s, make_view, "select a from x", &e), 0);
  assert_int_equal(store_write(s, make_view, "select a from x", &e), 0);
  assert_int_equal(help_count(s, "select * from v"), 1);
  assert_int_equal(store_write(s, make_view, "select a + 1 as a from x", &e), 0);
  assert_int_equal(help_count(s, "select * from v"), 2);
  assert_int_equal(store_write(s, make_view, "select b from x", &e), -1);
  assert_string_equal(e.message, "unknown column 'b' (line 1, column 8 of the SQL)");
  assert_int_equal(store_write(s, make_view, "select * from v", &e), -1);
  assert_int_equal(store_write(s, make_view, "select a from x where a = :p", &e), -1);
  assert_string_equal(e.message, "view 'v' has a parameter :p, and nobody to give it a value");
  assert_int_equal(store_write(s, make_view, "select date('now') as a from x", &e), 0);
  assert_int_equal(help_count(s, "select count(*) from v"), 1);
  assert_int_equal(store_write(s, drop_view, "v", &e), 0);
  help_exec(s, "create table v(a)");
  assert_int_equal(store_write(s, make_view, "select a from x", &e), -1);
  assert_string_equal(e.message, "view 'v': the store has a table of this name");
  store_close(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(puts_whole_rows),
      cmocka_unit_test(updates_what_is_given),
      cmocka_unit_test(deletes_by_condition),
      cmocka_unit_test(appends_without_a_key),
      cmocka_unit_test(gives_booleans_back),
      cmocka_unit_test(refuses_nan),
      cmocka_unit_test(follows_declarations),
      cmocka_unit_test(checks_expressions),
      cmocka_unit_test(new_columns_have_their_default),
      cmocka_unit_test(versions_move_with_commits),
      cmocka_unit_test(a_view_that_reads_less_has_a_greater_version),
      cmocka_unit_test(views_are_replaced),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
