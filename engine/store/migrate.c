/* migrate.c -- a table rebuilt under its present declaration: dts migrate.
 *
 * The old table is renamed, a new one made as for a fresh store, the rows copied through the same checks
 * as any put, and the old one dropped; all in the caller's transaction, so that a row which does not
 * fit leaves everything as it was. Nothing is guessed: a text becomes a number if it is that number's
 * canonical form, a date never a timestamp.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "format/json.h"
#include "store/conn.h"

/* ---- what changes ---- */

static const char *text_or(const value *map, const char *name, const char *otherwise) {
  const char *text = value_get_text(map, name, NULL);
  return text ? text : otherwise;
}

static void report_column(const table_column *k, const value *old, buffer *report) {
  if (!old) {
    buffer_add_format(report, "column %s is new (%s)\n", k->name, column_type_name(k->type));
    return;
  }
  const char *type = text_or(old, "type", ""), *check = text_or(old, "check_sql", "none"),
             *now = k->check ? k->check : "none";
  if (strcmp(type, column_type_name(k->type)) != 0)
    buffer_add_format(report, "column %s: %s becomes %s\n", k->name, type,
                      column_type_name(k->type));
  if (strcmp(check, now) != 0)
    buffer_add_format(report, "column %s: the check %s becomes %s\n", k->name, check, now);
  if (k->not_null && !k->key && !value_get_integer(old, "not_null", 0))
    buffer_add_format(report, "column %s: must have a value%s\n", k->name,
                      k->otherwise ? "; its default is filled in" : "");
}

static int report_changes(store_conn *c, const table *t, const value *columns, buffer *report,
                          dts_error *e) {
  arena a = {0};
  value key;
  buffer now;
  buffer_init(&now, 1 << 20);
  ddl_join_key(t, &now);
  int rc = ddl_read_key(c, t->name, &a, &key, e);
  if (rc == 0 && !value_is(&key, buffer_text(&now)))
    buffer_add_format(report, "the key %s becomes %s\n", key.text.size ? key.text.bytes : "none",
                      now.size ? buffer_text(&now) : "none");
  for (size_t i = 0; i < t->count; i++)
    report_column(&t->columns[i], value_get(columns, t->columns[i].name), report);
  for (size_t i = 0; i < columns->map.count; i++)
    if (!table_find(t, columns->map.pairs[i].key.text.bytes, NULL))
      buffer_add_format(report, "column %s is no longer declared: it goes, with its values\n",
                        columns->map.pairs[i].key.text.bytes);
  buffer_free(&now);
  arena_free(&a);
  return rc;
}

/* ---- the copy ---- */

typedef struct copying {
  store_conn *conn;
  const table *table;
  size_t count;       /* of `columns` and `types` */
  statement *from;    /* the old table's columns that are declared still, */
  size_t *columns;    /* each one's place now, */
  column_type *types; /* and its type before */
  arena memory;       /* of one row */
  int64_t rows;
} copying;

/* As the new type's check takes it: numbers and truth values as text, 0 and 1 as truth values. */
static value convert(arena *a, value v, column_type from, column_type to) {
  bool number = v.kind == VALUE_INTEGER || v.kind == VALUE_REAL;
  if (from == COLUMN_BOOLEAN && v.kind == VALUE_INTEGER)
    v = value_boolean(v.integer != 0), number = false;
  if (to == COLUMN_TEXT && (number || v.kind == VALUE_BOOLEAN)) {
    buffer b;
    buffer_init(&b, 64);
    json_write(&b, &v);
    v = value_bytes(arena_copy(a, b.data, b.size), b.size);
    buffer_free(&b);
  } else if (to == COLUMN_BOOLEAN && v.kind == VALUE_INTEGER &&
             (v.integer == 0 || v.integer == 1)) {
    v = value_boolean(v.integer == 1);
  } else if (v.kind == VALUE_BOOLEAN && (to == COLUMN_INTEGER || to == COLUMN_REAL)) {
    v = value_integer(v.boolean);
  }
  return v;
}

static int blame_row(copying *k, const value *row, dts_error *e) {
  const table *t = k->table;
  char said[160] = "", one[TEXT_SHORT];
  for (size_t i = 0; i < t->key_count && strlen(said) + TEXT_SHORT < sizeof said; i++) {
    json_shorten(one, sizeof one, &row[t->key[i]]);
    snprintf(said + strlen(said), sizeof said - strlen(said), "%s%s",
             i ? ", " : "; its key: ", one);
  }
  char message[sizeof e->message];
  snprintf(message, sizeof message, "%s", e->message);
  error_fail(e, "TABLE_CHANGED", "%.300s (row %lld%s)", message, (long long)k->rows, said);
  return error_hint(e, "correct such rows under the old declaration first, or use a new name");
}

