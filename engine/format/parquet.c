/* parquet.c -- see parquet.h: rows dealt out to columns, groups closed and handed to the sink.
 *
 * The file (parquet-format, README.md): "PAR1"; for each row group each column's dictionary page
 * and data pages, one behind the other; the footer, its length in four bytes, "PAR1". A group ends
 * when it has its number of rows, or when what its columns keep has reached its bound.
 *
 * SPDX-License-Identifier: MIT */
#include "format/parquet.h"

#include <stdlib.h>

#include "format/json.h"
#include "format/parquet_parts.h"

enum { GROUP_ROWS = 100000, GROUP_BYTES = 16 * 1024 * 1024, LIMIT = 0x7fffffff };

struct parquet {
  parquet_options options;
  parquet_chunk *chunks;
  parquet_press press;
  buffer scratch, first; /* of one value; a dictionary's page */
  buffer groups;         /* what the footer says about those that are closed */
  size_t group_rows, kept, group_count;
  int64_t rows, offset;
};

parquet *parquet_open(const parquet_options *options) {
  parquet *p = memory_alloc(sizeof *p);
  buffer *all[] = {&p->press.body, &p->press.packed, &p->scratch, &p->first, &p->groups};
  p->options = *options;
  if (!p->options.group_rows) p->options.group_rows = GROUP_ROWS;
  if (!p->options.group_bytes) p->options.group_bytes = GROUP_BYTES;
  p->press.pack = options->pack;
  p->chunks = memory_alloc((options->count + 1) * sizeof *p->chunks);
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_init(all[i], LIMIT);
  for (size_t i = 0; i < options->count; i++)
    parquet_chunk_init(&p->chunks[i], &options->columns[i]);
  return p;
}

void parquet_free(parquet *p) {
  if (!p) return;
  buffer *all[] = {&p->press.body, &p->press.packed, &p->scratch, &p->first, &p->groups};
  for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) buffer_free(all[i]);
  for (size_t i = 0; i < p->options.count; i++) parquet_chunk_free(&p->chunks[i]);
  free(p->chunks);
  free(p);
}

static int hand_on(parquet *p, const void *bytes, size_t size, dts_error *e) {
  p->offset += (int64_t)size;
  return size ? p->options.sink(p->options.sink_arg, bytes, size, e) : 0;
}

/* The head, before anything else. */
static int begin(parquet *p, dts_error *e) { return p->offset ? 0 : hand_on(p, "PAR1", 4, e); }

/* ---- groups ---- */

static int close_chunk(parquet *p, parquet_chunk *c, thrift *t, size_t *unpacked, dts_error *e) {
  int64_t offset = p->offset;
  buffer_clear(&p->first);
  if (parquet_chunk_cut(c, &p->press, e) < 0) return -1;
  if (parquet_chunk_dictionary(c, &p->press, &p->first, e) < 0) return -1;
  parquet_write_chunk(t, c, p->options.pack != NULL, offset, p->first.size);
  *unpacked += c->unpacked;
  if (hand_on(p, p->first.data, p->first.size, e) < 0) return -1;
  if (hand_on(p, c->pages.data, c->pages.size, e) < 0) return -1;
  parquet_chunk_clear(c);
  return 0;
}

static int close_group(parquet *p, dts_error *e) {
  int64_t offset = p->offset;
  size_t unpacked = 0;
  thrift t = {.out = &p->groups};
  thrift_begin(&t);
  thrift_list(&t, 1, THRIFT_STRUCT, p->options.count);
  for (size_t i = 0; i < p->options.count; i++)
    if (close_chunk(p, &p->chunks[i], &t, &unpacked, e) < 0) return -1;
  thrift_i64(&t, 2, (int64_t)unpacked);
  thrift_i64(&t, 3, (int64_t)p->group_rows);
  thrift_i64(&t, 5, offset);
  thrift_i64(&t, 6, p->offset - offset);
  thrift_end(&t);
  p->group_count++;
  p->group_rows = p->kept = 0;
  return 0;
}

/* ---- rows ---- */

static int refuse(const parquet *p, size_t column, const value *v, dts_error *e) {
  char shown[64];
  const parquet_column *c = &p->options.columns[column];
  error_fail(e, "COLUMN", "row %lld, column '%s': %s expected, got %s", (long long)p->rows + 1,
             c->name, parquet_expected(c->type), json_shorten(shown, sizeof shown, v));
  return error_hint(e, "write it as csv or ndjson, which take any value");
}

static int cut(parquet *p, parquet_chunk *c, dts_error *e) {
  if (parquet_chunk_cut(c, &p->press, e) < 0) return -1;
  p->kept = 0;
  for (size_t i = 0; i < p->options.count; i++) p->kept += parquet_chunk_size(&p->chunks[i]);
  return 0;
}

int parquet_add(parquet *p, const value *row, dts_error *e) {
  if (begin(p, e) < 0) return -1;
  for (size_t i = 0; i < p->options.count; i++) {
    parquet_chunk *c = &p->chunks[i];
    parquet_cell cell;
    int found = parquet_cell_read(c->column->type, &row[i], &p->scratch, &cell);
    if (found < 0 || (found > 0 && c->column->required)) return refuse(p, i, &row[i], e);
    p->kept += parquet_chunk_add(c, found == 0 ? &cell : NULL);
    if (parquet_chunk_full(c) && cut(p, c, e) < 0) return -1;
  }
  p->rows++;
  p->group_rows++;
  if (p->group_rows < p->options.group_rows && p->kept < p->options.group_bytes) return 0;
  return close_group(p, e);
}

int parquet_end(parquet *p, dts_error *e) {
  buffer *footer = &p->press.body;
  if (begin(p, e) < 0 || (p->group_rows && close_group(p, e) < 0)) return -1;
  buffer_clear(footer);
  parquet_write_footer(footer, &p->options, p->rows, p->group_count, &p->groups);
  parquet_u32(footer, (uint32_t)footer->size);
  buffer_add(footer, "PAR1", 4);
  if (!footer->failed && !p->groups.failed) return hand_on(p, footer->data, footer->size, e);
  return error_fail(e, "LIMIT_SIZE", "the table has too many columns and rows for one file");
}
