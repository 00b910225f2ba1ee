/* parquet_dictionary.c -- the different values of a column chunk, found again by their bytes.
 *
 * Open addressing with linear probing, at most half full; the hash is FNV-1a's (Fowler, Noll, Vo)
 * over words of eight bytes, mixed at the end. Reals are told apart by their bits, so that -0.0
 * comes back as it was. It refuses what is new when it is full, and forgets nothing.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "format/parquet_parts.h"

enum { SLOTS = 256, LENGTH_SIZE = 4 };

static uint64_t hash_bytes(const char *bytes, size_t size) {
  const uint64_t prime = 0x100000001b3u;
  uint64_t h = 0xcbf29ce484222325u ^ size, word;
  for (; size >= 8; bytes += 8, size -= 8) {
    memcpy(&word, bytes, 8);
    h = (h ^ word) * prime;
    h ^= h >> 29;
  }
  word = 0;
  memcpy(&word, bytes, size);
  h = (h ^ word) * 0x9e3779b97f4a7c15u;
  return h ^ h >> 32;
}

static uint32_t start_of(const parquet_dictionary *d, size_t i) {
  uint32_t start;
  memcpy(&start, d->starts.data + i * sizeof start, sizeof start);
  return start;
}

static bool same(const parquet_dictionary *d, size_t i, size_t head, const parquet_cell *cell) {
  size_t from = start_of(d, i) + head, size = start_of(d, i + 1) - from;
  return size == cell->size && memcmp(d->bytes.data + from, cell->bytes, size) == 0;
}

static void grow(parquet_dictionary *d, size_t head) {
  size_t capacity = d->capacity ? d->capacity * 2 : SLOTS;
  free(d->slots);
  d->slots = memory_alloc(capacity * sizeof *d->slots);
  d->capacity = capacity;
  for (size_t i = 0; i < d->count; i++) {
    size_t from = start_of(d, i) + head, size = start_of(d, i + 1) - from;
    size_t at = hash_bytes(d->bytes.data + from, size) & (capacity - 1);
    while (d->slots[at]) at = (at + 1) & (capacity - 1);
    d->slots[at] = (uint32_t)i + 1;
  }
}

static void add_start(parquet_dictionary *d) {
  uint32_t start = (uint32_t)d->bytes.size;
  buffer_add(&d->starts, &start, sizeof start);
}

int64_t parquet_dictionary_add(parquet_dictionary *d, parquet_type type, const parquet_cell *cell) {
  size_t head = parquet_is_text(type) ? LENGTH_SIZE : 0;
  if (d->count * 2 >= d->capacity) grow(d, head);
  size_t at = hash_bytes(cell->bytes, cell->size) & (d->capacity - 1);
  for (; d->slots[at]; at = (at + 1) & (d->capacity - 1))
    if (same(d, d->slots[at] - 1, head, cell)) return d->slots[at] - 1;
  if (d->count == PARQUET_ENTRIES || d->bytes.size + head + cell->size > PARQUET_DICTIONARY)
    return -1;
  if (!d->count) add_start(d);
  parquet_plain(&d->bytes, type, cell->bytes, cell->size);
  add_start(d);
  d->slots[at] = (uint32_t)++d->count;
  return (int64_t)d->count - 1;
}

void parquet_dictionary_expand(const parquet_dictionary *d, const buffer *indices, buffer *out) {
  for (size_t at = 0; at < indices->size; at += sizeof(uint32_t)) {
    uint32_t i;
    memcpy(&i, indices->data + at, sizeof i);
    buffer_add(out, d->bytes.data + start_of(d, i), start_of(d, i + 1) - start_of(d, i));
  }
}

void parquet_dictionary_free(parquet_dictionary *d) {
  buffer_free(&d->bytes);
  buffer_free(&d->starts);
  free(d->slots);
  d->slots = NULL;
  d->count = d->capacity = 0;
}

size_t parquet_dictionary_size(const parquet_dictionary *d) {
  return d->bytes.size + d->starts.size + d->capacity * sizeof *d->slots;
}
