/* run.c -- what a run does while it lives: its calls, its log, commits before the end. See run.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/runs/run.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flow/kernel/parts.h"
#include "flow/runs/ending.h"
#include "wire/pack.h"

typedef struct run_held {
  frame frame;
  char payload[];
} run_held;

void run_hold(run *r) { r->refs++; }

void run_release(run *r) {
  if (--r->refs > 0) return;
  while (r->steps) {
    run_step *step = r->steps;
    r->steps = step->next;
    stage_free(step->stage);
    free(step->name);
    free(step);
  }
  if (r->held && r->held->frame.fd >= 0) close(r->held->frame.fd);
  free(r->held);
  stage_free(r->stage);
  registry_release(r->set);
  arena_free(&r->memory);
  free(r);
}

stage *run_stage(run *r, const char *step) {
  if (!step) return r->stage;
  for (run_step *s = r->steps; s; s = s->next)
    if (strcmp(s->name, step) == 0) return s->stage;
  return NULL;
}

void run_fault(run *r, const dts_error *e) {
  if (!r->fault.code[0]) r->fault = *e;
  if (!r->fault.where[0]) snprintf(r->fault.where, sizeof r->fault.where, "%s", r->pipeline->file);
  if (r->worker) worker_kill(r->worker);
}

void run_listen(run *r) {
  bool wait = r->held || r->archiving || r->logs.holding || (r->committing && r->alone);
  if (r->worker) worker_pause(r->worker, wait);
}

/* ---- calls ---- */

static void fault_unread(run *r) {
  dts_error e;
  error_fail(&e, "LIMIT_SIZE", "the answers that wait for this run are too many or too large");
  error_hint(&e, "ask for less at a time, or for fewer at once (concurrency = ...)");
  run_fault(r, &e);
}

static void send_answer(call *c, const value *v, int fd) {
  if (!c->run->worker) {
    if (fd >= 0) close(fd);
    return;
  }
  buffer b;
  buffer_init(&b, FRAME_LIMIT);
  wire_op op = pack_answer(&b, v) ? OP_REPLY : OP_ERROR;
  if (!worker_send(c->run->worker, c->id, op, &b, fd)) fault_unread(c->run);
  buffer_free(&b);
}

void call_drop(call *c) {
  run *r = c->run;
  if (c->fd >= 0) close(c->fd);
  r->asked -= c->size;
  arena_free(&c->memory);
  free(c);
  run_release(r);
}

void call_answer_fd(call *c, value answer, int fd) {
  send_answer(c, &answer, fd);
  call_drop(c);
}

void call_answer(call *c, value answer) { call_answer_fd(c, answer, -1); }

void call_fail(call *c, const dts_error *e) {
  if (c->run->worker) {
    buffer b;
    buffer_init(&b, FRAME_LIMIT);
    pack_error(&b, e);
    worker_send(c->run->worker, c->id, OP_ERROR, &b, -1);
    buffer_free(&b);
  }
  call_drop(c);
}

/* ---- the log ---- */

/* Lines wait while others are being written, and are then written together. Past LINES_WAITING the
 * worker waits too; a line counts LINE_BYTES beside its text. */
enum { LINES_WAITING = 1000, LINE_BYTES = 64 };

struct log_line {
  log_line *next;
  int64_t seq, at;
  char *level, *message;
};

typedef struct log_batch {
  run *run;
  log_line *lines;
} log_batch;

static int write_log(store_conn *c, void *arg, dts_error *e) {
  const log_batch *b = arg;
  for (const log_line *l = b->lines; l; l = l->next) {
    value params[] = {value_integer(b->run->id), value_integer(l->seq), value_integer(l->at),
                      value_text(l->level), value_text(l->message)};
    if (store_exec(c,
                   "insert into dts_log (run, seq, at, level, message) values (?1, ?2, ?3, ?4, ?5)",
                   params, 5, e) < 0)
      return -1;
  }
  return 0;
}

static void log_written(void *arg, int result, const dts_error *e) {
  log_batch *b = arg;
  run *r = b->run;
  (void)result, (void)e;
  for (log_line *l; (l = b->lines);) {
    b->lines = l->next;
    free(l->level);
    free(l->message);
    free(l);
  }
  free(b);
  r->logs.writing--;
  r->logs.holding = false;
  run_listen(r);
  if (!r->logs.writing) run_write_log(r);
  run_release(r);
}

void run_write_log(run *r) {
  if (!r->logs.first) return;
  log_batch *b = memory_alloc(sizeof *b);
  *b = (log_batch){r, r->logs.first};
  r->logs.first = r->logs.last = NULL;
  r->logs.waiting = 0;
  r->logs.writing++;
  run_hold(r);
  kernel_write(r->kernel, write_log, log_written, b);
}

static void keep_line(run *r, log_line *l) {
  if (r->logs.last)
    r->logs.last->next = l;
  else
    r->logs.first = l;
  r->logs.last = l;
  r->logs.waiting++;
  if (!r->logs.writing) run_write_log(r);
}

void run_hold_log(run *r) {
  if (r->logs.waiting < LINES_WAITING || r->logs.holding || !r->worker) return;
  r->logs.holding = true;
  run_listen(r);
}

