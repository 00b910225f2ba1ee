/* runner.c -- leases jobs and starts their runs; ending.c writes how they end. See runner.h.
 *
 * Looking at the queue is one write (tick, then a lease and an attempt row for each job that has a
 * place), and never two at a time. A lease is extended while its worker lives.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "flow/runs/ending.h"
#include "flow/runs/run_start.h"
#include "flow/runs/runner_parts.h"
#include "format/date.h"

enum { LEASES_AT_ONCE = 16, ENDING_FOR_EACH = 8, AHEAD_FOR_EACH = 6, SPARES_OF_A_TEST = 8 };
/* Times of runs: short ones are leased ahead; a run that waits for a place longer goes back. */
enum { SHORT_MS = 20, SIXTEENFOLD = 16, LONG_MS = 16 * 1000, PATIENCE_MS = 1000, NURSERY_MS = 100 };
enum { AGAIN_MS = 2000 }; /* after a look that the store refused */

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
  const char *without; /* pipelines whose destinations are broken, or NULL */
  const char *older;   /* as runner_since has it */
  arena memory;
} leasing;

static void look(runner *r);

/* ---- leasing: on the writer's thread ---- */

/* What somebody handed in. A date is planned anew, and a schedule fires again, once it is declared again. */
static bool is_input(const job *j) {
  return strcmp(j->kind, "span") != 0 && strcmp(j->trigger, "schedule") != 0 &&
         strcmp(j->trigger, "after") != 0;
}

/* One failed attempt, for good: the input lies in quarantine until a person decides about it. */
static int set_aside(store_conn *c, const leasing *l, job *j, dts_error *e) {
  static const char why[] = "{\"code\":\"PIPELINE\",\"message\":\"its pipeline is not declared any "
                            "more\"}";
  job_effects fx;
  int64_t attempt;
  job_event event = {.kind = JOB_LEASE};
  if (jobs_step(c, j, &event, l->now, l->chance, &fx, e) < 0) return -1;
  if (jobs_open_run(c, j, "", l->now, &attempt, e) < 0) return -1;
  event = (job_event){.kind = JOB_FAIL, .epoch = j->state.epoch, .fail = {.permanent = true}};
  if (jobs_step(c, j, &event, l->now, l->chance, &fx, e) < 0) return -1;
  if (jobs_close_run(c, j, &fx, why, l->now, e) < 0) return -1;
  return jobs_set_error(c, j->id, why, "its pipeline is not declared any more", e);
}

static int call_off(store_conn *c, const leasing *l, job *j, dts_error *e) {
  job_effects fx;
  job_event cancel = {.kind = JOB_CANCEL};
  if (jobs_step(c, j, &cancel, l->now, l->chance, &fx, e) < 0) return -1;
  return jobs_set_error(c, j->id, NULL, "its pipeline is not declared any more", e);
}

static int fail_unknown(store_conn *c, const leasing *l, job *j, dts_error *e) {
  log_warn("job %lld is for pipeline '%s', which is not there any more", (long long)j->id,
           j->pipeline);
  if ((is_input(j) ? set_aside(c, l, j, e) : call_off(c, l, j, e)) < 0) return -1;
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
  int found = jobs_ready(c, r->since, l->older, l->without, ids, l->room, e);
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
             .began = loop_elapsed(kernel_loop(r->kernel)),
             .refs = 1,
             .day = day,
             .fire_time = slot->firing.fire_time,
             .window_from = slot->firing.window_from};
  n->stage = stage_open(set, kernel_store(r->kernel));
  r->runs = n;
  leases_keep(r);
  return n;
}

static void on_frame(void *arg, const frame *in) { ending_frame(arg, in); }

static void on_ended(void *arg, const worker_end *end) { ending_worker(arg, end); }

/* A run whose end is being written holds no place any more: the next lease shares that commit. But ends
 * that wait for the disk are not piled up without end. */
static size_t taken(const runner *r) {
  size_t busy = 0, ending = 0, spared = r->places * ENDING_FOR_EACH;
  for (const run *n = r->runs; n; n = n->next) (*(n->ending ? &ending : &busy)) += !n->ready;
  return busy + (ending > spared ? ending - spared : 0);
}

static void launch(runner *r, run *n) {
  worker_owner owner = {on_frame, on_ended, n};
  worker_limits limits = {n->pipeline->time_ms, n->pipeline->cpu_ms, n->pipeline->memory};
  n->ready = false;
  n->started = kernel_now(r->kernel);
  run_tell(n, "running");
  n->worker = spares_take(r->spares, n->pipeline, &owner);
  if (!n->worker) n->worker = nursery_fork(kernel_nursery(r->kernel), &limits, &owner, &n->fault);
  if (!n->worker) return ending_worker(n, &(worker_end){.lost = true});
  run_start(n);
}

/* ---- leased ahead: they start in order, each when a place is free ---- */

static size_t count_ready(const runner *r) {
  size_t count = 0;
  for (const run *n = r->runs; n; n = n->next) count += n->ready;
  return count;
}

static run *first_ready(const runner *r) {
  run *first = NULL;
  for (run *n = r->runs; n; n = n->next)
    if (n->ready && (!first || n->id < first->id)) first = n;
  return first;
}

static void launch_ready(runner *r) {
  for (run *n; !r->stopping && taken(r) < r->places && (n = first_ready(r));) launch(r, n);
}

/* A run without a worker ends by its marks: handed back, cancelled. */
static void end_ready(run *n) {
  n->ready = false;
  ending_worker(n, &(worker_end){.lost = true});
}

