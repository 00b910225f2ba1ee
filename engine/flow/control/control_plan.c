/* control_plan.c -- the command `plan`: what would be fetched.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "flow/control/controls.h"
#include "flow/gaps/gaps.h"
#include "flow/kernel/parts.h"
#include "flow/jobs/scheduler.h"
#include "format/date.h"

typedef struct planning {
  question *question;
  registry *set;
  const pipeline *pipeline;
  int64_t now;
  value answer;
  int rc;
  dts_error error;
} planning;

static value spans_of(arena *a, const gaps_series *s) {
  value list = value_list();
  for (size_t i = 0; i < s->span_count; i++) {
    char *text = arena_alloc(a, 22);
    date_write(s->spans[i].from, text);
    text[10] = '/';
    date_write(s->spans[i].to, text + 11);
    value_add(a, &list, value_text(text));
  }
  return list;
}

static value series_value(arena *a, const gaps_series *s) {
  value v = value_map();
  char *days = arena_alloc(a, s->count + 1);
  /* held by a job under way, or in quarantine */
  size_t aside = s->count - s->present - (s->missing - s->again) - s->absent;
  int64_t held = 0, quarantined = 0;
  for (size_t i = 0; i < s->count; i++) {
    days[i] = gaps_letter(s, i);
    held += !s->complete[i] && s->states[i].held;
    quarantined += !s->complete[i] && s->states[i].status == GAP_QUARANTINED;
  }
  value_set(a, &v, "key", value_text(s->series->label));
  value_set(a, &v, "wanted", value_integer((int64_t)s->count));
  value_set(a, &v, "present", value_integer((int64_t)s->present));
  value_set(a, &v, "missing", value_integer((int64_t)(s->missing - s->again)));
  value_set(a, &v, "again", value_integer((int64_t)s->again));
  value_set(a, &v, "absent", value_integer((int64_t)s->absent));
  value_set(a, &v, "aside", value_integer((int64_t)aside));
  value_set(a, &v, "held", value_integer(held));
  value_set(a, &v, "quarantined", value_integer(quarantined));
  value_set(a, &v, "requests", value_integer((int64_t)s->span_count));
  value_set(a, &v, "calendar", value_text(arena_text(a, calendar_name(s->days))));
  if (s->stray_count) value_set(a, &v, "strays", value_integer((int64_t)s->stray_count));
  if (s->stray_count) value_set(a, &v, "first_stray", date_value(a, s->stray));
  value_set(a, &v, "spans", spans_of(a, s));
  if (!s->count) return v;
  value_set(a, &v, "from", date_value(a, s->expected[0]));
  value_set(a, &v, "to", date_value(a, s->expected[s->count - 1]));
  value_set(a, &v, "days", value_bytes(days, s->count)); /* one letter for each expected date */
  return v;
}

/* The open jobs that hold dates, the oldest first. */
static int read_holders(store_conn *c, const pipeline *p, arena *a, value *out, dts_error *e) {
  value name = value_text(p->name);
  return store_list(c,
                    "select distinct job from dts_gap where pipeline = ?1 and held = 1 and job is "
                    "not null order by job limit 1000",
                    &name, 1, a, out, e);
}

static int plan_work(store_conn *c, void *arg, dts_error *e) {
  planning *p = arg;
  arena *a = &p->question->memory;
  gaps_look found;
  value list = value_list(), jobs;
  if (read_holders(c, p->pipeline, a, &jobs, e) < 0) return -1;
  if (gaps_look_at(c, p->pipeline, GAPS_ALL, NULL, p->now, a, &found, e) < 0) return -1;
  for (size_t i = 0; i < found.count; i++) value_add(a, &list, series_value(a, &found.series[i]));
  p->answer = value_map();
  value_set(a, &p->answer, "series", list);
  value_set(a, &p->answer, "holders", jobs);
  value_set(a, &p->answer, "calendar", value_text(arena_text(a, p->pipeline->gaps->calendar_name)));
  return 0;
}

static void plan_read(void *arg) {
  planning *p = arg;
  p->rc = store_read(kernel_store(p->question->kernel), plan_work, p, &p->error);
}

static void plan_then(void *arg) {
  planning *p = arg;
  question *q = p->question;
  registry_release(p->set);
  if (p->rc < 0)
    question_fail(q, &p->error);
  else
    question_answer(q, p->answer);
  free(p);
}

void control_plan(kernel *k, question *q) {
  const char *name = value_get_text(&q->command, "pipeline", "");
  planning *p = memory_alloc(sizeof *p);
  *p = (planning){.question = q, .set = kernel_registry(k), .now = kernel_now(k)};
  p->pipeline = registry_pipeline(p->set, name);
  if (!p->pipeline)
    p->rc = registry_unknown_pipeline(p->set, name, &p->error);
  else if (!p->pipeline->gaps) {
    p->rc =
        error_fail(&p->error, "PLAN", "pipeline '%s' has no gaps: there is nothing to plan", name);
    error_hint(&p->error, "`dts explain %s` tells what starts it", name);
  }
  if (p->rc < 0)
    plan_then(p);
  else
    loop_defer(kernel_loop(k), plan_read, plan_then, p);
}
