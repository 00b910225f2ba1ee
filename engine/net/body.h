/* body.h -- the bytes of a reply as they come: small in memory, large in a sealed memory file.
 *
 * The limit is on decoded bytes, since that is what someone will have to hold: a few kilobytes of
 * gzip can be gigabytes. Private to engine/net; body_free releases what body_take has not handed
 * on.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_NET_BODY_H
#define DTS_NET_BODY_H

#include "net/fetch.h"

enum { BODY_SMALL = 64 * 1024 };

typedef struct body {
  buffer small;
  int fd; /* -1 while small */
  int64_t size, limit;
  bool too_large;
  int fault; /* errno of the memory file, 0 none */
} body;

void body_open(body *b, int64_t limit);
void body_free(body *b);
int body_add(body *b, const void *bytes, size_t size); /* 0, or -1: too_large or fault is set */
/* Before it is taken: secrets in it become asterisks (mask.h). 0, or -1 with `fault`. */
int body_mask(body *b, const value *secrets);
/* Seals, rewinds and moves everything into the reply. 0, or -1 with `fault`. */
int body_take(body *b, fetch_reply *reply);

#endif
