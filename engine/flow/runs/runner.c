/* runner.c -- leases jobs and starts their runs; ending.c writes how they end. See runner.h.
 *
 * Looking at the queue is one write (tick, then a lease and an attempt row for each job that has a
 * place), and never two at a time. A lease is extended while its worker lives.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/runs/runner.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "flow/runs/ending.h"
#include "flow/kernel/parts.h"
#include "flow/runs/run_start.h"
#include "format/date.h"

enum { LEASES_AT_ONCE = 16 };

struct runner {
  kernel *kernel;
  size_t places;
  run *runs;
  int64_t since; /* only jobs of firings from here on are leased */
  bool limited, leasing, again, stopping;
  loop_timer *due, *beat;
};

typedef struct leased {
  arena memory;
  job job;
  int64_t run;
  firing firing;
  const pipeline *pipeline;
} leased;

typedef struct leasing {
  runner *runner;
  registry *set;
  size_t room, count;
  leased leased[LEASES_AT_ONCE];
  int64_t now, next_due;
  double chance;
} leasing;

static void look(runner *r);
static void on_beat(void *arg);

/* ---- leasing: on the writer's thread ---- */

static int fail_unknown(store_conn *c, const leasing *l, job *j, dts_error *e) {
  job_effects fx;
  job_event cancel = {.kind = JOB_CANCEL};
  log_warn("job %lld is for pipeline '%s', which is not there any more", (long long)j->id,
           j->pipeline);
  if (jobs_step(c, j, &cancel, l->now, l->chance, &fx, e) < 0) return -1;
  if (jobs_set_error(c, j->id, NULL, "its pipeline is not declared any more", e) < 0) return -1;
  return finish_alone(c, l->set, j, l->now, NULL, e);
}

static int lease(store_conn *c, leasing *l, int64_t id, dts_error *e) {
  leased *slot = &l->leased[l->count];
  *slot = (leased){0};
  job_effects fx;
  if (jobs_load(c, id, &slot->memory, &slot->job, e) < 0) return -1;
  slot->pipeline = registry_pipeline(l->set, slot->job.pipeline);
  int rc;
  if (!slot->pipeline) {
    rc = fail_unknown(c, l, &slot->job, e);
    arena_free(&slot->memory);
    return rc;
  }
  job_event event = {.kind = JOB_LEASE, .lease = {.total_ms = 0}};
  rc = jobs_step(c, &slot->job, &event, l->now, l->chance, &fx, e);
  if (rc == 0)
    rc = jobs_open_run(c, &slot->job, slot->pipeline->script->version, l->now, &slot->run, e);
  if (rc == 0) rc = jobs_firing(c, slot->job.firing, &slot->memory, &slot->firing, e);
  if (rc < 0)
    arena_free(&slot->memory);
  else
    l->count++;
  return rc;
}

/* A job that cannot be leased must not hold the others back: it is left alone, and named. */
static int try_lease(store_conn *c, leasing *l, int64_t id, dts_error *e) {
  dts_error refused;
  if (store_exec(c, "savepoint one_lease", NULL, 0, e) < 0) return -1;
  if (lease(c, l, id, &refused) < 0) {
    log_error("job %lld cannot be leased: %s", (long long)id, refused.message);
    if (store_exec(c, "rollback to one_lease", NULL, 0, e) < 0) return -1;
  }
  return store_exec(c, "release one_lease", NULL, 0, e);
}

static int lease_work(store_conn *c, void *arg, dts_error *e) {
  leasing *l = arg;
  runner *r = l->runner;
  int64_t ids[LEASES_AT_ONCE];
  while (l->count) arena_free(&l->leased[--l->count].memory); /* the group may be tried again */
  if (jobs_tick(c, l->now, e) < 0) return -1;
  size_t room = l->room < LEASES_AT_ONCE ? l->room : LEASES_AT_ONCE;
  int found = jobs_ready(c, r->since, ids, room, e);
  for (int i = 0; i < found; i++)
    if (try_lease(c, l, ids[i], e) < 0) return -1;
  l->next_due = jobs_next_due(c, e);
  return found < 0 ? -1 : 0;
}

/* ---- leasing: back on the loop ---- */

static void on_due(void *arg) {
  runner *r = arg;
  r->due = NULL;
  runner_wake(r);
}

/* Of a firing that fixed none (an event's, a file's) it is the day of the firing. */
static const char *day_of(leased *slot) {
  if (slot->firing.day) return slot->firing.day;
  char *day = arena_alloc(&slot->memory, 11);
  date_write(zone_date(slot->pipeline->zone, slot->firing.fire_time), day);
  return day;
}

static run *new_run(runner *r, leased *slot, registry *set) {
  const char *day = day_of(slot);
  run *n = memory_alloc(sizeof *n);
  *n = (run){.next = r->runs,
             .kernel = r->kernel,
             .set = registry_hold(set),
             .id = slot->run,
             .pipeline = slot->pipeline,
             .memory = slot->memory,
             .job = slot->job,
             .started = kernel_now(r->kernel),
             .refs = 1,
             .day = day,
             .fire_time = slot->firing.fire_time,
             .window_from = slot->firing.window_from};
  n->stage = stage_open(set, kernel_store(r->kernel));
  r->runs = n;
  if (!r->beat) r->beat = loop_after(kernel_loop(r->kernel), JOB_HEARTBEAT_MS, on_beat, r);
  return n;
}

static void on_frame(void *arg, const frame *in) { ending_frame(arg, in); }

static void on_ended(void *arg, const worker_end *end) { ending_worker(arg, end); }

static void hand_back(run *n) {
  n->handed_back = true;
  if (n->worker) worker_kill(n->worker);
}

