/* json_value.c -- whole JSON documents as values in an arena.
 *
 * Lists and maps are gathered on one growing stack and copied to their final place, exactly as
 * large as they are, when they end: few allocations, no recursion over foreign input. Texts get
 * their bytes and a NUL in the same arena.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "format/json.h"

enum { FEW = 64 };

typedef struct builder {
  arena *memory;
  value_pair few[FEW], *items; /* items: few, until they do not suffice */
  size_t count, capacity;
  size_t starts[JSON_DEPTH]; /* where each open level begins in items */
  size_t depth;
  value key; /* waiting for its item */
} builder;

static void push(builder *b, value key, value item) {
  if (b->count == b->capacity) {
    size_t bytes = 2 * b->capacity * sizeof *b->items;
    value_pair *grown = memory_grow(b->items == b->few ? NULL : b->items, bytes);
    if (b->items == b->few) memcpy(grown, b->few, sizeof b->few);
    b->items = grown;
    b->capacity *= 2;
  }
  b->items[b->count++] = (value_pair){key, item};
}

/* value_add and value_set grow a list when its count is a power of two: leave them that room. */
static size_t room(size_t count) {
  size_t capacity = 1;
  while (capacity < count) capacity *= 2;
  return capacity;
}

static value gather_list(arena *a, const value_pair *items, size_t count) {
  value list = value_list();
  list.list.count = count;
  if (count) list.list.items = arena_alloc(a, room(count) * sizeof(value));
  for (size_t i = 0; i < count; i++) list.list.items[i] = items[i].item;
  return list;
}

static value gather_map(arena *a, const value_pair *items, size_t count) {
  value map = value_map();
  map.map.count = count;
  if (count) map.map.pairs = arena_alloc(a, room(count) * sizeof *items);
  if (count) memcpy(map.map.pairs, items, count * sizeof *items);
  return map;
}

/* The level's items give way to the level itself, under the key that it was opened with. */
static void end_level(builder *b, bool map) {
  size_t start = b->starts[--b->depth], count = b->count - start;
  const value_pair *items = b->items + start;
  value made = map ? gather_map(b->memory, items, count) : gather_list(b->memory, items, count);
  b->count = start;
  b->items[start - 1].item = made;
}

static value read_text(const builder *b, const json_reader *r) {
  return value_bytes(arena_copy(b->memory, r->text, r->size), r->size);
}

static void add_item(builder *b, value item) {
  push(b, b->key, item);
  b->key = value_null();
}

static void take(builder *b, const json_reader *r, json_token token) {
  switch (token) {
  case JSON_LIST:
  case JSON_MAP: /* stands in for what end_level() will put there */
    add_item(b, value_null());
    b->starts[b->depth++] = b->count;
    break;
  case JSON_LIST_END: end_level(b, false); break;
  case JSON_MAP_END: end_level(b, true); break;
  case JSON_KEY: b->key = read_text(b, r); break;
  case JSON_TEXT: add_item(b, read_text(b, r)); break;
  case JSON_INTEGER: add_item(b, value_integer(r->integer)); break;
  case JSON_REAL: add_item(b, value_real(r->real)); break;
  case JSON_TRUE:
  case JSON_FALSE: add_item(b, value_boolean(token == JSON_TRUE)); break;
  default: add_item(b, value_null());
  }
}

int json_read_value(json_reader *r, json_token token, arena *a, value *out, dts_error *e) {
  builder b;
  b.memory = a;
  b.items = b.few;
  b.count = b.depth = 0;
  b.capacity = FEW;
  b.key = value_null();
  for (;; token = json_next(r)) {
    if (token == JSON_ERROR || token == JSON_END) break;
    take(&b, r, token);
    if (!b.depth) break;
  }
  bool whole = token != JSON_ERROR && token != JSON_END;
  if (whole) *out = b.items[0].item;
  if (b.items != b.few) free(b.items);
  if (whole) return 0;
  if (token == JSON_ERROR) return json_fail(r, e);
  return error_fail(e, "JSON", "expected a value, got the end of the document");
}

int json_read(arena *a, const char *bytes, size_t size, value *out, dts_error *e) {
  json_reader r;
  value made;
  json_open(&r, bytes, size);
  r.limit = JSON_DEPTH;
  int status = json_read_value(&r, json_next(&r), a, &made, e);
  if (status == 0 && json_next(&r) != JSON_END) status = json_fail(&r, e);
  if (status == 0) *out = made;
  json_close(&r);
  return status;
}
