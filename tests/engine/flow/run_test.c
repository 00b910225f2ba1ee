/* run_test.c -- one run from its start to each of its ends, in real caged workers.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/kernel_help.h"

#define TABLE "dts.table { name = 't', key = { 'id' }, columns = { 'id integer', 'v text' } }\n"
#define ERROR "select error ->> 'code' from dts_run order by id desc limit 1"

static void a_run_that_is_done(void **state) {
  (void)state;
  bench *b = bench_with(TABLE "dts.pipeline { name = 'p', run = function(ctx)\n"
                              "  for i = 1, 3 do ctx:put('t', { id = i, v = 'n' .. i }) end\n"
                              "  dts.log('hello')\n"
                              "end }\n");
  assert_string_equal(bench_run(b, "p"), "done");
  bench_expect(b, "select id, v from t order by id", "1|n1\n2|n2\n3|n3\n");
  bench_expect(b, "select state, outcome, rows, error from dts_run", "done|done|3|null\n");
  bench_expect(b, "select level, message from dts_log", "info|hello\n");
  bench_expect(b, "select state, failed, jobs from dts_firing", "ended|0|1\n");
  bench_invariants(b);
  bench_close(b);
}

static void rows_set_aside_are_told(void **state) {
  (void)state;
  bench *b = bench_with(TABLE "dts.pipeline { name = 'p', run = function(ctx)\n"
                              "  ctx:put('t', { id = 1 })\n"
                              "  for i = 2, 5 do ctx:reject({ id = i }, 'no ' .. i) end\n"
                              "end }\n");
  assert_string_equal(bench_run(b, "p"), "done");
  bench_expect(b, "select state, rows, rejected from dts_runs", "done|1|4\n");
  kernel_close(b->kernel); /* with its last writes */
  bench_open(b);
  bench_expect(b, "select level, message from dts_log",
               "warn|4 rows set aside: no 2; no 3; no 4; ...\n");
  bench_invariants(b);
  bench_close(b);
}

static void a_file_is_given_by_hand(void **state) {
  (void)state;
  bench *b = bench_with(TABLE "dts.pipeline { name = 'p', files = 'incoming/*.csv',\n"
                              "  run = function(ctx, file)\n"
                              "    ctx:put('t', file:rows { into = 't', bad = 'reject' })\n"
                              "  end }\n");
  bench_write(b, "a.csv", "id,v\n1,x\n-,z\n2,y\n");
  bench_ask(b, arena_format(
                   &b->memory,
                   "{\"name\":\"run\",\"target\":\"p\",\"file\":\"a.csv\",\"path\":\"%s/a.csv\"}",
                   b->folder));
  bench_expect(b, "select id, v from t order by id", "1|x\n2|y\n");
  bench_expect(b, "select kind, name, state from dts_job", "file|a.csv|done\n");
  bench_expect(b, "select count(*) from dts_file", "0\n"); /* in its folder it is still new */
  kernel_close(b->kernel);                                 /* with its last writes */
  bench_open(b);
  bench_expect(
      b, "select message from dts_log",
      "1 row set aside: column 'id': a whole number expected, got \"-\" (line 3 of a.csv)\n");
  bench_invariants(b);
  bench_close(b);
}

static void a_run_that_fails_leaves_nothing(void **state) {
  (void)state;
  bench *b = bench_with(TABLE "dts.pipeline { name = 'p', run = function(ctx)\n"
                              "  ctx:put('t', { id = 1 })\n"
                              "  ctx:archive('raw', 'bytes')\n"
                              "  ctx:reject({ id = 2 }, 'no')\n"
                              "  ctx:enqueue('p')\n"
                              "  error('broken on purpose')\n"
                              "end }\n");
  bench_contains(bench_run_error(b, "p"), "SCRIPT: ");
  bench_contains(bench_text(b, "select error from dts_run"), "broken on purpose");
  bench_contains(bench_text(b, "select error ->> 'where' from dts_run"), "pipelines/x.lua:8");
  bench_expect(b, "select count(*) from t", "0\n");
  bench_expect(b, "select count(*) from dts_archive", "0\n");
  bench_expect(b, "select count(*) from dts_note", "0\n");
  bench_expect(b, "select state, attempts, retry_count from dts_job",
               "failed|1|1\n"); /* by hand: not retried */
  bench_invariants(b);
  bench_close(b);
}

