/* api_gaps.c -- each key's expected days, one letter a day.
 *
 * What is missing is what `dts plan` says; what has been tried comes from dts_gap.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "format/date.h"
#include "serve/call.h"

enum { DAYS = 5 * 366 };

static const calendar *calendar_of(const gap_plan *plan, const char *label) {
  for (size_t i = 0; i < plan->series_count; i++)
    if (strcmp(plan->series[i].label, label) == 0 && plan->series[i].days)
      return plan->series[i].days;
  return plan->days;
}

static int32_t day_of(const value *v) {
  int32_t date;
  bool fine = v && v->kind == VALUE_TEXT && date_read(v->text.bytes, v->text.size, &date) == 0;
  return fine ? date : INT32_MIN;
}

static void mark_spans(const value *spans, int32_t from, char *days, int32_t count) {
  for (size_t i = 0; spans && spans->kind == VALUE_LIST && i < spans->list.count; i++) {
    const value *span = &spans->list.items[i];
    int32_t first, last;
    if (span->kind != VALUE_TEXT || span->text.size != 21) continue;
    if (date_read(span->text.bytes, 10, &first) < 0) continue;
    if (date_read(span->text.bytes + 11, 10, &last) < 0) continue;
    for (int32_t d = first; d <= last; d++)
      if (d >= from && d - from < count && days[d - from] == 'p') days[d - from] = 'm';
  }
}

static char letter_of(const value *state, char present) {
  if (value_is(state, "retrying")) return 'r';
  if (value_is(state, "quarantined")) return 'q';
  if (value_is(state, "absent")) return 'a';
  return present;
}

static void mark_tried(const gathered *tried, const char *key, int32_t from, char *days,
                       int32_t count) {
  for (size_t i = 0; i < tried->rows.list.count; i++) {
    const value *row = &tried->rows.list.items[i];
    int32_t d = day_of(value_get(row, "day"));
    if (d < from || d - from >= count || days[d - from] == '-') continue;
    if (strcmp(value_get_text(row, "series", ""), key) != 0) continue;
    days[d - from] = letter_of(value_get(row, "state"), days[d - from]);
  }
}

static value key_of(api_call *c, const gap_plan *plan, const value *one, const gathered *tried) {
  value v = value_map();
  const char *key = value_get_text(one, "key", "");
  const calendar *days = calendar_of(plan, key);
  int32_t from = day_of(value_get(one, "from")), to = day_of(value_get(one, "to"));
  char text[11];
  if (from == INT32_MIN || to < from) return value_null();
  if (to - from >= DAYS) from = to - DAYS + 1;
  int32_t count = to - from + 1;
  char *letters = arena_alloc(c->memory, (size_t)count + 1);
  for (int32_t i = 0; i < count; i++) letters[i] = calendar_has(days, from + i) ? 'p' : '-';
  mark_spans(value_get(one, "spans"), from, letters, count);
  mark_tried(tried, key, from, letters, count);
  date_write(from, text);
  value_set(c->memory, &v, "key", value_text(key));
  value_set(c->memory, &v, "from", value_text(arena_text(c->memory, text)));
  value_set(c->memory, &v, "to", *value_get(one, "to"));
  value_set(c->memory, &v, "days", value_text(letters));
  return v;
}

static int add_pipeline(api_call *c, const pipeline *p, value *keys, dts_error *e) {
  gathered tried = {.memory = c->memory};
  value command = value_map(), answer, name = value_text(p->name);
  value_set(c->memory, &command, "name", value_text("plan"));
  value_set(c->memory, &command, "pipeline", name);
  if (call_ask(c, &command, &answer, e) < 0) return -1;
  if (result_gather(c->store, &tried, "select series, day, state from dts_gap where pipeline = ?1",
                    &name, 1, e) < 0)
    return -1;
  const value *all = value_get(&answer, "series");
  for (size_t i = 0; all && i < all->list.count; i++) {
    value key = key_of(c, p->gaps, &all->list.items[i], &tried);
    if (key.kind == VALUE_MAP) value_add(c->memory, keys, key);
  }
  return 0;
}

static int gaps(api_call *c, dts_error *e) {
  const char *name = call_param(c, "pipeline");
  value v = value_map(), keys = value_list();
  if (name && !registry_pipeline(c->set, name)) return registry_unknown_pipeline(c->set, name, e);
  for (size_t i = 0; i < c->set->pipeline_count; i++) {
    const pipeline *p = &c->set->pipelines[i];
    bool wanted = p->gaps && (!name || strcmp(p->name, name) == 0);
    if (wanted && add_pipeline(c, p, &keys, e) < 0) return -1;
  }
  value_set(c->memory, &v, "keys", keys);
  http_reply_json(c->rp, &v);
  return 0;
}

const api_route api_gaps[] = {{"GET", "/api/v1/gaps", KEY_READ, gaps}, {0}};
