/* job_end_test.c -- the job table's rows from hand-back to pruning, jobs that run once, and damage.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "job_bench.h"

static void handed_back_twenty_times_then_a_failure(void **state) {
  (void)state;
  bench b = queued(5, false);
  for (int i = 1; i <= 20; i++) {
    lease_again(&b);
    own(&b, (job_event){.kind = JOB_HANDBACK});
    assert_closed(&b, JOB_QUEUED, JOB_ATTEMPT_HANDED_BACK);
    assert_true(b.fx.stop_worker);
    assert_int_equal(b.s.handbacks, i);
    assert_int_equal(b.s.retry_count, 0);
  }
  lease_again(&b);
  own(&b, (job_event){.kind = JOB_HANDBACK});
  assert_closed(&b, JOB_WAITING, JOB_ATTEMPT_FAILED);
  assert_int_equal(b.s.retry_count, 1);
}

static void interrupted_twenty_times_then_quarantine(void **state) {
  (void)state;
  bench b = queued(5, false);
  for (int i = 1; i <= 20; i++) {
    lease_again(&b);
    own(&b, (job_event){.kind = JOB_INTERRUPTED});
    assert_closed(&b, JOB_QUEUED, JOB_ATTEMPT_INTERRUPTED);
    assert_int_equal(b.s.interruptions, i);
  }
  lease_again(&b);
  own(&b, (job_event){.kind = JOB_INTERRUPTED});
  assert_closed(&b, JOB_QUARANTINED, JOB_ATTEMPT_INTERRUPTED);
  assert_int_equal(b.s.retry_count, 0);
  assert_string_equal(b.fx.reason, "interrupted too often");
}

static void an_expired_lease_is_a_failure(void **state) {
  (void)state;
  bench b = leased(0);
  b.now += 59999;
  assert_refused(&b, (job_event){.kind = JOB_LEASE_EXPIRED, .epoch = 1}, JOB_REFUSED);
  b.now += 1;
  own(&b, (job_event){.kind = JOB_LEASE_EXPIRED});
  assert_closed(&b, JOB_QUARANTINED, JOB_ATTEMPT_FAILED);
  assert_true(b.fx.stop_worker);
  assert_string_equal(b.fx.error, "worker lost");
  b = leased(1);
  b.now += 60000;
  own(&b, (job_event){.kind = JOB_LEASE_EXPIRED});
  assert_closed(&b, JOB_WAITING, JOB_ATTEMPT_FAILED);
}

static void the_third_dead_worker_is_poison(void **state) {
  (void)state;
  bench b = queued(5, false);
  for (int i = 1; i <= 3; i++) {
    lease_again(&b);
    own(&b, (job_event){.kind = JOB_WORKER_LOST, .lost = {.signal = 11}});
    assert_closed(&b, i < 3 ? JOB_WAITING : JOB_QUARANTINED, JOB_ATTEMPT_FAILED);
    assert_int_equal(b.s.retry_count, i);
    assert_int_equal(b.fx.signal, 11);
    assert_string_equal(b.fx.error, "worker lost");
  }
  assert_string_equal(b.fx.reason, "poison");
  bench few = leased(0);
  own(&few, (job_event){.kind = JOB_WORKER_LOST, .lost = {.signal = 9}});
  assert_closed(&few, JOB_QUARANTINED, JOB_ATTEMPT_FAILED);
  assert_string_equal(few.fx.reason, "retries exhausted");
}

static void cancel_fences_the_owner(void **state) {
  (void)state;
  const job_event cancel = {.kind = JOB_CANCEL};
  bench b = leased(5), q = queued(5, false);
  assert_int_equal(say(&b, cancel), JOB_OK);
  assert_closed(&b, JOB_CANCELLED, JOB_ATTEMPT_CANCELLED);
  assert_true(b.fx.stop_worker);
  assert_refused(&b, (job_event){.kind = JOB_DONE_EVENT, .epoch = 1}, JOB_FENCED);
  assert_refused(&b, cancel, JOB_REFUSED);
  assert_int_equal(say(&q, cancel), JOB_OK);
  assert_int_equal(q.s.status, JOB_CANCELLED);
  assert_false(q.fx.close_attempt);
  bench w = {.s = job_begin(NOW, NOW + 1, 5, false), .now = NOW};
  assert_int_equal(say(&w, cancel), JOB_OK);
  assert_int_equal(w.s.status, JOB_CANCELLED);
}

static void release_is_a_fresh_start(void **state) {
  (void)state;
  bench b = queued(5, false);
  for (int i = 0; i < 3; i++) {
    lease_again(&b);
    own(&b, (job_event){.kind = JOB_WORKER_LOST, .lost = {.signal = 11}});
  }
  assert_refused(&b, (job_event){.kind = JOB_RELEASE}, JOB_REFUSED);
  b.now += 100 * HOUR;
  assert_int_equal(say(&b, RELEASE), JOB_OK);
  assert_true(b.fx.audit);
  assert_int_equal(b.s.status, JOB_QUEUED);
  assert_int_equal(b.s.retry_count, 0);
  assert_int_equal(b.s.releases, 1);
  assert_int_equal(b.s.attempts, 3);
  assert_int_equal(b.s.epoch, 3);
  lease(&b);
  own(&b, (job_event){.kind = JOB_WORKER_LOST, .lost = {.signal = 11}});
  assert_int_equal(b.s.status, JOB_WAITING);
  lease_again(&b);
  own(&b, (job_event){.kind = JOB_DEFER});
  assert_int_equal(b.s.status, JOB_WAITING);
  assert_refused(&b, RELEASE, JOB_REFUSED);
}

static void drop_needs_permission_and_a_reason(void **state) {
  (void)state;
  bench b = leased(5);
  job_event drop = {.kind = JOB_DROP, .person = {.permitted = true}};
  assert_refused(&b, drop, JOB_REFUSED);
  own(&b, GIVE_UP);
  assert_refused(&b, drop, JOB_REFUSED);
  drop.person.reason = "the source is gone";
  drop.person.permitted = false;
  assert_refused(&b, drop, JOB_REFUSED);
  drop.person.permitted = true;
  assert_int_equal(say(&b, drop), JOB_OK);
  assert_int_equal(b.s.status, JOB_CANCELLED);
  assert_true(b.fx.audit);
  assert_string_equal(b.fx.reason, "the source is gone");
}

static void prune_waits_for_retention_and_key(void **state) {
  (void)state;
  bench b = leased(5);
  job_event prune = {.kind = JOB_PRUNE, .prune = {2 * HOUR, 24 * HOUR}};
  assert_refused(&b, prune, JOB_REFUSED);
  b.now += 23 * HOUR;
  own(&b, DONE);
  b.now += HOUR;
  assert_refused(&b, prune, JOB_REFUSED);
  b.now += HOUR;
  assert_refused(&b, prune, JOB_REFUSED);
  b.now += 1;
  assert_int_equal(say(&b, prune), JOB_OK);
  assert_true(b.fx.remove);
  prune.prune.key_window_ms = 48 * HOUR;
  assert_refused(&b, prune, JOB_REFUSED);
}

/* Where the table says waiting after a failure, or quarantined, a job that runs once has failed. */
static void a_job_that_runs_once_fails_once(void **state) {
  (void)state;
  const job_event ends[] = {
      FAIL, GIVE_UP, {.kind = JOB_LEASE_EXPIRED}, {.kind = JOB_WORKER_LOST, .lost = {.signal = 6}}};
  for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
    bench b = queued(5, true);
    lease(&b);
    b.now += 60000;
    assert_int_equal(own(&b, ends[i]), JOB_OK);
    assert_closed(&b, JOB_FAILED, JOB_ATTEMPT_FAILED);
    assert_int_equal(b.s.retry_count, 1);
    assert_int_equal(b.s.ended_at, b.now);
    assert_non_null(b.fx.reason);
    assert_refused(&b, RELEASE, JOB_REFUSED);
  }
  bench b = queued(5, true);
  lease(&b);
  own(&b, (job_event){.kind = JOB_DEFER});
  assert_closed(&b, JOB_WAITING, JOB_ATTEMPT_DEFERRED);
  b.now += 25 * HOUR;
  lease_again(&b);
  own(&b, (job_event){.kind = JOB_DEFER});
  assert_closed(&b, JOB_FAILED, JOB_ATTEMPT_FAILED);
  assert_string_equal(b.fx.reason, "deferred too long");
}