/* The script goes on while a checkpoint is written; what it asks comes after. */
static void a_question_waits_for_the_checkpoint(void **state) {
  (void)state;
  bench *b = bench_with(TABLE "dts.pipeline { name = 'p', run = function(ctx)\n"
                              "  for i = 1, 30 do\n"
                              "    ctx:put('t', { id = i })\n"
                              "    ctx:checkpoint(i)\n"
                              "    assert(dts.lookup('t', i).id == i)\n"
                              "    ctx:put('t', { id = 100 + i })\n"
                              "  end\n"
                              "end }\n");
  assert_string_equal(bench_run(b, "p"), "done");
  bench_expect(b, "select count(*), max(id) from t", "60|130\n");
  bench_expect(b, "select rows from dts_run", "60\n");
  bench_invariants(b);
  bench_close(b);
}

static void nothing_commits_behind_a_refused_checkpoint(void **state) {
  (void)state;
  bench *b = bench_with(
      "dts.table { name = 't', key = { 'id' }, columns = { 'id integer check (id < 5)' } }\n"
      "dts.pipeline { name = 'p', run = function(ctx)\n"
      "  ctx:put('t', { id = 1 }) ctx:checkpoint(1)\n"
      "  ctx:put('t', { id = 9 }) pcall(ctx.checkpoint, ctx, 2)\n"
      "  ctx:put('t', { id = 2 }) pcall(ctx.checkpoint, ctx, 3)\n"
      "  ctx:put('t', { id = 3 }) pcall(ctx.checkpoint, ctx, 4)\n"
      "end }\n");
  bench_contains(bench_run_error(b, "p"),
                 "CONSTRAINT: a value breaks the check of column 'id' (id 9)");
  bench_expect(b, "select id from t", "1\n");
  bench_expect(b, "select cursor from dts_job", "1\n");
  bench_invariants(b);
  bench_close(b);
}

/* ---- retries, under a clock of our own ---- */

static void six_attempts_then_quarantine(void **state) {
  (void)state;
  bench *b = bench_new();
  bench_script(b, "x", "dts.pipeline { name = 'p', run = function() error('never') end }\n");
  bench_virtual(b, 1773147600000);
  bench_ask(b, "{\"name\":\"enqueue\",\"pipeline\":\"p\"}");
  bench_settle(b);
  bench_expect(b, "select state, attempts, retry_count from dts_job", "waiting|1|1\n");
  for (int i = 2; i <= 6; i++) bench_advance(b, 15 * 60 * 1000);
  bench_expect(b, "select state, attempts, retry_count, reason from dts_job",
               "quarantined|6|6|retries exhausted\n");
  bench_expect(b, "select count(*), count(distinct epoch), min(outcome) from dts_run",
               "6|6|failed\n");
  bench_expect(b, "select state, failed from dts_firing", "ended|1\n");
  bench_invariants(b);
  bench_close(b);
}

static void a_permanent_failure_is_not_retried(void **state) {
  (void)state;
  bench *b = bench_new();
  bench_script(b, "x",
               "dts.pipeline { name = 'p', run = function(ctx) ctx:fail('bad input', { retry = "
               "false }) end }\n");
  bench_virtual(b, 1773147600000);
  bench_ask(b, "{\"name\":\"enqueue\",\"pipeline\":\"p\"}");
  bench_settle(b);
  bench_expect(b, "select state, attempts, retry_count from dts_job", "quarantined|1|1\n");
  bench_expect(b, "select input, error from dts_quarantine", "params|bad input\n");
  bench_invariants(b);
  bench_close(b);
}

typedef struct later {
  fetch_done *done;
  void *arg;
} later;

static void say_later(void *arg) {
  later *l = arg;
  fetch_reply none = {.status = 0, .body_fd = -1};
  dts_error e;
  error_fail(&e, "HTTP_LATER", "s answered 429 and asks to wait 60 s");
  e.retry_after_ms = 60000;
  e.retryable = true;
  l->done(l->arg, &none, &e);
  free(l);
}

