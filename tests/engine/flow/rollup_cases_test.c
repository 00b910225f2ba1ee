/* Roll-ups, case by case: real rankings against another engine's figures, levels, changed
 * declarations, rows written again, faults, and what a declaration is refused for.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/flow_help.h"

#include <unistd.h>

#include "base/file.h"
#include "flow/rollups/rollup_sql.h"
#include "flow/rollups/rollups.h"
#include "format/csv.h"

#define STATS                                                                                      \
  "{\"noun\":\"table\",\"name\":\"stats\",\"key\":[\"repo\",\"date\"],\"columns\":["               \
  "{\"name\":\"repo\",\"type\":\"text\"},{\"name\":\"date\",\"type\":\"date\"},"                   \
  "{\"name\":\"stars\",\"type\":\"integer\"},{\"name\":\"note\",\"type\":\"text\"}]}"
#define ROLLUP(every, measures)                                                                    \
  "{\"noun\":\"rollup\",\"name\":\"trend\",\"from\":\"stats\",\"time\":\"date\",\"by\":[{"         \
  "\"expr\":"                                                                                      \
  "\"repo\",\"name\":\"repo\"}],\"every\":[" every "],\"measures\":[" measures "]}"
#define M(expr, name) "{\"expr\":\"" expr "\",\"name\":\"" name "\"}"

static int ensure(store_conn *c, void *arg, dts_error *e) {
  const registry *set = arg;
  if (rollups_prepare(c, set, e) < 0) return -1;
  if (help_tables_work(c, arg, e) < 0) return -1;
  if (rollups_prune(c, set, e) < 0) return -1;
  return rollups_ensure(c, set, true, e);
}

static int refresh(store_conn *c, void *arg, dts_error *e) {
  return rollups_refresh(c, arg, NULL, e);
}

/* ---- real rankings ---- */

typedef struct loading {
  const registry *set;
  const char *text;
} loading;

/* date,item,rank,repo,stars,.. ; a repository may stand in several rankings of a day: the last stays. */
static int load(store_conn *c, void *arg, dts_error *e) {
  const loading *l = arg;
  const table *t = registry_table(l->set, "stats");
  csv_reader r;
  const csv_field *f;
  size_t count;
  int rc = 0;
  csv_open(&r, NULL);
  csv_feed(&r, l->text, strlen(l->text), true);
  for (bool head = true; rc == 0 && csv_next(&r, &f, &count, e) == CSV_ROW; head = false) {
    if (head) continue;
    char stars[32];
    snprintf(stars, sizeof stars, "%.*s", (int)f[4].size, f[4].bytes);
    value row[] = {value_bytes(f[3].bytes, f[3].size), value_bytes(f[0].bytes, f[0].size),
                   value_integer(strtoll(stars, NULL, 10)), value_null()};
    rc = store_put(c, t, row, e);
  }
  csv_close(&r);
  return rc;
}

static const value *find_oracle(const value *all, const char *file) {
  const value *list = value_get(all, "ranking");
  for (size_t i = 0; i < list->list.count; i++)
    if (strcmp(value_get_text(&list->list.items[i], "file", ""), file) == 0)
      return value_get(&list->list.items[i], "weekly");
  return NULL;
}

static void weeks_of_real_rankings(void **state) {
  (void)state;
  static const char file[] = "github/ranking-daily/data-repos-2024Q1.csv";
  arena a = {0};
  buffer csv, oracle;
  dts_error e;
  buffer_init(&csv, 1 << 26);
  buffer_init(&oracle, 1 << 26);
  if (access(TEST_DATA "/oracle-duckdb.json", R_OK) != 0) {
    print_message("skipped: %s is not here\n", TEST_DATA "/oracle-duckdb.json");
    skip();
  }
  assert_int_equal(file_read(arena_format(&a, "%s/%s", TEST_DATA, file), 1 << 26, &csv, &e), 0);
  assert_int_equal(file_read(TEST_DATA "/oracle-duckdb.json", 1 << 26, &oracle, &e), 0);
  registry *set = help_good_set("[" STATS "," ROLLUP(
      "\"week\"", M("min(stars)", "mn") "," M("max(stars)", "mx") "," M("count(*)", "n_days")) "]");
  store *s = help_store();
  help_write(s, ensure, set);
  loading l = {set, buffer_text(&csv)};
  help_write(s, load, &l);
  help_write(s, refresh, set);
  value all = help_json(&a, buffer_text(&oracle));
  const value *weekly = find_oracle(&all, file);
  value rows =
      help_rows(s, &a, "select period, repo, mx, mn, n_days from trend_week order by 1, 2");
  assert_int_equal(rows.list.count, weekly->list.count);
  for (size_t i = 0; i < rows.list.count; i++) {
    static const char *const fields[] = {"wk", "repo", "mx", "mn", "n_days"};
    const value *want = &weekly->list.items[i], *got = rows.list.items[i].list.items;
    for (size_t k = 0; k < 5; k++) {
      const char *text = got[k].kind == VALUE_TEXT
                             ? got[k].text.bytes
                             : arena_format(&a, "%lld", (long long)got[k].integer);
      assert_string_equal(text, value_get_text(want, fields[k], "?"));
    }
  }
  print_message("%zu weeks agree\n", rows.list.count);
  store_close(s);
  registry_release(set);
  buffer_free(&csv);
  buffer_free(&oracle);
  arena_free(&a);
}

