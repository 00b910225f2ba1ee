/* project.c -- see project.h. watch.c tells when files change; tables.c makes a set's tables.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/reload/project.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "flow/kernel/parts.h"
#include "flow/reload/config.h"
#include "flow/reload/load.h"
#include "flow/reload/project_parts.h"
#include "flow/reload/sqlcheck.h"
#include "flow/reload/tables.h"

enum { GONE_MS = 300 };

static void begin(project *p);

static void accept(project *p) {
  size_t kept = 0;
  pthread_mutex_lock(&p->lock);
  for (size_t i = 0; i < p->count; i++) {
    entry *e = &p->entries[i];
    if (e->fresh) {
      script_release(e->good);
      e->good = e->fresh;
      e->fresh = NULL;
      e->faulty = false;
    }
    if (e->seen)
      p->entries[kept++] = *e;
    else
      script_release(e->good), free(e->file);
  }
  p->count = kept;
  registry *old = p->set;
  p->set = p->fresh;
  p->fresh = NULL;
  pthread_mutex_unlock(&p->lock);
  registry_release(old);
}

static size_t count_faults(const project *p) {
  size_t count = p->config_faulty;
  for (size_t i = 0; i < p->count; i++) count += p->entries[i].faulty;
  return count;
}

static void finish(project *p) {
  arena a = {0};
  value event = value_map();
  waiting *told = p->waiting;
  p->busy = false;
  p->waiting = NULL;
  value_set(&a, &event, "name", value_text("reload"));
  value_set(&a, &event, "faults", value_integer((int64_t)count_faults(p)));
  kernel_tell(p->kernel, 0, &event);
  arena_free(&a);
  while (told) {
    waiting *w = told;
    told = w->next;
    w->then(w->arg);
    free(w);
  }
  if (p->again && !p->busy) begin(p);
}

static void settle(project *p);

/* The set as it stands is refused: once more without the change that is to blame. */
static void refuse(project *p, const dts_error *e) {
  registry_release(p->fresh);
  p->fresh = NULL;
  if (project_give_up(p, e) && (p->fresh = project_make_set(p))) return settle(p);
  if (strcmp(e->code, "MIGRATION") != 0) log_error("%s", e->message); /* else: undone on purpose */
  finish(p);
}

static void tables_then(void *arg, int result, const dts_error *e) {
  project *p = arg;
  if (result < 0) return refuse(p, e);
  accept(p);
  finish(p);
}

/* ---- the SQL of a set, before it comes into force ---- */

typedef struct checking {
  project *project;
  arena memory;
  value faults;
  dts_error error;
} checking;

static void check_work(void *arg) {
  checking *c = arg;
  sqlcheck_set(c->project->fresh, false, &c->memory, &c->faults, &c->error);
}

static void check_then(void *arg) {
  checking *c = arg;
  project *p = c->project;
  dts_error e = c->error;
  bool refused = c->faults.list.count > 0 || e.code[0];
  if (c->faults.list.count) {
    const value *fault = &c->faults.list.items[0];
    error_fail(&e, value_get_text(fault, "code", "SQL"), "%s",
               value_get_text(fault, "message", "?"));
    error_hint(&e, "%s", value_get_text(fault, "hint", ""));
    snprintf(e.where, sizeof e.where, "%s:%lld", value_get_text(fault, "file", "?"),
             (long long)value_get_integer(fault, "line", 0));
  }
  arena_free(&c->memory);
  free(c);
  if (refused)
    refuse(p, &e);
  else
    tables_ensure(p->kernel, p->fresh, tables_then, p);
}

/* A server checks every SQL first; a command for one run does without the delay, and has `dts check`. */
static void settle(project *p) {
  if (!kernel_opened_with(p->kernel)->serving)
    return tables_ensure(p->kernel, p->fresh, tables_then, p);
  checking *c = memory_alloc(sizeof *c);
  *c = (checking){.project = p, .faults = value_list()};
  loop_defer(kernel_loop(p->kernel), check_work, check_then, c);
}

static void all_loaded(project *p) {
  p->fresh = project_make_set(p);
  if (p->fresh)
    settle(p);
  else
    finish(p);
}

/* ---- loading ---- */

typedef struct one {
  project *project;
  char *file;
} one;

static void loaded(void *arg, script *s, const dts_error *error) {
  one *o = arg;
  project *p = o->project;
  entry *e = project_entry(p, o->file);
  if (s)
    e->fresh = s;
  else
    project_blame(p, e, error);
  free(o->file);
  free(o);
  if (--p->loading == 0) all_loaded(p);
}

static void load_one(project *p, const char *file) {
  one *o = memory_alloc(sizeof *o);
  *o = (one){p, memory_text(file)};
  p->loading++;
  load_script(p->kernel, file, loaded, o);
}

