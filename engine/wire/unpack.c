/* unpack.c -- reading the compact form that pack.h describes. The bytes are foreign: a worker may
 * be in an attacker's hands. Every size is checked against what is left before it is believed, and
 * an item takes at least one byte, so that a count can never ask for more memory than bytes came.
 *
 * SPDX-License-Identifier: MIT */
#include "wire/pack.h"

#include <string.h>

#include "wire/tags.h"

enum { DEPTH = 128 };
#define LONGEST_WAIT_MS ((int64_t)36525 * 24 * 3600 * 1000)

static int malformed(dts_error *e, const char *what) {
  return error_fail(e, "WIRE", "a packed value is broken: %s", what);
}

static size_t left(const unpack *u) { return (size_t)(u->end - u->at); }

static int read_varint(unpack *u, uint64_t *n, dts_error *e) {
  uint64_t result = *n = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (u->at == u->end) return malformed(e, "it ends inside a number");
    unsigned char byte = (unsigned char)*u->at++;
    if (shift == 63 && byte > 1) break;
    result |= (uint64_t)(byte & 0x7f) << shift;
    if (byte < 0x80) return *n = result, 0;
  }
  return malformed(e, "a number has more than 64 bits");
}

static int read_integer(unpack *u, value *v, dts_error *e) {
  uint64_t n;
  if (read_varint(u, &n, e) < 0) return -1;
  v->kind = VALUE_INTEGER;
  v->integer = (int64_t)(n >> 1) ^ -(int64_t)(n & 1);
  return 0;
}

static int read_real(unpack *u, value *v, dts_error *e) {
  if (left(u) < 8) return malformed(e, "it ends inside a number");
  uint64_t bits = 0;
  for (int i = 0; i < 8; i++) bits |= (uint64_t)(unsigned char)u->at[i] << (8 * i);
  u->at += 8;
  v->kind = VALUE_REAL;
  memcpy(&v->real, &bits, sizeof bits);
  return 0;
}

static int read_text(unpack *u, uint64_t size, value *v, dts_error *e) {
  if (size > left(u)) return malformed(e, "it ends inside a text");
  v->kind = VALUE_TEXT;
  v->text.bytes = u->at;
  v->text.size = (size_t)size;
  u->at += size;
  return 0;
}

static int read_count(unpack *u, unsigned each, uint64_t *count, dts_error *e) {
  if (read_varint(u, count, e) < 0) return -1;
  return *count > left(u) / each ? malformed(e, "it has fewer items than it says") : 0;
}

static void set_head(value *v, value_kind kind, size_t count) {
  *v = (value){.kind = kind};
  if (kind == VALUE_LIST)
    v->list.count = count;
  else
    v->map.count = count;
}

static int read_head(unpack *u, value *v, value_kind kind, dts_error *e) {
  uint64_t count;
  if (read_count(u, kind == VALUE_MAP ? 2 : 1, &count, e) < 0) return -1;
  set_head(v, kind, (size_t)count);
  return 0;
}

static int read_long_text(unpack *u, value *v, dts_error *e) {
  uint64_t size;
  return read_varint(u, &size, e) < 0 ? -1 : read_text(u, size, v, e);
}

/* The kind is set first and the value in its own field: this runs for each value of each row. */
int unpack_next(unpack *u, value *v, bool *ended, dts_error *e) {
  if (ended) *ended = false;
  v->kind = VALUE_NULL;
  if (u->at == u->end) return malformed(e, "it ends too early");
  unsigned char tag = (unsigned char)*u->at++;
  if (tag >= TAG_SHORT) return read_text(u, tag - TAG_SHORT, v, e);
  if (tag >= TAG_SMALL) return *v = value_integer(tag - TAG_SMALL), 0;
  switch (tag) {
  case TAG_NULL: return 0;
  case TAG_FALSE:
  case TAG_TRUE: return *v = value_boolean(tag == TAG_TRUE), 0;
  case TAG_INTEGER: return read_integer(u, v, e);
  case TAG_REAL: return read_real(u, v, e);
  case TAG_TEXT: return read_long_text(u, v, e);
  case TAG_LIST: return read_head(u, v, VALUE_LIST, e);
  case TAG_MAP: return read_head(u, v, VALUE_MAP, e);
  case TAG_OPEN_LIST: return set_head(v, VALUE_LIST, UNPACK_OPEN), 0;
  case TAG_OPEN_MAP: return set_head(v, VALUE_MAP, UNPACK_OPEN), 0;
  case TAG_END:
    if (ended) return *ended = true, 0;
    return malformed(e, "an end stands where a value should");
  default: return malformed(e, "an unknown tag");
  }
}

/* ── Whole values ── */

static int skip_value(unpack *u, int depth, bool *ended, dts_error *e);

static int skip_key(unpack *u, bool *ended, dts_error *e) {
  value key;
  if (unpack_next(u, &key, ended, e) < 0) return -1;
  if (ended && *ended) return 0;
  return key.kind == VALUE_TEXT ? 0 : malformed(e, "a map's key is not a text");
}

