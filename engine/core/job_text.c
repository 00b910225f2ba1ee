/* job_text.c -- a job's words, and the invariants of one row.
 *
 * Names are what the store keeps and people read; they never change. job_check() is called around
 * every step, so that a row damaged outside, or a wrong transition, is refused and not carried on.
 * It must not look beyond the one row: sums over rows are the store's tests.
 *
 * SPDX-License-Identifier: MIT */
#include "core/job.h"

#include <stddef.h>
#include <string.h>

#define COUNT(a)  (sizeof(a) / sizeof((a)[0]))
#define COUNT_MAX (1 << 30)

static const char *const statuses[] = {
    [JOB_WAITING] = "waiting",     [JOB_QUEUED] = "queued", [JOB_LEASED] = "leased",
    [JOB_DONE] = "done",           [JOB_FAILED] = "failed", [JOB_QUARANTINED] = "quarantined",
    [JOB_CANCELLED] = "cancelled",
};

static const char *const outcomes[] = {
    [JOB_ATTEMPT_OPEN] = "open",
    [JOB_ATTEMPT_DONE] = "done",
    [JOB_ATTEMPT_FAILED] = "failed",
    [JOB_ATTEMPT_DEFERRED] = "deferred",
    [JOB_ATTEMPT_SLEPT] = "slept",
    [JOB_ATTEMPT_HANDED_BACK] = "handed back",
    [JOB_ATTEMPT_INTERRUPTED] = "interrupted",
    [JOB_ATTEMPT_CANCELLED] = "cancelled",
};

static const char *const events[] = {
    [JOB_TICK] = "tick",
    [JOB_LEASE] = "lease",
    [JOB_HEARTBEAT] = "heartbeat",
    [JOB_CHECKPOINT] = "checkpoint",
    [JOB_DONE_EVENT] = "done",
    [JOB_FAIL] = "fail",
    [JOB_DEFER] = "defer",
    [JOB_SLEEP] = "sleep",
    [JOB_HANDBACK] = "hand back",
    [JOB_INTERRUPTED] = "interrupted",
    [JOB_LEASE_EXPIRED] = "lease expired",
    [JOB_WORKER_LOST] = "worker lost",
    [JOB_CANCEL] = "cancel",
    [JOB_RELEASE] = "release",
    [JOB_DROP] = "drop",
    [JOB_PRUNE] = "prune",
};

static const char *const verdicts[] = {"ok", "refused", "fenced", "expired"};

static const char *name_of(const char *const *names, size_t count, size_t i) {
  return i < count ? names[i] : "unknown";
}

static int index_of(const char *const *names, size_t count, const char *name) {
  for (size_t i = 0; name && i < count; i++) {
    if (strcmp(names[i], name) == 0) return (int)i;
  }
  return -1;
}

const char *job_status_name(job_status s) { return name_of(statuses, COUNT(statuses), s); }
const char *job_outcome_name(job_outcome o) { return name_of(outcomes, COUNT(outcomes), o); }
const char *job_event_name(job_event_kind k) { return name_of(events, COUNT(events), k); }
const char *job_verdict_name(job_verdict v) { return name_of(verdicts, COUNT(verdicts), v); }

int job_status_read(const char *name, job_status *out) {
  int i = index_of(statuses, COUNT(statuses), name);
  if (i >= 0) *out = (job_status)i;
  return i >= 0 ? 0 : -1;
}

bool job_is_open(job_status s) { return s == JOB_WAITING || s == JOB_QUEUED || s == JOB_LEASED; }

bool job_is_over(job_status s) { return s == JOB_DONE || s == JOB_FAILED || s == JOB_CANCELLED; }

static const char *check_counts(const job_state *s) {
  const int counts[] = {s->limit,     s->attempts,      s->retry_count, s->deferrals,
                        s->handbacks, s->interruptions, s->releases,    s->worker_deaths};
  for (size_t i = 0; i < COUNT(counts); i++) {
    if (counts[i] < 0 || counts[i] > COUNT_MAX) return "a count is out of range";
  }
  int64_t closed = s->attempts - (s->status == JOB_LEASED);
  int64_t counted = (int64_t)s->retry_count + s->deferrals + s->handbacks + s->interruptions;
  if (s->epoch != s->attempts) return "epoch and attempts differ";
  if (counted > closed) return "more outcomes are counted than attempts have ended";
  if (s->worker_deaths > s->retry_count) return "more workers died than attempts failed";
  if (s->deferrals > JOB_DEFERRALS) return "deferred too often";
  if (s->handbacks > JOB_HANDBACKS) return "handed back too often";
  if (s->interruptions > JOB_INTERRUPTIONS) return "interrupted too often";
  return NULL;
}

/* retry_count is at most limit + 1, and that only in quarantine; a job that failed has 1. A dropped
 * job was in quarantine, so a cancelled one may show what it had there. */
static const char *check_boundary(const job_state *s) {
  bool was_aside = s->status == JOB_QUARANTINED || s->status == JOB_CANCELLED;
  if (s->once) {
    if (s->status == JOB_QUARANTINED) return "a job that runs once is in quarantine";
    if (s->retry_count != (s->status == JOB_FAILED)) return "a job that runs once was retried";
    return NULL;
  }
  if (s->status == JOB_FAILED) return "failed, though it may be retried";
  if (s->retry_count > s->limit + was_aside) return "retry_count is past the limit";
  if (s->worker_deaths > JOB_WORKER_DEATHS - !was_aside) return "poison outside quarantine";
  return NULL;
}

static const char *check_times(const job_state *s) {
  if (s->status != JOB_LEASED && (s->lease_until || s->deadline)) return "a lease outlives itself";
  if (s->status == JOB_LEASED && s->attempts < 1) return "leased without an attempt";
  if (s->status == JOB_DONE && s->attempts < 1) return "done without an attempt";
  if (s->status == JOB_QUARANTINED && s->attempts < 1) return "in quarantine without an attempt";
  if (s->ended_at && !job_is_over(s->status)) return "ended, yet not over";
  return NULL;
}

const char *job_check(const job_state *s) {
  if ((unsigned)s->status >= COUNT(statuses)) return "no such status";
  const char *broken = check_counts(s);
  if (!broken) broken = check_boundary(s);
  return broken ? broken : check_times(s);
}
