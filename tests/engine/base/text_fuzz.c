/* text_fuzz.c -- any bytes in any encoding: decoded whole and in pieces they give the same text, and
 * what comes out is UTF-8.
 *
 * SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int decode(text_encoding encoding, const char *bytes, size_t size, size_t piece,
                  buffer *out) {
  text_decoder d;
  int status = 0;
  text_decoder_open(&d, encoding);
  buffer_init(out, SIZE_MAX / 2);
  for (size_t at = 0, n; status == 0 && at <= size; at += n ? n : 1) {
    n = size - at < piece ? size - at : piece;
    char *copy = malloc(n + !n);
    memcpy(copy, bytes + at, n);
    status = text_decode(&d, copy, n, at + n == size, out, NULL);
    free(copy);
    if (at + n == size) break;
  }
  return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 2) return 0;
  text_encoding encoding = (text_encoding)(data[0] % 5);
  const char *bytes = (const char *)data + 2;
  char shown[TEXT_SHORT];
  buffer whole, pieces;
  int a = decode(encoding, bytes, size - 2, size, &whole);
  int b = decode(encoding, bytes, size - 2, 1u + data[1] % 5, &pieces);
  if (a != b || (a == 0 && whole.size != pieces.size)) abort();
  if (a == 0 && whole.size && memcmp(whole.data, pieces.data, whole.size) != 0) abort();
  if (whole.size && !text_is_utf8(whole.data, whole.size, NULL)) abort();
  text_shorten(shown, bytes, size - 2);
  if (!text_is_utf8(shown, strlen(shown), NULL)) abort();
  buffer_free(&whole);
  buffer_free(&pieces);
  return 0;
}