static int next_row(void *arg, value *row, dts_error *e) {
  copying *k = arg;
  bool more;
  arena_free(&k->memory);
  if (statement_step(k->conn, k->from, &more, e) < 0) return -1;
  if (!more) return 0;
  k->rows++;
  for (size_t i = 0; i < k->table->count; i++) row[i] = value_null();
  for (size_t i = 0; i < k->count; i++)
    row[k->columns[i]] =
        convert(&k->memory, k->from->row[i], k->types[i], k->table->columns[k->columns[i]].type);
  return table_check_row(k->table, &k->memory, row, e) < 0 ? blame_row(k, row, e) : 1;
}

static void add_select(copying *k, const value *columns, const char *old, arena *a, buffer *b) {
  k->columns = arena_alloc(a, k->table->count * sizeof *k->columns);
  k->types = arena_alloc(a, k->table->count * sizeof *k->types);
  for (size_t i = 0; i < k->table->count; i++) {
    const char *name = k->table->columns[i].name;
    const value *was = value_get(columns, name);
    if (!was || column_type_read(text_or(was, "type", ""), &k->types[k->count]) < 0) continue;
    k->columns[k->count++] = i;
    buffer_add_text(b, k->count > 1 ? ", " : "select ");
    sql_add_name(b, name);
  }
  buffer_add_text(b, k->count ? " from " : "select null from ");
  sql_add_name(b, old);
}

static int copy(copying *k, const value *columns, const char *old, dts_error *e) {
  arena a = {0};
  buffer b;
  buffer_init(&b, 1 << 20);
  add_select(k, columns, old, &a, &b);
  k->from = statement_take(k->conn, buffer_text(&b), false, e);
  int rc = k->from ? store_add_all(k->conn, k->table, next_row, k, e) : -1;
  if (k->from) statement_give(k->conn, k->from);
  arena_free(&k->memory);
  arena_free(&a);
  buffer_free(&b);
  return rc;
}

/* ---- the rebuilding ---- */

/* Views (any may read the table), and the table's own indexes and triggers. */
static int drop_kind(store_conn *c, const table *t, const char *kind, const char *verb,
                     dts_error *e) {
  arena a = {0};
  value names, given[] = {value_text(kind), value_text(t->name)};
  int rc = store_list(c,
                      "select name from sqlite_schema where type = ?1 and (type = 'view' or "
                      "tbl_name = ?2) and name not like 'sqlite_%'",
                      given, 2, &a, &names, e);
  for (size_t i = 0; rc == 0 && i < names.list.count; i++)
    rc = ddl_run(c, verb, names.list.items[i].text.bytes, "", e);
  arena_free(&a);
  return rc;
}

static int set_aside(store_conn *c, const table *t, const char *old, dts_error *e) {
  char rename[160];
  value name = value_text(t->name);
  snprintf(rename, sizeof rename, " RENAME TO \"%s\"", old);
  if (drop_kind(c, t, "view", "DROP VIEW ", e) < 0 ||
      drop_kind(c, t, "trigger", "DROP TRIGGER ", e) < 0 ||
      drop_kind(c, t, "index", "DROP INDEX ", e) < 0)
    return -1;
  if (ddl_run(c, "ALTER TABLE ", t->name, rename, e) < 0) return -1;
  return store_exec(c, "delete from dts_columns where table_name = ?1", &name, 1, e);
}

static int rebuild(store_conn *c, const table *t, const value *columns, buffer *report,
                   dts_error *e) {
  char old[96];
  copying k = {.conn = c, .table = t};
  snprintf(old, sizeof old, "dts_old.%s", t->name);
  if (set_aside(c, t, old, e) < 0 || store_table_ensure(c, t, e) < 0) return -1;
  if (copy(&k, columns, old, e) < 0) return -1;
  buffer_add_format(report, "%lld row%s copied\n", (long long)k.rows, k.rows == 1 ? "" : "s");
  store_touch(c, t->name);
  return ddl_run(c, "DROP TABLE ", old, "", e);
}

int store_table_migrate(store_conn *c, const table *t, buffer *report, dts_error *e) {
  arena a = {0};
  value columns;
  bool is_new;
  int rc = ddl_find_table(c, t, &is_new, e);
  if (rc == 0 && is_new) return store_table_ensure(c, t, e);
  if (rc == 0) rc = ddl_read_columns(c, t->name, &a, &columns, e);
  if (rc == 0) rc = report_changes(c, t, &columns, report, e);
  if (rc == 0) rc = report->size ? rebuild(c, t, &columns, report, e) : store_table_ensure(c, t, e);
  arena_free(&a);
  return rc;
}
