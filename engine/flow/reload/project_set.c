/* project_set.c -- one set of what was loaded, and which edit is to blame when there is none (project_parts.h).
 *
 * Changes that keep the set from holding together are given up one by one; what remains comes into force.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "flow/reload/project_parts.h"

void project_blame(project *p, entry *e, const dts_error *error) {
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
  if (strncmp(where, e->file, size) == 0 && (where[size] == ':' || !where[size])) return true;
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
  project_blame(p, e, error);
  script_release(e->fresh);
  e->fresh = NULL;
  e->seen = true; /* also when its file is gone */
  return true;
}

registry *project_make_set(project *p) {
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

bool project_give_up(project *p, const dts_error *error) {
  return give_up(p, refused_by_store(p, error), error);
}
