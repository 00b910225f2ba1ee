/* job_test.c -- the job table's rows from enqueueing to sleep, and the boundary.
 *
 * A case brings one job into the row's `from`, says the event, and looks at the state and at the
 * effects. Refusals must leave every byte of the state as it was.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "job_bench.h"

static void enqueue_makes_it_queued_or_waiting(void **state) {
  (void)state;
  job_state now = job_begin(NOW, NOW - 5, 5, false), later = job_begin(NOW, NOW + 1, -3, true);
  assert_int_equal(now.status, JOB_QUEUED);
  assert_int_equal(now.run_at, NOW);
  assert_int_equal(later.status, JOB_WAITING);
  assert_int_equal(later.limit, 0);
  assert_null(job_check(&now));
  assert_null(job_check(&later));
}

static void enqueue_with_a_key_that_is_held(void **state) {
  (void)state;
  bench b = leased(5);
  assert_int_equal(job_key_decide(NULL, true, NOW, JOB_KEY_WINDOW_MS), JOB_KEY_NEW);
  assert_int_equal(job_key_decide(&b.s, true, NOW, JOB_KEY_WINDOW_MS), JOB_KEY_SAME);
  assert_int_equal(job_key_decide(&b.s, false, NOW, JOB_KEY_WINDOW_MS), JOB_KEY_CONFLICT);
  assert_int_equal(job_key_decide(&b.s, true, NOW + 100 * HOUR, JOB_KEY_WINDOW_MS), JOB_KEY_SAME);
  assert_int_equal(own(&b, DONE), JOB_OK);
  assert_int_equal(job_key_decide(&b.s, true, NOW + 24 * HOUR, JOB_KEY_WINDOW_MS), JOB_KEY_SAME);
  assert_int_equal(job_key_decide(&b.s, true, NOW + 24 * HOUR + 1, JOB_KEY_WINDOW_MS), JOB_KEY_NEW);
}

static void waiting_ticks_to_queued_when_its_time_has_come(void **state) {
  (void)state;
  bench b = {.s = job_begin(NOW, NOW + 10, 5, false), .now = NOW + 9};
  assert_refused(&b, (job_event){.kind = JOB_TICK}, JOB_REFUSED);
  assert_refused(&b, (job_event){.kind = JOB_LEASE}, JOB_REFUSED);
  b.now = NOW + 10;
  assert_int_equal(say(&b, (job_event){.kind = JOB_TICK}), JOB_OK);
  assert_int_equal(b.s.status, JOB_QUEUED);
  assert_refused(&b, (job_event){.kind = JOB_TICK}, JOB_REFUSED);
}

static void queued_is_leased_unless_something_hinders(void **state) {
  (void)state;
  bench b = queued(5, false);
  assert_refused(&b, (job_event){.kind = JOB_LEASE, .lease = {.paused = true}}, JOB_REFUSED);
  assert_refused(&b, (job_event){.kind = JOB_LEASE, .lease = {.breaker_open = true}}, JOB_REFUSED);
  assert_refused(&b, (job_event){.kind = JOB_LEASE, .lease = {.group_busy = true}}, JOB_REFUSED);
  assert_int_equal(say(&b, (job_event){.kind = JOB_LEASE, .lease = {.total_ms = 5}}), JOB_OK);
  assert_int_equal(b.s.status, JOB_LEASED);
  assert_int_equal(b.s.attempts, 1);
  assert_int_equal(b.s.epoch, 1);
  assert_int_equal(b.s.lease_until, NOW + 60000);
  assert_int_equal(b.s.deadline, NOW + 5);
  assert_true(b.fx.open_attempt);
  assert_refused(&b, (job_event){.kind = JOB_LEASE}, JOB_REFUSED);
}

static void heartbeat_extends_a_lease_that_holds(void **state) {
  (void)state;
  bench b = queued(5, false);
  say(&b, (job_event){.kind = JOB_LEASE, .lease = {.total_ms = 110000}});
  b.now += 59999;
  assert_int_equal(own(&b, (job_event){.kind = JOB_HEARTBEAT}), JOB_OK);
  assert_int_equal(b.s.lease_until, b.now + 60000);
  b.now += 50001;
  assert_refused(&b, (job_event){.kind = JOB_HEARTBEAT, .epoch = 1}, JOB_EXPIRED);
  b = leased(5);
  b.now += 60000;
  assert_refused(&b, (job_event){.kind = JOB_HEARTBEAT, .epoch = 1}, JOB_EXPIRED);
}

static void checkpoint_commits_under_a_lease_that_holds(void **state) {
  (void)state;
  bench b = leased(5);
  b.now += 59999;
  job_state before = b.s;
  assert_int_equal(own(&b, (job_event){.kind = JOB_CHECKPOINT}), JOB_OK);
  assert_true(b.fx.commit_staged);
  assert_false(b.fx.close_attempt);
  assert_memory_equal(&before, &b.s, sizeof before);
  b.now += 1;
  assert_refused(&b, (job_event){.kind = JOB_CHECKPOINT, .epoch = 1}, JOB_EXPIRED);
}

static void done_ends_it(void **state) {
  (void)state;
  bench b = leased(5);
  b.now += 90000; /* late, but nobody has reaped it: the epoch decides */
  assert_int_equal(own(&b, DONE), JOB_OK);
  assert_closed(&b, JOB_DONE, JOB_ATTEMPT_DONE);
  assert_int_equal(b.s.ended_at, b.now);
}

