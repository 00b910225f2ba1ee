/* durable_test.c -- what outlives a run: its steps, its cursor, the jobs that it queued and those that follow.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/kernel_help.h"

#define TABLE "dts.table { name = 't', key = { 'id' }, columns = { 'id integer', 'v text' } }\n"

/* ---- what outlives a crash ---- */

static void steps_outlive_a_crash(void **state) {
  (void)state;
  bench *b = bench_new();
  bench_script(b, "x",
               "dts.table { name = 'tries', columns = { 'step text', 'attempt integer' } }\n"
               "dts.pipeline { name = 'p', run = function(ctx)\n"
               "  local one = ctx:step('one', function()\n"
               "    ctx:put('tries', { step = 'one', attempt = ctx.attempt })\n"
               "    return { n = 41, from = ctx.attempt }\n"
               "  end)\n"
               "  ctx:put('tries', { step = 'outside', attempt = ctx.attempt })\n"
               "  if ctx.attempt == 1 then dts.log('ready') while true do end end\n"
               "  ctx:step('two', function() ctx:put('tries', { step = 'two', attempt = one.n + "
               "one.from }) end)\n"
               "end }\n");
  bench_virtual(b, 1773147600000);
  bench_ask(b, "{\"name\":\"enqueue\",\"pipeline\":\"p\"}");
  bench_until_sql(b, "select count(*) from dts_log");
  bench_expect(b, "select step, attempt from tries", "one|1\n"); /* committed at the step's end */
  bench_kill_worker(b);
  bench_advance(b, 900000);
  bench_expect(b, "select step, attempt from tries order by step", "one|1\noutside|2\ntwo|42\n");
  bench_expect(b, "select state, attempts, retry_count from dts_job", "done|2|1\n");
  bench_invariants(b);
  bench_close(b);
}

static void a_step_is_tried_as_often_as_it_says(void **state) {
  (void)state;
  bench *b = bench_with("dts.table { name = 'tries', columns = { 'n integer' } }\n"
                        "dts.pipeline { name = 'p', run = function(ctx)\n"
                        "  local n = 0\n"
                        "  ctx:step('shaky', { retry = 1 }, function()\n"
                        "    n = n + 1\n"
                        "    ctx:put('tries', { n = n })\n"
                        "    if n < 2 then error('again') end\n"
                        "  end)\n"
                        "end }\n");
  assert_string_equal(bench_run(b, "p"), "done");
  bench_expect(b, "select n from tries", "2\n"); /* what the failed try put is forgotten */
  bench_expect(b, "select attempts, state from dts_step", "2|done\n");
  bench_close(b);
}

static void a_checkpoint_keeps_rows_and_cursor(void **state) {
  (void)state;
  bench *b = bench_new();
  bench_script(b, "x",
               TABLE "dts.pipeline { name = 'p', run = function(ctx)\n"
                     "  local from = ctx.state and ctx.state.next or 1\n"
                     "  for i = from, 6 do\n"
                     "    ctx:put('t', { id = i, v = 'attempt ' .. ctx.attempt })\n"
                     "    if i == 3 then ctx:checkpoint({ next = 4 }) end\n"
                     "    if i == 5 and ctx.attempt == 1 then error('half-way') end\n"
                     "  end\n"
                     "end }\n");
  bench_virtual(b, 1773147600000);
  bench_ask(b, "{\"name\":\"enqueue\",\"pipeline\":\"p\"}");
  bench_settle(b);
  bench_expect(b, "select id from t order by id", "1\n2\n3\n");
  bench_expect(b, "select cursor from dts_job", "{\"next\":4}\n");
  bench_advance(b, 900000);
  bench_expect(b, "select v, count(*) from t group by v order by v", "attempt 1|3\nattempt 2|3\n");
  bench_expect(b, "select rows from dts_run order by id", "3\n3\n");
  bench_invariants(b);
  bench_close(b);
}

/* The end waits for the checkpoint before it, and its worker runs again: it must be listened to. */
static void a_checkpoint_may_come_last(void **state) {
  (void)state;
  bench *b =
      bench_with("dts.table { name = 't', columns = { 'n integer', 'v text' } }\n"
                 "dts.pipeline { name = 'p', run = function(ctx)\n"
                 "  for n = 1, 2000 do ctx:put('t', { n = n, v = string.rep('x', 900) }) end\n"
                 "  ctx:checkpoint()\n"
                 "end }\n");
  for (int i = 0; i < 3; i++) assert_string_equal(bench_run(b, "p"), "done");
  bench_expect(b, "select count(*) from t", "6000\n");
  bench_invariants(b);
  bench_close(b);
}

/* ---- jobs that queue jobs ---- */

