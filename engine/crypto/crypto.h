/* crypto.h -- SHA-256, HMAC, and bytes as hex and base64.
 *
 * OpenSSL does the arithmetic; what it hands out for text it does too laxly for signatures, so hex
 * and base64 are our own and strict. A hash that cannot be computed (no memory, no provider) ends
 * the process: a wrong digest must never look like one. Only crypto_hash is owned, until its
 * _finish.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_CRYPTO_CRYPTO_H
#define DTS_CRYPTO_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buffer.h"

enum { CRYPTO_SHA256 = 32, CRYPTO_SHA256_HEX = 65 }; /* bytes; characters with the NUL */

/* One go. */
void crypto_sha256(const void *bytes, size_t size, unsigned char out[CRYPTO_SHA256]);
void crypto_sha256_hex(const void *bytes, size_t size, char out[CRYPTO_SHA256_HEX]);
void crypto_hmac_sha256(const void *key, size_t key_size, const void *bytes, size_t size,
                        unsigned char out[CRYPTO_SHA256]);

/* In pieces. _finish gives the digest and frees; _free drops an unfinished one (NULL is fine). */
typedef struct crypto_hash crypto_hash;
crypto_hash *crypto_sha256_open(void);
void crypto_sha256_add(crypto_hash *hash, const void *bytes, size_t size);
void crypto_sha256_finish(crypto_hash *hash, unsigned char out[CRYPTO_SHA256]);
void crypto_sha256_free(crypto_hash *hash);

/* Equal, in a time that depends on the size only. */
bool crypto_equal(const void *a, const void *b, size_t size);

/* Hex: lower case out (2 * size characters and a NUL), either case in (size / 2 bytes; 0 or -1). */
void crypto_hex(const void *bytes, size_t size, char *out);
int crypto_from_hex(const char *text, size_t size, unsigned char *out);

/* RFC 4648. base64 is padded and base64url is not. Reading is strict: no white space, no bits left
 * over. 0, or -1: not base64, or a full buffer. */
int crypto_base64(buffer *out, const void *bytes, size_t size);
int crypto_base64url(buffer *out, const void *bytes, size_t size);
int crypto_from_base64(buffer *out, const char *text, size_t size);

#endif
