/* pack.h -- values as bytes, in a compact form of our own.
 *
 * One tag byte, then: null 0x00 · false 0x01 · true 0x02 · integer 0x03 + zigzag varint · real 0x04 + 8
 * bytes little-endian · text 0x05 + varint size + bytes · list 0x06 + varint count + items · map 0x07 +
 * varint count + (text, item)s · 0x20..0x7f small non-negative integers 0..95 · 0x80..0xff text of 0..127
 * bytes. Depth at most 128. A list or a map whose count is not known yet is 0x08 or 0x09 + items + 0x0a.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_WIRE_PACK_H
#define DTS_WIRE_PACK_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "format/value.h"

void pack_null(buffer *b);
void pack_boolean(buffer *b, bool v);
void pack_integer(buffer *b, int64_t n);
void pack_real(buffer *b, double x);
void pack_text(buffer *b, const char *bytes, size_t size);
void pack_list(buffer *b, size_t count); /* then the items */
void pack_map(buffer *b, size_t count);  /* then text, item, text, item ... */
void pack_open_list(buffer *b);          /* count unknown; close with pack_end */
void pack_open_map(buffer *b);
void pack_end(buffer *b);
void pack_value(buffer *b, const value *v);
void pack_error(buffer *b, const dts_error *e); /* a map: code message hint where retryable ... */
/* The value; or, when `b` has no room for it, LIMIT_SIZE as an error: then false. */
bool pack_answer(buffer *b, const value *v);

typedef struct unpack {
  const char *at, *end;
} unpack;

/* The next value. Scalars come whole (texts borrow the bytes, no NUL); a list or map comes as its
 * head alone, count set (UNPACK_OPEN when not known), items NULL: read them with further calls. For the
 * end mark of an open one, *ended is set. -1 with code WIRE on anything malformed. */
#define UNPACK_OPEN ((size_t)-1)
int unpack_next(unpack *u, value *v, bool *ended, dts_error *e);
int unpack_skip(unpack *u, dts_error *e); /* over one whole value */
/* A whole tree in the arena, its texts copied and NUL-terminated. Depth at most 128. */
int unpack_value(unpack *u, arena *a, value *v, dts_error *e);
void unpack_error(const value *map, dts_error *e); /* back from pack_error's map */

#endif
