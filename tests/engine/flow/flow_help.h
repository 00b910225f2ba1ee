/* flow_help.h -- what tests of flow share: a set from declarations as JSON, a store in memory, short
 * reads and writes.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_TESTS_FLOW_HELP_H
#define DTS_TESTS_FLOW_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/reload/registry.h"
#include "flow/kernel/schema.h"
#include "format/json.h"
#include "store/store.h"

static inline value help_json(arena *a, const char *text) {
  value v;
  dts_error e = {0};
  if (json_read(a, text, strlen(text), &v, &e) < 0) fail_msg("%s: %s", text, e.message);
  return v;
}

/* A set of one script with these declarations (a JSON list). NULL when it is refused. */
static inline registry *help_set(const char *declarations, dts_error *e) {
  arena a = {0};
  value list = help_json(&a, declarations), config = value_map();
  for (size_t i = 0; i < list.list.count; i++) {
    value_set(&a, &list.list.items[i], "file", value_text("pipelines/x.lua"));
    value_set(&a, &list.list.items[i], "line", value_integer((int64_t)i + 1));
  }
  script *s = script_make("pipelines/x.lua", "", &list, NULL, 0);
  registry *set = registry_make(&s, 1, &config, e);
  script_release(s);
  arena_free(&a);
  return set;
}

static inline registry *help_good_set(const char *declarations) {
  dts_error e = {0};
  registry *set = help_set(declarations, &e);
  if (!set) fail_msg("%s: %s (%s)", e.where, e.message, e.hint);
  return set;
}

static inline store *help_store(void) {
  dts_error e = {0};
  store_options options = {.readers = 2};
  store *s = store_open("sqlite::memory:", &options, &e);
  if (!s || schema_create(s, &e) < 0) fail_msg("%s", e.message);
  return s;
}

static inline void help_write(store *s, store_work *work, void *arg) {
  dts_error e = {0};
  if (store_write(s, work, arg, &e) < 0) fail_msg("%s %s (%s)", e.where, e.message, e.hint);
}

static inline int help_tables_work(store_conn *c, void *arg, dts_error *e) {
  const registry *set = arg;
  for (size_t i = 0; i < set->table_count; i++)
    if (store_table_ensure(c, set->tables[i], e) < 0) return -1;
  return 0;
}

static inline void help_tables(store *s, registry *set) { help_write(s, help_tables_work, set); }

static inline int help_exec_work(store_conn *c, void *arg, dts_error *e) {
  return store_exec(c, arg, NULL, 0, e);
}

static inline void help_exec(store *s, const char *sql) {
  help_write(s, help_exec_work, (void *)(uintptr_t)sql);
}

typedef struct help_reading {
  const char *sql;
  arena *a;
  value rows;
} help_reading;

static inline int help_add_row(void *arg, const store_header *h, const value *row, dts_error *e) {
  help_reading *r = arg;
  value list = value_list();
  (void)e;
  for (size_t i = 0; i < h->count; i++) value_add(r->a, &list, value_copy(r->a, &row[i]));
  value_add(r->a, &r->rows, list);
  return 0;
}

static inline int help_read_work(store_conn *c, void *arg, dts_error *e) {
  help_reading *r = arg;
  return store_select(c, r->sql, NULL, 0, help_add_row, r, e);
}

/* [[..], ..] */
static inline value help_rows(store *s, arena *a, const char *sql) {
  help_reading r = {sql, a, value_list()};
  dts_error e = {0};
  if (store_read(s, help_read_work, &r, &e) < 0) fail_msg("%s: %s", sql, e.message);
  return r.rows;
}

/* The same as text, "a|1\nb|2\n", for short comparisons. */
static inline const char *help_text(store *s, arena *a, const char *sql) {
  value rows = help_rows(s, a, sql);
  buffer b;
  buffer_init(&b, 1 << 20);
  for (size_t i = 0; i < rows.list.count; i++) {
    const value *row = &rows.list.items[i];
    for (size_t k = 0; k < row->list.count; k++) {
      const value *v = &row->list.items[k];
      if (k) buffer_add_char(&b, '|');
      if (v->kind == VALUE_TEXT)
        buffer_add(&b, v->text.bytes, v->text.size);
      else
        json_write(&b, v);
    }
    buffer_add_char(&b, '\n');
  }
  const char *text = arena_text(a, buffer_text(&b));
  buffer_free(&b);
  return text;
}

#endif
