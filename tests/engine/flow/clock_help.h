/* clock_help.h -- scripts of a test under a clock in its hands, for tests of when pipelines fire.
 *
 * SPDX-License-Identifier: MIT */
#ifndef TEST_CLOCK_HELP_H
#define TEST_CLOCK_HELP_H

#include "flow/kernel_help.h"

#define MINUTE ((int64_t)60 * 1000)
#define HOUR   (60 * MINUTE)
#define NOW    1773147600000 /* 2026-03-10T13:00Z, a Tuesday */

static bench *begin(const char *text, int64_t now) {
  bench *b = bench_new();
  bench_script(b, "x", text);
  bench_virtual(b, now);
  bench_settle(b);
  return b;
}

#define FIRED                                                                                      \
  "select strftime('%Y-%m-%dT%H:%M', fire_time / 1000, 'unixepoch'), day from dts_firing where "   \
  "fire_time is not null order by id"

/* The engine was away for so long: the mark of what was considered lies back. */
static void miss(bench *b, int64_t ms) {
  char sql[300];
  snprintf(sql, sizeof sql,
           "update dts_meta set data = (cast(substr(data, 1, instr(data, ' ') - 1) as integer) - "
           "%lld) || substr(data, instr(data, ' ')) "
           "where name like 'schedule:%%'",
           (long long)ms);
  help_exec(kernel_store(b->kernel), sql);
  bench_ask(b, "{\"name\":\"reload\"}");
  bench_settle(b);
}

#endif
