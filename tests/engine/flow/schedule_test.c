/* schedule_test.c -- when pipelines fire, under a clock of the test's own.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/clock_help.h"

static void a_schedule_fires_at_its_times(void **state) {
  (void)state;
  bench *b = begin("dts.table { name = 'w', columns = { 'date text', 'f text', 't text' } }\n"
                   "dts.pipeline { name = 'p', schedule = '30 6 * * *', timezone = "
                   "'America/Sao_Paulo', run = function(ctx)\n"
                   "  ctx:put('w', { date = ctx.date, f = ctx.window.from, t = ctx.window.to })\n"
                   "end }\n",
                   NOW);
  bench_expect(b, "select count(*) from dts_firing", "0\n"); /* a new schedule counts from now */
  bench_advance(b, 48 * HOUR);
  bench_expect(b, FIRED, "2026-03-11T09:30|2026-03-11\n2026-03-12T09:30|2026-03-12\n");
  bench_expect(b, "select date, f, t from w",
               "2026-03-11|null|2026-03-11T09:30:00.000Z\n2026-03-12|2026-03-11T09:30:00.000Z|2026-"
               "03-12T09:30:00.000Z\n");
  bench_invariants(b);
  bench_close(b);
}

static void the_date_is_the_zone_s(void **state) {
  (void)state;
  bench *b = begin("dts.pipeline { name = 'p', schedule = '0 22 * * *', timezone = "
                   "'America/Sao_Paulo', run = function() end }\n",
                   NOW);
  bench_advance(b, 24 * HOUR);
  bench_expect(b, FIRED, "2026-03-11T01:00|2026-03-10\n");
  bench_close(b);
}

static void every_counts_from_the_epoch(void **state) {
  (void)state;
  bench *b =
      begin("dts.pipeline { name = 'p', every = '15m', run = function() end }\n", NOW + 7 * MINUTE);
  bench_advance(b, HOUR);
  bench_expect(b, FIRED,
               "2026-03-10T13:15|2026-03-10\n2026-03-10T13:30|2026-03-10\n2026-03-10T13:45|2026-03-"
               "10\n2026-03-10T14:00|2026-03-10\n");
  bench_close(b);
}

/* ---- an engine that was away: the mark of what was considered lies back ---- */

static void missed_firings_are_made_up_as_said(void **state) {
  (void)state;
  bench *b =
      begin("dts.pipeline { name = 'latest', schedule = '0 * * * *', run = function() end }\n"
            "dts.pipeline { name = 'all', schedule = '0 * * * *', missed = 'all', run = function() "
            "end }\n"
            "dts.pipeline { name = 'none', schedule = '0 * * * *', missed = 'none', run = "
            "function() end }\n",
            NOW + 30 * MINUTE);
  miss(b, 4 * HOUR);
  bench_expect(b,
               "select pipeline, strftime('%H', fire_time / 1000, 'unixepoch') from dts_firing "
               "order by pipeline desc, fire_time",
               "latest|13\nall|10\nall|11\nall|12\nall|13\n");
  bench_expect(b, "select count(*) from dts_job where state = 'done'", "5\n");
  bench_advance(b, HOUR); /* and then as ever */
  bench_expect(b, "select pipeline, count(*) from dts_firing group by 1 order by 1",
               "all|5\nlatest|2\nnone|1\n");
  bench_invariants(b);
  bench_close(b);
}

static void an_edited_schedule_counts_from_now(void **state) {
  (void)state;
  bench *b = begin(
      "dts.pipeline { name = 'p', schedule = '0 * * * *', missed = 'all', run = function() end }\n",
      NOW + 30 * MINUTE);
  bench_script(b, "x",
               "dts.pipeline { name = 'p', schedule = '0,15,30,45 * * * *', missed = 'all', run = "
               "function() end }\n");
  miss(b, 4 * HOUR);
  bench_expect(b, "select count(*) from dts_firing", "0\n");
  bench_advance(b, 15 * MINUTE);
  bench_expect(b, FIRED, "2026-03-10T13:45|2026-03-10\n");
  bench_close(b);
}

/* ---- overlap ---- */

