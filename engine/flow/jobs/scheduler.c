/* scheduler.c -- when pipelines fire. See scheduler.h; firing.c holds what a firing writes.
 *
 * For each pipeline with a schedule one row of dts_meta keeps what was last considered: its declaration
 * and the instant up to which firings were made or passed over. An edited schedule counts from now. The
 * wall's clock decides; when it is set, or the machine wakes, everything is looked at anew. Between that, and
 * as long as the set is the same, only what has come due is looked at: a mark that lies back says the same
 * as one of now when nothing came due between the two.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/jobs/scheduler.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/log.h"
#include "flow/kernel/parts.h"
#include "format/json.h"

enum { AT_ONCE = 1000, FRESH_MS = 60 * 1000, AGAIN_MS = 60 * 1000, MARKS_LIMIT = 8 << 20 };

struct scheduler {
  kernel *kernel;
  loop_timer *timer;
  uint64_t listening;
  int clock_fd; /* readable when the wall's clock was set, or the machine slept; -1: virtual */
  bool started, firing, again;
  bool fresh_set;   /* not looked at yet */
  registry *tended; /* held: the set whose timetables come due at `dues`; NULL: look at all */
  int64_t *dues; /* two a pipeline, its schedule's and its recheck's; a round's, while one is on */
};

typedef struct timetable { /* one schedule of one pipeline */
  const pipeline *pipeline;
  const char *trigger;
  const cron *cron; /* NULL: every_ms */
  int64_t *due;     /* when it is to be looked at next; 0: now */
} timetable;

typedef struct round { /* one look at the clock */
  scheduler *scheduler;
  registry *set;
  int64_t now, wall, next;
  bool fresh_set;
  size_t fired;
} round_;

static void look(scheduler *s);

/* ---- one timetable ---- */

static int64_t next_of(const timetable *t, int64_t after) {
  if (t->cron) return cron_next(t->cron, t->pipeline->zone, after);
  int64_t every = t->pipeline->every_ms;
  return every > 0 ? (after / every + 1) * every : -1;
}

/* The last firing in (since, until], -1: none. Firings only go on, so their times can be halved. */
static int64_t last_of(const timetable *t, int64_t since, int64_t until) {
  int64_t latest = next_of(t, since), before = until;
  if (latest < 0 || latest > until) return -1;
  while (before - latest > 0) {
    int64_t middle = latest + (before - latest) / 2, next = next_of(t, middle);
    if (next > 0 && next <= until)
      latest = next;
    else
      before = middle;
  }
  return latest;
}

