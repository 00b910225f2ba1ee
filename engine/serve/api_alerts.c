/* api_alerts.c -- alerts and how they stand.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "flow/alerts/alert_builtin.h"
#include "flow/alerts/alert_reach.h"
#include "format/json.h"
#include "serve/call.h"

static const value *state_of(const gathered *g, const char *name) {
  for (size_t i = 0; i < g->rows.list.count; i++)
    if (strcmp(value_get_text(&g->rows.list.items[i], "name", ""), name) == 0)
      return &g->rows.list.items[i];
  return NULL;
}

/* dts_alert keeps the rows that it was told of as a JSON list, or their number. */
static int64_t rows_of(api_call *c, const value *state) {
  const value *text = value_get(state, "rows");
  value rows;
  if (!text || text->kind != VALUE_TEXT) return value_get_integer(state, "rows", 0);
  if (json_read(c->memory, text->text.bytes, text->text.size, &rows, NULL) < 0) return 0;
  return rows.kind == VALUE_LIST      ? (int64_t)rows.list.count
         : rows.kind == VALUE_INTEGER ? rows.integer
                                      : 0;
}

/* What stands in the way of telling people, or what went wrong when it was last tried. */
static value fault_of(api_call *c, const value *declared, const value *state) {
  dts_error e;
  const char *last = value_get_text(state, "fault", NULL);
  if (alert_reach(c->kernel, declared, c->memory, &e) < 0)
    return value_text(arena_format(c->memory, "cannot tell %s", e.message));
  return last ? value_text(last) : value_null();
}

/* Told, reminding and recovering are the engine's steps within firing. */
static const char *shown_state(const value *state) {
  const char *name = value_get_text(state, "state", "unknown");
  bool plain = !state || strcmp(name, "ok") == 0 || strcmp(name, "pending") == 0;
  return plain ? name : "firing";
}

static void add(api_call *c, value *list, const char *name, const value *declared,
                const value *state) {
  value v = value_map();
  value_set(c->memory, &v, "name", value_text(name));
  value_set(c->memory, &v, "state", value_text(shown_state(state)));
  value_set(c->memory, &v, "since", call_stamp_or_null(c, value_get(state, "since")));
  value_set(c->memory, &v, "rows", value_integer(rows_of(c, state)));
  value_set(c->memory, &v, "to", *alert_addresses(c->kernel, declared));
  value_set(c->memory, &v, "fault", fault_of(c, declared, state));
  value_add(c->memory, list, v);
}

static int alerts(api_call *c, dts_error *e) {
  gathered g = {.memory = c->memory};
  value list = value_list();
  if (result_gather(c->store, &g,
                    "select a.name, a.state, a.since, a.rows, f.error as fault from dts_alert a "
                    "left join dts_alert_fault f on f.name = a.name order by a.name",
                    NULL, 0, e) < 0)
    return -1;
  for (size_t i = 0; i < c->set->alerts.list.count; i++) {
    const value *declared = &c->set->alerts.list.items[i];
    const char *name = value_get_text(declared, "name", "");
    add(c, &list, name, declared, state_of(&g, name));
  }
  size_t count = 0;
  const alert_builtin *all = alert_builtins(&count);
  if (!value_get(kernel_config(c->kernel), "alerts")) count = 0;
  for (size_t i = 0; i < count; i++)
    if (!registry_find(&c->set->alerts, all[i].name))
      add(c, &list, all[i].name, NULL, state_of(&g, all[i].name));
  http_reply_json(c->rp, &list);
  return 0;
}

const api_route api_alerts[] = {{"GET", "/api/v1/alerts", KEY_READ, alerts}, {0}};
