/* gaps_keys_test.c -- the keys of a gaps pipeline in every form, and what a plan says of each.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/kernel_help.h"

#define NOW 1773147600000 /* 2026-03-10T13:00Z, a Tuesday */
#define QUOTES                                                                                     \
  "dts.table { name = 'q', key = { 'k', 'day' }, columns = { 'k text', 'day date', 'v real' } }\n"

static const value *series_at(const bench_answer *a, size_t i) {
  return &value_get(&a->answer, "series")->list.items[i];
}

static void expect_plan(bench *b, const char *name, size_t i, const char *label, int64_t wanted,
                        const char *days) {
  char command[128];
  snprintf(command, sizeof command, "{\"name\":\"plan\",\"pipeline\":\"%s\"}", name);
  const value *s = series_at(bench_ask(b, command), i);
  assert_string_equal(value_get_text(s, "key", ""), label);
  assert_int_equal(value_get_integer(s, "wanted", -1), wanted);
  assert_string_equal(value_get_text(s, "calendar", ""), days);
}

/* A key is the same in whatever order and type it is written; a row of SQL may bring settings. */
static void keys_are_typed_and_each_is_once(void **state) {
  (void)state;
  bench *b = bench_with(
      "dts.table { name = 'n', key = { 'id', 'day' }, columns = { 'id integer', 'day date', 'v "
      "real' } }\n"
      "dts.table { name = 'm', key = { 'a', 'b', 'day' }, columns = { 'a text', 'b integer', 'day "
      "date' } }\n"
      "local function run(ctx, span) dts.log(dts.json.encode(span.key) .. (span.with.unit or '')) "
      "end\n"
      "local function gaps(into, keys) return { table = into, keys = keys, since = '2026-01-01', "
      "to "
      "= '2026-01-05' } end\n"
      "dts.pipeline { name = 'list', gaps = gaps('n', { 1, '2' }), run = run }\n"
      "dts.pipeline { name = 'sql', gaps = gaps('n', 'select 7 as id union all select 7'), run = "
      "run "
      "}\n"
      "dts.pipeline { name = 'two', gaps = gaps('m', { { b = 1, a = 'x' }, { a = 'y', b = 2, since "
      "= '2026-01-04', unit = 'R$' } }), run = run }\n"
      "dts.pipeline { name = 'own', gaps = gaps('n', \"select 7 as id, 'NYSE' as calendar\"), run "
      "= "
      "run }\n");
  expect_plan(b, "list", 1, "2", 5, "daily");
  expect_plan(b, "sql", 0, "7", 5, "daily");
  expect_plan(b, "two", 0, "{\"a\":\"x\",\"b\":1}", 5, "daily");
  expect_plan(b, "two", 1, "{\"a\":\"y\",\"b\":2}", 2, "daily");
  expect_plan(b, "own", 0, "7", 2, "NYSE");
  bench_run(b, "sql");
  bench_run(b, "list");
  bench_run(b, "two");
  bench_expect(b, "select message from dts_log order by message",
               "1\n2\n7\n{\"a\":\"x\",\"b\":1}\n{\"a\":\"y\",\"b\":2}R$\n");
  bench_invariants(b);
  bench_close(b);
}

static void expect_refused(bench *b, const char *name, const char *message) {
  char command[128];
  snprintf(command, sizeof command, "{\"name\":\"plan\",\"pipeline\":\"%s\"}", name);
  const bench_answer *a = bench_ask(b, command);
  assert_true(*a->error.code);
  assert_string_equal(a->error.message, message);
}

