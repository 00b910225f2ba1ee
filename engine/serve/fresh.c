/* fresh.c -- see fresh.h.
 *
 * SPDX-License-Identifier: MIT */
#include "serve/fresh.h"

#include <string.h>

#include "serve/stream.h"

static void add(arena *a, value *list, const char *name) {
  if (!value_has(list, name)) value_add(a, list, value_text(name));
}

/* ---- what tables are made from ---- */

static bool is_period_of(const value *rollup, const char *name, arena *a) {
  const char *of = value_get_text(rollup, "name", "");
  const value *every = value_get(rollup, "every");
  for (size_t i = 0; every && every->kind == VALUE_LIST && i < every->list.count; i++)
    if (every->list.items[i].kind == VALUE_TEXT &&
        strcmp(name, arena_format(a, "%s_%s", of, every->list.items[i].text.bytes)) == 0)
      return true;
  return strcmp(name, of) == 0;
}

typedef struct origins {
  api_call *call;
  value names; /* grows while it is walked through */
} origins;

static void add_view(origins *o, store_conn *c, const char *name) {
  const value *view = registry_find(&o->call->set->views, name);
  arena *a = o->call->memory;
  value read = value_list();
  if (!view) return;
  if (store_check(c, value_get_text(view, "sql", ""), a, NULL, &read, NULL, NULL) < 0) return;
  for (size_t i = 0; i < read.list.count; i++) add(a, &o->names, read.list.items[i].text.bytes);
}

static int find_origins(store_conn *c, void *arg, dts_error *e) {
  origins *o = arg;
  const value *rollups = &o->call->set->rollups;
  arena *a = o->call->memory;
  (void)e;
  for (size_t i = 0; i < o->names.list.count; i++) {
    const char *name = o->names.list.items[i].text.bytes;
    for (size_t k = 0; k < rollups->list.count; k++)
      if (is_period_of(&rollups->list.items[k], name, a))
        add(a, &o->names, value_get_text(&rollups->list.items[k], "from", ""));
    add_view(o, c, name);
  }
  return 0;
}

/* ---- when ---- */

static int64_t seen_at(api_call *c, const value *tables) {
  int64_t newest = 0;
  for (size_t i = 0; i < tables->list.count; i++) {
    int64_t at = stream_hub_changed(server_hub(c->server), tables->list.items[i].text.bytes);
    if (at > newest) newest = at;
  }
  return newest;
}

static bool writes(const pipeline *p, const value *tables) {
  for (size_t i = 0; i < p->tables->list.count; i++)
    if (value_has(tables, p->tables->list.items[i].text.bytes)) return true;
  return false;
}

static int64_t last_run(api_call *c, const char *of) {
  gathered g = {.memory = c->memory};
  value name = value_text(of);
  int rc = result_gather(c->store, &g,
                         "select max(ended) as at from dts_run where pipeline = ?1 and "
                         "state = 'done' and rows > 0",
                         &name, 1, NULL);
  return rc == 0 && g.rows.list.count ? value_get_integer(&g.rows.list.items[0], "at", 0) : 0;
}

value fresh_at(api_call *c, const value *tables) {
  int64_t newest = seen_at(c, tables);
  origins o = {c, value_list()};
  if (newest) return value_text(call_stamp(c, newest));
  for (size_t i = 0; i < tables->list.count; i++)
    add(c->memory, &o.names, tables->list.items[i].text.bytes);
  if (store_read(c->store, find_origins, &o, NULL) < 0) return value_null();
  for (size_t i = 0; i < c->set->pipeline_count; i++) {
    const pipeline *p = &c->set->pipelines[i];
    int64_t at = writes(p, &o.names) ? last_run(c, p->name) : 0;
    if (at > newest) newest = at;
  }
  return newest ? value_text(call_stamp(c, newest)) : value_null();
}
