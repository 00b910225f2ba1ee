/* run_start.h -- gives a run's worker what it needs: the OP_START frame (op.h).
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_RUN_START_H
#define DTS_FLOW_RUN_START_H

#include "flow/runs/run.h"

void run_start(run *r); /* a fault (an input that is gone) ends the run */

/* Parts of OP_START that a load and a warm worker have too. */
value start_limits(arena *a, int64_t memory, int64_t cpu_ms, int64_t time_ms);
value start_tables(arena *a, const registry *set);

#endif
