/* What of roll-ups outlives their source's rows, and what is told of one that rows have broken.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/flow_help.h"

#include "flow/kernel/retention.h"
#include "flow/rollups/rollups.h"
#include "flow/rollups/views.h"
#include "format/date.h"

#define TABLE                                                                                      \
  "{\"noun\":\"table\",\"name\":\"m\",\"key\":[\"k\",\"d\"],\"keep_ms\":2592000000,\"columns\":["  \
  "{\"name\":\"k\",\"type\":\"text\"},{\"name\":\"d\",\"type\":\"date\"},"                         \
  "{\"name\":\"v\",\"type\":\"integer\"},{\"name\":\"seen\",\"type\":\"date\"}]}"
#define ROLLUP(name, from, time, every, measures)                                                  \
  ",{\"noun\":\"rollup\",\"name\":\"" name "\",\"from\":\"" from "\",\"time\":\"" time             \
  "\",\"by\":[{\"expr\":\"k\",\"name\":\"k\"}],\"every\":[" every "],\"measures\":[" measures "]}"
#define M(expr, name) "{\"expr\":\"" expr "\",\"name\":\"" name "\"}"

typedef struct world {
  store *store;
  registry *set;
  arena memory;
  int64_t now;
  bool strict;
} world;

static int ensure(store_conn *c, void *arg, dts_error *e) {
  const world *w = arg;
  if (rollups_prepare(c, w->set, e) < 0) return -1;
  for (size_t i = 0; i < w->set->table_count; i++)
    if (store_table_ensure(c, w->set->tables[i], e) < 0) return -1;
  if (rollups_ensure(c, w->set, w->strict, e) < 0) return -1;
  return views_ensure(c, w->set, w->strict, e);
}

static int refresh(store_conn *c, void *arg, dts_error *e) {
  static const char *const moved[] = {"m"};
  const world *w = arg;
  arena a = {0};
  value kept;
  if (rollups_refresh(c, w->set, NULL, e) < 0) return -1;
  assert_int_equal(views_kept(w->set, &a, &kept, e), 0);
  int rc = views_refresh(c, &kept, moved, 1, e);
  arena_free(&a);
  return rc;
}

static int forget(store_conn *c, void *arg, dts_error *e) {
  const world *w = arg;
  value config = value_map();
  bool more;
  return retention_forget(c, w->set, &config, w->now, &more, e);
}

static world world_open(const char *declared) {
  world w = {.store = help_store(), .set = help_good_set(declared)};
  help_write(w.store, ensure, &w);
  return w;
}

static void world_close(world *w) {
  store_close(w->store);
  registry_release(w->set);
  arena_free(&w->memory);
}

static void is(world *w, const char *sql, const char *expected) {
  assert_string_equal(help_text(w->store, &w->memory, sql), expected);
}

/* Days and months by the column that retention goes by; by another; and a roll-up of them. */
static const char kept[] =
    "[" TABLE ROLLUP("r", "m", "d", "\"day\",\"month\"", M("sum(v)", "s") "," M("change(v)", "c"))
        ROLLUP("o", "m", "seen", "\"month\"", M("sum(v)", "s"))
            ROLLUP("y", "r_month", "period", "\"year\"", M("sum(s)", "s")) "]";

/* v is the day of the year; each was seen half a year before. */
static void fill(world *w) {
  help_exec(w->store,
            "with recursive n(i) as (select 0 union all select i + 1 from n where i < 119) "
            "insert into m select 'a', add_days('2026-01-01', i), i + 1, "
            "add_days('2025-07-01', i) from n");
  help_write(w->store, refresh, w);
}

static void rows_go_and_roll_ups_stay(void **state) {
  (void)state;
  world w = world_open(kept);
  int32_t day;
  fill(&w);
  const char *months = "select k, period, s, c from r_month", *years = "select * from y_year",
             *others = "select * from o_month";
  const char *before = help_text(w.store, &w.memory, months);
  const char *year = help_text(w.store, &w.memory, years);
  const char *other = help_text(w.store, &w.memory, others);
  date_make(2026, 4, 20,
            &day); /* rows before March 21 may go: those of whole months, less a week */
  w.now = day * DATE_DAY_MS;
  for (int round = 0; round < 3; round++) {
    help_write(w.store, forget, &w);
    help_write(w.store, refresh, &w);
    is(&w, "select min(d), count(*) from m", "2026-02-22|68\n");
    is(&w, months, before);
    is(&w, years, year);
    is(&w, others, other);
    is(&w, "select count(*) from r_day", "120\n");
  }
  /* A late row of a closed month changes nothing; one of an open month does. */
  help_exec(w.store, "insert into m values ('a', '2026-01-15', 1000, null)");
  help_exec(w.store, "update m set v = 1000 where d = '2026-02-26'");
  help_write(w.store, refresh, &w);
  is(&w, months, before);
  help_exec(w.store, "update m set v = v + 1000 where d = '2026-03-31'");
  help_write(w.store, refresh, &w);
  is(&w, "select period, s, c from r_month where period > '2026-02-15'",
     "2026-03-01|3325|1031\n2026-04-01|3165|-970\n");
  is(&w, "select s from y_year", "8260\n"); /* 120 * 121 / 2 and 1000 */
  world_close(&w);
}

