/* orphans.h -- removes objects that no row names: what a kill left between an object and its row, a kept
 * body that a newer one replaced, the archive of a run that failed.
 *
 * One idea: only what was last put seven days ago, a sixteenth at a time and off the loop's thread.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_ORPHANS_H
#define DTS_FLOW_ORPHANS_H

#include "flow/kernel/kernel.h"
#include "store/objects.h"

/* One slice: objects whose names begin with the hexadecimal digit `first`. How many went, or -1. */
int orphans_remove(store *s, objects *o, int first, int64_t before, dts_error *e);
/* Does dts.lua, or a layer of its `env`, name a `store` or `objects`? Then another store may know names that
 * this one does not, and nothing is removed. */
bool orphans_shared(const value *config);

typedef struct orphans orphans;
orphans *orphans_open(kernel *k);
void orphans_start(orphans *o); /* once soon, then every six hours */
void orphans_close(orphans *o); /* NULL is fine */

#endif
