/* job.c -- the transitions of a job, one small function for each kind of event.
 *
 * The idea: every function here moves a copy; job_step() hands it out only if the guard held and
 * the result keeps the invariants, else the caller gets the state back as it was. It must not read
 * a clock, draw a number or allocate.
 *
 * SPDX-License-Identifier: MIT */
#include "core/job.h"

#include <stddef.h>

#include "core/retry.h"

typedef struct step {
  const job_event *e;
  int64_t now;
  double random;
  job_state *job;
  job_effects *fx;
} step;

static int64_t later(int64_t at, int64_t ms) {
  int64_t sum;
  if (__builtin_add_overflow(at, ms, &sum)) return ms > 0 ? INT64_MAX : INT64_MIN;
  return sum;
}

static int64_t elapsed(int64_t from, int64_t now) {
  int64_t ms;
  if (__builtin_sub_overflow(now, from, &ms)) return now > from ? INT64_MAX : INT64_MIN;
  return ms;
}

static job_verdict refuse(step *t, job_verdict v, const char *why) {
  t->fx->error = why;
  return v;
}

static int64_t delay(const step *t, int count) {
  retry_policy policy = RETRY_JOB;
  return retry_delay(&policy, count, t->random);
}

/* Leaving `leased` always closes the attempt: one outcome for each epoch that a lease gave. */
static void leave_lease(step *t, job_status to, job_outcome outcome) {
  t->job->status = to;
  t->job->lease_until = 0;
  t->job->deadline = 0;
  t->fx->close_attempt = true;
  t->fx->outcome = outcome;
  t->fx->commit_staged = outcome == JOB_ATTEMPT_DONE;
  t->fx->drop_staged = outcome != JOB_ATTEMPT_DONE;
}

static void wait_until(step *t, int64_t run_at, job_outcome outcome) {
  leave_lease(t, JOB_WAITING, outcome);
  t->job->run_at = run_at;
}

/* Where others lie in quarantine, a job that runs `once` has failed: its one failure. */
static void set_aside(step *t, job_outcome outcome, const char *reason) {
  job_state *job = t->job;
  leave_lease(t, job->once ? JOB_FAILED : JOB_QUARANTINED,
              job->once ? JOB_ATTEMPT_FAILED : outcome);
  if (job->once) job->retry_count = 1, job->ended_at = t->now;
  t->fx->reason = reason;
  if (!t->fx->error) t->fx->error = reason;
}

/* The boundary: the count grows first, and the job is queued again iff it is within the limit. */
static void fail_retryable(step *t, const char *error) {
  job_state *job = t->job;
  t->fx->error = error;
  job->retry_count++;
  if (job->once) {
    set_aside(t, JOB_ATTEMPT_FAILED, error);
  } else if (job->retry_count <= job->limit) {
    wait_until(t, later(t->now, delay(t, job->retry_count)), JOB_ATTEMPT_FAILED);
  } else {
    set_aside(t, JOB_ATTEMPT_FAILED, "retries exhausted");
  }
}

static void fail_for_good(step *t, const char *reason) {
  t->job->retry_count++;
  set_aside(t, JOB_ATTEMPT_FAILED, reason);
}

static job_verdict on_tick(step *t) {
  if (t->job->status != JOB_WAITING) return refuse(t, JOB_REFUSED, "it is not waiting");
  if (t->job->run_at > t->now) return refuse(t, JOB_REFUSED, "its time has not come");
  t->job->status = JOB_QUEUED;
  return JOB_OK;
}

static const char *lease_hindrance(const step *t) {
  if (t->job->status != JOB_QUEUED) return "it is not queued";
  if (t->e->lease.paused) return "its pipeline is paused";
  if (t->e->lease.breaker_open) return "its destination's breaker is open";
  if (t->e->lease.group_busy) return "another job of its group comes first";
  return NULL;
}

static job_verdict on_lease(step *t) {
  const char *why = lease_hindrance(t);
  if (why) return refuse(t, JOB_REFUSED, why);
  int64_t total = t->e->lease.total_ms;
  t->job->status = JOB_LEASED;
  t->job->attempts++;
  t->job->epoch++;
  t->job->lease_until = later(t->now, JOB_LEASE_MS);
  t->job->deadline = total > 0 ? later(t->now, total) : INT64_MAX;
  t->fx->open_attempt = true;
  return JOB_OK;
}