static void what_is_deleted_by_hand_is_gone(void **state) {
  (void)state;
  world w = world_open(kept);
  fill(&w);
  help_exec(w.store, "delete from m where d < '2026-04-01'");
  help_write(w.store, refresh, &w);
  is(&w, "select period, s, c from r_month", "2026-04-01|3165|null\n");
  world_close(&w);
}

static void what_rows_have_broken_is_told(void **state) {
  (void)state;
  world w = world_open("[" TABLE ROLLUP(
      "r", "m", "d", "\"month\"",
      M("sum(v)",
        "s")) ","
              "{\"noun\":\"view\",\"name\":\"kv\",\"keep\":true,\"sql\":\"select sum(v) as "
              "s from m\"}]");
  static const char stale[] = "rollup|r|pipelines/x.lua:2: integer overflow\n"
                              "view|kv|pipelines/x.lua:3: integer overflow\n";
  help_exec(w.store, "insert into m values ('a', '2026-01-01', 1, null)");
  help_write(w.store, refresh, &w);
  is(&w, "select * from dts_stale", "");
  help_exec(w.store, "insert into m values ('a', '2026-01-02', 9223372036854775807, null)");
  help_write(w.store, refresh, &w);
  is(&w, "select * from dts_stale order by 1", stale);
  help_write(w.store, ensure, &w); /* an engine that starts does so all the same */
  w.strict = true;
  help_write(w.store, ensure, &w); /* and an edit of something else is taken */
  is(&w, "select * from dts_stale order by 1", stale);
  is(&w, "select s from r_month union all select s from kv", "1\n1\n");
  help_exec(w.store, "delete from m where v > 1");
  help_write(w.store, refresh, &w);
  is(&w, "select * from dts_stale", "");
  world_close(&w);
}

static void an_edit_that_rows_do_not_bear_is_refused(void **state) {
  (void)state;
  world w = world_open("[" TABLE "]");
  dts_error e = {0};
  help_exec(w.store, "insert into m values ('a', '2026-01-01', 9223372036854775807, null), "
                     "('a', '2026-01-02', 1, null)");
  registry_release(w.set);
  w.set = help_good_set("[" TABLE ROLLUP("r", "m", "d", "\"month\"", M("sum(v)", "s")) "]");
  w.strict = true;
  assert_int_equal(store_write(w.store, ensure, &w, &e), -1);
  assert_string_equal(e.message, "integer overflow");
  assert_string_equal(e.where, "pipelines/x.lua:2");
  w.strict = false; /* but an engine starts */
  help_write(w.store, ensure, &w);
  is(&w, "select name from dts_stale", "r\n");
  world_close(&w);
}

static void a_circle_is_named(void **state) {
  (void)state;
  dts_error e = {0};
  assert_null(help_set("[" TABLE ROLLUP("q", "c_day", "period", "\"day\"", M("count(*)", "n"))
                           ROLLUP("a", "c_day", "period", "\"day\"", M("count(*)", "n"))
                               ROLLUP("b", "a_day", "period", "\"day\"", M("count(*)", "n"))
                                   ROLLUP("c", "b", "period", "\"day\"", M("count(*)", "n")) "]",
                       &e));
  assert_string_equal(e.message, "roll-ups are made in a circle: 'c' from 'b' from 'a' from 'c'");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_go_and_roll_ups_stay),
      cmocka_unit_test(what_is_deleted_by_hand_is_gone),
      cmocka_unit_test(what_rows_have_broken_is_told),
      cmocka_unit_test(an_edit_that_rows_do_not_bear_is_refused),
      cmocka_unit_test(a_circle_is_named),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
