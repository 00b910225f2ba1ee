/* parquet_chunk.c -- one column's values in a row group: pages filled, cut, packed and kept.
 *
 * Data pages of version 1: definition levels (Encodings.md, RLE with its length before it; none of
 * a column that is never null), then indices into the chunk's dictionary or the values, PLAIN; both
 * packed as one. A chunk begins with a dictionary and goes on without one as soon as that has no
 * room, or does not halve the number of values: what the open page holds as indices is then written
 * out, pages that are done stay as they are.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "format/parquet_parts.h"

/* A page's values: about 1 MB, and few enough rows that its levels and indices stay small. */
enum { PAGE_BYTES = 1024 * 1024, PAGE_ROWS = 20000 };
enum { PLAIN = 0, RLE = 3, RLE_DICTIONARY = 8 };             /* Encoding */
enum { DATA_PAGE = 0, DICTIONARY_PAGE = 2 };                 /* PageType */
enum { KEPT = 128 * 1024, LIMIT = 0x7fffffff /* an i32 */ }; /* bytes */

void parquet_chunk_init(parquet_chunk *c, const parquet_column *column) {
  *c = (parquet_chunk){.column = column, .plain_only = column->type == PARQUET_BOOLEAN};
  buffer *all[] = {&c->levels, &c->indices,          &c->plain,
                   &c->pages,  &c->dictionary.bytes, &c->dictionary.starts};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_init(all[i], LIMIT);
}

void parquet_chunk_free(parquet_chunk *c) {
  buffer_free(&c->levels);
  buffer_free(&c->indices);
  buffer_free(&c->plain);
  buffer_free(&c->pages);
  parquet_dictionary_free(&c->dictionary);
}

void parquet_chunk_clear(parquet_chunk *c) {
  const parquet_column *column = c->column;
  parquet_chunk_free(c);
  parquet_chunk_init(c, column);
}

size_t parquet_chunk_size(const parquet_chunk *c) {
  return c->levels.size + c->indices.size + c->plain.size + c->pages.size +
         parquet_dictionary_size(&c->dictionary);
}

bool parquet_chunk_full(const parquet_chunk *c) {
  return c->page_rows >= PAGE_ROWS || c->plain.size >= PAGE_BYTES;
}

/* ---- values in ---- */

static void add_u32(buffer *b, uint32_t n) { buffer_add(b, &n, sizeof n); }

static void add_bit(parquet_chunk *c, bool bit) {
  size_t at = c->page_values % 8;
  if (at == 0) buffer_add_char(&c->plain, 0);
  if (bit && c->plain.size)
    c->plain.data[c->plain.size - 1] = (char)(c->plain.data[c->plain.size - 1] | 1 << at);
}

static void leave_dictionary(parquet_chunk *c) {
  c->plain_only = true;
  parquet_dictionary_expand(&c->dictionary, &c->indices, &c->plain);
  buffer_clear(&c->indices);
  if (!c->dictionary_used) parquet_dictionary_free(&c->dictionary);
}

static void add_value(parquet_chunk *c, const parquet_cell *cell) {
  parquet_type type = c->column->type;
  if (type == PARQUET_BOOLEAN) {
    add_bit(c, cell->integer);
    return;
  }
  int64_t index = c->plain_only ? -1 : parquet_dictionary_add(&c->dictionary, type, cell);
  if (index < 0 && !c->plain_only) leave_dictionary(c);
  if (index < 0)
    parquet_plain(&c->plain, type, cell->bytes, cell->size);
  else
    add_u32(&c->indices, (uint32_t)index);
}

size_t parquet_chunk_add(parquet_chunk *c, const parquet_cell *cell) {
  size_t before = parquet_chunk_size(c);
  if (!c->column->required) add_u32(&c->levels, cell != NULL);
  c->page_rows++;
  if (cell) {
    add_value(c, cell);
    parquet_bounds_take(&c->bounds, c->column->type, cell);
    c->page_values++;
  } else {
    c->bounds.nulls++;
  }
  size_t after = parquet_chunk_size(c);
  return after > before ? after - before : 0;
}

/* ---- pages out ---- */

