/* rollups.h -- keeps the tables of roll-ups up to date: in the writer's next transaction after a
 * commit, only the periods whose rows changed.
 *
 * One idea: triggers on a roll-up's source note which keys and periods a write touched, in the
 * table dts_dirty.NAME, in that very transaction; so it holds for puts, updates, deletes, retention
 * and late rows alike, and survives a crash. What is noted is recomputed from the source.
 *
 * A rollups belongs to the loop's thread; the two functions with a connection belong to its work.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_ROLLUPS_H
#define DTS_FLOW_ROLLUPS_H

#include "flow/kernel/kernel.h"

typedef struct rollups rollups;

rollups *rollups_open(kernel *k);
void rollups_close(rollups *r); /* NULL is fine */

/* Before tables are ensured: drops the tables of roll-ups whose declaration is another one than
 * they were made from. */
int rollups_prepare(store_conn *c, const registry *set, dts_error *e);
/* Drops roll-ups that are declared no more; only where `set` is the whole project. */
int rollups_prune(store_conn *c, const registry *set, dts_error *e);
/* After: triggers and notes; a roll-up that is new or changed is computed whole, and whatever a
 * crash left noted is recomputed. `where` of the error names the declaration. */
int rollups_ensure(store_conn *c, const registry *set, dts_error *e);
/* Recomputes what is noted. A roll-up that fails keeps its notes and its old rows, and says so in
 * the log; the others go on. *moved (may be NULL): how many roll-ups had notes. */
int rollups_refresh(store_conn *c, const registry *set, size_t *moved, dts_error *e);

void rollups_changed(rollups *r, const char *const *tables, size_t count); /* after each commit */
bool rollups_idle(const rollups *r); /* nothing is being recomputed or waits for it */

#endif