static void enqueued_jobs_have_keys_and_groups(void **state) {
  (void)state;
  bench *b =
      bench_with("dts.table { name = 'seen', columns = { 'n integer', 'day text' } }\n"
                 "dts.pipeline { name = 'child', params = { n = 'integer', more = 'text = x' },\n"
                 "  run = function(ctx, input)\n"
                 "    assert(input.more == 'x')\n"
                 "    ctx:put('seen', { n = input.n, day = ctx.date })\n"
                 "end }\n"
                 "dts.pipeline { name = 'p', run = function(ctx)\n"
                 "  for n = 1, 8 do ctx:enqueue('child', { n = n }, { group = 'g' }) end\n"
                 "  for _ = 1, 3 do ctx:enqueue('child', { n = 100 }, { key = 'once' }) end\n"
                 "end }\n"
                 "dts.pipeline { name = 'conflict', run = function(ctx)\n"
                 "  ctx:enqueue('child', { n = 7 }, { key = 'once' })\n"
                 "end }\n"
                 "dts.pipeline { name = 'unknown', run = function(ctx) ctx:enqueue('child', { m = "
                 "1 }) end }\n"
                 "dts.pipeline { name = 'chosen', params = { how = { 'fast', 'slow' } }, run = "
                 "function() end }\n"
                 "dts.pipeline { name = 'wrong', run = function(ctx) ctx:enqueue('chosen', { how = "
                 "'fsat' }) end }\n");
  assert_string_equal(bench_run(b, "p"), "done");
  bench_settle(b);
  bench_expect(b, "select n from seen where n < 100 order by rowid",
               "1\n2\n3\n4\n5\n6\n7\n8\n"); /* in order */
  bench_expect(b, "select count(*) from seen where n = 100", "1\n");
  bench_expect(b, "select count(*) from seen where day is null", "0\n");
  bench_expect(b, "select count(*) from dts_firing where state = 'open'",
               "0\n"); /* also of keys that were taken */
  bench_contains(bench_run_error(b, "conflict"), "CONFLICT: key 'once'");
  bench_contains(bench_run_error(b, "unknown"), "PARAM: pipeline 'child' has no parameter 'm'");
  bench_contains(bench_run_error(b, "wrong"),
                 "PARAM: parameter 'how': one of \"fast\", \"slow\" expected, got \"fsat\"");
  bench_invariants(b);
  bench_close(b);
}

static void pipelines_follow_others(void **state) {
  (void)state;
  bench *b = bench_with(
      TABLE
      "dts.pipeline { name = 'good', run = function(ctx) ctx:put('t', { { id = 1 }, { id = 2 } }) "
      "end }\n"
      "dts.pipeline { name = 'bad', run = function(ctx) error('no') end }\n"
      "dts.pipeline { name = 'a', after = 'good', run = function(ctx, firing)\n"
      "  ctx:put('t', { id = 10, v = firing.pipeline .. ' ' .. firing.rows .. ' ' .. firing.failed "
      "})\n"
      "end }\n"
      "dts.pipeline { name = 'b', after = { 'a', 'bad' }, run = function(ctx) ctx:put('t', { id = "
      "11 }) end }\n"
      "dts.pipeline { name = 'always', after = 'bad', on = 'end', run = function(ctx, firing)\n"
      "  ctx:put('t', { id = 12, v = tostring(firing.failed) })\n"
      "end }\n");
  assert_string_equal(bench_run(b, "good"), "done");
  bench_settle(b);
  bench_expect(b, "select id, v from t where id >= 10 order by id", "10|good 2 0\n11|null\n");
  assert_string_equal(bench_run(b, "bad"), "failed");
  bench_settle(b);
  bench_expect(b, "select id, v from t where id >= 10 order by id", "10|good 2 0\n11|null\n12|1\n");
  bench_expect(b, "select count(*) from dts_job where pipeline = 'b'",
               "1\n"); /* not after the failure */
  bench_invariants(b);
  bench_close(b);
}

