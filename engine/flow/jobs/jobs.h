/* jobs.h -- jobs in the store: core/job.h's decisions, carried out.
 *
 * One idea: every change of a job goes through jobs_step, inside some transaction, with the status and
 * epoch that were read in the WHERE; whatever else that transaction writes commits with it or not at all.
 * Rows handed out live in the arena given.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_JOBS_H
#define DTS_FLOW_JOBS_H

#include "core/job.h"
#include "flow/reload/registry.h"
#include "store/store.h"

typedef struct job {
  int64_t id, firing; /* firing 0: none */
  const char *pipeline, *trigger;
  const char *kind;        /* of input: params span file batch */
  const char *name;        /* for people: "USD 2026-03-02/2026-03-05", a file's name */
  const char *group, *key; /* or NULL */
  const char *input;       /* JSON */
  const char *cursor;      /* JSON of ctx.state, or NULL */
  const char *error;       /* JSON of the last error, or NULL */
  job_state state;
} job;

typedef struct job_new {  /* what an enqueue gives */
  int64_t firing, run_at; /* run_at 0: now */
  const char *pipeline, *trigger, *kind, *name, *group, *key, *input;
  int limit;
  bool once;
} job_new;

/* Inserts, or finds the job that has this key: *id either way, *fresh when inserted. A key with another
 * payload is the error CONFLICT. */
int jobs_insert(store_conn *c, const job_new *n, int64_t now, int64_t *id, bool *fresh,
                dts_error *e);
int jobs_load(store_conn *c, int64_t id, arena *a, job *out, dts_error *e); /* JOB when unknown */

/* Steps the job and writes its new state; fx tells what else belongs into this transaction. The job's
 * `state` is updated. -1 with code FENCED, EXPIRED or REFUSED and nothing written when refused. */
int jobs_step(store_conn *c, job *j, const job_event *event, int64_t now, double chance,
              job_effects *fx, dts_error *e);
int jobs_set_error(store_conn *c, int64_t id, const char *error_json, const char *reason,
                   dts_error *e);
int jobs_set_cursor(store_conn *c, int64_t id, const char *cursor_json, dts_error *e);

/* Waiting jobs whose time has come become queued. */
int jobs_tick(store_conn *c, int64_t now, dts_error *e);
/* Ids of queued jobs, at most `room`, of firings from `since` on (0: all) and of those in the JSON list `older`
 * (or NULL): by hand first, then each pipeline's oldest in turn, then by age. A job behind an open one of its
 * group is left out, and one of a pipeline in the JSON list `without` (or NULL). Returns how many, or -1. */
int jobs_ready(store_conn *c, int64_t since, const char *older, const char *without, int64_t *ids,
               size_t room, dts_error *e);
/* Earliest run_at of a waiting job; INT64_MAX. */
int64_t jobs_next_due(store_conn *c, dts_error *e);
/* An engine begins: jobs leased by a dead one are queued again or quarantined (INTERRUPTED). */
int jobs_recover(store_conn *c, int64_t now, dts_error *e);
/* Ids past `after` of jobs whose lease has run out, in order, at most `room`. How many, or -1. */
int jobs_expired(store_conn *c, int64_t now, int64_t after, int64_t *ids, size_t room,
                 dts_error *e);

/* Attempts are the rows of dts_run. */
int jobs_open_run(store_conn *c, const job *j, const char *version, int64_t now, int64_t *run,
                  dts_error *e);
int jobs_close_run(store_conn *c, const job *j, const job_effects *fx, const char *error_json,
                   int64_t now, dts_error *e);

/* Firings. A fire_time of 0 is none (by hand); of one that exists already *id is 0. */
typedef struct firing {
  int64_t id, fire_time, window_from;
  const char *pipeline, *trigger, *day;
} firing;
int jobs_fire(store_conn *c, firing *f, int64_t now, dts_error *e);
/* Of a firing by hand, fire_time is when it was made. */
int jobs_firing(store_conn *c, int64_t id, arena *a, firing *out, dts_error *e);
/* When no job of the firing is open any more: closes it, and *failed tells how many failed; otherwise
 * *closed is false. */
int jobs_close_firing(store_conn *c, int64_t id, bool *closed, int64_t *failed, dts_error *e);

#endif