static void done_and_failed_are_never_left(void **state) {
  (void)state;
  for (job_event_kind k = JOB_TICK; k < JOB_PRUNE; k++) {
    bench done = leased(5), failed = queued(5, true);
    own(&done, DONE);
    lease(&failed);
    own(&failed, FAIL);
    job_event e = {.kind = k, .epoch = 1};
    if (k == JOB_RELEASE || k == JOB_DROP) e.person.permitted = true, e.person.reason = "x";
    bool speaks = k >= JOB_HEARTBEAT && k <= JOB_WORKER_LOST;
    assert_refused(&done, e, speaks ? JOB_FENCED : JOB_REFUSED);
    assert_refused(&failed, e, speaks ? JOB_FENCED : JOB_REFUSED);
  }
}

static void a_damaged_row_is_refused(void **state) {
  (void)state;
  bench b = leased(5);
  b.s.retry_count = 9;
  assert_refused(&b, (job_event){.kind = JOB_DONE_EVENT, .epoch = 1}, JOB_REFUSED);
  b = leased(5);
  b.s.epoch = 7;
  assert_string_equal(job_check(&b.s), "epoch and attempts differ");
  b = leased(5);
  b.s.status = JOB_DONE;
  assert_string_equal(job_check(&b.s), "a lease outlives itself");
  b.s.status = (job_status)99;
  assert_string_equal(job_check(&b.s), "no such status");
  b = leased(5);
  own(&b, GIVE_UP);
  b.s.retry_count = 7; /* a release would hide it */
  assert_refused(&b, RELEASE, JOB_REFUSED);
  assert_string_equal(b.fx.error, "more outcomes are counted than attempts have ended");
  b = queued(5, false);
  b.s.attempts = 1 << 30, b.s.epoch = 1 << 30; /* the step itself would do the damage */
  assert_refused(&b, (job_event){.kind = JOB_LEASE}, JOB_REFUSED);
  assert_string_equal(b.fx.error, "a count is out of range");
  b = queued(5, false);
  assert_refused(&b, (job_event){.kind = (job_event_kind)77}, JOB_REFUSED);
}

