/* gaps.c -- looking at a gaps pipeline's table. See gaps.h; gaps_write.c holds what is written.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/gaps/gaps.h"

#include <stdlib.h>
#include <string.h>

#include "flow/gaps/gaps_parts.h"
#include "format/date.h"
#include "format/json.h"

enum { DAYS = 200000 };

/* ---- one series ---- */

typedef struct looking {
  const pipeline *pipeline;
  const gap_plan *plan;
  gaps_which which;
  const gaps_range *range;
  int32_t today;
  arena *memory;
  const int32_t *listed; /* the expected days of the series before */
  const calendar *listed_days;
  size_t listed_count;
  int32_t from, to;
} looking;

typedef struct filling { /* the arrays while they are filled */
  gaps_series *out;
  bool *there, *complete, *known;
  gap_state *states;
  uint8_t *marks;
} filling;

static const calendar *days_of(const looking *l, const series *s) {
  return s->days ? s->days : l->plan->days;
}

/* The expected days; those of the series before serve again where nothing differs. */
static int list_days(looking *l, gaps_series *s, dts_error *e) {
  const calendar *days = days_of(l, s->series);
  size_t room = 1024;
  if (l->listed && l->listed_days == days && l->from == s->from && l->to == s->to) {
    s->expected = l->listed, s->count = l->listed_count;
    return 0;
  }
  int32_t *list = memory_alloc(room * sizeof *list);
  int32_t day = calendar_has(days, s->from) ? s->from : calendar_next(days, s->from);
  for (; day <= s->to && s->count <= DAYS; day = calendar_next(days, day)) {
    if (s->count == room) list = memory_grow(list, (room *= 2) * sizeof *list);
    list[s->count++] = day;
  }
  s->expected = (int32_t *)(void *)arena_copy(l->memory, (char *)list, s->count * sizeof *list);
  free(list);
  l->listed = s->expected, l->listed_count = s->count, l->listed_days = days;
  l->from = s->from, l->to = s->to;
  if (s->count <= DAYS) return 0;
  error_fail(e, "GAPS", "'%s' of '%s' expects more than %d dates", s->series->label,
             l->pipeline->name, DAYS);
  return error_hint(e, "set a later gaps.since, or a calendar with fewer days");
}

static int list_expected(looking *l, gaps_series *s, filling *f, dts_error *e) {
  int32_t latest = l->today - l->plan->lag_days;
  s->to = s->series->to < latest ? s->series->to : latest;
  s->from = s->series->since > l->range->from ? s->series->since : l->range->from;
  if (s->to > l->range->to) s->to = l->range->to;
  if (s->from > s->to) return 0;
  if (list_days(l, s, e) < 0) return -1;
  size_t n = s->count;
  s->there = f->there = arena_alloc(l->memory, n * sizeof *f->there);
  s->complete = f->complete = arena_alloc(l->memory, n * sizeof *f->complete);
  s->known = f->known = arena_alloc(l->memory, n * sizeof *f->known);
  s->marks = f->marks = arena_alloc(l->memory, n * sizeof *f->marks);
  f->states = arena_alloc(l->memory, n * sizeof *f->states);
  for (size_t i = 0; i < n; i++) f->states[i] = gap_begin(l->pipeline->retry);
  s->states = f->states;
  return 0;
}

bool gaps_find_day(const gaps_series *s, int32_t day, size_t *at) {
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
  int32_t day;
  (void)header, (void)e;
  bool whole = row[1].kind == VALUE_BOOLEAN ? row[1].boolean
                                            : row[1].kind == VALUE_INTEGER && row[1].integer;
  if (row[0].kind != VALUE_TEXT || date_read(row[0].text.bytes, row[0].text.size, &day) < 0)
    return 0;
  if (!gaps_find_day(f->out, day, &at)) {
    if (!f->out->stray_count++ || day < f->out->stray) f->out->stray = day;
    return 0;
  }
  f->there[at] = true;
  f->complete[at] = whole;
  return 0;
}

static value rows_wanted(const looking *l, const series *s, const filling *f) {
  value where = value_map(), between = value_map();
  for (size_t i = 0; i < s->key.map.count; i++)
    value_set(l->memory, &where, s->key.map.pairs[i].key.text.bytes, s->key.map.pairs[i].item);
  value_set(l->memory, &between, "from", date_value(l->memory, f->out->from));
  value_set(l->memory, &between, "to", date_value(l->memory, f->out->to));
  value_set(l->memory, &where, l->plan->date_column, between);
  return where;
}

