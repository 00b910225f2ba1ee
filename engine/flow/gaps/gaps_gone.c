/* gaps_gone.c -- keys whose dates were tried and that nothing declares any more.
 *
 * One idea: their rows stay, for the key may come back; dts_gap_gone names them, and the view
 * dts_gaps shows what is open of them as 'dropped'. It is brought in step when dates are planned,
 * and when all scripts are loaded (keys made by SQL only when dates are planned).
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "flow/gaps/gaps.h"
#include "flow/gaps/gaps_parts.h"
#include "format/json.h"

enum { LABELS = 256 * 1024 * 1024 };

/* The keys of one pipeline, each found by one step in the table's own order. */
#define KEYS                                                                                       \
  "with recursive k(series) as (select min(series) from dts_gap where pipeline = ?1 union all "    \
  "select (select min(series) from dts_gap where pipeline = ?1 and series > k.series) from k "     \
  "where k.series is not null) "

static const char add_sql[] =
    "insert into dts_gap_gone (pipeline, series) " KEYS
    "select ?1, series from k where series is not null and series not in (select value from "
    "json_each(?2)) on conflict do nothing";
static const char remove_sql[] =
    "delete from dts_gap_gone where pipeline = ?1 and series in (select value from json_each(?2))";
/* Pipelines that have dates, in the same way. */
static const char strangers_sql[] =
    "with recursive k(name) as (select min(pipeline) from dts_gap union all select (select "
    "min(pipeline) from dts_gap where pipeline > k.name) from k where k.name is not null) select "
    "name from k where name is not null and name not in (select value from json_each(?1))";

static int json_of(const value *list, buffer *b, dts_error *e) {
  buffer_init(b, LABELS);
  if (json_write(b, list) == 0) return 0;
  return error_fail(e, "GAPS", "%zu keys are too many to be compared", list->list.count);
}

static int note(store_conn *c, const char *name, const value *labels, dts_error *e) {
  buffer b;
  int64_t moved = 0;
  int rc = json_of(labels, &b, e);
  value params[] = {value_text(name), value_text(rc == 0 ? buffer_text(&b) : "[]")};
  if (rc == 0) rc = store_exec(c, add_sql, params, 2, e);
  if (rc == 0) moved = store_changes(c);
  if (rc == 0) rc = store_exec(c, remove_sql, params, 2, e);
  if (rc == 0 && moved + store_changes(c) > 0) store_touch(c, "dts_gap");
  buffer_free(&b);
  return rc;
}

int gaps_gone_look(store_conn *c, const pipeline *p, const gaps_look *look, dts_error *e) {
  arena a = {0};
  value labels = value_list();
  for (size_t i = 0; i < look->count; i++)
    value_add(&a, &labels, value_text(look->series[i].series->label));
  int rc = note(c, p->name, &labels, e);
  arena_free(&a);
  return rc;
}

/* ---- when all scripts are loaded ---- */

static int note_declared(store_conn *c, const pipeline *p, arena *a, dts_error *e) {
  value labels = value_list();
  for (size_t i = 0; i < p->gaps->series_count; i++)
    value_add(a, &labels, value_text(p->gaps->series[i].label));
  return note(c, p->name, &labels, e);
}

/* Pipelines that are gone, or look for no dates any more. */
static int note_strangers(store_conn *c, const value *known, arena *a, dts_error *e) {
  static const value none = {.kind = VALUE_LIST};
  value found = value_list();
  buffer b;
  int rc = json_of(known, &b, e);
  value param = value_text(rc == 0 ? buffer_text(&b) : "[]");
  if (rc == 0) rc = store_list(c, strangers_sql, &param, 1, a, &found, e);
  for (size_t i = 0; rc == 0 && i < found.list.count; i++)
    rc = note(c, found.list.items[i].text.bytes, &none, e);
  buffer_free(&b);
  return rc;
}

int gaps_gone_ensure(store_conn *c, const pipeline *all, size_t count, dts_error *e) {
  arena a = {0};
  value known = value_list();
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < count; i++) {
    if (!all[i].gaps) continue;
    value_add(&a, &known, value_text(all[i].name));
    if (!all[i].gaps->keys_sql) rc = note_declared(c, &all[i], &a, e);
  }
  if (rc == 0) rc = note_strangers(c, &known, &a, e);
  arena_free(&a);
  return rc;
}
