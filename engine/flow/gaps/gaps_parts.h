/* gaps_parts.h -- the keys of a gaps pipeline; shared by the gaps' own files and registry_pipeline.c
 * alone.
 *
 * One idea: whatever way a key is written (a text, a table of columns, a row of SQL), it becomes the
 * same series: its columns in the order of the table's key, typed, and a label made of them.
 * All memory is the arena's.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_GAPS_PARTS_H
#define DTS_FLOW_GAPS_PARTS_H

#include "flow/gaps/gaps.h"
#include "flow/jobs/jobs.h"

/* `given`: NULL (the date is the whole key), the only other column's value, or a map that may also
 * hold calendar, since and to; what is left of it joins out->with. The settings in `out` are set
 * beforehand, and out->with is a map or NULL. */
int gaps_key(arena *a, const gap_plan *g, const value *given, series *out, dts_error *e);
/* Fails when two have one label; with `merge` those that agree in all settings become one. */
int gaps_keys_distinct(series *all, size_t *count, bool merge, dts_error *e);
/* The keys as they are now: those declared, or what their SQL answers. */
int gaps_keys_read(store_conn *c, const gap_plan *g, arena *a, const series **out, size_t *count,
                   dts_error *e);
/* The one with this label: 1, 0 when there is none, -1. */
int gaps_keys_find(store_conn *c, const gap_plan *g, const char *label, arena *a,
                   const series **out, dts_error *e);
/* Inside a write: which of the keys in dts_gap a look at all of them has no more (gaps_gone.c). */
int gaps_gone_look(store_conn *c, const pipeline *p, const gaps_look *look, dts_error *e);

#endif