#define SLOW(name, overlap)                                                                        \
  "dts.pipeline { name = '" name "', every = '1m', overlap = '" overlap "', run = function(ctx)\n" \
  "  ctx:step('begun', function() ctx:put('seen', { name = '" name                                 \
  "', at = dts.now(), what = 'begun', fired = ctx.window.to }) end)\n"                             \
  "  ctx:sleep('150s')\n"                                                                          \
  "  ctx:put('seen', { name = '" name                                                              \
  "', at = dts.now(), what = 'ended', fired = ctx.window.to })\n"                                  \
  "end }\n"

static void firings_overlap_as_said(void **state) {
  (void)state;
  bench *b = begin("dts.table { name = 'seen', columns = { 'name text', 'at timestamp', 'what "
                   "text', 'fired text' } }\n" SLOW("skips", "skip") SLOW("queues", "queue"),
                   NOW + MINUTE / 2);
  bench_advance(b, 10 * MINUTE);
  bench_expect(b,
               "select strftime('%M', fire_time / 1000, 'unixepoch') from dts_firing where "
               "pipeline = 'skips' order by id",
               "01\n04\n07\n10\n");
  bench_expect(b, "select count(*) from dts_firing where pipeline = 'queues'", "10\n");
  bench_expect(b,
               "select substr(at, 15, 5), what, substr(fired, 15, 2) from seen where name = "
               "'queues' order by rowid",
               "01:00|begun|01\n03:30|ended|01\n03:30|begun|02\n06:00|ended|02\n06:00|begun|03\n08:"
               "30|ended|03\n08:30|begun|04\n"); /* one after the other */
  bench_invariants(b);
  bench_close(b);
}

/* ---- two schedulers ---- */

static void two_schedulers_fire_once(void **state) {
  (void)state;
  bench *b = begin("dts.pipeline { name = 'p', every = '1m', run = function() end }\n", NOW);
  scheduler *second = scheduler_open(b->kernel);
  scheduler_start(second);
  bench_advance(b, 30 * MINUTE);
  bench_expect(b, "select count(*), count(distinct fire_time) from dts_firing", "30|30\n");
  bench_expect(b, "select count(*) from dts_job", "30\n");
  scheduler_close(second);
  bench_invariants(b);
  bench_close(b);
}

/* ---- summer time ---- */

static void hours_that_are_missing_and_hours_that_come_twice(void **state) {
  (void)state;
  static const char pipelines[] = "dts.pipeline { name = 'named', schedule = '30 2 * * *', "
                                  "timezone = 'Europe/Berlin', run = function() end }\n"
                                  "dts.pipeline { name = 'real', schedule = '30 */1 * * *', "
                                  "timezone = 'Europe/Berlin', run = function() end }\n";
  static const char utc[] = "select strftime('%d %H:%M', fire_time / 1000, 'unixepoch') from "
                            "dts_firing where pipeline = 'named' order by id";
  bench *b =
      begin(pipelines, 1774656000000); /* 2026-03-28T00:00Z; on the 29th 02:00 becomes 03:00 */
  bench_advance(b, 72 * HOUR);
  bench_expect(b, utc, "28 01:30\n29 01:00\n30 00:30\n"); /* at the next valid minute, 03:00 */
  bench_expect(b, "select count(*) from dts_firing where pipeline = 'real'", "72\n");
  bench_close(b);
  b = begin(pipelines, 1792800000000); /* 2026-10-24T00:00Z; on the 25th 03:00 becomes 02:00 */
  bench_advance(b, 72 * HOUR);
  bench_expect(b, utc, "24 00:30\n25 00:30\n26 01:30\n"); /* the first of the two */
  bench_expect(b, "select count(*) from dts_firing where pipeline = 'real'", "72\n");
  bench_close(b);
}

static void what_comes_next_is_told(void **state) {
  (void)state;
  bench *b = begin("dts.pipeline { name = 'p', schedule = '30 2 * * *', timezone = "
                   "'Europe/Berlin', run = function() end }\n",
                   1774656000000);
  const bench_answer *next = bench_ask(b, "{\"name\":\"next\",\"pipeline\":\"p\",\"count\":3}");
  assert_int_equal(next->answer.list.count, 3);
  assert_int_equal(value_get_integer(&next->answer.list.items[1], "at_ms", 0),
                   1774746000000); /* 29th 01:00Z */
  assert_string_equal(value_get_text(&next->answer.list.items[1], "note", ""),
                      "moved: its own time is missing that day");
  assert_string_equal(value_get_text(&next->answer.list.items[1], "utc", ""),
                      "2026-03-29T01:00:00.000Z");
  assert_string_equal(value_get_text(&next->answer.list.items[1], "local", ""),
                      "2026-03-29T03:00:00+02:00");
  next = bench_ask(b, "{\"name\":\"next\",\"pipeline\":\"q\"}");
  assert_string_equal(next->error.code, "PIPELINE");
  bench_close(b);
}