int64_t scheduler_next(const pipeline *p, int64_t after) {
  timetable t = {p, "schedule", p->has_schedule ? &p->schedule : NULL, NULL};
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

/* The latest firing up to now: what was fired already is not asked again, whatever the clock did since. */
static int last_fired(store_conn *c, const round_ *r, const timetable *t, int64_t *at,
                      dts_error *e) {
  arena a = {0};
  value v,
      params[] = {value_text(t->pipeline->name), value_text(t->trigger), value_integer(r->wall)};
  int rc = store_get(c,
                     "select max(fire_time) from dts_firing where pipeline = ?1 and trigger = ?2 "
                     "and fire_time <= ?3",
                     params, 3, &a, &v, e);
  *at = v.kind == VALUE_INTEGER ? v.integer : 0;
  arena_free(&a);
  return rc;
}

/* Fires all that came due, AT_ONCE of them in one transaction; *until is how far it came: short of the wall's
 * clock when there are more. */
static int fire_all(store_conn *c, round_ *r, const timetable *t, int64_t due, int64_t *until,
                    dts_error *e) {
  for (int n = 0; due > 0 && due <= r->wall; n++) {
    if (n == AT_ONCE) return 0;
    *until = due;
    if (fire_at(c, r, t, due, n > 0 || r->wall - due >= FRESH_MS, e) < 0) return -1;
    due = next_of(t, due);
  }
  *until = r->wall;
  return 0;
}

/* Fires what came due since the mark, as `missed` says: of several the latest, all, or none but a fresh one. */
static int fire_due(store_conn *c, round_ *r, const timetable *t, int64_t since, int64_t *until,
                    dts_error *e) {
  const char *missed = t->pipeline->missed;
  int64_t latest = last_of(t, since, r->wall), fired;
  *until = r->wall;
  if (latest < 0) return 0;
  if (last_fired(c, r, t, &fired, e) < 0) return -1;
  if (strcmp(missed, "all") == 0)
    return fire_all(c, r, t, next_of(t, fired > since ? fired : since), until, e);
  bool fresh = r->wall - latest < FRESH_MS;
  bool wanted = latest > fired && (fresh || strcmp(missed, "latest") == 0);
  return wanted ? fire_at(c, r, t, latest, false, e) : 0;
}

/* The mark follows the clock, also when that is set back: what it passed over then is in dts_firing. */
static int tend(store_conn *c, round_ *r, const timetable *t, dts_error *e) {
  arena a = {0};
  mark m;
  const char *name = arena_format(&a, "%s:%s", t->trigger, t->pipeline->name),
             *text = text_of(t, &a);
  int rc = read_mark(c, name, text, &a, &m, e);
  int64_t until = r->wall, since = m.known && m.at < r->wall ? m.at : r->wall;
  if (rc == 0) rc = fire_due(c, r, t, since, &until, e);
  if (rc == 0 && (!m.known || until != m.at)) rc = write_mark(c, name, text, until, &a, e);
  int64_t next = until < r->wall ? r->wall : next_of(t, r->wall);
  *t->due = next > 0 ? next : INT64_MAX;
  arena_free(&a);
  return rc;
}

/* In a savepoint: a pipeline whose firing cannot be made (its `keys` are wrong SQL, say) is tried again in a
 * minute, and holds none of the others back. */
static int tend_alone(store_conn *c, round_ *r, const timetable *t, dts_error *e) {
  dts_error fault = {0};
  if (store_exec(c, "savepoint dts_timetable", NULL, 0, e) < 0) return -1;
  if (tend(c, r, t, &fault) < 0) {
    log_error("pipeline '%s' could not be fired, and is tried again in a minute: %s",
              t->pipeline->name, fault.message);
    if (store_exec(c, "rollback to dts_timetable", NULL, 0, e) < 0) return -1;
    *t->due = r->wall + AGAIN_MS;
  }
  return store_exec(c, "release dts_timetable", NULL, 0, e);
}

static void add_mark(arena *a, value *list, const char *trigger_text, const pipeline *p) {
  value_add(a, list, value_text(arena_format(a, "%s:%s", trigger_text, p->name)));
}

/* A schedule that was taken away counts from now when it comes back. While a script is at fault, what it
 * declares is only missing for the time being. */
static int forget_gone(store_conn *c, const round_ *r, dts_error *e) {
  arena a = {0};
  value faults = kernel_faults(r->scheduler->kernel, &a), marks = value_list();
  int rc = 0;
  for (size_t i = 0; i < r->set->pipeline_count; i++) {
    const pipeline *p = &r->set->pipelines[i];
    if (p->has_schedule || p->every_ms) add_mark(&a, &marks, "schedule", p);
    if (p->has_recheck) add_mark(&a, &marks, "recheck", p);
  }
  buffer b;
  buffer_init(&b, MARKS_LIMIT);
  if (!faults.list.count && json_write(&b, &marks) == 0) {
    value params[] = {value_text(buffer_text(&b))};
    rc = store_exec(c,
                    "delete from dts_meta where (name like 'schedule:%' or name like 'recheck:%') "
                    "and name not in (select value from json_each(?1))",
                    params, 1, e);
  }
  buffer_free(&b);
  arena_free(&a);
  return rc;
}

/* ---- all of them ---- */

static int tend_when_due(store_conn *c, round_ *r, const timetable *t, dts_error *e) {
  if (*t->due <= r->wall && tend_alone(c, r, t, e) < 0) return -1;
  if (*t->due < r->next) r->next = *t->due;
  return 0;
}

static int round_work(store_conn *c, void *arg, dts_error *e) {
  round_ *r = arg;
  int64_t *dues = r->scheduler->dues;
  r->next = INT64_MAX;
  r->fired = 0;
  if (r->fresh_set && forget_gone(c, r, e) < 0) return -1;
  for (size_t i = 0; i < r->set->pipeline_count; i++) {
    const pipeline *p = &r->set->pipelines[i];
    timetable plain = {p, "schedule", p->has_schedule ? &p->schedule : NULL, &dues[2 * i]};
    timetable recheck = {p, "recheck", &p->recheck, &dues[2 * i + 1]};
    if ((p->has_schedule || p->every_ms) && tend_when_due(c, r, &plain, e) < 0) return -1;
    if (p->has_recheck && tend_when_due(c, r, &recheck, e) < 0) return -1;
  }
  return 0;
}

/* With the next look, also while one is under way: `dues` is its own until it has ended. */
static void tend_all(scheduler *s) {
  registry_release(s->tended);
  s->tended = NULL;
}

static void begin_dues(scheduler *s, registry *set) {
  if (s->tended == set) return;
  tend_all(s);
  free(s->dues);
  s->dues = memory_alloc((2 * set->pipeline_count + 1) * sizeof *s->dues);
  s->tended = registry_hold(set);
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
  if (result < 0) tend_all(s);
  loop_cancel(l, s->timer);
  s->timer = NULL;
  if (result < 0)
    s->timer = loop_at(l, r->wall + AGAIN_MS, on_time, s);
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
                .fresh_set = s->fresh_set,
                .wall = loop_now(kernel_loop(s->kernel))};
  s->fresh_set = false;
  begin_dues(s, r->set);
  kernel_write(s->kernel, round_work, round_then, r);
}

