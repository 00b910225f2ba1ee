/* disk_test.c -- what a full disk does to runs: they are deferred and count no failed attempt, until there is
 * room again.
 *
 * A limit on the size of files is what a full disk is to the engine, which alone writes files; its workers
 * were started before and have none.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/kernel_help.h"

#include <sys/resource.h>

#define TABLE "dts.table { name = 't', columns = { 'n integer', 'v text' } }\n"
#define DATES                                                                                      \
  "dts.table { name = 'd', key = { 'day' }, columns = { 'day date', 'v text' } }\n"                \
  "dts.pipeline { name = 'g', schedule = '0 6 * * *', gaps = { table = 'd', since = "              \
  "'2026-03-09', to = '2026-03-10' }, run = function(ctx) local big = string.rep('x', 900000)\n"   \
  "  for i = 10, 31 do ctx:put('d', { day = '2020-01-' .. i, v = big }) end end }\n"
/* Of 3 MB only the commit is too much, of 21 MB the rows kept aside as well. */
#define PUTS(name, count)                                                                          \
  "dts.pipeline { name = '" name "', run = function(ctx) local big = string.rep('x', 900000)\n"    \
  "  for n = 1, " #count " do ctx:put('t', { n = n, v = big }) end end }\n"
#define STEPS                                                                                      \
  "dts.pipeline { name = 'c', run = function(ctx) ctx:put('t', { n = 1 }) ctx:checkpoint()\n"      \
  "  for n = 1, 4 do ctx:put('t', { n = n, v = string.rep('x', 900000) }) end\n"                   \
  "  ctx:checkpoint() end }\n"

static void leave_room(rlim_t bytes) {
  struct rlimit now;
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &now), 0);
  now.rlim_cur = bytes;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
}

static void runs_are_deferred_until_there_is_room(void **state) {
  (void)state;
  static const char *const orders[] = {"{\"name\":\"enqueue\",\"pipeline\":\"rows\"}",
                                       "{\"name\":\"enqueue\",\"pipeline\":\"end\"}",
                                       "{\"name\":\"enqueue\",\"pipeline\":\"c\"}"};
  bench *b = bench_with(TABLE PUTS("rows", 24) PUTS("end", 4) STEPS);
  leave_room(2 << 20);
  for (size_t i = 0; i < 3; i++) bench_ask(b, orders[i]);
  bench_until_sql(b, "select min(deferrals) >= 1 from dts_job");
  bench_expect(b, "select distinct retry_count from dts_job", "0\n");
  bench_expect(b,
               "select distinct outcome from dts_run where outcome is not null and "
               "json_extract(error, '$.code') in ('DISK_FULL', 'STORE_IO')",
               "deferred\n");
  bench_expect(b, "select count(*) from t where n > 1", "0\n");
  leave_room(RLIM_INFINITY);
  bench_until_sql(b, "select count(*) = 3 from dts_job where state = 'done'");
  bench_expect(b, "select distinct retry_count from dts_job", "0\n");
  bench_expect(b, "select count(*) from t where v is not null", "32\n");
  bench_invariants(b);
  bench_close(b);
}

/* Whoever waits before the screen is told; dates count no try. */
static void by_hand_a_full_disk_ends_the_run(void **state) {
  (void)state;
  bench *b = bench_with(TABLE DATES PUTS("rows", 24));
  leave_room(2 << 20);
  bench_contains(bench_run_error(b, "rows"), "DISK_FULL: ");
  bench_contains(bench_run_error(b, "g"), "DISK_FULL: ");
  bench_expect(b, "select distinct state, deferrals from dts_job", "failed|0\n");
  bench_expect(b, "select distinct state, retry_count, held from dts_gap", "open|0|0\n");
  bench_ask(b,
            "{\"name\":\"enqueue\",\"pipeline\":\"g\"}"); /* in the queue its dates wait as well */
  bench_until_sql(b, "select count(*) from dts_job where deferrals > 0");
  bench_expect(b, "select distinct state, retry_count, held from dts_gap", "open|0|1\n");
  leave_room(RLIM_INFINITY);
  bench_until_sql(b, "select count(*) from dts_job where deferrals > 0 and state = 'done'");
  bench_settle(b);
  bench_invariants(b);
  bench_close(b);
}

/* Nothing can be leased while nothing can be written: the queue is looked at again by itself. */
static void the_queue_goes_on_when_there_is_room(void **state) {
  (void)state;
  bench *b = bench_with("dts.pipeline { name = 'p', run = function() end }\n");
  bench_ask(b, "{\"name\":\"enqueue\",\"pipeline\":\"p\",\"delay_ms\":300}");
  leave_room(0);
  bench_wait(b, 800);
  leave_room(RLIM_INFINITY);
  bench_until_sql(b, "select count(*) = 1 from dts_job where state = 'done'");
  bench_invariants(b);
  bench_close(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(runs_are_deferred_until_there_is_room),
      cmocka_unit_test(by_hand_a_full_disk_ends_the_run),
      cmocka_unit_test(the_queue_goes_on_when_there_is_room),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
