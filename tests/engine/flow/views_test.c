/* Views: their order, circles, kept ones replaced when what they read moves.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/flow_help.h"

#include "flow/rollups/views.h"

#define TABLE                                                                                      \
  "{\"noun\":\"table\",\"name\":\"t\",\"key\":[\"k\"],\"columns\":[{\"name\":\"k\",\"type\":"      \
  "\"text\"},"                                                                                     \
  "{\"name\":\"n\",\"type\":\"integer\"},{\"name\":\"d\",\"type\":\"date\"}]}"
#define VIEW(name, keep, sql)                                                                      \
  "{\"noun\":\"view\",\"name\":\"" name "\",\"keep\":" keep ",\"sql\":\"" sql "\"}"

static int ensure(store_conn *c, void *arg, dts_error *e) {
  const registry *set = arg;
  if (help_tables_work(c, arg, e) < 0) return -1;
  if (views_prune(c, set, e) < 0) return -1;
  return views_ensure(c, set, true, e);
}

static const char *order_of(const char *text_of_views, dts_error *e, arena *a) {
  value declared = help_json(a, text_of_views);
  const value **ordered = arena_alloc(a, 16 * sizeof *ordered);
  const char *text = "";
  if (views_order(&declared, a, ordered, e) < 0) return NULL;
  for (size_t i = 0; i < declared.list.count; i++)
    text = arena_format(a, "%s %s", text, value_get_text(ordered[i], "name", "?"));
  return text;
}

static void each_stands_behind_what_it_reads(void **state) {
  (void)state;
  arena a = {0};
  dts_error e = {0};
  assert_string_equal(
      order_of(
          "[" VIEW("c", "false", "select * from b join a on a.x = b.x") "," VIEW(
              "b", "false", "select 'c' as x from \\\"a\\\" -- c") "," VIEW("a", "false",
                                                                            "select 1 as x") "]",
          &e, &a),
      " a b c");
  /* a column named like a view is no circle */
  assert_string_equal(
      order_of("[" VIEW("a", "false", "select k, b, max(x, b) from t where k in (k, b)") "," VIEW(
                   "b", "false", "select * from (t), (a)") "]",
               &e, &a),
      " a b");
  arena_free(&a);
}

static void a_circle_is_refused(void **state) {
  (void)state;
  arena a = {0};
  dts_error e = {0};
  assert_null(
      order_of("[" VIEW("a", "false", "select * from t, c") "," VIEW(
                   "b", "false", "select * from a") "," VIEW("c", "false",
                                                             "select * from t join B on true") "]",
               &e, &a));
  assert_string_equal(e.message, "views go in a circle: 'a' reads 'c' reads 'b' reads 'a'");
  assert_null(order_of("[" VIEW("me", "false", "select * from me") "]", &e, &a));
  assert_string_equal(e.message, "views go in a circle: 'me' reads 'me'");
  arena_free(&a);
}

typedef struct moving {
  const registry *set;
  const char *table;
} moving;

static int refresh(store_conn *c, void *arg, dts_error *e) {
  const moving *m = arg;
  arena a = {0};
  value kept;
  assert_int_equal(views_kept(m->set, &a, &kept, e), 0);
  int rc = views_refresh(c, &kept, &m->table, 1, e);
  arena_free(&a);
  return rc;
}

static void kept_views_follow_their_tables(void **state) {
  (void)state;
  arena a = {0};
  registry *set = help_good_set(
      "[" TABLE "," VIEW("sums", "true", "select d, sum(n) as n from plain group by d") "," VIEW(
          "plain", "false",
          "select * from t where n > 0") "," VIEW("top", "true",
                                                  "select max(n) as n from sums") "]");
  store *s = help_store();
  help_write(s, ensure, set);
  assert_string_equal(help_text(s, &a, "select * from top"), "null\n");
  help_exec(s, "insert into t values ('a', 2, '2025-01-01'), ('b', 3, '2025-01-01'), ('c', -1, "
               "'2025-01-02')");
  moving other = {set, "u"}, own = {set, "t"};
  help_write(s, refresh, &other);
  assert_string_equal(help_text(s, &a, "select * from sums"), "");
  help_write(s, refresh, &own);
  assert_string_equal(help_text(s, &a, "select * from sums"), "2025-01-01|5\n");
  assert_string_equal(help_text(s, &a, "select * from top"), "5\n");
  assert_string_equal(
      help_text(s, &a, "select name, type from dts_columns where table_name = 'sums'"), "d|date\n");
  assert_true(store_version(s, "top") > 0);
  store_close(s);
  registry_release(set);
  arena_free(&a);
}

static void a_kept_view_that_fails_keeps_its_rows(void **state) {
  (void)state;
  arena a = {0};
  registry *set =
      help_good_set("[" TABLE "," VIEW("y", "true", "select year(k) as y from t") "," VIEW(
          "c", "true", "select count(*) as n from t") "]");
  store *s = help_store();
  help_exec(s, "select 1");
  help_write(s, ensure, set);
  moving own = {set, "t"};
  help_exec(s, "insert into t values ('2024-05-05', 1, null)");
  help_write(s, refresh, &own);
  help_exec(s, "insert into t values ('no date', 1, null)");
  help_write(s, refresh, &own);
  assert_string_equal(help_text(s, &a, "select * from y"), "2024\n");
  assert_string_equal(help_text(s, &a, "select * from c"), "2\n");
  store_close(s);
  registry_release(set);
  arena_free(&a);
}

static void a_view_may_change_its_kind(void **state) {
  (void)state;
  arena a = {0};
  static const char *const sets[] = {"[" TABLE "," VIEW("v", "false", "select k from t") "]",
                                     "[" TABLE "," VIEW("v", "true", "select k, n from t") "]",
                                     "[" TABLE "," VIEW("v", "true", "select n from t") "]",
                                     "[" TABLE "," VIEW("v", "false", "select d, n from t") "]",
                                     "[" TABLE "]"};
  static const char *const want[] = {"view|v\n", "table|v\nview|dts_view.v\n",
                                     "table|v\nview|dts_view.v\n", "view|v\n", ""};
  store *s = help_store();
  for (size_t i = 0; i < 5; i++) {
    registry *set = help_good_set(sets[i]);
    help_write(s, ensure, set);
    help_write(s, ensure, set);
    assert_string_equal(
        help_text(
            s, &a,
            "select type, name from sqlite_schema where name in ('v', 'dts_view.v') order by 1"),
        want[i]);
    if (i == 0) help_exec(s, "insert into t values ('a', 4, null)");
    if (i == 2) assert_string_equal(help_text(s, &a, "select * from v"), "4\n");
    registry_release(set);
  }
  store_close(s);
  arena_free(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_stands_behind_what_it_reads),
      cmocka_unit_test(a_circle_is_refused),
      cmocka_unit_test(kept_views_follow_their_tables),
      cmocka_unit_test(a_kept_view_that_fails_keeps_its_rows),
      cmocka_unit_test(a_view_may_change_its_kind),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
