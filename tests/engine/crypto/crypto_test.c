/* crypto_test.c -- digests against published values and Wycheproof, text forms against RFC 4648.
 *
 * The crypto library does not read JSON, so the suite's file is taken apart here by its field
 * names.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crypto/crypto.h"

static const char ABC[] = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char NOTHING[] = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

static void hashes(void **state) { /* FIPS 180-2, appendix B */
  (void)state;
  char hex[CRYPTO_SHA256_HEX];
  crypto_sha256_hex("abc", 3, hex);
  assert_string_equal(hex, ABC);
  crypto_sha256_hex("", 0, hex);
  assert_string_equal(hex, NOTHING);
}

static void hashes_in_pieces(void **state) {
  (void)state;
  unsigned char digest[CRYPTO_SHA256];
  char hex[CRYPTO_SHA256_HEX];
  crypto_hash *hash = crypto_sha256_open();
  crypto_sha256_add(hash, "a", 1);
  crypto_sha256_add(hash, "", 0);
  crypto_sha256_add(hash, "bc", 2);
  crypto_sha256_finish(hash, digest);
  crypto_hex(digest, sizeof digest, hex);
  assert_string_equal(hex, ABC);
  crypto_sha256_free(crypto_sha256_open());
  crypto_sha256_free(NULL);
}

static void signs(void **state) { /* RFC 4231, case 2, and an empty key */
  (void)state;
  unsigned char mac[CRYPTO_SHA256];
  char hex[CRYPTO_SHA256_HEX];
  crypto_hmac_sha256("Jefe", 4, "what do ya want for nothing?", 28, mac);
  crypto_hex(mac, sizeof mac, hex);
  assert_string_equal(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  crypto_hmac_sha256(NULL, 0, "", 0, mac);
  crypto_hex(mac, sizeof mac, hex);
  assert_string_equal(hex, "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

static void compares(void **state) {
  (void)state;
  assert_true(crypto_equal("abc", "abc", 3));
  assert_false(crypto_equal("abc", "abd", 3));
  assert_true(crypto_equal("a", "b", 0));
}

static void reads_hex(void **state) {
  (void)state;
  unsigned char out[4];
  assert_int_equal(crypto_from_hex("00fFA1", 6, out), 0);
  assert_memory_equal(out, "\x00\xFF\xA1", 3);
  assert_int_equal(crypto_from_hex("0", 1, out), -1);
  assert_int_equal(crypto_from_hex("0g", 2, out), -1);
  assert_int_equal(crypto_from_hex("", 0, out), 0);
}

typedef int codec(buffer *, const char *, size_t);

static void assert_decoded(codec *decode, const char *text, const char *expected) {
  buffer b;
  buffer_init(&b, 100);
  assert_int_equal(decode(&b, text, strlen(text)), 0);
  assert_string_equal(buffer_text(&b), expected);
  buffer_free(&b);
}

static void assert_not(codec *decode, const char *text) {
  buffer b;
  buffer_init(&b, 100);
  buffer_add_text(&b, "kept");
  if (decode(&b, text, strlen(text)) == 0) fail_msg("%s was taken", text);
  assert_string_equal(buffer_text(&b), "kept");
  buffer_free(&b);
}

static void knows_base64(void **state) { /* RFC 4648, section 10 */
  (void)state;
  const char *const pairs[][2] = {{"", ""},
                                  {"f", "Zg=="},
                                  {"fo", "Zm8="},
                                  {"foo", "Zm9v"},
                                  {"foob", "Zm9vYg=="},
                                  {"fooba", "Zm9vYmE="},
                                  {"foobar", "Zm9vYmFy"}};
  buffer b;
  buffer_init(&b, 100);
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
    buffer_clear(&b);
    assert_int_equal(crypto_base64(&b, pairs[i][0], strlen(pairs[i][0])), 0);
    assert_string_equal(buffer_text(&b), pairs[i][1]);
    assert_decoded(crypto_from_base64, pairs[i][1], pairs[i][0]);
  }
  buffer_clear(&b);
  crypto_base64(&b, "\xFB\xFF\xFE", 3);
  crypto_base64url(&b, "\xFB\xFF\xFE\xFB", 4);
  assert_string_equal(buffer_text(&b), "+//+-__--w");
  buffer_free(&b);
}

static void refuses_lax_base64(void **state) {
  (void)state;
  const char *const bad[] = {"Zg",   "Zg=",          "Zh==", "Zm9=", "Zg==\n", " Zg==",   "Z===",
                             "====", "Zm9vZg==Zg==", "Zm9-", "A",    "Zm=v",   "Zg==Zg=="};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_not(crypto_from_base64, bad[i]);
}

/* The text of field `name` behind `at`, as bytes. NULL when there is no such field any more. */
static const char *field(const char *at, const char *name, char *out) {
  char quoted[40];
  snprintf(quoted, sizeof quoted, "\"%s\": \"", name);
  at = strstr(at, quoted);
  if (!at) return NULL;
  at += strlen(quoted);
  size_t size = strcspn(at, "\"");
  assert_true(size < 4000);
  memcpy(out, at, size);
  out[size] = '\0';
  return at + size;
}

static int check_case(const char *key, const char *message, const char *tag) {
  unsigned char bytes[2][2000], tag_bytes[64], mac[CRYPTO_SHA256];
  assert_int_equal(crypto_from_hex(key, strlen(key), bytes[0]), 0);
  assert_int_equal(crypto_from_hex(message, strlen(message), bytes[1]), 0);
  assert_int_equal(crypto_from_hex(tag, strlen(tag), tag_bytes), 0);
  crypto_hmac_sha256(bytes[0], strlen(key) / 2, bytes[1], strlen(message) / 2, mac);
  return crypto_equal(mac, tag_bytes, strlen(tag) / 2);
}

static void passes_wycheproof(void **state) {
  (void)state;
  const char path[] = TEST_DATA "/suites/wycheproof/hmac_sha256_test.json";
  FILE *file = fopen(path, "rb");
  if (!file) {
    printf("skipped: %s is not here\n", path);
    skip();
  }
  char *text = calloc(1, 1 << 20), part[4][4000];
  assert_true(fread(text, 1, (1 << 20) - 1, file) > 0);
  fclose(file);
  int good = 0, bad = 0;
  for (const char *at = strstr(text, "testGroups"); (at = field(at, "key", part[0]));) {
    at = field(at, "msg", part[1]);
    at = field(at, "tag", part[2]);
    at = field(at, "result", part[3]);
    bool valid = strcmp(part[3], "valid") == 0;
    assert_int_equal(check_case(part[0], part[1], part[2]), valid);
    good += valid, bad += !valid;
  }
  free(text);
  printf("Wycheproof HMAC-SHA256: %d valid, %d invalid\n", good, bad);
  assert_int_equal(good + bad, 174);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(hashes),
      cmocka_unit_test(hashes_in_pieces),
      cmocka_unit_test(signs),
      cmocka_unit_test(compares),
      cmocka_unit_test(reads_hex),
      cmocka_unit_test(knows_base64),
      cmocka_unit_test(refuses_lax_base64),
      cmocka_unit_test(passes_wycheproof),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