static void odd_times_are_marked(void **state) {
  (void)state;
  bench *b = begin("dts.pipeline { name = 'named', schedule = '30 2 * * *', timezone = "
                   "'Europe/Berlin', run = function() end }\n"
                   "dts.pipeline { name = 'real', schedule = '30 * * * *', timezone = "
                   "'Europe/Berlin', run = function() end }\n"
                   "dts.pipeline { name = 'steady', every = '6h', jitter = '10m', timezone = "
                   "'Europe/Berlin', run = function() end }\n",
                   1792882800000); /* 2026-10-24T23:00Z; at 01:00Z 03:00 becomes 02:00 */
  static const char *const expected[][4] = {
      {"named", "2026-10-25T02:30:00+02:00", "its time comes twice that day: this is the first",
       "2026-10-26T02:30:00+01:00"},
      {"real", "2026-10-25T01:30:00+02:00", "", "2026-10-25T02:30:00+02:00"},
      {"steady", "2026-10-25T02:00:00+02:00", "", "2026-10-25T07:00:00+01:00"}};
  static const char *const second[] = {"the clock goes back 1 h before it",
                                       "its time comes twice that day: this is the first",
                                       "the clock goes back 1 h before it"};
  for (size_t i = 0; i < 3; i++) {
    const bench_answer *next = bench_ask(
        b, arena_format(&b->memory, "{\"name\":\"next\",\"pipeline\":\"%s\"}", expected[i][0]));
    const value *list = next->answer.list.items;
    assert_string_equal(value_get_text(&list[0], "local", ""), expected[i][1]);
    assert_string_equal(value_get_text(&list[0], "note", ""), expected[i][2]);
    assert_string_equal(value_get_text(&list[1], "local", ""), expected[i][3]);
    assert_string_equal(value_get_text(&list[1], "note", ""), second[i]);
    if (i == 1)
      assert_string_equal(value_get_text(&list[2], "note", ""),
                          "its time comes twice that day: this is the second");
    assert_int_equal(value_get_integer(&list[0], "jitter_ms", 0) > 0, i == 2);
  }
  bench_close(b);
}

/* A firing by hand that is still open holds a scheduled one back, and lets it go once it has ended. */
static void nothing_stays_open_for_ever(void **state) {
  (void)state;
  bench *b = begin("dts.pipeline { name = 'p', schedule = '0 * * * *', params = { n = 'integer = "
                   "1' }, run = function() end }\n",
                   NOW + 30 * MINUTE);
  bench_ask(b, "{\"name\":\"enqueue\",\"pipeline\":\"p\",\"key\":\"k\",\"delay_ms\":600000000}");
  bench_ask(
      b,
      "{\"name\":\"enqueue\",\"pipeline\":\"p\",\"key\":\"k\",\"delay_ms\":600000000}"); /* the same job */
  bench_expect(b, "select count(*) from dts_firing", "1\n");
  bench_ask(b, "{\"name\":\"cancel\",\"job\":1}");
  bench_advance(b, HOUR);
  bench_expect(b, FIRED, "2026-03-10T14:00|2026-03-10\n");
  bench_invariants(b);
  bench_close(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_schedule_fires_at_its_times),
      cmocka_unit_test(the_date_is_the_zone_s),
      cmocka_unit_test(every_counts_from_the_epoch),
      cmocka_unit_test(missed_firings_are_made_up_as_said),
      cmocka_unit_test(an_edited_schedule_counts_from_now),
      cmocka_unit_test(firings_overlap_as_said),
      cmocka_unit_test(two_schedulers_fire_once),
      cmocka_unit_test(hours_that_are_missing_and_hours_that_come_twice),
      cmocka_unit_test(what_comes_next_is_told),
      cmocka_unit_test(odd_times_are_marked),
      cmocka_unit_test(nothing_stays_open_for_ever),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
