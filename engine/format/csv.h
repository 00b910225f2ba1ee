/* csv.h -- CSV (RFC 4180) as a stream of rows, and its fields written back.
 *
 * The reader is fed pieces of any size and gives rows of slices into its own memory, valid until
 * the next csv_next. It is strict: a quote where none may stand is an error that names the line,
 * because a file read wrongly without a word costs more than one refused. Lines end with LF, CRLF
 * or CR. It counts; it does not decode: feed it UTF-8 (text.h). The reader owns its memory
 * (csv_close).
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FORMAT_CSV_H
#define DTS_FORMAT_CSV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"

typedef struct csv_options {
  char delimiter;     /* 0: ',' */
  char quote;         /* 0: '"' */
  bool no_quotes;     /* quotes are plain characters */
  bool keep_bom;      /* otherwise a UTF-8 byte order mark at the start is dropped */
  bool keep_blank;    /* otherwise lines with nothing at all on them are no rows */
  uint64_t skip;      /* lines before the first row, whatever stands in them */
  size_t field_limit; /* bytes of a field; 0: 1 MiB */
  size_t field_count; /* fields of a row; 0: 4096 */
  size_t row_limit;   /* bytes of a row; 0: 16 MiB */
} csv_options;

typedef struct csv_field {
  const char *bytes; /* NUL-terminated; size does not count it */
  size_t size;
  bool quoted; /* tells "" (a text) from nothing */
} csv_field;

typedef enum csv_status { CSV_ERROR, CSV_ROW, CSV_MORE, CSV_END } csv_status;

typedef struct csv_reader {
  csv_options options;
  uint64_t line; /* where the last row begins, from 1 */
  uint64_t row;  /* rows given so far */
  /* The rest is the reader's own. */
  uint64_t now, quote_line; /* line being read; line of the open quote */
  buffer input, text;       /* fed and not yet read, from `taken`; the row's fields */
  size_t taken, count, capacity, field_start;
  csv_field *fields; /* `bytes` are set when the row is complete, since text moves */
  int state;
  bool last, begun, quoted, row_open, after_cr, after_quoted_cr;
} csv_reader;

void csv_open(csv_reader *r, const csv_options *options); /* NULL: the defaults */
void csv_close(csv_reader *r);

/* Adds bytes (copied); `last` says that none follow. 0, or -1 without memory. */
int csv_feed(csv_reader *r, const char *bytes, size_t size, bool last);

/* ROW fills fields and count; MORE wants another csv_feed; ERROR (code CSV) is final. */
csv_status csv_next(csv_reader *r, const csv_field **fields, size_t *count, dts_error *e);

/* One field, quoted when it must be. guard_formula puts a ' before a text that a spreadsheet would
 * run (= + - @ tab CR at the start, unless it is a plain number). 0, or -1 (full buffer). */
int csv_write_field(buffer *b, const char *bytes, size_t size, char delimiter, bool guard_formula);

#endif
