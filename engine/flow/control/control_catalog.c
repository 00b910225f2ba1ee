/* control_catalog.c -- the command `catalog`: what the project keeps.
 *
 *   catalog {table?, rows? (false: not counted)} -> [{name, kind "table" | "rollup" | "view",
 *            file, from?, key [..], columns [{name, type, key, not_null, default?, check?, doc?}],
 *            rows, changed?, private, keep_ms?, written_by [pipelines]}]
 *
 * `changed` is the end of the latest run that wrote rows, among the pipelines that may write the
 * table; of a roll-up or a view, that of the tables it is made from.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "flow/control/controls.h"
#include "flow/kernel/parts.h"
#include "format/date.h"

enum { CHAIN = 8, COUNT_MS = 3000 }; /* CHAIN: roll-ups of roll-ups, views of views */

typedef struct listing {
  question *question;
  registry *set;
  arena *memory;
  store_conn *conn; /* while reading */
  value answer;
  int rc;
  dts_error error;
} listing;

/* ---- columns ---- */

static void set_text(listing *l, value *v, const char *name, const char *text) {
  if (text && *text) value_set(l->memory, v, name, value_text(arena_text(l->memory, text)));
}

static value table_columns(listing *l, const table *t) {
  value list = value_list();
  for (size_t i = 0; i < t->count; i++) {
    const table_column *column = &t->columns[i];
    value v = value_map();
    set_text(l, &v, "name", column->name);
    set_text(l, &v, "type", column_type_name(column->type));
    value_set(l->memory, &v, "key", value_boolean(column->key));
    value_set(l->memory, &v, "not_null", value_boolean(column->not_null || column->key));
    set_text(l, &v, "default", column->otherwise);
    set_text(l, &v, "check", column->check);
    set_text(l, &v, "doc", column->doc);
    value_add(l->memory, &list, v);
  }
  return list;
}

static value view_columns(listing *l, const char *name, value *reads) {
  value list = value_list(), known;
  const char *sql = arena_format(l->memory, "select * from \"%s\"", name);
  if (store_check(l->conn, sql, l->memory, &known, reads, NULL, NULL) < 0) return list;
  for (size_t i = 0; i < known.list.count; i++) {
    value v = value_map();
    value_set(l->memory, &v, "name", *value_get(&known.list.items[i], "name"));
    set_text(l, &v, "type", value_get_text(&known.list.items[i], "type", "any"));
    value_set(l->memory, &v, "key", value_boolean(false));
    value_set(l->memory, &v, "not_null", value_boolean(false));
    value_add(l->memory, &list, v);
  }
  return list;
}

/* ---- rows and changes ---- */

static int take_count(void *arg, const store_header *header, const value *row, dts_error *e) {
  (void)header, (void)e;
  *(value *)arg = row[0];
  return 0;
}

/* Null when it takes too long: a view may be slow, or without end. */
static value count_rows(listing *l, const char *name) {
  value v = value_null(), none = value_map();
  store_sql q = {.sql = arena_format(l->memory, "select count(*) from \"%s\"", name),
                 .params = &none,
                 .limit_ms = COUNT_MS};
  if (!value_get_boolean(&l->question->command, "rows", true)) return v;
  return store_query(l->conn, &q, l->memory, NULL, NULL, take_count, &v, NULL) < 0 ? value_null()
                                                                                   : v;
}

static void add_writer(listing *l, const pipeline *p, value *names, int64_t *at) {
  value v, params[] = {value_text(p->name)};
  value_add(l->memory, names, value_text(arena_text(l->memory, p->name)));
  if (store_get(
          l->conn,
          "select max(ended) from dts_run where pipeline = ?1 and state = 'done' and rows > 0",
          params, 1, l->memory, &v, NULL) == 0 &&
      v.kind == VALUE_INTEGER && v.integer > *at)
    *at = v.integer;
}

