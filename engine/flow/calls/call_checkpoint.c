/* call_checkpoint.c -- OP_CHECKPOINT and OP_SLEEP: what a run keeps while it goes on, or lies down.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "flow/calls/calls.h"
#include "flow/kernel/parts.h"
#include "format/json.h"

enum { STATE_LIMIT = 1024 * 1024, SLEEP_IN_PLACE_MS = 2000 };
/* what is asked for is a worker's word */
#define LONGEST_SLEEP_MS ((int64_t)36525 * 24 * 3600 * 1000)

typedef struct checkpoint {
  call *call;
  buffer state; /* JSON, empty when none was given */
} checkpoint;

static int write_cursor(store_conn *c, run *r, void *arg, dts_error *e) {
  checkpoint *p = arg;
  return p->state.size ? jobs_set_cursor(c, r->job.id, buffer_text(&p->state), e) : 0;
}

static void checkpoint_written(run *r, void *arg, const dts_error *e) {
  checkpoint *p = arg;
  (void)r;
  buffer_free(&p->state);
  if (p->call && e)
    call_fail(p->call, e);
  else if (p->call)
    call_answer(p->call, value_map());
  free(p);
}

/* The script goes on with its next rows while these are written; one that could not be ends the run,
 * and whatever else the script does waits for them (run_holds). A gaps run commits as rows come. */
static void commit_beside(call *c, checkpoint *p) {
  run *r = c->run;
  p->call = NULL;
  run_commit_beside(r, r->stage, write_cursor, checkpoint_written, p);
  call_answer(c, value_map());
}

void call_checkpoint(call *c) {
  dts_error e;
  const value *state = value_get(&c->args, "state");
  if (strcmp(c->run->job.kind, "file") == 0) {
    error_fail(&e, "CHECKPOINT",
               "a run on a file keeps all of it or nothing: no ctx:checkpoint here");
    return call_fail(c, &e);
  }
  checkpoint *p = memory_alloc(sizeof *p);
  p->call = c;
  buffer_init(&p->state, STATE_LIMIT);
  if (state && json_write_exact(&p->state, state) < 0) {
    error_fail(&e, "CHECKPOINT",
               "the state given to ctx:checkpoint is larger than 1 MB or holds what JSON cannot, "
               "such as a text that is not UTF-8");
    buffer_free(&p->state);
    free(p);
    return call_fail(c, &e);
  }
  if (c->run->pipeline->trigger != TRIGGER_GAPS) return commit_beside(c, p);
  run_commit(c->run, c->run->stage, write_cursor, checkpoint_written, p);
}

/* ---- ctx:sleep: a step whose result is the time it was due ---- */

typedef struct sleeping {
  call *call;
  int64_t now, due;
} sleeping;

static int write_due(store_conn *c, void *arg, dts_error *e) {
  sleeping *s = arg;
  arena a = {0};
  value found, params[] = {value_integer(s->call->run->job.id),
                           value_text(value_get_text(&s->call->args, "name", "")),
                           value_integer(s->now), value_integer(s->due)};
  int rc =
      store_exec(c,
                 "insert into dts_step (job, name, state, attempts, started, due) values (?1, ?2, "
                 "'sleeping', 1, ?3, ?4) on conflict do nothing",
                 params, 4, e);
  if (rc == 0)
    rc = store_get(c, "select due from dts_step where job = ?1 and name = ?2", params, 2, &a,
                   &found, e);
  if (rc == 0 && found.kind == VALUE_INTEGER) s->due = found.integer;
  arena_free(&a);
  return rc;
}

static void wake(call *c) { call_answer(c, value_map()); }

static void due_written(void *arg, int result, const dts_error *e) {
  sleeping *s = arg;
  call *c = s->call;
  run *r = c->run;
  int64_t left = s->due - kernel_now(r->kernel);
  if (result < 0) {
    call_fail(c, e);
  } else if (left <= 0) {
    call_answer(c, value_map());
  } else if (left <= SLEEP_IN_PLACE_MS) {
    call_wait(c, left, wake);
  } else { /* the run ends here and is repeated when it is due */
    r->slept = true;
    r->sleep_until = s->due;
    if (r->worker) worker_kill(r->worker);
    call_drop(c);
  }
  free(s);
}

void call_sleep(call *c) {
  sleeping *s = memory_alloc(sizeof *s);
  int64_t ms = value_get_integer(&c->args, "ms", 0);
  s->call = c;
  s->now = kernel_now(c->run->kernel);
  s->due = s->now + (ms < 0 ? 0 : ms < LONGEST_SLEEP_MS ? ms : LONGEST_SLEEP_MS);
  kernel_write(c->run->kernel, write_due, due_written, s);
}
