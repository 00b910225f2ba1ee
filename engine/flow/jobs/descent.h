/* descent.h -- which firing a firing comes of, and how many jobs have come of it.
 *
 * One idea: a firing that a run enqueued, or that follows such a one, descends from the firing at the
 * beginning; that one counts the jobs, so nothing queues itself for ever. Inside a write.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_DESCENT_H
#define DTS_FLOW_DESCENT_H

#include "store/store.h"

/* `firing` was enqueued by the run of job `by`, and counts as one (the spans of a `gaps` pipeline are
 * bounded by its dates). LIMIT_JOBS past `most`. */
int descent_enqueued(store_conn *c, int64_t by, int64_t most, int64_t firing, dts_error *e);
/* `firing` follows `before`: it descends from what that one descends from, if from anything. */
int descent_follows(store_conn *c, int64_t before, int64_t firing, dts_error *e);

#endif
