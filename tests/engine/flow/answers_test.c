/* answers_test.c -- answers to a run's questions that are larger than what carries them.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/kernel_help.h"

/* What no frame holds is told at once: the run waited for its answer until its time was over. */
static void an_answer_too_large_is_told(void **state) {
  (void)state;
  bench *b =
      bench_with("dts.pipeline { name = 'wide', limits = { time = '20s' }, run = function()\n"
                 "  return #dts.sql([[with recursive n(i) as (select 1 union all select i + 1 from "
                 "n where i < "
                 "70) select replace(printf('%.500000c', 'x'), 'x', 'ab') as t from n]])\n"
                 "end }\n");
  int64_t began = clock_monotonic_ms();
  bench_run(b, "wide");
  assert_true(clock_monotonic_ms() - began < 15000);
  bench_expect(b, "select json_extract(error, '$.code') from dts_run", "LIMIT_SIZE\n");
  bench_close(b);
}

/* Each fits, all at once do not: the run ends by that, not by its time. */
static void answers_too_large_together_are_told(void **state) {
  (void)state;
  bench *b = bench_with(
      "dts.pipeline { name = 'wide', limits = { time = '20s', memory = '2GB' }, run = function()\n"
      "  dts.each({ 1, 2, 3, 4, 5, 6 }, { concurrency = 6 }, function()\n"
      "    return #dts.sql([[with recursive n(i) as (select 1 union all select i + 1 from n where "
      "i "
      "< 60) select replace(printf('%.500000c', 'x'), 'x', 'ab') as t from n]])[1].t\n"
      "  end)\n"
      "end }\n");
  int64_t began = clock_monotonic_ms();
  bench_run(b, "wide");
  assert_true(clock_monotonic_ms() - began < 15000);
  const char *code = bench_text(b, "select json_extract(error, '$.code') from dts_run");
  if (strcmp(code, "\n") != 0) assert_string_equal(code, "LIMIT_SIZE\n");
  bench_close(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_answer_too_large_is_told),
      cmocka_unit_test(answers_too_large_together_are_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
