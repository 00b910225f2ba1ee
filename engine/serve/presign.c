/* presign.c -- see presign.h.
 *
 * SPDX-License-Identifier: MIT */
#include "serve/presign.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/random.h"
#include "base/text.h"
#include "crypto/crypto.h"

int presign_secret(const char *path, unsigned char secret[PRESIGN_SECRET], dts_error *e) {
  buffer b;
  buffer_init(&b, PRESIGN_SECRET);
  if (!file_exists(path)) {
    random_bytes(secret, PRESIGN_SECRET);
    return file_write_atomic(path, secret, PRESIGN_SECRET, 0600, e);
  }
  int rc = file_read(path, PRESIGN_SECRET, &b, e);
  if (rc == 0 && b.size != PRESIGN_SECRET) {
    rc = error_fail(e, "SECRET", "%s holds %zu bytes, %d expected", path, b.size, PRESIGN_SECRET);
    error_hint(e, "remove it: a new one is made, and addresses signed until now end");
  }
  if (rc == 0) memcpy(secret, b.data, PRESIGN_SECRET);
  buffer_free(&b);
  return rc;
}

static void sign(const unsigned char *secret, const presigned *what, arena *a, char hex[65]) {
  unsigned char mac[CRYPTO_SHA256];
  const char *text = arena_format(a, "%s\n%s\n%lld\n%lld", what->method, what->subject,
                                  (long long)what->size, (long long)what->expires);
  crypto_hmac_sha256(secret, PRESIGN_SECRET, text, strlen(text), mac);
  crypto_hex(mac, sizeof mac, hex);
}

const char *presign_query(const unsigned char secret[PRESIGN_SECRET], const presigned *what,
                          arena *a) {
  char hex[65];
  sign(secret, what, a, hex);
  const char *size = what->size >= 0 ? arena_format(a, "size=%lld&", (long long)what->size) : "";
  return arena_format(a, "expires=%lld&%ssignature=%s", (long long)what->expires, size, hex);
}

static int number(const address *at, const char *name, int64_t otherwise, int64_t *out) {
  const char *text = address_query(at, name);
  *out = otherwise;
  if (!text) return 0;
  size_t size = strlen(text);
  if (!size || size > 15 || strspn(text, "0123456789") != size || (size > 1 && *text == '0'))
    return -1;
  *out = strtoll(text, NULL, 10);
  return 0;
}

static int refuse(dts_error *e, const char *code, const char *message) {
  error_fail(e, code, "%s", message);
  error_hint(e, "ask for a fresh one: POST /api/v1/uploads, or GET /api/v1/files/ID/link");
  if (e) e->status = 403;
  return -1;
}

int presign_check(const unsigned char secret[PRESIGN_SECRET], presigned *what, const address *at,
                  int64_t now, arena *a, dts_error *e) {
  char hex[65];
  const char *given = address_query(at, "signature");
  bool read =
      number(at, "expires", 0, &what->expires) == 0 && number(at, "size", -1, &what->size) == 0;
  sign(secret, what, a, hex);
  bool known = at->pair_count == (what->size >= 0 ? 3u : 2u); /* nothing unsigned rides along */
  if (!read || !known || !given || strlen(given) != 64 || !crypto_equal(given, hex, 64))
    return refuse(e, "SIGNATURE", "the signature of this address is not right");
  if (what->expires <= now) return refuse(e, "EXPIRED", "this address has expired");
  return 0;
}

int presign_name_check(const char *name, dts_error *e) {
  size_t size = name ? strlen(name) : 0;
  bool fine = size && size <= 200 && name[0] != '.' && text_is_utf8(name, size, NULL);
  for (size_t i = 0; fine && i < size; i++) {
    unsigned char c = (unsigned char)name[i];
    fine = c >= 32 && c != 127 && c != '/' && c != '\\';
  }
  if (fine && !strstr(name, "..")) return 0;
  char shown[TEXT_SHORT];
  error_fail(e, "FILE_NAME", "%s is no name for a file",
             text_shorten(shown, name ? name : "", size));
  error_hint(e, "a name has no '/', no '..' and no control characters, does not begin with '.', "
                "and is at most 200 bytes");
  if (e) e->status = 422;
  return -1;
}
