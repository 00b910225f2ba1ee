/* gaps.c -- looking at a gaps pipeline's table. See gaps.h; gaps_write.c holds what is written.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/gaps/gaps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/gaps/gaps_parts.h"
#include "format/date.h"
#include "format/json.h"

enum { DAYS = 200000 };

/* ---- the keys ---- */

typedef struct key_rows {
  const gap_plan *plan;
  arena *memory;
  series *out;
  size_t count, capacity;
} key_rows;

static bool is_key_column(const gap_plan *g, const char *name) {
  for (size_t i = 0; i < g->into->key_count; i++)
    if (strcmp(g->into->columns[g->into->key[i]].name, name) == 0) return true;
  return false;
}

static int read_bound(const value *v, const char *name, int32_t *out, dts_error *e) {
  if (v->kind == VALUE_TEXT && date_read(v->text.bytes, v->text.size, out) == 0) return 0;
  return error_fail(e, "GAPS", "gaps.keys: column '%s' must be a date YYYY-MM-DD", name);
}

static int add_key_row(void *arg, const store_header *header, const value *row, dts_error *e) {
  key_rows *k = arg;
  arena *a = k->memory;
  if (k->count == k->capacity) {
    size_t capacity = k->capacity ? 2 * k->capacity : 16;
    series *grown = arena_alloc(a, capacity * sizeof *grown);
    if (k->count) memcpy(grown, k->out, k->count * sizeof *grown);
    k->out = grown;
    k->capacity = capacity;
  }
  series *s = &k->out[k->count++];
  value *with = arena_alloc(a, sizeof *with);
  *s = (series){.key = value_map(), .since = k->plan->since, .to = k->plan->to, .with = with};
  *with = value_map();
  for (size_t i = 0; i < header->count; i++) {
    const char *name = arena_text(a, header->names[i]);
    if (row[i].kind == VALUE_NULL) continue;
    if (is_key_column(k->plan, name))
      value_set(a, &s->key, name, value_copy(a, &row[i]));
    else if (strcmp(name, "since") == 0) {
      if (read_bound(&row[i], name, &s->since, e) < 0) return -1;
    } else if (strcmp(name, "to") == 0) {
      if (read_bound(&row[i], name, &s->to, e) < 0) return -1;
    } else
      value_set(a, with, name, value_copy(a, &row[i]));
  }
  value *given = arena_alloc(a, sizeof *given);
  bool one = s->key.map.count == 1 && s->key.map.pairs[0].item.kind == VALUE_TEXT;
  *given = one ? s->key.map.pairs[0].item : s->key;
  s->given = given;
  s->label = gaps_label(a, given);
  return 0;
}

const char *gaps_label(arena *a, const value *given) {
  buffer b;
  if (!given) return "";
  if (given->kind == VALUE_TEXT) return arena_copy(a, given->text.bytes, given->text.size);
  buffer_init(&b, 4096);
  json_write(&b, given);
  const char *label = arena_text(a, buffer_text(&b));
  buffer_free(&b);
  return label;
}

static int read_keys(store_conn *c, const gap_plan *g, arena *a, const series **out, size_t *count,
                     dts_error *e) {
  *out = g->series;
  *count = g->series_count;
  if (!g->keys_sql) return 0;
  key_rows k = {.plan = g, .memory = a};
  store_sql q = {.sql = g->keys_sql};
  if (store_query(c, &q, a, NULL, NULL, add_key_row, &k, e) < 0) return -1;
  *out = k.out;
  *count = k.count;
  return 0;
}

/* ---- one series ---- */

typedef struct looking {
  const pipeline *pipeline;
  const gap_plan *plan;
  gaps_which which;
  const gaps_range *range;
  int32_t today;
  arena *memory;
} looking;

typedef struct filling { /* the arrays while they are filled */
  gaps_series *out;
  int32_t *expected;
  bool *there, *complete, *known;
  gap_state *states;
  uint8_t *marks;
} filling;

