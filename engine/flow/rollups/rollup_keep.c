/* rollup_keep.c -- what of a roll-up outlives its source's rows (retention), and what is wrong with
 * one.
 *
 * One idea: retention may take the rows of whole periods only. Its bound is moved back to where the
 * longest period that holds it begins, and a week more, so that change(x) finds a row before. The
 * bound is kept beside the roll-up, "kept NAME" in dts_rolled: periods up to it are closed, and
 * neither the rows' going nor a late row changes them.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "flow/rollups/rollups.h"
#include "flow/rollups/rollups_parts.h"
#include "format/date.h"

enum { SLACK_DAYS = 7, TOLD = 1000 };

static int set_row(store_conn *c, const char *key, const char *text, dts_error *e) {
  value row[] = {value_text(key), value_text(text)};
  return store_exec(c,
                    "insert into dts_rolled (rollup, version) values (?1, ?2) on conflict (rollup) "
                    "do update set version = max(version, ?2)",
                    row, 2, e);
}

static int remove_row(store_conn *c, const char *key, dts_error *e) {
  value row = value_text(key);
  return store_exec(c, "delete from dts_rolled where rollup = ?1", &row, 1, e);
}

/* ---- what is wrong ---- */

int rollups_stale(store_conn *c, const char *noun, const char *name, const dts_error *why,
                  dts_error *e) {
  arena a = {0};
  const char *key = arena_format(&a, "stale %s %s", noun, name);
  int rc = remove_row(c, key, e);
  if (rc == 0 && why)
    rc = set_row(c, key, arena_format(&a, "%s: %.*s", why->where, TOLD, why->message), e);
  arena_free(&a);
  return rc;
}

int rollups_forget(store_conn *c, const char *name, dts_error *e) {
  arena a = {0};
  int rc = remove_row(c, arena_format(&a, "kept %s", name), e);
  if (rc == 0) rc = rollups_stale(c, "rollup", name, NULL, e);
  arena_free(&a);
  return rc;
}

/* ---- retention ---- */

static bool goes_by(const rollup *r, const table *t, const table_column *column) {
  return strcmp(r->source->name, t->name) == 0 && strcmp(r->time, column->name) == 0;
}

/* The first day of the longest period around a day; the day itself for periods below one. */
static int32_t earliest_start(const rollup *r, int32_t day) {
  int32_t least = day;
  for (size_t i = 0; i < r->period_count; i++) {
    date_period period = DATE_DAY;
    if (date_period_read(r->periods[i], &period) < 0) continue;
    int32_t start = date_period_start(day, period);
    if (start < least) least = start;
  }
  return least;
}

/* A zone's day may have begun on the day before. */
static int32_t closed_until(const rollup **all, size_t count, const table *t,
                            const table_column *column, int32_t day) {
  int32_t least = day;
  for (size_t i = 0; i < count; i++) {
    if (!goes_by(all[i], t, column)) continue;
    int32_t start = earliest_start(all[i], day - 1) - SLACK_DAYS;
    if (start < least) least = start;
  }
  return least;
}

/* What is noted is computed while its rows are there. */
static int close_periods(store_conn *c, const rollup *r, bool by_time, const char *until, arena *a,
                         dts_error *e) {
  bool had;
  if (rollups_refresh_one(c, r, &had, e) < 0) return -1;
  return by_time ? set_row(c, arena_format(a, "kept %s", r->name), until, e) : 0;
}

int rollups_keep(store_conn *c, const registry *set, const table *t, const table_column *column,
                 char bound[25], dts_error *e) {
  arena a = {0};
  const rollup **all;
  size_t count;
  int32_t day;
  char first[11], until[11];
  snprintf(first, sizeof first, "%.10s", bound);
  int rc = rollups_read(set, &a, &all, &count, e);
  if (rc == 0 && date_read(first, 10, &day) == 0) {
    int32_t least = closed_until(all, count, t, column, day);
    date_write(least, until);
    if (least < day) memcpy(bound, until, sizeof until);
    for (size_t i = 0; rc == 0 && i < count; i++)
      if (strcmp(all[i]->source->name, t->name) == 0)
        rc = close_periods(c, all[i], goes_by(all[i], t, column), until, &a, e);
  }
  arena_free(&a);
  return rc;
}

/* Those that go by another time than retention has no bound for: the going of rows is not noted. */
int rollups_kept(store_conn *c, const registry *set, const table *t, const table_column *column,
                 dts_error *e) {
  arena a = {0};
  const rollup **all;
  size_t count;
  int rc = rollups_read(set, &a, &all, &count, e);
  for (size_t i = 0; rc == 0 && i < count; i++) {
    bool other = strcmp(all[i]->source->name, t->name) == 0 && !goes_by(all[i], t, column);
    const char *sql = arena_format(&a, "delete from \"dts_dirty.%s\"", all[i]->name);
    if (other) rc = store_exec(c, sql, NULL, 0, e);
  }
  arena_free(&a);
  return rc;
}
