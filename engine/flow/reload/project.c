/* project.c -- see project.h. watch.c tells when files change; tables.c makes a set's tables.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/reload/project.h"

#include <dirent.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/log.h"
#include "flow/reload/files_read.h"
#include "flow/reload/load.h"
#include "flow/kernel/parts.h"
#include "flow/reload/sqlcheck.h"
#include "flow/reload/tables.h"
#include "flow/reload/watch.h"

enum { DEPTH = 6, FILES = 1024 };

typedef struct entry { /* one script's file */
  char *file;
  script *good;  /* in force; NULL: never loaded well */
  script *fresh; /* of the reload under way */
  bool seen;     /* by the scan under way */
  bool faulty;
  dts_error fault;
  int64_t fault_since;
} entry;

typedef struct waiting {
  struct waiting *next;
  project_then *then;
  void *arg;
} waiting;

struct project {
  kernel *kernel;
  char *only;
  entry *entries;
  size_t count;
  size_t loading; /* loads under way */
  bool busy, again;
  waiting *waiting; /* for the reload under way */
  waiting *next;    /* for the one after it */
  registry *set, *fresh;
  watch *watch;
  pthread_mutex_t lock; /* set and faults, for other threads */
};

static void begin(project *p);

/* ---- finding files ---- */

static entry *entry_of(project *p, const char *file) {
  for (size_t i = 0; i < p->count; i++)
    if (strcmp(p->entries[i].file, file) == 0) return &p->entries[i];
  if (p->count == FILES) return NULL;
  pthread_mutex_lock(&p->lock);
  p->entries = memory_grow(p->entries, (p->count + 1) * sizeof *p->entries);
  p->entries[p->count++] = (entry){.file = memory_text(file)};
  pthread_mutex_unlock(&p->lock);
  return &p->entries[p->count - 1];
}

static bool ends_in_lua(const char *name) {
  size_t size = strlen(name);
  return size > 4 && strcmp(name + size - 4, ".lua") == 0 && name[0] != '.';
}

static void scan(project *p, const char *folder, int depth) {
  char path[4096], below[2048];
  snprintf(path, sizeof path, "%s/%s", kernel_root(p->kernel), folder);
  struct dirent **names;
  int count = scandir(path, &names, NULL, alphasort);
  for (int i = 0; i < count; i++) {
    const char *name = names[i]->d_name;
    struct stat s;
    snprintf(below, sizeof below, "%s/%s", folder, name);
    snprintf(path, sizeof path, "%s/%s", kernel_root(p->kernel), below);
    bool is_there = name[0] != '.' && stat(path, &s) == 0;
    if (is_there && S_ISDIR(s.st_mode) && depth < DEPTH) scan(p, below, depth + 1);
    entry *e = is_there && S_ISREG(s.st_mode) && ends_in_lua(name) ? entry_of(p, below) : NULL;
    if (e) e->seen = true;
    free(names[i]);
  }
  if (count >= 0) free(names);
}

static void find_files(project *p) {
  for (size_t i = 0; i < p->count; i++) p->entries[i].seen = false;
  if (p->only)
    entry_of(p, p->only)->seen = true;
  else
    scan(p, "pipelines", 0);
}

/* Has any text that the script was made of changed? */
static bool is_stale(project *p, const script *s) {
  arena a = {0};
  const char *text;
  bool same = files_read(kernel_root(p->kernel), s->file, &a, &text, NULL) == 0 &&
              strcmp(text, s->source) == 0;
  for (size_t i = 0; same && i < s->module_count; i++) {
    module now;
    same = kernel_find_module(p->kernel, s->modules[i].name, &a, &now, NULL) == 0 &&
           strcmp(now.source, s->modules[i].source) == 0;
  }
  arena_free(&a);
  return !same;
}

/* ---- a new set ---- */

static void blame(project *p, entry *e, const dts_error *error) {
  pthread_mutex_lock(&p->lock);
  if (!e->faulty) e->fault_since = loop_now(kernel_loop(p->kernel));
  e->faulty = true;
  e->fault = *error;
  pthread_mutex_unlock(&p->lock);
}

/* A change is a file that was edited, or one that is gone. */
static bool is_change(const entry *e) { return e->fresh || (e->good && !e->seen); }

static bool is_made_of(const entry *e, const char *where) {
  size_t size = strlen(e->file);
  if (strncmp(where, e->file, size) == 0 && where[size] == ':') return true;
  for (size_t i = 0; e->fresh && i < e->fresh->module_count; i++) {
    size = strlen(e->fresh->modules[i].file);
    if (strncmp(where, e->fresh->modules[i].file, size) == 0 && where[size] == ':') return true;
  }
  return false;
}

static size_t candidates(project *p, const entry *undone, script **out) {
  size_t count = 0;
  for (size_t i = 0; i < p->count; i++) {
    entry *e = &p->entries[i];
    script *s = e == undone ? e->good : e->fresh ? e->fresh : e->seen ? e->good : NULL;
    if (s) out[count++] = s;
  }
  return count;
}