static void list_expected(const looking *l, gaps_series *s, filling *f) {
  const calendar *days = s->series->days ? s->series->days : l->plan->days;
  int32_t to =
      s->series->to < l->today - l->plan->lag_days ? s->series->to : l->today - l->plan->lag_days;
  int32_t from = s->series->since > l->range->from ? s->series->since : l->range->from;
  if (to > l->range->to) to = l->range->to;
  size_t room = 1024;
  int32_t *list = memory_alloc(room * sizeof *list);
  int32_t day = calendar_has(days, from) ? from : calendar_next(days, from);
  for (; day <= to && s->count < DAYS; day = calendar_next(days, day)) {
    if (s->count == room) list = memory_grow(list, (room *= 2) * sizeof *list);
    list[s->count++] = day;
  }
  size_t n = s->count;
  s->expected = f->expected = (int32_t *)(void *)arena_copy(l->memory, list, n * sizeof *list);
  free(list);
  s->there = f->there = arena_alloc(l->memory, n * sizeof *f->there);
  s->complete = f->complete = arena_alloc(l->memory, n * sizeof *f->complete);
  s->known = f->known = arena_alloc(l->memory, n * sizeof *f->known);
  s->marks = f->marks = arena_alloc(l->memory, n * sizeof *f->marks);
  f->states = arena_alloc(l->memory, n * sizeof *f->states);
  for (size_t i = 0; i < n; i++) f->states[i] = gap_begin(l->pipeline->retry);
  s->states = f->states;
}

static bool find_day(const gaps_series *s, const value *text, size_t *at) {
  int32_t day;
  if (text->kind != VALUE_TEXT || date_read(text->text.bytes, text->text.size, &day) < 0)
    return false;
  size_t low = 0, high = s->count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (s->expected[middle] < day)
      low = middle + 1;
    else
      high = middle;
  }
  *at = low;
  return low < s->count && s->expected[low] == day;
}

static int add_row(void *arg, const store_header *header, const value *row, dts_error *e) {
  filling *f = arg;
  size_t at;
  (void)header, (void)e;
  bool whole = row[1].kind == VALUE_BOOLEAN ? row[1].boolean
                                            : row[1].kind == VALUE_INTEGER && row[1].integer;
  if (!find_day(f->out, &row[0], &at)) return 0;
  f->there[at] = true;
  f->complete[at] = whole;
  return 0;
}

/* "date, is it complete" of the rows of one series between two days. */
static int read_rows(store_conn *c, const looking *l, const series *s, filling *f, dts_error *e) {
  buffer sql;
  value params = value_list();
  const gap_plan *g = l->plan;
  buffer_init(&sql, 1 << 16);
  buffer_add_format(&sql, "select \"%s\", ", g->date_column);
  if (g->complete) buffer_add_format(&sql, "coalesce((%s), false)", g->complete);
  for (size_t i = 0; !g->complete && i < g->into->count; i++)
    buffer_add_format(&sql, "%s\"%s\" is not null", i ? " and " : "", g->into->columns[i].name);
  buffer_add_format(&sql, " from \"%s\"", g->into->name);
  int rc = store_where(g->into, &s->key, &sql, l->memory, &params, e);
  if (rc == 0)
    rc = store_select(c, buffer_text(&sql), params.list.items, params.list.count, add_row, f, e);
  buffer_free(&sql);
  return rc;
}

static int add_state(void *arg, const store_header *header, const value *row, dts_error *e) {
  filling *f = arg;
  size_t at;
  (void)header, (void)e;
  if (!find_day(f->out, &row[0], &at)) return 0;
  gap_state *s = &f->states[at];
  gap_status_read(row[1].text.bytes, &s->status);
  s->held = row[2].integer != 0;
  s->attempts = (int)row[3].integer;
  s->retry_count = (int)row[4].integer;
  s->releases = (int)row[5].integer;
  f->known[at] = true;
  return 0;
}

