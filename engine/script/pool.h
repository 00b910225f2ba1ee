/* pool.h -- the first megabyte of a Lua state, without malloc.
 *
 * The one idea: most runs are small and short, and a state takes and gives back thousands of little
 * blocks. They come out of one piece, by size. What a state holds before its script runs all lies in
 * that piece, so that a copy of its bytes is a copy of the state: after each run the piece is as it
 * was, for the price of copying it. What does not fit goes to malloc, and so does what is large, so
 * that large scripts lose nothing to pieces that do not match.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_POOL_H
#define DTS_SCRIPT_POOL_H

#include <stdbool.h>
#include <stddef.h>

enum { POOL_STEP = 16, POOL_LARGEST = 512, POOL_BYTES = 1024 * 1024 };

typedef struct pool_books {
  size_t used;
  void *given[POOL_LARGEST / POOL_STEP + 1]; /* by size, each holding the next */
} pool_books;

typedef struct pool {
  char *bytes; /* NULL: everything goes to malloc */
  pool_books books, kept_books;
  char *kept;   /* what lay in `bytes` at pool_keep, or NULL */
  bool spilled; /* before pool_keep something went to malloc */
} pool;

void pool_open(pool *p);
void pool_close(pool *p);
bool pool_keep(pool *p);    /* false when not all of the state lies in the pool */
void pool_restore(pool *p); /* as at pool_keep; without one, empty */
/* As Lua's allocator wants it: size 0 frees. Blocks of the pool and of malloc alike. */
void *pool_move(pool *p, void *block, size_t old_size, size_t size);

#endif