/* Directly, by way of `after`, and many at once: all come of the firing at the beginning. */
static void nothing_queues_itself_for_ever(void **state) {
  (void)state;
  bench *b =
      bench_with("local few = { jobs = 5 }\n"
                 "dts.pipeline { name = 'ever', retry = 0, limits = few, run = function(ctx)\n"
                 "  ctx:enqueue('ever')\n"
                 "end }\n"
                 "dts.pipeline { name = 'there', retry = 0, limits = few, run = function(ctx)\n"
                 "  ctx:enqueue('back')\n"
                 "end }\n"
                 "dts.pipeline { name = 'back', run = function() end }\n"
                 "dts.pipeline { name = 'again', after = 'back', retry = 0, limits = few, run = "
                 "function(ctx)\n"
                 "  ctx:enqueue('there')\n"
                 "end }\n"
                 "dts.pipeline { name = 'many', retry = 0, limits = few, run = function(ctx)\n"
                 "  for _ = 1, 6 do ctx:enqueue('leaf') end\n"
                 "end }\n"
                 "dts.pipeline { name = 'just', retry = 0, limits = few, run = function(ctx)\n"
                 "  for _ = 1, 4 do ctx:enqueue('leaf') end\n"
                 "  for _ = 1, 9 do ctx:enqueue('leaf', {}, { key = 'one' }) end\n"
                 "end }\n"
                 "dts.pipeline { name = 'leaf', run = function() end }\n");
  bench_run(b, "ever");
  bench_settle(b);
  bench_expect(b,
               "select state, count(*) from dts_job where pipeline = 'ever' group by 1 order by 1",
               "done|5\nquarantined|1\n");
  bench_contains(bench_text(b, "select message from dts_run where state <> 'done'"),
                 "more than 5 jobs were enqueued that come of one firing");
  bench_run(b, "ever"); /* another firing begins anew */
  bench_settle(b);
  bench_expect(b, "select count(*) from dts_job where pipeline = 'ever'", "12\n");
  bench_run(b, "there");
  bench_settle(b);
  bench_expect(b, "select count(*) < 12 from dts_job where pipeline in ('there', 'back', 'again')",
               "1\n");
  bench_contains(bench_run_error(b, "many"), "LIMIT_JOBS: more than 5 jobs");
  bench_expect(b, "select count(*) from dts_job where pipeline = 'leaf'", "0\n");
  assert_string_equal(bench_run(b, "just"), "done"); /* a key's job counts once */
  bench_settle(b);
  bench_expect(b, "select count(*) from dts_job where pipeline = 'leaf'", "5\n");
  bench_invariants(b);
  bench_close(b);
}

static void what_is_archived_behind_a_checkpoint_is_kept(void **state) {
  (void)state;
  bench *b = bench_with("dts.table { name = 't', key = { 'id' }, columns = { 'id integer' } }\n"
                        "dts.pipeline { name = 'p', limits = { time = '5s' }, run = function(ctx)\n"
                        "  for i = 1, 2000 do ctx:put('t', { id = i }) end\n"
                        "  ctx:checkpoint()\n"
                        "  ctx:archive('raw', ('bytes'):rep(1e6) .. ctx.run)\n"
                        "end }\n");
  for (int i = 0; i < 6; i++) assert_string_equal(bench_run(b, "p"), "done");
  bench_expect(b, "select count(*) from dts_archive", "6\n");
  bench_invariants(b);
  bench_close(b);
}

/* An error may quote what is no text, or be cut within a character; it is told all the same. What is kept must
 * come back as it was. */
static void bytes_that_are_no_text_are_told_and_not_kept(void **state) {
  (void)state;
  bench *b = bench_new();
  bench_script(
      b, "x",
      "dts.pipeline { name = 'quotes', run = function() error('got x\\255y') end }\n"
      "dts.pipeline { name = 'long', run = function() error(('\xc3\xa4'):rep(2000)) end }\n"
      "dts.pipeline { name = 'keeps', run = function(ctx) ctx:checkpoint({ a = '\\255' }) end }\n"
      "dts.pipeline { name = 'steps', run = function(ctx)\n"
      "  ctx:step('s', function() return '\\255' end)\n"
      "end }\n");
  bench_open(b);
  static const char *const names[] = {"quotes", "long", "keeps", "steps"};
  for (size_t i = 0; i < 4; i++) bench_run(b, names[i]);
  bench_expect(b,
               "select pipeline, json_valid(error), error ->> 'code' from dts_run where hex(error) "
               "not like '%FF%' order by id",
               "quotes|1|SCRIPT\nlong|1|SCRIPT\nkeeps|1|CHECKPOINT\nsteps|1|STEP\n");
  bench_invariants(b);
  bench_close(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(steps_outlive_a_crash),
      cmocka_unit_test(a_step_is_tried_as_often_as_it_says),
      cmocka_unit_test(a_checkpoint_keeps_rows_and_cursor),
      cmocka_unit_test(what_is_archived_behind_a_checkpoint_is_kept),
      cmocka_unit_test(a_checkpoint_may_come_last),
      cmocka_unit_test(enqueued_jobs_have_keys_and_groups),
      cmocka_unit_test(pipelines_follow_others),
      cmocka_unit_test(bytes_that_are_no_text_are_told_and_not_kept),
      cmocka_unit_test(nothing_queues_itself_for_ever),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
