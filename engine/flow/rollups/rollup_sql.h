/* rollup_sql.h -- a roll-up's declaration, read and checked, and the SQL that keeps it. Pure.
 *
 * One idea: rows that changed are noted as (by.., bucket) in dts_dirty.NAME; for each period all
 * of its noted keys are recomputed by one DELETE and one INSERT .. SELECT. With an index over by
 * and time each noted period is sought there (`seek`); without one the rows between the earliest
 * and the latest noted are read once. Rows whose time, or a `by` of whose, is null belong to no
 * period.
 *
 * Everything lives in the arena given, or in the declaration and the tables.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_ROLLUP_SQL_H
#define DTS_FLOW_ROLLUP_SQL_H

#include "format/value.h"
#include "store/table.h"

typedef struct rollup_term { /* "expr as name" */
  const char *expr, *name;
  column_type type;
  const char *column; /* of by: the column that expr is, or NULL */
} rollup_term;

typedef struct rollup {
  const char *name, *time, *where, *zone; /* zone NULL: UTC, or days of dates */
  const value *declared;
  const table *source;
  bool of_dates; /* time is a date */
  bool seek;
  bool own_index; /* seeks over an index of its own, "dts_rollup.NAME" */
  size_t by_count, measure_count, period_count, change_count;
  const rollup_term *by, *measures;
  const char *const *periods; /* "week" .. */
  const char *const *changes; /* the x of each change(x) */
  const char *bucket;         /* what the notes' dts_at is the start of */
} rollup;

typedef const table *rollup_tables(void *arg, const char *name); /* or NULL */

/* Declarations so that each stands behind the one it is made from; a circle is an error. */
int rollup_order(const value *declared, arena *a, const value **ordered, dts_error *e);
/* `others`: all declared roll-ups, so that `from` may name one with a single period. */
rollup *rollup_read(arena *a, const value *declared, const value *others, const char *timezone,
                    rollup_tables *find, void *arg, dts_error *e);
value rollup_table(const rollup *r, const char *period, arena *a); /* declares table NAME_PERIOD */
const char *rollup_version(const rollup *r, arena *a); /* of all that its rows depend on */

/* DDL, each one statement. `event` is insert, update or delete. */
const char *rollup_sql_notes(const rollup *r, arena *a);
const char *rollup_sql_index(const rollup *r, arena *a); /* only with own_index */
const char *rollup_sql_trigger(const rollup *r, const char *event, arena *a);

const char *rollup_sql_note_all(const rollup *r, arena *a);
/* Notes the next period of each noted key as well, whose change(x) looks at the noted one. */
const char *rollup_sql_note_next(const rollup *r, const char *period, size_t change, arena *a);
const char *rollup_sql_delete(const rollup *r, const char *period, arena *a);
/* All of an empty table's rows at once, without notes; only for one that has no change(x). */
const char *rollup_sql_fill(const rollup *r, const char *period, arena *a);
const char *rollup_sql_insert(const rollup *r, const char *period, arena *a);

#endif
