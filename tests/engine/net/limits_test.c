/* limits_test.c -- rate and concurrency of fetch: nobody is lost, and nobody holds up others.
 *
 * SPDX-License-Identifier: MIT */
#include "net/many.h"

static void test_a_rate_spreads_calls(void **state) {
  (void)state;
  start(says_ok);
  fetch_request r = request("GET");
  r.manners = (fetch_manners){.rate_count = 2, .rate_ms = 1000};
  ended = 0;
  start_many(&r, 0, 10);
  loop_until(&l, &ended, 10);
  for (int i = 0; i < 10; i++) {
    assert_int_equal(got[i].status, 200);
    if (i > 1) assert_true(got[i].tried[0].at_ms - got[i - 2].tried[0].at_ms >= 999);
  }
  near(got[9].tried[0].waited_ms, 4500);
}

static void test_what_a_rate_cannot_fit_is_for_later_at_once(void **state) {
  (void)state;
  start(says_ok);
  fetch_request r = request("GET");
  r.manners = (fetch_manners){.rate_count = 1, .rate_ms = 10000};
  ended = 0;
  int64_t begin = loop_now(&l);
  start_many(&r, 0, 6);
  loop_until(&l, &ended, 2);
  assert_true(loop_now(&l) - begin < 5000); /* refused before anyone has waited */
  loop_until(&l, &ended, 6);
  for (int i = 0; i < 4; i++) assert_int_equal(got[i].status, 200); /* after 0, 10, 20, 30 s */
  for (int i = 4; i < 6; i++) {
    assert_string_equal(got[i].error.code, "HTTP_LATER");
    assert_in_range(got[i].error.retry_after_ms, 35000, 40000);
    assert_non_null(strstr(got[i].error.message, "the rate of 1 calls in 10 s is used up"));
  }
  assert_int_equal(s.requests, 4);
}

static void test_the_strictest_declared_rate_wins(void **state) {
  (void)state;
  start(says_ok);
  fetch_request loose = request("GET"), strict = request("GET");
  loose.manners = (fetch_manners){.rate_count = 1000, .rate_ms = 1000};
  strict.manners = (fetch_manners){.rate_count = 1, .rate_ms = 1000};
  loop_fetch(&l, &strict, &got[0]);
  loop_fetch(&l, &loose, &got[1]);
  assert_in_range(got[1].tried[0].waited_ms, 700, 1300);
}

static bool says_slowly(const asked *q) {
  usleep(20000);
  return says_ok(q);
}

static void test_concurrency_is_never_exceeded_and_nobody_is_lost(void **state) {
  (void)state;
  start(says_slowly);
  fetch_request r = request("GET");
  ended = 0;
  start_many(&r, 0, 60);
  loop_until(&l, &ended, 60);
  for (int i = 0; i < 60; i++) assert_int_equal(got[i].status, 200);
  assert_int_equal(s.most, 8);
  assert_true(s.connections <= 8);
  server_close(&s);
  loop_close(&l);
  start(says_slowly);
  r = request("GET");
  r.manners.concurrency = 3;
  ended = 0;
  start_many(&r, 60, 30);
  loop_until(&l, &ended, 30);
  assert_int_equal(s.most, 3);
}

static void test_a_crowded_host_does_not_hold_up_another(void **state) {
  (void)state;
  server other = {0};
  start(says_late);
  server_open(&other, says_ok);
  value both = server_allow(&a, &s, &other);
  fetch_request r = request("GET");
  r.allow_private = &both;
  ended = 0;
  start_many(&r, 0, 20);
  r.url = other.url;
  answer quick;
  loop_fetch(&l, &r, &quick);
  assert_int_equal(quick.status, 200);
  assert_int_equal(ended, 0);
  answer_free(&quick);
  server_close(&other);
  loop_close(&l);
  assert_int_equal(ended, 20);
  for (int i = 0; i < 20; i++) assert_string_equal(got[i].error.code, "CANCELLED");
  loop_open(&l);
}

/* A call that ends starts the next from inside `done`, and cancels one that waits. */
static uint64_t victim;
static void done_again(void *arg, fetch_reply *reply_, const dts_error *e) {
  answer_done(arg, reply_, e);
  fetch_cancel(l.fetch, victim);
  fetch_request r = request("GET");
  if (ended < 3) fetch_start(l.fetch, &r, done_again, &got[ended]);
}

static void test_done_may_start_and_cancel(void **state) {
  (void)state;
  start(says_ok);
  fetch_request r = request("GET");
  r.manners.concurrency = 1;
  ended = 0;
  for (int i = 0; i < 4; i++) got[i] = (answer){.count = &ended};
  fetch_start(l.fetch, &r, done_again, &got[0]);
  victim = fetch_start(l.fetch, &r, answer_done, &got[3]);
  loop_until(&l, &ended, 3);
  for (int i = 0; i < 20; i++) loop_turn(&l);
  assert_int_equal(ended, 3);
  assert_int_equal(got[3].calls, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_a_rate_spreads_calls, close_all),
      cmocka_unit_test_teardown(test_what_a_rate_cannot_fit_is_for_later_at_once, close_all),
      cmocka_unit_test_teardown(test_the_strictest_declared_rate_wins, close_all),
      cmocka_unit_test_teardown(test_concurrency_is_never_exceeded_and_nobody_is_lost, close_all),
      cmocka_unit_test_teardown(test_a_crowded_host_does_not_hold_up_another, close_all),
      cmocka_unit_test_teardown(test_done_may_start_and_cancel, close_all),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
