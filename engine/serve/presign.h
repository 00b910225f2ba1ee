/* presign.h -- addresses that let their bearer do one thing for a while, without a key.
 *
 * The signature is HMAC-SHA256 over everything the address says: method, subject, size, expiry. It
 * is compared in constant time, and an address that was changed anywhere is refused like a forged
 * one. The secret is 32 random bytes in var/secret (mode 0600), made when missing.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SERVE_PRESIGN_H
#define DTS_SERVE_PRESIGN_H

#include <stdint.h>

#include "base/arena.h"
#include "serve/address.h"

enum { PRESIGN_SECRET = 32 };

typedef struct presigned {
  const char *method;  /* "PUT", "GET" */
  const char *subject; /* what it opens: a file's name, a file's id and name */
  int64_t size;        /* the most bytes it takes; -1: as configured */
  int64_t expires;     /* ms UTC */
} presigned;

int presign_secret(const char *path, unsigned char secret[PRESIGN_SECRET], dts_error *e);

/* "expires=..&size=..&signature=..": the query that goes behind the address. */
const char *presign_query(const unsigned char secret[PRESIGN_SECRET], const presigned *what,
                          arena *a);
/* Fills in size and expiry from the query and checks the signature: 0, or -1 with SIGNATURE or
 * EXPIRED, status 403. */
int presign_check(const unsigned char secret[PRESIGN_SECRET], presigned *what, const address *at,
                  int64_t now, arena *a, dts_error *e);

/* A file's name as it may come from outside: no '/', no "..", no control characters, 200 bytes. */
int presign_name_check(const char *name, dts_error *e);

#endif