static int read_states(store_conn *c, const looking *l, const series *s, filling *f, dts_error *e) {
  value params[] = {value_text(l->pipeline->name), value_text(s->label)};
  return store_select(
      c,
      "select day, state, held, attempts, retry_count, releases from dts_gap where pipeline "
      "= ?1 and series = ?2",
      params, 2, add_state, f, e);
}

/* What the store shows now, taken into the state: a row came by itself, or is gone. */
static gap_state seen(const filling *f, size_t i) {
  gap_state s = f->states[i], out;
  gap_event event = {.kind = f->complete[i] ? GAP_PRESENT : GAP_LOST};
  bool moves = f->complete[i] ? s.status != GAP_FILLED : s.status == GAP_FILLED;
  return moves && gap_step(&s, &event, &out, NULL) == GAP_OK ? out : s;
}

static uint8_t mark_of(const looking *l, const filling *f, size_t i) {
  gap_state s = seen(f, i);
  bool fresh = f->expected[i] > l->today - l->plan->lag_days - l->plan->refresh_days;
  if (s.held || s.status == GAP_QUARANTINED) return SPAN_BARRED;
  if (l->which == GAPS_EVERY) return SPAN_MISSING;
  bool again = fresh && (l->which == GAPS_NEW || l->which == GAPS_ALL);
  if (f->complete[i]) return again ? SPAN_MISSING : SPAN_PRESENT;
  if (s.status == GAP_ABSENT) return SPAN_PRESENT;
  bool wanted = (l->which != GAPS_TRIED && gap_is_planned_by_schedule(&s)) ||
                (l->which != GAPS_NEW && gap_is_planned_by_recheck(&s));
  return wanted ? SPAN_MISSING : SPAN_BARRED;
}

static void group(const looking *l, gaps_series *s, filling *f) {
  for (size_t i = 0; i < s->count; i++) {
    f->marks[i] = mark_of(l, f, i);
    s->present += f->complete[i];
    s->missing += f->marks[i] == SPAN_MISSING;
  }
  size_t bridge = (size_t)(l->plan->bridge > 0 ? l->plan->bridge : 0);
  s->span_count =
      span_group(s->expected, s->marks, s->count, bridge, l->plan->max_span_days, NULL, 0);
  span *spans = arena_alloc(l->memory, s->span_count * sizeof *spans);
  span_group(s->expected, s->marks, s->count, bridge, l->plan->max_span_days, spans, s->span_count);
  s->spans = spans;
}

static int look_at_one(store_conn *c, const looking *l, const series *given, gaps_series *s,
                       dts_error *e) {
  filling f = {.out = s};
  *s = (gaps_series){.series = given};
  list_expected(l, s, &f);
  if (!s->count) return 0;
  if (read_rows(c, l, given, &f, e) < 0 || read_states(c, l, given, &f, e) < 0) return -1;
  group(l, s, &f);
  return 0;
}

int gaps_look_at(store_conn *c, const pipeline *p, gaps_which which, const gaps_range *range,
                 int64_t now, arena *a, gaps_look *out, dts_error *e) {
  static const gaps_range all = {INT32_MIN, INT32_MAX};
  looking l = {p, p->gaps, which, range ? range : &all, zone_date(p->zone, now), a};
  const series *keys;
  *out = (gaps_look){0};
  if (read_keys(c, p->gaps, a, &keys, &out->count, e) < 0) return -1;
  out->series = arena_alloc(a, out->count * sizeof *out->series);
  for (size_t i = 0; i < out->count; i++)
    if (look_at_one(c, &l, &keys[i], &out->series[i], e) < 0) return -1;
  return 0;
}

char gaps_letter(const gaps_series *s, size_t i) {
  if (s->complete[i]) return 'p';
  switch (s->states[i].status) {
  case GAP_RETRYING: return 'r';
  case GAP_QUARANTINED: return 'q';
  case GAP_ABSENT: return 'a';
  default: return 'm';
  }
}
