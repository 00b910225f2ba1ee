/* timetable_test.c -- schedules over stops, wrong clocks, edits and faults; what can never be.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/clock_help.h"

#include "flow/kernel/parts.h"

/* ---- an engine that was away: the mark of what was considered lies back ---- */

/* More than one transaction takes: the latest is the latest, and of all none is lost. */
static void a_long_stop_is_made_up_for(void **state) {
  (void)state;
  bench *b =
      begin("dts.pipeline { name = 'latest', every = '1m', run = function() end }\n"
            "dts.pipeline { name = 'none', every = '1m', missed = 'none', run = function() end }\n"
            "dts.pipeline { name = 'rare', schedule = '7 * * * *', run = function() end }\n"
            "dts.pipeline { name = 'all', every = '1m', missed = 'all', run = function() "
            "end }\n",
            NOW + MINUTE / 2);
  miss(b, 1250 * MINUTE);
  bench_advance(b, 1);
  bench_expect(b,
               "select pipeline, count(*), count(distinct fire_time), strftime('%d %H:%M', "
               "max(fire_time) / 1000, 'unixepoch') from dts_firing group by 1 order by 1",
               "all|1250|1250|10 13:00\nlatest|1|1|10 13:00\nnone|1|1|10 13:00\nrare|1|1|10 "
               "12:07\n");
  bench_expect(b, "select count(*) from dts_firing where state = 'open'", "0\n");
  bench_invariants(b);
  bench_close(b);
}

/* The clock stood years ahead, and years behind: no firing comes twice, none is put off for years. */
static void a_clock_that_was_wrong_is_survived(void **state) {
  (void)state;
  static const int64_t years = 9 * 365 * 24 * HOUR;
  bench *b = begin("dts.pipeline { name = 'p', schedule = '0 * * * *', run = function() end }\n",
                   NOW + 30 * MINUTE);
  bench_advance(b, HOUR);
  loop_skip(kernel_loop(b->kernel), years);
  bench_ask(b, "{\"name\":\"reload\"}");
  bench_settle(b);
  bench_expect(b, "select count(*) from dts_firing", "2\n"); /* the latest of those years */
  loop_skip(kernel_loop(b->kernel), -years);
  bench_ask(b, "{\"name\":\"reload\"}");
  bench_advance(b, 2 * HOUR);
  bench_expect(b, "select count(*) from dts_firing", "4\n");
  loop_skip(kernel_loop(b->kernel), -years); /* a machine without a battery starts in its past */
  bench_ask(b, "{\"name\":\"reload\"}");
  bench_settle(b);
  loop_skip(kernel_loop(b->kernel), years);
  bench_ask(b, "{\"name\":\"reload\"}");
  bench_settle(b);
  bench_expect(b, "select count(*) from dts_firing", "4\n"); /* they were made already */
  loop_skip(kernel_loop(b->kernel), -90 * MINUTE);
  bench_ask(b, "{\"name\":\"reload\"}");
  bench_advance(b, 90 * MINUTE);
  bench_expect(b, "select count(*) from dts_firing", "4\n"); /* and not again */
  bench_advance(b, HOUR);
  bench_expect(b, "select count(*) from dts_firing", "5\n");
  bench_invariants(b);
  bench_close(b);
}

static void a_schedule_that_comes_back_counts_from_now(void **state) {
  (void)state;
  static const char with[] =
      "dts.pipeline { name = 'p', schedule = '0 * * * *', missed = 'all', run = function() end }\n";
  bench *b = begin(with, NOW + 30 * MINUTE);
  bench_script(b, "y", "dts.pipeline { name = 'other', run = function() end }\n");
  bench_script(b, "x", "dts.pipeline { name = 'p', run = function() end }\n");
  bench_ask(b, "{\"name\":\"reload\"}");
  bench_advance(b, 5 * HOUR);
  bench_script(b, "x", with);
  bench_ask(b, "{\"name\":\"reload\"}");
  bench_settle(b);
  bench_expect(b, "select count(*) from dts_firing", "0\n");
  bench_advance(b, HOUR);
  bench_expect(b, FIRED, "2026-03-10T19:00|2026-03-10\n");
  bench_close(b);
}

/* While a script cannot be loaded its schedule is not forgotten. */
static void a_broken_script_keeps_its_schedule_s_place(void **state) {
  (void)state;
  bench *b = begin("dts.pipeline { name = 'p', schedule = '0 * * * *', run = function() end }\n",
                   NOW + 30 * MINUTE);
  bench_script(b, "x",
               "dts.pipeline { name = 'p', schedule = '0 * * * *', run = function( end }\n");
  bench_ask(b, "{\"name\":\"reload\"}");
  bench_advance(b, HOUR);
  bench_expect(b, FIRED, "2026-03-10T14:00|2026-03-10\n"); /* the last good version */
  bench_expect(b, "select count(*) from dts_meta where name = 'schedule:p'", "1\n");
  bench_close(b);
}