static void answer_later(void *arg, const value *request, const char *from, fetch_done *done,
                         void *done_arg) {
  later *l = memory_alloc(sizeof *l);
  *l = (later){done, done_arg};
  assert_string_equal(from, "s");
  assert_non_null(request);
  loop_post(kernel_loop(arg), say_later, l);
}

static void a_source_that_asks_to_wait_burns_no_retry(void **state) {
  (void)state;
  bench *b = bench_new();
  bench_script(b, "x",
               "local s = dts.source { name = 's', url = 'http://127.0.0.1:1' }\n"
               "dts.pipeline { name = 'p', run = function() s:get('/') end }\n");
  bench_virtual(b, 1773147600000);
  kernel_set_network(b->kernel, answer_later, b->kernel);
  bench_ask(b, "{\"name\":\"enqueue\",\"pipeline\":\"p\"}");
  bench_settle(b);
  bench_expect(
      b, "select state, attempts, retry_count, deferrals, run_at - created >= 60000 from dts_job",
      "waiting|1|0|1|1\n");
  bench_expect(b, "select outcome from dts_run", "deferred\n");
  bench_advance(b, (int64_t)25 * 3600 *
                       1000); /* it never comes to an answer: a day, and it lies in quarantine */
  bench_expect(b, "select state, retry_count, reason from dts_job",
               "quarantined|0|deferred too long\n");
  bench_invariants(b);
  bench_close(b);
}

#define LATER_MESSAGE "s answered 429 and asks to wait 60 s"

/* Params and dates alike: whoever waits at the terminal is told at once, and nothing waits in the queue. */
static void by_hand_a_source_that_asks_to_wait_ends_the_run(void **state) {
  (void)state;
  bench *b = bench_new();
  bench_script(b, "x",
               TABLE "local s = dts.source { name = 's', url = 'http://127.0.0.1:1' }\n"
                     "dts.table { name = 'd', key = { 'day' }, columns = { 'day date' } }\n"
                     "dts.pipeline { name = 'p', run = function() s:get('/') end }\n"
                     "dts.pipeline { name = 'g', schedule = '0 6 * * *', gaps = { table = 'd',"
                     " since = '2026-03-09' }, run = function() s:get('/') end }\n");
  bench_virtual(b, 1773147600000);
  kernel_set_network(b->kernel, answer_later, b->kernel);
  assert_string_equal(bench_run_error(b, "p"), "HTTP_LATER: " LATER_MESSAGE "\n");
  assert_string_equal(bench_run_error(b, "g"), "HTTP_LATER: " LATER_MESSAGE "\n");
  bench_expect(b, "select distinct state, reason, deferrals from dts_job",
               "failed|" LATER_MESSAGE "|0\n");
  bench_expect(b, "select distinct json_extract(error, '$.hint') from dts_run",
               "by hand nothing is tried again: run it after 2026-03-10 13:01:00 (UTC), in 60 s\n");
  bench_expect(b, "select distinct state, retry_count, held from dts_gap", "open|0|0\n");
  bench_invariants(b);
  bench_close(b);
}

static void a_sleep_survives_and_counts_nothing(void **state) {
  (void)state;
  bench *b = bench_new();
  bench_script(b, "x",
               TABLE "dts.pipeline { name = 'p', run = function(ctx)\n"
                     "  ctx:step('before', function() ctx:put('t', { id = 1 }) end)\n"
                     "  ctx:sleep('3h')\n"
                     "  ctx:put('t', { id = 2, v = tostring(ctx.attempt) })\n"
                     "end }\n");
  bench_virtual(b, 1773147600000);
  bench_ask(b, "{\"name\":\"enqueue\",\"pipeline\":\"p\"}");
  bench_settle(b);
  bench_expect(b, "select id from t", "1\n");
  bench_expect(b, "select state, attempts, retry_count, run_at - created from dts_job",
               "waiting|1|0|10800000\n");
  bench_expect(b, "select outcome from dts_run", "slept\n");
  bench_advance(b, 3 * 3600 * 1000 - 1);
  bench_expect(b, "select count(*) from t", "1\n");
  bench_advance(b, 1);
  bench_expect(b, "select id, v from t order by id", "1|null\n2|2\n");
  bench_expect(b, "select state, attempts, retry_count from dts_job", "done|2|0\n");
  bench_invariants(b);
  bench_close(b);
}

