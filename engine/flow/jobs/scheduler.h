/* scheduler.h -- fires pipelines: by their schedule, by their recheck, after another, by hand.
 *
 * One idea: a firing is a row under UNIQUE(pipeline, trigger, fire_time); whoever inserts it queues its
 * jobs in the same transaction, so nothing fires twice and nothing is forgotten between the two.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_SCHEDULER_H
#define DTS_FLOW_SCHEDULER_H

#include "flow/jobs/jobs.h"
#include "flow/kernel/kernel.h"

typedef struct scheduler scheduler;

scheduler *scheduler_open(kernel *k);
/* Catches up as `missed` says, then waits for the next firing. */
void scheduler_start(scheduler *s);
void scheduler_reloaded(scheduler *s); /* the set changed: an edited schedule counts from now */
void scheduler_close(scheduler *s);

typedef struct fire {             /* what to fire */
  const char *pipeline, *trigger; /* trigger as in dts_runs: schedule recheck after hand */
  int64_t fire_time;              /* of a schedule; 0: none */
  const char *params;             /* JSON of the params given, or NULL: the declared defaults */
  bool once;                      /* by hand: its jobs are not retried */
  bool waits; /* one of several that were missed: it waits its turn, whatever `overlap` says */
  const char *file, *input; /* a file by hand: its name, and the job's input; or NULL */
  int64_t after;            /* the firing that it follows, or 0 */
  int64_t by, most;         /* as in `enqueued` */
} fire;

/* Inside a write: inserts the firing and its jobs (for `gaps`: one for each span that is missing). *id 0 when
 * it fired already or `overlap = "skip"` held it back. `jobs` (may be NULL) receives how many were queued. */
int scheduler_fire(store_conn *c, const registry *set, const fire *f, int64_t now, int64_t *id,
                   size_t *jobs, dts_error *e);
typedef struct enqueued {                       /* one job by a script, a route or the API */
  const char *pipeline, *trigger, *key, *group; /* key, group: or NULL */
  const value *params;                          /* or NULL */
  int64_t delay_ms;
  int64_t by, most; /* a run's: its job, and how many jobs may come of one firing; or 0 */
} enqueued;

/* Inside a write: a firing with one job (of a `gaps` pipeline: its spans, and *id is the firing's). A key
 * that holds a job already: *id is that job's, and nothing is inserted. What runs enqueue descends from
 * the firing at their beginning, whatever lies between: past `most` jobs of it, LIMIT_JOBS. */
int scheduler_enqueue(store_conn *c, const registry *set, const enqueued *q, int64_t now,
                      int64_t *id, dts_error *e);
/* Is it a pipeline that can be enqueued with these params? Their JSON is in `a`. */
int scheduler_check_enqueue(const registry *set, const enqueued *q, arena *a, const char **params,
                            dts_error *e);
/* The declared params with their defaults, and those given checked against them, as JSON in `a`. */
int scheduler_params(const pipeline *p, const value *given, arena *a, const char **json,
                     dts_error *e);
int64_t scheduler_next(const pipeline *p, int64_t after); /* -1: never */
/* How long its jobs wait after their fire time: less than its `jitter`, and always the same. */
int64_t scheduler_jitter(const pipeline *p);

#endif
