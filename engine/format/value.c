/* value.c -- see value.h.
 *
 * SPDX-License-Identifier: MIT */
#include "format/value.h"

#include <string.h>

value value_null(void) { return (value){0}; }
value value_boolean(bool b) { return (value){.kind = VALUE_BOOLEAN, .boolean = b}; }
value value_integer(int64_t n) { return (value){.kind = VALUE_INTEGER, .integer = n}; }
value value_real(double x) { return (value){.kind = VALUE_REAL, .real = x}; }
value value_list(void) { return (value){.kind = VALUE_LIST}; }
value value_map(void) { return (value){.kind = VALUE_MAP}; }

value value_bytes(const char *bytes, size_t size) {
  return (value){.kind = VALUE_TEXT, .text = {bytes, size}};
}

value value_text(const char *text) { return text ? value_bytes(text, strlen(text)) : value_null(); }

/* Capacity is the next power of two, so it need not be stored: grow when the count is one. */
static void *grow(arena *a, void *old, size_t count, size_t each) {
  if (count && (count & (count - 1))) return old;
  void *grown = arena_alloc(a, (count ? 2 * count : 1) * each);
  if (count) memcpy(grown, old, count * each);
  return grown;
}

void value_add(arena *a, value *list, value item) {
  list->list.items = grow(a, list->list.items, list->list.count, sizeof item);
  list->list.items[list->list.count++] = item;
}

void value_set(arena *a, value *map, const char *key, value item) {
  for (size_t i = 0; i < map->map.count; i++)
    if (value_is(&map->map.pairs[i].key, key)) {
      map->map.pairs[i].item = item;
      return;
    }
  map->map.pairs = grow(a, map->map.pairs, map->map.count, sizeof(value_pair));
  map->map.pairs[map->map.count++] = (value_pair){value_text(key), item};
}

static value copy_list(arena *a, const value *v) {
  value copy = *v;
  copy.list.items = arena_alloc(a, 2 * v->list.count * sizeof(value));
  for (size_t i = 0; i < v->list.count; i++) copy.list.items[i] = value_copy(a, &v->list.items[i]);
  return copy;
}

static value copy_map(arena *a, const value *v) {
  value copy = *v;
  copy.map.pairs = arena_alloc(a, 2 * v->map.count * sizeof(value_pair));
  for (size_t i = 0; i < v->map.count; i++) {
    copy.map.pairs[i].key = value_copy(a, &v->map.pairs[i].key);
    copy.map.pairs[i].item = value_copy(a, &v->map.pairs[i].item);
  }
  return copy;
}

value value_copy(arena *a, const value *v) {
  switch (v->kind) {
  case VALUE_TEXT: return value_bytes(arena_copy(a, v->text.bytes, v->text.size), v->text.size);
  case VALUE_LIST: return copy_list(a, v);
  case VALUE_MAP: return copy_map(a, v);
  default: return *v;
  }
}

const value *value_get(const value *map, const char *key) {
  if (!map || map->kind != VALUE_MAP) return NULL;
  for (size_t i = map->map.count; i-- > 0;) {
    const value_pair *pair = &map->map.pairs[i];
    if (value_is(&pair->key, key)) return pair->item.kind == VALUE_NULL ? NULL : &pair->item;
  }
  return NULL;
}

const char *value_get_text(const value *map, const char *key, const char *otherwise) {
  const value *v = value_get(map, key);
  return v && v->kind == VALUE_TEXT ? v->text.bytes : otherwise;
}

int64_t value_get_integer(const value *map, const char *key, int64_t otherwise) {
  const value *v = value_get(map, key);
  if (v && v->kind == VALUE_INTEGER) return v->integer;
  bool whole = v && v->kind == VALUE_REAL && v->real >= -9e15 && v->real <= 9e15;
  return whole && (double)(int64_t)v->real == v->real ? (int64_t)v->real : otherwise;
}

const value *value_get_list(const value *map, const char *key) {
  static const value none = {.kind = VALUE_LIST};
  const value *list = value_get(map, key);
  return list && list->kind == VALUE_LIST ? list : &none;
}

bool value_get_boolean(const value *map, const char *key, bool otherwise) {
  const value *v = value_get(map, key);
  return v && v->kind == VALUE_BOOLEAN ? v->boolean : otherwise;
}

bool value_is(const value *v, const char *text) {
  return v && v->kind == VALUE_TEXT && v->text.size == strlen(text) &&
         memcmp(v->text.bytes, text, v->text.size) == 0;
}

bool value_has(const value *list, const char *text) {
  for (size_t i = 0; list && list->kind == VALUE_LIST && i < list->list.count; i++)
    if (value_is(&list->list.items[i], text)) return true;
  return false;
}

static const value *find(const value *map, const value *key) {
  for (size_t i = map->map.count; i-- > 0;)
    if (value_equal(&map->map.pairs[i].key, key)) return &map->map.pairs[i].item;
  return NULL;
}

static bool equal_maps(const value *a, const value *b) {
  if (a->map.count != b->map.count) return false;
  for (size_t i = 0; i < a->map.count; i++) {
    const value *other = find(b, &a->map.pairs[i].key);
    if (!other || !value_equal(&a->map.pairs[i].item, other)) return false;
  }
  return true;
}

static bool equal_lists(const value *a, const value *b) {
  if (a->list.count != b->list.count) return false;
  for (size_t i = 0; i < a->list.count; i++)
    if (!value_equal(&a->list.items[i], &b->list.items[i])) return false;
  return true;
}

/* A double equals an integer only if it is that integer exactly: 2^53+1 is not 2^53. */
static bool equal_mixed(int64_t n, double x) {
  return x >= -9223372036854775808.0 && x < 9223372036854775808.0 && (int64_t)x == n &&
         (double)(int64_t)x == x;
}

bool value_equal(const value *a, const value *b) {
  if (a->kind == VALUE_INTEGER && b->kind == VALUE_REAL) return equal_mixed(a->integer, b->real);
  if (a->kind == VALUE_REAL && b->kind == VALUE_INTEGER) return equal_mixed(b->integer, a->real);
  if (a->kind != b->kind) return false;
  switch (a->kind) {
  case VALUE_NULL: return true;
  case VALUE_BOOLEAN: return a->boolean == b->boolean;
  case VALUE_INTEGER: return a->integer == b->integer;
  case VALUE_REAL: return a->real == b->real;
  case VALUE_TEXT:
    return a->text.size == b->text.size &&
           (!a->text.size || memcmp(a->text.bytes, b->text.bytes, a->text.size) == 0);
  case VALUE_LIST: return equal_lists(a, b);
  case VALUE_MAP: return equal_maps(a, b);
  }
  return false;
}

const char *value_kind_name(const value *v) {
  static const char *const names[] = {"null", "boolean", "integer", "real", "text", "list", "map"};
  return names[v->kind];
}
