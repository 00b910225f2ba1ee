/* judge.h -- books kept beside the job rows, and the judgement on one step.
 *
 * The judge predicts from its own books what a step must say and where the job must stand after
 * it, enters the step, and then holds the row against the books. It shares no code with job.c.
 *
 * SPDX-License-Identifier: MIT */
#ifndef TEST_CORE_JUDGE_H
#define TEST_CORE_JUDGE_H

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/job.h"

#define BOOK_ROWS          400
#define JUDGE_RETENTION_MS 3600000

typedef struct book { /* one job: the row under test, and what the judge knows of it */
  bool exists;
  job_state s;
  long serial;
  int key, payload, mood;
  int64_t born, aged, over; /* enqueued; age of deferrals counts from; ended */
  int64_t holder;           /* epoch that holds the lease; 0 none */
  int64_t lease_end, total_end;
  int epochs;         /* attempt rows */
  int released_after; /* rows that the last release made history */
  int deaths;         /* since that release */
  job_outcome rows[BOOK_ROWS];
} book;

typedef struct verdict_of {
  job_state before, out;
  job_event e;
  int64_t now;
  double random;
  job_verdict verdict;
  job_effects fx;
} verdict_of;

typedef struct prediction {
  job_status status;
  job_outcome outcome; /* OPEN: no attempt ends */
  int64_t run_at;      /* -1: not looked at */
} prediction;

static int book_count(const book *b, job_outcome o) {
  int n = 0;
  for (int i = b->released_after; i < b->epochs; i++) n += b->rows[i] == o;
  return n;
}

static bool judge_speaks(job_event_kind k) { return k >= JOB_HEARTBEAT && k <= JOB_WORKER_LOST; }

static job_verdict predict_owner(const book *b, const verdict_of *v) {
  if (!b->holder || v->e.epoch != b->holder) return JOB_FENCED;
  bool out_of_lease = v->now >= b->lease_end;
  switch (v->e.kind) {
  case JOB_HEARTBEAT: return out_of_lease || v->now >= b->total_end ? JOB_EXPIRED : JOB_OK;
  case JOB_CHECKPOINT: return out_of_lease ? JOB_EXPIRED : JOB_OK;
  case JOB_LEASE_EXPIRED: return out_of_lease ? JOB_OK : JOB_REFUSED;
  default: return JOB_OK;
  }
}

static bool predict_other(const book *b, const verdict_of *v) {
  const job_event *e = &v->e;
  job_status s = v->before.status;
  bool over = s == JOB_DONE || s == JOB_FAILED || s == JOB_CANCELLED;
  switch (e->kind) {
  case JOB_TICK: return s == JOB_WAITING && v->before.run_at <= v->now;
  case JOB_LEASE:
    return s == JOB_QUEUED && !e->lease.paused && !e->lease.breaker_open && !e->lease.group_busy;
  case JOB_CANCEL: return !over && s != JOB_QUARANTINED;
  case JOB_RELEASE: return s == JOB_QUARANTINED && e->person.permitted;
  case JOB_DROP: return s == JOB_QUARANTINED && e->person.permitted && e->person.reason[0];
  default:
    return over && v->now - b->over > JUDGE_RETENTION_MS && v->now - b->born > JOB_KEY_WINDOW_MS;
  }
}

static job_verdict predict_verdict(const book *b, const verdict_of *v) {
  if (judge_speaks(v->e.kind)) return predict_owner(b, v);
  return predict_other(b, v) ? JOB_OK : JOB_REFUSED;
}

static int64_t predict_delay(int count, double random) {
  return (int64_t)(random * fmin(900000, 2000 * pow(2, count - 1)));
}

static prediction predict_failure(const book *b, const verdict_of *v, bool for_good) {
  int count = book_count(b, JOB_ATTEMPT_FAILED) + 1;
  if (b->s.once) return (prediction){JOB_FAILED, JOB_ATTEMPT_FAILED, -1};
  if (for_good || count > b->s.limit) {
    return (prediction){JOB_QUARANTINED, JOB_ATTEMPT_FAILED, -1};
  }
  return (prediction){JOB_WAITING, JOB_ATTEMPT_FAILED, v->now + predict_delay(count, v->random)};
}

static prediction predict_deferral(const book *b, const verdict_of *v) {
  int count = book_count(b, JOB_ATTEMPT_DEFERRED) + 1;
  int64_t wait = v->e.defer.retry_after_ms, least = predict_delay(count, v->random);
  if (wait > 3600000) wait = 3600000;
  if (count <= 50 && v->now - b->aged < 24 * 3600000) {
    return (prediction){JOB_WAITING, JOB_ATTEMPT_DEFERRED, v->now + (wait > least ? wait : least)};
  }
  if (b->s.once) return (prediction){JOB_FAILED, JOB_ATTEMPT_FAILED, -1};
  return (prediction){JOB_QUARANTINED, JOB_ATTEMPT_DEFERRED, -1};
}

