/* parquet_footer.c -- what a Parquet file says about itself: schema, row groups, orders.
 *
 * Source: parquet-format, src/main/thrift/parquet.thrift, whose field ids the numbers here are.
 * Each type has its converted_type and its logicalType, so that old and new readers see the same.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "format/parquet_parts.h"

enum { VERSION = 1, OPTIONAL = 1, UNCOMPRESSED = 0, ZSTD = 6 };
enum { PLAIN = 0, RLE = 3, RLE_DICTIONARY = 8 };

/* Type, ConvertedType and the field of LogicalType; -1: none. */
static const struct {
  int physical, converted, logical;
} types[] = {[PARQUET_TEXT] = {6, 0, 1},   [PARQUET_INTEGER] = {2, -1, -1},
             [PARQUET_REAL] = {5, -1, -1}, [PARQUET_BOOLEAN] = {0, -1, -1},
             [PARQUET_DATE] = {1, 6, 6},   [PARQUET_TIMESTAMP] = {2, 9, 8},
             [PARQUET_JSON] = {6, 19, 12}};

/* ---- a column's chunk ---- */

static void write_encodings(thrift *t, const parquet_chunk *c) {
  thrift_list(t, 2, THRIFT_I32, c->dictionary_used ? 3 : 2);
  thrift_zigzag(t->out, PLAIN);
  thrift_zigzag(t->out, RLE);
  if (c->dictionary_used) thrift_zigzag(t->out, RLE_DICTIONARY);
}

void parquet_write_chunk(thrift *t, const parquet_chunk *c, bool packed, int64_t offset,
                         size_t dictionary_size) {
  parquet_type type = c->column->type;
  thrift_begin(t);
  thrift_i64(t, 2, 0); /* file_offset: nothing of this lies outside the footer */
  thrift_struct(t, 3);
  thrift_i32(t, 1, types[type].physical);
  write_encodings(t, c);
  thrift_list(t, 3, THRIFT_BINARY, 1);
  thrift_item(t->out, c->column->name, strlen(c->column->name));
  thrift_i32(t, 4, packed ? ZSTD : UNCOMPRESSED);
  thrift_i64(t, 5, (int64_t)c->rows);
  thrift_i64(t, 6, (int64_t)c->unpacked);
  thrift_i64(t, 7, (int64_t)(dictionary_size + c->pages.size));
  thrift_i64(t, 9, offset + (int64_t)dictionary_size);
  if (dictionary_size) thrift_i64(t, 11, offset);
  parquet_bounds_write(t, 12, type, &c->bounds);
  thrift_end(t);
  thrift_end(t);
}

/* ---- the schema ---- */

static void write_root(thrift *t, size_t count) {
  thrift_begin(t);
  thrift_text(t, 4, "schema");
  thrift_i32(t, 5, (int32_t)count);
  thrift_end(t);
}

static void write_timestamp(thrift *t) {
  thrift_boolean(t, 1, true); /* isAdjustedToUTC */
  thrift_struct(t, 2);
  thrift_struct(t, 1); /* MILLIS */
  thrift_end(t);
  thrift_end(t);
}

static void write_column(thrift *t, const parquet_column *column) {
  int logical = types[column->type].logical;
  thrift_begin(t);
  thrift_i32(t, 1, types[column->type].physical);
  thrift_i32(t, 3, column->required ? 0 : OPTIONAL);
  thrift_text(t, 4, column->name);
  if (logical > 0) {
    thrift_i32(t, 6, types[column->type].converted);
    thrift_struct(t, 10);
    thrift_struct(t, logical);
    if (column->type == PARQUET_TIMESTAMP) write_timestamp(t);
    thrift_end(t);
    thrift_end(t);
  }
  thrift_end(t);
}

static void write_orders(thrift *t, size_t count) {
  thrift_list(t, 7, THRIFT_STRUCT, count);
  for (size_t i = 0; i < count; i++) {
    thrift_begin(t);
    thrift_struct(t, 1); /* TYPE_ORDER */
    thrift_end(t);
    thrift_end(t);
  }
}

void parquet_write_footer(buffer *out, const parquet_options *o, int64_t rows, size_t groups,
                          const buffer *group_bytes) {
  thrift t = {.out = out};
  thrift_i32(&t, 1, VERSION);
  thrift_list(&t, 2, THRIFT_STRUCT, o->count + 1);
  write_root(&t, o->count);
  for (size_t i = 0; i < o->count; i++) write_column(&t, &o->columns[i]);
  thrift_i64(&t, 3, rows);
  thrift_list(&t, 4, THRIFT_STRUCT, groups);
  buffer_add(out, group_bytes->data, group_bytes->size);
  thrift_text(&t, 6, o->created_by);
  write_orders(&t, o->count);
  thrift_end(&t);
}
