/* result.h -- rows of a query as bytes: JSON rows, JSON objects, or CSV, written while they are
 * read.
 *
 * One idea: no row becomes a tree of values. Booleans are true and false, json columns are JSON,
 * integers past 2^53 may be quoted, and a CSV cell is never a formula. Types of expressions are
 * settled when the last row has been seen.
 *
 * Ownership: result_free; columns and tables live in the arena.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SERVE_RESULT_H
#define DTS_SERVE_RESULT_H

#include "flow/reload/registry.h"
#include "store/store.h"

typedef enum result_style { RESULT_ROWS, RESULT_OBJECTS, RESULT_CSV } result_style;

typedef struct result {
  arena *memory;
  result_style style;
  bool quote_big;
  int64_t limit_ms, limit_rows;
  bool cut;                 /* at limit_rows: stop there and say so, instead of failing */
  const char *const *types; /* the columns' types where the caller knows better, or NULL */
  buffer body;              /* the rows; of OBJECTS and ROWS between '[' and ']' */
  size_t rows;
  bool truncated;
  value columns, tables; /* [{name, type}], [names] */
  unsigned char *seen;
} result;

void result_init(result *r, arena *memory, result_style style);
void result_free(result *r);
/* Inside work: one SELECT with named parameters. */
int result_select(store_conn *c, result *r, const char *sql, const value *params, dts_error *e);
/* The same in a read transaction of its own. */
int result_read(store *s, result *r, const char *sql, const value *params, dts_error *e);
/* TABLE_REFUSED when a private or an inner table was read. */
int result_check(const result *r, const registry *set, dts_error *e);

int result_write(buffer *out, const result *r);     /* "columns":[..],"rows":[..] without braces */
int result_write_csv(buffer *out, const result *r); /* header and rows */

/* Rows as values, for what the engine looks at itself. */
typedef struct gathered {
  arena *memory;
  value rows; /* [{column: value}] */
} gathered;
int result_gather_row(void *g, const store_header *header, const value *row, dts_error *e);
int result_gather(store *s, gathered *g, const char *sql, const value *params, size_t count,
                  dts_error *e);

#endif
