/* arena.c -- see arena.h. Blocks of 16 KB, larger ones for larger requests.
 *
 * SPDX-License-Identifier: MIT */
#include "base/arena.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
  arena_block *next;
  size_t used, capacity;
  _Alignas(max_align_t) char bytes[];
};

enum { BLOCK = 16 * 1024, ALIGNMENT = _Alignof(max_align_t) };

static void *insist(void *block) {
  if (block) return block;
  fputs("dts: out of memory\n", stderr);
  abort();
}

void *memory_alloc(size_t size) { return insist(calloc(1, size ? size : 1)); }

void *memory_grow(void *block, size_t size) { return insist(realloc(block, size ? size : 1)); }

char *memory_text(const char *text) { return insist(strdup(text)); }

static arena_block *add_block(arena *a, size_t size) {
  size_t capacity = size > BLOCK / 4 ? size : BLOCK;
  arena_block *block = insist(malloc(sizeof *block + capacity));
  block->used = 0;
  block->capacity = capacity;
  if (a->blocks && capacity != BLOCK) { /* a large one goes behind, the current one stays in use */
    block->next = a->blocks->next;
    a->blocks->next = block;
  } else {
    block->next = a->blocks;
    a->blocks = block;
  }
  return block;
}

void *arena_alloc(arena *a, size_t size) {
  size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  arena_block *block = a->blocks;
  if (!block || block->capacity - block->used < size) block = add_block(a, size);
  void *memory = block->bytes + block->used;
  block->used += size;
  a->total += size;
  return memset(memory, 0, size);
}

char *arena_copy(arena *a, const void *bytes, size_t size) {
  char *copy = arena_alloc(a, size + 1);
  if (size) memcpy(copy, bytes, size);
  return copy;
}

char *arena_text(arena *a, const char *text) {
  return text ? arena_copy(a, text, strlen(text)) : NULL;
}

char *arena_format(arena *a, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int size = vsnprintf(NULL, 0, format, arguments);
  va_end(arguments);
  char *text = arena_alloc(a, (size_t)(size < 0 ? 0 : size) + 1);
  va_start(arguments, format);
  if (size >= 0) vsnprintf(text, (size_t)size + 1, format, arguments);
  va_end(arguments);
  return text;
}

void arena_free(arena *a) {
  for (arena_block *block = a->blocks; block;) {
    arena_block *next = block->next;
    free(block);
    block = next;
  }
  *a = (arena){0};
}