static void write_data_header(thrift *t, const parquet_chunk *c, int encoding) {
  thrift_struct(t, 5);
  thrift_i32(t, 1, (int32_t)c->page_rows);
  thrift_i32(t, 2, encoding);
  thrift_i32(t, 3, RLE);
  thrift_i32(t, 4, RLE); /* of repetition levels: there are none */
  thrift_end(t);
}

static void write_dictionary_header(thrift *t, const parquet_chunk *c) {
  thrift_struct(t, 7);
  thrift_i32(t, 1, (int32_t)c->dictionary.count);
  thrift_i32(t, 2, PLAIN);
  thrift_end(t);
}

/* The press's body as a page, added to out. */
static int add_page(parquet_chunk *c, parquet_press *press, int kind, int encoding, buffer *out,
                    dts_error *e) {
  size_t before = out->size;
  buffer *bytes = &press->body;
  thrift t = {.out = out};
  buffer_clear(&press->packed);
  if (press->pack) bytes = &press->packed;
  if (press->pack && press->pack(bytes, press->body.data, press->body.size, e) < 0) return -1;
  thrift_i32(&t, 1, kind);
  thrift_i32(&t, 2, (int32_t)press->body.size);
  thrift_i32(&t, 3, (int32_t)bytes->size);
  (kind == DATA_PAGE ? write_data_header(&t, c, encoding) : write_dictionary_header(&t, c));
  thrift_end(&t);
  c->unpacked += out->size - before + press->body.size;
  buffer_add(out, bytes->data, bytes->size);
  if (!out->failed && !press->body.failed) return 0;
  return error_fail(e, "LIMIT_SIZE", "column '%s': a page of more than 2 GB", c->column->name);
}

static void add_levels(const parquet_chunk *c, buffer *body) {
  if (c->column->required) return;
  parquet_u32(body, 0); /* the length, known below */
  parquet_runs(body, (const uint32_t *)(const void *)c->levels.data, c->page_rows, 1);
  buffer size;
  buffer_init(&size, 4);
  parquet_u32(&size, (uint32_t)(body->size - 4));
  if (!body->failed && !size.failed) memcpy(body->data, size.data, 4);
  buffer_free(&size);
}

static void add_indices(const parquet_chunk *c, buffer *body) {
  unsigned width = parquet_width(c->dictionary.count);
  buffer_add_char(body, (char)width);
  parquet_runs(body, (const uint32_t *)(const void *)c->indices.data, c->page_values, width);
}

/* A large value leaves no large buffer behind. */
static void empty(buffer *b) { (b->capacity > KEPT ? buffer_free : buffer_clear)(b); }

static void begin_page(parquet_chunk *c) {
  c->rows += c->page_rows;
  c->values += c->page_values;
  c->page_rows = c->page_values = 0;
  empty(&c->levels);
  empty(&c->indices);
  empty(&c->plain);
}

int parquet_chunk_cut(parquet_chunk *c, parquet_press *press, dts_error *e) {
  if (!c->page_rows) return 0;
  if (c->levels.failed || c->indices.failed || c->plain.failed)
    return error_fail(e, "LIMIT_SIZE", "column '%s': no memory for a page", c->column->name);
  if (!c->plain_only && c->dictionary.count * 2 > c->values + c->page_values) leave_dictionary(c);
  bool indexed = c->indices.size > 0;
  buffer_clear(&press->body);
  add_levels(c, &press->body);
  if (indexed)
    add_indices(c, &press->body);
  else
    buffer_add(&press->body, c->plain.data, c->plain.size);
  if (add_page(c, press, DATA_PAGE, indexed ? RLE_DICTIONARY : PLAIN, &c->pages, e) < 0) return -1;
  c->dictionary_used |= indexed;
  begin_page(c);
  return 0;
}

int parquet_chunk_dictionary(parquet_chunk *c, parquet_press *press, buffer *out, dts_error *e) {
  if (!c->dictionary_used) return 0;
  buffer_clear(&press->body);
  buffer_add(&press->body, c->dictionary.bytes.data, c->dictionary.bytes.size);
  return add_page(c, press, DICTIONARY_PAGE, PLAIN, out, e);
}
