/* runner.h -- leases queued jobs and lets them run, as many at once as there are worker places.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_RUNNER_H
#define DTS_FLOW_RUNNER_H

#include "flow/runs/run.h"

typedef struct runner runner;

runner *runner_open(kernel *k, size_t places);
/* Ends all runs: their jobs are handed back in one write. The loop must still turn until runner_idle. */
void runner_stop(runner *r);
void runner_close(runner *r);
bool runner_idle(const runner *r); /* nothing runs, is being leased, or is being written */
/* Something may have become ready: looks at the queue soon. */
void runner_wake(runner *r);
/* Only jobs of firings from this one on are leased (a command without a server: what it makes, and what
 * follows from that), and of those in the JSON list `older`, or NULL. INT64_MAX: none; the first id after
 * that counts. */
void runner_since(runner *r, int64_t firing_id, const char *older);
void runner_forget(runner *r, run *ended); /* its end is on disk */
/* The worker of a run that is done and may take another: the run has none any more. */
void runner_spare(runner *r, run *n);
/* Its end is on its way to the disk: its place is free. */
void runner_ending(runner *r, const run *n);
void runner_cancel(runner *r, int64_t id);
/* [{run, job, pipeline, started_ms, done?, total?}]. */
value runner_status(const runner *r, arena *a);

#endif
