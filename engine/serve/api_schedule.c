/* api_schedule.c -- when each pipeline fires next.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "serve/words.h"

enum { FIRINGS = 5 };

static value times_of(api_call *c, const value *firings, const char *name) {
  value list = value_list();
  for (size_t i = 0; firings->kind == VALUE_LIST && i < firings->list.count; i++) {
    const value *f = &firings->list.items[i];
    if (strcmp(value_get_text(f, "pipeline", ""), name) == 0 && value_get(f, "at_ms"))
      value_add(c->memory, &list, call_stamp_or_null(c, value_get(f, "at_ms")));
  }
  return list;
}

static int add(api_call *c, const pipeline *p, value *list, dts_error *e) {
  value v = value_map(), command = value_map(), firings;
  const char *text = words_schedule(p, c->memory);
  if (!text) return 0;
  value_set(c->memory, &command, "name", value_text("next"));
  value_set(c->memory, &command, "pipeline", value_text(p->name));
  value_set(c->memory, &command, "count", value_integer(FIRINGS));
  if (call_ask(c, &command, &firings, e) < 0) return -1;
  value_set(c->memory, &v, "pipeline", value_text(p->name));
  value_set(c->memory, &v, "schedule", value_text(text));
  value_set(c->memory, &v, "timezone", value_text(p->timezone));
  value_set(c->memory, &v, "next", times_of(c, &firings, p->name));
  value_add(c->memory, list, v);
  return 0;
}

static int schedule(api_call *c, dts_error *e) {
  value list = value_list();
  for (size_t i = 0; i < c->set->pipeline_count; i++)
    if (add(c, &c->set->pipelines[i], &list, e) < 0) return -1;
  http_reply_json(c->rp, &list);
  return 0;
}

const api_route api_schedule[] = {{"GET", "/api/v1/schedule", KEY_READ, schedule}, {0}};
