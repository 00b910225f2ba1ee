/* decode.h -- undoes the Content-Encoding of a body while it comes in, in pieces of any size.
 *
 * One idea: what has arrived is handed on decoded at once, and only the end tells whether it was
 * whole: decode_end refuses a body that was cut short, whatever its announced length said. No size
 * that packed bytes claim is believed; what comes out is counted against the limit as it comes, and
 * so is what goes in and what lies between two codings (an eighth more), since empty members can
 * make an endless stream of nothing. A decoder is owned by its caller and freed by decode_free.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_PACK_DECODE_H
#define DTS_PACK_DECODE_H

#include <stddef.h>

#include "base/error.h"

enum { DECODE_CODINGS = 2 }; /* one upon the other, at most */

typedef struct decode decode;
typedef int decode_put(void *arg, const void *bytes, size_t size); /* 0, or -1: stop */

/* What a request may say in Accept-Encoding. */
#define DECODE_ACCEPTED "gzip, deflate, br, zstd"

/* `codings` is the header's text: gzip, x-gzip, deflate (zlib or raw), br, zstd, identity, in the
 * order they were applied (RFC 9110 section 8.4). NULL with code CODING for another one or too
 * many. */
decode *decode_open(const char *codings, size_t limit, decode_put *put, void *arg, dts_error *e);
/* 0, or -1 and it is over: PACK (damaged), LIMIT_SIZE, or CANCELLED when `put` said stop. */
int decode_feed(decode *d, const void *bytes, size_t size, dts_error *e);
/* 0 when everything came; -1 PACK when the data ends too early. No byte at all is an empty body. */
int decode_end(const decode *d, dts_error *e);
void decode_free(decode *d);

#endif
