/* rollups.h -- keeps the tables of roll-ups up to date: in the writer's next transaction after a
 * commit, only the periods whose rows changed.
 *
 * One idea: triggers on a roll-up's source note which keys and periods a write touched, in the
 * table dts_dirty.NAME, in that very transaction; so it holds for puts, updates, deletes and late
 * rows alike, and survives a crash. What is noted is recomputed from the source; only what retention
 * takes from there stays in the roll-up (rollup_keep.c).
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
 * crash left noted is recomputed. One that is new, and that the rows do not bear, is an error if
 * `strict` (an edit is refused), else it is told of as by rollups_refresh: an engine must start.
 * `where` of the error names the declaration. */
int rollups_ensure(store_conn *c, const registry *set, bool strict, dts_error *e);
/* Recomputes what is noted. A roll-up that fails keeps its notes and its old rows, and says so in
 * the log; the others go on. *moved (may be NULL): how many roll-ups had notes. */
int rollups_refresh(store_conn *c, const registry *set, size_t *moved, dts_error *e);

/* Retention of table `t` by `column`, before and after rows under `bound` (a date or timestamp)
 * are deleted: roll-ups outlive them. Before, the bound may be moved back, so that no period loses
 * a part of its rows. */
int rollups_keep(store_conn *c, const registry *set, const table *t, const table_column *column,
                 char bound[25], dts_error *e);
int rollups_kept(store_conn *c, const registry *set, const table *t, const table_column *column,
                 dts_error *e);

void rollups_changed(rollups *r, const char *const *tables, size_t count); /* after each commit */

#endif