static void on_gone(void *arg) {
  project *p = arg;
  p->gone = NULL;
  p->sure = true;
  project_reload(p, NULL, NULL);
}

static void begin_scripts(project *p) {
  bool look_again = project_find(p);
  p->sure = false;
  if (look_again && !p->gone) p->gone = loop_after(kernel_loop(p->kernel), GONE_MS, on_gone, p);
  p->loading = 1; /* keeps all_loaded from coming before the loop below is through */
  for (size_t i = 0; i < p->count; i++)
    if (p->entries[i].stale) load_one(p, p->entries[i].file);
  if (--p->loading == 0) all_loaded(p);
}

/* ---- dts.lua ---- */

static void config_then(void *arg, const value *config, const dts_error *e) {
  project *p = arg;
  pthread_mutex_lock(&p->lock);
  if (e && !p->config_faulty) p->config_fault_since = loop_now(kernel_loop(p->kernel));
  p->config_faulty = e != NULL;
  if (e) p->config_fault = *e;
  pthread_mutex_unlock(&p->lock);
  if (!e) p->all_stale = config_apply(p->kernel, config);
  begin_scripts(p);
}

static void begin(project *p) {
  arena a = {0};
  p->busy = true;
  p->again = false;
  p->waiting = p->next;
  p->next = NULL;
  const char *text = config_text(p->kernel, &a);
  bool changed = strcmp(text, p->config_text) != 0;
  if (changed) {
    free(p->config_text);
    p->config_text = memory_text(text);
  }
  arena_free(&a);
  if (changed)
    config_load(p->kernel, config_then, p);
  else
    begin_scripts(p);
}

void project_reload(project *p, project_then *then, void *arg) {
  if (then) {
    waiting *w = memory_alloc(sizeof *w);
    *w = (waiting){p->next, then, arg};
    p->next = w;
    p->sure = true;
  }
  p->again = true;
  if (!p->busy) begin(p);
}

bool project_busy(const project *p) { return p->busy; }

/* ---- the project ---- */

project *project_open(kernel *k, const char *only_file) {
  project *p = memory_alloc(sizeof *p);
  p->kernel = k;
  p->only = only_file ? memory_text(only_file) : NULL;
  arena a = {0};
  p->config_text = memory_text(config_text(k, &a));
  arena_free(&a);
  pthread_mutex_init(&p->lock, NULL);
  return p;
}

void project_close(project *p) {
  if (!p) return;
  watch_close(p->watch);
  loop_cancel(kernel_loop(p->kernel), p->gone);
  for (size_t i = 0; i < p->count; i++) {
    script_release(p->entries[i].good);
    script_release(p->entries[i].fresh);
    free(p->entries[i].file);
  }
  free(p->entries);
  registry_release(p->set);
  pthread_mutex_destroy(&p->lock);
  free(p->config_text);
  free(p->only);
  free(p);
}

static void on_saved(void *arg) { project_reload(arg, NULL, NULL); }

void project_watch(project *p) {
  static const char *const folders[] = {"pipelines", "connectors", "schemas", "data", NULL};
  if (!p->watch)
    p->watch = watch_open(kernel_loop(p->kernel), kernel_root(p->kernel), folders, on_saved, p);
}

const registry *project_current(const project *p) { return p->set; }

registry *project_set(project *p) {
  pthread_mutex_lock(&p->lock);
  registry *set = registry_hold(p->set);
  pthread_mutex_unlock(&p->lock);
  return set;
}

static value fault_value(arena *a, const char *file, const dts_error *fault, int64_t since,
                         const char *in_service) {
  value v = value_map();
  const char *colon = strrchr(fault->where, ':');
  value_set(a, &v, "file", value_text(arena_text(a, file)));
  value_set(a, &v, "where", value_text(arena_text(a, fault->where)));
  value_set(a, &v, "line", value_integer(colon ? strtoll(colon + 1, NULL, 10) : 0));
  value_set(a, &v, "code", value_text(arena_text(a, fault->code)));
  value_set(a, &v, "message", value_text(arena_text(a, fault->message)));
  value_set(a, &v, "hint", value_text(arena_text(a, fault->hint)));
  value_set(a, &v, "since_ms", value_integer(since));
  value_set(a, &v, "in_service", in_service ? value_text(arena_text(a, in_service)) : value_null());
  return v;
}

value project_faults(project *p, arena *a) {
  value list = value_list();
  pthread_mutex_lock(&p->lock);
  if (p->config_faulty)
    value_add(
        a, &list,
        fault_value(a, "dts.lua", &p->config_fault, p->config_fault_since, "as at the start"));
  for (size_t i = 0; i < p->count; i++) {
    const entry *e = &p->entries[i];
    if (e->faulty)
      value_add(
          a, &list,
          fault_value(a, e->file, &e->fault, e->fault_since, e->good ? e->good->version : NULL));
  }
  pthread_mutex_unlock(&p->lock);
  return list;
}