static void another_epoch_is_fenced(void **state) {
  (void)state;
  for (job_event_kind k = JOB_HEARTBEAT; k <= JOB_WORKER_LOST; k++) {
    bench b = leased(5);
    own(&b, FAIL);
    assert_refused(&b, (job_event){.kind = k, .epoch = 1}, JOB_FENCED); /* no lease at all */
    lease_again(&b);
    b.now += 70000;
    assert_refused(&b, (job_event){.kind = k, .epoch = 1}, JOB_FENCED); /* an older one */
    assert_refused(&b, (job_event){.kind = k, .epoch = 3}, JOB_FENCED); /* one that never was */
  }
}

static void retryable_failure_waits_with_a_delay(void **state) {
  (void)state;
  bench b = leased(5);
  assert_int_equal(own(&b, FAIL), JOB_OK);
  assert_closed(&b, JOB_WAITING, JOB_ATTEMPT_FAILED);
  assert_int_equal(b.s.retry_count, 1);
  assert_int_equal(b.s.run_at, b.now + 1000); /* half of 2 s */
  assert_string_equal(b.fx.error, "HTTP_500");
  assert_null(b.fx.reason);
}

/* The boundary: limit 5 makes exactly six attempts and ends with a count of 6. */
static void always_failing_runs_limit_plus_one_times(void **state) {
  (void)state;
  for (int limit = 0; limit <= 8; limit++) {
    bench b = queued(limit, false);
    int runs = 0;
    while (b.s.status != JOB_QUARANTINED) {
      lease_again(&b);
      runs++;
      assert_int_equal(own(&b, FAIL), JOB_OK);
      assert_true(runs <= limit + 1);
    }
    assert_int_equal(runs, limit + 1);
    assert_int_equal(b.s.attempts, limit + 1);
    assert_int_equal(b.s.retry_count, limit + 1);
    assert_closed(&b, JOB_QUARANTINED, JOB_ATTEMPT_FAILED);
    assert_string_equal(b.fx.reason, "retries exhausted");
    assert_string_equal(b.fx.error, "HTTP_500");
  }
}

static void the_default_limit_makes_six_attempts(void **state) {
  (void)state;
  bench b = queued(JOB_LIMIT, false);
  for (int i = 1; i <= 6; i++) {
    lease_again(&b);
    own(&b, FAIL);
    assert_int_equal(b.s.status, i < 6 ? JOB_WAITING : JOB_QUARANTINED);
  }
  assert_int_equal(b.s.attempts, 6);
  assert_int_equal(b.s.retry_count, 6);
}

static void permanent_failure_goes_to_quarantine_at_once(void **state) {
  (void)state;
  bench b = leased(5);
  assert_int_equal(own(&b, GIVE_UP), JOB_OK);
  assert_closed(&b, JOB_QUARANTINED, JOB_ATTEMPT_FAILED);
  assert_int_equal(b.s.retry_count, 1);
  assert_string_equal(b.fx.reason, "HTTP_404");
}

