/* clock_test.c -- the two clocks against the C library's.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <time.h>
#include <unistd.h>

#include "base/clock.h"

static void wall_time_is_that_of_the_system(void **state) {
  (void)state;
  int64_t before = (int64_t)time(NULL) - 1, now = clock_now_ms() / 1000;
  assert_true(now >= before && now <= (int64_t)time(NULL));
}

static void monotonic_time_counts_a_wait(void **state) {
  (void)state;
  int64_t start = clock_monotonic_ms();
  usleep(20000);
  int64_t waited = clock_monotonic_ms() - start;
  assert_true(waited >= 19 && waited < 10000);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(wall_time_is_that_of_the_system),
      cmocka_unit_test(monotonic_time_counts_a_wait),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
