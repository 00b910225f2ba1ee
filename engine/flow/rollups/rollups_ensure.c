/* rollups_ensure.c -- the store brought in line with declared roll-ups, and recomputing
 * (rollups.h).
 *
 * dts_rolled tells which declaration a roll-up's rows were made from. Another one drops its tables,
 * notes and triggers; they are made anew and all that the source holds is noted.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/log.h"
#include "flow/rollups/rollups.h"
#include "flow/rollups/rollups_parts.h"
#include "flow/reload/sql_lex.h"

static const char *const events[] = {"insert", "update", "delete"};
enum { EVENTS = sizeof events / sizeof *events };

static const table *find_table(void *arg, const char *name) { return registry_table(arg, name); }

int rollups_read(const registry *set, arena *a, const rollup ***out, size_t *count, dts_error *e) {
  size_t total = set->rollups.list.count;
  const value **ordered = arena_alloc(a, (total + 1) * sizeof *ordered);
  *out = arena_alloc(a, (total + 1) * sizeof **out);
  *count = 0;
  if (rollup_order(&set->rollups, a, ordered, e) < 0) return -1;
  for (size_t i = 0; i < total; i++) {
    rollup *r = rollup_read(a, ordered[i], &set->rollups, set->timezone, find_table,
                            (void *)(uintptr_t)set, e);
    if (!r) return -1;
    (*out)[(*count)++] = r;
  }
  return 0;
}

/* ---- what is there ---- */

static int run(store_conn *c, const char *sql, dts_error *e) {
  return store_exec(c, sql, NULL, 0, e);
}

static int rolled_version(store_conn *c, const char *name, arena *a, value *version, dts_error *e) {
  value key = value_text(name);
  return store_get(c, "select version from dts_rolled where rollup = ?1", &key, 1, a, version, e);
}

static int schema_sql(store_conn *c, const char *name, arena *a, value *sql, dts_error *e) {
  value key = value_text(name);
  return store_get(c, "select sql from sqlite_schema where name = ?1", &key, 1, a, sql, e);
}

static const char *trigger_name(arena *a, const char *rollup_, const char *event) {
  return arena_format(a, "dts_rollup.%s.%s", rollup_, event);
}

static int drop(store_conn *c, const char *type, const char *name, dts_error *e) {
  buffer b;
  buffer_init(&b, 1024);
  buffer_add_format(&b, "drop %s if exists ", type);
  sql_quote(&b, name);
  int rc = run(c, buffer_text(&b), e);
  buffer_free(&b);
  return rc;
}

static int drop_table(store_conn *c, const char *name, dts_error *e) {
  value key = value_text(name);
  if (drop(c, "table", name, e) < 0) return -1;
  store_touch(c, name);
  return store_exec(c, "delete from dts_columns where table_name = ?1", &key, 1, e);
}

/* ---- dropping ---- */

/* Its tables are those named NAME_PERIOD that dts_rolled knows of: "NAME" and "NAME_PERIOD" rows. */
static int drop_tables(store_conn *c, const char *name, dts_error *e) {
  arena a = {0};
  value key = value_text(name), tables;
  int rc = store_list(
      c, "select substr(rollup, 7) from dts_rolled where rollup like 'table %' and version = ?1",
      &key, 1, &a, &tables, e);
  for (size_t i = 0; rc == 0 && i < tables.list.count; i++)
    rc = drop_table(c, tables.list.items[i].text.bytes, e);
  if (rc == 0)
    rc = store_exec(c, "delete from dts_rolled where rollup like 'table %' and version = ?1", &key,
                    1, e);
  arena_free(&a);
  return rc;
}

static int drop_rollup(store_conn *c, const char *name, dts_error *e) {
  arena a = {0};
  value key = value_text(name);
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < EVENTS; i++)
    rc = drop(c, "trigger", trigger_name(&a, name, events[i]), e);
  if (rc == 0) rc = drop(c, "index", arena_format(&a, "dts_rollup.%s", name), e);
  if (rc == 0) rc = drop(c, "table", arena_format(&a, "dts_dirty.%s", name), e);
  if (rc == 0) rc = drop_tables(c, name, e);
  if (rc == 0) rc = rollups_forget(c, name, e);
  if (rc == 0) rc = store_exec(c, "delete from dts_rolled where rollup = ?1", &key, 1, e);
  arena_free(&a);
  return rc;
}

