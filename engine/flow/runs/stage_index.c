/* stage_index.c -- looks at each frame as it comes, while the worker makes the next: is it whole, do its
 * values fit their columns, do its keys rise? What is left for the writer is to write.
 *
 * A worker's own checks only make better messages; these are the ones that count.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "wire/pack.h"

#include "flow/runs/stage_parts.h"

enum { FEWEST_REFS = 16 };

/* ---- groups ---- */

static stage_group *add_group(stage *s, const table *t, uint64_t from) {
  stage_group *g = memory_alloc(sizeof *g);
  *g = (stage_group){.table = t, .from = from};
  buffer_init(&g->last, SIZE_MAX / 2);
  for (size_t i = 0; t && i < t->key_count; i++)
    if (t->key[i] >= g->width) g->width = t->key[i] + 1;
  g->left = memory_alloc(2 * (g->width + 1) * sizeof *g->left);
  g->right = g->left + g->width + 1;
  if (s->last)
    s->last->next = g;
  else
    s->first = g;
  s->last = g;
  return g;
}

/* The table's group behind the last verb. */
static stage_group *group_of(stage *s, const table *t, uint64_t place) {
  stage_group *found = NULL;
  for (stage_group *g = s->first; g; g = g->next)
    if (!g->table)
      found = NULL;
    else if (g->table == t)
      found = g;
  return found ? found : add_group(s, t, place);
}

void stage_index_free(stage *s) {
  for (stage_group *g = s->first, *next; g; g = next) {
    next = g->next;
    stage_room_free(&g->refs);
    buffer_free(&g->last);
    free(g->left);
    free(g);
  }
  s->first = s->last = NULL;
}

/* ---- rows ---- */

int stage_read_row(const table *t, unpack *u, arena *a, value *row, dts_error *e) {
  value head;
  bool ended = false;
  if (unpack_next(u, &head, &ended, e) < 0) return -1;
  if (ended) return 1;
  if (head.kind != VALUE_LIST || head.list.count != t->count)
    return error_fail(e, "WIRE", "a row of '%s' must have %zu values", t->name, t->count);
  for (size_t i = 0; i < t->count; i++) {
    if (t->columns[i].type == COLUMN_JSON) {
      row[i] = value_null();
      if ((a ? unpack_value(u, a, &row[i], e) : unpack_skip(u, e)) < 0) return -1;
      continue;
    }
    if (unpack_next(u, &row[i], NULL, e) < 0) return -1;
    if (row[i].kind == VALUE_LIST || row[i].kind == VALUE_MAP)
      return error_fail(e, "WIRE", "column '%s' of '%s' holds a table", t->columns[i].name,
                        t->name);
  }
  return 0;
}

/* A value that the check would change is checked again, and changed, when it is written. */
static int check_row(stage_group *g, const value *row, arena *a, dts_error *e) {
  for (size_t i = 0; i < g->table->count; i++) {
    value v = row[i];
    if (g->table->columns[i].type == COLUMN_JSON) {
      g->unchecked = true;
      continue;
    }
    if (table_check(g->table, i, a, &v, e) < 0) return -1;
    bool same =
        v.kind == row[i].kind && (v.kind != VALUE_TEXT || v.text.bytes == row[i].text.bytes);
    if (!same) g->unchecked = true;
  }
  return 0;
}

static void note_order(stage_group *g, const value *row) {
  const value *before = g->left;
  int order = g->has_last ? stage_compare(g, before, row) : -1;
  if (order > 0) g->unsorted = true;
  if (order == 0) g->repeats = true;
  memcpy(g->left, row, g->width * sizeof *row);
  g->has_last = true;
}

static int add_ref(stage *s, stage_group *g, uint64_t prefix, uint64_t place, dts_error *e) {
  size_t held = g->refs.size / sizeof(stage_ref);
  if (g->count == held) {
    size_t wanted = held ? 2 * held : FEWEST_REFS;
    if (stage_room_grow(&g->refs, wanted * sizeof(stage_ref), s->disk, e) < 0) return -1;
  }
  ((stage_ref *)g->refs.at)[g->count++] = (stage_ref){prefix, place};
  s->rows++;
  return 0;
}

