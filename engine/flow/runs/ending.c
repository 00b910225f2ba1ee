/* ending.c -- see ending.h. The final write holds the job's step, its attempt, the staged effects, the
 * gap dates, the firing: together or not at all.
 *
 * A run whose effects the store refuses (a check, a type) ends a second time, as failed, with that error; one
 * for which the store has no room, as deferred.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/runs/ending.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "flow/calls/calls.h"
#include "flow/jobs/excerpt.h"
#include "flow/runs/ending_why.h"
#include "flow/runs/finish.h"
#include "flow/jobs/notes.h"
#include "flow/kernel/parts.h"
#include "flow/runs/run_ops.h"
#include "format/date.h"
#include "format/duration.h"
#include "wire/pack.h"

enum { FIRST_WAIT_MS = 250, LONGEST_WAIT_MS = 4000 };

typedef struct final {
  run *run;
  run_ending how;
  stage *staged; /* of a run that is done */
  dts_error error;
  char *error_json; /* NULL when done */
  job job;          /* after its step */
  int64_t now;
  double chance;
  bool firing_closed;
  arena memory;
  int64_t wait_ms;  /* before it is written again, when the store refused even a failing end */
  int64_t rejected; /* rows set aside by the job of a run that is done, */
  const char *said; /* and the sentence about them */
} final;

/* ---- telling ---- */

static void tell(run *r, const char *state, const final *f) {
  arena a = {0};
  value event = value_map();
  value_set(&a, &event, "id", value_integer(r->id));
  value_set(&a, &event, "job", value_integer(r->job.id));
  value_set(&a, &event, "firing", value_integer(r->job.firing));
  value_set(&a, &event, "pipeline", value_text(r->pipeline->name));
  value_set(&a, &event, "name", value_text(r->job.name));
  value_set(&a, &event, "state", value_text(state));
  if (f) {
    value_set(&a, &event, "rows", value_integer((int64_t)r->rows));
    value_set(&a, &event, "rejected", value_integer(f->rejected));
    value_set(&a, &event, "requests", value_integer((int64_t)r->requests));
    value_set(&a, &event, "ms", value_integer(f->now - r->started));
    value_set(&a, &event, "error", value_text(f->error_json));
    value_set(&a, &event, "job_state", value_text(job_status_name(f->job.state.status)));
    value_set(&a, &event, "run_at_ms", value_integer(f->job.state.run_at));
    value_set(&a, &event, "firing_closed", value_boolean(f->firing_closed));
  }
  kernel_tell(r->kernel, OP_RUN, &event);
  arena_free(&a);
}

void run_tell(run *r, const char *state) { tell(r, state, NULL); }

/* What becomes of the job, for an operator. */
static void say_then(const final *f, char out[112]) {
  char wait[32];
  out[0] = '\0';
  if (f->job.state.status == JOB_QUARANTINED)
    snprintf(out, 112, "; in quarantine: dts quarantine show job-%lld", (long long)f->job.id);
  if (f->job.state.status != JOB_WAITING) return;
  duration_write(f->job.state.run_at > f->now ? f->job.state.run_at - f->now : 0, wait);
  snprintf(out, 112,
           f->how == RUN_DEFERRED ? " (again in %s; no retry is used up)" : " (retry in %s)", wait);
}

/* Two bookings that look alike may be two: whoever reads the log can see that one of them went. */
static void say_replaced(run *r) {
  char text[512];
  int size =
      snprintf(text, sizeof text,
               "%zu row%s replaced by a later one of this run that has the same key and other "
               "values, first in %s",
               r->replaced, r->replaced == 1 ? " was" : "s were", r->first_replaced);
  run_log(r, "info", text, (size_t)size < sizeof text ? (size_t)size : sizeof text - 1);
}