/* Of each schedule its next, however often another comes. */
static void the_next_of_each(void **state) {
  (void)state;
  bench *b = begin("dts.pipeline { name = 'often', every = '1s', run = function() end }\n"
                   "dts.pipeline { name = 'rarely', schedule = '@yearly', run = function() end }\n",
                   NOW);
  const value *all = &bench_ask(b, "{\"name\":\"next\",\"count\":50}")->answer;
  assert_int_equal(all->list.count, 50);
  assert_string_equal(value_get_text(&all->list.items[49], "pipeline", ""), "often");
  const value *each = &bench_ask(b, "{\"name\":\"next\",\"count\":50,\"each\":1}")->answer;
  assert_int_equal(each->list.count, 2);
  assert_string_equal(value_get_text(&each->list.items[1], "pipeline", ""), "rarely");
  bench_close(b);
}

static void one_pipeline_that_cannot_fire_holds_no_other_back(void **state) {
  (void)state;
  bench *b = begin("dts.table { name = 'q', key = { 'k', 'date' }, columns = { 'k text', 'date "
                   "date', 'v real' } }\n"
                   "dts.pipeline { name = 'a', schedule = '0 * * * *', gaps = { table = 'q', since "
                   "= '2026-03-01', keys = \"select k from q where json_extract(k, '$') > 0\" }, "
                   "run = function() end }\n"
                   "dts.pipeline { name = 'b', schedule = '0 * * * *', run = function() end }\n",
                   NOW + 30 * MINUTE);
  help_exec(kernel_store(b->kernel),
            "insert into q (k, date, v) values ('not json', '2026-03-01', 1)");
  bench_advance(b, 31 * MINUTE);
  bench_expect(b, "select pipeline from dts_firing", "b\n");
  help_exec(kernel_store(b->kernel), "delete from q");
  bench_advance(b, 5 * MINUTE); /* it is tried again, and nothing is lost */
  bench_expect(b, "select pipeline from dts_firing where trigger = 'schedule' order by 1",
               "a\nb\n");
  bench_close(b);
}

/* A busy timetable beside one that comes once an hour: that is looked at when it is due, or anew. */
static void only_what_is_due_is_looked_at(void **state) {
  (void)state;
  static const char rare[] = "select (substr(data, 1, instr(data, ' ') - 1) - 1773147600000) / "
                             "60000 from dts_meta where name = 'schedule:rare'";
  bench *b = begin("dts.pipeline { name = 'often', every = '1m', run = function() end }\n"
                   "dts.pipeline { name = 'rare', schedule = '0 * * * *', run = function() end }\n",
                   NOW + 30 * MINUTE);
  bench_advance(b, 5 * MINUTE);
  bench_expect(b, rare, "30\n");
  bench_ask(b, "{\"name\":\"reload\"}");
  bench_settle(b);
  bench_expect(b, rare, "35\n");
  bench_advance(b, 2 * HOUR);
  bench_expect(b, rare, "120\n");
  bench_expect(b, "select pipeline, count(*) from dts_firing group by 1", "often|125\nrare|2\n");
  bench_invariants(b);
  bench_close(b);
}

static void jitter_spreads_the_jobs_of_one_minute(void **state) {
  (void)state;
  bench *b =
      begin("for i = 1, 20 do dts.pipeline { name = 'p' .. i, schedule = '0 * * * *', jitter "
            "= '30s', run = function() end } end\n",
            NOW + 30 * MINUTE);
  bench_advance(b, 30 * MINUTE);
  bench_expect(b, "select count(distinct fire_time), count(*) from dts_firing", "1|20\n");
  assert_true(bench_number(b, "select count(*) from dts_job where state = 'waiting'") >= 18);
  bench_advance(b, MINUTE);
  bench_expect(b, "select count(*) from dts_job where state = 'done'", "20\n");
  assert_true(bench_number(b, "select count(distinct run_at) from dts_job") >= 18);
  bench_expect(b,
               "select count(*) from dts_run r join dts_job j on j.id = r.job join dts_firing f on "
               "f.id = j.firing where r.started - f.fire_time not between 0 and 30000",
               "0\n");
  bench_advance(b, HOUR); /* each has its own place, always the same */
  bench_expect(
      b,
      "select count(distinct j.run_at - f.fire_time) from dts_job j join dts_firing f on "
      "f.id = j.firing group by j.pipeline having count(*) = 2 and count(distinct j.run_at "
      "- f.fire_time) <> 1",
      "");
  bench_invariants(b);
  bench_close(b);
}

static void refused(const char *text, const char *message, const char *hint) {
  bench *b = bench_new();
  b->options.is_virtual = true;
  b->options.now_ms = NOW;
  bench_script(b, "x", text);
  bench_open(b);
  value faults = kernel_faults(b->kernel, &b->memory);
  if (!faults.list.count) fail_msg("accepted: %s", text);
  bench_contains(value_get_text(&faults.list.items[0], "message", ""), message);
  bench_contains(value_get_text(&faults.list.items[0], "hint", ""), hint);
  assert_true(value_get_integer(&faults.list.items[0], "line", 0) >= 2);
  bench_close(b);
}

#define WITH(fields) "dts.pipeline { name = 'p', " fields ", run = function() end }\n"

