/* views.h -- declared views in the store, in the order of what they read; kept ones replaced as a
 * whole after a commit to a table that they read.
 *
 * A view is a SQL view under its name; one with `keep` is a table of that name, filled from the
 * view "dts_view.NAME". Order is read from the SQL; a circle is refused.
 *
 * A views belongs to the loop's thread; the functions with a connection belong to its work.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_VIEWS_H
#define DTS_FLOW_VIEWS_H

#include "flow/kernel/kernel.h"

typedef struct views views;

views *views_open(kernel *k);
void views_close(views *v); /* NULL is fine */

/* Declarations so that each stands behind all that it reads; a circle is an error with its names. */
int views_order(const value *declared, arena *a, const value **ordered, dts_error *e);
/* After tables and roll-ups are ensured; `strict` as for rollups_ensure. */
int views_ensure(store_conn *c, const registry *set, bool strict, dts_error *e);
/* Drops views that are declared no more; only where `set` is the whole project. */
int views_prune(store_conn *c, const registry *set, dts_error *e);
/* The kept ones of a set, in order. */
int views_kept(const registry *set, arena *a, value *kept, dts_error *e);
/* Replaces those of the kept views that read one of these tables, or a kept view that was replaced. One
 * that fails keeps its old rows and says so in the log. */
int views_refresh(store_conn *c, const value *kept, const char *const *tables, size_t count,
                  dts_error *e);

void views_changed(views *v, const char *const *tables, size_t count); /* after each commit */

#endif