/* ---- workers that die ---- */

#define SPIN "dts.log('spinning') local i = 0 while true do i = i + 1 end"

static void the_third_killed_worker_is_poison(void **state) {
  (void)state;
  bench *b = bench_new();
  bench_script(b, "x", "dts.pipeline { name = 'p', run = function() " SPIN " end }\n");
  bench_virtual(b, 1773147600000);
  bench_ask(b, "{\"name\":\"enqueue\",\"pipeline\":\"p\"}");
  for (int i = 1; i <= 3; i++) {
    char sql[96];
    snprintf(sql, sizeof sql, "select count(*) = %d from dts_log", i);
    bench_until_sql(b, sql);
    bench_kill_worker(b);
    bench_settle(b);
    if (i < 3)
      bench_expect(b, "select state, retry_count = worker_deaths from dts_job", "waiting|1\n");
    if (i < 3)
      while (loop_advance(kernel_loop(b->kernel), loop_now(kernel_loop(b->kernel)) + 900000)) {
      }
  }
  bench_expect(b, "select state, attempts, retry_count, reason from dts_job",
               "quarantined|3|3|poison\n");
  bench_contains(bench_text(b, "select error ->> 'message' from dts_run"), "signal 9");
  bench_invariants(b);
  bench_close(b);
}

/* One may wait beside one place: it is of the script that ran last, not of the one that ran first. */
static void the_worker_that_ran_last_waits_for_the_next_run(void **state) {
  (void)state;
  bench *b = bench_new();
  bool same = false;
  b->options.serving = true;
  bench_write(b, "dts.lua", "return { workers = 1 }");
  bench_script(b, "x", "dts.pipeline { name = 'first', run = function() end }\n");
  bench_script(b, "y", "dts.pipeline { name = 'last', run = function() end }\n");
  bench_open(b);
  for (int round = 0; !same && round < 5; round++) { /* it waits for no more than 2 s */
    bench_run(b, "first");
    long other = bench_child(bench_child(getpid()));
    bench_run(b, "last");
    long was = bench_child(bench_child(getpid()));
    bench_run(b, "last");
    same = was && was != other && was == bench_child(bench_child(getpid()));
  }
  assert_true(same);
  bench_close(b);
}

static void limits_end_a_run_and_say_so(void **state) {
  (void)state;
  static const struct {
    const char *limit, *body, *code;
  } cases[] = {
      {"time = '400ms'", "dts.each({ 1 }, function() " SPIN " end)", "LIMIT_TIME"},
      {"cpu = '1s'", SPIN, "LIMIT_CPU"},
      {"cpu = '1s'", "while true do pcall(function() while true do end end) end", "LIMIT_CPU"},
      {"memory = '16MB'", "local t = {} for i = 1, 1e9 do t[i] = ('x'):rep(1000) .. i end",
       "LIMIT_MEMORY"},
      {"rows = 10", "for i = 1, 11 do ctx:put('t', { id = i }) end", "LIMIT_ROWS"},
      {"rows = 10",
       "for i = 1, 11 do ctx:put('t', { id = i }) if i % 10 == 0 then ctx:checkpoint() end end",
       NULL},
      {"log = '1KB'", "for i = 1, 1000 do dts.log('line ' .. i) end", NULL},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    char text[1024];
    snprintf(text, sizeof text,
             TABLE "dts.pipeline { name = 'p', limits = { %s }, run = function(ctx) %s end }\n",
             cases[i].limit, cases[i].body);
    bench *b = bench_with(text);
    assert_string_equal(bench_run(b, "p"), cases[i].code ? "failed" : "done");
    if (cases[i].code) bench_contains(bench_text(b, ERROR), cases[i].code);
    if (cases[i].code)
      bench_contains(bench_text(b, "select error ->> 'where' from dts_run"), "pipelines/x.lua");
    if (strstr(cases[i].limit, "log")) {
      assert_true(bench_number(b, "select sum(length(message)) from dts_log") < 1200);
      bench_contains(bench_text(b, "select message from dts_log order by seq desc limit 1"),
                     "limits.log is 1024 bytes");
    }
    bench_invariants(b);
    bench_close(b);
  }
}

