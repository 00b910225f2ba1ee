/* parquet_value.c -- one value as Parquet's PLAIN has it, and the least and greatest of many.
 *
 * Sources: parquet-format, Encodings.md "Plain", LogicalTypes.md, and parquet.thrift on Statistics
 * and ColumnOrder: texts are compared byte by byte, without sign; NaN is no bound and is counted; a
 * bound that is zero is written -0.0 below and +0.0 above. A chunk whose least or greatest text is
 * too long has no bounds: one cut short is no JSON any more, and above it would be wrong.
 *
 * SPDX-License-Identifier: MIT */
#include <endian.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "format/date.h"
#include "format/json.h"
#include "format/parquet_parts.h"

bool parquet_is_text(parquet_type type) { return type == PARQUET_TEXT || type == PARQUET_JSON; }

const char *parquet_expected(parquet_type type) {
  static const char *const words[] = {"a text",        "an integer",          "a number",
                                      "true or false", "a date (YYYY-MM-DD)", "a timestamp",
                                      "JSON"};
  return words[type];
}

void parquet_plain(buffer *out, parquet_type type, const char *bytes, size_t size) {
  if (parquet_is_text(type)) parquet_u32(out, (uint32_t)size);
  buffer_add(out, bytes, size);
}

/* ---- reading ---- */

static int take_integer(parquet_cell *out, int64_t n, size_t size) {
  uint64_t low = htole64((uint64_t)n);
  memcpy(out->plain, &low, sizeof low);
  out->integer = n;
  out->bytes = out->plain;
  out->size = size;
  return 0;
}

static int take_real(parquet_cell *out, double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  out->real = x;
  return take_integer(out, (int64_t)bits, sizeof bits);
}

/* What is no UTF-8 (SQL can make it) becomes U+FFFD, as in JSON: readers refuse the whole file. */
static void add_characters(buffer *out, const char *bytes, size_t size) {
  bool cut;
  for (size_t i = 0, taken; i < size; i += taken) {
    taken = text_utf8_take(bytes + i, size - i, &cut);
    if (taken)
      buffer_add(out, bytes + i, taken);
    else
      buffer_add_text(out, "\xEF\xBF\xBD"), taken = 1;
  }
}

static int take_text(parquet_cell *out, const value *v, buffer *scratch) {
  bool is_text = v->kind == VALUE_TEXT;
  out->bytes = v->text.bytes;
  out->size = v->text.size;
  if (is_text && text_is_utf8(out->bytes, out->size, NULL)) return 0;
  buffer_clear(scratch);
  if (is_text) add_characters(scratch, v->text.bytes, v->text.size);
  if (!is_text && json_write(scratch, v) < 0) return -1;
  out->bytes = buffer_text(scratch);
  out->size = scratch->size;
  return 0;
}

static int take_day(parquet_cell *out, const value *v) {
  int32_t date;
  if (v->kind != VALUE_TEXT || date_read(v->text.bytes, v->text.size, &date) < 0) return -1;
  return take_integer(out, date, sizeof date);
}

static int take_instant(parquet_cell *out, const value *v) {
  int64_t ms;
  if (v->kind != VALUE_TEXT || timestamp_read(v->text.bytes, v->text.size, &ms) < 0) return -1;
  return take_integer(out, ms, sizeof ms);
}

int parquet_cell_read(parquet_type type, const value *v, buffer *scratch, parquet_cell *out) {
  if (v->kind == VALUE_NULL) return 1;
  switch (type) {
  case PARQUET_INTEGER: return v->kind == VALUE_INTEGER ? take_integer(out, v->integer, 8) : -1;
  case PARQUET_REAL:
    if (v->kind == VALUE_INTEGER) return take_real(out, (double)v->integer);
    return v->kind == VALUE_REAL ? take_real(out, v->real) : -1;
  case PARQUET_BOOLEAN: return v->kind == VALUE_BOOLEAN ? take_integer(out, v->boolean, 1) : -1;
  case PARQUET_DATE: return take_day(out, v);
  case PARQUET_TIMESTAMP: return take_instant(out, v);
  default: return take_text(out, v, scratch);
  }
}

/* ---- bounds ---- */

static size_t bound_size(const parquet_cell *cell) {
  return cell->size < PARQUET_BOUND ? cell->size : PARQUET_BOUND;
}

static int compare_texts(const parquet_cell *cell, const parquet_bound *bound) {
  size_t size = bound_size(cell), common = size < bound->size ? size : bound->size;
  int order = memcmp(cell->bytes, bound->bytes, common);
  return order ? order : (size > bound->size) - (size < bound->size);
}

static int compare(parquet_type type, const parquet_cell *cell, const parquet_bound *bound) {
  if (parquet_is_text(type)) return compare_texts(cell, bound);
  if (type == PARQUET_REAL) return (cell->real > bound->real) - (cell->real < bound->real);
  return (cell->integer > bound->integer) - (cell->integer < bound->integer);
}

static void set_bound(parquet_bound *bound, const parquet_cell *cell) {
  bound->integer = cell->integer;
  bound->real = cell->real;
  bound->size = bound_size(cell);
  bound->cut = cell->size > PARQUET_BOUND;
  memcpy(bound->bytes, cell->bytes, bound->size);
}

/* Texts are compared by what is kept of them: of equals, a whole one is the least, a cut one the
 * greatest. */
void parquet_bounds_take(parquet_bounds *b, parquet_type type, const parquet_cell *cell) {
  bool nan = type == PARQUET_REAL && isnan(cell->real), cut = cell->size > PARQUET_BOUND;
  if (nan) {
    b->nans++;
    return;
  }
  int below = b->known ? compare(type, cell, &b->least) : -1;
  int above = b->known ? compare(type, cell, &b->most) : 1;
  b->known = true;
  if (below < 0 || (below == 0 && !cut)) set_bound(&b->least, cell);
  if (above > 0 || (above == 0 && cut)) set_bound(&b->most, cell);
}

static void add_bound(thrift *t, int id, parquet_type type, const parquet_bound *b, double zero) {
  parquet_cell cell;
  if (type != PARQUET_REAL || b->real != 0) {
    thrift_bytes(t, id, b->bytes, b->size);
    return;
  }
  take_real(&cell, zero);
  thrift_bytes(t, id, cell.bytes, cell.size);
}

void parquet_bounds_write(thrift *t, int id, parquet_type type, const parquet_bounds *b) {
  bool told = b->known && !b->least.cut && !b->most.cut;
  thrift_struct(t, id);
  thrift_i64(t, 3, b->nulls);
  if (told) add_bound(t, 5, type, &b->most, 0.0);
  if (told) add_bound(t, 6, type, &b->least, -0.0);
  if (told) thrift_boolean(t, 7, true); /* as they are in the data, not shortened */
  if (told) thrift_boolean(t, 8, true);
  if (type == PARQUET_REAL) thrift_i64(t, 9, b->nans);
  thrift_end(t);
}