/* ---- behaviour ---- */

static void a_row_written_again_notes_nothing(void **state) {
  (void)state;
  arena a = {0};
  registry *set =
      help_good_set("[" STATS "," ROLLUP("\"week\",\"month\"", M("max(stars)", "mx")) "]");
  store *s = help_store();
  help_write(s, ensure, set);
  help_exec(s, "insert into stats values ('a', '2024-12-30', 5, 'x'), ('a', '2025-01-01', 7, 'x')");
  assert_string_equal(help_text(s, &a, "select dts_k0, dts_at from \"dts_dirty.trend\""),
                      "a|2024-12-30\na|2025-01-01\n");
  help_write(s, refresh, set);
  assert_string_equal(help_text(s, &a, "select * from trend_week"), "a|2024-12-30|7\n");
  assert_string_equal(help_text(s, &a, "select * from trend_month"),
                      "a|2024-12-01|5\na|2025-01-01|7\n");
  help_exec(s, "update stats set stars = stars, note = 'other'");
  assert_string_equal(help_text(s, &a, "select count(*) from \"dts_dirty.trend\""), "0\n");
  help_exec(s, "insert into stats values ('a', '2025-01-01', 9, 'x') on conflict do update set "
               "stars = excluded.stars");
  assert_string_equal(help_text(s, &a, "select dts_at from \"dts_dirty.trend\""), "2025-01-01\n");
  store_close(s);
  registry_release(set);
  arena_free(&a);
}

static void a_changed_declaration_recomputes_all(void **state) {
  (void)state;
  arena a = {0};
  registry *set = help_good_set("[" STATS "," ROLLUP("\"week\"", M("max(stars)", "x")) "]");
  store *s = help_store();
  help_write(s, ensure, set);
  help_exec(s,
            "insert into stats values ('a', '2025-01-01', 5, null), ('a', '2025-01-02', 8, null)");
  help_write(s, refresh, set);
  assert_string_equal(help_text(s, &a, "select * from trend_week"), "a|2024-12-30|8\n");
  help_exec(s, "update trend_week set x = 99"); /* to see whether it is computed again */
  help_write(s, ensure, set);
  assert_string_equal(help_text(s, &a, "select x from trend_week"), "99\n");
  registry_release(set);
  set = help_good_set(
      "[" STATS "," ROLLUP("\"week\",\"year\"", M("avg(stars)", "x")) "]"); /* another type, too */
  help_write(s, ensure, set);
  assert_string_equal(help_text(s, &a, "select * from trend_week"), "a|2024-12-30|6.5\n");
  assert_string_equal(help_text(s, &a, "select * from trend_year"), "a|2025-01-01|6.5\n");
  registry_release(set);
  set = help_good_set("[" STATS "]");
  help_write(s, ensure, set);
  assert_string_equal(help_text(s, &a, "select name from sqlite_schema where name like '%trend%'"),
                      "");
  assert_string_equal(help_text(s, &a, "select count(*) from dts_rolled"), "0\n");
  help_exec(s, "insert into stats values ('b', '2025-01-01', 5, null)");
  store_close(s);
  registry_release(set);
  arena_free(&a);
}

/* A new roll-up over rows that are there is what one has become that saw them come. */
static void made_at_once_or_row_by_row(void **state) {
  (void)state;
  arena a = {0};
#define SET                                                                                        \
  "[" STATS "," ROLLUP("\"week\",\"year\"", M("median(stars)", "md") "," M(                        \
                                                "last(note)", "l") "," M("count(*)", "n")) "]"
  static const char rows[] =
      "with recursive n(i) as (select 0 union all select i + 1 from n where i < 999) insert into "
      "stats select 'r' || (i % 7), add_days('2024-11-01', i), (i * 37) % 101, case when i % 3 "
      "then "
      "'n' || i end from n";
  static const char all[] = "select * from trend_week union all select * from trend_year";
  registry *set = help_good_set(SET);
  const char *texts[2];
  for (int late = 0; late < 2; late++) {
    store *s = help_store();
    registry *none = help_good_set("[" STATS "]");
    help_write(s, ensure, late ? none : set);
    help_exec(s, rows);
    if (late)
      help_write(s, ensure, set);
    else
      help_write(s, refresh, set);
    assert_string_equal(help_text(s, &a, "select count(*) from \"dts_dirty.trend\""), "0\n");
    texts[late] = help_text(s, &a, all);
    store_close(s);
    registry_release(none);
  }
  assert_true(strlen(texts[0]) > 10000);
  assert_string_equal(texts[0], texts[1]);
  registry_release(set);
  arena_free(&a);
}

