/* leases_test.c -- leases are extended while runs live, and taken back within seconds of running out.
 *
 * The run spins; what stands in its way is written into its job by hand.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/kernel_help.h"

#include "flow/runs/runner_parts.h"

#define NOW  INT64_C(1773147600000)
#define OF_P "from dts_job where pipeline = 'p'"

/* The runs of p and q spin; before them, if asked for, lie jobs that no rule lets anybody step. */
static bench *spinning(int damaged) {
  bench *b = bench_new();
  bench_script(
      b, "x",
      "local function spin() dts.log('ready') local i = 0 while true do i = i + 1 end end\n"
      "dts.pipeline { name = 'p', run = spin }\n"
      "dts.pipeline { name = 'q', run = spin }\n");
  bench_virtual(b, NOW);
  for (int i = 0; i < damaged; i++)
    help_exec(kernel_store(b->kernel),
              "insert into dts_job (firing, pipeline, trigger, kind, input, state, once, "
              "retry_limit, attempts, retry_count, deferrals, handbacks, interruptions, "
              "worker_deaths, releases, epoch, run_at, lease_until, deadline, created, age_from, "
              "ended) values (0, 'gone', 'hand', 'params', '{}', 'leased', 0, 5, 1, 99, 0, 0, 0, "
              "0, 0, 1, 1, 1, 1, 1, 1, 0)");
  bench_ask(b, "{\"name\":\"enqueue\",\"pipeline\":\"p\"}");
  bench_ask(b, "{\"name\":\"enqueue\",\"pipeline\":\"q\"}");
  bench_until_sql(b, "select count(*) = 2 from dts_log");
  return b;
}

static void
age(bench *b) { /* p's lease has run out, q's soon will; and it is time for a heartbeat */
  help_exec(kernel_store(b->kernel), "update dts_job set lease_until = 2 where pipeline = 'p'");
  help_exec(kernel_store(b->kernel),
            "update dts_job set lease_until = lease_until - 50000 where pipeline = 'q'");
  kernel_runner(b->kernel)->beaten = -JOB_HEARTBEAT_MS;
}

static bool is_fed(bench *b, void *arg) {
  (void)arg;
  return !kernel_runner(b->kernel)->starved;
}

static void leases_are_extended_or_taken_back(void **state) {
  (void)state;
  bench *b = spinning(70);
  age(b);
  bench_until_sql(b, "select state <> 'leased' " OF_P);
  bench_expect(b, "select state, attempts, retry_count, interruptions " OF_P, "waiting|1|1|0\n");
  bench_expect(b, "select outcome, message from dts_run where pipeline = 'p'",
               "failed|its lease ran out\n");
  bench_expect(b, "select state, lease_until - run_at from dts_job where pipeline = 'q'",
               "leased|60000\n");
  bench_expect(b, "select distinct state, retry_count from dts_job where pipeline = 'gone'",
               "leased|99\n");
  bench_close(b);
}

/* What the engine could not write is not held against the job. */
static void for_want_of_room_it_was_interrupted(void **state) {
  (void)state;
  bench *b = spinning(0);
  age(b);
  kernel_runner(b->kernel)->starved = true; /* as after a heartbeat that was refused */
  bench_until_sql(b, "select interruptions " OF_P);
  bench_expect(b, "select retry_count, interruptions " OF_P, "0|1\n");
  bench_expect(b, "select outcome, message from dts_run where pipeline = 'p' and epoch = 1",
               "interrupted|its lease ran out: the store had no room to extend it\n");
  bench_until(b, is_fed, NULL); /* q's could be extended */
  bench_invariants(b);
  bench_close(b);
}

/* An end that waits for room is not run over by the reaper: p is told failed, and has failed. */
static void an_end_that_waits_for_room_comes_first(void **state) {
  (void)state;
  bench *b = spinning(0);
  kernel_runner(b->kernel)->starved = true;
  for (run *n = kernel_runner(b->kernel)->runs; n; n = n->next) n->ending = true;
  age(b);
  bench_until(b, is_fed, NULL); /* q's could be extended */
  bench_expect(b, "select state, interruptions, retry_count " OF_P, "leased|0|0\n");
  for (run *n = kernel_runner(b->kernel)->runs; n; n = n->next) n->ending = false;
  bench_close(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(leases_are_extended_or_taken_back),
      cmocka_unit_test(for_want_of_room_it_was_interrupted),
      cmocka_unit_test(an_end_that_waits_for_room_comes_first),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
