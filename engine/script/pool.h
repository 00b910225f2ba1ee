/* pool.h -- the first half megabyte of a Lua state, without malloc.
 *
 * The one idea: most runs are small and short, and a state takes and gives back thousands of little
 * blocks. They come out of one piece, by size; it is forgotten as a whole when the state is closed.
 * What does not fit goes to malloc, so that large scripts lose nothing to pieces that do not match.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_POOL_H
#define DTS_SCRIPT_POOL_H

#include <stdbool.h>
#include <stddef.h>

enum { POOL_STEP = 16, POOL_LARGEST = 512, POOL_BYTES = 512 * 1024 };

typedef struct pool {
  char *bytes; /* NULL: everything goes to malloc */
  size_t used;
  void *given[POOL_LARGEST / POOL_STEP + 1]; /* by size, each holding the next */
} pool;

void pool_open(pool *p);
void pool_close(pool *p);
void pool_forget(pool *p); /* all blocks at once */
/* As Lua's allocator wants it: size 0 frees. Blocks of the pool and of malloc alike. */
void *pool_move(pool *p, void *block, size_t old_size, size_t size);

#endif
