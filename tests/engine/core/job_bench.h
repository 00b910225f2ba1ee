/* job_bench.h -- one job brought into a state, an event said to it, the effects looked at.
 *
 * Include after cmocka.h.
 *
 * SPDX-License-Identifier: MIT */
#ifndef TEST_CORE_JOB_BENCH_H
#define TEST_CORE_JOB_BENCH_H

#include <string.h>

#include "core/job.h"
#include "core/retry.h"

#define HOUR ((int64_t)3600 * 1000)
#define NOW  ((int64_t)1700000000000)

typedef struct bench {
  job_state s;
  job_effects fx;
  int64_t now;
} bench;

static inline job_verdict say(bench *b, job_event e) {
  return job_step(&b->s, &e, b->now, 0.5, &b->s, &b->fx);
}

/* Says it in the name of the present lease. */
static inline job_verdict own(bench *b, job_event e) {
  e.epoch = b->s.epoch;
  return say(b, e);
}

static inline bench queued(int limit, bool once) {
  return (bench){.s = job_begin(NOW, NOW, limit, once), .now = NOW};
}

static inline void lease(bench *b) {
  assert_int_equal(say(b, (job_event){.kind = JOB_LEASE}), JOB_OK);
}

static inline bench leased(int limit) {
  bench b = queued(limit, false);
  lease(&b);
  return b;
}

/* From waiting or queued to leased again, however long that takes. */
static inline void lease_again(bench *b) {
  if (b->s.status == JOB_WAITING) {
    if (b->now < b->s.run_at) b->now = b->s.run_at;
    assert_int_equal(say(b, (job_event){.kind = JOB_TICK}), JOB_OK);
  }
  lease(b);
}

#define FAIL                                                                                       \
  (job_event) {                                                                                    \
    .kind = JOB_FAIL, .fail = {.reason = "HTTP_500" }                                              \
  }
#define GIVE_UP                                                                                    \
  (job_event) {                                                                                    \
    .kind = JOB_FAIL, .fail = {.permanent = true, .reason = "HTTP_404" }                           \
  }
#define DONE                                                                                       \
  (job_event) { .kind = JOB_DONE_EVENT }
#define RELEASE                                                                                    \
  (job_event) {                                                                                    \
    .kind = JOB_RELEASE, .person = {.permitted = true }                                            \
  }

static inline void assert_refused(bench *b, job_event e, job_verdict expected) {
  job_state before = b->s;
  assert_int_equal(say(b, e), expected);
  assert_memory_equal(&before, &b->s, sizeof before);
  assert_non_null(b->fx.error);
  assert_false(b->fx.commit_staged || b->fx.close_attempt || b->fx.open_attempt || b->fx.remove);
}

static inline void assert_closed(const bench *b, job_status status, job_outcome outcome) {
  assert_string_equal(job_status_name(b->s.status), job_status_name(status));
  assert_true(b->fx.close_attempt);
  assert_string_equal(job_outcome_name(b->fx.outcome), job_outcome_name(outcome));
  assert_int_equal(b->s.lease_until, 0);
  assert_true(b->fx.commit_staged == (outcome == JOB_ATTEMPT_DONE));
  assert_true(b->fx.drop_staged == (outcome != JOB_ATTEMPT_DONE));
  assert_null(job_check(&b->s));
}

#endif