/* What goes to the run's log, and under `dts serve` to the engine's: what an operator must hear of. */
static void say(run *r, const final *f) {
  char then[112];
  if (r->replaced) say_replaced(r);
  if (f->said) run_log(r, "warn", f->said, strlen(f->said));
  bool told = f->how == RUN_FAILED || f->how == RUN_LOST || f->how == RUN_DEFERRED;
  if (!told || !kernel_opened_with(r->kernel)->serving) return;
  say_then(f, then);
  const char *name = r->job.name;
  log_warn("run %lld of %s%s%s %s: %s%s", (long long)r->id, r->pipeline->name, name ? ", " : "",
           name ? name : "", f->how == RUN_DEFERRED ? "deferred" : "failed", f->error.message,
           then);
}

/* ---- the final write ---- */

static job_event make_event(const final *f) {
  const run *r = f->run;
  job_event event = {.epoch = r->job.state.epoch};
  switch (f->how) {
  case RUN_DONE: event.kind = JOB_DONE_EVENT; break;
  case RUN_FAILED:
    event.kind = JOB_FAIL;
    event.fail.permanent = why_is_permanent(r, &f->error);
    event.fail.reason = f->error.message;
    break;
  case RUN_DEFERRED:
    event.kind = JOB_DEFER;
    event.defer.retry_after_ms = f->error.retry_after_ms;
    break;
  case RUN_SLEPT:
    event.kind = JOB_SLEEP;
    event.sleep.until = r->sleep_until;
    break;
  case RUN_LOST:
    event.kind = JOB_WORKER_LOST;
    event.lost.signal = f->error.status;
    break;
  case RUN_HANDED_BACK: event.kind = JOB_HANDBACK; break;
  case RUN_CANCELLED: event.kind = JOB_CANCEL; break;
  }
  return event;
}

static int write_rows(store_conn *c, final *f, bool commit, dts_error *e) {
  run *r = f->run;
  stage_context x = {r->set, r->pipeline, r->job.id, r->id, f->now, r->day};
  if (commit && stage_apply(f->staged, c, &x, e) < 0) return -1;
  if (f->how == RUN_DONE && notes_say(c, r->job.id, &f->memory, &f->rejected, &f->said, e) < 0)
    return -1;
  value params[] = {value_integer(commit ? (int64_t)stage_rows(f->staged) : 0),
                    value_integer((int64_t)r->requests), value_integer(r->id)};
  return store_exec(c, "update dts_run set rows = rows + ?1, requests = ?2 where id = ?3", params,
                    3, e);
}

static int final_work(store_conn *c, void *arg, dts_error *e) {
  final *f = arg;
  run *r = f->run;
  job_effects fx;
  job_event event = make_event(f);
  f->job = r->job;
  if (jobs_step(c, &f->job, &event, f->now, f->chance, &fx, e) < 0) return -1;
  if (write_rows(c, f, fx.commit_staged, e) < 0) return -1;
  if (jobs_close_run(c, &f->job, &fx, f->error_json, f->now, e) < 0) return -1;
  if (jobs_set_error(c, f->job.id, f->error_json, fx.reason, e) < 0) return -1;
  if (finish_inside(c, r, &f->job, f->how, f->error_json, f->now, e) < 0) return -1;
  if (job_is_open(f->job.state.status)) return 0;
  return finish_firing(c, r->set, f->job.firing, f->job.pipeline, f->now, &f->firing_closed, e);
}

static void leave(run *r) {
  if (r->worker || !r->ended) return; /* both must have happened, in either order */
  runner_forget(kernel_runner(r->kernel), r);
}

static void end(run *r, run_ending how, const dts_error *e);
static void end_later(run *r, const dts_error *e);

/* The end is not in the store: whoever waits for this run is told all the same. */
static void tell_unwritten(run *r, const final *f, const char *how, const dts_error *e) {
  final shown = *f;
  log_error("run %lld %s: %s", (long long)r->id, how, e->message);
  shown.error_json = excerpt_error(e, r->pipeline->script, NULL);
  shown.job = r->job;
  shown.job.state.status = JOB_FAILED;
  shown.firing_closed = true;
  tell(r, "failed", &shown);
  free(shown.error_json);
}

