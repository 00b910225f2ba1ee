/* ending_why.h -- why a run has ended, and what that means for its job.
 *
 * One idea: an error is the input's own fault for good, or one that may pass; or it is the engine's own,
 * and then it is never held against the job. Nothing here decides or writes.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_ENDING_WHY_H
#define DTS_FLOW_ENDING_WHY_H

#include "flow/runs/run.h"

/* The same comes of another attempt. */
bool why_is_permanent(const run *r, const dts_error *e);
/* The store had no room, or could not be read or written: the job did nothing wrong. */
bool why_is_ours(const dts_error *e);
/* What the end of a worker without a result means. */
void why_it_ended(const run *r, const worker_end *how, dts_error *e);

#endif
