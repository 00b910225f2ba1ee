/* parquet.h -- rows written as an Apache Parquet file, in one pass and little memory.
 *
 * One idea: rows come one by one; each column gathers its values in pages, full pages are packed at
 * once, and when a row group has grown to its bound it goes to the sink as bytes, in order. Only
 * the footer's lines about past groups stay. Packing is the caller's (this folder knows no zstd).
 * The file: https://parquet.apache.org/docs/file-format/, its structures: parquet.thrift there.
 * The writer is owned by its caller; names and rows are borrowed, names until parquet_free.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FORMAT_PARQUET_H
#define DTS_FORMAT_PARQUET_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"
#include "base/error.h"
#include "format/value.h"

typedef enum parquet_type {
  PARQUET_TEXT,      /* BYTE_ARRAY, STRING; other values than texts become JSON */
  PARQUET_INTEGER,   /* INT64 */
  PARQUET_REAL,      /* DOUBLE */
  PARQUET_BOOLEAN,   /* BOOLEAN */
  PARQUET_DATE,      /* INT32, DATE; given as text YYYY-MM-DD */
  PARQUET_TIMESTAMP, /* INT64, TIMESTAMP(UTC, MILLIS); given as text (date.h) */
  PARQUET_JSON       /* BYTE_ARRAY, JSON; given as text that is JSON */
} parquet_type;

typedef struct parquet_column {
  const char *name;
  parquet_type type;
  bool required; /* never null */
} parquet_column;

typedef int parquet_sink(void *arg, const void *bytes, size_t size, dts_error *e);
/* Adds the bytes to `out` as one zstd frame: 0, or -1. */
typedef int parquet_pack(buffer *out, const void *bytes, size_t size, dts_error *e);

typedef struct parquet_options {
  const parquet_column *columns;
  size_t count;
  const char *created_by; /* "NAME version 1.2.3" */
  parquet_sink *sink;
  void *sink_arg;
  parquet_pack *pack;             /* NULL: nothing is packed */
  size_t group_rows, group_bytes; /* 0: 100,000 rows; 16 MiB of what is kept for a group */
} parquet_options;

typedef struct parquet parquet;

parquet *parquet_open(const parquet_options *options);
/* One value for each column. 0, or -1: COLUMN (a value of another type, with row and column),
 * LIMIT_SIZE, or what the sink or the packing said; no more rows may follow then. */
int parquet_add(parquet *p, const value *row, dts_error *e);
int parquet_end(parquet *p, dts_error *e); /* the last group and the footer */
void parquet_free(parquet *p);             /* NULL is fine */

#endif
