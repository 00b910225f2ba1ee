/* kernel.c -- see kernel.h: the clock, secrets, writes, listeners. kernel_open.c opens and closes,
 * control.c holds the commands.
 *
 * SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "flow/kernel/kernel_parts.h"
#include "flow/reload/files_read.h"

enum { LEAST_SET_MS = 1000 };

/* ---- getters ---- */

loop *kernel_loop(kernel *k) { return k->loop; }
store *kernel_store(kernel *k) { return k->store; }
objects *kernel_objects(kernel *k) { return k->objects; }
const char *kernel_root(const kernel *k) { return k->root; }
const value *kernel_config(const kernel *k) {
  return atomic_load(&((kernel *)(uintptr_t)k)->config);
}
nursery *kernel_nursery(kernel *k) { return k->nursery; }
runner *kernel_runner(kernel *k) { return k->runner; }
fetch *kernel_fetch(kernel *k) { return k->fetch; }
http_cache *kernel_http_cache(kernel *k) { return k->http_cache; }
http_book *kernel_http_book(kernel *k) { return k->http_book; }
const kernel_options *kernel_opened_with(const kernel *k) { return &k->options; }
const registry *kernel_current(const kernel *k) { return project_current(k->project); }
registry *kernel_registry(kernel *k) { return project_set(k->project); }
value kernel_faults(kernel *k, arena *a) { return project_faults(k->project, a); }

/* What was in force stays in memory: other threads may be reading it. */
void kernel_set_config(kernel *k, const value *config) {
  value *kept = arena_alloc(&k->memory, sizeof *kept);
  *kept = value_copy(&k->memory, config);
  atomic_store(&k->config, kept);
}

/* Steady: the wall's clock may jump, and leases must not run out by that; kernel_clock_set follows it. */
int64_t kernel_now(const kernel *k) {
  if (k->options.is_virtual) return loop_now(k->loop);
  return k->opened_wall + (clock_monotonic_ms() - k->opened_steady);
}

typedef struct setting {
  kernel *kernel;
  int64_t by, now;
} setting;

/* Who held a lease holds it still, and has what was left of its total time. */
static int renew_leases(store_conn *c, void *arg, dts_error *e) {
  const setting *s = arg;
  value params[] = {value_integer(s->by), value_integer(s->now + JOB_LEASE_MS),
                    value_integer(INT64_MAX / 2)};
  return store_exec(c,
                    "update dts_job set lease_until = ?2, deadline = case when deadline < ?3 then "
                    "deadline + ?1 else deadline end where state = 'leased'",
                    params, 3, e);
}

static void renewed(void *arg, int result, const dts_error *e) {
  setting *s = arg;
  if (result < 0) log_error("leases could not be renewed: %s", e->message);
  if (s->kernel->runner) runner_wake(s->kernel->runner);
  free(s);
}

/* Writes are in order: those before ours still go by the old clock, those after it by the new one. */
void kernel_clock_set(kernel *k) {
  int64_t by = loop_now(k->loop) - kernel_now(k);
  if (k->options.is_virtual || (by < LEAST_SET_MS && by > -LEAST_SET_MS)) return;
  log_info("the clock was set, or the machine slept: it is %lld s %s", (long long)(by / 1000),
           by > 0 ? "later" : "earlier");
  k->opened_wall += by;
  setting *s = memory_alloc(sizeof *s);
  *s = (setting){k, by, kernel_now(k)};
  kernel_write(k, renew_leases, renewed, s);
}

double kernel_chance(kernel *k) { return k->options.is_virtual ? 0.5 : random_unit(); }

void kernel_set_network(kernel *k, kernel_network *network, void *arg) {
  k->network = network;
  k->network_arg = arg;
}

kernel_network *kernel_get_network(kernel *k, void **arg) {
  *arg = k->network_arg;
  return k->network;
}

void kernel_set_recorder(kernel *k, kernel_recorder *recorder, void *arg) {
  k->recorder = recorder;
  k->recorder_arg = arg;
}

bool kernel_records(const kernel *k) { return k->recorder != NULL; }

void kernel_record(kernel *k, const kernel_exchange *x) { k->recorder(k->recorder_arg, x); }

int kernel_find_module(kernel *k, const char *name, arena *a, module *out, dts_error *e) {
  return files_read_module(k->root, k->options.shipped, name, a, out, e);
}

/* ---- secrets ---- */

