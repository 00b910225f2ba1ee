/* buffer.h -- a growing run of bytes with a limit given at birth.
 *
 * Failure is sticky: past its limit or without memory a buffer keeps what it has, drops the rest and
 * says so in `failed`, so a writer checks once, at the end. `data` is owned by the buffer and moves
 * when it grows; buffer_text() keeps a NUL behind the last byte, which `size` does not count.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_BASE_BUFFER_H
#define DTS_BASE_BUFFER_H

#include <stdbool.h>
#include <stddef.h>

typedef struct buffer {
  char *data;
  size_t size, capacity, limit;
  bool failed;
} buffer;

void buffer_init(buffer *b, size_t limit);                 /* empty; allocates nothing */
void buffer_free(buffer *b);                               /* empty again, same limit */
void buffer_clear(buffer *b);                              /* keeps the memory */
int buffer_reserve(buffer *b, size_t more);                /* room for `more` bytes: 0, or -1 */
int buffer_add(buffer *b, const void *bytes, size_t size); /* 0, or -1 (sticky) */
int buffer_add_char(buffer *b, char c);
int buffer_add_text(buffer *b, const char *text); /* up to the NUL */
int buffer_add_format(buffer *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buffer_drop(buffer *b, size_t size); /* forgets the first `size` bytes */
const char *buffer_text(buffer *b);       /* NUL-terminated view; "" when empty; never NULL */

#endif
