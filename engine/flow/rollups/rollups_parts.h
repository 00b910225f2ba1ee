/* rollups_parts.h -- what rollups_ensure.c and rollups.c share.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_ROLLUPS_PARTS_H
#define DTS_FLOW_ROLLUPS_PARTS_H

#include "flow/reload/registry.h"
#include "flow/rollups/rollup_sql.h"
#include "store/store.h"

/* All of a set's, in the order in which they are made from each other; lives in `a` and the set. */
int rollups_read(const registry *set, arena *a, const rollup ***out, size_t *count, dts_error *e);
/* Recomputes what is noted of one; *had: was there anything? */
int rollups_recompute(store_conn *c, const rollup *r, bool *had, dts_error *e);
/* The same in a savepoint: one that fails keeps its notes and its old rows, and is told of. */
int rollups_refresh_one(store_conn *c, const rollup *r, bool *had, dts_error *e);

/* What dts_stale shows: `noun` ("rollup", "view") and name keep old rows, for the reason `why`;
 * NULL: they do so no more. */
int rollups_stale(store_conn *c, const char *noun, const char *name, const dts_error *why,
                  dts_error *e);
/* Made anew: which of its periods were closed, and what was wrong, belongs to the old one. */
int rollups_forget(store_conn *c, const char *name, dts_error *e);

#endif
