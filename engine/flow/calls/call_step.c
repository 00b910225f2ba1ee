/* call_step.c -- OP_STEP, OP_STEP_END, OP_STEP_FAIL: durable steps (ctx:step).
 *
 * A step's result and the rows staged inside it commit together; a step that is done answers from the
 * store for as long as its job lives, whichever attempt asks.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "core/retry.h"
#include "flow/calls/calls.h"
#include "flow/kernel/parts.h"
#include "format/json.h"

enum { RESULT_LIMIT = 1024 * 1024 };

static run_step *find(run *r, const char *name) {
  run_step *s = r->steps;
  while (s && strcmp(s->name, name) != 0) s = s->next;
  return s;
}

static void forget(run *r, run_step *step) {
  run_step **at = &r->steps;
  while (*at != step) at = &(*at)->next;
  *at = step->next;
  stage_free(step->stage);
  free(step->name);
  free(step);
}

/* ---- beginning ---- */

typedef struct looking {
  call *call;
  value found;
  int rc;
  dts_error error;
} looking;

static int read_result(store_conn *c, void *arg, dts_error *e) {
  looking *l = arg;
  value params[] = {value_integer(l->call->run->job.id),
                    value_text(value_get_text(&l->call->args, "name", ""))};
  return store_get(c, "select result from dts_step where job = ?1 and name = ?2 and state = 'done'",
                   params, 2, &l->call->memory, &l->found, e);
}

static void look_work(void *arg) {
  looking *l = arg;
  l->rc = store_read(kernel_store(l->call->run->kernel), read_result, l, &l->error);
}

static void begin(run *r, const char *name, int retry) {
  run_step *step = memory_alloc(sizeof *step);
  *step = (run_step){.next = r->steps,
                     .name = memory_text(name),
                     .stage = stage_open(r->set, kernel_store(r->kernel)),
                     .started = kernel_now(r->kernel),
                     .attempts = 1,
                     .retry = retry};
  r->steps = step;
}

static void look_then(void *arg) {
  looking *l = arg;
  call *c = l->call;
  value answer = value_map(), result = value_null();
  bool done = l->rc == 0 && l->found.kind == VALUE_TEXT;
  if (done)
    l->rc = json_read(&c->memory, l->found.text.bytes, l->found.text.size, &result, &l->error);
  if (l->rc < 0) {
    call_fail(c, &l->error);
  } else {
    if (!done)
      begin(c->run, value_get_text(&c->args, "name", ""),
            (int)value_get_integer(&c->args, "retry", 0));
    value_set(&c->memory, &answer, "done", value_boolean(done));
    if (done) value_set(&c->memory, &answer, "result", result);
    call_answer(c, answer);
  }
  free(l);
}

void call_step(call *c) {
  const char *name = value_get_text(&c->args, "name", "");
  dts_error e;
  if (find(c->run, name)) {
    error_fail(&e, "STEP", "step '%s' is under way already in this run", name);
    error_hint(&e, "a step's name must be its own; in loops make it from the data");
    return call_fail(c, &e);
  }
  looking *l = memory_alloc(sizeof *l);
  l->call = c;
  loop_defer(kernel_loop(c->run->kernel), look_work, look_then, l);
}

/* ---- ending ---- */

typedef struct step_end {
  call *call;
  run_step *step;
  buffer result;
} step_end;

static int write_step(store_conn *c, run *r, void *arg, dts_error *e) {
  step_end *s = arg;
  value params[] = {value_integer(r->job.id),
                    value_text(s->step->name),
                    value_integer(s->step->attempts),
                    value_integer(s->step->started),
                    value_integer(kernel_now(r->kernel)),
                    value_bytes(s->result.data, s->result.size)};
  return store_exec(
      c,
      "insert into dts_step (job, name, state, attempts, started, ended, result) values "
      "(?1, ?2, 'done', ?3, ?4, ?5, ?6) on conflict (job, name) do update set state = "
      "'done', attempts = ?3, started = ?4, ended = ?5, result = ?6",
      params, 6, e);
}

static void step_written(run *r, void *arg, const dts_error *e) {
  step_end *s = arg;
  buffer_free(&s->result);
  if (e)
    call_fail(s->call, e);
  else {
    forget(r, s->step);
    call_answer(s->call, value_map());
  }
  free(s);
}

void call_step_end(call *c) {
  dts_error e;
  const char *name = value_get_text(&c->args, "name", "");
  run_step *step = find(c->run, name);
  const value *result = value_get(&c->args, "result");
  static const value null = {.kind = VALUE_NULL};
  if (!step) {
    error_fail(&e, "STEP", "step '%s' is not under way", name);
    return call_fail(c, &e);
  }
  step_end *s = memory_alloc(sizeof *s);
  *s = (step_end){.call = c, .step = step};
  buffer_init(&s->result, RESULT_LIMIT);
  if (json_write_exact(&s->result, result ? result : &null) < 0) {
    error_fail(&e, "STEP",
               "the result of step '%s' is larger than 1 MB or holds what JSON cannot, such as a "
               "text that is not UTF-8",
               name);
    error_hint(&e, "put rows with ctx:put and return what later steps need");
    buffer_free(&s->result);
    free(s);
    return call_fail(c, &e);
  }
  run_commit(c->run, step->stage, write_step, step_written, s);
}

/* ---- failing ---- */

static void answer_again(call *c) {
  value answer = value_map();
  value_set(&c->memory, &answer, "again", value_boolean(true));
  call_answer(c, answer);
}

void call_step_fail(call *c) {
  run_step *step = find(c->run, value_get_text(&c->args, "name", ""));
  value answer = value_map();
  bool again = step && step->attempts <= step->retry;
  if (step) stage_clear(step->stage);
  if (again) {
    int64_t wait = retry_delay(&RETRY_JOB, step->attempts++, kernel_chance(c->run->kernel));
    call_wait(c, wait, answer_again);
    return;
  }
  if (step) forget(c->run, step);
  value_set(&c->memory, &answer, "again", value_boolean(false));
  call_answer(c, answer);
}
