/* leases.c -- leases are extended while runs live, and taken back when nobody holds them any more.
 *
 * The reaper looks every five seconds, and only while something is leased: an idle engine has no timer. A
 * lease that nobody extends is of a run whose end the store refused to write, or of an engine that stood
 * still; the job's own table says what becomes of it. A run that is fenced by that is ended.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "base/log.h"
#include "flow/runs/ending_why.h"
#include "flow/runs/finish.h"
#include "flow/runs/runner_parts.h"

enum { REAP_AT_ONCE = 64 };

typedef struct beat {
  runner *runner;
  registry *set;
  size_t count;
  int64_t *jobs, *epochs, now;
  double chance;
  bool starved;    /* the last heartbeat could not be written, by no fault of a job; */
  int64_t *ending; /* then these jobs' ends wait for room as well, and come first */
  size_t ending_count;
  size_t reaped;
  struct {
    int64_t job, epoch;
  } taken[REAP_AT_ONCE];
} beat;

static const char RAN_OUT[] = "{\"code\":\"LEASE\",\"message\":\"its lease ran out\"}";
static const char NO_ROOM[] =
    "{\"code\":\"LEASE\",\"message\":\"its lease ran out: the store had no room to extend it\"}";

static void on_beat(void *arg);

/* A run that ended meanwhile refuses; that is no failure. */
static int extend(store_conn *c, const beat *b, size_t i, dts_error *e) {
  arena a = {0};
  job j;
  job_effects fx;
  job_event event = {.kind = JOB_HEARTBEAT, .epoch = b->epochs[i]};
  int rc = jobs_load(c, b->jobs[i], &a, &j, e);
  if (rc == 0) rc = jobs_step(c, &j, &event, b->now, 0, &fx, e);
  arena_free(&a);
  return rc < 0 && why_is_ours(e) ? -1 : 0;
}

static int reap(store_conn *c, beat *b, int64_t id, arena *a, dts_error *e) {
  job j;
  job_effects fx;
  const char *why = b->starved ? NO_ROOM : RAN_OUT;
  if (jobs_load(c, id, a, &j, e) < 0) return -1;
  job_event event = {.kind = b->starved ? JOB_INTERRUPTED : JOB_LEASE_EXPIRED,
                     .epoch = j.state.epoch};
  if (jobs_step(c, &j, &event, b->now, b->chance, &fx, e) < 0) return -1;
  if (jobs_close_run(c, &j, &fx, why, b->now, e) < 0) return -1;
  if (jobs_set_error(c, id, why, fx.reason, e) < 0) return -1;
  b->taken[b->reaped].job = id;
  b->taken[b->reaped++].epoch = event.epoch;
  return finish_alone(c, b->set, &j, b->now, NULL, e);
}

static bool is_ending(const beat *b, int64_t id) {
  for (size_t i = 0; i < b->ending_count; i++)
    if (b->ending[i] == id) return true;
  return false;
}

/* One that cannot be taken back must not hold the others: it is left, and named. */
static int try_reap(store_conn *c, beat *b, int64_t id, dts_error *e) {
  dts_error refused;
  arena a = {0};
  size_t before = b->reaped;
  if (store_exec(c, "savepoint one_reap", NULL, 0, e) < 0) return -1;
  bool failed = reap(c, b, id, &a, &refused) < 0;
  arena_free(&a);
  if (failed) {
    b->reaped = before;
    log_error("the lease of job %lld cannot be taken back: %s", (long long)id, refused.message);
    if (store_exec(c, "rollback to one_reap", NULL, 0, e) < 0) return -1;
  }
  return store_exec(c, "release one_reap", NULL, 0, e);
}

static int beat_work(store_conn *c, void *arg, dts_error *e) {
  beat *b = arg;
  int64_t found[REAP_AT_ONCE], after = 0;
  int count = REAP_AT_ONCE;
  b->reaped = 0; /* the group may be tried again */
  for (size_t i = 0; i < b->count; i++)
    if (extend(c, b, i, e) < 0) return -1;
  while (count == REAP_AT_ONCE && b->reaped < REAP_AT_ONCE) {
    count = jobs_expired(c, b->now, after, found, REAP_AT_ONCE - b->reaped, e);
    for (int i = 0; i < count; i++)
      if (!is_ending(b, after = found[i]) && try_reap(c, b, found[i], e) < 0) return -1;
  }
  return count < 0 ? -1 : 0;
}

/* Its worker may still be at work: what it does would be refused in the end. */
static void stop_fenced(runner *r, int64_t id, int64_t epoch) {
  dts_error e;
  error_fail(&e, "FENCED", "the lease of job %lld ran out and was taken back", (long long)id);
  for (run *n = r->runs; n; n = n->next)
    if (n->job.id == id && n->job.state.epoch == epoch) run_fault(n, &e);
}

static void beat_then(void *arg, int result, const dts_error *e) {
  beat *b = arg;
  if (result < 0) log_error("leases could not be extended: %s", e->message);
  if (result < 0 && why_is_ours(e)) b->runner->starved = true;
  if (result == 0 && b->count) b->runner->starved = false;
  for (size_t i = 0; result == 0 && i < b->reaped; i++) {
    log_warn("the lease of job %lld ran out and was taken back", (long long)b->taken[i].job);
    stop_fenced(b->runner, b->taken[i].job, b->taken[i].epoch);
  }
  registry_release(b->set);
  free(b->jobs);
  free(b->epochs);
  free(b->ending);
  free(b);
}

static beat *new_beat(runner *r) {
  size_t count = 0;
  int64_t now = loop_elapsed(kernel_loop(r->kernel));
  bool due = now - r->beaten >= JOB_HEARTBEAT_MS;
  for (const run *n = r->runs; n; n = n->next) count++;
  beat *b = memory_alloc(sizeof *b);
  *b = (beat){.runner = r,
              .set = kernel_registry(r->kernel),
              .jobs = memory_alloc((count + 1) * sizeof(int64_t)),
              .epochs = memory_alloc((count + 1) * sizeof(int64_t)),
              .ending = memory_alloc((count + 1) * sizeof(int64_t)),
              .now = kernel_now(r->kernel),
              .chance = kernel_chance(r->kernel),
              .starved = r->starved};
  if (due) r->beaten = now;
  for (const run *n = r->runs; due && n; n = n->next) {
    b->jobs[b->count] = n->job.id;
    b->epochs[b->count++] = n->job.state.epoch;
  }
  for (const run *n = r->runs; r->starved && n; n = n->next)
    if (n->ending) b->ending[b->ending_count++] = n->job.id;
  return b;
}

static void on_beat(void *arg) {
  runner *r = arg;
  r->beat = NULL;
  if (!r->runs) return;
  kernel_write(r->kernel, beat_work, beat_then, new_beat(r));
  leases_keep(r);
}

void leases_keep(runner *r) {
  loop *l = kernel_loop(r->kernel);
  if (r->beat) return;
  r->beat = loop_after(l, JOB_REAP_MS, on_beat, r);
  if (!r->beaten) r->beaten = loop_elapsed(l);
}

void leases_drop(runner *r) {
  loop_cancel(kernel_loop(r->kernel), r->beat);
  r->beat = NULL;
  r->beaten = 0;
}
