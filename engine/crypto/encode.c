/* encode.c -- bytes as hex and base64 (RFC 4648), strict when reading.
 *
 * One text for each run of bytes: padding must be there (base64) or may (base64url), and the bits
 * that the last character has left over must be zero (section 3.5), so that a signature has no
 * second spelling.
 *
 * SPDX-License-Identifier: MIT */
#include <stdint.h>

#include "crypto/crypto.h"

static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void crypto_hex(const void *bytes, size_t size, char *out) {
  static const char digits[] = "0123456789abcdef";
  const unsigned char *at = bytes;
  for (size_t i = 0; i < size; i++) {
    *out++ = digits[at[i] >> 4];
    *out++ = digits[at[i] & 15];
  }
  *out = '\0';
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

int crypto_from_hex(const char *text, size_t size, unsigned char *out) {
  if (size % 2) return -1;
  for (size_t i = 0; i < size; i += 2) {
    int high = hex_digit(text[i]), low = hex_digit(text[i + 1]);
    if (high < 0 || low < 0) return -1;
    out[i / 2] = (unsigned char)(high << 4 | low);
  }
  return 0;
}

static int encode(buffer *out, const unsigned char *at, size_t size, const char *letters,
                  bool padded) {
  for (; size; at += size < 3 ? size : 3, size -= size < 3 ? size : 3) {
    size_t n = size < 3 ? size : 3;
    uint32_t bits = (uint32_t)at[0] << 16;
    if (n > 1) bits |= (uint32_t)at[1] << 8;
    if (n > 2) bits |= at[2];
    char four[4] = {letters[bits >> 18], letters[bits >> 12 & 63], letters[bits >> 6 & 63],
                    letters[bits & 63]};
    for (size_t i = n + 1; i < 4; i++) four[i] = '=';
    buffer_add(out, four, padded ? 4 : n + 1);
  }
  return out->failed ? -1 : 0;
}

int crypto_base64(buffer *out, const void *bytes, size_t size) {
  return encode(out, bytes, size, plain, true);
}

int crypto_base64url(buffer *out, const void *bytes, size_t size) {
  return encode(out, bytes, size, url, false);
}

static int value_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == plain[62] ? 62 : c == plain[63] ? 63 : -1;
}

/* `n` characters, 2 to 4, of one group. */
static int decode_group(buffer *out, const char *text, size_t n) {
  uint32_t bits = 0;
  for (size_t i = 0; i < 4; i++) {
    int v = i < n ? value_of(text[i]) : 0;
    if (v < 0) return -1;
    bits = bits << 6 | (uint32_t)v;
  }
  char bytes[3] = {(char)(bits >> 16), (char)(bits >> 8), (char)bits};
  bool left = (n < 4 && bytes[2]) || (n < 3 && bytes[1]);
  return left ? -1 : buffer_add(out, bytes, n - 1);
}

static int decode(buffer *out, const char *text, size_t size) {
  size_t before = out->size;
  for (size_t i = 0; i < size; i += 4) {
    size_t n = size - i < 4 ? size - i : 4;
    if (n >= 2 && decode_group(out, text + i, n) == 0) continue;
    out->size = before;
    return -1;
  }
  return 0;
}

static size_t padding(const char *text, size_t size) {
  if (size < 4 || size % 4 || text[size - 1] != '=') return 0;
  return text[size - 2] == '=' ? 2 : 1;
}

int crypto_from_base64(buffer *out, const char *text, size_t size) {
  return size % 4 ? -1 : decode(out, text, size - padding(text, size));
}
