/* byhand.h -- what a run by hand leaves open when its engine stops or dies: it is cancelled.
 *
 * One idea: by hand nothing is tried again, so that an interrupted run leaves nothing in the queue that
 * would hold dates or start by itself later. No date counts a try, and no pipeline follows.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_BYHAND_H
#define DTS_FLOW_BYHAND_H

#include "flow/jobs/jobs.h"

/* Inside a write. This engine's own, when it stops: waiting and queued jobs of firings from `since` on. */
int byhand_end(store_conn *c, int64_t since, int64_t now, dts_error *e);
/* Inside a write. A dead engine's: those of this pipeline that were asked for by hand. */
int byhand_end_left(store_conn *c, const char *pipeline_name, int64_t now, dts_error *e);

#endif
