/* rollup_notes.c -- the SQL of a roll-up's notes: their table, the triggers that write them, an
 * index (rollup_sql.h).
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "flow/rollups/rollup_text.h"

const char *rollup_sql_notes(const rollup *r, arena *a) {
  rollup_text t = rollup_text_open(r, a);
  rollup_add(&t, "create table if not exists ");
  rollup_add_notes(&t);
  rollup_add(&t, " (");
  rollup_add_keys(&t, "", ", ");
  rollup_add(&t, "dts_at, primary key (");
  rollup_add_keys(&t, "", ", ");
  rollup_add(&t, "dts_at)) without rowid");
  return rollup_text_close(&t);
}

const char *rollup_sql_index(const rollup *r, arena *a) {
  rollup_text t = rollup_text_open(r, a);
  rollup_add(&t, "create index if not exists ");
  rollup_add_name(&t, arena_format(a, "dts_rollup.%s", r->name));
  rollup_add(&t, " on ");
  rollup_add_name(&t, r->source->name);
  rollup_add(&t, " (");
  for (size_t i = 0; i < r->by_count; i++) buffer_add_format(&t.b, "(%s\n), ", r->by[i].expr);
  rollup_add_name(&t, r->time);
  rollup_add(&t, ")");
  return rollup_text_close(&t);
}

/* by.., bucket */
static void add_note(rollup_text *t, const char *prefix) {
  for (size_t i = 0; i < t->r->by_count; i++)
    rollup_add_prefixed(t, t->r->by[i].expr, prefix), rollup_add(t, ", ");
  rollup_add_bucket(t, prefix);
}

static void add_not_null(rollup_text *t, const char *prefix) {
  buffer_add_format(&t->b, " where %s is not null", rollup_quoted(t, prefix, t->r->time));
  for (size_t i = 0; i < t->r->by_count; i++) {
    rollup_add(t, " and (");
    rollup_add_prefixed(t, t->r->by[i].expr, prefix);
    rollup_add(t, ") is not null");
  }
}

/* Are time and by all of them columns of the source's key? Then they are never null, and never
 * change. */
static bool is_of_key(const rollup *r) {
  const table_column *c = table_find(r->source, r->time, NULL);
  for (size_t i = 0; c && c->key && i < r->by_count; i++)
    c = r->by[i].column ? table_find(r->source, r->by[i].column, NULL) : NULL;
  return c && c->key;
}

/* One row's note; values(..) where it can be, a fifth less work than a select. */
static void add_noting(rollup_text *t, const char *prefix) {
  rollup_add(t, "insert into ");
  rollup_add_notes(t);
  if (is_of_key(t->r)) {
    rollup_add(t, " values (");
    add_note(t, prefix);
    rollup_add(t, ")");
  } else {
    rollup_add(t, " select ");
    add_note(t, prefix);
    add_not_null(t, prefix);
  }
  rollup_add(t, " on conflict do nothing; ");
}

static bool mentions(const char *sql, const table *source, const table_column *c, arena *a) {
  for (sql_token k = sql_next(&sql); k.kind != SQL_END; k = sql_next(&sql))
    if (rollup_find_column(source, &k, a) == c) return true;
  return false;
}

static bool uses(const rollup *r, const table_column *c, arena *a) {
  if (strcmp(c->name, r->time) == 0) return true;
  if (r->where && mentions(r->where, r->source, c, a)) return true;
  for (size_t i = 0; i < r->by_count; i++)
    if (mentions(r->by[i].expr, r->source, c, a)) return true;
  for (size_t i = 0; i < r->measure_count; i++)
    if (mentions(r->measures[i].expr, r->source, c, a)) return true;
  return false;
}

/* A row written again as it was changes nothing. */
static void add_when(rollup_text *t) {
  size_t count = 0;
  for (size_t i = 0; i < t->r->source->count; i++) {
    const table_column *c = &t->r->source->columns[i];
    if (!uses(t->r, c, t->a)) continue;
    rollup_add(t, count++ ? " or " : " when ");
    rollup_add(t, rollup_quoted(t, "old.", c->name));
    rollup_add(t, " is not ");
    rollup_add(t, rollup_quoted(t, "new.", c->name));
  }
}

const char *rollup_sql_trigger(const rollup *r, const char *event, arena *a) {
  bool old = strcmp(event, "insert") != 0, new = strcmp(event, "delete") != 0;
  rollup_text t = rollup_text_open(r, a);
  rollup_add(&t, "CREATE TRIGGER ");
  rollup_add_name(&t, arena_format(a, "dts_rollup.%s.%s", r->name, event));
  buffer_add_format(&t.b, " after %s on ", event);
  rollup_add_name(&t, r->source->name);
  if (old && new) add_when(&t);
  rollup_add(&t, " begin ");
  if (old && !(new &&is_of_key(r))) add_noting(&t, "old."); /* a row keeps its key */
  if (new) add_noting(&t, "new.");
  rollup_add(&t, "end");
  return rollup_text_close(&t);
}

const char *rollup_sql_note_all(const rollup *r, arena *a) {
  rollup_text t = rollup_text_open(r, a);
  rollup_add(&t, "insert into ");
  rollup_add_notes(&t);
  rollup_add(&t, " select ");
  add_note(&t, "");
  rollup_add(&t, " from ");
  rollup_add_name(&t, r->source->name);
  add_not_null(&t, "");
  rollup_add(&t, " on conflict do nothing");
  return rollup_text_close(&t);
}
