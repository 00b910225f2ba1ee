/* spare.h -- workers that have ended a run well and wait a moment for another of the same script.
 *
 * One idea: what a process costs is spared, and nothing else: the next run begins in a Lua state as new, of
 * the same version of the same file under the same limits. A spare that is not asked for leaves; where there
 * are more than `room`, the one that ran longest ago does.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_SPARE_H
#define DTS_FLOW_SPARE_H

#include "flow/kernel/kernel.h"
#include "flow/kernel/nursery.h"
#include "flow/reload/registry.h"

typedef struct spares spares;

spares *spares_open(kernel *k, size_t room);
void spares_close(spares *s); /* when the nursery has gone; NULL is fine */
/* Takes the worker of a run that has ended: it keeps it, or ends it. */
void spares_keep(spares *s, worker *w, const pipeline *p);
/* One for this pipeline, given over to `owner`; NULL when there is none. */
worker *spares_take(spares *s, const pipeline *p, const worker_owner *owner);

#endif