static void what_can_never_be_is_refused_at_load(void **state) {
  (void)state;
  refused(WITH("schedule = '0 0 30 2 *'"), "schedule: '0 0 30 2 *' never comes", "run on day 1");
  refused(WITH("schedule = '0 0 31 4,6 *'"), "'0 0 31 4,6 *' never comes", "the day before");
  refused(WITH("schedule = '@reboot'"), "'@reboot' is no time", "");
  refused(WITH("schedule = '0 6 * * *', timezone = 'Europe/Berln'"), "Europe/Berln",
          "Europe/Berlin");
  refused(WITH("every = '1m', jitter = '60s'"), "less than `every` expected", "skipped");
  refused(WITH("jitter = '60s'"), "`jitter` goes with `schedule` or `every`", "");
  bench *b = begin(WITH("schedule = '0 0 29 2 *'"), NOW);
  bench_close(b);
}

/* ---- leases ---- */

/* The lease is extended while a run goes on; what it commits on the way must not take that back. */
static void a_checkpoint_keeps_the_lease_as_it_was_extended(void **state) {
  (void)state;
  bench *b = bench_with(
      "dts.table { name = 't', key = { 'id' }, columns = { 'id integer' } }\n"
      "local function await(id)\n"
      "  repeat local n = 0 for _ in dts.query('t', { id = id }):rows() do n = n + 1 end until n > "
      "0\n"
      "end\n"
      "dts.pipeline { name = 'long', run = function(ctx)\n"
      "  dts.log('begun') await(100) ctx:put('t', { id = 1 }) ctx:checkpoint() await(200)\n"
      "end }\n"
      "dts.pipeline { name = 'go', params = { id = 'integer = 100' }, run = function(ctx, p) "
      "ctx:put('t', { id = p.id }) end }\n");
  bench_answer *slow = bench_begin(b, "{\"name\":\"run\",\"target\":\"long\"}");
  bench_until_sql(b, "select count(*) from dts_log");
  help_exec(kernel_store(b->kernel), "update dts_job set lease_until = lease_until + 3600000");
  bench_ask(b, "{\"name\":\"run\",\"target\":\"go\"}");
  bench_until_sql(b, "select count(*) from t where id = 1");
  bench_expect(b, "select lease_until - created > 3600000 from dts_job where pipeline = 'long'",
               "1\n");
  bench_ask(b, "{\"name\":\"run\",\"target\":\"go\",\"params\":{\"id\":200}}");
  bench_finish(slow);
  assert_string_equal(value_get_text(&slow->answer, "state", "?"), "done");
  bench_invariants(b);
  bench_close(b);
}

static bool bench_has_written(bench *b, void *arg) {
  (void)arg;
  return !b->kernel->writes;
}

/* The clock is set forward, and back, under a run and under a job that waits: neither is lost or put off. */
static void jobs_survive_a_clock_that_is_set(void **state) {
  (void)state;
  bench *b = bench_with(
      "dts.table { name = 't', key = { 'id' }, columns = { 'id integer' } }\n"
      "dts.pipeline { name = 'long', run = function(ctx)\n"
      "  dts.log('begun')\n"
      "  repeat local n = 0 for _ in dts.query('t', { id = 100 }):rows() do n = n + 1 end until n "
      "> "
      "0\n"
      "end }\n"
      "dts.pipeline { name = 'go', run = function(ctx) ctx:put('t', { id = 100 }) end }\n");
  bench_answer *slow = bench_begin(b, "{\"name\":\"run\",\"target\":\"long\"}");
  bench_until_sql(b, "select count(*) from dts_log");
  for (int i = 0; i < 3;
       i++) { /* 8 h on, 16 h back, 8 h on: as if the kernel had slept till then */
    b->kernel->opened_wall += (i == 1 ? 16 : -8) * HOUR;
    kernel_clock_set(b->kernel);
    bench_until(b, bench_has_written, NULL);
    int64_t left =
        bench_number(b, "select lease_until from dts_job where state = 'leased'") - clock_now_ms();
    assert_true(left > 30000 && left <= 60000);
    assert_true(llabs(kernel_now(b->kernel) - clock_now_ms()) < 2000);
  }
  bench_ask(b, "{\"name\":\"run\",\"target\":\"go\"}");
  bench_finish(slow);
  assert_string_equal(value_get_text(&slow->answer, "state", "?"), "done");
  bench_invariants(b);
  bench_close(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_long_stop_is_made_up_for),
      cmocka_unit_test(a_clock_that_was_wrong_is_survived),
      cmocka_unit_test(a_schedule_that_comes_back_counts_from_now),
      cmocka_unit_test(a_broken_script_keeps_its_schedule_s_place),
      cmocka_unit_test(the_next_of_each),
      cmocka_unit_test(one_pipeline_that_cannot_fire_holds_no_other_back),
      cmocka_unit_test(only_what_is_due_is_looked_at),
      cmocka_unit_test(jitter_spreads_the_jobs_of_one_minute),
      cmocka_unit_test(what_can_never_be_is_refused_at_load),
      cmocka_unit_test(a_checkpoint_keeps_the_lease_as_it_was_extended),
      cmocka_unit_test(jobs_survive_a_clock_that_is_set),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
