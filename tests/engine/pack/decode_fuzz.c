/* decode_fuzz.c -- libFuzzer's way into decode.c. The first byte chooses coding and piece size; the
 * rest is the body, fed whole and in pieces: both must come to the same bytes and the same verdict,
 * within the limit.
 * clang -g -O1 -fsanitize=fuzzer,address,undefined -D_GNU_SOURCE -Iengine
 *   tests/engine/pack/decode_fuzz.c engine/pack/{decode,coding}.c engine/base/{buffer,error}.c
 *   -lz -lzstd -lbrotlidec
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "pack/decode.h"

enum { LIMIT = 256 * 1024 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const codings[] = {"gzip", "deflate", "br", "zstd", "gzip, br", "zstd, deflate"};

static int keep(void *arg, const void *bytes, size_t size) {
  buffer *b = arg;
  if (size > LIMIT - b->size) abort();
  return buffer_add(b, bytes, size);
}

static int decode_all(const char *coding, const uint8_t *data, size_t size, size_t step,
                      buffer *out) {
  decode *d = decode_open(coding, LIMIT, keep, out, NULL);
  int status = 0;
  for (size_t at = 0; status == 0 && at < size; at += step)
    status = decode_feed(d, data + at, size - at < step ? size - at : step, NULL);
  if (status == 0) status = decode_end(d, NULL);
  decode_free(d);
  return status;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!size) return 0;
  const char *coding = codings[*data % (sizeof codings / sizeof *codings)];
  size_t step = 1 + (*data >> 3);
  buffer one, other;
  buffer_init(&one, LIMIT);
  buffer_init(&other, LIMIT);
  int status = decode_all(coding, data + 1, size - 1, size, &one);
  if (decode_all(coding, data + 1, size - 1, step, &other) != status) abort();
  bool same = one.size == other.size && !memcmp(buffer_text(&one), buffer_text(&other), one.size);
  if (status == 0 && !same) abort();
  buffer_free(&one);
  buffer_free(&other);
  return 0;
}
