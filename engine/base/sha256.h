/* sha256.h -- SHA-256 (FIPS 180-4), for programs that may not link a crypto library.
 *
 * For naming content, not for secrets: signatures and keys are crypto/'s. A hash is a plain value.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_BASE_SHA256_H
#define DTS_BASE_SHA256_H

#include <stddef.h>
#include <stdint.h>

enum { SHA256_SIZE = 32 };

typedef struct sha256 {
  uint32_t state[8];
  uint64_t size; /* bytes added */
  unsigned char block[64];
} sha256;

void sha256_open(sha256 *h);
void sha256_add(sha256 *h, const void *bytes, size_t size);
void sha256_finish(sha256 *h, unsigned char out[SHA256_SIZE]);

#endif