static void keys_that_cannot_be_are_refused(void **state) {
  (void)state;
  bench *b = bench_with(
      "dts.table { name = 'm', key = { 'a', 'b', 'day' }, columns = { 'a text', 'b integer', 'day "
      "date' } }\n"
      "local function p(name, since, keys) dts.pipeline { name = name, gaps = { table = 'm', keys "
      "= "
      "keys, since = since, to = '2026-01-05' }, run = function() end } end\n"
      "p('null', '2026-01-01', \"select 'x' as a, null as b\")\n"
      "p('short', '2026-01-01', \"select 'x' as a\")\n"
      "p('differ', '2026-01-01', \"select 'x' as a, 1 as b, 1 as c union all select 'x', 1, 2\")\n"
      "p('named', '2026-01-01', \"select 'x' as a, 1 as b, 'NYES' as calendar\")\n"
      "p('day', '2026-01-01', \"select 'x' as a, 1 as b, '1/2/2026' as since\")\n"
      "p('far', '0001-01-01', { { a = 'x', b = 1 } })\n");
  expect_refused(b, "null",
                 "each of gaps.keys must give all columns of the key of 'm' but day: 'b' is "
                 "missing in {\"a\":\"x\",\"b\":null}");
  expect_refused(b, "short",
                 "each of gaps.keys must give all columns of the key of 'm' but day: 'b' is "
                 "missing in {\"a\":\"x\"}");
  expect_refused(b, "differ",
                 "gaps.keys: two rows give the key {\"a\":\"x\",\"b\":1}, with different settings");
  expect_refused(b, "named", "there is no calendar 'NYES'");
  expect_refused(b, "day", "gaps.keys: 'since' must be a date YYYY-MM-DD, got \"1/2/2026\"");
  expect_refused(b, "far", "'{\"a\":\"x\",\"b\":1}' of 'far' expects more than 200000 dates");
  bench_close(b);
}

/* A comment at the end of either SQL ends with it. */
static void comments_in_sql_are_comments(void **state) {
  (void)state;
  bench *b = bench_with(
      QUOTES
      "dts.pipeline { name = 'p', gaps = { table = 'q', complete = 'v > 0 -- counts', since = "
      "'2026-01-01', to = '2026-01-05', keys = \"select 'A' as k -- all\" }, run = function() end "
      "}\n");
  expect_plan(b, "p", 0, "A", 5, "daily");
  bench_close(b);
}

/* A series by Sundays under the calendar of Mondays: its rows are counted, not silently passed over. */
static void rows_outside_the_calendar_are_told(void **state) {
  (void)state;
  bench *b = bench_with(
      QUOTES
      "dts.pipeline { name = 'p', gaps = { table = 'q', calendar = 'week', since = '2026-01-01', "
      "to "
      "= '2026-01-31', keys = { 'A' } }, run = function() end }\n"
      "dts.pipeline { name = 's', gaps = { table = 'q', calendar = 'sunday', since = '2026-01-01', "
      "to = '2026-01-31', keys = { 'A' } }, run = function() end }\n"
      "dts.pipeline { name = 'some', run = function(ctx) for _, d in ipairs { '04', '11', '25' } "
      "do ctx:put('q', { k = 'A', day = '2026-01-' .. d, v = 1 }) end end }\n");
  bench_run(b, "some");
  const value *mondays = series_at(bench_ask(b, "{\"name\":\"plan\",\"pipeline\":\"p\"}"), 0);
  assert_int_equal(value_get_integer(mondays, "present", -1), 0);
  assert_int_equal(value_get_integer(mondays, "strays", -1), 3);
  assert_string_equal(value_get_text(mondays, "first_stray", ""), "2026-01-04");
  const value *sundays = series_at(bench_ask(b, "{\"name\":\"plan\",\"pipeline\":\"s\"}"), 0);
  assert_int_equal(value_get_integer(sundays, "present", -1), 3);
  assert_int_equal(value_get_integer(sundays, "missing", -1), 1);
  assert_null(value_get(sundays, "strays"));
  bench_close(b);
}

/* wanted = present + missing + absent + aside, whatever is read again. */
static void a_plan_adds_up(void **state) {
  (void)state;
  bench *b = bench_new();
  bench_script(
      b, "x",
      QUOTES "dts.pipeline { name = 'p', schedule = '0 20 * * *', retry = 0, gaps = { table = 'q', "
             "since = '2026-03-01', refresh = '3d', keys = { 'A' } },\n"
             "  run = function(ctx, span) for _, d in ipairs(span.dates) do if d ~= '2026-03-04' "
             "then ctx:put('q', { k = 'A', day = d, v = 1 }) end end end }\n");
  bench_virtual(b, NOW);
  bench_run(b, "p");
  const value *s = series_at(bench_ask(b, "{\"name\":\"plan\",\"pipeline\":\"p\"}"), 0);
  assert_int_equal(value_get_integer(s, "wanted", -1), 9);
  assert_int_equal(value_get_integer(s, "present", -1), 8);
  assert_int_equal(value_get_integer(s, "missing", -1), 0);
  assert_int_equal(value_get_integer(s, "again", -1), 3);
  assert_int_equal(value_get_integer(s, "aside", -1), 1);
  assert_int_equal(value_get_integer(s, "requests", -1), 1);
  bench_close(b);
}

