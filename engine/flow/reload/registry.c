/* registry.c -- making a set of what scripts declare, and finding things in it.
 *
 * First every declaration is sorted by its noun, and a name used twice refused; then each noun is read,
 * tables before what names them. registry_pipeline.c reads pipelines.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/reload/registry.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/reload/registry_parts.h"
#include "flow/kernel/retention.h"

typedef struct held_registry {
  registry set; /* first */
  atomic_int refs;
  arena memory;
} held_registry;

int registry_fail(dts_error *e, const value *declared) {
  if (e && !e->where[0])
    snprintf(e->where, sizeof e->where, "%s:%lld", value_get_text(declared, "file", "?"),
             (long long)value_get_integer(declared, "line", 0));
  return -1;
}

/* ---- sorting by noun ---- */

static bool same_declaration(const value *a, const value *b) {
  return value_equal(a, b); /* with its file and line */
}

/* Declarations are listed as they are, so a script's own are known by where their fields lie. */
static bool is_own(const script *s, const value *declared) {
  for (size_t i = 0; i < s->declarations.list.count; i++)
    if (s->declarations.list.items[i].map.pairs == declared->map.pairs) return true;
  return false;
}

static int add_named(building *b, const script *s, value *list, const value *declared,
                     dts_error *e) {
  const char *name = value_get_text(declared, "name", "");
  const value *other = registry_find(list, name);
  bool again = other && !is_own(s, other); /* a module that two scripts require */
  if (again && same_declaration(other, declared)) return 0;
  if (other) {
    error_fail(e, "NAME", "%s '%s' is declared twice: here and in %s:%lld",
               value_get_text(declared, "noun", "?"), name, value_get_text(other, "file", "?"),
               (long long)value_get_integer(other, "line", 0));
    error_hint(e, "give one of the two another name");
    return registry_fail(e, declared);
  }
  value_add(b->memory, list, *declared);
  return 0;
}

static value *list_of(building *b, const char *noun) {
  static const char *const nouns[] = {"table", "source",    "pipeline", "rollup",
                                      "view",  "dashboard", "route",    "alert"};
  for (size_t i = 0; i < sizeof nouns / sizeof *nouns; i++)
    if (strcmp(noun, nouns[i]) == 0) return &b->nouns[i];
  return NULL;
}

static int sort_script(building *b, script *s, dts_error *e) {
  for (size_t i = 0; i < s->declarations.list.count; i++) {
    const value *declared = &s->declarations.list.items[i];
    const char *noun = value_get_text(declared, "noun", "");
    value *list = list_of(b, noun);
    if (!list) return error_fail(e, "NOUN", "%s declares an unknown '%s'", s->file, noun);
    if (add_named(b, s, list, declared, e) < 0) return -1;
  }
  return 0;
}

/* ---- tables, sources, routes ---- */

static void append_table(building *b, const table *t) {
  const table **tables = arena_alloc(b->memory, (b->set->table_count + 1) * sizeof *tables);
  if (b->set->table_count) memcpy(tables, b->set->tables, b->set->table_count * sizeof *tables);
  tables[b->set->table_count++] = t;
  b->set->tables = tables;
}

int registry_add_table(building *b, const value *declaration, const value *blame, dts_error *e) {
  const table *t = table_read(b->memory, declaration, e);
  if (!t) return registry_fail(e, blame);
  if (t->keep_ms && !retention_column(t, e)) return registry_fail(e, blame);
  if (registry_table(b->set, t->name)) {
    error_fail(e, "NAME", "two declarations make a table named '%s'", t->name);
    return registry_fail(e, blame);
  }
  append_table(b, t);
  return 0;
}

static int read_tables(building *b, dts_error *e) {
  const value *list = &b->nouns[0];
  for (size_t i = 0; i < list->list.count; i++)
    if (registry_add_table(b, &list->list.items[i], &list->list.items[i], e) < 0) return -1;
  return 0;
}

static void read_sources(building *b) {
  const value *list = &b->nouns[1], *stand_ins = value_get(b->config, "sources");
  b->set->sources = arena_alloc(b->memory, list->list.count * sizeof(source));
  for (size_t i = 0; i < list->list.count; i++) {
    const value *d = &list->list.items[i];
    const char *name = value_get_text(d, "name", "");
    b->set->sources[b->set->source_count++] =
        (source){.name = name,
                 .url = value_get_text(stand_ins, name, value_get_text(d, "url", "")),
                 .headers = value_get(d, "headers"),
                 .query = value_get(d, "query"),
                 .rate_count = value_get_integer(d, "rate_count", 0),
                 .rate_ms = value_get_integer(d, "rate_ms", 0),
                 .timeout_ms = value_get_integer(d, "timeout_ms", 0),
                 .connect_ms = value_get_integer(d, "connect_ms", 0),
                 .stall_ms = value_get_integer(d, "stall_ms", 0),
                 .largest = value_get_integer(d, "largest", 0),
                 .concurrency = (int)value_get_integer(d, "concurrency", 0)};
  }
}

static script *script_of(building *b, const value *declared) {
  const char *file = value_get_text(declared, "file", "");
  for (size_t i = 0; i < b->set->script_count; i++) {
    script *s = b->set->scripts[i];
    if (strcmp(s->file, file) == 0) return s;
    for (size_t m = 0; m < s->module_count; m++)
      if (strcmp(s->modules[m].file, file) == 0) return s;
  }
  return NULL;
}

