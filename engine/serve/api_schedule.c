/* api_schedule.c -- when each pipeline fires next.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/jobs/scheduler.h"
#include "serve/words.h"

enum { FIRINGS = 5 };

/* The schedule's own times: rechecks of gaps are not among them. */
static value times_of(api_call *c, const pipeline *p) {
  value list = value_list();
  int64_t at = c->now;
  while (list.list.count < FIRINGS && (at = scheduler_next(p, at)) >= 0)
    value_add(c->memory, &list, value_text(call_stamp(c, at)));
  return list;
}

static void add(api_call *c, const pipeline *p, value *list) {
  value v = value_map();
  const char *text = words_schedule(p, c->memory);
  if (!text) return;
  value_set(c->memory, &v, "pipeline", value_text(p->name));
  value_set(c->memory, &v, "schedule", value_text(text));
  value_set(c->memory, &v, "timezone", value_text(p->timezone));
  value_set(c->memory, &v, "next", times_of(c, p));
  value_add(c->memory, list, v);
}

static int schedule(api_call *c, dts_error *e) {
  (void)e;
  value list = value_list();
  for (size_t i = 0; i < c->set->pipeline_count; i++) add(c, &c->set->pipelines[i], &list);
  http_reply_json(c->rp, &list);
  return 0;
}

const api_route api_schedule[] = {{"GET", "/api/v1/schedule", KEY_READ, schedule}, {0}};