static void hand_back(run *n) {
  n->handed_back = true;
  if (n->ready) return end_ready(n);
  if (n->worker) worker_kill(n->worker);
}

/* The places are held by runs that last: whoever waits for one goes back to the queue. */
static void on_patience(void *arg) {
  runner *r = arg;
  r->patience = NULL;
  int64_t now = kernel_now(r->kernel);
  bool late = false;
  for (run *n = r->runs; n; n = n->next) {
    if (!n->ready || now - n->started < PATIENCE_MS) continue;
    n->handed_back = late = true;
    end_ready(n);
  }
  if (late) r->usual_ms = LONG_MS;
  if (count_ready(r)) r->patience = loop_after(kernel_loop(r->kernel), PATIENCE_MS, on_patience, r);
}

/* How many may be leased past the places: none unless runs have been short of late. */
static size_t ahead(const runner *r) {
  return r->usual_ms / SIXTEENFOLD <= SHORT_MS ? AHEAD_FOR_EACH * r->places : 0;
}

void runner_ending(runner *r, const run *n) {
  int64_t took = kernel_now(r->kernel) - n->started;
  if (took > LONG_MS / SIXTEENFOLD) took = LONG_MS / SIXTEENFOLD;
  r->usual_ms += took * SIXTEENFOLD / 4 - r->usual_ms / 4;
  destinations_learn(r, n);
  launch_ready(r);
  runner_wake(r); /* what is leased now shares the commit of this end */
}

static void start(runner *r, leased *slot, registry *set) {
  run *n = new_run(r, slot, set);
  n->ready = true;
  if (r->stopping) return hand_back(n); /* leased while the engine was told to stop */
  if (!r->patience) r->patience = loop_after(kernel_loop(r->kernel), PATIENCE_MS, on_patience, r);
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
  if (result < 0) log_error("no job could be leased, and it is tried again: %s", e->message);
  for (size_t i = 0; i < l->count; i++) {
    if (result == 0)
      start(r, &l->leased[i], l->set);
    else
      arena_free(&l->leased[i].memory);
  }
  launch_ready(r);
  arm_due(r, result == 0 ? l->next_due : l->now + AGAIN_MS);
  bool full = l->count == l->room;
  registry_release(l->set);
  arena_free(&l->memory);
  free(l);
  if (r->again || (full && result == 0)) look(r);
}

static void on_well(void *arg) {
  runner *r = arg;
  r->mended = NULL;
  runner_wake(r);
}

/* Nothing is leased while no worker can be had: that would be held against the jobs. */
static bool has_nursery(runner *r) {
  if (nursery_is_well(kernel_nursery(r->kernel))) return true;
  if (!r->mended) r->mended = loop_after(kernel_loop(r->kernel), NURSERY_MS, on_well, r);
  return false;
}

static void look(runner *r) {
  size_t held = taken(r) + count_ready(r), most = r->places + ahead(r);
  if (r->leasing) {
    r->again = true;
    return;
  }
  r->again = false;
  if (r->stopping || held >= most || r->since == INT64_MAX || !has_nursery(r)) return;
  leasing *l = memory_alloc(sizeof *l);
  l->runner = r;
  l->set = kernel_registry(r->kernel);
  l->room = most - held < LEASES_AT_ONCE ? most - held : LEASES_AT_ONCE;
  l->now = kernel_now(r->kernel);
  l->chance = kernel_chance(r->kernel);
  l->without = destinations_broken(r, l->set, &l->memory);
  l->older = arena_text(&l->memory, r->older);
  r->leasing = true;
  kernel_write(r->kernel, lease_work, lease_then, l);
}

void runner_wake(runner *r) { look(r); }

/* ---- the runner ---- */

runner *runner_open(kernel *k, size_t places) {
  runner *r = memory_alloc(sizeof *r);
  r->kernel = k;
  r->places = places;
  r->usual_ms = LONG_MS;
  r->spares =
      spares_open(k, kernel_opened_with(k)->is_virtual ? places + SPARES_OF_A_TEST : places);
  return r;
}

void runner_since(runner *r, int64_t firing_id, const char *older) {
  free(r->older);
  r->older = older ? memory_text(older) : NULL;
  if (r->since == INT64_MAX || !firing_id || firing_id == INT64_MAX) r->since = firing_id;
}

void runner_forget(runner *r, run *n) {
  run **at = &r->runs;
  while (*at && *at != n) at = &(*at)->next;
  if (*at) *at = n->next;
  if (!r->runs) leases_drop(r);
  run_release(n);
  look(r);
}

void runner_spare(runner *r, run *n) {
  spares_keep(r->spares, n->worker, n->pipeline);
  n->worker = NULL;
}

void runner_stop(runner *r) {
  r->stopping = true;
  for (run *n = r->runs; n; n = n->next) hand_back(n);
}

bool runner_idle(const runner *r) { return !r->runs && !r->leasing; }

void runner_cancel(runner *r, int64_t id) {
  for (run *n = r->runs; n; n = n->next) {
    if (n->job.id != id || n->ending) continue;
    n->cancelled = true;
    if (n->ready)
      end_ready(n);
    else if (n->worker)
      worker_kill(n->worker);
  }
}

void runner_close(runner *r) {
  if (!r) return;
  loop_cancel(kernel_loop(r->kernel), r->due);
  loop_cancel(kernel_loop(r->kernel), r->patience);
  loop_cancel(kernel_loop(r->kernel), r->mended);
  leases_drop(r);
  destinations_close(r);
  spares_close(r->spares);
  free(r->older);
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
