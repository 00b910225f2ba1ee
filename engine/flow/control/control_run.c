/* control_run.c -- the command `run`.
 *
 * `run` makes a firing by hand and answers when all of it has ended; what happens meanwhile goes to the
 * asker as events. A file with several pipelines runs those that follow no other, in the file's order.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "flow/control/controls.h"
#include "flow/jobs/alone.h"
#include "flow/runs/byhand.h"
#include "flow/kernel/kernel_parts.h"
#include "flow/runs/runner.h"
#include "flow/jobs/scheduler.h"
#include "format/json.h"

enum { TICK_MS = 500 };

typedef struct running {
  struct running *next; /* of those that this kernel still owes an answer */
  question *question;
  registry *set;
  const char **names; /* of the pipelines asked for */
  size_t name_count;
  int64_t *firings;
  size_t firing_count, open;
  size_t queued;
  bool looking, again; /* a look at the queue is under way; another is due after it */
  bool alone;          /* no server: this command is the engine, and runs what follows as well, */
  const char *older;   /* and what was put off in these firings (JSON): now due */
  value runs;          /* ended: [{id, job, pipeline, state, rows, rejected, ms, error}] */
  int64_t rows, rejected;
  bool failed;
  const char *file; /* the path of a file for this run, or NULL */
  char object[65];  /* where its bytes are kept */
  int64_t size;
  uint64_t listening;
  loop_timer *tick;
} running;

static void forget(running *r) {
  kernel *k = r->question->kernel;
  running **at = &k->running;
  while (*at && *at != r) at = &(*at)->next;
  if (*at) *at = r->next;
  if (r->listening) kernel_unlisten(k, r->listening);
  loop_cancel(kernel_loop(k), r->tick);
  registry_release(r->set);
  free(r->firings);
  free(r);
}

void control_run_close(kernel *k) {
  while (k->running) {
    question *q = k->running->question;
    k->running->tick = NULL; /* it went with the loop */
    forget(k->running);
    q->answer = NULL; /* whoever asked is gone with the kernel */
    question_fail(q, NULL);
  }
}

static int end_work(store_conn *c, void *arg, dts_error *e) {
  const running *r = arg;
  return byhand_end(c, r->firings[0], kernel_now(r->question->kernel), e);
}

void control_run_stop(kernel *k) {
  dts_error e;
  for (running *r = k->running; r; r = r->next)
    if (r->alone && r->firing_count && store_write(k->store, end_work, r, &e) < 0)
      log_error("what the run had queued could not be cancelled: %s", e.message);
}

static void answer(running *r) {
  question *q = r->question;
  value v = value_map(), firings = value_list(), names = value_list();
  for (size_t i = 0; i < r->firing_count; i++)
    value_add(&q->memory, &firings, value_integer(r->firings[i]));
  for (size_t i = 0; i < r->name_count; i++)
    value_add(&q->memory, &names, value_text(arena_text(&q->memory, r->names[i])));
  value_set(&q->memory, &v, "firings", firings);
  value_set(&q->memory, &v, "pipelines", names);
  value_set(&q->memory, &v, "jobs", value_integer((int64_t)r->queued));
  value_set(&q->memory, &v, "runs", r->runs);
  value_set(&q->memory, &v, "rows", value_integer(r->rows));
  value_set(&q->memory, &v, "rejected", value_integer(r->rejected));
  value_set(&q->memory, &v, "state", value_text(r->failed ? "failed" : "done"));
  forget(r);
  question_answer(q, v);
}

static bool is_older(const running *r, int64_t id) {
  arena a = {0};
  value ids = value_list();
  bool found = false;
  if (r->older) json_read(&a, r->older, strlen(r->older), &ids, NULL);
  for (size_t i = 0; i < ids.list.count; i++) found |= ids.list.items[i].integer == id;
  arena_free(&a);
  return found;
}

static bool is_ours(const running *r, int64_t id) {
  if (r->alone) return r->firing_count && (id >= r->firings[0] || is_older(r, id));
  for (size_t i = 0; i < r->firing_count; i++)
    if (r->firings[i] == id) return true;
  return false;
}

/* A run that will be tried again is an event but no end: only its firing's end counts. */
static void note_run(running *r, const value *event) {
  arena *a = &r->question->memory;
  value_add(a, &r->runs, value_copy(a, event));
  r->rows += value_get_integer(event, "rows", 0);
  r->rejected += value_get_integer(event, "rejected", 0);
  const char *state = value_get_text(event, "job_state", "");
  if (strcmp(state, "failed") == 0 || strcmp(state, "quarantined") == 0 ||
      strcmp(state, "cancelled") == 0)
    r->failed = true;
  if (strcmp(value_get_text(event, "state", ""), "deferred") == 0) r->failed = true;
  if (value_get_boolean(event, "firing_closed", false)) r->open--;
  if (strcmp(value_get_text(event, "state", ""), "handed back") != 0) return;
  r->failed = true; /* the engine stops: control_run_stop, or under a server the next one */
  r->open = 0;
}

/* ---- is all of it over? ---- */

static void settle(running *r);

