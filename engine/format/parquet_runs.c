/* parquet_runs.c -- small numbers as runs and packed bits: levels and dictionary indices.
 *
 * Source: parquet-format, Encodings.md, "Run Length Encoding / Bit-Packing Hybrid". Eight or more
 * equal values are a run; what lies between is packed in groups of eight, lowest bit first, the
 * last group filled up with zeros (readers know how many values there are).
 *
 * SPDX-License-Identifier: MIT */
#include "format/parquet_parts.h"

void parquet_u32(buffer *out, uint32_t n) {
  unsigned char bytes[] = {(unsigned char)n, (unsigned char)(n >> 8), (unsigned char)(n >> 16),
                           (unsigned char)(n >> 24)};
  buffer_add(out, bytes, sizeof bytes);
}

unsigned parquet_width(size_t count) {
  unsigned width = 1;
  while (width < 32 && (uint64_t)1 << width < count) width++;
  return width;
}

static size_t equal_from(const uint32_t *values, size_t count) {
  size_t n = 1;
  while (n < count && values[n] == values[0]) n++;
  return n;
}

static void add_run(buffer *out, uint32_t n, size_t count, unsigned width) {
  thrift_varint(out, (uint64_t)count << 1);
  for (unsigned bit = 0; bit < width; bit += 8) buffer_add_char(out, (char)(n >> bit));
}

static void add_packed(buffer *out, const uint32_t *values, size_t count, unsigned width) {
  size_t groups = (count + 7) / 8;
  uint64_t bits = 0;
  unsigned held = 0;
  thrift_varint(out, (uint64_t)groups << 1 | 1);
  for (size_t i = 0; i < groups * 8; i++) {
    bits |= (uint64_t)(i < count ? values[i] : 0) << held;
    for (held += width; held >= 8; held -= 8, bits >>= 8) buffer_add_char(out, (char)bits);
  }
}

/* How many values from here are no run: up to the next group of eight that begins one. */
static size_t mixed_from(const uint32_t *values, size_t count) {
  size_t n = 8;
  while (n + 8 <= count && equal_from(values + n, 8) < 8) n += 8;
  return n + 8 <= count ? n : count;
}

void parquet_runs(buffer *out, const uint32_t *values, size_t count, unsigned width) {
  for (size_t i = 0; i < count;) {
    size_t n = equal_from(values + i, count - i);
    if (n >= 8) {
      add_run(out, values[i], n, width);
    } else {
      n = mixed_from(values + i, count - i);
      add_packed(out, values + i, n, width);
    }
    i += n;
  }
}
