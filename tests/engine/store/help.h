/* help.h -- what the store's tests share: a folder of their own, declarations as JSON, short reads.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_TESTS_STORE_HELP_H
#define DTS_TESTS_STORE_HELP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "format/json.h"
#include "store/objects.h"
#include "store/store.h"

static inline char *help_folder(void) {
  char *path = strdup("/tmp/dts-store-XXXXXX");
  assert_non_null(mkdtemp(path));
  return path;
}

static inline void help_remove(char *folder) {
  char command[300];
  snprintf(command, sizeof command, "rm -rf '%s'", folder);
  assert_int_equal(system(command), 0);
  free(folder);
}

static inline value help_json(arena *a, const char *text) {
  value v;
  dts_error e = {0};
  if (json_read(a, text, strlen(text), &v, &e) < 0) fail_msg("%s: %s", text, e.message);
  return v;
}

static inline table *help_table(arena *a, const char *json) {
  dts_error e = {0};
  value v = help_json(a, json);
  table *t = table_read(a, &v, &e);
  if (!t) fail_msg("%s", e.message);
  return t;
}

static inline store *help_open(const char *folder) {
  char url[300];
  dts_error e = {0};
  snprintf(url, sizeof url, "sqlite:%s/dts.db", folder);
  store *s = store_open(url, NULL, &e);
  if (!s) fail_msg("%s", e.message);
  return s;
}

static inline store *help_memory(void) {
  dts_error e = {0};
  store *s = store_open("sqlite::memory:", NULL, &e);
  if (!s) fail_msg("%s", e.message);
  return s;
}

/* Statements run in one work; a failure ends the test unless `e` is given. */
typedef struct help_sql {
  const char *sql;
} help_sql;

static inline int help_run_sql(store_conn *c, void *arg, dts_error *e) {
  return store_exec(c, ((help_sql *)arg)->sql, NULL, 0, e);
}

static inline void help_exec(store *s, const char *sql) {
  dts_error e = {0};
  if (store_write(s, help_run_sql, &(help_sql){sql}, &e) < 0) fail_msg("%s: %s", sql, e.message);
}

typedef struct help_ask {
  const char *sql;
  arena *a;
  value result;
} help_ask;

static inline int help_ask_work(store_conn *c, void *arg, dts_error *e) {
  help_ask *q = arg;
  return store_get(c, q->sql, NULL, 0, q->a, &q->result, e);
}

static inline value help_get(store *s, arena *a, const char *sql) {
  dts_error e = {0};
  help_ask q = {sql, a, {0}};
  if (store_read(s, help_ask_work, &q, &e) < 0) fail_msg("%s: %s", sql, e.message);
  return q.result;
}

static inline int64_t help_count(store *s, const char *sql) {
  arena a = {0};
  value v = help_get(s, &a, sql);
  assert_int_equal(v.kind, VALUE_INTEGER);
  arena_free(&a);
  return v.integer;
}

#endif
