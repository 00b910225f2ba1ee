/* gaps_keys.c -- the keys of a gaps pipeline, from declarations and from SQL. See gaps_parts.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/gaps/gaps_parts.h"

#include <stdlib.h>
#include <string.h>

#include "format/date.h"
#include "format/json.h"

/* ---- one key ---- */

static const char *label_of(arena *a, const value *given) {
  buffer b;
  if (!given) return "";
  if (given->kind == VALUE_TEXT) return arena_copy(a, given->text.bytes, given->text.size);
  buffer_init(&b, 1 << 16);
  json_write(&b, given);
  const char *label = arena_text(a, buffer_text(&b));
  buffer_free(&b);
  return label;
}

static bool is_key_column(const gap_plan *g, const char *name) {
  const table *t = g->into;
  for (size_t i = 0; i < t->key_count; i++)
    if (strcmp(t->columns[t->key[i]].name, name) == 0) return strcmp(name, g->date_column) != 0;
  return false;
}

static int read_bound(const value *v, const char *name, int32_t *out, dts_error *e) {
  char shown[80];
  if (v->kind == VALUE_TEXT && date_read(v->text.bytes, v->text.size, out) == 0) return 0;
  json_shorten(shown, sizeof shown, v);
  return error_fail(e, "GAPS", "gaps.keys: '%s' must be a date YYYY-MM-DD, got %s", name, shown);
}

static int read_days(const value *v, series *out, dts_error *e) {
  char shown[80];
  json_shorten(shown, sizeof shown, v);
  if (v->kind != VALUE_TEXT)
    return error_fail(e, "GAPS", "gaps.keys: 'calendar' must be a name, got %s", shown);
  return (out->days = calendar_named(v->text.bytes, e)) ? 0 : -1;
}

/* What stands beside the key's columns: settings, and the rest for span.with. */
static int read_settings(arena *a, const gap_plan *g, const value *row, series *out, dts_error *e) {
  value *with = arena_alloc(a, sizeof *with);
  *with = out->with ? *out->with : value_map();
  out->with = with;
  for (size_t i = 0; i < row->map.count; i++) {
    const value *item = &row->map.pairs[i].item;
    const value *key = &row->map.pairs[i].key;
    const char *name = arena_copy(a, key->text.bytes, key->text.size);
    int rc = 0;
    if (item->kind == VALUE_NULL || is_key_column(g, name)) continue;
    if (strcmp(name, "since") == 0)
      rc = read_bound(item, name, &out->since, e);
    else if (strcmp(name, "to") == 0)
      rc = read_bound(item, name, &out->to, e);
    else if (strcmp(name, "calendar") == 0)
      rc = read_days(item, out, e);
    else
      value_set(a, with, name, *item);
    if (rc < 0) return -1;
  }
  return 0;
}

static int no_column(const gap_plan *g, const value *given, const char *column, dts_error *e) {
  char shown[120];
  if (!given) {
    error_fail(e, "GAPS", "gaps.keys is missing: the key of '%s' has '%s' beside %s", g->into->name,
               column, g->date_column);
    return error_hint(e, "say which there are: keys = { \"…\", \"…\" }, or SQL with one row a key");
  }
  json_shorten(shown, sizeof shown, given);
  error_fail(
      e, "GAPS",
      "each of gaps.keys must give all columns of the key of '%s' but %s: '%s' is missing in %s",
      g->into->name, g->date_column, column, shown);
  return error_hint(e, "a key of several columns is a table, { %s = … }, or a row of SQL", column);
}

static int one_value(const gap_plan *g, const value *given, dts_error *e) {
  char shown[80];
  json_shorten(shown, sizeof shown, given);
  if (g->into->key_count == 1) {
    error_fail(e, "GAPS", "gaps.keys: %s names a series, but the key of '%s' is %s alone", shown,
               g->into->name, g->date_column);
    return error_hint(e,
                      "leave keys out, or add the column that tells the series apart to the key");
  }
  error_fail(e, "GAPS", "gaps.keys: %s is one value, but the key of '%s' has %zu columns beside %s",
             shown, g->into->name, g->into->key_count - 1, g->date_column);
  return error_hint(e, "give each key as a table of its columns, or as a row of SQL");
}

/* A value that the column does not take is refused here, before any row is looked for. */
static int take_column(arena *a, const gap_plan *g, size_t column, const value *given, value *key,
                       dts_error *e) {
  const char *name = g->into->columns[column].name;
  const value *item = given && given->kind == VALUE_MAP ? value_get(given, name) : given;
  if (!item || item->kind == VALUE_NULL) return no_column(g, given, name, e);
  value v = *item;
  if (table_check(g->into, column, a, &v, e) < 0) return -1;
  value_set(a, key, name, v);
  return 0;
}

int gaps_key(arena *a, const gap_plan *g, const value *given, series *out, dts_error *e) {
  const table *t = g->into;
  bool map = given && given->kind == VALUE_MAP;
  size_t columns = t->key_count - 1;
  out->key = value_map();
  out->given = NULL;
  if (!map && given && columns != 1) return one_value(g, given, e);
  for (size_t i = 0; i < t->key_count; i++) {
    if (strcmp(t->columns[t->key[i]].name, g->date_column) == 0) continue;
    if (take_column(a, g, t->key[i], given, &out->key, e) < 0) return -1;
  }
  value *whole = arena_alloc(a, sizeof *whole); /* not within `out`, which may be moved */
  *whole = columns == 1 ? out->key.map.pairs[0].item : out->key;
  if (columns) out->given = whole;
  out->label = label_of(a, out->given);
  return map ? read_settings(a, g, given, out, e) : 0;
}

