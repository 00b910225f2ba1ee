/* reader.h -- reads of the store as scripts, routes and charts ask for them: a table with conditions, or SQL.
 *
 * In SQL `:name` is a parameter, `:now`, `:today` and `:today_minus_3d` come from the clock given. Answers
 * are {columns [names], types [names], rows [[..]], next?}. Any thread; blocks.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_READER_H
#define DTS_FLOW_READER_H

#include "flow/reload/registry.h"
#include "store/store.h"

typedef struct reader_context {
  const registry *set;
  store *store;
  int64_t now;
  const zone *zone;
  int64_t limit_ms;    /* of each read; 0: the engine's own */
  const value *writes; /* tables that the asker may write: `private` is no bar there; NULL: none */
  value *read;         /* a list that the names of the tables read are added to, or NULL */
  arena *read_memory;  /* of that list */
} reader_context;

/* The engine's tables that hold keys, settings or what sources said to a secret: no script reads them. */
extern const char *const reader_inner[]; /* ends with NULL */
bool reader_is_inner(const char *name);
int reader_query(const reader_context *x, const value *args, arena *a, value *answer, dts_error *e);
int reader_lookup(const reader_context *x, const value *args, arena *a, value *answer,
                  dts_error *e);
/* SQL with parameters; `tables` (may be NULL) receives what it read. limit_rows 0: none. */
int reader_sql(const reader_context *x, const char *sql, const value *params, int64_t limit_ms,
               int64_t limit_rows, arena *a, value *answer, value *tables, dts_error *e);
/* The parameters given, with now, today and today_minus_... added where the SQL names them; *volatile_
 * is set when it does. */
value reader_params(const reader_context *x, const char *sql, const value *params, arena *a,
                    bool *is_volatile);
/* WIRE unless it is a list, or nothing: what a worker says is of any kind. */
int reader_names(const value *list, const char *what, dts_error *e);
/* PARAM when the SQL counts from today in a way that no date comes of, such as :today_minus_9x. */
int reader_check(const char *sql, const value *bound, dts_error *e);

#endif