static void columns_may_be_written_with_their_table(void **state) {
  (void)state;
  arena a = {0};
  registry *set = help_good_set(
      "[" STATS
      ",{\"noun\":\"rollup\",\"name\":\"trend\",\"from\":\"stats\",\"time\":\"date\",\"by\":"
      "[{\"expr\":\"upper(Stats.repo)\",\"name\":\"r\"}],\"every\":[\"month\"],\"where\":"
      "\"stats.stars > 1\",\"measures\":[" M("sum(stats.stars)", "x") "]}]");
  store *s = help_store();
  help_write(s, ensure, set);
  help_exec(s,
            "insert into stats values ('a', '2025-02-28', 5, null), ('a', '2025-02-27', 1, null)");
  help_write(s, refresh, set);
  assert_string_equal(help_text(s, &a, "select * from trend_month"), "A|2025-02-01|5\n");
  store_close(s);
  registry_release(set);
  arena_free(&a);
}

static void what_a_crash_left_noted_is_done_at_the_start(void **state) {
  (void)state;
  arena a = {0};
  registry *set = help_good_set("[" STATS "," ROLLUP("\"month\"", M("sum(stars)", "x")) "]");
  store *s = help_store();
  help_write(s, ensure, set);
  help_exec(s, "insert into stats values ('a', '2025-02-28', 5, null)");
  help_write(s, ensure, set);
  assert_string_equal(help_text(s, &a, "select * from trend_month"), "a|2025-02-01|5\n");
  store_close(s);
  registry_release(set);
  arena_free(&a);
}

static void roll_ups_of_roll_ups(void **state) {
  (void)state;
  arena a = {0};
  registry *set =
      help_good_set(/* declared in the wrong order, and one named without its period */
                    "[{\"noun\":\"rollup\",\"name\":\"total\",\"from\":\"trend\",\"time\":"
                    "\"period\",\"by\":[],\"every\":[\"year\"],"
                    "\"measures\":[" M("sum(gained)", "gained") "," M(
                        "count(*)", "n") "]}," STATS
                                         "," ROLLUP("\"week\"", M("change(stars)", "gained")) "]");
  store *s = help_store();
  help_write(s, ensure, set);
  help_exec(s,
            "insert into stats values ('a', '2025-01-06', 5, null), ('a', '2025-01-13', 9, null),"
            "('b', '2025-01-06', 1, null), ('b', '2025-01-20', 4, null)");
  help_write(s, refresh, set);
  assert_string_equal(help_text(s, &a, "select * from total_year"), "2025-01-01|7|4\n");
  help_exec(
      s,
      "insert into stats values ('b', '2024-01-06', 0, null)"); /* late: b's first week gains 1 */
  help_write(s, refresh, set);
  assert_string_equal(help_text(s, &a, "select * from total_year"),
                      "2024-01-01|null|1\n2025-01-01|8|4\n");
  store_close(s);
  registry_release(set);
  arena_free(&a);
}

static void a_roll_up_that_fails_leaves_the_others_alone(void **state) {
  (void)state;
  arena a = {0};
  registry *set = help_good_set("[" STATS "," ROLLUP(
      "\"week\"",
      M("quantile(stars, stars)", "q")) ","
                                        "{\"noun\":\"rollup\",\"name\":\"good\",\"from\":\"stats\","
                                        "\"time\":\"date\",\"by\":[],\"every\":[\"week\"],"
                                        "\"measures\":[" M("count(*)", "n") "]}]");
  store *s = help_store();
  help_write(s, ensure, set);
  help_exec(s, "insert into stats values ('a', '2025-01-06', 5, null)");
  help_write(s, refresh, set);
  assert_string_equal(help_text(s, &a, "select n from good_week"), "1\n");
  assert_string_equal(help_text(s, &a, "select count(*) from trend_week"), "0\n");
  assert_string_equal(help_text(s, &a, "select count(*) from \"dts_dirty.trend\""),
                      "1\n"); /* kept for later */
  store_close(s);
  registry_release(set);
  arena_free(&a);
}

/* ---- declarations ---- */

