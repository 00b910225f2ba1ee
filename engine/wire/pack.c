/* pack.c -- writing the compact form that pack.h describes. Nothing here can fail but the buffer,
 * and that failure is sticky: whoever sends looks once, at the end.
 *
 * SPDX-License-Identifier: MIT */
#include "wire/pack.h"

#include <string.h>

#include "wire/tags.h"

/* A tag and a varint. */
static void add_counted(buffer *b, char tag, uint64_t n) {
  char bytes[11] = {tag};
  size_t size = 1;
  for (; n >= 0x80; n >>= 7) bytes[size++] = (char)(n | 0x80);
  bytes[size++] = (char)n;
  buffer_add(b, bytes, size);
}

void pack_null(buffer *b) { buffer_add_char(b, TAG_NULL); }
void pack_boolean(buffer *b, bool v) { buffer_add_char(b, v ? TAG_TRUE : TAG_FALSE); }

void pack_integer(buffer *b, int64_t n) {
  if (n >= 0 && n < TAG_SMALL_COUNT) {
    buffer_add_char(b, (char)(TAG_SMALL + n));
    return;
  }
  add_counted(b, TAG_INTEGER, ((uint64_t)n << 1) ^ (n < 0 ? UINT64_MAX : 0)); /* zigzag */
}

void pack_real(buffer *b, double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  char bytes[9] = {TAG_REAL};
  for (int i = 0; i < 8; i++) bytes[1 + i] = (char)(bits >> (8 * i));
  buffer_add(b, bytes, sizeof bytes);
}

void pack_text(buffer *b, const char *bytes, size_t size) {
  if (size >= TAG_SHORT_COUNT) {
    add_counted(b, TAG_TEXT, size);
    buffer_add(b, bytes, size);
    return;
  }
  if (buffer_reserve(b, size + 1) < 0) return;
  b->data[b->size] = (char)(TAG_SHORT + size);
  if (size) memcpy(b->data + b->size + 1, bytes, size);
  b->size += size + 1;
}

void pack_list(buffer *b, size_t count) { add_counted(b, TAG_LIST, count); }
void pack_map(buffer *b, size_t count) { add_counted(b, TAG_MAP, count); }
void pack_open_list(buffer *b) { buffer_add_char(b, TAG_OPEN_LIST); }
void pack_open_map(buffer *b) { buffer_add_char(b, TAG_OPEN_MAP); }
void pack_end(buffer *b) { buffer_add_char(b, TAG_END); }

static void add_list(buffer *b, const value *v) {
  pack_list(b, v->list.count);
  for (size_t i = 0; i < v->list.count; i++) pack_value(b, &v->list.items[i]);
}

static void add_map(buffer *b, const value *v) {
  pack_map(b, v->map.count);
  for (size_t i = 0; i < v->map.count; i++) {
    pack_value(b, &v->map.pairs[i].key);
    pack_value(b, &v->map.pairs[i].item);
  }
}

void pack_value(buffer *b, const value *v) {
  switch (v->kind) {
  case VALUE_NULL: pack_null(b); break;
  case VALUE_BOOLEAN: pack_boolean(b, v->boolean); break;
  case VALUE_INTEGER: pack_integer(b, v->integer); break;
  case VALUE_REAL: pack_real(b, v->real); break;
  case VALUE_TEXT: pack_text(b, v->text.bytes, v->text.size); break;
  case VALUE_LIST: add_list(b, v); break;
  case VALUE_MAP: add_map(b, v); break;
  }
}

static void add_named(buffer *b, const char *name, const char *text) {
  if (!text[0]) return;
  pack_text(b, name, strlen(name));
  pack_text(b, text, strlen(text));
}

void pack_error(buffer *b, const dts_error *e) {
  pack_open_map(b);
  add_named(b, "code", e->code);
  add_named(b, "message", e->message);
  add_named(b, "hint", e->hint);
  add_named(b, "where", e->where);
  pack_text(b, "retryable", 9);
  pack_boolean(b, e->retryable);
  if (e->retry_after_ms) pack_text(b, "retry_after_ms", 14), pack_integer(b, e->retry_after_ms);
  if (e->status) pack_text(b, "status", 6), pack_integer(b, e->status);
  pack_end(b);
}

bool pack_answer(buffer *b, const value *v) {
  dts_error e;
  pack_value(b, v);
  if (!b->failed) return true;
  error_fail(&e, "LIMIT_SIZE", "the answer is larger than %zu MB", b->limit >> 20);
  error_hint(&e, "ask for less at a time");
  buffer_clear(b);
  pack_error(b, &e);
  return false;
}
