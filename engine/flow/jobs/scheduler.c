/* scheduler.c -- when pipelines fire. See scheduler.h; firing.c holds what a firing writes.
 *
 * For each pipeline with a schedule one row of dts_meta keeps what was last considered: its declaration
 * and the instant up to which firings were made or passed over. An edited schedule counts from now.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/jobs/scheduler.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "flow/kernel/parts.h"

enum { CATCH_UP = 1000 };

struct scheduler {
  kernel *kernel;
  loop_timer *timer;
  uint64_t listening;
  bool started, firing, again;
};

typedef struct timetable { /* one schedule of one pipeline */
  const pipeline *pipeline;
  const char *trigger;
  const cron *cron; /* NULL: every_ms */
} timetable;

typedef struct round { /* one look at the clock */
  scheduler *scheduler;
  registry *set;
  int64_t now, wall, next;
  size_t fired;
} round_;

static void look(scheduler *s);

/* ---- one timetable ---- */

static int64_t next_of(const timetable *t, int64_t after) {
  if (t->cron) return cron_next(t->cron, t->pipeline->zone, after);
  int64_t every = t->pipeline->every_ms;
  return every > 0 ? (after / every + 1) * every : -1;
}

int64_t scheduler_next(const pipeline *p, int64_t after) {
  timetable t = {p, "schedule", p->has_schedule ? &p->schedule : NULL};
  return p->has_schedule || p->every_ms ? next_of(&t, after) : -1;
}

static const char *text_of(const timetable *t, arena *a) { /* an edit changes it */
  const char *field = strcmp(t->trigger, "recheck") == 0 ? "recheck" : "schedule";
  return arena_format(a, "%s %lld %s", value_get_text(t->pipeline->declared, field, ""),
                      (long long)t->pipeline->every_ms, t->pipeline->timezone);
}

typedef struct mark { /* the row of dts_meta: "instant text" */
  int64_t at;
  bool known;
} mark;

static int read_mark(store_conn *c, const char *name, const char *text, arena *a, mark *out,
                     dts_error *e) {
  value found, params[] = {value_text(name)};
  *out = (mark){0};
  if (store_get(c, "select data from dts_meta where name = ?1", params, 1, a, &found, e) < 0)
    return -1;
  const char *space = found.kind == VALUE_TEXT ? strchr(found.text.bytes, ' ') : NULL;
  if (!space || strcmp(space + 1, text) != 0) return 0;
  *out = (mark){strtoll(found.text.bytes, NULL, 10), true};
  return 0;
}

static int write_mark(store_conn *c, const char *name, const char *text, int64_t at, arena *a,
                      dts_error *e) {
  value params[] = {value_text(name), value_text(arena_format(a, "%lld %s", (long long)at, text))};
  return store_exec(c,
                    "insert into dts_meta (name, data) values (?1, ?2) on conflict (name) do "
                    "update set data = ?2",
                    params, 2, e);
}

static int fire_at(store_conn *c, round_ *r, const timetable *t, int64_t at, bool waits,
                   dts_error *e) {
  int64_t id;
  fire f = {.pipeline = t->pipeline->name, .trigger = t->trigger, .fire_time = at, .waits = waits};
  if (scheduler_fire(c, r->set, &f, r->now, &id, NULL, e) < 0) return -1;
  r->fired += id != 0;
  return 0;
}

/* Fires what came due since the mark, as `missed` says: of several the latest, all, or none but a fresh one. */
static int fire_due(store_conn *c, round_ *r, const timetable *t, int64_t since, dts_error *e) {
  const char *missed = t->pipeline->missed;
  int64_t due = next_of(t, since), latest = -1;
  for (int n = 0; due > 0 && due <= r->wall && n < CATCH_UP; n++) {
    if (strcmp(missed, "all") == 0 && fire_at(c, r, t, due, latest > 0, e) < 0) return -1;
    latest = due;
    due = next_of(t, due);
  }
  bool fresh = latest > 0 && r->wall - latest < 60 * 1000;
  if (latest > 0 && (strcmp(missed, "latest") == 0 || (strcmp(missed, "none") == 0 && fresh)))
    return fire_at(c, r, t, latest, false, e);
  return 0;
}

static int tend(store_conn *c, round_ *r, const timetable *t, dts_error *e) {
  arena a = {0};
  mark m;
  const char *name = arena_format(&a, "%s:%s", t->trigger, t->pipeline->name),
             *text = text_of(t, &a);
  int rc = read_mark(c, name, text, &a, &m, e);
  int64_t since = m.known ? m.at : r->wall;
  if (rc == 0) rc = fire_due(c, r, t, since, e);
  if (rc == 0 && (!m.known || r->wall > m.at)) rc = write_mark(c, name, text, r->wall, &a, e);
  int64_t next = next_of(t, r->wall > since ? r->wall : since);
  if (next > 0 && next < r->next) r->next = next;
  arena_free(&a);
  return rc;
}

/* ---- all of them ---- */

static int round_work(store_conn *c, void *arg, dts_error *e) {
  round_ *r = arg;
  r->next = INT64_MAX;
  r->fired = 0;
  for (size_t i = 0; i < r->set->pipeline_count; i++) {
    const pipeline *p = &r->set->pipelines[i];
    timetable plain = {p, "schedule", p->has_schedule ? &p->schedule : NULL};
    timetable recheck = {p, "recheck", &p->recheck};
    if ((p->has_schedule || p->every_ms) && tend(c, r, &plain, e) < 0) return -1;
    if (p->has_recheck && tend(c, r, &recheck, e) < 0) return -1;
  }
  return 0;
}

static void on_time(void *arg) {
  scheduler *s = arg;
  s->timer = NULL;
  look(s);
}

static void round_then(void *arg, int result, const dts_error *e) {
  round_ *r = arg;
  scheduler *s = r->scheduler;
  loop *l = kernel_loop(s->kernel);
  s->firing = false;
  if (result < 0) log_error("schedules could not be looked at: %s", e->message);
  loop_cancel(l, s->timer);
  s->timer = NULL;
  if (result < 0)
    s->timer = loop_at(l, r->wall + 60 * 1000, on_time, s);
  else if (r->next != INT64_MAX)
    s->timer = loop_at(l, r->next, on_time, s);
  registry_release(r->set);
  free(r);
  if (s->again) look(s);
}

static void look(scheduler *s) {
  if (s->firing) {
    s->again = true;
    return;
  }
  s->again = false;
  s->firing = true;
  round_ *r = memory_alloc(sizeof *r);
  *r = (round_){.scheduler = s,
                .set = kernel_registry(s->kernel),
                .now = kernel_now(s->kernel),
                .wall = loop_now(kernel_loop(s->kernel))};
  kernel_write(s->kernel, round_work, round_then, r);
}

scheduler *scheduler_open(kernel *k) {
  scheduler *s = memory_alloc(sizeof *s);
  s->kernel = k;
  return s;
}

static void on_event(void *arg, int op, const value *event) {
  if (op == 0 && value_is(value_get(event, "name"), "reload")) scheduler_reloaded(arg);
}

void scheduler_start(scheduler *s) {
  s->started = true;
  s->listening = kernel_listen(s->kernel, on_event, s);
  look(s);
}

void scheduler_reloaded(scheduler *s) {
  if (s->started) look(s);
}

void scheduler_close(scheduler *s) {
  s->started = false;
  loop_cancel(kernel_loop(s->kernel), s->timer);
  if (s->listening) kernel_unlisten(s->kernel, s->listening);
  free(s);
}