typedef struct look {
  running *running;
  bool left;
  dts_error error;
} look;

static int look_at_jobs(store_conn *c, void *arg, dts_error *e) {
  look *l = arg;
  return alone_goes_on(c, l->running->firings[0], l->running->older, &l->left, e);
}

static void look_work(void *arg) {
  look *l = arg;
  store_read(kernel_store(l->running->question->kernel), look_at_jobs, l, &l->error);
}

static void look_again(void *arg) {
  running *r = arg;
  r->looking = false;
  settle(r);
}

/* A run whose end is on disk may still have to be told: that is over when the runner rests. */
static void look_then(void *arg) {
  look *l = arg;
  running *r = l->running;
  kernel *k = r->question->kernel;
  bool left = l->left;
  free(l);
  if (r->again || (!left && !runner_idle(kernel_runner(k)))) {
    loop_after(kernel_loop(k), 1, look_again, r);
    return;
  }
  r->looking = false;
  if (!left) answer(r);
}

/* Under a server the firings asked for count; alone, also what they queued and what follows them, but for
 * jobs that were put off to a later time. */
static void settle(running *r) {
  if (!r->alone) {
    if (!r->open) answer(r);
    return;
  }
  r->again = r->looking;
  if (r->looking) return; /* one at a time: of two, the older might have the last word */
  r->looking = true;
  look *l = memory_alloc(sizeof *l);
  l->running = r;
  loop_defer(kernel_loop(r->question->kernel), look_work, look_then, l);
}

static void on_event(void *arg, int op, const value *event) {
  running *r = arg;
  question *q = r->question;
  bool of_a_run = op == OP_RUN || op == OP_LOG || op == OP_PROGRESS;
  if (!of_a_run || !is_ours(r, value_get_integer(event, "firing", -1))) return;
  if (q->event) q->event(q->arg, op, event);
  if (op != OP_RUN || !value_get(event, "job_state")) return;
  note_run(r, event);
  settle(r);
}

/* ---- how far it is ---- */

/* Rows and requests of the runs under way: they end as a part of OP_RUN, and are told before. */
static void tell_progress(void *arg) {
  running *r = arg;
  question *q = r->question;
  arena a = {0};
  value all = runner_status(kernel_runner(q->kernel), &a), event = value_map();
  int64_t rows = 0, requests = 0;
  for (size_t i = 0; i < all.list.count; i++) {
    const value *one = &all.list.items[i];
    if (!is_ours(r, value_get_integer(one, "firing", -1))) continue;
    rows += value_get_integer(one, "rows", 0);
    requests += value_get_integer(one, "requests", 0);
  }
  value_set(&a, &event, "rows_now", value_integer(rows));
  value_set(&a, &event, "requests_now", value_integer(requests));
  q->event(q->arg, OP_PROGRESS, &event);
  arena_free(&a);
  r->tick = loop_after(kernel_loop(q->kernel), TICK_MS, tell_progress, r);
}

/* ---- which pipelines ---- */

static bool in_file(const pipeline *p, const char *target) {
  return strcmp(p->file, target) == 0 || strcmp(p->script->file, target) == 0;
}

static int choose(running *r, const char *target, dts_error *e) {
  arena *a = &r->question->memory;
  const registry *set = r->set;
  r->names = arena_alloc(a, (set->pipeline_count + 1) * sizeof *r->names);
  const pipeline *named = registry_pipeline(set, target);
  if (named) return r->names[r->name_count++] = named->name, 0;
  bool declares = false;
  for (size_t i = 0; i < set->pipeline_count; i++) {
    const pipeline *p = &set->pipelines[i];
    if (!in_file(p, target)) continue;
    declares = true;
    bool by_itself =
        p->trigger != TRIGGER_AFTER && p->trigger != TRIGGER_FILES && p->trigger != TRIGGER_INGEST;
    if (r->file ? p->trigger == TRIGGER_FILES : by_itself) r->names[r->name_count++] = p->name;
  }
  if (r->name_count) return 0;
  if (!declares) return registry_unknown_pipeline(set, target, e);
  error_fail(e, "RUN", "the pipelines of %s wait for others, for files or for events", target);
  return error_hint(e, "name one of them: dts run NAME");
}

static int refuse_file(const running *r, const pipeline *p, dts_error *e) {
  if (p->trigger == TRIGGER_FILES && r->name_count == 1) return 0;
  if (r->name_count > 1)
    error_fail(e, "RUN", "one file runs one pipeline, and %zu of %s take files", r->name_count,
               p->file);
  else
    error_fail(e, "RUN", "pipeline '%s' takes no file", p->name);
  return error_hint(e, "name a pipeline that declares files = \"...\"");
}

static int refuse_input(const running *r, const char *name, dts_error *e) {
  const pipeline *p = registry_pipeline(r->set, name);
  if (r->file) return refuse_file(r, p, e);
  if (p->trigger != TRIGGER_FILES && p->trigger != TRIGGER_INGEST) return 0;
  error_fail(e, "RUN", "pipeline '%s' runs on %s, and none was given", name,
             p->trigger == TRIGGER_FILES ? "a file" : "events");
  return error_hint(
      e,
      p->trigger == TRIGGER_FILES
          ? "dts run %s --file PATH; or put it into the folder that it watches, under dts serve"
          : "dts emit %s FILE hands some to it; or post them to /api/v1/ingest/NAME under dts "
            "serve",
      name);
}