static void tell_log(run *r, const log_line *l) {
  arena a = {0};
  value event = value_map();
  value_set(&a, &event, "run", value_integer(r->id));
  value_set(&a, &event, "firing", value_integer(r->job.firing));
  value_set(&a, &event, "pipeline", value_text(r->pipeline->name));
  value_set(&a, &event, "level", value_text(l->level));
  value_set(&a, &event, "message", value_text(l->message));
  value_set(&a, &event, "at_ms", value_integer(l->at));
  kernel_tell(r->kernel, OP_LOG, &event);
  arena_free(&a);
}

void run_log(run *r, const char *level, const char *message, size_t size) {
  size_t limit = (size_t)r->pipeline->max_log;
  if (r->log_bytes > limit) return;
  r->log_bytes += size + LINE_BYTES;
  bool full = r->log_bytes > limit;
  char last[96];
  snprintf(last, sizeof last, "the log of this run ends here: limits.log is %zu bytes", limit);
  log_line *l = memory_alloc(sizeof *l);
  l->message = full ? memory_text(last) : memory_alloc(size + 1);
  for (size_t i = 0; !full && i < size; i++) l->message[i] = message[i] ? message[i] : ' ';
  l->level = memory_text(full ? "warn" : level);
  l->seq = (int64_t)r->log_seq++;
  l->at = kernel_now(r->kernel);
  tell_log(r, l);
  keep_line(r, l);
}

/* ---- commits before the end ---- */

typedef struct commit {
  run *run;
  stage *staged; /* taken: replies that come meanwhile belong to the next commit */
  run_extra *extra;
  run_then *then;
  void *arg;
  job job; /* as stepped */
  int64_t now;
  double chance;
} commit;

/* The job as it stands in the store: its lease was extended since the run began. */
static int load_state(store_conn *c, commit *m, dts_error *e) {
  arena a = {0};
  job now;
  m->job = m->run->job;
  int rc = jobs_load(c, m->job.id, &a, &now, e);
  if (rc == 0) m->job.state = now.state;
  arena_free(&a);
  return rc;
}

static int commit_work(store_conn *c, void *arg, dts_error *e) {
  commit *m = arg;
  run *r = m->run;
  job_effects fx;
  job_event event = {.kind = JOB_CHECKPOINT, .epoch = r->job.state.epoch};
  stage_context x = {r->set, r->pipeline, r->job.id, r->id, m->now, r->day};
  if (load_state(c, m, e) < 0 || jobs_step(c, &m->job, &event, m->now, m->chance, &fx, e) < 0)
    return -1;
  if (stage_apply(m->staged, c, &x, e) < 0) return -1;
  value params[] = {value_integer((int64_t)stage_rows(m->staged)), value_integer(r->id)};
  if (store_exec(c, "update dts_run set rows = rows + ?1 where id = ?2", params, 2, e) < 0)
    return -1;
  return m->extra ? m->extra(c, r, m->arg, e) : 0;
}

void run_count(run *r, const stage *written) {
  const char *first;
  size_t replaced = stage_replaced(written, &first);
  r->rows += stage_rows(written);
  if (replaced && !r->replaced) r->first_replaced = arena_text(&r->memory, first);
  r->replaced += replaced;
}

/* ---- what comes while a commit is under way ---- */

bool run_holds(run *r, const frame *in) {
  bool harmless = in->op == OP_ROWS || in->op == OP_LOG || in->op == OP_PROGRESS;
  if (!r->committing || r->held || harmless) return false;
  r->held = memory_alloc(sizeof *r->held + in->size + 1);
  r->held->frame = *in;
  r->held->frame.payload = memcpy(r->held->payload, in->payload, in->size);
  run_listen(r);
  return true;
}

static void let_go(run *r) {
  run_held *held = r->held;
  r->held = NULL;
  run_listen(r); /* what was held may hand the worker on */
  if (held) ending_frame(r, &held->frame);
  free(held);
  if (!r->gone) return;
  r->gone = false;
  ending_worker(r, &r->gone_how);
}

static void commit_done(void *arg, int result, const dts_error *e) {
  commit *m = arg;
  run *r = m->run;
  r->committing = false;
  if (result == 0) {
    r->job.state = m->job.state;
    run_count(r, m->staged);
  } else {
    run_fault(r, e);
  }
  if (m->then) m->then(r, m->arg, result == 0 ? NULL : e);
  let_go(r);
  run_release(r);
  stage_free(m->staged);
  free(m);
}

void run_commit_beside(run *r, stage *staged, run_extra *extra, run_then *then, void *arg) {
  commit *m = memory_alloc(sizeof *m);
  *m = (commit){.run = r,
                .staged = stage_take(staged),
                .extra = extra,
                .then = then,
                .arg = arg,
                .now = kernel_now(r->kernel),
                .chance = kernel_chance(r->kernel)};
  run_hold(r);
  r->committing = true;
  r->alone = false;
  kernel_write(r->kernel, commit_work, commit_done, m);
}

void run_commit(run *r, stage *staged, run_extra *extra, run_then *then, void *arg) {
  run_commit_beside(r, staged, extra, then, arg);
  r->alone = true; /* one commit at a time, and its end after it */
  run_listen(r);
}