static const char *secret_file(kernel *k, const char *name, arena *a) {
  struct stat s;
  const char *path = arena_format(a, "%s/secrets/%s", k->root, name);
  if (stat(path, &s) < 0) return NULL;
  if (s.st_mode & 077) {
    log_warn("secrets/%s is not used: others than its owner can read it (chmod 600)", name);
    return NULL;
  }
  buffer b;
  buffer_init(&b, 64 * 1024);
  const char *text = NULL;
  if (file_read(path, 64 * 1024, &b, NULL) == 0) {
    while (b.size && (b.data[b.size - 1] == '\n' || b.data[b.size - 1] == '\r')) b.size--;
    text = arena_copy(a, b.data, b.size);
  }
  buffer_free(&b);
  return text;
}

const char *kernel_secret(kernel *k, const char *name, arena *a) {
  for (const char *c = name; *c; c++)
    if (!((*c >= 'A' && *c <= 'Z') || (*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') ||
          *c == '_'))
      return NULL;
  if (k->options.is_virtual) return "spec"; /* a test never sees a real one */
  if (k->options.replaying) return arena_format(a, "{secret:%s}", name);
  const char *set = getenv(arena_format(a, "DTS_SECRET_%s", name));
  return set ? set : secret_file(k, name, a);
}

/* ---- writes ---- */

typedef struct written {
  kernel *kernel;
  kernel_then *then;
  store_work *work;
  void *arg;
  int result;
  dts_error error;
} written;

static int do_work(store_conn *c, void *arg, dts_error *e) {
  written *w = arg;
  return w->work(c, w->arg, e);
}

static void on_written(void *arg) {
  written *w = arg;
  kernel *k = w->kernel;
  if (w->then) w->then(w->arg, w->result, &w->error);
  k->writes--;
  free(w);
}

static void on_commit(void *arg, int result, const dts_error *e) { /* the writer's thread */
  written *w = arg;
  w->result = result;
  if (e) w->error = *e;
  loop_post(w->kernel->loop, on_written, w);
}

void kernel_write(kernel *k, store_work *work, kernel_then *then, void *arg) {
  written *w = memory_alloc(sizeof *w);
  *w = (written){.kernel = k, .then = then, .work = work, .arg = arg};
  k->writes++;
  store_submit(k->store, do_work, on_commit, w);
}

/* ---- what changed ---- */

typedef struct change {
  kernel *kernel;
  size_t count;
  char *names[];
} change;

static void on_change(void *arg) {
  change *c = arg;
  kernel *k = c->kernel;
  const char *const *names = (const char *const *)c->names;
  if (k->rollups) rollups_changed(k->rollups, names, c->count);
  if (k->views) views_changed(k->views, names, c->count);
  bool jobs = false;
  arena a = {0};
  value event = value_map(), list = value_list();
  for (size_t i = 0; i < c->count; i++) {
    jobs = jobs || strcmp(names[i], "dts_job") == 0;
    value_add(&a, &list, value_text(names[i]));
  }
  value_set(&a, &event, "name", value_text("change"));
  value_set(&a, &event, "tables", list);
  kernel_tell(k, 0, &event);
  arena_free(&a);
  if (jobs && k->runner) runner_wake(k->runner);
  for (size_t i = 0; i < c->count; i++) free(c->names[i]);
  free(c);
}

void kernel_changed(void *arg, const char *const *tables, size_t count) {
  kernel *k = arg;
  change *c = memory_alloc(sizeof *c + count * sizeof(char *));
  c->kernel = k;
  c->count = count;
  for (size_t i = 0; i < count; i++) c->names[i] = memory_text(tables[i]);
  loop_post(k->loop, on_change, c);
}

/* ---- listeners ---- */

void kernel_tell(kernel *k, int op, const value *event) {
  pthread_mutex_lock(&k->listening);
  for (listener *l = k->listeners, *next; l; l = next) {
    next = l->next;
    l->event(l->arg, op, event);
  }
  pthread_mutex_unlock(&k->listening);
}

uint64_t kernel_listen(kernel *k, kernel_event *event, void *arg) {
  listener *l = memory_alloc(sizeof *l);
  pthread_mutex_lock(&k->listening);
  *l = (listener){k->listeners, ++k->listener_ids, event, arg};
  k->listeners = l;
  uint64_t id = l->id;
  pthread_mutex_unlock(&k->listening);
  return id;
}

void kernel_unlisten(kernel *k, uint64_t id) {
  pthread_mutex_lock(&k->listening);
  for (listener **at = &k->listeners; *at; at = &(*at)->next) {
    if ((*at)->id != id) continue;
    listener *gone = *at;
    *at = gone->next;
    free(gone);
    break;
  }
  pthread_mutex_unlock(&k->listening);
}
