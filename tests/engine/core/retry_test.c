/* retry_test.c -- delays, Retry-After, and the choice between stop, wait and later.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <limits.h>

#include "chance.h"
#include "core/retry.h"

static void delay_doubles_up_to_its_cap(void **state) {
  (void)state;
  const int64_t tops[] = {2000, 4000, 8000, 16000, 32000, 64000, 128000, 256000, 512000, 900000};
  retry_policy p = RETRY_JOB;
  for (int i = 0; i < 10; i++) assert_int_equal(retry_delay(&p, i + 1, 0.5), tops[i] / 2);
  assert_int_equal(retry_delay(&p, 1, 0), 0);
  assert_int_equal(retry_delay(&p, 0, 0.5), 1000);
  assert_int_equal(retry_delay(&p, -7, 0.5), 1000);
}

/* 2^count overflows at 63, long before a count does. */
static void exponent_is_clamped(void **state) {
  (void)state;
  retry_policy p = RETRY_JOB, one = {1, INT64_MAX, 0}, wide = {INT64_MAX, INT64_MAX, 0};
  for (int count = 10; count < 300; count++) {
    assert_int_equal(retry_delay(&p, count, 0.5), 450000);
  }
  assert_int_equal(retry_delay(&p, INT_MAX, 0.5), 450000);
  assert_int_equal(retry_delay(&p, INT_MIN, 0.5), 1000);
  assert_true(retry_delay(&one, 63, 0.5) == (INT64_C(1) << 61));
  assert_true(retry_delay(&one, 500, 0.5) > 0);
  assert_true(retry_delay(&wide, 9, 0.999999999999) > 0);
}

static void delay_is_uniform_between_floor_and_top(void **state) {
  (void)state;
  retry_policy p = {2000, 900000, 500}, high = {2000, 3000, 9000}, none = {0, 900000, 0};
  uint64_t seed = 3;
  int64_t least = INT64_MAX, most = 0, sum = 0;
  for (int i = 0; i < 20000; i++) {
    int64_t ms = retry_delay(&p, 3, chance_unit(&seed));
    least = ms < least ? ms : least;
    most = ms > most ? ms : most;
    sum += ms;
  }
  assert_true(least >= 500 && least < 510 && most < 8000 && most > 7990);
  assert_in_range(sum / 20000, 4150, 4350);
  assert_int_equal(retry_delay(&high, 3, 0.5), 9000);
  assert_int_equal(retry_delay(&none, 3, 0.5), 0);
}

static void retry_after_takes_seconds(void **state) {
  (void)state;
  assert_int_equal(retry_after_seconds("0"), 0);
  assert_int_equal(retry_after_seconds("60"), 60000);
  assert_int_equal(retry_after_seconds(" 007\t"), 7000);
  assert_int_equal(retry_after_seconds("3600"), 3600000);
  assert_int_equal(retry_after_seconds("3601"), 3600000);
  assert_int_equal(retry_after_seconds("99999999999999999999999999999"), 3600000);
  const char *const bad[] = {"",    " ", "-5",  "+5",  "1.5",      "5s",
                             "1 2", "x", "0x5", "1e3", "\xC2\xB2", NULL};
  for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
    assert_int_equal(retry_after_seconds(bad[i]), 0);
    assert_false(retry_after_is_seconds(bad[i]));
  }
}

static void retry_after_takes_a_date_against_the_replys_own(void **state) {
  (void)state;
  assert_int_equal(retry_after_date(1000000, 970000), 30000);
  assert_int_equal(retry_after_date(970000, 1000000), 0);
  assert_int_equal(retry_after_date(1000000, 1000000), 0);
  assert_int_equal(retry_after_date(INT64_MAX, INT64_MIN), 3600000);
  assert_int_equal(retry_after_date(INT64_MIN, INT64_MAX), 0);
}