static int prepare_one(store_conn *c, const rollup *r, arena *a, value *dropped, dts_error *e) {
  value version;
  if (rolled_version(c, r->name, a, &version, e) < 0) return -1;
  /* One whose source is dropped here must be made anew too: it would keep rows of what is gone. */
  bool same = value_is(&version, rollup_version(r, a)) && !value_has(dropped, r->source->name);
  if (version.kind == VALUE_NULL || same) return 0;
  for (size_t i = 0; i < r->period_count; i++)
    value_add(a, dropped, value_text(arena_format(a, "%s_%s", r->name, r->periods[i])));
  return drop_rollup(c, r->name, e);
}

int rollups_prepare(store_conn *c, const registry *set, dts_error *e) {
  arena a = {0};
  const rollup **all;
  size_t count;
  value dropped = value_list();
  int rc = rollups_read(set, &a, &all, &count, e);
  for (size_t i = 0; rc == 0 && i < count; i++) {
    rc = prepare_one(c, all[i], &a, &dropped, e);
    if (rc < 0) registry_fail(e, all[i]->declared);
  }
  arena_free(&a);
  return rc;
}

int rollups_prune(store_conn *c, const registry *set, dts_error *e) {
  arena a = {0};
  value names;
  int rc = store_list(c, "select rollup from dts_rolled where rollup not like '% %'", NULL, 0, &a,
                      &names, e);
  for (size_t i = 0; rc == 0 && i < names.list.count; i++) {
    const char *name = names.list.items[i].text.bytes;
    if (!registry_find(&set->rollups, name)) rc = drop_rollup(c, name, e);
  }
  arena_free(&a);
  return rc;
}

/* ---- making ---- */

static int ensure_trigger(store_conn *c, const rollup *r, const char *event, arena *a,
                          dts_error *e) {
  const char *name = trigger_name(a, r->name, event), *sql = rollup_sql_trigger(r, event, a);
  value old;
  if (schema_sql(c, name, a, &old, e) < 0) return -1;
  if (value_is(&old, sql)) return 0;
  return drop(c, "trigger", name, e) < 0 ? -1 : run(c, sql, e);
}

static int remember(store_conn *c, const char *key, const char *version, dts_error *e) {
  value row[] = {value_text(key), value_text(version)};
  return store_exec(
      c,
      "insert into dts_rolled (rollup, version) values (?1, ?2) on conflict (rollup) do "
      "update set version = ?2",
      row, 2, e);
}

/* Which tables are its own is kept beside its version: the declaration may be gone when they go. */
static int remember_all(store_conn *c, const rollup *r, arena *a, dts_error *e) {
  for (size_t i = 0; i < r->period_count; i++) {
    const char *key = arena_format(a, "table %s_%s", r->name, r->periods[i]);
    if (remember(c, key, r->name, e) < 0) return -1;
  }
  return remember(c, r->name, rollup_version(r, a), e);
}

static int is_empty(store_conn *c, const rollup *r, arena *a, bool *empty, dts_error *e) {
  value any = value_null();
  *empty = true;
  for (size_t i = 0; *empty && i < r->period_count; i++) {
    const char *sql = arena_format(a, "select 1 from \"%s_%s\" limit 1", r->name, r->periods[i]);
    if (store_get(c, sql, NULL, 0, NULL, &any, e) < 0) return -1;
    *empty = any.kind == VALUE_NULL;
  }
  return 0;
}

static int fill(store_conn *c, const rollup *r, arena *a, dts_error *e) {
  for (size_t i = 0; i < r->period_count; i++) {
    if (run(c, rollup_sql_fill(r, r->periods[i], a), e) < 0) return -1;
    store_touch(c, arena_format(a, "%s_%s", r->name, r->periods[i]));
  }
  return 0;
}

/* A new one: grouped at once, which halves the work; by way of notes where that cannot be, or where
 * the rows do not bear it: then these stay for later. */