static job_verdict on_heartbeat(step *t) {
  if (t->now >= t->job->lease_until) return refuse(t, JOB_EXPIRED, "its lease has run out");
  if (t->now >= t->job->deadline) return refuse(t, JOB_EXPIRED, "its total time has run out");
  t->job->lease_until = later(t->now, JOB_LEASE_MS);
  return JOB_OK;
}

static job_verdict on_checkpoint(step *t) {
  if (t->now >= t->job->lease_until) return refuse(t, JOB_EXPIRED, "its lease has run out");
  t->fx->commit_staged = true;
  return JOB_OK;
}

static job_verdict on_done(step *t) {
  leave_lease(t, JOB_DONE, JOB_ATTEMPT_DONE);
  t->job->ended_at = t->now;
  return JOB_OK;
}

static job_verdict on_fail(step *t) {
  const char *reason = t->e->fail.reason ? t->e->fail.reason : "failed";
  if (t->e->fail.permanent) {
    fail_for_good(t, reason);
  } else {
    fail_retryable(t, reason);
  }
  return JOB_OK;
}

static job_verdict on_defer(step *t) {
  job_state *job = t->job;
  int64_t wait = t->e->defer.retry_after_ms;
  if (job->deferrals >= JOB_DEFERRALS || elapsed(job->age_from, t->now) >= JOB_DEFER_AGE_MS) {
    set_aside(t, JOB_ATTEMPT_DEFERRED, "deferred too long");
    return JOB_OK;
  }
  job->deferrals++;
  int64_t least = delay(t, job->deferrals);
  if (wait > RETRY_AFTER_CAP_MS) wait = RETRY_AFTER_CAP_MS;
  wait_until(t, later(t->now, wait > least ? wait : least), JOB_ATTEMPT_DEFERRED);
  return JOB_OK;
}

static job_verdict on_sleep(step *t) {
  int64_t until = t->e->sleep.until;
  wait_until(t, until, JOB_ATTEMPT_SLEPT);
  if (until > t->job->age_from) t->job->age_from = until; /* its own wish, not the source's */
  return JOB_OK;
}

static job_verdict on_handback(step *t) {
  t->fx->stop_worker = true;
  if (t->job->handbacks >= JOB_HANDBACKS) {
    fail_retryable(t, "handed back too often");
    return JOB_OK;
  }
  t->job->handbacks++;
  leave_lease(t, JOB_QUEUED, JOB_ATTEMPT_HANDED_BACK);
  t->job->run_at = t->now;
  return JOB_OK;
}

static job_verdict on_interrupted(step *t) {
  if (t->job->interruptions >= JOB_INTERRUPTIONS) {
    set_aside(t, JOB_ATTEMPT_INTERRUPTED, "interrupted too often");
    return JOB_OK;
  }
  t->job->interruptions++;
  leave_lease(t, JOB_QUEUED, JOB_ATTEMPT_INTERRUPTED);
  t->job->run_at = t->now;
  return JOB_OK;
}

static job_verdict on_lease_expired(step *t) {
  if (t->now < t->job->lease_until) return refuse(t, JOB_REFUSED, "its lease still holds");
  t->fx->stop_worker = true;
  fail_retryable(t, "worker lost");
  return JOB_OK;
}

static job_verdict on_worker_lost(step *t) {
  t->fx->signal = t->e->lost.signal;
  t->job->worker_deaths++;
  if (t->job->worker_deaths >= JOB_WORKER_DEATHS) {
    t->fx->error = "worker lost";
    fail_for_good(t, "poison");
  } else {
    fail_retryable(t, "worker lost");
  }
  return JOB_OK;
}

static job_verdict on_cancel(step *t) {
  if (!job_is_open(t->job->status)) {
    return refuse(t, JOB_REFUSED, "only a waiting, queued or leased job can be cancelled");
  }
  if (t->job->status == JOB_LEASED) {
    leave_lease(t, JOB_CANCELLED, JOB_ATTEMPT_CANCELLED);
    t->fx->stop_worker = true;
  }
  t->job->status = JOB_CANCELLED;
  t->job->ended_at = t->now;
  return JOB_OK;
}

static const char *person_hindrance(const step *t) {
  if (t->job->status != JOB_QUARANTINED) return "it is not in quarantine";
  if (!t->e->person.permitted) return "whoever asks has no permission for it";
  return NULL;
}

