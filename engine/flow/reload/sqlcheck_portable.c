/* sqlcheck_portable.c -- see sqlcheck_portable in sqlcheck.h: where a set's SQL stands, and what of
 * each piece only one store understands. Nothing is prepared, so a faulty set can be looked at.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "flow/reload/sql_portable.h"
#include "flow/reload/sqlcheck.h"

enum { MOST = 16 };

typedef struct walk {
  arena *memory;
  value *notes;
} walk;

static void note(walk *w, const value *declared, const sql_difference *d) {
  arena *a = w->memory;
  const char *file = value_get_text(declared, "file", "?");
  long long line = (long long)value_get_integer(declared, "line", 0);
  const char *message = arena_format(
      a, "%s '%s': %s is SQLite's alone", value_get_text(declared, "noun", "?"),
      value_get_text(declared, "name", value_get_text(declared, "route", "?")), d->what);
  value v = value_map();
  value_set(a, &v, "where", value_text(arena_format(a, "%s:%lld", file, line)));
  value_set(a, &v, "message", value_text(message));
  value_set(a, &v, "hint", value_text(arena_format(a, "on both stores: %s", d->advice)));
  value_add(a, w->notes, v);
}

static bool is_noted(const walk *w, size_t from, const char *message) {
  for (size_t i = from; i < w->notes->list.count; i++)
    if (strstr(value_get_text(&w->notes->list.items[i], "message", ""), message)) return true;
  return false;
}

/* `from`: the first of this declaration's notes, so that each thing is said once. */
static void look(walk *w, const value *declared, const char *sql, size_t from) {
  sql_difference found[MOST];
  size_t count = sql ? sql_portable(sql, found, MOST) : 0;
  for (size_t i = 0; i < count; i++)
    if (!is_noted(w, from, arena_format(w->memory, ": %s is", found[i].what)))
      note(w, declared, &found[i]);
}

/* A text, a list of them, or a list of {expr}. */
static void look_at(walk *w, const value *declared, const value *v, size_t from) {
  if (!v) return;
  if (v->kind == VALUE_TEXT) return look(w, declared, v->text.bytes, from);
  for (size_t i = 0; v->kind == VALUE_LIST && i < v->list.count; i++) {
    const value *item = &v->list.items[i];
    look(w, declared,
         item->kind == VALUE_TEXT ? item->text.bytes : value_get_text(item, "expr", NULL), from);
  }
}

static void look_at_fields(walk *w, const value *declared, const value *map, size_t from) {
  static const char *const fields[] = {"sql", "when", "where", "by", "measures", "x", "y", "value"};
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
    look_at(w, declared, value_get(map, fields[i]), from);
}

static void look_at_one(walk *w, const value *declared) {
  const value *charts = value_get(declared, "charts"), *gaps = value_get(declared, "gaps");
  size_t from = w->notes->list.count;
  look_at_fields(w, declared, declared, from);
  for (size_t i = 0; charts && charts->kind == VALUE_LIST && i < charts->list.count; i++)
    look_at_fields(w, declared, &charts->list.items[i], from);
  if (!gaps) return;
  look_at(w, declared, value_get(gaps, "complete"), from);
  const value *keys = value_get(gaps, "keys");
  if (keys && keys->kind == VALUE_TEXT) look_at(w, declared, keys, from);
}

static void look_at_list(walk *w, const value *list) {
  for (size_t i = 0; i < list->list.count; i++) look_at_one(w, &list->list.items[i]);
}

void sqlcheck_portable(const registry *set, arena *a, value *notes) {
  walk w = {a, notes};
  for (size_t i = 0; i < set->route_count; i++) look_at_one(&w, set->routes[i].declared);
  for (size_t i = 0; i < set->pipeline_count; i++) look_at_one(&w, set->pipelines[i].declared);
  look_at_list(&w, &set->rollups);
  look_at_list(&w, &set->views);
  look_at_list(&w, &set->dashboards);
  look_at_list(&w, &set->alerts);
}
