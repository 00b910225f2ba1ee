/* quota_test.c -- rate headers as sources write them, and as nobody should.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/quota.h"
#include "core/retry.h"

#define NOW INT64_C(1767225600000) /* 2026-01-01 */

static int64_t plain(const char *remaining, const char *reset) {
  return quota_wait(&(quota){remaining, reset, NULL, NOW});
}

static int64_t field(const char *text) { return quota_wait(&(quota){NULL, NULL, text, NOW}); }

static void a_reset_is_seconds_or_a_moment(void **state) {
  (void)state;
  assert_int_equal(plain("0", "30"), 30000);
  assert_int_equal(plain("0", "1767225612"), 12000);
  assert_int_equal(plain("0", "1767225612500"), 12500);
  assert_int_equal(plain(" 0 ", " 30 "), 30000);
  assert_int_equal(plain("0", "0.4"), 1000);
  assert_int_equal(plain("0", "7s"), 7000);
  assert_int_equal(plain("0, 0", "30, 30"), 30000);
}

static void something_left_is_no_wait(void **state) {
  (void)state;
  assert_int_equal(plain("1", "30"), 0);
  assert_int_equal(plain("4999", "1767225612"), 0);
  assert_int_equal(plain("0.5", "30"), 0);
  assert_int_equal(plain(NULL, "30"), 0);
  assert_int_equal(plain("0", NULL), 0);
  assert_int_equal(quota_wait(&(quota){0}), 0);
}

static void what_cannot_be_read_holds_nothing_up(void **state) {
  (void)state;
  const char *const odd[] = {
      "", "-5", "soon", "0x10", "1e3", "12 minutes", "6m0s", "--", "99999999999999999999"};
  for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
    assert_int_equal(plain("0", odd[i]), 0);
    assert_int_equal(plain(odd[i], "30"), 0);
  }
  assert_int_equal(plain("0", "1767225599"), 0);                         /* past */
  assert_int_equal(quota_wait(&(quota){"0", "1767225612", NULL, 0}), 0); /* no Date */
}

static void an_hour_is_the_longest(void **state) {
  (void)state;
  assert_int_equal(plain("0", "86400"), RETRY_AFTER_CAP_MS);
  assert_int_equal(plain("0", "999999999"), RETRY_AFTER_CAP_MS);
  assert_int_equal(plain("0", "1867225600"), RETRY_AFTER_CAP_MS);
}

static void the_drafts_field_in_both_forms(void **state) {
  (void)state;
  assert_int_equal(field("\"default\";r=0;t=30"), 30000);
  assert_int_equal(field("\"default\";r=50;t=30"), 0);
  assert_int_equal(field("\"a;r=9,t\";r=0;t=5"), 5000);
  assert_int_equal(field("\"minute\";r=0;t=20, \"day\";r=10;t=4000"), 20000);
  assert_int_equal(field("\"day\";r=10;t=4000, \"minute\";r=0;t=20"), 20000);
  assert_int_equal(field("\"minute\";r=0;t=20, \"day\";r=0;t=600"), 600000);
  assert_int_equal(field("limit=100, remaining=0, reset=30"), 30000);
  assert_int_equal(field("limit=100, remaining=1, reset=30"), 0);
  assert_int_equal(field("\"default\";r=0"), 0);
  assert_int_equal(field(";;;,,,===\"\"\""), 0);
  assert_int_equal(field("\"never closed;r=0;t=30"), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_reset_is_seconds_or_a_moment),
      cmocka_unit_test(something_left_is_no_wait),
      cmocka_unit_test(what_cannot_be_read_holds_nothing_up),
      cmocka_unit_test(an_hour_is_the_longest),
      cmocka_unit_test(the_drafts_field_in_both_forms),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