static void only_some_statuses_are_tried_again(void **state) {
  (void)state;
  for (int status = 100; status < 700; status++) {
    bool expected = status == 408 || status == 425 || status == 429 || status / 100 == 5;
    assert_int_equal(retry_status(status), expected);
  }
  assert_true(retry_status(0));
  assert_true(retry_method("GET", false) && retry_method("PUT", false));
  assert_true(retry_method("DELETE", false) && retry_method("HEAD", false));
  assert_false(retry_method("POST", false) || retry_method("patch", false));
  assert_true(retry_method("POST", true) && retry_method("PATCH", true));
}

static retry_verdict decide(int status, int tries, int64_t elapsed, int64_t after, int64_t *wait) {
  retry_try t = {"GET", false, status, tries, elapsed, after};
  return retry_decide(&t, 0.5, wait);
}

static void four_tries_within_half_a_minute(void **state) {
  (void)state;
  int64_t wait;
  assert_int_equal(decide(500, 1, 100, 0, &wait), RETRY_WAIT);
  assert_int_equal(wait, 500);
  assert_int_equal(decide(0, 3, 9000, 0, &wait), RETRY_WAIT);
  assert_int_equal(wait, 2000);
  assert_int_equal(decide(500, 4, 9000, 0, &wait), RETRY_STOP);
  assert_int_equal(wait, 0);
  assert_int_equal(decide(500, 1, 29500, 0, &wait), RETRY_WAIT);
  assert_int_equal(decide(500, 1, 29501, 0, &wait), RETRY_STOP);
  assert_int_equal(decide(404, 1, 0, 5000, &wait), RETRY_STOP);
  assert_int_equal(decide(200, 1, 0, 0, &wait), RETRY_STOP);
}

static void a_longer_wish_becomes_a_deferral(void **state) {
  (void)state;
  int64_t wait;
  assert_int_equal(decide(429, 1, 0, 5000, &wait), RETRY_WAIT);
  assert_int_equal(wait, 5000);
  assert_int_equal(decide(429, 1, 0, 60000, &wait), RETRY_LATER);
  assert_int_equal(wait, 60000);
  assert_int_equal(decide(503, 4, 0, 1000, &wait), RETRY_LATER); /* asked for it to the last */
  assert_int_equal(wait, 4000);                                  /* own jitter is longer */
  assert_int_equal(decide(429, 4, 0, 0, &wait), RETRY_STOP);     /* it named no time */
  assert_int_equal(decide(500, 1, 0, 60000, &wait), RETRY_STOP);
  assert_int_equal(decide(429, 1, 0, INT64_MAX, &wait), RETRY_LATER);
  assert_int_equal(wait, 3600000);
}

static void a_post_is_not_sent_twice(void **state) {
  (void)state;
  int64_t wait;
  retry_try t = {"POST", false, 500, 1, 0, 0};
  assert_int_equal(retry_decide(&t, 0.5, &wait), RETRY_STOP);
  t.status = 0;
  assert_int_equal(retry_decide(&t, 0.5, &wait), RETRY_STOP);
  t.idempotency = true;
  assert_int_equal(retry_decide(&t, 0.5, &wait), RETRY_WAIT);
  t = (retry_try){"POST", false, 429, 1, 0, 2000};
  assert_int_equal(retry_decide(&t, 0.5, &wait), RETRY_LATER);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(delay_doubles_up_to_its_cap),
      cmocka_unit_test(exponent_is_clamped),
      cmocka_unit_test(delay_is_uniform_between_floor_and_top),
      cmocka_unit_test(retry_after_takes_seconds),
      cmocka_unit_test(retry_after_takes_a_date_against_the_replys_own),
      cmocka_unit_test(only_some_statuses_are_tried_again),
      cmocka_unit_test(four_tries_within_half_a_minute),
      cmocka_unit_test(a_longer_wish_becomes_a_deferral),
      cmocka_unit_test(a_post_is_not_sent_twice),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