/* "date, is it complete" of the rows of one series between the first day and the last. */
static int read_rows(store_conn *c, const looking *l, const series *s, filling *f, dts_error *e) {
  buffer sql;
  value where = rows_wanted(l, s, f);
  value params = value_list();
  const gap_plan *g = l->plan;
  buffer_init(&sql, 1 << 16);
  buffer_add_format(&sql, "select \"%s\", ", g->date_column);
  if (g->complete) buffer_add_format(&sql, "coalesce((%s\n), false)", g->complete);
  for (size_t i = 0; !g->complete && i < g->into->count; i++)
    buffer_add_format(&sql, "%s\"%s\" is not null", i ? " and " : "", g->into->columns[i].name);
  buffer_add_format(&sql, " from \"%s\"", g->into->name);
  int rc = store_where(g->into, &where, &sql, l->memory, &params, e);
  if (rc == 0)
    rc = store_select(c, buffer_text(&sql), params.list.items, params.list.count, add_row, f, e);
  buffer_free(&sql);
  return rc;
}

static int add_state(void *arg, const store_header *header, const value *row, dts_error *e) {
  filling *f = arg;
  size_t at;
  int32_t day;
  (void)header, (void)e;
  if (date_read(row[0].text.bytes, row[0].text.size, &day) < 0) return 0;
  if (!gaps_find_day(f->out, day, &at)) return 0;
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
  value params[] = {value_text(l->pipeline->name), value_text(s->label),
                    date_value(l->memory, f->out->from), date_value(l->memory, f->out->to)};
  return store_select(
      c,
      "select day, state, held, attempts, retry_count, releases from dts_gap where pipeline "
      "= ?1 and series = ?2 and day between ?3 and ?4",
      params, 4, add_state, f, e);
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
  bool fresh = f->out->expected[i] > l->today - l->plan->lag_days - l->plan->refresh_days;
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
    bool asked = f->marks[i] == SPAN_MISSING;
    s->present += f->complete[i];
    s->missing += asked;
    s->again += asked && f->complete[i];
    s->absent += !f->complete[i] && f->states[i].status == GAP_ABSENT && !asked;
  }
  size_t bridge = (size_t)(l->plan->bridge > 0 ? l->plan->bridge : 0);
  s->span_count =
      span_group(s->expected, s->marks, s->count, bridge, l->plan->max_span_days, NULL, 0);
  span *spans = arena_alloc(l->memory, s->span_count * sizeof *spans);
  span_group(s->expected, s->marks, s->count, bridge, l->plan->max_span_days, spans, s->span_count);
  s->spans = spans;
}

static int look_at_one(store_conn *c, looking *l, const series *given, gaps_series *s,
                       dts_error *e) {
  filling f = {.out = s};
  bool whole = l->range->from == INT32_MIN && l->range->to == INT32_MAX;
  *s = (gaps_series){.series = given, .days = days_of(l, given), .whole = whole};
  if (list_expected(l, s, &f, e) < 0) return -1;
  if (s->from > s->to) return 0;
  if (read_rows(c, l, given, &f, e) < 0 || read_states(c, l, given, &f, e) < 0) return -1;
  group(l, s, &f);
  return 0;
}

static looking looking_of(const pipeline *p, gaps_which which, const gaps_range *range, int64_t now,
                          arena *a) {
  static const gaps_range all = {INT32_MIN, INT32_MAX};
  return (looking){.pipeline = p,
                   .plan = p->gaps,
                   .which = which,
                   .range = range ? range : &all,
                   .today = zone_date(p->zone, now),
                   .memory = a};
}

int gaps_look_at(store_conn *c, const pipeline *p, gaps_which which, const gaps_range *range,
                 int64_t now, arena *a, gaps_look *out, dts_error *e) {
  looking l = looking_of(p, which, range, now, a);
  const series *keys;
  *out = (gaps_look){0};
  if (gaps_keys_read(c, p->gaps, a, &keys, &out->count, e) < 0) return -1;
  out->series = arena_alloc(a, out->count * sizeof *out->series);
  for (size_t i = 0; i < out->count; i++)
    if (look_at_one(c, &l, &keys[i], &out->series[i], e) < 0) return -1;
  return 0;
}

int gaps_look_for(store_conn *c, const pipeline *p, const char *label, const gaps_range *range,
                  int64_t now, arena *a, gaps_series *out, dts_error *e) {
  looking l = looking_of(p, GAPS_ALL, range, now, a);
  const series *key;
  int found = gaps_keys_find(c, p->gaps, label, a, &key, e);
  if (found <= 0) return found;
  return look_at_one(c, &l, key, out, e) < 0 ? -1 : 1;
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