#define KEYED(name, keys)                                                                          \
  "dts.pipeline { name = '" name "', retry = 5, gaps = { table = 'q', since = '2020-03-01', to = " \
  "'2020-03-02', keys = " keys " }, run = function() end }\n"
#define SHOWN "select pipeline, key, state, count(*) from dts_gaps group by 1, 2, 3 order by 1, 2"

static void load_again(bench *b, const char *text) {
  bench_stop(b);
  bench_script(b, "x", text);
  bench_open(b);
  bench_faults(b);
}

#define DAYS_OF(calendar, since)                                                                   \
  QUOTES                                                                                           \
  "dts.pipeline { name = 'p', gaps = { table = 'q', calendar = '" calendar "', since = '" since    \
  "', to = '2026-03-08', keys = { 'A' } }, run = function(ctx, span) for _, d in "                 \
  "ipairs(span.dates) do if dts.date.weekday(d) < 4 then ctx:put('q', { k = 'A', day = d, v = 1 "  \
  "}) end end end }\n"

/* An edit of calendar or range: what was tried and is expected no more is not missing for ever. */
static void dates_expected_no_more_are_forgotten(void **state) {
  (void)state;
  bench *b = bench_new();
  bench_script(b, "x", DAYS_OF("daily", "2026-03-01"));
  bench_open(b);
  bench_run(b, "p");
  bench_expect(b, SHOWN, "p|A|filled|3\np|A|retrying|5\n");
  load_again(b, DAYS_OF("weekdays", "2026-03-01"));
  bench_run(b, "p");
  bench_expect(b, "select date, attempts from dts_gaps where state = 'retrying' order by 1",
               "2026-03-05|2\n2026-03-06|2\n");
  load_again(b, DAYS_OF("weekdays", "2026-03-06"));
  bench_run(b, "p");
  bench_expect(b, SHOWN, "p|A|filled|3\np|A|retrying|1\n");
  bench_close(b);
}

/* Their rows stay, and are open again when the key is declared again; SQL is asked at each plan. */
static void keys_that_are_gone_have_no_open_dates(void **state) {
  (void)state;
  static const char names[] =
      "dts.table { name = 'names', key = { 'id' }, columns = { 'id text' } }\n"
      "dts.pipeline { name = 'on', run = function(ctx) ctx:put('names', { { id = 'C' }, { id = 'D' "
      "} }) end }\n"
      "dts.pipeline { name = 'off', run = function(ctx) ctx:delete('names', { id = 'D' }) end }\n";
  bench *b = bench_new();
  arena *a = &b->memory;
  const char *base = arena_format(a, "%s%s", QUOTES, names);
  const char *by_sql = KEYED("s", "'select id as k from names'");
  const char *both = arena_format(a, "%s%s%s", base, by_sql, KEYED("p", "{ 'A', \"it's\" }"));
  bench_script(b, "x", both);
  bench_open(b);
  bench_run(b, "on");
  bench_run(b, "p");
  bench_run(b, "s");
  bench_expect(b, SHOWN, "p|A|retrying|2\np|it's|retrying|2\ns|C|retrying|2\ns|D|retrying|2\n");
  load_again(b, arena_format(a, "%s%s%s", base, by_sql, KEYED("p", "{ 'A' }")));
  bench_expect(b, SHOWN, "p|A|retrying|2\np|it's|dropped|2\ns|C|retrying|2\ns|D|retrying|2\n");
  bench_run(b, "off");
  bench_run(b, "s");
  bench_expect(b, SHOWN, "p|A|retrying|2\np|it's|dropped|2\ns|C|retrying|2\ns|D|dropped|2\n");
  load_again(b, arena_format(a, "%s%s", base, by_sql));
  bench_expect(b, "select count(*) from dts_gaps where pipeline = 'p' and state <> 'dropped'",
               "0\n");
  load_again(b, both);
  bench_expect(b, SHOWN, "p|A|retrying|2\np|it's|retrying|2\ns|C|retrying|2\ns|D|dropped|2\n");
  bench_invariants(b);
  bench_close(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keys_are_typed_and_each_is_once),
      cmocka_unit_test(keys_that_cannot_be_are_refused),
      cmocka_unit_test(dates_expected_no_more_are_forgotten),
      cmocka_unit_test(comments_in_sql_are_comments),
      cmocka_unit_test(rows_outside_the_calendar_are_told),
      cmocka_unit_test(a_plan_adds_up),
      cmocka_unit_test(keys_that_are_gone_have_no_open_dates),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
