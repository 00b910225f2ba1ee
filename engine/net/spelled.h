/* spelled.h -- finds secrets in bytes, in whatever spelling they stand there.
 *
 * One idea: each secret is looked for at every byte, and each of its bytes may be written in any of the
 * ways in which requests and replies write bytes: as it is, percent-encoded (once or twice), escaped in
 * JSON or HTML; also the whole as hexadecimal digits, or inside of a base64 text (Basic credentials).
 * Of a secret that is Basic credentials already, the password is looked for as well.
 * A secret of fewer than four bytes is taken for one only where it is a word of its own. Pure; a set
 * owns its copies.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_NET_SPELLED_H
#define DTS_NET_SPELLED_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

typedef struct spelled spelled; /* a set of secrets */

typedef struct spelled_place {
  const char *at, *name; /* name: the set's */
  size_t size;
  bool base64; /* characters beside it may hold a part of its bits */
} spelled_place;

spelled *spelled_open(void);
void spelled_close(spelled *s);                                                  /* NULL is fine */
void spelled_add(spelled *s, const char *name, const char *secret, size_t size); /* "" is none */

/* The next one at or after `from`, which stands in a text that begins at `start`. */
bool spelled_next(const spelled *s, const char *start, const char *from, const char *end,
                  spelled_place *out);

#endif
