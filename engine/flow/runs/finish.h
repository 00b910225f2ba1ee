/* finish.h -- what else happens in the transaction that ends an attempt: gap dates, files, batches, the
 * firing's end and the pipelines that follow it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_FINISH_H
#define DTS_FLOW_FINISH_H

#include "flow/runs/run.h"

typedef enum run_ending {
  RUN_DONE,
  RUN_FAILED,
  RUN_DEFERRED,
  RUN_SLEPT,
  RUN_LOST,
  RUN_HANDED_BACK,
  RUN_CANCELLED
} run_ending;

/* Inside the final write, after the job's step: `j` is its new state. */
int finish_inside(store_conn *c, run *r, const job *j, run_ending how, const char *error_json,
                  int64_t now, dts_error *e);
/* The same for a job that ended without a run: cancelled while it waited, its pipeline gone. Also closes
 * its firing. */
int finish_alone(store_conn *c, const registry *set, const job *j, int64_t now, bool *closed,
                 dts_error *e);
/* An engine begins (after jobs_recover): dates held and firings open without an open job are settled. */
int finish_stranded(store_conn *c, const registry *set, int64_t now, dts_error *e);
/* Closes the firing when nothing of it is open, and queues what comes `after`. `closed` may be NULL. */
int finish_firing(store_conn *c, const registry *set, int64_t firing_id, const char *pipeline_name,
                  int64_t now, bool *closed, dts_error *e);

#endif
