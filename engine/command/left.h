/* left.h -- what a plan's answer says of dates that no run would fetch now: in quarantine, or held by jobs
 * that are open.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_LEFT_H
#define DTS_COMMAND_LEFT_H

#include "command/engine.h"

/* "4 dates are in quarantine: dts quarantine list", "10 dates are held by jobs 10, 11: dts jobs", joined by
 * "; "; empty when there are none. In the arena. */
const char *left_aside(const value *plan, arena *a);
/* The plans of the pipelines named in a run's answer, those with gaps: [{pipeline, missing, held,
 * quarantined, text}]; text: all of that in words, or empty. */
value left_after(engine *n, const value *answer, arena *a);

#endif