static int skip_items(unpack *u, value_kind kind, size_t count, int depth, dts_error *e) {
  bool open = count == UNPACK_OPEN, ended = false;
  for (size_t i = 0; open || i < count; i++) {
    if (kind == VALUE_MAP) {
      if (skip_key(u, open ? &ended : NULL, e) < 0) return -1;
      if (ended) return 0;
      if (skip_value(u, depth, NULL, e) < 0) return -1;
      continue;
    }
    if (skip_value(u, depth, open ? &ended : NULL, e) < 0) return -1;
    if (ended) return 0;
  }
  return 0;
}

static int skip_value(unpack *u, int depth, bool *ended, dts_error *e) {
  value v;
  if (unpack_next(u, &v, ended, e) < 0) return -1;
  if (v.kind != VALUE_LIST && v.kind != VALUE_MAP) return 0;
  if (depth >= DEPTH) return malformed(e, "more than 128 levels");
  return skip_items(u, v.kind, v.kind == VALUE_MAP ? v.map.count : v.list.count, depth + 1, e);
}

int unpack_skip(unpack *u, dts_error *e) { return skip_value(u, 0, NULL, e); }

/* Items land in a block that doubles (a known count is allocated at once), then stay in the
 * arena. */
typedef struct growing {
  value *items; /* a map's keys and items alternate, as value_pair lays them out */
  size_t count, capacity;
} growing;

_Static_assert(sizeof(value_pair) == 2 * sizeof(value), "a pair is two values");

static value *grow(growing *g, arena *a) {
  if (g->count == g->capacity) {
    size_t capacity = g->capacity ? 2 * g->capacity : 8;
    value *items = arena_alloc(a, capacity * sizeof(value));
    if (g->count) memcpy(items, g->items, g->count * sizeof(value));
    g->items = items;
    g->capacity = capacity;
  }
  return &g->items[g->count++];
}

static int read_value(unpack *u, arena *a, value *v, int depth, bool *ended, dts_error *e);

static int read_items(unpack *u, arena *a, growing *g, value head, int depth, dts_error *e) {
  bool map = head.kind == VALUE_MAP, ended = false;
  size_t count = map ? head.map.count : head.list.count, each = map ? 2 : 1;
  bool open = count == UNPACK_OPEN;
  if (!open && count) {
    g->capacity = count * each;
    g->items = arena_alloc(a, g->capacity * sizeof(value));
  }
  for (size_t i = 0; open || i < count; i++) {
    value item;
    if (read_value(u, a, &item, depth, open ? &ended : NULL, e) < 0) return -1;
    if (ended) break;
    *grow(g, a) = item;
    if (!map) continue;
    if (item.kind != VALUE_TEXT) return malformed(e, "a map's key is not a text");
    if (read_value(u, a, &item, depth, NULL, e) < 0) return -1;
    *grow(g, a) = item;
  }
  return 0;
}

static int read_value(unpack *u, arena *a, value *v, int depth, bool *ended, dts_error *e) {
  if (unpack_next(u, v, ended, e) < 0) return -1;
  if (v->kind == VALUE_TEXT) v->text.bytes = arena_copy(a, v->text.bytes, v->text.size);
  if (v->kind != VALUE_LIST && v->kind != VALUE_MAP) return 0;
  if (depth >= DEPTH) return malformed(e, "more than 128 levels");
  growing g = {0};
  if (read_items(u, a, &g, *v, depth + 1, e) < 0) return -1;
  if (v->kind == VALUE_LIST) {
    v->list.items = g.items;
    v->list.count = g.count;
  } else {
    v->map.pairs = (value_pair *)(void *)g.items;
    v->map.count = g.count / 2;
  }
  return 0;
}

int unpack_value(unpack *u, arena *a, value *v, dts_error *e) {
  return read_value(u, a, v, 0, NULL, e);
}

static void copy_field(char *out, size_t size, const value *map, const char *key) {
  const value *v = value_get(map, key);
  size_t n = v && v->kind == VALUE_TEXT ? v->text.size : 0;
  if (n >= size) n = size - 1;
  if (n) memcpy(out, v->text.bytes, n);
  out[n] = '\0';
}

void unpack_error(const value *map, dts_error *e) {
  *e = (dts_error){0};
  copy_field(e->code, sizeof e->code, map, "code");
  copy_field(e->message, sizeof e->message, map, "message");
  copy_field(e->hint, sizeof e->hint, map, "hint");
  copy_field(e->where, sizeof e->where, map, "where");
  e->retryable = value_get_boolean(map, "retryable", false);
  int64_t wait = value_get_integer(map, "retry_after_ms", 0);
  e->retry_after_ms = wait < 0 ? 0 : wait < LONGEST_WAIT_MS ? wait : LONGEST_WAIT_MS;
  int64_t status = value_get_integer(map, "status", 0);
  e->status = status > 0 && status < 1000 ? (int)status : 0;
}
