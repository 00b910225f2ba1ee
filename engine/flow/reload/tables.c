/* tables.c -- see tables.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/reload/tables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"
#include "flow/gaps/gaps.h"
#include "flow/reload/files_read.h"
#include "flow/reload/privates.h"
#include "flow/rollups/rollups.h"
#include "flow/rollups/views.h"
#include "format/csv.h"

typedef struct ensuring {
  kernel *kernel;
  registry *set;
  kernel_then *then;
  void *arg;
  bool whole;  /* the set is all that the project declares: what is not in it is gone */
  bool strict; /* a set is in force that stays when this one is refused */
} ensuring;

static int blame(const table *t, dts_error *e) {
  if (e && !e->where[0] && t->line)
    snprintf(e->where, sizeof e->where, "%s:%lld", t->file, (long long)t->line);
  else if (e && !e->where[0])
    snprintf(e->where, sizeof e->where, "%s", t->file);
  return -1;
}

/* ---- rows that the project brings ---- */

typedef struct bringing {
  store_conn *conn;
  const table *table;
  size_t columns[256]; /* the table's column for each field */
  size_t count;
} bringing;

static int read_head(bringing *b, const csv_field *fields, size_t count, dts_error *e) {
  const table *t = b->table;
  if (count > 256) return error_fail(e, "CSV", "%s has %zu columns: 256 at most", t->rows, count);
  for (size_t i = 0; i < count; i++) {
    char name[64];
    snprintf(name, sizeof name, "%.*s", (int)fields[i].size, fields[i].bytes);
    if (!table_find(t, name, &b->columns[i]))
      return error_fail(e, "COLUMN", "%s: table '%s' has no column '%s'", t->rows, t->name, name);
  }
  b->count = count;
  return 0;
}

/* A CSV field is text; the column's own canonical form is what table_check takes. */
static int bring_row(bringing *b, const csv_field *fields, size_t count, int64_t line,
                     dts_error *e) {
  const table *t = b->table;
  arena a = {0};
  value *row = arena_alloc(&a, t->count * sizeof *row);
  for (size_t i = 0; i < count && i < b->count; i++)
    if (fields[i].size)
      row[b->columns[i]] =
          value_bytes(arena_copy(&a, fields[i].bytes, fields[i].size), fields[i].size);
  int rc = table_check_row(t, &a, row, e);
  if (rc < 0) error_hint(e, "in line %lld of %s", (long long)line, t->rows);
  if (rc == 0) rc = store_put(b->conn, t, row, e);
  arena_free(&a);
  return rc;
}

static int bring_all(bringing *b, const char *text, dts_error *e) {
  csv_reader r;
  const csv_field *fields;
  size_t count;
  csv_status status;
  csv_open(&r, NULL);
  csv_feed(&r, text, strlen(text), true);
  int rc = 0;
  bool head = true;
  while (rc == 0 && (status = csv_next(&r, &fields, &count, e)) == CSV_ROW) {
    rc = head ? read_head(b, fields, count, e) : bring_row(b, fields, count, (int64_t)r.line, e);
    head = false;
  }
  if (rc == 0 && status == CSV_ERROR) rc = -1;
  csv_close(&r);
  return rc;
}

static int was_brought(store_conn *c, const char *name, const char *hash, bool *same,
                       dts_error *e) {
  arena a = {0};
  value found, params[] = {value_text(name)};
  int rc = store_get(c, "select data from dts_meta where name = ?1", params, 1, &a, &found, e);
  *same = found.kind == VALUE_TEXT && value_is(&found, hash);
  arena_free(&a);
  return rc;
}

static int bring_rows(store_conn *c, kernel *k, const table *t, dts_error *e) {
  arena a = {0};
  const char *text;
  char hash[CRYPTO_SHA256_HEX];
  bool same = false;
  const char *name = arena_format(&a, "rows:%s", t->name);
  int rc = files_read(kernel_root(k), t->rows, &a, &text, e);
  if (rc == 0) {
    crypto_sha256_hex(text, strlen(text), hash);
    rc = was_brought(c, name, hash, &same, e);
  }
  if (rc == 0 && !same) {
    bringing b = {.conn = c, .table = t};
    value all = value_map(), params[] = {value_text(name), value_text(hash)};
    rc = store_delete(c, t, &all, e);
    if (rc == 0) rc = bring_all(&b, text, e);
    if (rc == 0)
      rc = store_exec(c,
                      "insert into dts_meta (name, data) values (?1, ?2) on conflict (name) do "
                      "update set data = ?2",
                      params, 2, e);
  }
  arena_free(&a);
  return rc;
}

/* ---- a table rebuilt ---- */

/* Roll-ups of the table are computed again for all that it holds. */
static int renew_rollups(store_conn *c, const registry *set, const table *t, dts_error *e) {
  for (size_t i = 0; i < set->rollups.list.count; i++) {
    const value *r = &set->rollups.list.items[i];
    value name = value_text(value_get_text(r, "name", ""));
    if (strcmp(value_get_text(r, "from", ""), t->name) != 0) continue;
    if (store_exec(c, "delete from dts_rolled where rollup = ?1", &name, 1, e) < 0) return -1;
  }
  return 0;
}

static int migrate(store_conn *c, const registry *set, const table *t, kernel_migration *m,
                   dts_error *e) {
  if (store_table_migrate(c, t, &m->report, e) < 0) return -1;
  m->done = true;
  return renew_rollups(c, set, t, e);
}

/* ---- all ---- */

static int ensure_work(store_conn *c, void *arg, dts_error *e) {
  ensuring *n = arg;
  const registry *set = n->set;
  kernel_migration *m = kernel_opened_with(n->kernel)->migration;
  if (n->whole && (views_prune(c, set, e) < 0 || rollups_prune(c, set, e) < 0)) return -1;
  if (rollups_prepare(c, set, e) < 0) return -1;
  if (privates_ensure(c, n->set, e) < 0) return -1;
  for (size_t i = 0; i < set->table_count; i++) {
    const table *t = set->tables[i];
    bool moves = m && strcmp(m->table, t->name) == 0;
    if ((moves ? migrate(c, set, t, m, e) : store_table_ensure(c, t, e)) < 0) return blame(t, e);
    if (t->rows && bring_rows(c, n->kernel, t, e) < 0) return blame(t, e);
  }
  if (rollups_ensure(c, set, n->strict, e) < 0 || views_ensure(c, set, n->strict, e) < 0) return -1;
  if (n->whole && gaps_gone_ensure(c, set->pipelines, set->pipeline_count, e) < 0) return -1;
  return m && m->done && !m->apply ? error_fail(e, "MIGRATION", "only shown") : 0;
}

static void ensured(void *arg, int result, const dts_error *e) {
  ensuring *n = arg;
  n->then(n->arg, result, e);
  free(n);
}

void tables_ensure(kernel *k, registry *set, kernel_then *then, void *arg) {
  ensuring *n = memory_alloc(sizeof *n);
  arena a = {0};
  bool whole = !kernel_opened_with(k)->file && !kernel_faults(k, &a).list.count;
  arena_free(&a);
  *n = (ensuring){.kernel = k,
                  .set = set,
                  .then = then,
                  .arg = arg,
                  .whole = whole,
                  .strict = kernel_current(k) != NULL};
  kernel_write(k, ensure_work, ensured, n);
}
