/* control_enqueue.c -- the commands `enqueue` and `cancel`: one job more, one job less.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "flow/control/controls.h"
#include "flow/jobs/scheduler.h"
#include "flow/kernel/kernel_parts.h"
#include "flow/runs/finish.h"
#include "flow/runs/runner.h"
#include "wire/op.h"

/* ---- enqueue ---- */

typedef struct enqueuing {
  question *question;
  registry *set;
  int64_t id;
} enqueuing;

static int enqueue_work(store_conn *c, void *arg, dts_error *e) {
  enqueuing *n = arg;
  const value *command = &n->question->command;
  enqueued job_wanted = {.pipeline = value_get_text(command, "pipeline", ""),
                         .trigger = value_get_text(command, "trigger", "enqueue"),
                         .key = value_get_text(command, "key", NULL),
                         .group = value_get_text(command, "group", NULL),
                         .params = value_get(command, "params"),
                         .delay_ms = value_get_integer(command, "delay_ms", 0)};
  return scheduler_enqueue(c, n->set, &job_wanted, kernel_now(n->question->kernel), &n->id, e);
}

static void enqueue_then(void *arg, int result, const dts_error *e) {
  enqueuing *n = arg;
  question *q = n->question;
  value v = value_map();
  value_set(&q->memory, &v, "id", value_integer(n->id));
  registry_release(n->set);
  free(n);
  if (result < 0) return question_fail(q, e);
  runner_wake(kernel_runner(q->kernel));
  question_answer(q, v);
}

void control_enqueue(kernel *k, question *q) {
  enqueuing *n = memory_alloc(sizeof *n);
  *n = (enqueuing){.question = q, .set = kernel_registry(k)};
  kernel_write(k, enqueue_work, enqueue_then, n);
  runner_wake(kernel_runner(k)); /* its lease shares the commit */
}

/* ---- cancel ---- */

typedef struct cancelling {
  question *question;
  registry *set;
  job job;
  bool alone, closed; /* alone: no run of it will say so */
} cancelling;

static int cancel_work(store_conn *c, void *arg, dts_error *e) {
  cancelling *n = arg;
  question *q = n->question;
  job_effects fx;
  job_event event = {.kind = JOB_CANCEL};
  int64_t id = value_get_integer(&q->command, "job", -1), now = kernel_now(q->kernel);
  if (jobs_load(c, id, &q->memory, &n->job, e) < 0) return -1;
  n->alone = n->job.state.status != JOB_LEASED; /* a run says so when its worker has gone */
  if (!n->alone) return 0;
  if (n->job.state.status == JOB_QUARANTINED) {
    error_fail(e, "REFUSED", "job %lld is in quarantine: nothing of it runs", (long long)id);
    return error_hint(e, "dts quarantine drop job-%lld --reason \"...\" says that it never shall",
                      (long long)id);
  }
  if (jobs_step(c, &n->job, &event, now, 0, &fx, e) < 0) return -1;
  return finish_alone(c, n->set, &n->job, now, &n->closed, e);
}

static void tell_cancelled(kernel *k, const cancelling *n) {
  arena a = {0};
  value event = value_map();
  value_set(&a, &event, "job", value_integer(n->job.id));
  value_set(&a, &event, "firing", value_integer(n->job.firing));
  value_set(&a, &event, "pipeline", value_text(n->job.pipeline));
  value_set(&a, &event, "name", value_text(n->job.name));
  value_set(&a, &event, "state", value_text("cancelled"));
  value_set(&a, &event, "job_state", value_text("cancelled"));
  value_set(&a, &event, "firing_closed", value_boolean(n->closed));
  kernel_tell(k, OP_RUN, &event);
  arena_free(&a);
}

static void cancel_then(void *arg, int result, const dts_error *e) {
  cancelling *n = arg;
  question *q = n->question;
  kernel *k = q->kernel;
  if (result == 0) {
    if (n->alone)
      tell_cancelled(k, n);
    else
      runner_cancel(kernel_runner(k), n->job.id);
    runner_wake(kernel_runner(k)); /* who waited behind it */
  }
  registry_release(n->set);
  free(n);
  if (result < 0)
    question_fail(q, e);
  else
    question_answer(q, value_map());
}

void control_cancel(kernel *k, question *q) {
  cancelling *n = memory_alloc(sizeof *n);
  *n = (cancelling){.question = q, .set = kernel_registry(k)};
  kernel_write(k, cancel_work, cancel_then, n);
}