/* The key of the frame's last row outlives the frame. */
static void keep_last(stage_group *g, const char *at, const char *end) {
  if (!g->table->key_count || g->unsorted) return;
  buffer_clear(&g->last);
  buffer_add(&g->last, at, (size_t)(end - at));
  stage_read_key(g, g->last.data, g->last.data + g->last.size, g->left);
}

static int index_list(stage *s, stage_group *g, unpack *u, const char *payload, uint64_t place,
                      dts_error *e) {
  value list, *row = memory_alloc(g->table->count * sizeof *row);
  bool keyed = g->table->key_count > 0;
  const char *at = NULL, *end = NULL;
  arena a = {0};
  int rc = unpack_next(u, &list, NULL, e);
  if (rc == 0 && list.kind != VALUE_LIST)
    rc = error_fail(e, "WIRE", "rows of '%s' are not a list", g->table->name);
  for (size_t i = 0; rc == 0 && i < list.list.count; i++) {
    const char *start = u->at;
    rc = stage_read_row(g->table, u, NULL, row, e);
    if (rc != 0) break;
    at = start, end = u->at;
    rc = check_row(g, row, &a, e);
    if (rc < 0) break;
    if (keyed && !g->unsorted) note_order(g, row);
    uint64_t prefix = keyed ? stage_prefix(&row[g->table->key[0]], 0) : 0;
    rc = add_ref(s, g, prefix, place + (uint64_t)(start - payload), e);
  }
  if (rc >= 0 && at) keep_last(g, at, end);
  arena_free(&a);
  free(row);
  return rc < 0 ? -1 : 0;
}

static const table *table_named(const stage *s, const value *name, dts_error *e) {
  char text[64];
  snprintf(text, sizeof text, "%.*s", (int)name->text.size, name->text.bytes);
  const table *t = registry_table(s->set, text);
  if (!t) error_fail(e, "TABLE", "there is no table named '%s'", text);
  return t;
}

/* {table, step?, rows}: the table comes before its rows. */
int stage_index_rows(stage *s, const char *payload, size_t size, uint64_t place, dts_error *e) {
  unpack u = {payload, payload + size};
  value map, key, v;
  const table *t = NULL;
  if (unpack_next(&u, &map, NULL, e) < 0) return -1;
  for (size_t i = 0; map.kind == VALUE_MAP && i < map.map.count; i++) {
    if (unpack_next(&u, &key, NULL, e) < 0) return -1;
    if (value_is(&key, "rows"))
      return t ? index_list(s, group_of(s, t, place), &u, payload, place, e)
               : error_fail(e, "WIRE", "rows come before their table");
    if (unpack_next(&u, &v, NULL, e) < 0) return -1;
    if (!value_is(&key, "table") || v.kind != VALUE_TEXT) continue;
    t = table_named(s, &v, e);
    if (!t) return -1;
  }
  return error_fail(e, "WIRE", "a frame of rows without rows");
}

/* ---- what is no put ---- */

/* An update is a row too: limits.rows bounds both. */
static bool is_update(const char *payload, size_t size) {
  unpack u = {payload, payload + size};
  value map, key, verb;
  if (unpack_next(&u, &map, NULL, NULL) < 0 || map.kind != VALUE_MAP) return false;
  for (size_t i = 0; i < map.map.count; i++) {
    bool ended;
    if (unpack_next(&u, &key, &ended, NULL) < 0 || ended) return false;
    if (value_is(&key, "verb"))
      return unpack_next(&u, &verb, NULL, NULL) == 0 && value_is(&verb, "update");
    if (unpack_skip(&u, NULL) < 0) return false;
  }
  return false;
}

int stage_index_verb(stage *s, const char *payload, size_t size, uint64_t place, dts_error *e) {
  unpack u = {payload, payload + size};
  if (unpack_skip(&u, e) < 0) return -1;
  uint64_t from = place - STAGE_HEAD;
  stage_group *g =
      s->last && !s->last->table && s->last->to == from ? s->last : add_group(s, NULL, from);
  g->to = place + size;
  s->rows += is_update(payload, size);
  return 0;
}
