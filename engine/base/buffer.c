/* buffer.c -- see buffer.h.
 *
 * SPDX-License-Identifier: MIT */
#include "base/buffer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void buffer_init(buffer *b, size_t limit) { *b = (buffer){.limit = limit}; }

void buffer_free(buffer *b) {
  free(b->data);
  buffer_init(b, b->limit);
}

void buffer_clear(buffer *b) {
  b->size = 0;
  b->failed = false;
}

static int grow(buffer *b, size_t needed) {
  size_t capacity = b->capacity ? b->capacity : 64;
  while (capacity < needed) capacity += capacity / 2;
  char *grown = realloc(b->data, capacity);
  if (!grown) return b->failed = true, -1;
  b->data = grown;
  b->capacity = capacity;
  return 0;
}

static inline int reserve(buffer *b, size_t more) {
  if (b->failed || more > b->limit || b->size > b->limit - more) return b->failed = true, -1;
  size_t needed = b->size + more + 1; /* one more for buffer_text()'s NUL */
  return needed <= b->capacity ? 0 : grow(b, needed);
}

int buffer_reserve(buffer *b, size_t more) { return reserve(b, more); }

int buffer_add(buffer *b, const void *bytes, size_t size) {
  if (reserve(b, size) < 0) return -1;
  if (size) memcpy(b->data + b->size, bytes, size);
  b->size += size;
  return 0;
}

int buffer_add_char(buffer *b, char c) {
  if (reserve(b, 1) < 0) return -1;
  b->data[b->size++] = c;
  return 0;
}

int buffer_add_text(buffer *b, const char *text) { return buffer_add(b, text, strlen(text)); }

int buffer_add_format(buffer *b, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int size = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  if (size < 0 || buffer_reserve(b, (size_t)size) < 0) return b->failed = true, -1;
  va_start(arguments, format);
  vsnprintf(b->data + b->size, (size_t)size + 1, format, arguments);
  va_end(arguments);
  b->size += (size_t)size;
  return 0;
}

void buffer_drop(buffer *b, size_t size) {
  if (size > b->size) size = b->size;
  b->size -= size;
  if (b->size) memmove(b->data, b->data + size, b->size);
}

const char *buffer_text(buffer *b) {
  if (!b->data && buffer_reserve(b, 0) < 0) return "";
  b->data[b->size] = '\0';
  return b->data;
}
