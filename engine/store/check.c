/* check.c -- what a value must look like to stand in a column.
 *
 * A text is taken for a typed column only if it is exactly that type's canonical form: "3" is an
 * integer, "3 ", "03" and "+3" are not. Checks are done again here whatever a worker has checked.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "format/date.h"
#include "format/json.h"
#include "store/table.h"

static int refuse(const table *t, size_t column, const value *v, const char *expected,
                  dts_error *e) {
  char shown[TEXT_SHORT];
  json_shorten(shown, sizeof shown, v);
  error_fail(e, "COLUMN", "column '%s' of table '%s': %s expected, got %s", t->columns[column].name,
             t->name, expected, shown);
  return -1;
}

/* The whole text a decimal integer as it would be printed. */
static bool read_integer(const char *text, size_t size, int64_t *n) {
  char copy[24], printed[24], *end;
  if (!size || size >= sizeof copy) return false;
  memcpy(copy, text, size);
  copy[size] = '\0';
  errno = 0;
  *n = strtoll(copy, &end, 10);
  snprintf(printed, sizeof printed, "%lld", (long long)*n);
  return errno == 0 && strcmp(copy, printed) == 0;
}

/* A number of JSON's grammar (RFC 8259 section 6), finite. */
static bool read_real(const char *text, size_t size, double *x) {
  json_reader r;
  json_open(&r, text, size);
  json_token token = json_next(&r);
  bool number =
      (token == JSON_INTEGER || token == JSON_REAL) && r.token == text && r.at == text + size;
  if (number) *x = token == JSON_INTEGER ? (double)r.integer : r.real;
  json_close(&r);
  return number && isfinite(*x);
}

static int check_text(const table *t, size_t column, value *v, dts_error *e) {
  size_t fault;
  if (v->kind != VALUE_TEXT) return refuse(t, column, v, "a text", e);
  if (!text_is_utf8(v->text.bytes, v->text.size, &fault))
    return error_fail(e, "COLUMN",
                      "column '%s' of table '%s': text in UTF-8 expected, byte %zu is not",
                      t->columns[column].name, t->name, fault + 1);
  if (v->text.size && memchr(v->text.bytes, 0, v->text.size))
    return error_fail(e, "COLUMN",
                      "column '%s' of table '%s': text without a NUL character expected",
                      t->columns[column].name, t->name);
  return 0;
}

static int check_integer(const table *t, size_t column, value *v, dts_error *e) {
  int64_t n;
  if (v->kind == VALUE_INTEGER) return 0;
  /* 2^63 itself is a double but no int64. */
  bool whole = v->kind == VALUE_REAL && v->real >= -9223372036854775808.0 &&
               v->real < 9223372036854775808.0 && v->real == floor(v->real);
  if (whole)
    n = (int64_t)v->real;
  else if (v->kind != VALUE_TEXT || !read_integer(v->text.bytes, v->text.size, &n))
    return refuse(t, column, v, "an integer", e);
  *v = value_integer(n);
  return 0;
}

static int check_real(const table *t, size_t column, value *v, dts_error *e) {
  double x = 0;
  if (v->kind == VALUE_REAL && !isfinite(v->real))
    return error_fail(e, "COLUMN", "column '%s' of table '%s': a finite number expected, got %s",
                      t->columns[column].name, t->name, isnan(v->real) ? "NaN" : "infinity");
  if (v->kind == VALUE_REAL) return 0;
  if (v->kind == VALUE_INTEGER)
    x = (double)v->integer;
  else if (v->kind != VALUE_TEXT || !read_real(v->text.bytes, v->text.size, &x))
    return refuse(t, column, v, "a number", e);
  *v = value_real(x);
  return 0;
}

static int check_boolean(const table *t, size_t column, value *v, dts_error *e) {
  if (v->kind == VALUE_BOOLEAN) return 0;
  if (!value_is(v, "true") && !value_is(v, "false"))
    return refuse(t, column, v, "true or false", e);
  *v = value_boolean(value_is(v, "true"));
  return 0;
}

static int check_date(const table *t, size_t column, value *v, dts_error *e) {
  int32_t date;
  if (v->kind == VALUE_TEXT && date_read(v->text.bytes, v->text.size, &date) == 0) return 0;
  return refuse(t, column, v, "a date YYYY-MM-DD", e);
}

static int check_timestamp(const table *t, size_t column, arena *a, value *v, dts_error *e) {
  int64_t ms;
  char text[25];
  if (v->kind != VALUE_TEXT || timestamp_read(v->text.bytes, v->text.size, &ms) < 0)
    return refuse(t, column, v, "a time with its offset, such as 2026-03-10T13:00:00Z,", e);
  timestamp_write(ms, text);
  if (!value_is(v, text)) *v = value_text(arena_text(a, text));
  return 0;
}

/* A text is JSON already and must be valid; anything else is written as JSON. */
static int check_json(const table *t, size_t column, arena *a, value *v, dts_error *e) {
  if (v->kind == VALUE_TEXT) {
    arena scratch = {0};
    value ignored;
    int result = json_read(&scratch, v->text.bytes, v->text.size, &ignored, NULL);
    arena_free(&scratch);
    return result == 0 ? 0 : refuse(t, column, v, "valid JSON", e);
  }
  buffer b;
  buffer_init(&b, 256u << 20);
  int result = json_write(&b, v);
  if (result == 0) *v = value_bytes(arena_copy(a, b.data, b.size), b.size);
  buffer_free(&b);
  return result == 0 ? 0 : refuse(t, column, v, "a value that JSON has", e);
}

int table_check(const table *t, size_t column, arena *a, value *v, dts_error *e) {
  const table_column *c = &t->columns[column];
  if (v->kind == VALUE_NULL) {
    if (!c->not_null || c->otherwise) return 0;
    return error_fail(e, "COLUMN", "column '%s' of table '%s' must have a value, got none", c->name,
                      t->name);
  }
  switch (c->type) {
  case COLUMN_TEXT: return check_text(t, column, v, e);
  case COLUMN_INTEGER: return check_integer(t, column, v, e);
  case COLUMN_REAL: return check_real(t, column, v, e);
  case COLUMN_BOOLEAN: return check_boolean(t, column, v, e);
  case COLUMN_DATE: return check_date(t, column, v, e);
  case COLUMN_TIMESTAMP: return check_timestamp(t, column, a, v, e);
  case COLUMN_JSON: return check_json(t, column, a, v, e);
  }
  return -1;
}

int table_check_row(const table *t, arena *a, value *row, dts_error *e) {
  for (size_t i = 0; i < t->count; i++)
    if (table_check(t, i, a, &row[i], e) < 0) return -1;
  return 0;
}
