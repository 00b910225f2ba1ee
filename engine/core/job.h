/* job.h -- what may become of a job, and what must be written when it does.
 *
 * One pure function decides every transition: job_step(state, event, now, random) gives the next
 * state and the effects, or a refusal with the state unchanged. Stores carry it out: read the row,
 * step, write `out` and the effects in the same transaction as the run's staged rows, with the
 * epoch and status that were read in the WHERE; no row changed means refused. Enqueueing inserts a
 * row and is the store's: job_key_decide() says whether, job_begin() makes the row.
 * Everything is a plain value; texts in the effects are constants or borrowed from the event.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_CORE_JOB_H
#define DTS_CORE_JOB_H

#include <stdbool.h>
#include <stdint.h>

#define JOB_LIMIT         5                    /* retry_count <= limit is queued again */
#define JOB_LEASE_MS      ((int64_t)60 * 1000) /* extended by each heartbeat */
#define JOB_HEARTBEAT_MS  ((int64_t)20 * 1000)
#define JOB_REAP_MS       ((int64_t)5 * 1000)
#define JOB_DEFERRALS     50
#define JOB_DEFER_AGE_MS  ((int64_t)24 * 3600 * 1000)
#define JOB_KEY_WINDOW_MS ((int64_t)24 * 3600 * 1000)
#define JOB_HANDBACKS     20
#define JOB_INTERRUPTIONS 20
#define JOB_WORKER_DEATHS 3 /* the third one is poison */

typedef enum job_status {
  JOB_WAITING, /* for run_at */
  JOB_QUEUED,
  JOB_LEASED,
  JOB_DONE,
  JOB_FAILED, /* only jobs that run `once` */
  JOB_QUARANTINED,
  JOB_CANCELLED
} job_status;

typedef enum job_outcome { /* of one attempt, the row (job, epoch) */
                           JOB_ATTEMPT_OPEN,
                           JOB_ATTEMPT_DONE,
                           JOB_ATTEMPT_FAILED,
                           JOB_ATTEMPT_DEFERRED,
                           JOB_ATTEMPT_SLEPT,
                           JOB_ATTEMPT_HANDED_BACK,
                           JOB_ATTEMPT_INTERRUPTED,
                           JOB_ATTEMPT_CANCELLED
} job_outcome;

typedef struct job_state { /* what the store keeps; times are milliseconds of one clock */
  job_status status;
  bool once; /* a span's job or a run by hand: not retried, a failure ends it as `failed` */
  int limit;
  int attempts;    /* leases ever given */
  int retry_count; /* failed attempts since creation or the last release */
  int deferrals;   /* these four: since creation or the last release */
  int handbacks;
  int interruptions;
  int worker_deaths;
  int releases;
  int64_t epoch;       /* the last lease's; 0 before the first */
  int64_t run_at;      /* waiting: not before this */
  int64_t lease_until; /* leased: 0 otherwise */
  int64_t deadline;    /* leased: end of its total time, INT64_MAX for none; 0 otherwise */
  int64_t created_at;
  int64_t age_from; /* deferrals' age counts from here: first run_at, release, end of a sleep */
  int64_t ended_at; /* done, failed, cancelled; 0 otherwise */
} job_state;

typedef enum job_event_kind {
  JOB_TICK,       /* no epoch: the scheduler sees that run_at has come */
  JOB_LEASE,      /* no epoch: gives a new one, out->epoch */
  JOB_HEARTBEAT,  /* from here to INTERRUPTED by the lease's owner, with its epoch */
  JOB_CHECKPOINT, /* checkpoint, end of a step, batch of a gaps run: staged effects commit */
  JOB_DONE_EVENT,
  JOB_FAIL,
  JOB_DEFER,
  JOB_SLEEP,
  JOB_HANDBACK,      /* SIGTERM */
  JOB_INTERRUPTED,   /* a new engine proved the old one dead; epoch as read */
  JOB_LEASE_EXPIRED, /* the reaper; epoch as read */
  JOB_WORKER_LOST,   /* the worker died while its engine lived; epoch of its lease */
  JOB_CANCEL,        /* no epoch from here on: a person or the pruner */
  JOB_RELEASE,
  JOB_DROP,
  JOB_PRUNE
} job_event_kind;

typedef struct job_event {
  job_event_kind kind;
  int64_t epoch; /* HEARTBEAT to WORKER_LOST: the epoch that the speaker saw */
  union {
    struct {
      bool paused, breaker_open, group_busy; /* any of them: refused, still queued */
      int64_t total_ms;                      /* limits.time; 0 for none */
    } lease;
    struct {
      bool permanent;
      const char *reason; /* code or text, becomes fx->error; borrowed */
    } fail;
    struct {
      int64_t retry_after_ms; /* 0 when the source named none */
    } defer;
    struct {
      int64_t until;
    } sleep;
    struct {
      int signal; /* 0: it left without a word */
    } lost;
    struct {
      bool permitted;     /* RELEASE and DROP: whoever asks may do this */
      const char *reason; /* DROP: must not be empty */
    } person;
    struct {
      int64_t retention_ms, key_window_ms;
    } prune;
  };
} job_event;

typedef enum job_verdict {
  JOB_OK,
  JOB_REFUSED, /* this state or guard does not allow the event: fx->error says which */
  JOB_FENCED,  /* the speaker's lease is not the job's present one: roll back, stop the worker */
  JOB_EXPIRED  /* its own lease has run out, or its total time: heartbeat and checkpoint only */
} job_verdict;

typedef struct job_effects { /* in the same transaction as `out` */
  bool open_attempt;         /* insert attempt (job, out->epoch) as open */
  bool close_attempt;        /* give attempt (job, out->epoch) its `outcome` */
  job_outcome outcome;
  bool commit_staged; /* apply what the run staged so far (checkpoint, done) */
  bool drop_staged;   /* forget it (every other end of an attempt) */
  bool stop_worker;   /* afterwards: a worker may still run for this lease; end it */
  bool audit;         /* write an audit row: who, when, `reason` */
  bool remove;        /* delete the job; counters stay */
  int signal;         /* WORKER_LOST: which, 0 none */
  const char *error;  /* text for the attempt row or of a refusal; NULL none */
  const char *reason; /* why it lies in quarantine or failed; NULL unless it does */
} job_effects;

/* The decision. `random` in [0,1). `out` may be `s`; on a refusal it is a copy of `s`. */
job_verdict job_step(const job_state *s, const job_event *e, int64_t now_ms, double random,
                     job_state *out, job_effects *fx);

/* A fresh row: queued, or waiting when run_at > now. limit < 0 is taken as 0. */
job_state job_begin(int64_t now_ms, int64_t run_at, int limit, bool once);

/* Enqueue with a key that a job holds: one that is open or quarantined, or was created within the
 * key's window, keeps its key; done does not give it back. */
typedef enum job_key_verdict { JOB_KEY_NEW, JOB_KEY_SAME, JOB_KEY_CONFLICT } job_key_verdict;
job_key_verdict job_key_decide(const job_state *holder /* NULL: none */, bool same_payload,
                               int64_t now_ms, int64_t window_ms);

/* NULL, or a sentence naming the first invariant of one row that does not hold. */
const char *job_check(const job_state *s);

bool job_is_open(job_status s); /* waiting, queued, leased */
bool job_is_over(job_status s); /* done, failed, cancelled */
const char *job_status_name(job_status s);
const char *job_outcome_name(job_outcome o);
int job_status_read(const char *name, job_status *out); /* 0, or -1 for an unknown name */
const char *job_event_name(job_event_kind k);
const char *job_verdict_name(job_verdict v);

#endif
