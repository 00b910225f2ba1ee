/* kernel_open.c -- a kernel's parts, opened in the order in which they need each other, and closed.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "flow/control/controls.h"
#include "flow/kernel/kernel_parts.h"
#include "flow/kernel/schema.h"
#include "flow/reload/config.h"
#include "flow/runs/finish.h"

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
  store_watch(k->store, kernel_changed, k);
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
  if (k->intake) intake_stop(k->intake);
  warm_close(k); /* else its reads would keep us as long as there are requests in line */
  while (is_busy(k)) loop_turn(k->loop, 100);
  control_run_stop(k);
  if (k->scheduler) scheduler_close(k->scheduler);
  retention_close(k->retention);
  orphans_close(k->orphans);
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