static void deferral_burns_no_retry(void **state) {
  (void)state;
  bench b = leased(5);
  job_event later = {.kind = JOB_DEFER, .defer = {.retry_after_ms = 90000}};
  assert_int_equal(own(&b, later), JOB_OK);
  assert_closed(&b, JOB_WAITING, JOB_ATTEMPT_DEFERRED);
  assert_int_equal(b.s.run_at, b.now + 90000);
  assert_int_equal(b.s.retry_count, 0);
  assert_int_equal(b.s.deferrals, 1);
  lease_again(&b);
  own(&b, (job_event){.kind = JOB_DEFER});
  assert_int_equal(b.s.run_at, b.now + 2000); /* no wish: the delay, half of 4 s */
  lease_again(&b);
  own(&b, (job_event){.kind = JOB_DEFER, .defer = {.retry_after_ms = 9 * HOUR}});
  assert_int_equal(b.s.run_at, b.now + HOUR);
}

static void fifty_deferrals_or_a_day_are_too_long(void **state) {
  (void)state;
  bench b = queued(5, false);
  for (int i = 0; i < 50; i++) {
    lease_again(&b);
    assert_int_equal(own(&b, (job_event){.kind = JOB_DEFER}), JOB_OK);
    assert_int_equal(b.s.status, JOB_WAITING);
  }
  lease_again(&b);
  own(&b, (job_event){.kind = JOB_DEFER});
  assert_closed(&b, JOB_QUARANTINED, JOB_ATTEMPT_DEFERRED);
  assert_string_equal(b.fx.reason, "deferred too long");
  assert_int_equal(b.s.retry_count, 0);
  b = leased(5);
  b.now = NOW + 24 * HOUR - 1;
  own(&b, (job_event){.kind = JOB_DEFER});
  assert_int_equal(b.s.status, JOB_WAITING);
  b = leased(5);
  b.now = NOW + 24 * HOUR;
  own(&b, (job_event){.kind = JOB_DEFER});
  assert_closed(&b, JOB_QUARANTINED, JOB_ATTEMPT_DEFERRED);
}

static void own_delays_and_sleeps_are_no_age(void **state) {
  (void)state;
  bench b = {.s = job_begin(NOW, NOW + 48 * HOUR, 5, false), .now = NOW};
  lease_again(&b);
  own(&b, (job_event){.kind = JOB_DEFER});
  assert_int_equal(b.s.status, JOB_WAITING);
  lease_again(&b);
  own(&b, (job_event){.kind = JOB_SLEEP, .sleep = {.until = b.now + 72 * HOUR}});
  lease_again(&b);
  own(&b, (job_event){.kind = JOB_DEFER});
  assert_int_equal(b.s.status, JOB_WAITING);
}

static void sleep_counts_nothing(void **state) {
  (void)state;
  bench b = leased(5);
  own(&b, (job_event){.kind = JOB_SLEEP, .sleep = {.until = NOW + 5 * HOUR}});
  assert_closed(&b, JOB_WAITING, JOB_ATTEMPT_SLEPT);
  assert_int_equal(b.s.run_at, NOW + 5 * HOUR);
  assert_int_equal(b.s.retry_count + b.s.deferrals + b.s.handbacks + b.s.interruptions, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(enqueue_makes_it_queued_or_waiting),
      cmocka_unit_test(enqueue_with_a_key_that_is_held),
      cmocka_unit_test(waiting_ticks_to_queued_when_its_time_has_come),
      cmocka_unit_test(queued_is_leased_unless_something_hinders),
      cmocka_unit_test(heartbeat_extends_a_lease_that_holds),
      cmocka_unit_test(checkpoint_commits_under_a_lease_that_holds),
      cmocka_unit_test(done_ends_it),
      cmocka_unit_test(another_epoch_is_fenced),
      cmocka_unit_test(retryable_failure_waits_with_a_delay),
      cmocka_unit_test(always_failing_runs_limit_plus_one_times),
      cmocka_unit_test(the_default_limit_makes_six_attempts),
      cmocka_unit_test(permanent_failure_goes_to_quarantine_at_once),
      cmocka_unit_test(deferral_burns_no_retry),
      cmocka_unit_test(fifty_deferrals_or_a_day_are_too_long),
      cmocka_unit_test(own_delays_and_sleeps_are_no_age),
      cmocka_unit_test(sleep_counts_nothing),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