/* ---- firing ---- */

/* A run by hand reads the file it was given; the content counts as taken only by way of intake.c. */
static void name_file(const running *r, fire *f) {
  question *q = r->question;
  value input = value_map();
  buffer b;
  f->file = value_get_text(&q->command, "file", "file");
  value_set(&q->memory, &input, "name", value_text(f->file));
  value_set(&q->memory, &input, "size", value_integer(r->size));
  value_set(&q->memory, &input, "sha256", value_text(r->object));
  value_set(&q->memory, &input, "object", value_text(r->object));
  buffer_init(&b, 4096);
  json_write(&b, &input);
  f->input = arena_copy(&q->memory, buffer_text(&b), b.size);
  buffer_free(&b);
}

static int take_older(store_conn *c, running *r, dts_error *e) {
  question *q = r->question;
  int64_t now = kernel_now(q->kernel);
  if (alone_takes(c, r->set, r->names, r->name_count, r->firings[0], now, &q->memory, &r->older,
                  e) < 0)
    return -1;
  r->open += strcmp(r->older, "[]") != 0;
  return 0;
}

static int fire_work(store_conn *c, void *arg, dts_error *e) {
  running *r = arg;
  r->firing_count = r->queued = r->open = 0; /* the group may be tried again */
  for (size_t i = 0; i < r->name_count; i++) {
    const pipeline *p = registry_pipeline(r->set, r->names[i]);
    const char *params;
    size_t jobs = 0;
    if (scheduler_params(p, value_get(&r->question->command, "params"), &r->question->memory,
                         &params, e) < 0)
      return -1;
    fire f = {.pipeline = p->name, .trigger = "hand", .params = params, .once = true};
    int64_t now = kernel_now(r->question->kernel);
    if (r->alone && byhand_end_left(c, p->name, now, e) < 0) return -1;
    if (r->file) name_file(r, &f);
    if (scheduler_fire(c, r->set, &f, now, &r->firings[r->firing_count], &jobs, e) < 0) return -1;
    r->firing_count++;
    r->open += jobs > 0;
    r->queued += jobs;
  }
  return r->alone ? take_older(c, r, e) : 0;
}

static void fire_then(void *arg, int result, const dts_error *e) {
  running *r = arg;
  question *q = r->question;
  if (result < 0) {
    forget(r);
    return question_fail(q, e);
  }
  if (!r->open) return answer(r);
  r->listening = kernel_listen(q->kernel, on_event, r);
  bool real = !kernel_opened_with(q->kernel)->is_virtual;
  if (q->event && real) r->tick = loop_after(kernel_loop(q->kernel), TICK_MS, tell_progress, r);
  if (r->alone) runner_since(kernel_runner(q->kernel), r->firings[0], r->older);
  runner_wake(kernel_runner(q->kernel));
}

/* The bytes of a file may be many: they are kept by a thread of the loop, before the write. */
typedef struct keeping {
  running *running;
  int rc;
  dts_error error;
} keeping;

static void keep_work(void *arg) {
  keeping *it = arg;
  running *r = it->running;
  int fd = open(r->file, O_RDONLY | O_CLOEXEC);
  if (fd < 0) {
    it->rc = error_fail(&it->error, "FILE", "cannot read '%s': %s", r->file, strerror(errno));
    return;
  }
  it->rc =
      objects_put_file(kernel_objects(r->question->kernel), fd, r->object, &r->size, &it->error);
  close(fd);
}

static void keep_then(void *arg) {
  keeping *it = arg;
  running *r = it->running;
  if (it->rc < 0)
    fire_then(r, it->rc, &it->error);
  else
    kernel_write(r->question->kernel, fire_work, fire_then, r);
  free(it);
}

void control_run(kernel *k, question *q) {
  dts_error e;
  running *r = memory_alloc(sizeof *r);
  const kernel_options *opened = kernel_opened_with(k);
  *r = (running){.question = q,
                 .set = kernel_registry(k),
                 .runs = value_list(),
                 .alone = !opened->serving && !opened->is_virtual,
                 .file = value_get_text(&q->command, "path", NULL)};
  int rc = choose(r, value_get_text(&q->command, "target", ""), &e);
  for (size_t i = 0; rc == 0 && i < r->name_count; i++) rc = refuse_input(r, r->names[i], &e);
  if (rc < 0) {
    forget(r);
    return question_fail(q, &e);
  }
  r->next = k->running;
  k->running = r;
  r->firings = memory_alloc((r->name_count + 1) * sizeof *r->firings);
  if (!r->file) return kernel_write(k, fire_work, fire_then, r);
  keeping *it = memory_alloc(sizeof *it);
  it->running = r;
  loop_defer(kernel_loop(k), keep_work, keep_then, it);
}
