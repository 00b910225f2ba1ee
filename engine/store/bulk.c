/* bulk.c -- many rows of one table in one statement: an INSERT whose SELECT reads what its caller
 * hands out.
 *
 * The one idea: a loop over a prepared statement opens the table anew for every row and looks from
 * the root for its place; one statement keeps the table open, so that rows which come in the key's
 * order find their place beside the row before. The rows are those of a table-valued function
 * (SQLite's virtual tables), which is given a pointer and so can be asked by nobody else.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "format/json.h"
#include "store/conn.h"

#define POINTER "dts_bulk"
enum { SOURCE = TABLE_COLUMNS }; /* the hidden column, behind all others */

typedef struct bulk {
  store_next *next;
  void *arg;
  value *row;
  bool more;
  dts_error *e; /* filled in by `next` when failed */
  bool failed;
} bulk;

typedef struct bulk_cursor {
  sqlite3_vtab_cursor base;
  bulk *from;
  sqlite3_int64 row;
} bulk_cursor;

/* ---- what SQLite asks ---- */

static int connect_rows(sqlite3 *db, void *none, int count, const char *const *words,
                        sqlite3_vtab **out, char **said) {
  buffer b;
  (void)none, (void)count, (void)words, (void)said;
  buffer_init(&b, 1 << 20);
  for (int i = 0; i < SOURCE; i++) buffer_add_format(&b, "%sc%d", i ? "," : "create table x(", i);
  buffer_add_text(&b, ",source hidden)");
  int rc = sqlite3_declare_vtab(db, buffer_text(&b));
  buffer_free(&b);
  if (rc == SQLITE_OK) *out = memory_alloc(sizeof **out);
  return rc;
}

static int disconnect_rows(sqlite3_vtab *v) {
  free(v);
  return SQLITE_OK;
}

static int plan(sqlite3_vtab *v, sqlite3_index_info *info) {
  (void)v;
  info->estimatedCost = 1e6;
  for (int i = 0; i < info->nConstraint; i++) {
    if (info->aConstraint[i].iColumn != SOURCE || !info->aConstraint[i].usable) continue;
    info->aConstraintUsage[i].argvIndex = 1;
    info->aConstraintUsage[i].omit = 1;
    return SQLITE_OK;
  }
  return SQLITE_CONSTRAINT;
}

static int open_cursor(sqlite3_vtab *v, sqlite3_vtab_cursor **out) {
  bulk_cursor *k = memory_alloc(sizeof *k);
  (void)v;
  *out = &k->base;
  return SQLITE_OK;
}

static int close_cursor(sqlite3_vtab_cursor *base) {
  free(base);
  return SQLITE_OK;
}

static int next_row(sqlite3_vtab_cursor *base) {
  bulk_cursor *k = (bulk_cursor *)base;
  bulk *b = k->from;
  int got = b->next(b->arg, b->row, b->e);
  b->more = got > 0;
  b->failed = got < 0;
  k->row++;
  return b->failed ? SQLITE_ABORT : SQLITE_OK;
}

static int start_rows(sqlite3_vtab_cursor *base, int number, const char *text, int count,
                      sqlite3_value **arguments) {
  bulk_cursor *k = (bulk_cursor *)base;
  (void)number, (void)text;
  k->from = count ? sqlite3_value_pointer(arguments[0], POINTER) : NULL;
  return k->from ? next_row(base) : SQLITE_OK;
}

static int at_end(sqlite3_vtab_cursor *base) {
  const bulk_cursor *k = (const bulk_cursor *)base;
  return !k->from || !k->from->more;
}

static int give_column(sqlite3_vtab_cursor *base, sqlite3_context *x, int column) {
  const bulk_cursor *k = (const bulk_cursor *)base;
  if (column >= SOURCE) return SQLITE_OK;
  const value *v = &k->from->row[column];
  switch (v->kind) {
  case VALUE_BOOLEAN: sqlite3_result_int(x, v->boolean); break;
  case VALUE_INTEGER: sqlite3_result_int64(x, v->integer); break;
  case VALUE_REAL: sqlite3_result_double(x, v->real); break;
  case VALUE_TEXT:
    sqlite3_result_text64(x, v->text.size ? v->text.bytes : "", v->text.size, SQLITE_STATIC,
                          SQLITE_UTF8);
    break;
  default: break; /* null */
  }
  return SQLITE_OK;
}

static int give_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *row) {
  *row = ((const bulk_cursor *)base)->row;
  return SQLITE_OK;
}

int bulk_register(sqlite3 *db) {
  static const sqlite3_module module = {.xConnect = connect_rows,
                                        .xBestIndex = plan,
                                        .xDisconnect = disconnect_rows,
                                        .xOpen = open_cursor,
                                        .xClose = close_cursor,
                                        .xFilter = start_rows,
                                        .xNext = next_row,
                                        .xEof = at_end,
                                        .xColumn = give_column,
                                        .xRowid = give_rowid};
  return sqlite3_create_module_v2(db, POINTER, &module, NULL, NULL);
}

/* ---- putting ---- */

/* Which row, and what it holds there: `e` names a column in quotes, or the key's columns. */
static void name_row(const table *t, const value *row, dts_error *e) {
  char one[TEXT_SHORT], name[72];
  size_t size = strlen(e->message);
  const char *joint = " (";
  for (size_t i = 0; i < t->count; i++) {
    const table_column *k = &t->columns[i];
    snprintf(name, sizeof name, "'%s'", k->name);
    if (!k->key && !strstr(e->message, name)) continue;
    json_shorten(one, sizeof one, &row[i]);
    int more =
        snprintf(e->message + size, sizeof e->message - size, "%s%s %s", joint, k->name, one);
    if (more < 0 || (size += (size_t)more) >= sizeof e->message - 2) return;
    joint = ", ";
  }
  snprintf(e->message + size, sizeof e->message - size, "%s", *joint == ',' ? ")" : "");
}

static int put_by(store_conn *c, const table *t, const char *sql, store_next *next, void *arg,
                  dts_error *e) {
  dts_error own = {0};
  statement *s = statement_take(c, sql, false, e);
  if (!s) return -1;
  bulk b = {next, arg, memory_alloc(t->count * sizeof *b.row), .e = e ? e : &own};
  store_touch(c, t->name);
  sqlite3_bind_pointer(s->stmt, 1, &b, POINTER, NULL);
  int rc = sqlite3_step(s->stmt);
  int result = rc == SQLITE_DONE ? 0 : b.failed ? -1 : conn_fail(c, sql, b.e);
  statement_give(c, s);
  if (result < 0 && strcmp(b.e->code, "CONSTRAINT") == 0) name_row(t, b.row, b.e);
  free(b.row);
  return result;
}

int store_put_all(store_conn *c, const table *t, store_next *next, void *arg, dts_error *e) {
  return put_by(c, t, t->put_all_sql, next, arg, e);
}

int store_add_all(store_conn *c, const table *t, store_next *next, void *arg, dts_error *e) {
  return put_by(c, t, t->add_all_sql, next, arg, e);
}
