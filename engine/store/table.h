/* table.h -- a declared table: its columns, their types, and what a value must look like for each.
 *
 * A table is read once from its declaration (a map as op.h describes it) into an arena and is
 * immutable after that. The checks here are the engine's own, whatever a worker has checked before.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_STORE_TABLE_H
#define DTS_STORE_TABLE_H

#include "base/arena.h"
#include "base/error.h"
#include "format/value.h"

enum { TABLE_COLUMNS = 1000 };

typedef enum column_type {
  COLUMN_TEXT,
  COLUMN_INTEGER,
  COLUMN_REAL,
  COLUMN_BOOLEAN,   /* 0 and 1 in SQLite */
  COLUMN_DATE,      /* text YYYY-MM-DD */
  COLUMN_TIMESTAMP, /* text YYYY-MM-DDTHH:MM:SS.mmmZ */
  COLUMN_JSON       /* text */
} column_type;

typedef struct table_column {
  const char *name, *doc; /* doc may be "" */
  const char *otherwise;  /* SQL of the default, or NULL */
  const char *check;      /* SQL, or NULL */
  column_type type;
  bool not_null; /* key columns always */
  bool key;
} table_column;

typedef struct table {
  const char *name;
  const char *file; /* the script that declares it */
  int64_t line;     /* there; 0: nobody knows */
  size_t count;
  const table_column *columns;
  size_t key_count;
  const size_t *key; /* indices of the key's columns, in the key's order */
  size_t index_count;
  const value *indexes; /* lists of column names */
  const char *rows;     /* path of lookup rows, or NULL */
  int64_t keep_ms;      /* retention, 0 for ever */
  bool is_private;
  const char *put_sql;     /* the whole-row upsert, one parameter for each column */
  const char *add_all_sql; /* inserts only: a key that is there already is an error */
  const char *put_all_sql; /* the same for all rows of a source (bulk.c), its only parameter */
} table;

const char *column_type_name(column_type t);
int column_type_read(const char *name, column_type *t); /* 0, or -1 */

table *table_read(arena *a, const value *declaration, dts_error *e);
const table_column *table_find(const table *t, const char *name, size_t *index); /* or NULL */
const char *table_nearest(const table *t, const char *word, arena *a); /* nearest column, or NULL */
int table_unknown_column(const table *t, const char *name, arena *a, dts_error *e); /* COLUMN. -1 */

/* Checks and converts one value for a column in place: 3.0 becomes 3 in an integer column, a
 * timestamp with another offset UTC, a canonical string its type, a list or map JSON; otherwise
 * error COLUMN with the value and what was expected. A null is taken where the column may be null
 * or has a default. Texts made new live in the arena. */
int table_check(const table *t, size_t column, arena *a, value *v, dts_error *e);
int table_check_row(const table *t, arena *a, value *row, dts_error *e); /* t->count values */

#endif