script *registry_script_of(building *b, const value *declared) { return script_of(b, declared); }

static void read_routes(building *b) {
  const value *list = &b->nouns[6];
  b->set->routes = arena_alloc(b->memory, list->list.count * sizeof(route));
  for (size_t i = 0; i < list->list.count; i++) {
    const value *d = &list->list.items[i];
    b->set->routes[b->set->route_count++] =
        (route){.name = value_get_text(d, "name", ""),
                .method = value_get_text(d, "method", "GET"),
                .path = value_get_text(d, "path", ""),
                .script = script_of(b, d),
                .declared = d,
                .is_public = value_get_boolean(d, "public", false),
                .handler = value_get_boolean(d, "handler", false)};
  }
}

/* ---- the set ---- */

static int read_nouns(building *b, dts_error *e) {
  if (read_tables(b, e) < 0) return -1;
  if (registry_read_rollups(b, e) < 0) return -1;
  read_sources(b);
  read_routes(b);
  b->set->rollups = b->nouns[3];
  b->set->views = b->nouns[4];
  b->set->dashboards = b->nouns[5];
  b->set->alerts = b->nouns[7];
  return registry_read_pipelines(b, e);
}

registry *registry_make(script *const *scripts, size_t count, const value *config, dts_error *e) {
  held_registry *h = memory_alloc(sizeof *h);
  building b = {.set = &h->set, .memory = &h->memory, .config = config};
  atomic_init(&h->refs, 1);
  h->set.scripts = arena_alloc(b.memory, count * sizeof *scripts);
  for (size_t i = 0; i < count; i++)
    h->set.scripts[h->set.script_count++] = script_hold(scripts[i]);
  for (size_t i = 0; i < BUILDING_NOUNS; i++) b.nouns[i] = value_list();
  h->set.privates = value_list();
  h->set.timezone = arena_text(b.memory, value_get_text(config, "timezone", "UTC"));
  h->set.zone = zone_open(h->set.timezone, e);
  int rc = h->set.zone ? 0 : -1;
  for (size_t i = 0; rc == 0 && i < count; i++) rc = sort_script(&b, scripts[i], e);
  if (rc == 0 && read_nouns(&b, e) == 0) return &h->set;
  registry_release(&h->set);
  return NULL;
}

registry *registry_hold(registry *r) {
  atomic_fetch_add(&((held_registry *)r)->refs, 1);
  return r;
}

void registry_release(registry *r) {
  held_registry *h = (held_registry *)r;
  if (!h || atomic_fetch_sub(&h->refs, 1) > 1) return;
  for (size_t i = 0; i < r->pipeline_count; i++) registry_free_pipeline(&r->pipelines[i]);
  for (size_t i = 0; i < r->script_count; i++) script_release(r->scripts[i]);
  zone_close(r->zone);
  arena_free(&h->memory);
  free(h);
}

/* ---- finding ---- */

const pipeline *registry_pipeline(const registry *r, const char *name) {
  for (size_t i = 0; i < r->pipeline_count; i++)
    if (strcmp(r->pipelines[i].name, name) == 0) return &r->pipelines[i];
  return NULL;
}

const table *registry_table(const registry *r, const char *name) {
  for (size_t i = 0; i < r->table_count; i++)
    if (strcmp(r->tables[i]->name, name) == 0) return r->tables[i];
  return NULL;
}

bool registry_is_private(const registry *r, const char *name) {
  const table *t = registry_table(r, name);
  return t ? t->is_private : value_has(&r->privates, name);
}

const value *registry_rollup_of(const registry *r, const char *table_name) {
  for (size_t i = 0; i < r->rollups.list.count; i++) {
    const value *d = &r->rollups.list.items[i];
    const char *base = value_get_text(d, "name", "");
    size_t size = strlen(base);
    if (strncmp(table_name, base, size) != 0 || table_name[size] != '_') continue;
    if (value_has(value_get(d, "every"), table_name + size + 1)) return d;
  }
  return NULL;
}

void registry_remember(registry *r, const value *privates) {
  r->privates = value_copy(&((held_registry *)r)->memory, privates);
}

const source *registry_source(const registry *r, const char *name) {
  for (size_t i = 0; i < r->source_count; i++)
    if (strcmp(r->sources[i].name, name) == 0) return &r->sources[i];
  return NULL;
}

const value *registry_find(const value *declarations, const char *name) {
  for (size_t i = 0; i < declarations->list.count; i++)
    if (strcmp(value_get_text(&declarations->list.items[i], "name", ""), name) == 0)
      return &declarations->list.items[i];
  return NULL;
}

const script *registry_script(const registry *r, const char *file) {
  for (size_t i = 0; i < r->script_count; i++)
    if (strcmp(r->scripts[i]->file, file) == 0) return r->scripts[i];
  return NULL;
}

int registry_unknown_pipeline(const registry *r, const char *name, dts_error *e) {
  const char **names = memory_alloc((r->pipeline_count + 1) * sizeof *names);
  for (size_t i = 0; i < r->pipeline_count; i++) names[i] = r->pipelines[i].name;
  const char *nearest = error_nearest(name, names);
  error_fail(e, "PIPELINE", "there is no pipeline named '%s'", name);
  if (nearest)
    error_hint(e, "did you mean '%s'?", nearest);
  else if (r->pipeline_count)
    error_hint(e, "`dts check` lists the pipelines of this project");
  free(names);
  return -1;
}
