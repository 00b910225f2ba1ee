/* versions.c -- a number for each table that moves with each commit to it; a watcher told of moves.
 *
 * Numbers begin at the wall clock in microseconds, so that one engine's never meet those of the one
 * before (an ETag made from them stays true across a restart). A view's number is the sum over what
 * it reads: it grows when any of them does.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "store/conn.h"

struct slot {
  slot *next;
  char *name;
  uint64_t version;     /* 0: not known yet */
  uint64_t work, batch; /* the last that touched it; the writer's alone */
  slot **reads;         /* of a view */
  size_t read_count;
};

enum { CHAINS = 256 };

struct versions {
  pthread_mutex_t mutex; /* guards everything but slot.work and slot.batch */
  slot *chains[CHAINS];
  uint64_t seed, batch;
  void (*changed)(void *arg, const char *const *tables, size_t count);
  void *arg;
};

versions *versions_open(uint64_t seed) {
  versions *v = memory_alloc(sizeof *v);
  pthread_mutex_init(&v->mutex, NULL);
  v->seed = seed ? seed : 1;
  return v;
}

void versions_close(versions *v) {
  for (size_t i = 0; i < CHAINS; i++)
    for (slot *s = v->chains[i], *next; s; s = next) {
      next = s->next;
      free(s->name);
      free(s->reads);
      free(s);
    }
  pthread_mutex_destroy(&v->mutex);
  free(v);
}

static slot **chain_of(versions *v, const char *name) {
  uint32_t h = 2166136261u;
  for (const char *p = name; *p; p++) h = (h ^ (unsigned char)*p) * 16777619u;
  return &v->chains[h % CHAINS];
}

static slot *find(slot *s, const char *name) {
  while (s && strcmp(s->name, name) != 0) s = s->next;
  return s;
}

static slot *slot_of(versions *v, const char *name) {
  slot **chain = chain_of(v, name), *s = find(*chain, name);
  if (s) return s;
  s = memory_alloc(sizeof *s);
  s->name = memory_text(name);
  s->next = *chain;
  return *chain = s;
}

/* Made when missing. */
static slot *named(versions *v, const char *name) {
  pthread_mutex_lock(&v->mutex);
  slot *s = slot_of(v, name);
  pthread_mutex_unlock(&v->mutex);
  return s;
}

static uint64_t sum_of(const slot *s) {
  uint64_t sum = s->version;
  for (size_t i = 0; i < s->read_count; i++) sum += s->reads[i]->version;
  return sum;
}

static uint64_t version_of(versions *v, const char *name) {
  pthread_mutex_lock(&v->mutex);
  const slot *s = find(*chain_of(v, name), name);
  uint64_t sum = s ? sum_of(s) : 0;
  pthread_mutex_unlock(&v->mutex);
  return sum;
}

/* One that reads less than before grows all the same. */
static void set_reads(versions *v, slot *view, const value *tables) {
  uint64_t before = sum_of(view);
  free(view->reads);
  view->reads = memory_alloc(tables->list.count * sizeof *view->reads);
  view->read_count = 0;
  for (size_t i = 0; i < tables->list.count; i++) {
    slot *read = slot_of(v, tables->list.items[i].text.bytes);
    if (read != view && read->version) view->reads[view->read_count++] = read;
  }
  if (sum_of(view) < before) view->version += before - sum_of(view);
}

/* A view that no longer compiles (a table it read was replaced) reads nothing. */
static void load_view(versions *v, store_conn *c, const char *name) {
  arena a = {0};
  value tables = value_list();
  char sql[128] = "";
  sqlite3_snprintf(sizeof sql, sql, "select * from \"%w\"", name);
  if (store_check(c, sql, &a, NULL, &tables, NULL, NULL) < 0) tables = value_list();
  pthread_mutex_lock(&v->mutex);
  set_reads(v, slot_of(v, name), &tables);
  pthread_mutex_unlock(&v->mutex);
  arena_free(&a);
}

static int list(store_conn *c, const char *type, arena *a, value *names, dts_error *e) {
  value v = value_text(type);
  return store_list(c, "select name from sqlite_schema where type = ?1", &v, 1, a, names, e);
}

static void make_known(versions *v, const value *names) {
  pthread_mutex_lock(&v->mutex);
  for (size_t i = 0; i < names->list.count; i++) {
    slot *s = slot_of(v, names->list.items[i].text.bytes);
    if (!s->version) s->version = v->seed;
  }
  pthread_mutex_unlock(&v->mutex);
}

int versions_load(versions *v, store_conn *c, dts_error *e) {
  arena a = {0};
  value tables = value_list(), views = value_list();
  int result = list(c, "table", &a, &tables, e);
  if (result == 0) result = list(c, "view", &a, &views, e);
  make_known(v, &tables);
  make_known(v, &views);
  for (size_t i = 0; i < views.list.count; i++) load_view(v, c, views.list.items[i].text.bytes);
  arena_free(&a);
  return result;
}

void store_touch(store_conn *c, const char *table_name) {
  if (!c->writes) return;
  slot *s = named(c->store->versions, table_name);
  if (s->work == c->work) return;
  s->work = c->work;
  if (c->touched_count == c->touched_capacity) {
    c->touched_capacity = c->touched_capacity ? 2 * c->touched_capacity : 64;
    c->touched = memory_grow(c->touched, c->touched_capacity * sizeof *c->touched);
  }
  c->touched[c->touched_count++] = s;
}

void versions_move(versions *v, store_conn *c) {
  const char **moved = memory_alloc((c->touched_count + 1) * sizeof *moved);
  size_t count = 0;
  pthread_mutex_lock(&v->mutex);
  v->batch++;
  for (size_t i = 0; i < c->touched_count; i++) {
    slot *s = c->touched[i];
    if (s->batch == v->batch) continue;
    s->batch = v->batch;
    s->version = (s->version ? s->version : v->seed) + 1;
    moved[count++] = s->name;
  }
  void (*changed)(void *, const char *const *, size_t) = v->changed;
  void *arg = v->arg;
  pthread_mutex_unlock(&v->mutex);
  c->touched_count = 0;
  if (changed && count) changed(arg, moved, count);
  free(moved);
}

uint64_t store_version(store *s, const char *table_name) {
  return version_of(s->versions, table_name);
}

void store_watch(store *s, void (*changed)(void *arg, const char *const *tables, size_t count),
                 void *arg) {
  pthread_mutex_lock(&s->versions->mutex);
  s->versions->changed = changed;
  s->versions->arg = arg;
  pthread_mutex_unlock(&s->versions->mutex);
}