/* ---- a clock that is set ---- */

/* The timer lies beyond all dates: it never comes due, and is cancelled when the clock is set. */
static void await_set(scheduler *s) {
  struct itimerspec never = {.it_value.tv_sec = INT32_MAX};
  timerfd_settime(s->clock_fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET, &never, NULL);
}

static void on_set(void *arg, int fd, bool readable, bool writable) {
  scheduler *s = arg;
  uint64_t ignored;
  (void)readable, (void)writable;
  bool was_set = read(fd, &ignored, sizeof ignored) < 0 && errno == ECANCELED;
  await_set(s);
  if (!was_set) return;
  kernel_clock_set(s->kernel);
  tend_all(s);
  look(s);
}

static void watch_clock(scheduler *s) {
  if (kernel_opened_with(s->kernel)->is_virtual) return;
  s->clock_fd = timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  if (s->clock_fd < 0) return;
  await_set(s);
  loop_watch(kernel_loop(s->kernel), s->clock_fd, true, false, on_set, s);
}

/* ---- the scheduler ---- */

scheduler *scheduler_open(kernel *k) {
  scheduler *s = memory_alloc(sizeof *s);
  *s = (scheduler){.kernel = k, .clock_fd = -1};
  return s;
}

static void on_event(void *arg, int op, const value *event) {
  if (op == 0 && value_is(value_get(event, "name"), "reload")) scheduler_reloaded(arg);
}

void scheduler_start(scheduler *s) {
  s->started = s->fresh_set = true;
  s->listening = kernel_listen(s->kernel, on_event, s);
  watch_clock(s);
  look(s);
}

void scheduler_reloaded(scheduler *s) {
  s->fresh_set = true;
  tend_all(s);
  if (s->started) look(s);
}

void scheduler_close(scheduler *s) {
  loop *l = kernel_loop(s->kernel);
  s->started = false;
  loop_cancel(l, s->timer);
  if (s->clock_fd >= 0) {
    loop_watch(l, s->clock_fd, false, false, NULL, NULL);
    close(s->clock_fd);
  }
  if (s->listening) kernel_unlisten(s->kernel, s->listening);
  tend_all(s);
  free(s->dues);
  free(s);
}