/* A release is a fresh start: every budget is whole again, only the history stays. */
static job_verdict on_release(step *t) {
  const char *why = person_hindrance(t);
  if (why) return refuse(t, JOB_REFUSED, why);
  job_state *job = t->job;
  job->status = JOB_QUEUED;
  job->retry_count = job->deferrals = 0;
  job->handbacks = job->interruptions = job->worker_deaths = 0;
  job->releases++;
  job->run_at = job->age_from = t->now;
  t->fx->audit = true;
  return JOB_OK;
}

static job_verdict on_drop(step *t) {
  const char *why = person_hindrance(t), *reason = t->e->person.reason;
  if (why) return refuse(t, JOB_REFUSED, why);
  if (!reason || !*reason) return refuse(t, JOB_REFUSED, "dropping a job needs a reason");
  t->job->status = JOB_CANCELLED;
  t->job->ended_at = t->now;
  t->fx->audit = true;
  t->fx->reason = reason;
  return JOB_OK;
}

static job_verdict on_prune(step *t) {
  const job_state *job = t->job;
  if (!job_is_over(job->status)) return refuse(t, JOB_REFUSED, "it is not over");
  if (elapsed(job->ended_at, t->now) <= t->e->prune.retention_ms) {
    return refuse(t, JOB_REFUSED, "it is still to be kept");
  }
  if (elapsed(job->created_at, t->now) <= t->e->prune.key_window_ms) {
    return refuse(t, JOB_REFUSED, "its key is still held");
  }
  t->fx->remove = true;
  return JOB_OK;
}

static job_verdict (*const transitions[])(step *) = {
    [JOB_TICK] = on_tick,
    [JOB_LEASE] = on_lease,
    [JOB_HEARTBEAT] = on_heartbeat,
    [JOB_CHECKPOINT] = on_checkpoint,
    [JOB_DONE_EVENT] = on_done,
    [JOB_FAIL] = on_fail,
    [JOB_DEFER] = on_defer,
    [JOB_SLEEP] = on_sleep,
    [JOB_HANDBACK] = on_handback,
    [JOB_INTERRUPTED] = on_interrupted,
    [JOB_LEASE_EXPIRED] = on_lease_expired,
    [JOB_WORKER_LOST] = on_worker_lost,
    [JOB_CANCEL] = on_cancel,
    [JOB_RELEASE] = on_release,
    [JOB_DROP] = on_drop,
    [JOB_PRUNE] = on_prune,
};

/* The fence: whoever speaks for a lease must name the one that the job has now. */
static job_verdict decide(step *t) {
  job_event_kind kind = t->e->kind;
  bool speaks_for_lease = kind >= JOB_HEARTBEAT && kind <= JOB_WORKER_LOST;
  if (kind > JOB_PRUNE) return refuse(t, JOB_REFUSED, "no such event");
  if (speaks_for_lease && (t->job->status != JOB_LEASED || t->e->epoch != t->job->epoch)) {
    return refuse(t, JOB_FENCED, "its lease has passed to another attempt or ended");
  }
  return transitions[kind](t);
}

job_verdict job_step(const job_state *s, const job_event *e, int64_t now_ms, double random,
                     job_state *out, job_effects *fx) {
  const job_state before = *s;
  job_state job = before;
  *fx = (job_effects){0};
  step t = {.e = e, .now = now_ms, .random = random, .job = &job, .fx = fx};
  const char *broken = job_check(&before);
  job_verdict v = broken ? JOB_REFUSED : decide(&t);
  if (v == JOB_OK && (broken = job_check(&job))) v = JOB_REFUSED;
  *out = v == JOB_OK ? job : before;
  if (v != JOB_OK) *fx = (job_effects){.error = broken ? broken : fx->error};
  return v;
}

job_state job_begin(int64_t now_ms, int64_t run_at, int limit, bool once) {
  bool waits = run_at > now_ms;
  int64_t start = waits ? run_at : now_ms;
  return (job_state){.status = waits ? JOB_WAITING : JOB_QUEUED,
                     .once = once,
                     .limit = limit < 0 ? 0 : limit,
                     .run_at = start,
                     .created_at = now_ms,
                     .age_from = start};
}

job_key_verdict job_key_decide(const job_state *holder, bool same_payload, int64_t now_ms,
                               int64_t window_ms) {
  if (!holder) return JOB_KEY_NEW;
  if (job_is_over(holder->status) && elapsed(holder->created_at, now_ms) > window_ms) {
    return JOB_KEY_NEW;
  }
  return same_payload ? JOB_KEY_SAME : JOB_KEY_CONFLICT;
}