static void final_then(void *arg, int result, const dts_error *e);

static void free_final(final *f) {
  run *r = f->run;
  free(f->error_json);
  stage_free(f->staged);
  arena_free(&f->memory);
  free(f);
  run_release(r);
}

static void forget_final(final *f) {
  f->run->ended = true;
  leave(f->run);
  free_final(f);
}

/* An engine that stops gives up: the next one settles the job, whose lease is over then. */
static void write_again(void *arg) {
  final *f = arg;
  if (f->run->handed_back) return forget_final(f);
  f->now = kernel_now(f->run->kernel);
  kernel_write(f->run->kernel, final_work, final_then, f);
}

static void wait_for_room(final *f, const dts_error *e) {
  bool serving = kernel_opened_with(f->run->kernel)->serving;
  const char *how = serving ? "has not ended yet, and is tried again until it can"
                            : "could not be ended; the next dts run or dts serve settles it";
  if (!f->wait_ms) tell_unwritten(f->run, f, how, e);
  if (!serving) return forget_final(f);
  f->wait_ms = f->wait_ms ? 2 * f->wait_ms : FIRST_WAIT_MS;
  if (f->wait_ms > LONGEST_WAIT_MS) f->wait_ms = LONGEST_WAIT_MS;
  arena_free(&f->memory); /* of the write that was undone */
  loop_after(kernel_loop(f->run->kernel), f->wait_ms, write_again, f);
}

static const char *outcome_of(run_ending how) {
  static const job_outcome outcomes[] = {
      [RUN_DONE] = JOB_ATTEMPT_DONE,          [RUN_FAILED] = JOB_ATTEMPT_FAILED,
      [RUN_DEFERRED] = JOB_ATTEMPT_DEFERRED,  [RUN_SLEPT] = JOB_ATTEMPT_SLEPT,
      [RUN_LOST] = JOB_ATTEMPT_FAILED,        [RUN_HANDED_BACK] = JOB_ATTEMPT_HANDED_BACK,
      [RUN_CANCELLED] = JOB_ATTEMPT_CANCELLED};
  return job_outcome_name(outcomes[how]);
}

static void final_then(void *arg, int result, const dts_error *e) {
  final *f = arg;
  run *r = f->run;
  bool fenced = result < 0 && strcmp(e->code, "FENCED") == 0;
  if (result < 0 && !fenced && f->how != RUN_DONE) return wait_for_room(f, e);
  if (result < 0 && !fenced) {
    why_is_ours(e) ? end_later(r, e) : end(r, RUN_FAILED, e);
    return free_final(f);
  }
  if (fenced) {
    tell_unwritten(r, f, "lost its lease, and what it did counts nowhere", e);
  } else {
    if (f->how == RUN_DONE) run_count(r, f->staged);
    say(r, f);
    if (!f->wait_ms) tell(r, outcome_of(f->how), f);
  }
  forget_final(f);
}

static void end(run *r, run_ending how, const dts_error *e) {
  final *f = memory_alloc(sizeof *f);
  *f = (final){
      .run = r, .how = how, .now = kernel_now(r->kernel), .chance = kernel_chance(r->kernel)};
  f->staged = stage_take(r->stage);
  if (how != RUN_DONE) stage_clear(f->staged); /* its file may be what fills the disk */
  if (e) f->error = *e;
  bool said = how == RUN_FAILED || how == RUN_DEFERRED || how == RUN_LOST;
  if (said) f->error_json = excerpt_error(&f->error, r->pipeline->script, r->traceback);
  r->ending = true;
  run_write_log(r);
  run_hold(r);
  kernel_write(r->kernel, final_work, final_then, f);
  runner_ending(kernel_runner(r->kernel), r);
}

/* ---- deciding how ---- */