static void too_many_requests_are_refused(void **state) {
  (void)state;
  bench *b = bench_with(
      "dts.pipeline { name = 'p', limits = { requests = 2 }, allow = { hosts = { '127.0.0.1:9' } "
      "},\n"
      "  run = function()\n"
      "    for i = 1, 3 do pcall(dts.http.post, 'http://127.0.0.1:9/', { body = 'x' }) end\n"
      "    dts.log('not reached')\n"
      "end }\n");
  bench_contains(bench_run_error(b, "p"), "LIMIT_REQUESTS: more than 2 requests");
  bench_expect(b, "select count(*) from dts_log", "0\n"); /* pcall does not catch a limit */
  bench_expect(b, "select requests from dts_run", "3\n");
  bench_close(b);
}

/* ---- cancelling ---- */

static void a_running_job_can_be_cancelled(void **state) {
  (void)state;
  bench *b = bench_with(TABLE "dts.pipeline { name = 'p', run = function(ctx)\n"
                              "  ctx:put('t', { id = 1 })\n"
                              "  " SPIN "\n"
                              "end }\n");
  bench_answer *asked = bench_begin(b, "{\"name\":\"run\",\"target\":\"p\"}");
  bench_until_sql(b, "select count(*) from dts_log");
  bench_ask(b, "{\"name\":\"cancel\",\"job\":1}");
  bench_finish(asked);
  assert_string_equal(value_get_text(&asked->answer, "state", "?"), "failed");
  bench_settle(b);
  bench_expect(b, "select state, retry_count from dts_job", "cancelled|0\n");
  bench_expect(b, "select outcome from dts_run", "cancelled\n");
  bench_expect(b, "select count(*) from t", "0\n");
  bench_invariants(b);
  bench_close(b);
}

static void a_waiting_job_can_be_cancelled(void **state) {
  (void)state;
  bench *b = bench_with("dts.pipeline { name = 'p', run = function() end }\n");
  bench_ask(b, "{\"name\":\"enqueue\",\"pipeline\":\"p\",\"delay_ms\":600000}");
  bench_ask(b, "{\"name\":\"cancel\",\"job\":1}");
  bench_expect(b, "select state, attempts from dts_job", "cancelled|0\n");
  bench_expect(b, "select state, failed from dts_firing",
               "ended|1\n"); /* or nothing would ever fire again */
  const bench_answer *again = bench_ask(b, "{\"name\":\"cancel\",\"job\":1}");
  assert_string_equal(again->error.code, "REFUSED");
  again = bench_ask(b, "{\"name\":\"cancel\",\"job\":99}");
  assert_string_equal(again->error.code, "JOB");
  bench_invariants(b);
  bench_close(b);
}

/* ---- an engine that stops ---- */

static void a_stopped_engine_hands_its_jobs_back(void **state) {
  (void)state;
  bench *b = bench_with(TABLE "dts.pipeline { name = 'p', run = function(ctx)\n"
                              "  ctx:put('t', { id = ctx.attempt })\n"
                              "  if ctx.attempt == 1 then " SPIN " end\n"
                              "end }\n");
  bench_ask(b, "{\"name\":\"enqueue\",\"pipeline\":\"p\"}");
  bench_until_sql(b, "select count(*) from dts_log");
  bench_stop(b);
  bench_open(b);
  bench_settle(b);
  bench_expect(b, "select outcome from dts_run order by id", "handed back\ndone\n");
  bench_expect(b, "select state, attempts, retry_count, handbacks from dts_job", "done|2|0|1\n");
  bench_expect(b, "select id from t", "2\n");
  bench_invariants(b);
  bench_close(b);
}

