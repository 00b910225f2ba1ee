/* kernel.c -- see kernel.h: opening and closing, writes, listeners, secrets. control.c holds the commands.
 *
 * SPDX-License-Identifier: MIT */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/log.h"
#include "base/random.h"
#include "flow/alerts/alerts.h"
#include "flow/control/controls.h"
#include "flow/reload/config.h"
#include "flow/reload/files_read.h"
#include "flow/runs/finish.h"
#include "flow/inputs/ingest.h"
#include "flow/inputs/intake.h"
#include "flow/kernel/kernel_parts.h"
#include "flow/kernel/parts.h"
#include "flow/kernel/schema.h"

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

static void on_tables(void *arg, const char *const *tables,
                      size_t count) { /* the writer's thread */
  kernel *k = arg;
  change *c = memory_alloc(sizeof *c + count * sizeof(char *));
  c->kernel = k;
  c->count = count;
  for (size_t i = 0; i < count; i++) c->names[i] = memory_text(tables[i]);
  loop_post(k->loop, on_change, c);
}

/* ---- listeners ---- */

typedef struct listener {
  struct listener *next;
  uint64_t id;
  kernel_event *event;
  void *arg;
} listener;

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

/* ---- fetch on our loop ---- */

static void fetch_io(void *arg, int fd, bool readable, bool writable) {
  kernel *k = arg;
  fetch_ready(k->fetch, fd, readable, writable);
}

static void fetch_watch(void *arg, int fd, bool read, bool write) {
  kernel *k = arg;
  loop_watch(k->loop, fd, read, write, fetch_io, k);
}

static void fetch_due(void *arg) {
  kernel *k = arg;
  k->fetch_timer = NULL;
  fetch_tick(k->fetch);
}

static void fetch_wake(void *arg, int64_t in_ms) {
  kernel *k = arg;
  loop_cancel(k->loop, k->fetch_timer);
  k->fetch_timer = in_ms < 0 ? NULL : loop_after(k->loop, in_ms, fetch_due, k);
}

static int64_t fetch_now(void *arg) {
  (void)arg;
  return clock_monotonic_ms();
}

static double fetch_chance(void *arg) {
  (void)arg;
  return random_unit();
}

/* ---- opening ---- */

static int64_t sql_now(void *arg) { return loop_now(((kernel *)arg)->loop); }

static int open_store(kernel *k, dts_error *e) {
  arena a = {0};
  store_options options = {.now = sql_now, .now_arg = k};
  const char *url = value_get_text(kernel_config(k), "store", "sqlite:var/dts.db");
  if (k->options.is_virtual)
    url = "sqlite::memory:";
  else if (strncmp(url, "sqlite:", 7) == 0 && url[7] != '/')
    url = arena_format(&a, "sqlite:%s/%s", k->root, url + 7);
  k->store = store_open(url, &options, e);
  const char *kept = value_get_text(kernel_config(k), "objects", "file:var/objects");
  if (strncmp(kept, "file:", 5) == 0 && kept[5] != '/')
    kept = arena_format(&a, "file:%s/%s", k->root, kept + 5);
  if (k->store) k->objects = objects_open(kept, e);
  arena_free(&a);
  if (!k->objects || schema_create(k->store, e) < 0) return -1;
  store_watch(k->store, on_tables, k);
  return 0;
}

/* Authorities that dts.lua trusts beside the system's. */
static int read_trust(kernel *k, const char *name, dts_error *e) {
  arena a = {0};
  buffer pem;
  const char *path = name[0] == '/' ? name : arena_format(&a, "%s/%s", k->root, name);
  buffer_init(&pem, 4 << 20);
  int rc = file_read(path, 4 << 20, &pem, e);
  if (rc == 0) rc = fetch_trust(k->fetch, pem.data, pem.size, e);
  if (rc < 0) snprintf(e->where, sizeof e->where, "dts.lua: trust: %s", name);
  buffer_free(&pem);
  arena_free(&a);
  return rc;
}

static int open_fetch(kernel *k, dts_error *e) {
  fetch_loop on = {k, fetch_watch, fetch_wake, fetch_now, fetch_chance};
  const value *trust = value_get(kernel_config(k), "trust");
  k->fetch = fetch_open(&on);
  for (size_t i = 0; trust && trust->kind == VALUE_LIST && i < trust->list.count; i++)
    if (read_trust(k, trust->list.items[i].text.bytes, e) < 0) return -1;
  return 0;
}

/* What was in force stays in memory: other threads may be reading it. */
void kernel_set_config(kernel *k, const value *config) {
  value *kept = arena_alloc(&k->memory, sizeof *kept);
  *kept = value_copy(&k->memory, config);
  atomic_store(&k->config, kept);
}

static void config_loaded(void *arg, const value *config, const dts_error *e) {
  kernel *k = arg;
  if (e)
    k->open_error = *e;
  else
    kernel_set_config(k, config);
  k->opening = false;
}

static int read_config(kernel *k, dts_error *e) {
  k->opening = true;
  config_load(k, config_loaded, k);
  while (k->opening) loop_turn(k->loop, -1);
  if (k->open_error.code[0]) return *e = k->open_error, -1;
  return 0;
}