/* ---- each once ---- */

typedef struct ranked {
  size_t at;
  const series *one;
} ranked;

static int by_label(const void *left, const void *right) {
  const ranked *a = left, *b = right;
  int order = strcmp(a->one->label, b->one->label);
  return order ? order : (a->at > b->at) - (a->at < b->at);
}

static bool agree(const series *a, const series *b) {
  static const value none = {.kind = VALUE_MAP};
  return a->since == b->since && a->to == b->to && a->days == b->days &&
         value_equal(a->with ? a->with : &none, b->with ? b->with : &none);
}

static int twice(const series *one, bool merge, dts_error *e) {
  error_fail(e, "GAPS",
             merge ? "gaps.keys: two rows give the key %s, with different settings"
                   : "gaps.keys names %s twice",
             one->label);
  return error_hint(e, merge ? "one row a key: choose with `group by` or `where`"
                             : "each key is looked at once; leave one out");
}

/* The first of each label stays where it stands. */
int gaps_keys_distinct(series *all, size_t *count, bool merge, dts_error *e) {
  ranked *order = memory_alloc((*count + 1) * sizeof *order);
  bool *drop = memory_alloc((*count + 1) * sizeof *drop);
  size_t kept = 0;
  int rc = 0;
  for (size_t i = 0; i < *count; i++) order[i] = (ranked){i, &all[i]}, drop[i] = false;
  qsort(order, *count, sizeof *order, by_label);
  for (size_t i = 1; rc == 0 && i < *count; i++) {
    if (strcmp(order[i].one->label, order[i - 1].one->label) != 0) continue;
    drop[order[i].at] = true;
    if (!merge || !agree(order[i].one, order[i - 1].one)) rc = twice(order[i].one, merge, e);
  }
  for (size_t i = 0; rc == 0 && i < *count; i++)
    if (!drop[i]) all[kept++] = all[i];
  if (rc == 0) *count = kept;
  free(order);
  free(drop);
  return rc;
}

/* ---- from SQL ---- */

typedef struct key_rows {
  const gap_plan *plan;
  arena *memory;
  series *out;
  size_t count, capacity;
} key_rows;

static int add_key_row(void *arg, const store_header *header, const value *row, dts_error *e) {
  key_rows *k = arg;
  arena *a = k->memory;
  if (k->count == k->capacity) {
    k->capacity = k->capacity ? 2 * k->capacity : 64;
    k->out = memory_grow(k->out, k->capacity * sizeof *k->out);
  }
  series *s = &k->out[k->count++];
  value given = value_map();
  *s = (series){.since = k->plan->since, .to = k->plan->to};
  for (size_t i = 0; i < header->count; i++)
    value_set(a, &given, arena_text(a, header->names[i]), value_copy(a, &row[i]));
  return gaps_key(a, k->plan, &given, s, e);
}

static int read_sql(store_conn *c, const gap_plan *g, const store_sql *q, arena *a,
                    const series **out, size_t *count, dts_error *e) {
  key_rows k = {.plan = g, .memory = a};
  int rc = store_query(c, q, a, NULL, NULL, add_key_row, &k, e);
  if (rc >= 0) rc = gaps_keys_distinct(k.out, &k.count, true, e);
  *count = rc < 0 ? 0 : k.count;
  *out = (const series *)(const void *)arena_copy(a, (const char *)k.out, *count * sizeof *k.out);
  free(k.out);
  return rc < 0 ? -1 : 0;
}

int gaps_keys_read(store_conn *c, const gap_plan *g, arena *a, const series **out, size_t *count,
                   dts_error *e) {
  store_sql q = {.sql = g->keys_sql};
  *out = g->series;
  *count = g->series_count;
  return g->keys_sql ? read_sql(c, g, &q, a, out, count, e) : 0;
}

static const char *only_other(const gap_plan *g) {
  const table *t = g->into;
  if (t->key_count != 2) return NULL;
  const char *first = t->columns[t->key[0]].name;
  return strcmp(first, g->date_column) == 0 ? t->columns[t->key[1]].name : first;
}

/* The SQL is asked for the one row where a label is a column's text; where that finds nothing, or
 * cannot be asked, for all. */
static bool read_one(store_conn *c, const gap_plan *g, const char *label, arena *a,
                     const series **out) {
  const char *column = g->keys_sql ? only_other(g) : NULL;
  value params = value_map();
  size_t count = 0;
  dts_error none;
  if (!column) return false;
  value_set(a, &params, "dts_label", value_text(label));
  store_sql q = {.sql = arena_format(a,
                                     "select * from (%s\n) as keys where cast(\"%s\" as text) = "
                                     ":dts_label",
                                     g->keys_sql, column),
                 .params = &params};
  return read_sql(c, g, &q, a, out, &count, &none) == 0 && count == 1;
}

int gaps_keys_find(store_conn *c, const gap_plan *g, const char *label, arena *a,
                   const series **out, dts_error *e) {
  const series *all;
  size_t count;
  if (read_one(c, g, label, a, out)) return 1;
  if (gaps_keys_read(c, g, a, &all, &count, e) < 0) return -1;
  for (size_t i = 0; i < count; i++)
    if (strcmp(all[i].label, label) == 0) return *out = &all[i], 1;
  return 0;
}
