/* control_backfill.c -- the command `backfill`: spans of a range of dates, queued now.
 *
 *   backfill {pipeline, from, to, all?} -> {jobs, dates, spans [{key, from, to}], clipped?}
 *
 * Missing dates only; with `all` those that are there as well, read again. Dates in quarantine or
 * held by a job under way are left to those; the calendar, since, to and lag bound the range.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "flow/control/controls.h"
#include "flow/gaps/gaps.h"
#include "flow/kernel/parts.h"
#include "flow/runs/finish.h"
#include "format/date.h"

typedef struct filling {
  question *question;
  registry *set;
  const pipeline *pipeline;
  gaps_range range;
  gaps_which which;
  size_t jobs;
  value answer;
} filling;

static void describe(filling *f, const gaps_look *found) {
  arena *a = &f->question->memory;
  value spans = value_list();
  int64_t dates = 0, barred = 0;
  for (size_t i = 0; i < found->count; i++) {
    const gaps_series *s = &found->series[i];
    dates += (int64_t)s->missing;
    for (size_t d = 0; d < s->count; d++) barred += s->marks[d] == SPAN_BARRED;
    for (size_t n = 0; n < s->span_count; n++) {
      value v = value_map();
      value_set(a, &v, "key", value_text(arena_text(a, s->series->label)));
      value_set(a, &v, "from", date_value(a, s->spans[n].from));
      value_set(a, &v, "to", date_value(a, s->spans[n].to));
      value_set(a, &v, "dates", value_integer((int64_t)s->spans[n].missing));
      value_add(a, &spans, v);
    }
  }
  f->answer = value_map();
  value_set(a, &f->answer, "jobs", value_integer((int64_t)f->jobs));
  value_set(a, &f->answer, "dates", value_integer(dates));
  value_set(a, &f->answer, "left_alone", value_integer(barred));
  value_set(a, &f->answer, "spans", spans);
}

static int fill_work(store_conn *c, void *arg, dts_error *e) {
  filling *f = arg;
  gaps_look found;
  char day[11];
  int64_t now = kernel_now(f->question->kernel);
  const pipeline *p = f->pipeline;
  date_write(zone_date(p->zone, now), day);
  firing row = {.pipeline = p->name, .trigger = "backfill", .day = day};
  f->jobs = 0; /* the group may be tried again */
  if (gaps_look_at(c, p, f->which, &f->range, now, &f->question->memory, &found, e) < 0) return -1;
  if (jobs_fire(c, &row, now, e) < 0) return -1;
  if (gaps_queue(c, p, &found, &row, now, &f->jobs, e) < 0) return -1;
  describe(f, &found);
  value params[] = {value_integer((int64_t)f->jobs), value_integer(row.id)};
  if (store_exec(c, "update dts_firing set jobs = ?1 where id = ?2", params, 2, e) < 0) return -1;
  if (f->jobs) return 0;
  return store_exec(c, "delete from dts_firing where id = ?1", &params[1], 1, e);
}

static void fill_then(void *arg, int result, const dts_error *e) {
  filling *f = arg;
  question *q = f->question;
  value v = f->answer;
  registry_release(f->set);
  free(f);
  if (result < 0) return question_fail(q, e);
  runner_wake(kernel_runner(q->kernel));
  question_answer(q, v);
}

static int read_day(const question *q, const char *field, int32_t *out, dts_error *e) {
  const char *text = value_get_text(&q->command, field, "");
  if (date_read(text, strlen(text), out) == 0) return 0;
  return error_fail(e, "USAGE", "--%s: a date YYYY-MM-DD expected, got \"%s\"", field, text);
}

static int read_order(filling *f, dts_error *e) {
  const question *q = f->question;
  const char *name = value_get_text(&q->command, "pipeline", "");
  f->pipeline = registry_pipeline(f->set, name);
  if (!f->pipeline) return registry_unknown_pipeline(f->set, name, e);
  if (read_day(q, "from", &f->range.from, e) < 0 || read_day(q, "to", &f->range.to, e) < 0)
    return -1;
  if (f->range.from > f->range.to)
    return error_fail(e, "USAGE", "--from is after --to: no date lies between them");
  f->which = value_get_boolean(&q->command, "all", false) ? GAPS_EVERY : GAPS_MISSING;
  if (f->pipeline->gaps) return 0;
  error_fail(e, "BACKFILL", "pipeline '%s' has no gaps: it has no dates to fill", name);
  return error_hint(e, "`dts run %s` runs it once, now", name);
}

void control_backfill(kernel *k, question *q) {
  dts_error e;
  filling *f = memory_alloc(sizeof *f);
  *f = (filling){.question = q, .set = kernel_registry(k)};
  if (read_order(f, &e) == 0) return kernel_write(k, fill_work, fill_then, f);
  fill_then(f, -1, &e);
}
