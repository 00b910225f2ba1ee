/* input_kernel.h -- a kernel without workers, for tests of what comes in: a loop, a store in
 * memory, objects in a folder of its own, a set of declarations written as JSON.
 *
 * Included once by a test; it defines the kernel's functions that taking in needs.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_TESTS_FLOW_INPUT_KERNEL_H
#define DTS_TESTS_FLOW_INPUT_KERNEL_H

#include "store/help.h"

#include "flow/control/controls.h"
#include "flow/kernel/kernel_parts.h"
#include "flow/kernel/schema.h"

typedef struct input_kernel {
  kernel kernel; /* first */
  registry *set;
  char *folder;
  const char *secret;
  int64_t now;
  kernel_event *told;
  void *told_arg;
} input_kernel;

loop *kernel_loop(kernel *k) { return k->loop; }
store *kernel_store(kernel *k) { return k->store; }
objects *kernel_objects(kernel *k) { return k->objects; }
const char *kernel_root(const kernel *k) { return k->root; }
const kernel_options *kernel_opened_with(const kernel *k) { return &k->options; }
int64_t kernel_now(const kernel *k) { return ((const input_kernel *)k)->now; }
const registry *kernel_current(const kernel *k) { return ((const input_kernel *)k)->set; }
registry *kernel_registry(kernel *k) { return registry_hold(((input_kernel *)k)->set); }

const value *kernel_config(const kernel *k) {
  static const value none = {.kind = VALUE_NULL};
  return (void)k, &none;
}
nursery *kernel_nursery(kernel *k) { return k->nursery; }
runner *kernel_runner(kernel *k) { return k->runner; }
fetch *kernel_fetch(kernel *k) { return k->fetch; }
double kernel_chance(kernel *k) { return k->writes ? 0.5 : 0.25; }

void kernel_tell(kernel *k, int op, const value *event) {
  input_kernel *t = (input_kernel *)k;
  if (t->told) t->told(t->told_arg, op, event);
}

const char *kernel_secret(kernel *k, const char *name, arena *a) {
  (void)name;
  return arena_text(a, ((input_kernel *)k)->secret);
}

uint64_t kernel_listen(kernel *k, kernel_event *event, void *arg) {
  ((input_kernel *)k)->told = event;
  ((input_kernel *)k)->told_arg = arg;
  return 1;
}

void kernel_unlisten(kernel *k, uint64_t id) {
  assert_int_equal(id, 1);
  ((input_kernel *)k)->told = NULL;
}

typedef struct input_write {
  kernel *kernel;
  kernel_then *then;
  void *arg;
  int result;
  dts_error error;
} input_write;

static void input_written(void *arg) {
  input_write *w = arg;
  w->then(w->arg, w->result, &w->error);
  w->kernel->writes--;
  free(w);
}

static void input_committed(void *arg, int result, const dts_error *e) {
  input_write *w = arg;
  w->result = result;
  w->error = *e;
  loop_post(w->kernel->loop, input_written, w);
}

typedef struct input_work {
  input_write write; /* first */
  store_work *work;
} input_work;

static int input_do(store_conn *c, void *arg, dts_error *e) {
  input_work *w = arg;
  return w->work(c, w->write.arg, e);
}

void kernel_write(kernel *k, store_work *work, kernel_then *then, void *arg) {
  input_work *w = memory_alloc(sizeof *w);
  *w = (input_work){{.kernel = k, .then = then, .arg = arg}, work};
  k->writes++;
  store_submit(k->store, input_do, input_committed, w);
}

/* ---- commands ---- */

typedef struct input_answer {
  arena memory;
  value answer;
  dts_error error;
  bool done, failed;
} input_answer;

void question_answer(question *q, value answer) {
  input_answer *a = q->arg;
  a->answer = value_copy(&a->memory, &answer);
  a->done = true;
  arena_free(&q->memory);
  free(q);
}

void question_fail(question *q, const dts_error *e) {
  input_answer *a = q->arg;
  a->error = *e;
  a->done = a->failed = true;
  arena_free(&q->memory);
  free(q);
}

static inline input_answer *input_begin(input_kernel *k, control_fn *fn, value command) {
  question *q = memory_alloc(sizeof *q);
  input_answer *a = memory_alloc(sizeof *a);
  *q = (question){.kernel = &k->kernel, .arg = a};
  q->command = value_copy(&q->memory, &command);
  fn(&k->kernel, q);
  return a;
}

static inline input_answer *input_ask(input_kernel *k, control_fn *fn, value command) {
  input_answer *a = input_begin(k, fn, command);
  while (!a->done) loop_turn(k->kernel.loop, 1000);
  return a;
}

static inline void input_forget(input_answer *a) {
  arena_free(&a->memory);
  free(a);
}

static inline void input_settle(input_kernel *k) {
  while (k->kernel.writes || loop_busy(k->kernel.loop) || !ingest_idle(k->kernel.ingest) ||
         !intake_idle(k->kernel.intake))
    loop_turn(k->kernel.loop, 50);
}

/* ---- opening and closing ---- */

static inline registry *input_set(const char *declarations) {
  arena a = {0};
  dts_error e = {0};
  value list = help_json(&a, declarations), config = value_map();
  script *s = script_make("pipelines/test.lua", "-- test", &list, NULL, 0);
  registry *set = registry_make(&s, 1, &config, &e);
  if (!set) fail_msg("%s (%s)", e.message, e.where);
  script_release(s);
  arena_free(&a);
  return set;
}

/* `store_url` NULL: in memory. */
static inline input_kernel *input_open(const char *declarations, const char *store_url) {
  input_kernel *k = memory_alloc(sizeof *k);
  dts_error e = {0};
  arena a = {0};
  k->now = 1773147600000; /* 2026-03-10T13:00:00Z */
  k->folder = help_folder();
  k->kernel.root = k->folder;
  k->set = input_set(declarations);
  k->kernel.loop = loop_open(false, 0);
  k->kernel.store = store_open(store_url ? store_url : "sqlite::memory:", NULL, &e);
  if (!k->kernel.store || schema_create(k->kernel.store, &e) < 0) fail_msg("%s", e.message);
  k->kernel.objects = objects_open(arena_format(&a, "file:%s/objects", k->folder), &e);
  k->kernel.ingest = ingest_open(&k->kernel);
  k->kernel.intake = intake_open(&k->kernel);
  arena_free(&a);
  return k;
}

static inline void input_close(input_kernel *k) {
  input_settle(k);
  intake_close(k->kernel.intake);
  ingest_close(k->kernel.ingest);
  store_close(k->kernel.store);
  objects_close(k->kernel.objects);
  loop_close(k->kernel.loop);
  registry_release(k->set);
  help_remove(k->folder);
  free(k);
}

static inline void input_file(const input_kernel *k, const char *path, const char *text) {
  arena a = {0};
  char *whole = arena_format(&a, "%s/%s", k->folder, path);
  char *slash = strrchr(whole, '/');
  *slash = '\0';
  assert_int_equal(file_make_folder(whole, 0755, NULL), 0);
  *slash = '/';
  assert_int_equal(file_write_atomic(whole, text, strlen(text), 0644, NULL), 0);
  arena_free(&a);
}

#endif
