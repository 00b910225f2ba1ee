/* run_ops.h -- hands one frame of a run's worker to whatever it is for (endings are runner.c's).
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_RUN_OPS_H
#define DTS_FLOW_RUN_OPS_H

#include "flow/runs/run.h"

void run_ops_frame(run *r, const frame *in); /* a fault ends the run */

#endif