static int make_whole(store_conn *c, const rollup *r, bool strict, arena *a, dts_error *e) {
  bool had, empty;
  dts_error inner;
  if (is_empty(c, r, a, &empty, e) < 0 || run(c, "savepoint dts_fill", e) < 0) return -1;
  bool filled = empty && !r->change_count && fill(c, r, a, &inner) == 0;
  if (!filled && run(c, "rollback to dts_fill", e) < 0) return -1;
  if (run(c, "release dts_fill", e) < 0) return -1;
  if (filled) return 0;
  if (run(c, rollup_sql_note_all(r, a), e) < 0) return -1;
  return strict ? rollups_recompute(c, r, &had, e) : rollups_refresh_one(c, r, &had, e);
}

static int ensure_one(store_conn *c, const rollup *r, bool strict, arena *a, dts_error *e) {
  value version;
  bool had;
  if (rolled_version(c, r->name, a, &version, e) < 0 || run(c, rollup_sql_notes(r, a), e) < 0)
    return -1;
  if (r->own_index && run(c, rollup_sql_index(r, a), e) < 0) return -1;
  for (size_t i = 0; i < EVENTS; i++)
    if (ensure_trigger(c, r, events[i], a, e) < 0) return -1;
  if (version.kind != VALUE_NULL) return rollups_refresh_one(c, r, &had, e);
  if (rollups_forget(c, r->name, e) < 0 || remember_all(c, r, a, e) < 0) return -1;
  return make_whole(c, r, strict, a, e);
}

int rollups_ensure(store_conn *c, const registry *set, bool strict, dts_error *e) {
  arena a = {0};
  const rollup **all;
  size_t count;
  int rc = rollups_read(set, &a, &all, &count, e);
  for (size_t i = 0; rc == 0 && i < count; i++) {
    rc = ensure_one(c, all[i], strict, &a, e);
    if (rc < 0) registry_fail(e, all[i]->declared);
  }
  arena_free(&a);
  return rc;
}

/* ---- recomputing ---- */

static const char *on_notes(const rollup *r, const char *before, const char *behind, arena *a) {
  return arena_format(a, "%s \"dts_dirty.%s\"%s", before, r->name, behind);
}

static int recompute_period(store_conn *c, const rollup *r, const char *period, arena *a,
                            dts_error *e) {
  if (run(c, rollup_sql_delete(r, period, a), e) < 0) return -1;
  store_touch(c, arena_format(a, "%s_%s", r->name, period));
  return run(c, rollup_sql_insert(r, period, a), e);
}

int rollups_recompute(store_conn *c, const rollup *r, bool *had, dts_error *e) {
  arena a = {0};
  value any = value_null();
  int rc = store_get(c, on_notes(r, "select 1 from", " limit 1", &a), NULL, 0, NULL, &any, e);
  *had = rc == 0 && any.kind != VALUE_NULL;
  for (size_t i = 0; *had && rc == 0 && i < r->period_count; i++)
    for (size_t k = 0; rc == 0 && k < r->change_count; k++)
      rc = run(c, rollup_sql_note_next(r, r->periods[i], k, &a), e);
  for (size_t i = 0; *had && rc == 0 && i < r->period_count; i++)
    rc = recompute_period(c, r, r->periods[i], &a, e);
  if (*had && rc == 0) rc = run(c, on_notes(r, "delete from", "", &a), e);
  arena_free(&a);
  return rc;
}

int rollups_refresh_one(store_conn *c, const rollup *r, bool *had, dts_error *e) {
  dts_error inner = {0};
  if (run(c, "savepoint dts_rollup", e) < 0) return -1;
  if (rollups_recompute(c, r, had, &inner) < 0) {
    registry_fail(&inner, r->declared);
    log_warn("%s: roll-up '%s' keeps its old rows: %s", inner.where, r->name, inner.message);
    *had = false;
    if (run(c, "rollback to dts_rollup", e) < 0) return -1;
    if (rollups_stale(c, "rollup", r->name, &inner, e) < 0) return -1;
  } else if (*had && rollups_stale(c, "rollup", r->name, NULL, e) < 0) {
    return -1;
  }
  return run(c, "release dts_rollup", e);
}

int rollups_refresh(store_conn *c, const registry *set, size_t *moved, dts_error *e) {
  arena a = {0};
  const rollup **all;
  size_t count;
  if (moved) *moved = 0;
  int rc = rollups_read(set, &a, &all, &count, e);
  for (size_t i = 0; rc == 0 && i < count; i++) {
    bool had = false;
    rc = rollups_refresh_one(c, all[i], &had, e);
    if (had && moved) ++*moved;
  }
  arena_free(&a);
  return rc;
}
