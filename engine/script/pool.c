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
  *p = (pool){0};
}

void pool_forget(pool *p) {
  p->used = 0;
  memset(p->given, 0, sizeof p->given);
}

static void *take(pool *p, size_t size) {
  size_t of = class_of(size);
  if (!p->bytes || size > POOL_LARGEST) return malloc(size);
  void *block = p->given[of];
  if (block) return p->given[of] = *(void **)block, block;
  if (p->used + of * POOL_STEP > POOL_BYTES) return malloc(size);
  block = p->bytes + p->used;
  p->used += of * POOL_STEP;
  return block;
}

static void give(pool *p, void *block, size_t size) {
  if (!is_ours(p, block)) return free(block);
  size_t of = class_of(size);
  *(void **)block = p->given[of];
  p->given[of] = block;
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
