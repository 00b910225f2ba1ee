/* arena.h -- memory that is freed all at once.
 *
 * Whatever an arena gives out lives until arena_free() or arena_reset(); nothing in it is freed
 * alone. Memory comes zeroed and aligned for any type. When the system has none left the process
 * ends with a clear line on standard error: an engine that cannot allocate a few kilobytes cannot
 * keep its promises, and a worker that cannot has reached its limit. (Large, foreign sizes go
 * through buffer.h, which refuses instead.)
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_BASE_ARENA_H
#define DTS_BASE_ARENA_H

#include <stddef.h>

typedef struct arena_block arena_block;
typedef struct arena {
  arena_block *blocks;
  size_t total; /* bytes given out */
} arena;

void *arena_alloc(arena *a, size_t size);
char *arena_copy(arena *a, const void *bytes, size_t size); /* with a NUL behind the last byte */
char *arena_text(arena *a, const char *text);               /* NULL gives NULL */
char *arena_format(arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
void arena_free(arena *a); /* an arena of zeros is empty and may be freed */

/* malloc, calloc-style, and strdup that end the process instead of returning NULL; free() them. */
void *memory_alloc(size_t size);
void *memory_grow(void *block, size_t size);
char *memory_text(const char *text);

#endif