static void find_writers(listing *l, const char *name, int depth, value *names, int64_t *at) {
  const value *rollup = registry_rollup_of(l->set, name),
              *view = registry_find(&l->set->views, name);
  for (size_t i = 0; i < l->set->pipeline_count; i++)
    if (value_has(l->set->pipelines[i].tables, name))
      add_writer(l, &l->set->pipelines[i], names, at);
  value reads = value_list(), passing = value_list();
  if (depth == CHAIN) return;
  if (rollup) find_writers(l, value_get_text(rollup, "from", ""), depth + 1, &passing, at);
  if (view && store_check(l->conn, value_get_text(view, "sql", ""), l->memory, NULL, &reads, NULL,
                          NULL) < 0)
    return;
  for (size_t i = 0; i < reads.list.count; i++)
    if (!value_is(&reads.list.items[i], name))
      find_writers(l, reads.list.items[i].text.bytes, depth + 1, &passing, at);
}

/* ---- entries ---- */

static void add_entry(listing *l, const char *name, const table *t) {
  arena *a = l->memory;
  const value *rollup = registry_rollup_of(l->set, name),
              *view = registry_find(&l->set->views, name);
  const value *declared = view ? view : rollup;
  value v = value_map(), key = value_list(), names = value_list();
  int64_t at = 0;
  set_text(l, &v, "name", name);
  value_set(a, &v, "kind", value_text(view ? "view" : rollup ? "rollup" : "table"));
  set_text(l, &v, "file", declared ? value_get_text(declared, "file", NULL) : t->file);
  if (rollup) set_text(l, &v, "from", value_get_text(rollup, "from", NULL));
  for (size_t i = 0; t && i < t->key_count; i++)
    value_add(a, &key, value_text(arena_text(a, t->columns[t->key[i]].name)));
  value_set(a, &v, "key", key);
  value_set(a, &v, "rows", count_rows(l, name));
  find_writers(l, name, 0, &names, &at);
  value_set(a, &v, "changed", at ? timestamp_value(a, at) : value_null());
  value_set(a, &v, "written_by", names);
  value_set(a, &v, "private", value_boolean(t && t->is_private));
  value_set(a, &v, "keep_ms", t && t->keep_ms ? value_integer(t->keep_ms) : value_null());
  value_set(a, &v, "columns", t ? table_columns(l, t) : view_columns(l, name, NULL));
  value_add(a, &l->answer, v);
}

static int fail_unknown(listing *l, const char *name, dts_error *e) {
  const char **names =
      arena_alloc(l->memory, (l->set->table_count + l->set->views.list.count + 1) * sizeof *names);
  size_t count = 0;
  for (size_t i = 0; i < l->set->table_count; i++) names[count++] = l->set->tables[i]->name;
  for (size_t i = 0; i < l->set->views.list.count; i++)
    names[count++] = value_get_text(&l->set->views.list.items[i], "name", "");
  names[count] = NULL;
  const char *nearest = error_nearest(name, names);
  error_fail(e, "TABLE", "there is no table '%s'", name);
  if (nearest) return error_hint(e, "did you mean '%s'?", nearest);
  return error_hint(e, "`dts catalog` lists what there is");
}

static int list_work(store_conn *c, void *arg, dts_error *e) {
  listing *l = arg;
  const char *only = value_get_text(&l->question->command, "table", NULL);
  l->conn = c;
  l->answer = value_list();
  for (size_t i = 0; i < l->set->table_count; i++) {
    const table *t = l->set->tables[i];
    if (!only || strcmp(only, t->name) == 0) add_entry(l, t->name, t);
  }
  for (size_t i = 0; i < l->set->views.list.count; i++) {
    const char *name = value_get_text(&l->set->views.list.items[i], "name", "");
    bool kept = registry_table(l->set, name) != NULL;
    if (!kept && (!only || strcmp(only, name) == 0)) add_entry(l, name, NULL);
  }
  return only && !l->answer.list.count ? fail_unknown(l, only, e) : 0;
}

static void list_read(void *arg) {
  listing *l = arg;
  l->rc = store_read(kernel_store(l->question->kernel), list_work, l, &l->error);
}

static void list_then(void *arg) {
  listing *l = arg;
  registry_release(l->set);
  if (l->rc < 0)
    question_fail(l->question, &l->error);
  else
    question_answer(l->question, l->answer);
  free(l);
}

void control_catalog(kernel *k, question *q) {
  listing *l = memory_alloc(sizeof *l);
  *l = (listing){.question = q, .set = kernel_registry(k), .memory = &q->memory};
  loop_defer(kernel_loop(k), list_read, list_then, l);
}