/* Neither a short sleep nor a step's pause keeps an engine from stopping, or anything of it from being freed. */
static void an_engine_stops_while_runs_wait(void **state) {
  (void)state;
  bench *b = bench_with(
      "dts.pipeline { name = 'dozes', run = function(ctx) dts.log('x') ctx:sleep('2s') end }\n"
      "dts.pipeline { name = 'pauses', run = function(ctx)\n"
      "  ctx:step('s', { retry = 9 }, function() dts.log('x') error('again') end)\n"
      "end }\n");
  bench_ask(b, "{\"name\":\"enqueue\",\"pipeline\":\"dozes\"}");
  bench_ask(b, "{\"name\":\"enqueue\",\"pipeline\":\"pauses\"}");
  bench_until_sql(b, "select count(distinct run) = 2 from dts_log");
  bench_wait(b, 200);
  int64_t begun = clock_monotonic_ms();
  bench_stop(b);
  assert_true(clock_monotonic_ms() - begun < 1500);
  bench_open(b);
  bench_expect(b, "select distinct outcome from dts_run where id <= 2", "handed back\n");
  bench_close(b);
}

/* A rule of the table that only the store can see: the run fails with it, and all of it is undone. */
static void what_the_store_refuses_fails_the_run(void **state) {
  (void)state;
  bench *b = bench_with("dts.table { name = 't', key = { 'id' }, columns = { 'id integer', 'n "
                        "integer check (n < 10)' } }\n"
                        "dts.pipeline { name = 'p', run = function(ctx)\n"
                        "  for i = 1, 20 do ctx:put('t', { id = i, n = i }) end\n"
                        "end }\n");
  bench_contains(bench_run_error(b, "p"), "CONSTRAINT: a value breaks the check of column 'n'");
  bench_expect(b, "select count(*) from t", "0\n");
  bench_expect(b, "select rows, outcome from dts_run", "0|failed\n");
  bench_invariants(b);
  bench_close(b);
}

static void only_its_own_tables_are_written(void **state) {
  (void)state;
  bench *b = bench_new();
  b->options.serving = true;
  bench_script(b, "a",
               "dts.table { name = 'theirs', key = { 'id' }, columns = { 'id integer' } }\n");
  bench_script(
      b, "b",
      "dts.pipeline { name = 'p', run = function(ctx) ctx:put('theirs', { id = 1 }) end }\n"
      "dts.pipeline { name = 'q', allow = { tables = { 'theirs' } }, run = function(ctx) "
      "ctx:put('theirs', { id = 1 }) end }\n");
  bench_open(b);
  bench_contains(bench_run_error(b, "p"), "may not write");
  bench_contains(bench_text(b, "select error ->> 'hint' from dts_run"),
                 "allow = { tables = { \"theirs\" } }");
  assert_string_equal(bench_run(b, "q"), "done");
  bench_close(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_run_that_is_done),
      cmocka_unit_test(rows_set_aside_are_told),
      cmocka_unit_test(a_file_is_given_by_hand),
      cmocka_unit_test(a_run_that_fails_leaves_nothing),
      cmocka_unit_test(a_question_waits_for_the_checkpoint),
      cmocka_unit_test(nothing_commits_behind_a_refused_checkpoint),
      cmocka_unit_test(six_attempts_then_quarantine),
      cmocka_unit_test(a_permanent_failure_is_not_retried),
      cmocka_unit_test(a_source_that_asks_to_wait_burns_no_retry),
      cmocka_unit_test(by_hand_a_source_that_asks_to_wait_ends_the_run),
      cmocka_unit_test(a_sleep_survives_and_counts_nothing),
      cmocka_unit_test(the_third_killed_worker_is_poison),
      cmocka_unit_test(the_worker_that_ran_last_waits_for_the_next_run),
      cmocka_unit_test(limits_end_a_run_and_say_so),
      cmocka_unit_test(too_many_requests_are_refused),
      cmocka_unit_test(a_running_job_can_be_cancelled),
      cmocka_unit_test(a_waiting_job_can_be_cancelled),
      cmocka_unit_test(a_stopped_engine_hands_its_jobs_back),
      cmocka_unit_test(an_engine_stops_while_runs_wait),
      cmocka_unit_test(what_the_store_refuses_fails_the_run),
      cmocka_unit_test(only_its_own_tables_are_written),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