static void start(runner *r, leased *slot, registry *set) {
  run *n = new_run(r, slot, set);
  worker_owner owner = {on_frame, on_ended, n};
  worker_limits limits = {n->pipeline->time_ms, n->pipeline->cpu_ms, n->pipeline->memory};
  run_tell(n, "running");
  n->worker = nursery_fork(kernel_nursery(r->kernel), &limits, &owner, &n->fault);
  if (!n->worker) return ending_worker(n, &(worker_end){.lost = true});
  run_start(n);
  if (r->stopping) hand_back(n); /* leased while the engine was told to stop */
}

static void arm_due(runner *r, int64_t at) {
  loop *l = kernel_loop(r->kernel);
  loop_cancel(l, r->due);
  r->due = at == INT64_MAX ? NULL : loop_at(l, at, on_due, r);
}

static void lease_then(void *arg, int result, const dts_error *e) {
  leasing *l = arg;
  runner *r = l->runner;
  r->leasing = false;
  if (result < 0) log_error("the queue could not be read: %s", e->message);
  for (size_t i = 0; i < l->count; i++) {
    if (result == 0)
      start(r, &l->leased[i], l->set);
    else
      arena_free(&l->leased[i].memory);
  }
  if (result == 0) arm_due(r, l->next_due);
  bool full = l->count == l->room;
  registry_release(l->set);
  free(l);
  if (r->again || (full && result == 0)) look(r);
}

static size_t running(const runner *r) {
  size_t count = 0;
  for (const run *n = r->runs; n; n = n->next) count++;
  return count;
}

static void look(runner *r) {
  size_t busy = running(r);
  if (r->leasing) {
    r->again = true;
    return;
  }
  r->again = false;
  if (r->stopping || busy >= r->places || r->since == INT64_MAX) return;
  leasing *l = memory_alloc(sizeof *l);
  l->runner = r;
  l->set = kernel_registry(r->kernel);
  l->room = r->places - busy;
  l->now = kernel_now(r->kernel);
  l->chance = kernel_chance(r->kernel);
  r->leasing = true;
  kernel_write(r->kernel, lease_work, lease_then, l);
}

void runner_wake(runner *r) { look(r); }

/* ---- leases are extended while workers live ---- */

typedef struct beat {
  size_t count;
  int64_t jobs[LEASES_AT_ONCE * 8], epochs[LEASES_AT_ONCE * 8], now;
} beat;

static int beat_work(store_conn *c, void *arg, dts_error *e) {
  beat *b = arg;
  for (size_t i = 0; i < b->count; i++) {
    arena a = {0};
    job j;
    job_effects fx;
    job_event event = {.kind = JOB_HEARTBEAT, .epoch = b->epochs[i]};
    dts_error refused; /* a run that ended meanwhile refuses; that is no failure */
    if (jobs_load(c, b->jobs[i], &a, &j, &refused) == 0)
      jobs_step(c, &j, &event, b->now, 0, &fx, &refused);
    arena_free(&a);
  }
  (void)e;
  return 0;
}

static void beat_then(void *arg, int result, const dts_error *e) {
  (void)result, (void)e;
  free(arg);
}

static void on_beat(void *arg) {
  runner *r = arg;
  r->beat = loop_after(kernel_loop(r->kernel), JOB_HEARTBEAT_MS, on_beat, r);
  if (!r->runs) return;
  beat *b = memory_alloc(sizeof *b);
  b->now = kernel_now(r->kernel);
  for (run *n = r->runs; n && b->count < sizeof b->jobs / sizeof *b->jobs; n = n->next) {
    b->jobs[b->count] = n->job.id;
    b->epochs[b->count++] = n->job.state.epoch;
  }
  kernel_write(r->kernel, beat_work, beat_then, b);
}

/* ---- the runner ---- */

runner *runner_open(kernel *k, size_t places) {
  runner *r = memory_alloc(sizeof *r);
  r->kernel = k;
  r->places = places;
  return r;
}

void runner_since(runner *r, int64_t firing_id) {
  if (r->since == INT64_MAX || !firing_id || firing_id == INT64_MAX) r->since = firing_id;
}

void runner_forget(runner *r, run *n) {
  run **at = &r->runs;
  while (*at && *at != n) at = &(*at)->next;
  if (*at) *at = n->next;
  if (!r->runs) {
    loop_cancel(kernel_loop(r->kernel), r->beat);
    r->beat = NULL;
  }
  run_release(n);
  look(r);
}

void runner_stop(runner *r) {
  r->stopping = true;
  for (run *n = r->runs; n; n = n->next) hand_back(n);
}

bool runner_idle(const runner *r) { return !r->runs && !r->leasing; }

void runner_cancel(runner *r, int64_t id) {
  for (run *n = r->runs; n; n = n->next) {
    if (n->job.id != id) continue;
    n->cancelled = true;
    if (n->worker) worker_kill(n->worker);
  }
}

void runner_close(runner *r) {
  if (!r) return;
  loop_cancel(kernel_loop(r->kernel), r->due);
  loop_cancel(kernel_loop(r->kernel), r->beat);
  free(r);
}

value runner_status(const runner *r, arena *a) {
  value list = value_list();
  for (const run *n = r->runs; n; n = n->next) {
    value row = value_map();
    value_set(a, &row, "run", value_integer(n->id));
    value_set(a, &row, "job", value_integer(n->job.id));
    value_set(a, &row, "pipeline", value_text(arena_text(a, n->pipeline->name)));
    value_set(a, &row, "started_ms", value_integer(n->started));
    value_set(a, &row, "firing", value_integer(n->job.firing));
    value_set(a, &row, "rows", value_integer((int64_t)(n->rows + stage_rows(n->stage))));
    value_set(a, &row, "requests", value_integer((int64_t)n->requests));
    value_add(a, &list, row);
  }
  return list;
}
