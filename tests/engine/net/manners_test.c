/* manners_test.c -- tries, Retry-After and the breaker of fetch, on a clock that jumps.
 *
 * SPDX-License-Identifier: MIT */
#include "net/many.h"

static bool says_503(const asked *q) { return reply(q, 503, "", "down"); }
static bool says_404(const asked *q) { return reply(q, 404, "", "none"); }

static void test_waits_grow_with_full_jitter(void **state) {
  (void)state;
  start(says_503);
  l.chance = 0.5; /* half of 1, 2 and 4 seconds */
  fetch_request r = request("GET");
  loop_fetch(&l, &r, &got[0]);
  assert_string_equal(got[0].error.message, "");
  assert_int_equal(got[0].status, 503); /* a reply like any other */
  assert_string_equal(buffer_text(&got[0].body), "down");
  assert_int_equal(got[0].tries, 4);
  assert_int_equal(s.requests, 4);
  near(got[0].tried[0].waited_ms, 0);
  near(got[0].tried[1].waited_ms, 500);
  near(got[0].tried[2].waited_ms, 1000);
  near(got[0].tried[3].waited_ms, 2000);
  for (int i = 0; i < 4; i++) assert_int_equal(got[0].tried[i].status, 503);
}

static void test_waits_are_within_their_bounds(void **state) {
  (void)state;
  static const double chances[] = {0, 0.999};
  start(says_503);
  for (int i = 0; i < 2; i++) {
    l.chance = chances[i];
    fetch_request r = request("GET");
    r.tries = 3;
    loop_fetch(&l, &r, &got[i]);
    if (got[i].error.code[0]) fail_msg("%s", got[i].error.message);
    near(got[i].tried[1].waited_ms, i ? 999 : 0);
    near(got[i].tried[2].waited_ms, i ? 1998 : 0);
    loop_close(&l); /* and with it the breaker */
    loop_open(&l);
  }
}

static void test_other_statuses_are_not_tried_again(void **state) {
  (void)state;
  start(says_404);
  fetch_request r = request("GET");
  loop_fetch(&l, &r, &got[0]);
  assert_int_equal(got[0].status, 404);
  assert_int_equal(s.requests, 1);
}

static bool says_503_twice(const asked *q) { return q->number <= 2 ? says_503(q) : says_ok(q); }

static void test_a_later_try_may_succeed(void **state) {
  (void)state;
  start(says_503_twice);
  fetch_request r = request("DELETE");
  loop_fetch(&l, &r, &got[0]);
  assert_int_equal(got[0].status, 200);
  assert_int_equal(got[0].tries, 3);
  assert_int_equal(got[0].tried[1].status, 503);
  assert_int_equal(got[0].tried[2].status, 200);
}

static void test_post_is_tried_again_only_when_idempotent(void **state) {
  (void)state;
  start(says_503_twice);
  fetch_request r = request("POST");
  r.body = "x", r.body_size = 1;
  loop_fetch(&l, &r, &got[0]);
  assert_int_equal(got[0].status, 503);
  assert_int_equal(s.requests, 1);
  r.idempotent = true;
  loop_fetch(&l, &r, &got[1]);
  assert_int_equal(got[1].status, 200);
  assert_int_equal(s.requests, 3);
}

