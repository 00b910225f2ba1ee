/* random_test.c -- bytes that differ, numbers in their range, ids in the order they were made.
 *
 * The bounds are so wide that chance alone breaks none of them in the age of the world.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/random.h"

static void bytes_fill_their_place_and_no_more(void **state) {
  (void)state;
  unsigned char *bytes = calloc(1, 1000), *again = malloc(998);
  random_bytes(bytes + 1, 998);
  random_bytes(again, 998);
  assert_int_equal(bytes[0], 0);
  assert_int_equal(bytes[999], 0);
  assert_memory_not_equal(bytes + 1, again, 998);
  random_bytes(bytes, 0);
  assert_int_equal(bytes[0], 0);
  free(bytes);
  free(again);
}

static void every_bit_is_as_often_on_as_off(void **state) {
  (void)state;
  int on[64] = {0};
  for (int i = 0; i < 10000; i++)
    for (uint64_t n = random_u64(), bit = 0; bit < 64; bit++) on[bit] += (n >> bit & 1) != 0;
  for (int i = 0; i < 64; i++) assert_in_range(on[i], 4400, 5600); /* 12 standard deviations */
}

static void units_lie_below_one(void **state) {
  (void)state;
  double sum = 0;
  for (int i = 0; i < 10000; i++) {
    double x = random_unit();
    assert_true(x >= 0 && x < 1);
    sum += x;
  }
  assert_true(sum > 4600 && sum < 5400);
}

static void ids_are_version_7_and_hold_the_time(void **state) {
  (void)state;
  char id[37];
  unsigned long long high, low;
  int64_t before = clock_now_ms();
  random_uuid(id);
  assert_int_equal(strlen(id), 36);
  assert_int_equal(strspn(id, "0123456789abcdef-"), 36);
  assert_true(id[8] == '-' && id[13] == '-' && id[18] == '-' && id[23] == '-');
  assert_int_equal(id[14], '7');
  assert_non_null(strchr("89ab", id[19]));
  assert_int_equal(sscanf(id, "%8llx-%4llx", &high, &low), 2);
  int64_t ms = (int64_t)(high << 16 | low);
  assert_true(ms >= before && ms <= clock_now_ms());
}

static void later_ids_sort_later(void **state) {
  (void)state;
  char last[37], id[37];
  random_uuid(last);
  for (int i = 0; i < 1000; i++) {
    struct timespec pause = {0, 1000};
    nanosleep(&pause, NULL);
    random_uuid(id);
    assert_true(strcmp(last, id) < 0);
    memcpy(last, id, sizeof last);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(bytes_fill_their_place_and_no_more),
      cmocka_unit_test(every_bit_is_as_often_on_as_off),
      cmocka_unit_test(units_lie_below_one),
      cmocka_unit_test(ids_are_version_7_and_hold_the_time),
      cmocka_unit_test(later_ids_sort_later),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