static registry *try_set(project *p, const entry *undone, dts_error *e) {
  script **scripts = memory_alloc((p->count + 1) * sizeof *scripts);
  *e = (dts_error){0};
  registry *set =
      registry_make(scripts, candidates(p, undone, scripts), kernel_config(p->kernel), e);
  free(scripts);
  return set;
}

static bool holds_without(project *p, const entry *change) {
  dts_error e;
  registry *set = try_set(p, change, &e);
  registry_release(set);
  return set != NULL;
}

/* The change that broke the set may be in another file than the place where it shows: it is the one without
 * which the set holds, and the place itself when that is not told so. */
static entry *find_culprit(project *p, const dts_error *error) {
  entry *shown = NULL, *first = NULL;
  for (size_t i = 0; i < p->count; i++) {
    entry *e = &p->entries[i];
    if (!is_change(e)) continue;
    if (!first) first = e;
    if (!shown && is_made_of(e, error->where)) shown = e;
  }
  if (shown && holds_without(p, shown)) return shown;
  for (size_t i = 0; i < p->count; i++)
    if (is_change(&p->entries[i]) && holds_without(p, &p->entries[i])) return &p->entries[i];
  return shown ? shown : first;
}

/* Gives a change up: the last good version, if there is one, stays in service. */
static bool give_up(project *p, entry *e, const dts_error *error) {
  if (!e) return false;
  blame(p, e, error);
  script_release(e->fresh);
  e->fresh = NULL;
  e->seen = true; /* also when its file is gone */
  return true;
}

static registry *make_set(project *p) {
  dts_error e;
  registry *set;
  do set = try_set(p, NULL, &e);
  while (!set && give_up(p, find_culprit(p, &e), &e));
  if (!set) log_error("no set of scripts holds together: %s", e.message);
  return set;
}

static entry *refused_by_store(project *p, const dts_error *error) {
  entry *first = NULL;
  for (size_t i = 0; i < p->count; i++) {
    if (!is_change(&p->entries[i])) continue;
    if (is_made_of(&p->entries[i], error->where)) return &p->entries[i];
    if (!first) first = &p->entries[i];
  }
  return first;
}

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
  size_t count = 0;
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
  if (give_up(p, refused_by_store(p, e), e) && (p->fresh = make_set(p))) return settle(p);
  log_error("%s", e->message);
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
  sqlcheck_set(c->project->fresh, &c->memory, &c->faults, &c->error);
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
  p->fresh = make_set(p);
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
  entry *e = entry_of(p, o->file);
  if (s)
    e->fresh = s;
  else
    blame(p, e, error);
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

static void begin(project *p) {
  p->busy = true;
  p->again = false;
  p->waiting = p->next;
  p->next = NULL;
  find_files(p);
  p->loading = 1; /* keeps all_loaded from coming before the loop below is through */
  for (size_t i = 0; i < p->count; i++)
    if (p->entries[i].seen &&
        (!p->entries[i].good || p->entries[i].faulty || is_stale(p, p->entries[i].good)))
      load_one(p, p->entries[i].file);
  if (--p->loading == 0) all_loaded(p);
}

void project_reload(project *p, project_then *then, void *arg) {
  if (then) {
    waiting *w = memory_alloc(sizeof *w);
    *w = (waiting){p->next, then, arg};
    p->next = w;
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
  pthread_mutex_init(&p->lock, NULL);
  return p;
}

void project_close(project *p) {
  if (!p) return;
  watch_close(p->watch);
  for (size_t i = 0; i < p->count; i++) {
    script_release(p->entries[i].good);
    script_release(p->entries[i].fresh);
    free(p->entries[i].file);
  }
  free(p->entries);
  registry_release(p->set);
  pthread_mutex_destroy(&p->lock);
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

static value fault_value(arena *a, const entry *e) {
  value v = value_map();
  const char *colon = strrchr(e->fault.where, ':');
  value_set(a, &v, "file", value_text(arena_text(a, e->file)));
  value_set(a, &v, "where", value_text(arena_text(a, e->fault.where)));
  value_set(a, &v, "line", value_integer(colon ? strtoll(colon + 1, NULL, 10) : 0));
  value_set(a, &v, "code", value_text(arena_text(a, e->fault.code)));
  value_set(a, &v, "message", value_text(arena_text(a, e->fault.message)));
  value_set(a, &v, "hint", value_text(arena_text(a, e->fault.hint)));
  value_set(a, &v, "since_ms", value_integer(e->fault_since));
  value_set(a, &v, "in_service",
            e->good ? value_text(arena_text(a, e->good->version)) : value_null());
  return v;
}

value project_faults(project *p, arena *a) {
  value list = value_list();
  pthread_mutex_lock(&p->lock);
  for (size_t i = 0; i < p->count; i++)
    if (p->entries[i].faulty) value_add(a, &list, fault_value(a, &p->entries[i]));
  pthread_mutex_unlock(&p->lock);
  return list;
}
