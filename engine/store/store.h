/* store.h -- the database: one writer with group commit, many readers.
 *
 * One idea: work comes to the connection, never the other way round. A `store_work` function is
 * given a connection inside a transaction and returns 0, or -1 after filling in the error; its
 * changes are then undone alone (a savepoint each), whatever else shares the commit. All that
 * queued while the last commit was on its way to the disk is committed together; an answer follows
 * the fsync. `synchronous=FULL`, WAL, and the one writer also checkpoints.
 *
 * Ownership: text and values passed in are read during the call only; rows handed to a callback
 * live until it returns. A store may be used from any thread; a connection only inside its work.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_STORE_STORE_H
#define DTS_STORE_STORE_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "format/value.h"
#include "store/table.h"

typedef struct store store;
typedef struct store_conn store_conn;

typedef struct store_options {
  bool read_only;         /* no writer: for commands that look beside a running engine */
  int readers;            /* read connections kept, 0 means 4; more are opened when all are taken */
  int64_t (*now)(void *); /* ms UTC: where versions begin (SQL has no clock); NULL: wall clock */
  void *now_arg;
} store_options;

/* url: "sqlite:PATH", "sqlite::memory:" (a throw-away kernel's), "postgres://..." (refused for now
 * with a clear error). */
store *store_open(const char *url, const store_options *options, dts_error *e);
void store_close(store *s); /* finishes queued work, checkpoints; NULL is fine */

typedef int store_work(store_conn *c, void *arg, dts_error *e);
typedef void store_done(void *arg, int result, const dts_error *e);

/* Queues work for the writer; `done` (may be NULL) is called on the writer's thread after the
 * commit (result 0) or the undoing (-1), with an error that is never NULL; at once, on the
 * caller's, when the store is read-only or being closed. store_write waits for that: not from a
 * work or a done. */
void store_submit(store *s, store_work *work, store_done *done, void *arg);
int store_write(store *s, store_work *work, void *arg, dts_error *e);

/* Runs work at once on a read connection (query_only), in one read transaction. A store in memory
 * has no more than `readers` of them: the next one waits, so do not nest reads there. */
int store_read(store *s, store_work *work, void *arg, dts_error *e);
/* Connections that wait give back what they have cached; the writer's does by itself when it rests. */
void store_slim(store *s);

/* ---- inside work ---- */

/* Runs a statement; parameters are positional (?1 ...). Statements are cached by their text. */
int store_exec(store_conn *c, const char *sql, const value *params, size_t count, dts_error *e);
int64_t store_changes(store_conn *c); /* rows changed by the last store_exec */
int64_t store_last_id(store_conn *c); /* rowid of the last insert */

/* Each row goes to `row`, which returns 0 to go on or -1 to stop (with `e` filled in). */
typedef struct store_header {
  size_t count;
  const char *const *names;
} store_header;
typedef int store_row(void *arg, const store_header *header, const value *row, dts_error *e);
int store_select(store_conn *c, const char *sql, const value *params, size_t count, store_row *row,
                 void *arg, dts_error *e);

/* A statement written by a user: one SELECT, nothing else; named parameters (:name) are bound from
 * the map `params`, null when not given; errors LIMIT_TIME after `limit_ms`, LIMIT_ROWS past
 * `limit_rows`. `columns` receives [{name,type}] before the first row; an expression's type is
 * "any" until the last row, then guessed from the values. `tables`: the tables and views it reads,
 * also through views. Both may be NULL. */
typedef struct store_sql {
  const char *sql;
  const value *params;
  int64_t limit_ms, limit_rows; /* 0: 10 s, no limit of rows */
} store_sql;
int store_query(store_conn *c, const store_sql *query, arena *a, value *columns, value *tables,
                store_row *row, void *arg, dts_error *e);
/* Prepares only: checks a user's SQL; errors say where, and the nearest right name. `parameters`
 * receives the names without the colon. Each of the three may be NULL. */
int store_check(store_conn *c, const char *sql, arena *a, value *columns, value *tables,
                value *parameters, dts_error *e);
/* The first row's first column; null when there is none. Text lives in the arena, and needs one. */
int store_get(store_conn *c, const char *sql, const value *params, size_t count, arena *a,
              value *out, dts_error *e);
/* The first column of each row, as a list in the arena. */
int store_list(store_conn *c, const char *sql, const value *params, size_t count, arena *a,
               value *out, dts_error *e);

/* ---- tables (table.h) ---- */

int store_table_ensure(store_conn *c, const table *t, dts_error *e); /* creates, or adds columns */
/* The rebuilding that store_table_ensure refuses: a changed type, key, check or not null. The rows are
 * copied into a new table, each value by its new type; one that does not fit is an error and nothing
 * is changed. Views and triggers go meanwhile: their owners make them anew. `report` receives lines
 * about what changes; nothing when nothing does. */
int store_table_migrate(store_conn *c, const table *t, buffer *report, dts_error *e);
int store_view_ensure(store_conn *c, const char *name, const char *sql, dts_error *e);
int store_view_drop(store_conn *c, const char *name, dts_error *e);
/* Values in the table's column order, already checked by table_check_row. Whole-row upsert by key,
 * plain insert without one; a null becomes the column's default. Touches the table. */
int store_put(store_conn *c, const table *t, const value *row, dts_error *e);
/* The same for many rows, fastest when they come in the key's order. `next` fills in one row, whose
 * texts live until it is called again: 1, 0 when there are no more, -1 with `e`. */
typedef int store_next(void *arg, value *row, dts_error *e);
int store_put_all(store_conn *c, const table *t, store_next *next, void *arg, dts_error *e);
/* A descriptor for what does not fit memory: a file without a name on the store's own disk. */
int store_scratch(store *s, dts_error *e);
/* Only the columns of the map `row`, checked here; the whole key must be among them. Where there is
 * no such row it is inserted, with defaults. */
int store_update(store_conn *c, const table *t, const value *row, dts_error *e);
/* `where` as in dts.query: {column: value | [values] | {from,to}}; an empty map means all rows. In
 * a query a null is no condition; a delete refuses it. */
int store_delete(store_conn *c, const table *t, const value *where, dts_error *e);
/* Marks a table as changed by this transaction: put, update and delete do it by themselves, plain
 * SQL (store_exec) does not. */
void store_touch(store_conn *c, const char *table_name);

/* SQL for `where` appended to b ("" or " where ..."), its parameters to the list `params`; they are
 * numbered after those that the list holds already. */
int store_where(const table *t, const value *where, buffer *b, arena *a, value *params,
                dts_error *e);

/* ---- versions ---- */

/* Moves with each commit that touched the table; unknown tables, and all of a read-only store, have
 * version 0. Views: the sum over what they read. Numbers of two engine lives differ. Any thread. */
uint64_t store_version(store *s, const char *table_name);
/* Called on the writer's thread after each commit with the names of the tables it touched. */
void store_watch(store *s, void (*changed)(void *arg, const char *const *tables, size_t count),
                 void *arg);

#endif
