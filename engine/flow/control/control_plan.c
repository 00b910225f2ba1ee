/* control_plan.c -- the commands `plan` and `next`: what would be fetched, and when things fire.
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

static value day_text(arena *a, int32_t day) {
  char *text = arena_alloc(a, 11);
  date_write(day, text);
  return value_text(text);
}

static value series_value(arena *a, const gaps_series *s) {
  value v = value_map();
  char *days = arena_alloc(a, s->count + 1);
  for (size_t i = 0; i < s->count; i++) days[i] = gaps_letter(s, i);
  value_set(a, &v, "key", value_text(s->series->label));
  value_set(a, &v, "wanted", value_integer((int64_t)s->count));
  value_set(a, &v, "present", value_integer((int64_t)s->present));
  value_set(a, &v, "missing", value_integer((int64_t)s->missing));
  value_set(a, &v, "spans", spans_of(a, s));
  if (!s->count) return v;
  value_set(a, &v, "from", day_text(a, s->expected[0]));
  value_set(a, &v, "to", day_text(a, s->expected[s->count - 1]));
  value_set(a, &v, "days", value_bytes(days, s->count)); /* one letter for each expected date */
  return v;
}

static int plan_work(store_conn *c, void *arg, dts_error *e) {
  planning *p = arg;
  arena *a = &p->question->memory;
  gaps_look found;
  value list = value_list();
  if (gaps_look_at(c, p->pipeline, GAPS_ALL, NULL, p->now, a, &found, e) < 0) return -1;
  for (size_t i = 0; i < found.count; i++) value_add(a, &list, series_value(a, &found.series[i]));
  p->answer = value_map();
  value_set(a, &p->answer, "series", list);
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
    error_hint(&p->error, "`dts next %s` tells when it runs", name);
  }
  if (p->rc < 0)
    plan_then(p);
  else
    loop_defer(kernel_loop(k), plan_read, plan_then, p);
}

/* ---- next ---- */

static value words_of(arena *a, const pipeline *p, const cron *c) {
  buffer b;
  buffer_init(&b, 4096);
  if (c) cron_words(c, p->timezone, &b);
  value v = c ? value_text(arena_text(a, buffer_text(&b))) : value_null();
  buffer_free(&b);
  return v;
}

static void add_times(arena *a, value *list, const pipeline *p, const char *trigger_text,
                      const cron *c, int64_t after, int64_t count) {
  for (int64_t at = after; count-- > 0;) {
    at = c ? cron_next(c, p->zone, at) : scheduler_next(p, at);
    if (at < 0) return;
    value v = value_map();
    cron_shift shift = c ? cron_shift_of(c, p->zone, at) : CRON_PLAIN;
    value_set(a, &v, "pipeline", value_text(arena_text(a, p->name)));
    value_set(a, &v, "trigger", value_text(trigger_text));
    value_set(a, &v, "at_ms", value_integer(at));
    value_set(a, &v, "timezone", value_text(arena_text(a, p->timezone)));
    value_set(a, &v, "words", words_of(a, p, c));
    if (shift == CRON_MOVED)
      value_set(a, &v, "note", value_text("moved: its own time is missing that day"));
    if (shift == CRON_REPEATED)
      value_set(a, &v, "note", value_text("its time comes twice that day"));
    value_add(a, list, v);
  }
}

static int by_time(const void *left, const void *right) {
  int64_t a = value_get_integer(left, "at_ms", 0), b = value_get_integer(right, "at_ms", 0);
  return a < b ? -1 : a > b;
}

void control_next(kernel *k, question *q) {
  arena *a = &q->memory;
  dts_error e;
  registry *set = kernel_registry(k);
  const char *name = value_get_text(&q->command, "pipeline", NULL);
  bool rechecks = strcmp(value_get_text(&q->command, "trigger", "recheck"), "recheck") == 0;
  bool schedules = strcmp(value_get_text(&q->command, "trigger", "schedule"), "schedule") == 0;
  int64_t count = value_get_integer(&q->command, "count", 10), now = loop_now(kernel_loop(k));
  value list = value_list();
  if (name && !registry_pipeline(set, name)) {
    registry_unknown_pipeline(set, name, &e);
    registry_release(set);
    return question_fail(q, &e);
  }
  for (size_t i = 0; i < set->pipeline_count; i++) {
    const pipeline *p = &set->pipelines[i];
    if (name && strcmp(p->name, name) != 0) continue;
    if (schedules && (p->has_schedule || p->every_ms))
      add_times(a, &list, p, "schedule", p->has_schedule ? &p->schedule : NULL, now, count);
    if (rechecks && p->has_recheck) add_times(a, &list, p, "recheck", &p->recheck, now, count);
  }
  registry_release(set);
  if (list.list.count) qsort(list.list.items, list.list.count, sizeof *list.list.items, by_time);
  if ((int64_t)list.list.count > count) list.list.count = (size_t)count;
  question_answer(q, list);
}