static void project_loaded(void *arg) {
  kernel *k = arg;
  k->opening = false;
}

static int load_project(kernel *k, dts_error *e) {
  k->project = project_open(k, k->options.file);
  k->opening = true;
  project_reload(k->project, project_loaded, k);
  while (k->opening) loop_turn(k->loop, -1);
  if (!project_current(k->project))
    return error_fail(e, "PROJECT", "the project could not be loaded");
  if (!k->options.file) return 0;
  arena a = {0};
  value faults = project_faults(k->project, &a);
  int rc = 0;
  if (faults.list.count) {
    const value *f = &faults.list.items[0];
    rc =
        error_fail(e, value_get_text(f, "code", "SCRIPT"), "%s", value_get_text(f, "message", "?"));
    snprintf(e->where, sizeof e->where, "%s", value_get_text(f, "where", k->options.file));
    error_hint(e, "%s", value_get_text(f, "hint", ""));
  }
  arena_free(&a);
  return rc;
}

static int recover(store_conn *c, void *arg, dts_error *e) {
  return jobs_recover(c, kernel_now(arg), e);
}

static int settle(store_conn *c, void *arg, dts_error *e) {
  kernel *k = arg;
  return finish_stranded(c, project_current(k->project), kernel_now(k), e);
}

static int open_parts(kernel *k, dts_error *e) {
  if (!(k->nursery = nursery_open(k->loop, k->options.worker, e)) || read_config(k, e) < 0)
    return -1;
  if (open_store(k, e) < 0 || store_write(k->store, recover, k, e) < 0) return -1;
  if (open_fetch(k, e) < 0) return -1;
  k->http_cache = http_cache_open();
  k->http_book = http_book_open(k);
  k->rollups = rollups_open(k);
  k->views = views_open(k);
  k->alerts = alerts_open(k);
  if (load_project(k, e) < 0 || store_write(k->store, settle, k, e) < 0) return -1;
  int64_t cores = sysconf(_SC_NPROCESSORS_ONLN);
  k->runner = runner_open(k, (size_t)value_get_integer(kernel_config(k), "workers", cores));
  k->ingest = ingest_open(k);
  k->intake = intake_open(k);
  k->retention = retention_open(k);
  k->orphans = orphans_open(k);
  k->scheduler = scheduler_open(k);
  return 0;
}

static void start_serving(kernel *k) {
  project_watch(k->project);
  scheduler_start(k->scheduler);
  ingest_start(k->ingest);
  intake_start(k->intake);
  if (!k->options.is_virtual) retention_start(k->retention), orphans_start(k->orphans);
  alerts_start(k->alerts, project_current(k->project));
  runner_wake(k->runner);
}

kernel *kernel_open(const kernel_options *options, dts_error *e) {
  kernel *k = memory_alloc(sizeof *k);
  pthread_mutexattr_t recursive;
  pthread_mutexattr_init(&recursive);
  pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
  pthread_mutex_init(&k->listening, &recursive);
  pthread_mutexattr_destroy(&recursive);
  k->options = *options;
  k->root = arena_text(&k->memory, options->root);
  value none = value_map();
  kernel_set_config(k, &none);
  k->loop = loop_open(options->is_virtual, options->now_ms);
  k->opened_wall = loop_now(k->loop);
  k->opened_steady = clock_monotonic_ms();
  if (open_parts(k, e) < 0) {
    kernel_close(k);
    return NULL;
  }
  if (options->serving)
    start_serving(k);
  else if (!options->is_virtual)
    runner_since(k->runner, INT64_MAX, NULL);
  return k;
}

/* ---- closing ---- */

static bool is_busy(const kernel *k) {
  return k->writes > 0 || loop_busy(k->loop) || (k->project && project_busy(k->project)) ||
         (k->runner && !runner_idle(k->runner));
}

void kernel_close(kernel *k) {
  if (!k) return;
  if (k->runner) runner_stop(k->runner);
  while (is_busy(k)) loop_turn(k->loop, 100);
  control_run_stop(k);
  if (k->scheduler) scheduler_close(k->scheduler);
  retention_close(k->retention);
  orphans_close(k->orphans);
  warm_close(k);
  if (k->alerts) alerts_close(k->alerts);
  if (k->intake) intake_close(k->intake);
  if (k->ingest) ingest_close(k->ingest);
  if (k->fetch) fetch_close(k->fetch);
  nursery_close(k->nursery);
  while (k->store && is_busy(k)) loop_turn(k->loop, 100);
  if (k->store) store_close(k->store);
  runner_close(k->runner);
  http_cache_close(k->http_cache);
  http_book_close(k->http_book);
  if (k->views) views_close(k->views);
  if (k->rollups) rollups_close(k->rollups);
  project_close(k->project);
  objects_close(k->objects);
  loop_close(k->loop);
  control_run_close(k);
  while (k->listeners) kernel_unlisten(k, k->listeners->id);
  pthread_mutex_destroy(&k->listening);
  arena_free(&k->memory);
  free(k);
}
