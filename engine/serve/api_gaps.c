/* api_gaps.c -- each key's expected days, one letter a day.
 *
 * All of it is what the command `plan` says: a date that is there is 'p', also where it is read again.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "format/date.h"
#include "serve/call.h"

enum { DAYS = 5 * 366 };

static const calendar *calendar_of(const gap_plan *plan, const value *one) {
  const char *label = value_get_text(one, "key", "");
  for (size_t i = 0; i < plan->series_count; i++)
    if (strcmp(plan->series[i].label, label) == 0 && plan->series[i].days)
      return plan->series[i].days;
  const char *name = value_get_text(one, "calendar", plan->calendar_name);
  bool own = plan->keys_sql && strcmp(name, plan->calendar_name) != 0; /* named by a row of SQL */
  const calendar *days = own ? calendar_named(name, NULL) : NULL;
  return days ? days : plan->days;
}

static int32_t day_of(const value *v) {
  int32_t date;
  bool fine = v && v->kind == VALUE_TEXT && date_read(v->text.bytes, v->text.size, &date) == 0;
  return fine ? date : INT32_MIN;
}

/* The plan has a letter for each expected date; here each date has one, '-' where none is expected. */
static void spread(const value *planned, const calendar *days, int32_t first, int32_t from,
                   char *letters, int32_t count) {
  size_t at = 0, size = planned ? planned->text.size : 0;
  memset(letters, '-', (size_t)count);
  for (int32_t d = first; d < from + count && at < size; d++) {
    if (!calendar_has(days, d)) continue;
    if (d >= from) letters[d - from] = planned->text.bytes[at];
    at++;
  }
}

static value key_of(api_call *c, const gap_plan *plan, const value *one) {
  value v = value_map();
  const char *key = value_get_text(one, "key", "");
  int32_t first = day_of(value_get(one, "from")), to = day_of(value_get(one, "to")), from = first;
  if (from == INT32_MIN || to < from) return value_null();
  if (to - from >= DAYS) from = to - DAYS + 1;
  int32_t count = to - from + 1;
  char *letters = arena_alloc(c->memory, (size_t)count + 1);
  spread(value_get(one, "days"), calendar_of(plan, one), first, from, letters, count);
  value_set(c->memory, &v, "key", value_text(key));
  value_set(c->memory, &v, "from", date_value(c->memory, from));
  value_set(c->memory, &v, "to", *value_get(one, "to"));
  value_set(c->memory, &v, "days", value_text(letters));
  return v;
}

static int add_pipeline(api_call *c, const pipeline *p, value *keys, dts_error *e) {
  value command = value_map(), answer, name = value_text(p->name);
  value_set(c->memory, &command, "name", value_text("plan"));
  value_set(c->memory, &command, "pipeline", name);
  if (call_ask(c, &command, &answer, e) < 0) return -1;
  const value *all = value_get(&answer, "series");
  for (size_t i = 0; all && i < all->list.count; i++) {
    value key = key_of(c, p->gaps, &all->list.items[i]);
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
