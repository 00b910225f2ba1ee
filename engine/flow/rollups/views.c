/* views.c -- the loop's side of views.h: what moved is gathered while a write is under way, and
 * one write follows.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/rollups/views.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "flow/kernel/parts.h"

typedef struct moved {
  char **names;
  size_t count;
} moved;

struct views {
  kernel *kernel;
  registry *set; /* whose kept views are listed, held; NULL: none */
  arena memory;
  value kept; /* in `memory` */
  bool writing;
  moved now, next;
};

static void moved_free(moved *m) {
  for (size_t i = 0; i < m->count; i++) free(m->names[i]);
  free(m->names);
  *m = (moved){0};
}

static void moved_add(moved *m, const char *name) {
  for (size_t i = 0; i < m->count; i++)
    if (strcmp(m->names[i], name) == 0) return;
  m->names = memory_grow(m->names, (m->count + 1) * sizeof *m->names);
  m->names[m->count++] = memory_text(name);
}

views *views_open(kernel *k) {
  views *v = memory_alloc(sizeof *v);
  v->kernel = k;
  return v;
}

void views_close(views *v) {
  if (!v) return;
  moved_free(&v->now);
  moved_free(&v->next);
  registry_release(v->set);
  arena_free(&v->memory);
  free(v);
}

static int refresh(store_conn *c, void *arg, dts_error *e) {
  const views *v = arg;
  return views_refresh(c, &v->kept, (const char *const *)v->now.names, v->now.count, e);
}

static void start(views *v);

static void refreshed(void *arg, int result, const dts_error *e) {
  views *v = arg;
  if (result < 0) log_warn("kept views could not be brought up to date: %s", e->message);
  v->writing = false;
  moved_free(&v->now);
  if (v->next.count) start(v);
}

/* Once for each set: taking the SQL of all views apart takes a while. A circle was refused before. */
static void list_kept(views *v) {
  dts_error e;
  registry *set = kernel_registry(v->kernel);
  if (set == v->set) return registry_release(set);
  registry_release(v->set);
  v->set = set;
  arena_free(&v->memory);
  if (views_kept(set, &v->memory, &v->kept, &e) == 0) return;
  log_warn("kept views could not be brought up to date: %s", e.message);
  v->kept = value_list();
}

static void start(views *v) {
  list_kept(v);
  if (!v->kept.list.count) return moved_free(&v->next);
  v->now = v->next;
  v->next = (moved){0};
  v->writing = true;
  kernel_write(v->kernel, refresh, refreshed, v);
}

/* Does any view's SQL hold the name? (The engine's own tables are read through its views.) A kept
 * view that was replaced moved in the write that also replaced those that read it. */
static bool is_concerned(const registry *set, const char *name) {
  const value *view = registry_find(&set->views, name);
  if (view && value_get_boolean(view, "keep", false)) return false;
  const char *word = strncmp(name, "dts_", 4) == 0 ? "dts_" : name;
  for (size_t i = 0; i < set->views.list.count; i++)
    if (strcasestr(value_get_text(&set->views.list.items[i], "sql", ""), word)) return true;
  return false;
}

void views_changed(views *v, const char *const *tables, size_t count) {
  const registry *set = kernel_current(v->kernel);
  if (set == v->set && !v->kept.list.count) return;
  for (size_t i = 0; set && i < count; i++)
    if (is_concerned(set, tables[i])) moved_add(&v->next, tables[i]);
  if (v->next.count && !v->writing) start(v);
}
