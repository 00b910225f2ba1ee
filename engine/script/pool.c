/* pool.c -- see pool.h. In sanitized builds each block is malloc's, so that misuse is seen.
 *
 * SPDX-License-Identifier: MIT */
#include "script/pool.h"

#include <stdlib.h>
#include <string.h>

static size_t class_of(size_t size) { return (size + POOL_STEP - 1) / POOL_STEP; }

static bool is_ours(const pool *p, const void *block) {
  return p->bytes && (const char *)block >= p->bytes && (const char *)block < p->bytes + POOL_BYTES;
}

void pool_open(pool *p) {
  *p = (pool){0};
#ifndef DTS_SANITIZED
  p->bytes = malloc(POOL_BYTES);
#endif
}

void pool_close(pool *p) {
  free(p->bytes);
  free(p->kept);
  *p = (pool){0};
}

bool pool_keep(pool *p) {
  if (!p->bytes || p->spilled || !(p->kept = malloc(p->books.used))) return false;
  memcpy(p->kept, p->bytes, p->books.used);
  p->kept_books = p->books;
  return true;
}

void pool_restore(pool *p) {
  p->books = p->kept_books;
  if (p->kept) memcpy(p->bytes, p->kept, p->books.used);
}

static void *take(pool *p, size_t size) {
  size_t of = class_of(size);
  bool small = size <= POOL_LARGEST;
  if (!p->bytes || (!small && p->kept)) return malloc(size);
  void *block = small ? p->books.given[of] : NULL;
  if (block) return p->books.given[of] = *(void **)block, block;
  if (p->books.used + of * POOL_STEP > POOL_BYTES) return p->spilled = true, malloc(size);
  block = p->bytes + p->books.used;
  p->books.used += of * POOL_STEP;
  return block;
}

/* Large blocks of the time before pool_keep are not used again. */
static void give(pool *p, void *block, size_t size) {
  if (!is_ours(p, block)) return free(block);
  if (size > POOL_LARGEST) return;
  size_t of = class_of(size);
  *(void **)block = p->books.given[of];
  p->books.given[of] = block;
}

void *pool_move(pool *p, void *block, size_t old_size, size_t size) {
  if (!size) return block ? give(p, block, old_size) : (void)0, NULL;
  if (!block) return take(p, size);
  bool ours = is_ours(p, block);
  if (!ours && size > POOL_LARGEST) return realloc(block, size);
  if (ours && class_of(size) == class_of(old_size)) return block;
  void *moved = take(p, size);
  if (!moved) return size < old_size ? block : NULL;
  memcpy(moved, block, old_size < size ? old_size : size);
  give(p, block, old_size);
  return moved;
}