static prediction predict_owner_step(const book *b, const verdict_of *v) {
  switch (v->e.kind) {
  case JOB_DONE_EVENT: return (prediction){JOB_DONE, JOB_ATTEMPT_DONE, -1};
  case JOB_FAIL: return predict_failure(b, v, v->e.fail.permanent);
  case JOB_DEFER: return predict_deferral(b, v);
  case JOB_SLEEP: return (prediction){JOB_WAITING, JOB_ATTEMPT_SLEPT, v->e.sleep.until};
  case JOB_LEASE_EXPIRED: return predict_failure(b, v, false);
  case JOB_WORKER_LOST: return predict_failure(b, v, b->deaths + 1 >= 3);
  case JOB_HANDBACK:
    if (book_count(b, JOB_ATTEMPT_HANDED_BACK) >= 20) return predict_failure(b, v, false);
    return (prediction){JOB_QUEUED, JOB_ATTEMPT_HANDED_BACK, v->now};
  case JOB_INTERRUPTED:
    if (book_count(b, JOB_ATTEMPT_INTERRUPTED) < 20) {
      return (prediction){JOB_QUEUED, JOB_ATTEMPT_INTERRUPTED, v->now};
    }
    if (b->s.once) return (prediction){JOB_FAILED, JOB_ATTEMPT_FAILED, -1};
    return (prediction){JOB_QUARANTINED, JOB_ATTEMPT_INTERRUPTED, -1};
  default: return (prediction){JOB_LEASED, JOB_ATTEMPT_OPEN, -1};
  }
}

static prediction predict_step(const book *b, const verdict_of *v) {
  if (judge_speaks(v->e.kind)) return predict_owner_step(b, v);
  switch (v->e.kind) {
  case JOB_TICK: return (prediction){JOB_QUEUED, JOB_ATTEMPT_OPEN, -1};
  case JOB_LEASE: return (prediction){JOB_LEASED, JOB_ATTEMPT_OPEN, -1};
  case JOB_RELEASE: return (prediction){JOB_QUEUED, JOB_ATTEMPT_OPEN, v->now};
  case JOB_DROP: return (prediction){JOB_CANCELLED, JOB_ATTEMPT_OPEN, -1};
  case JOB_CANCEL:
    return (prediction){JOB_CANCELLED, b->holder ? JOB_ATTEMPT_CANCELLED : JOB_ATTEMPT_OPEN, -1};
  default: return (prediction){v->before.status, JOB_ATTEMPT_OPEN, -1};
  }
}

static const char *judge_refusal(const verdict_of *v) {
  const job_effects *fx = &v->fx;
  if (memcmp(&v->before, &v->out, sizeof v->out) != 0) return "a refusal changed the state";
  if (fx->commit_staged) return "a fenced epoch added effects";
  if (fx->open_attempt || fx->close_attempt || fx->remove) return "a refusal wrote something";
  return NULL;
}

static const char *judge_prediction(const verdict_of *v, prediction p) {
  bool commits = v->e.kind == JOB_CHECKPOINT || v->e.kind == JOB_DONE_EVENT;
  bool ends = p.outcome != JOB_ATTEMPT_OPEN;
  if (v->out.status != p.status) return "a wrong state follows";
  if (v->fx.close_attempt != ends) return "an attempt was closed or left open wrongly";
  if (ends && v->fx.outcome != p.outcome) return "an attempt has the wrong outcome";
  if (p.run_at != -1 && llabs(v->out.run_at - p.run_at) > 1) return "a wrong delay";
  if (v->fx.commit_staged != commits) return "effects commit at the wrong time";
  if (v->fx.open_attempt != (v->e.kind == JOB_LEASE)) return "an attempt was opened wrongly";
  return NULL;
}

static void book_enter_release(book *b, int64_t now) {
  b->released_after = b->epochs;
  b->deaths = 0;
  b->aged = now;
}

static void book_enter(book *b, const verdict_of *v, prediction p) {
  job_event_kind k = v->e.kind;
  if (k == JOB_LEASE) {
    b->rows[b->epochs] = JOB_ATTEMPT_OPEN;
    b->holder = ++b->epochs;
    b->lease_end = v->now + 60000;
    b->total_end = v->e.lease.total_ms ? v->now + v->e.lease.total_ms : INT64_MAX;
  }
  if (k == JOB_HEARTBEAT) b->lease_end = v->now + 60000;
  if (k == JOB_WORKER_LOST) b->deaths++;
  if (k == JOB_RELEASE) book_enter_release(b, v->now);
  if (k == JOB_SLEEP && v->e.sleep.until > b->aged) b->aged = v->e.sleep.until;
  if (p.outcome != JOB_ATTEMPT_OPEN) {
    b->rows[b->holder - 1] = p.outcome;
    b->holder = 0;
  }
  if (k != JOB_PRUNE) b->over = v->now;
}

static const char *judge_books(const book *b, const job_state *s) {
  int failed = book_count(b, JOB_ATTEMPT_FAILED);
  if (s->attempts != b->epochs || s->epoch != b->epochs) return "attempts are not the rows";
  if (s->retry_count != failed) return "retry_count is not the failed outcomes";
  if (s->deferrals > book_count(b, JOB_ATTEMPT_DEFERRED)) return "deferrals are not the rows";
  if ((s->status == JOB_LEASED) != (b->holder != 0)) return "leased without holder";
  if (s->status == JOB_LEASED && s->lease_until != b->lease_end) return "a lease of wrong length";
  if (failed > s->limit + 1 && !s->once) return "more failures than the limit allows";
  return job_check(s);
}

/* NULL, or what is wrong with this step. */
static const char *judge(book *b, const verdict_of *v) {
  job_verdict right = predict_verdict(b, v);
  if (v->verdict == JOB_OK && right == JOB_FENCED) return "a late owner was let in";
  if (v->verdict != right) return "a wrong verdict";
  if (v->verdict != JOB_OK) return judge_refusal(v);
  prediction p = predict_step(b, v);
  const char *wrong = judge_prediction(v, p);
  if (wrong) return wrong;
  book_enter(b, v, p);
  return judge_books(b, &v->out);
}

#endif
