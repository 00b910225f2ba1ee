/* json.h -- JSON (RFC 8259, strict) in and out of values, exactly.
 *
 * The reader pulls one token after the other from bytes in memory and checks everything on the way:
 * grammar, UTF-8, escapes, depth. A text without escapes is a slice of the input, one with escapes
 * lies in the reader's scratch buffer until the next token. Whole numbers that fit 64 bits stay
 * integers; the rest become doubles, rounded as strtod() does in the C locale. The reader owns only
 * its scratch buffer (json_close), and json_read gives everything to the arena.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FORMAT_JSON_H
#define DTS_FORMAT_JSON_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "format/value.h"

enum { JSON_DEPTH = 512, JSON_DEPTH_USUAL = 64 }; /* lists and maps inside each other */

typedef enum json_token {
  JSON_ERROR, /* see json_fail; every later call gives it again */
  JSON_END,   /* the one document is complete and only white space followed */
  JSON_LIST,
  JSON_LIST_END,
  JSON_MAP,
  JSON_MAP_END,
  JSON_KEY,  /* text, size */
  JSON_TEXT, /* text, size */
  JSON_INTEGER,
  JSON_REAL,
  JSON_TRUE,
  JSON_FALSE,
  JSON_NULL
} json_token;

typedef struct json_reader {
  const char *start, *at, *end; /* the input; `at` is behind the last token */
  const char *token;            /* first byte of the last token */
  const char *text;             /* of a KEY or TEXT; not NUL-terminated */
  size_t size;
  bool escaped; /* text lies in scratch, not in the input */
  int64_t integer;
  double real;
  size_t depth, limit;            /* open levels, and how many there may be: at most JSON_DEPTH */
  uint64_t maps[JSON_DEPTH / 64]; /* one bit for each open level: a map, not a list */
  int state;
  buffer scratch;
  const char *expected; /* of an ERROR: words for what should stand there */
} json_reader;

/* Reading token by token, JSON_DEPTH_USUAL levels deep unless r->limit is set after json_open. A
 * leading byte order mark is skipped (RFC 8259 section 8.1). */
void json_open(json_reader *r, const char *bytes, size_t size);
json_token json_next(json_reader *r);
void json_close(json_reader *r);

/* After JSON_ERROR: "line 3, column 7: expected ',' or '}', got 'x'", code JSON. Always -1.
 * Columns count characters, offset is in bytes (r->token - r->start). */
int json_fail(const json_reader *r, dts_error *e);
/* Line and column, from 1, of a byte of the input. */
void json_place(const json_reader *r, const char *at, size_t *line, size_t *column);

/* A whole document, JSON_DEPTH levels deep; texts are copied into the arena with a NUL behind. A
 * value of one token sort can also be built from a reader that has just given `token`. 0, or -1. */
int json_read(arena *a, const char *bytes, size_t size, value *out, dts_error *e);
int json_read_value(json_reader *r, json_token token, arena *a, value *out, dts_error *e);

/* Writing, without spaces. 0, or -1: NaN, infinity, more than JSON_DEPTH levels, a full buffer. */
int json_write(buffer *b, const value *v);
int json_write_exact(buffer *b, const value *v);  /* -1 also for a text that is not UTF-8 */
int json_write_pretty(buffer *b, const value *v); /* two spaces a level, for people */
int json_write_text(buffer *b, const char *bytes, size_t size);
int json_write_integer(buffer *b, int64_t n);
int json_write_real(buffer *b, double x); /* shortest that reads back; 3.0 is written 3.0 */

/* A decimal number as in JSON, whatever the locale: the digits at `bytes`, all of them. */
double json_parse_real(const char *bytes, size_t size);
/* digits * 10^scale, when one operation on two exact numbers gives it: the digits fit 2^53 and the
 * power is a double, so it is rounded once (Clinger, 1990). False: it is not so simple. */
bool json_exact_real(uint64_t digits, int scale, double *out);

/* The value as one short line for a message, such as "n/a" or {"id":7,...; gives `out`. */
const char *json_shorten(char *out, size_t size, const value *v);

#endif