static void types_are_read_from_the_text(void **state) {
  (void)state;
  static const struct {
    const char *expr, *type;
  } cases[] = {
      {"count(*)", "integer"},
      {"count(distinct note)", "integer"},
      {"sum(stars)", "integer"},
      {"avg(stars)", "real"},
      {"max(date)", "date"},
      {"last(note)", "text"},
      {"sum(stars) * 100.0 / count(*)", "real"},
      {"sum(stars) / count(*)", "integer"},
      {"max(stars) - min(stars)", "integer"},
      {"round(avg(stars), 2)", "real"},
      {"cast(sum(stars) as real)", "real"},
      {"case when count(*) > 3 then max(stars) else null end", "integer"},
      {"max(stars) > 5 and not min(stars) in (1, 2)", "boolean"},
      {"coalesce(last(stars), 0)", "integer"},
      {"'x' || last(note)", "text"},
      {"max(max(stars), 7)", NULL}, /* an aggregate inside a function of two: below */
      {"sum(case when note like 'a%' then stars else 0.5 end)", "real"},
      {"change(stars) / count(*)", "integer"},
      {"-sum(stars)", "integer"},
      {"sum(stats.stars) + last(\\\"stars\\\")", "integer"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    arena a = {0};
    registry *set = help_good_set(
        arena_format(&a, "[" STATS "," ROLLUP("\"week\"", M("%s", "x")) "]", cases[i].expr));
    const table *t = registry_table(set, "trend_week");
    const char *type = column_type_name(table_find(t, "x", NULL)->type);
    assert_string_equal(type, cases[i].type ? cases[i].type : "integer");
    store *s = help_store(); /* and the store takes its SQL */
    help_write(s, ensure, set);
    store_close(s);
    registry_release(set);
    arena_free(&a);
  }
}

static void what_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *rollup, *message, *hint;
  } cases[] = {
      {ROLLUP("\"week\"", M("stars", "x")),
       "'stars': a period has many rows, and 'stars' does not say which",
       "write last(stars), max(stars) or another aggregate"},
      {ROLLUP("\"week\"", M("sum(strs)", "x")), "'sum(strs)': table 'stats' has no column 'strs'",
       "did you mean 'stars'?"},
      {ROLLUP("\"weeks\"", M("sum(stars)", "x")),
       "roll-up 'trend': every names \"weeks\": minute, hour, day, week, month, quarter or year "
       "expected",
       "did you mean 'week'?"},
      {ROLLUP("\"hour\"", M("sum(stars)", "x")),
       "roll-up 'trend': 'date' is a date, so there is nothing by the hour", ""},
      {ROLLUP("\"week\"", M("sum(stars)) from dts_key --", "x")),
       "'sum(stars)) from dts_key --': the end expected, got \")\"", ""},
      {ROLLUP("\"week\"", M("(select max(hash) from dts_key)", "x")),
       "'(select max(hash) from dts_key)': a roll-up reads one table, so no select here", ""},
      {ROLLUP("\"week\"", M("meadian(stars)", "x")),
       "'meadian(stars)': a roll-up cannot use the function 'meadian'", "did you mean 'median'?"},
      {ROLLUP("\"week\"", M("1 + 1", "x")),
       "roll-up 'trend': the measure '1 + 1' sums nothing up: count(*), sum(x), last(x) .. "
       "expected",
       ""},
      {"{\"noun\":\"rollup\",\"name\":\"t\",\"from\":\"stat\",\"time\":\"date\",\"by\":[],"
       "\"every\":[\"week\"],\"measures\":[]}",
       "roll-up 't': there is no table named 'stat'",
       "from names a dts.table, or a table of another roll-up"},
      {"{\"noun\":\"rollup\",\"name\":\"t\",\"from\":\"stats\",\"time\":\"note\",\"by\":[],"
       "\"every\":[\"week\"],\"measures\":[]}",
       "roll-up 't': time is the column 'note', a text: a date or timestamp expected", ""},
      {"{\"noun\":\"rollup\",\"name\":\"t\",\"from\":\"t_week\",\"time\":\"period\",\"by\":[],"
       "\"every\":[\"week\"],"
       "\"measures\":[]}",
       "roll-ups are made in a circle: 't' from 't'", ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    arena a = {0};
    dts_error e = {0};
    assert_null(help_set(arena_format(&a, "[" STATS ",%s]", cases[i].rollup), &e));
    assert_string_equal(e.message, cases[i].message);
    assert_string_equal(e.hint, cases[i].hint);
    assert_string_equal(e.where, "pipelines/x.lua:2");
    arena_free(&a);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(weeks_of_real_rankings),
      cmocka_unit_test(a_row_written_again_notes_nothing),
      cmocka_unit_test(a_changed_declaration_recomputes_all),
      cmocka_unit_test(made_at_once_or_row_by_row),
      cmocka_unit_test(what_a_crash_left_noted_is_done_at_the_start),
      cmocka_unit_test(roll_ups_of_roll_ups),
      cmocka_unit_test(columns_may_be_written_with_their_table),
      cmocka_unit_test(a_roll_up_that_fails_leaves_the_others_alone),
      cmocka_unit_test(types_are_read_from_the_text),
      cmocka_unit_test(what_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