static bool says_reset(const asked *q) {
  struct linger now = {.l_onoff = 1};
  setsockopt(q->fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
  if (q->number == 1) return says_ok(q);
  return false;
}

/* curl would send it again by itself on a kept connection that turns out dead. */
static void test_post_is_never_doubled_by_a_dead_connection(void **state) {
  (void)state;
  start(says_reset);
  fetch_request r = request("POST");
  r.body = "x", r.body_size = 1;
  loop_fetch(&l, &r, &got[0]);
  assert_int_equal(got[0].status, 200);
  loop_fetch(&l, &r, &got[1]);
  assert_string_equal(got[1].error.code, "HTTP_NETWORK");
  assert_int_equal(s.requests, 2);
}

static bool says_cut(const asked *q) {
  say_text(q, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nhalf");
  return false;
}

static void test_network_faults_are_tried_again_and_told(void **state) {
  (void)state;
  start(says_cut);
  fetch_request r = request("GET");
  r.url = arena_format(&a, "http://user:s3cret@%s/?key=s3cret", s.name);
  loop_fetch(&l, &r, &got[0]);
  assert_string_equal(got[0].error.code, "HTTP_NETWORK");
  assert_string_equal(
      got[0].error.message,
      arena_format(&a,
                   "GET http://%s/: the connection was closed in the middle of the answer "
                   "(4 tries)",
                   s.name));
  assert_true(got[0].error.retryable);
  assert_int_equal(got[0].tries, 4);
  assert_int_equal(got[0].tried[3].status, 0);
  assert_non_null(strstr(got[0].tried[3].fault, "closed"));
  assert_int_equal(s.requests, 4);
}

static void test_each_try_has_its_time(void **state) {
  (void)state;
  start(says_late);
  l.chance = 0;
  fetch_request r = request("GET");
  r.timeout_ms = 50, r.tries = 2;
  loop_fetch(&l, &r, &got[0]);
  assert_string_equal(got[0].error.code, "HTTP_TIMEOUT");
  assert_int_equal(got[0].tries, 2);
  near(got[0].tried[0].took_ms, 50);
  near(got[0].tried[1].took_ms, 50);
}

static bool says_wait_5(const asked *q) {
  return q->number == 1 ? reply(q, 429, "Retry-After: 5\r\n", "slow") : says_ok(q);
}

static void test_retry_after_is_a_minimum(void **state) {
  (void)state;
  start(says_wait_5);
  fetch_request r = request("GET");
  loop_fetch(&l, &r, &got[0]);
  assert_int_equal(got[0].status, 200);
  assert_int_equal(got[0].tries, 2);
  near(got[0].tried[1].waited_ms, 5000);
}

static bool says_wait_60(const asked *q) { return reply(q, 429, "Retry-After: 60\r\n", "slow"); }

static void test_a_longer_wait_is_for_later(void **state) {
  (void)state;
  start(says_wait_60);
  fetch_request r = request("GET");
  loop_fetch(&l, &r, &got[0]);
  assert_string_equal(got[0].error.code, "HTTP_LATER");
  assert_string_equal(got[0].error.message,
                      arena_format(&a, "%s answered 429 and asks to wait 60 s", s.name));
  assert_int_equal(got[0].error.retry_after_ms, 60000);
  assert_int_equal(got[0].error.status, 429);
  assert_true(got[0].error.retryable);
  assert_int_equal(got[0].tries, 1);
  l.skipped += 20000; /* and it is left alone for that long by all others too */
  loop_fetch(&l, &r, &got[1]);
  assert_string_equal(got[1].error.code, "HTTP_LATER");
  assert_in_range(got[1].error.retry_after_ms, 35000, 40000);
  assert_int_equal(s.requests, 1);
  l.skipped += 20000; /* 20 s are left, which is worth waiting for */
  loop_fetch(&l, &r, &got[2]);
  assert_int_equal(s.requests, 2);
  assert_in_range(got[2].tried[0].waited_ms, 15000, 20050);
}

static bool says_nothing_left(const asked *q) {
  const char *heads = q->number == 1   ? "X-RateLimit-Remaining: 0\r\nX-RateLimit-Reset: 20\r\n"
                      : q->number == 2 ? "RateLimit: \"hour\";r=0;t=600\r\n"
                                       : "";
  return reply(q, 200, heads, "");
}

static void test_a_quota_that_is_used_up_is_waited_for(void **state) {
  (void)state;
  start(says_nothing_left);
  fetch_request r = request("GET");
  for (int i = 0; i < 3; i++) loop_fetch(&l, &r, &got[i]);
  assert_int_equal(got[0].status, 200);
  assert_int_equal(got[1].status, 200);
  near(got[1].tried[0].waited_ms, 20000);
  assert_string_equal(got[2].error.code, "HTTP_LATER");
  assert_in_range(got[2].error.retry_after_ms, 595000, 600000); /* what is left of it */
  assert_int_equal(s.requests, 2);
}

static bool says_too_many(const asked *q) {
  return q->number == 1 ? reply(q, 429, "X-RateLimit-Reset: 7\r\n", "") : says_ok(q);
}

static void test_a_status_says_that_nothing_is_left(void **state) {
  (void)state;
  start(says_too_many);
  fetch_request r = request("GET");
  loop_fetch(&l, &r, &got[0]);
  assert_int_equal(got[0].status, 200);
  near(got[0].tried[1].waited_ms, 7000);
}

static bool says_wait_until(const asked *q) {
  return reply(q, 503,
               "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
               "Retry-After: Sun, 06 Nov 1994 08:51:37 GMT\r\n",
               "");
}

static void test_retry_after_as_a_date_is_read_by_the_reply_s_own_clock(void **state) {
  (void)state;
  start(says_wait_until);
  fetch_request r = request("GET");
  loop_fetch(&l, &r, &got[0]);
  assert_string_equal(got[0].error.code, "HTTP_LATER");
  assert_int_equal(got[0].error.retry_after_ms, 120000);
}

static atomic_bool well;
static bool says_if_well(const asked *q) { return atomic_load(&well) ? says_ok(q) : says_503(q); }

static void test_the_breaker_opens_after_five_and_lets_one_probe_through(void **state) {
  (void)state;
  start(says_if_well);
  atomic_store(&well, false);
  l.chance = 0.5;
  fetch_request r = request("GET");
  assert_int_equal(fetch_breaker_wait(l.fetch, s.url), 0);
  loop_fetch(&l, &r, &got[0]);
  assert_int_equal(got[0].status, 503); /* four failures */
  loop_fetch(&l, &r, &got[1]);          /* the fifth */
  assert_string_equal(got[1].error.code, "HTTP_LATER");
  assert_non_null(strstr(got[1].error.message, "failed too often"));
  assert_non_null(strstr(got[1].error.message, "(last: status 503)"));
  assert_int_equal(got[1].tries, 1);
  assert_int_equal(s.requests, 5);
  int64_t wait = fetch_breaker_wait(l.fetch, s.url);
  assert_in_range(wait, 15000, 30000);
  loop_fetch(&l, &r, &got[2]); /* nothing reaches the server now */
  assert_string_equal(got[2].error.code, "HTTP_LATER");
  assert_in_range(got[2].error.retry_after_ms, wait - 5000, wait);
  assert_int_equal(s.requests, 5);
  l.skipped += wait;
  loop_fetch(&l, &r, &got[3]); /* the probe fails: open again, for longer */
  assert_string_equal(got[3].error.code, "HTTP_LATER");
  assert_int_equal(s.requests, 6);
  assert_true(fetch_breaker_wait(l.fetch, s.url) > wait);
  l.skipped += fetch_breaker_wait(l.fetch, s.url);
  atomic_store(&well, true);
  ended = 0;
  start_many(&r, 10, 3); /* one is the probe; the other two do not crowd it */
  loop_until(&l, &ended, 3);
  assert_int_equal(got[10].status, 200);
  assert_string_equal(got[11].error.code, "HTTP_LATER");
  assert_string_equal(got[12].error.code, "HTTP_LATER");
  assert_int_equal(s.requests, 7);
  assert_int_equal(fetch_breaker_wait(l.fetch, s.url), 0);
  loop_fetch(&l, &r, &got[4]);
  assert_int_equal(got[4].status, 200);
}

static void test_a_cancelled_probe_is_no_verdict(void **state) {
  (void)state;
  start(says_late);
  l.chance = 0;
  fetch_request r = request("GET");
  r.timeout_ms = 20;
  for (int i = 0; i < 2; i++) loop_fetch(&l, &r, &got[i]);
  assert_string_equal(got[1].error.code, "HTTP_LATER");
  l.skipped += fetch_breaker_wait(l.fetch, s.url);
  r.timeout_ms = 10000;
  got[2] = (answer){0};
  uint64_t id = fetch_start(l.fetch, &r, answer_done, &got[2]);
  loop_turn(&l);
  assert_true(fetch_breaker_wait(l.fetch, s.url) > 0); /* the probe is under way */
  fetch_cancel(l.fetch, id);
  assert_int_equal(fetch_breaker_wait(l.fetch, s.url), 0); /* the next call is the probe */
  assert_int_equal(got[2].calls, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_waits_grow_with_full_jitter, close_all),
      cmocka_unit_test_teardown(test_waits_are_within_their_bounds, close_all),
      cmocka_unit_test_teardown(test_other_statuses_are_not_tried_again, close_all),
      cmocka_unit_test_teardown(test_a_later_try_may_succeed, close_all),
      cmocka_unit_test_teardown(test_post_is_tried_again_only_when_idempotent, close_all),
      cmocka_unit_test_teardown(test_post_is_never_doubled_by_a_dead_connection, close_all),
      cmocka_unit_test_teardown(test_network_faults_are_tried_again_and_told, close_all),
      cmocka_unit_test_teardown(test_each_try_has_its_time, close_all),
      cmocka_unit_test_teardown(test_retry_after_is_a_minimum, close_all),
      cmocka_unit_test_teardown(test_a_longer_wait_is_for_later, close_all),
      cmocka_unit_test_teardown(test_a_quota_that_is_used_up_is_waited_for, close_all),
      cmocka_unit_test_teardown(test_a_status_says_that_nothing_is_left, close_all),
      cmocka_unit_test_teardown(test_retry_after_as_a_date_is_read_by_the_reply_s_own_clock,
                                close_all),
      cmocka_unit_test_teardown(test_the_breaker_opens_after_five_and_lets_one_probe_through,
                                close_all),
      cmocka_unit_test_teardown(test_a_cancelled_probe_is_no_verdict, close_all),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