/* By hand nothing is tried again: whoever asked is told when it may be. */
static void end_put_off(run *r, const dts_error *e) {
  dts_error told = *e;
  char at[25];
  int64_t seconds = (e->retry_after_ms + 999) / 1000;
  timestamp_write(zone_local(r->pipeline->zone, kernel_now(r->kernel) + 1000 * seconds), at);
  at[10] = ' ', at[19] = 0;
  error_hint(&told, "by hand nothing is tried again: run it after %s (%s), in %lld s", at,
             zone_name(r->pipeline->zone), (long long)seconds);
  r->put_off = true;
  end(r, RUN_FAILED, &told);
}

/* By hand: told, and its dates count no try. Else it waits, and no retry is used up. */
static void end_later(run *r, const dts_error *e) {
  bool by_hand = r->job.state.once && strcmp(r->job.trigger, "hand") == 0;
  if (by_hand && !why_is_ours(e)) return end_put_off(r, e);
  r->put_off = by_hand;
  end(r, by_hand ? RUN_FAILED : RUN_DEFERRED, e);
}

static void end_failed(run *r, const dts_error *e) {
  bool later = strcmp(e->code, "HTTP_LATER") == 0 || why_is_ours(e);
  if (r->cancelled)
    end(r, RUN_CANCELLED, e);
  else if (r->handed_back)
    end(r, RUN_HANDED_BACK, e);
  else if (r->slept)
    end(r, RUN_SLEPT, e);
  else if (later && !r->permanent)
    end_later(r, e);
  else
    end(r, RUN_FAILED, e);
}

static void on_failed(run *r, const frame *in) {
  arena a = {0};
  value said;
  dts_error e = {0};
  unpack u = {in->payload, in->payload + in->size};
  if (unpack_value(&u, &a, &said, &e) == 0) {
    unpack_error(&said, &e);
    r->permanent = value_get_boolean(&said, "permanent", false);
    const char *traceback = value_get_text(&said, "traceback", NULL);
    r->traceback = arena_text(&r->memory, traceback);
  }
  arena_free(&a);
  end_failed(r, r->fault.code[0] ? &r->fault : &e);
}

static void on_done(run *r, const frame *in) {
  arena a = {0};
  value said;
  unpack u = {in->payload, in->payload + in->size};
  bool stays = unpack_value(&u, &a, &said, NULL) == 0 && value_get_boolean(&said, "stays", false);
  arena_free(&a);
  if (stays && r->worker) { /* before the end: the next run may take it at once */
    call_wait_drop(r);
    runner_spare(kernel_runner(r->kernel), r);
  }
  end(r, RUN_DONE, NULL);
}

void ending_frame(run *r, const frame *in) {
  if (run_holds(r, in)) return;
  bool over = in->op == OP_DONE || in->op == OP_FAILED;
  if (over || r->ending) {
    if (in->fd >= 0) close(in->fd);
  }
  if (r->ending) return;
  if (!over && r->fault.code[0]) { /* nothing of a run that is refused counts any more */
    if (in->fd >= 0) close(in->fd);
    return;
  }
  if (!over) return run_ops_frame(r, in);
  if (in->op == OP_DONE && !r->fault.code[0] && !r->handed_back && !r->cancelled)
    on_done(r, in);
  else if (in->op == OP_DONE)
    end_failed(r, &r->fault);
  else
    on_failed(r, in);
}

void ending_worker(run *r, const worker_end *how) {
  dts_error e;
  if (r->committing) { /* one write at a time */
    r->worker = NULL;
    r->gone = true;
    r->gone_how = *how;
    return;
  }
  r->worker = NULL;
  call_wait_drop(r);
  if (r->ending) return leave(r);
  why_it_ended(r, how, &e);
  if (r->fault.code[0])
    end_failed(r, &r->fault);
  else if (strncmp(e.code, "LIMIT_", 6) == 0 || r->handed_back || r->cancelled || r->slept)
    end_failed(r, &e);
  else
    end(r, RUN_LOST, &e);
}
