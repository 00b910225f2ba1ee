/* coding.h -- gzip, deflate, zstd and brotli behind one face: bytes in, bytes out, whole or not.
 *
 * Behind the end of a gzip, deflate or brotli stream anything may stand and is passed over, as
 * browsers do; behind a gzip member another member (RFC 1952 section 2.2), behind a zstd frame
 * another frame, and nothing else. Private to engine/pack; a state is owned by whoever opened it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_PACK_CODING_H
#define DTS_PACK_CODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct coding_io {
  const uint8_t *in; /* moves on, as `left` goes down */
  size_t left;
  uint8_t *out;
  size_t room, made; /* made is set by each step */
} coding_io;

typedef struct coding {
  const char *names[3];
  void *(*open)(void);                             /* NULL without memory */
  const char *(*step)(void *state, coding_io *io); /* NULL, or what is wrong with the data */
  bool (*whole)(const void *state);                /* may the data end here? */
  void (*close)(void *state);
} coding;

const coding *coding_find(const char *name, size_t size); /* NULL: not known */

#endif
