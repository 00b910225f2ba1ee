/* parquet_parts.h -- the parts of the Parquet writer: Thrift, runs, one value, one column's chunk.
 *
 * Private to format/parquet*.c. A chunk owns its buffers; a cell borrows from the value it was read
 * from, or from the scratch buffer. Numbers in comments are field ids of parquet.thrift.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FORMAT_PARQUET_PARTS_H
#define DTS_FORMAT_PARQUET_PARTS_H

#include <stdint.h>

#include "format/parquet.h"

/* ---- Thrift's compact protocol (thrift-compact-protocol.md), writing only ---- */

enum { THRIFT_DEPTH = 8 };
enum { THRIFT_I32 = 5, THRIFT_BINARY = 8, THRIFT_STRUCT = 12 }; /* kinds of list items */

typedef struct thrift {
  buffer *out;
  int last[THRIFT_DEPTH]; /* the field written last, for each open structure */
  size_t depth;
} thrift;

void thrift_begin(thrift *t); /* a structure that is an item of a list */
void thrift_end(thrift *t);   /* of any structure, and of the whole */
void thrift_struct(thrift *t, int id);
void thrift_list(thrift *t, int id, int kind, size_t count); /* its items follow */
void thrift_boolean(thrift *t, int id, bool b);
void thrift_i32(thrift *t, int id, int32_t n);
void thrift_i64(thrift *t, int id, int64_t n);
void thrift_bytes(thrift *t, int id, const void *bytes, size_t size);
void thrift_text(thrift *t, int id, const char *text);
void thrift_varint(buffer *out, uint64_t n);
void thrift_zigzag(buffer *out, int64_t n); /* an i32 as an item */
void thrift_item(buffer *out, const void *bytes, size_t size);

/* ---- runs and packed bits (Encodings.md, "RLE / Bit-Packing Hybrid") ---- */

void parquet_runs(buffer *out, const uint32_t *values, size_t count, unsigned width);
unsigned parquet_width(size_t count); /* bits for an index below count, at least 1 */
void parquet_u32(buffer *out, uint32_t n);

/* ---- one value ---- */

enum { PARQUET_BOUND = 64 }; /* bytes of a text that may be a least or greatest value */

typedef struct parquet_cell {
  int64_t integer; /* also of booleans, dates and timestamps */
  double real;
  const char *bytes; /* as PLAIN has it, without a text's length */
  size_t size;
  char plain[8];
} parquet_cell;

/* 0; 1 when it is null; -1 when it does not fit. Bytes may point into the cell: do not copy it. */
int parquet_cell_read(parquet_type type, const value *v, buffer *scratch, parquet_cell *out);
const char *parquet_expected(parquet_type type); /* words for an error */
bool parquet_is_text(parquet_type type);         /* a BYTE_ARRAY */
void parquet_plain(buffer *out, parquet_type type, const char *bytes, size_t size);

/* Least and greatest value of a chunk, as Statistics has them. */
typedef struct parquet_bound {
  int64_t integer;
  double real;
  char bytes[PARQUET_BOUND];
  size_t size;
  bool cut; /* the first bytes of a longer text */
} parquet_bound;

typedef struct parquet_bounds {
  int64_t nulls, nans;
  bool known;
  parquet_bound least, most;
} parquet_bounds;

void parquet_bounds_take(parquet_bounds *b, parquet_type type, const parquet_cell *cell);
void parquet_bounds_write(thrift *t, int id, parquet_type type, const parquet_bounds *b);

/* ---- a dictionary: each different value once, PLAIN ---- */

enum { PARQUET_ENTRIES = 32768, PARQUET_DICTIONARY = 1024 * 1024 };

typedef struct parquet_dictionary {
  buffer bytes, starts; /* starts: uint32_t, one more than there are entries */
  uint32_t *slots;      /* 0: free, else an entry's index + 1 */
  size_t count, capacity;
} parquet_dictionary;

/* The value's index; -1 when it is new and there is no room. */
int64_t parquet_dictionary_add(parquet_dictionary *d, parquet_type type, const parquet_cell *cell);
void parquet_dictionary_expand(const parquet_dictionary *d, const buffer *indices, buffer *out);
void parquet_dictionary_free(parquet_dictionary *d); /* empty again */
size_t parquet_dictionary_size(const parquet_dictionary *d);

/* ---- a column in one row group ---- */

typedef struct parquet_chunk {
  const parquet_column *column;
  buffer levels, indices, plain; /* the page being filled; the first two of uint32_t */
  size_t page_rows, page_values;
  buffer pages; /* those that are done */
  size_t rows, values;
  size_t unpacked; /* bytes of all pages before packing, their headers too */
  bool plain_only, dictionary_used;
  parquet_dictionary dictionary;
  parquet_bounds bounds;
} parquet_chunk;

/* What all chunks share while a page is made. */
typedef struct parquet_press {
  parquet_pack *pack;
  buffer body, packed;
} parquet_press;

void parquet_chunk_init(parquet_chunk *c, const parquet_column *column);
void parquet_chunk_clear(parquet_chunk *c);
void parquet_chunk_free(parquet_chunk *c);
size_t parquet_chunk_add(parquet_chunk *c, const parquet_cell *cell); /* NULL: null. bytes kept */
bool parquet_chunk_full(const parquet_chunk *c);                      /* its page is to be cut */
size_t parquet_chunk_size(const parquet_chunk *c);                    /* bytes kept */
int parquet_chunk_cut(parquet_chunk *c, parquet_press *press, dts_error *e);
/* The dictionary's page, added to out; nothing when no page uses it. */
int parquet_chunk_dictionary(parquet_chunk *c, parquet_press *press, buffer *out, dts_error *e);

/* ---- the footer ---- */

void parquet_write_chunk(thrift *t, const parquet_chunk *c, bool packed, int64_t offset,
                         size_t dictionary_size);
void parquet_write_footer(buffer *out, const parquet_options *o, int64_t rows, size_t groups,
                          const buffer *group_bytes);

#endif
