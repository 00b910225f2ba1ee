/* crypto.c -- see crypto.h: the part that OpenSSL 3 computes. Text forms are in encode.c.
 *
 * SPDX-License-Identifier: MIT */
#include "crypto/crypto.h"

#include <limits.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <stdlib.h>

struct crypto_hash {
  EVP_MD_CTX *context;
};

static void insist(bool done) {
  if (done) return;
  fputs("dts: SHA-256 cannot be computed: no memory, or no OpenSSL provider\n", stderr);
  abort();
}

void crypto_sha256(const void *bytes, size_t size, unsigned char out[CRYPTO_SHA256]) {
  insist(EVP_Digest(bytes, size, out, NULL, EVP_sha256(), NULL) == 1);
}

void crypto_sha256_hex(const void *bytes, size_t size, char out[CRYPTO_SHA256_HEX]) {
  unsigned char digest[CRYPTO_SHA256];
  crypto_sha256(bytes, size, digest);
  crypto_hex(digest, sizeof digest, out);
}

void crypto_hmac_sha256(const void *key, size_t key_size, const void *bytes, size_t size,
                        unsigned char out[CRYPTO_SHA256]) {
  unsigned written = 0;
  insist(key_size <= INT_MAX);
  insist(HMAC(EVP_sha256(), key_size ? key : "", (int)key_size, bytes, size, out, &written));
  insist(written == CRYPTO_SHA256);
}

crypto_hash *crypto_sha256_open(void) {
  crypto_hash *hash = malloc(sizeof *hash);
  insist(hash);
  hash->context = EVP_MD_CTX_new();
  insist(hash->context && EVP_DigestInit_ex(hash->context, EVP_sha256(), NULL) == 1);
  return hash;
}

void crypto_sha256_add(crypto_hash *hash, const void *bytes, size_t size) {
  insist(EVP_DigestUpdate(hash->context, bytes, size) == 1);
}

void crypto_sha256_finish(crypto_hash *hash, unsigned char out[CRYPTO_SHA256]) {
  insist(EVP_DigestFinal_ex(hash->context, out, NULL) == 1);
  crypto_sha256_free(hash);
}

void crypto_sha256_free(crypto_hash *hash) {
  if (!hash) return;
  EVP_MD_CTX_free(hash->context);
  free(hash);
}

bool crypto_equal(const void *a, const void *b, size_t size) {
  return CRYPTO_memcmp(a, b, size) == 0;
}
