/* conn.h -- what the files of store/ share: a connection, its statements, the table of versions.
 *
 * Not for other folders: they see store.h. A connection and all that hangs on it is used by one
 * thread at a time. A statement is taken, used and given back; meanwhile nobody else runs it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_STORE_CONN_H
#define DTS_STORE_CONN_H

#include <pthread.h>
#include <sqlite3.h>

#include "store/store.h"

enum { TYPE_UNKNOWN = -1, STATEMENTS = 256, STATEMENT_SLOTS = 512 };

typedef struct statement statement;
struct statement {
  statement *newer, *older, *chain;
  sqlite3_stmt *stmt;
  const char *sql;
  size_t size;
  uint64_t hash;
  int64_t schema;    /* the connection's when this was prepared */
  bool user;         /* prepared under the guard */
  bool busy, cached; /* taken; to be kept when given back */
  int count;         /* columns */
  const char **names;
  int *types; /* column_type, or TYPE_UNKNOWN */
  value *row; /* room for one */
  value tables;
  arena memory;
};

/* What the authorizer checks and collects while a user's SQL is prepared. */
typedef struct guard {
  arena *memory;
  value *tables;
  char refused[160];
} guard;

typedef struct slot slot;         /* versions.c */
typedef struct versions versions; /* versions.c */
typedef struct calendar calendar; /* dates.c */
typedef struct printer printer;   /* texts.c */
typedef struct writer writer;     /* writer.c */

struct store_conn {
  sqlite3 *db;
  store *store;
  bool writes, changed_schema;
  int64_t schema;   /* SQLite's cookie in the present transaction, made unique by `undone` */
  int64_t undone;   /* schema changes that were rolled back */
  int64_t deadline; /* monotonic ms, 0 for none */
  guard *guard;
  calendar *calendar;
  printer *printer;
  sqlite3_stmt *type_of; /* dts_columns by table and name */
  statement *slots[STATEMENT_SLOTS], *newest, *oldest;
  size_t statements;
  slot **touched; /* by the works of the present batch that have not failed */
  size_t touched_count, touched_capacity;
  uint64_t work;
};

struct store {
  char *path, *folder; /* folder: of a throw-away store while it is being opened */
  bool read_only, memory;
  int lock, file_lock; /* of DATABASE.lock, and of the database */
  versions *versions;
  writer *writer;
  pthread_mutex_t mutex; /* guards the pool */
  pthread_cond_t given;
  store_conn **idle;
  size_t idle_count, out_count, kept;
};

/* sqlite.c */
store_conn *conn_open(store *s, bool writes, dts_error *e);
void conn_close(store_conn *c);
int conn_run(store_conn *c, const char *sql, dts_error *e); /* a constant statement, no rows */
int conn_begin(store_conn *c, const char *begin, dts_error *e);
int conn_read_schema(store_conn *c, dts_error *e);

/* statements.c */
statement *statement_take(store_conn *c, const char *sql, bool user, dts_error *e);
void statement_give(store_conn *c, statement *s);
void statement_drop_all(store_conn *c);

/* select.c */
int statement_bind(store_conn *c, statement *s, int index, const value *v, dts_error *e);
int statement_step(store_conn *c, statement *s, bool *more, dts_error *e); /* fills s->row */

/* sqlerror.c: fills `e` from the connection's last error. Always -1. */
int conn_fail(store_conn *c, const char *sql, dts_error *e);

/* guard.c */
int guard_authorize(void *conn, int action, const char *a, const char *b, const char *database,
                    const char *view);

/* functions.c, aggregates.c, periods.c, dates.c, texts.c: 0, or SQLite's code */
int functions_register(sqlite3 *db);
bool functions_any_null(int count, sqlite3_value **values);
int aggregates_register(sqlite3 *db);
int moments_register(sqlite3 *db);
/* A number as an argument of aggregate `name`; what is none is the call's error. */
int aggregates_number(sqlite3_context *x, const char *name, sqlite3_value *v, double *out);
int periods_register(sqlite3 *db);
int dates_register(store_conn *c);
void dates_close(calendar *k);
int texts_register(store_conn *c);
void texts_close(printer *p);

/* bulk.c */
int bulk_register(sqlite3 *db);
int store_add_all(store_conn *c, const table *t, store_next *next, void *arg, dts_error *e);

/* fragments.c */
int fragments_check(store_conn *c, const table *t, dts_error *e);

/* ddl.c: {name: {type, position, doc, check_sql, not_null}} of a table as it was declared last */
int ddl_read_columns(store_conn *c, const char *table_name, arena *a, value *columns, dts_error *e);
int ddl_read_key(store_conn *c, const char *table_name, arena *a, value *key, dts_error *e);
void ddl_join_key(const table *t, buffer *b);
int ddl_find_table(store_conn *c, const table *t, bool *is_new, dts_error *e);
int ddl_run(store_conn *c, const char *before, const char *name, const char *behind, dts_error *e);

/* versions.c */
versions *versions_open(uint64_t seed);
void versions_close(versions *v);
int versions_load(versions *v, store_conn *c, dts_error *e);
void versions_move(versions *v, store_conn *c); /* the batch has committed: tells the watcher too */

/* writer.c */
writer *writer_open(store *s, store_conn *c);
void writer_close(writer *w); /* finishes what is queued; closes the connection */

/* lock.c */
int lock_take(const char *database, dts_error *e); /* a descriptor, or -1 */
/* The same, of the file itself, by whatever name. */
int lock_file(const char *database, dts_error *e);
void lock_release(int fd);

/* ddl.c: names in SQL */
void sql_add_name(buffer *b, const char *name);

#endif
