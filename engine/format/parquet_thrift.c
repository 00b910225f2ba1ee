/* parquet_thrift.c -- Thrift's compact protocol, as far as Parquet needs it: writing only.
 *
 * Source: Apache Thrift, doc/specs/thrift-compact-protocol.md. Field ids are written as the
 * difference to the one before; whole numbers as zigzag varints; a structure ends with a zero byte.
 * It keeps no state but the ids, and checks nothing: a full buffer says so itself.
 *
 * SPDX-License-Identifier: MIT */
#include <assert.h>
#include <string.h>

#include "format/parquet_parts.h"

enum { BOOLEAN_TRUE = 1, BOOLEAN_FALSE = 2, I64 = 6, LIST = 9 };

void thrift_varint(buffer *out, uint64_t n) {
  for (; n >= 0x80; n >>= 7) buffer_add_char(out, (char)(n | 0x80));
  buffer_add_char(out, (char)n);
}

void thrift_zigzag(buffer *out, int64_t n) {
  thrift_varint(out, ((uint64_t)n << 1) ^ (n < 0 ? UINT64_MAX : 0));
}

void thrift_item(buffer *out, const void *bytes, size_t size) {
  thrift_varint(out, size);
  buffer_add(out, bytes, size);
}

static void add_field(thrift *t, int id, int kind) {
  int step = id - t->last[t->depth];
  t->last[t->depth] = id;
  if (step > 0 && step < 16) {
    buffer_add_char(t->out, (char)(step << 4 | kind));
    return;
  }
  buffer_add_char(t->out, (char)kind);
  thrift_zigzag(t->out, id);
}

void thrift_begin(thrift *t) {
  assert(t->depth + 1 < THRIFT_DEPTH);
  t->last[++t->depth] = 0;
}

void thrift_end(thrift *t) {
  buffer_add_char(t->out, 0);
  if (t->depth) t->depth--;
}

void thrift_struct(thrift *t, int id) {
  add_field(t, id, THRIFT_STRUCT);
  thrift_begin(t);
}

void thrift_list(thrift *t, int id, int kind, size_t count) {
  add_field(t, id, LIST);
  if (count < 15) {
    buffer_add_char(t->out, (char)(count << 4 | (size_t)kind));
    return;
  }
  buffer_add_char(t->out, (char)(0xf0 | kind));
  thrift_varint(t->out, count);
}

void thrift_boolean(thrift *t, int id, bool b) {
  add_field(t, id, b ? BOOLEAN_TRUE : BOOLEAN_FALSE);
}

void thrift_i32(thrift *t, int id, int32_t n) {
  add_field(t, id, THRIFT_I32);
  thrift_zigzag(t->out, n);
}

void thrift_i64(thrift *t, int id, int64_t n) {
  add_field(t, id, I64);
  thrift_zigzag(t->out, n);
}

void thrift_bytes(thrift *t, int id, const void *bytes, size_t size) {
  add_field(t, id, THRIFT_BINARY);
  thrift_item(t->out, bytes, size);
}

void thrift_text(thrift *t, int id, const char *text) { thrift_bytes(t, id, text, strlen(text)); }