static void times_at_the_end_of_their_range_are_kept_there(void **state) {
  (void)state;
  bench b = queued(5, false);
  b.now = INT64_MAX - 5;
  lease(&b);
  assert_true(b.s.lease_until == INT64_MAX);
  own(&b, FAIL);
  assert_true(b.s.run_at == INT64_MAX);
  b = leased(5);
  b.now = INT64_MIN + 5;
  own(&b, (job_event){.kind = JOB_DEFER});
  assert_int_equal(b.s.status, JOB_WAITING);
}

static void names_read_both_ways(void **state) {
  (void)state;
  for (job_status s = JOB_WAITING; s <= JOB_CANCELLED; s++) {
    job_status back = JOB_DONE;
    assert_int_equal(job_status_read(job_status_name(s), &back), 0);
    assert_int_equal(back, s);
  }
  job_status untouched = JOB_LEASED;
  assert_int_equal(job_status_read("Waiting", &untouched), -1);
  assert_int_equal(job_status_read(NULL, &untouched), -1);
  assert_int_equal(untouched, JOB_LEASED);
  assert_string_equal(job_status_name((job_status)99), "unknown");
  assert_string_equal(job_event_name(JOB_HANDBACK), "hand back");
  assert_string_equal(job_verdict_name(JOB_FENCED), "fenced");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(handed_back_twenty_times_then_a_failure),
      cmocka_unit_test(interrupted_twenty_times_then_quarantine),
      cmocka_unit_test(an_expired_lease_is_a_failure),
      cmocka_unit_test(the_third_dead_worker_is_poison),
      cmocka_unit_test(cancel_fences_the_owner),
      cmocka_unit_test(release_is_a_fresh_start),
      cmocka_unit_test(drop_needs_permission_and_a_reason),
      cmocka_unit_test(prune_waits_for_retention_and_key),
      cmocka_unit_test(a_job_that_runs_once_fails_once),
      cmocka_unit_test(done_and_failed_are_never_left),
      cmocka_unit_test(a_damaged_row_is_refused),
      cmocka_unit_test(times_at_the_end_of_their_range_are_kept_there),
      cmocka_unit_test(names_read_both_ways),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
