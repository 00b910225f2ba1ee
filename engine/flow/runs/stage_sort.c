/* stage_sort.c -- the rows of a group in the order of their keys; of equal keys the later stays behind.
 *
 * Radix sort from the highest byte of the prefix, in place ("American flag sort", McIlroy, Bostic and
 * McIlroy 1993), and comparison of whole keys where prefixes end. Keys of text mostly begin alike
 * ("CURRENCY#"), so what all of them share is skipped and the prefixes are taken behind it.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "wire/pack.h"

#include "flow/runs/stage_parts.h"

enum { FEW = 24 };

typedef struct sorting {
  stage_group *group;
  const char *base, *end;
} sorting;

/* ---- keys ---- */

static int compare_values(const value *a, const value *b) {
  if (a->kind != b->kind) return a->kind < b->kind ? -1 : 1;
  switch (a->kind) {
  case VALUE_INTEGER: return a->integer < b->integer ? -1 : a->integer > b->integer;
  case VALUE_REAL: return a->real < b->real ? -1 : a->real > b->real;
  case VALUE_BOOLEAN: return (int)a->boolean - (int)b->boolean;
  case VALUE_TEXT: {
    size_t size = a->text.size < b->text.size ? a->text.size : b->text.size;
    int order = size ? memcmp(a->text.bytes, b->text.bytes, size) : 0;
    return order ? order : a->text.size < b->text.size ? -1 : a->text.size > b->text.size;
  }
  default: return 0;
  }
}

int stage_compare(const stage_group *g, const value *left, const value *right) {
  const table *t = g->table;
  for (size_t i = 0; i < t->key_count; i++) {
    int order = compare_values(&left[t->key[i]], &right[t->key[i]]);
    if (order) return order;
  }
  return 0;
}

/* The columns up to the last of the key, of a packed row that was found good when it came. */
bool stage_read_key(const stage_group *g, const char *at, const char *end, value *row) {
  unpack u = {at, end};
  value head;
  if (unpack_next(&u, &head, NULL, NULL) < 0) return false;
  for (size_t i = 0; i < g->width; i++) {
    bool tree = g->table->columns[i].type == COLUMN_JSON;
    row[i] = value_null();
    if ((tree ? unpack_skip(&u, NULL) : unpack_next(&u, &row[i], NULL, NULL)) < 0) return false;
  }
  return true;
}

static uint64_t first_bytes(const char *bytes, size_t size) {
  uint64_t n = 0;
  unsigned char padded[8] = {0};
  memcpy(padded, bytes, size < 8 ? size : 8);
  for (int i = 0; i < 8; i++) n = n << 8 | padded[i];
  return n;
}

uint64_t stage_prefix(const value *v, size_t skip) {
  static const uint64_t sign = (uint64_t)1 << 63;
  uint64_t bits;
  switch (v->kind) {
  case VALUE_INTEGER: return (uint64_t)v->integer ^ sign;
  case VALUE_REAL: {
    double x = v->real == 0 ? 0 : v->real; /* -0.0 is the same key */
    memcpy(&bits, &x, sizeof bits);
    return bits & sign ? ~bits : bits | sign;
  }
  case VALUE_TEXT:
    if (v->text.size <= skip) return 0;
    return first_bytes(v->text.bytes + skip, v->text.size - skip);
  default: return v->kind == VALUE_BOOLEAN && v->boolean;
  }
}

/* ---- comparing rows ---- */

static int compare_refs(const void *left, const void *right, void *arg) {
  const stage_ref *a = left, *b = right;
  const sorting *s = arg;
  stage_group *g = s->group;
  if (a->prefix != b->prefix) return a->prefix < b->prefix ? -1 : 1;
  int order = 0;
  if (stage_read_key(g, s->base + a->place, s->end, g->left) &&
      stage_read_key(g, s->base + b->place, s->end, g->right))
    order = stage_compare(g, g->left, g->right);
  if (order) return order;
  if (a->place != b->place) g->repeats = true;
  return a->place < b->place ? -1 : a->place > b->place;
}

static void sort_few(sorting *s, stage_ref *refs, size_t count) {
  for (size_t i = 1; i < count; i++) {
    stage_ref one = refs[i];
    size_t j = i;
    for (; j && compare_refs(&refs[j - 1], &one, s) > 0; j--) refs[j] = refs[j - 1];
    refs[j] = one;
  }
}

/* In place and without memory of its own, however many have one prefix. */
static void sort_heap(sorting *s, stage_ref *refs, size_t count) {
  for (size_t start = count / 2, end = count; end > 1;) {
    stage_ref one;
    if (start)
      one = refs[--start];
    else
      one = refs[--end], refs[end] = refs[0];
    size_t root = start, child;
    while ((child = 2 * root + 1) < end) {
      if (child + 1 < end && compare_refs(&refs[child], &refs[child + 1], s) < 0) child++;
      if (compare_refs(&one, &refs[child], s) >= 0) break;
      refs[root] = refs[child];
      root = child;
    }
    refs[root] = one;
  }
}

/* ---- radix ---- */

static unsigned digit(const stage_ref *r, int shift) { return (r->prefix >> shift) & 0xff; }

static void permute(stage_ref *refs, size_t next[256], const size_t end[256], int shift) {
  for (unsigned d = 0; d < 256; d++)
    while (next[d] < end[d]) {
      stage_ref one = refs[next[d]];
      for (unsigned to; (to = digit(&one, shift)) != d;) {
        stage_ref other = refs[next[to]];
        refs[next[to]++] = one;
        one = other;
      }
      refs[next[d]++] = one;
    }
}

static void sort_radix(sorting *s, stage_ref *refs, size_t count, int shift) {
  size_t counts[256], next[256], end[256];
  for (; shift >= 0; shift -= 8) { /* past bytes that all have in common */
    memset(counts, 0, sizeof counts);
    for (size_t i = 0; i < count; i++) counts[digit(&refs[i], shift)]++;
    if (counts[digit(&refs[0], shift)] < count) break;
  }
  if (shift < 0) return sort_heap(s, refs, count);
  for (size_t d = 0, at = 0; d < 256; d++) next[d] = at, end[d] = at += counts[d];
  permute(refs, next, end, shift);
  for (size_t d = 0, at = 0; d < 256; at = end[d++]) {
    size_t some = end[d] - at;
    if (some > FEW)
      sort_radix(s, refs + at, some, shift - 8);
    else if (some > 1)
      sort_few(s, refs + at, some);
  }
}

/* ---- a group ---- */

static size_t shared(const value *a, const value *b, size_t most) {
  size_t n = 0;
  if (a->kind != VALUE_TEXT || b->kind != VALUE_TEXT) return 0;
  while (n < most && n < a->text.size && n < b->text.size && a->text.bytes[n] == b->text.bytes[n])
    n++;
  return n;
}

/* How many bytes the first key column's texts have in common; 0 as soon as they have none. */
static size_t shared_by_all(sorting *s, const stage_ref *refs) {
  stage_group *g = s->group;
  size_t column = g->table->key[0], most = SIZE_MAX;
  if (!stage_read_key(g, s->base + refs[0].place, s->end, g->left)) return 0;
  for (size_t i = 1; most && i < g->count; i++) {
    if ((refs[i].prefix ^ refs[0].prefix) >> 56) return 0;
    if (!stage_read_key(g, s->base + refs[i].place, s->end, g->right)) return 0;
    most = shared(&g->left[column], &g->right[column], most);
  }
  return most == SIZE_MAX ? 0 : most;
}

static void take_prefixes(sorting *s, stage_ref *refs, size_t skip) {
  stage_group *g = s->group;
  for (size_t i = 0; i < g->count; i++)
    if (stage_read_key(g, s->base + refs[i].place, s->end, g->left))
      refs[i].prefix = stage_prefix(&g->left[g->table->key[0]], skip);
}

void stage_sort(stage_group *g, const char *base, const char *end) {
  sorting s = {g, base, end};
  stage_ref *refs = g->refs.at;
  if (!g->unsorted || g->count < 2) return;
  size_t skip = shared_by_all(&s, refs);
  if (skip) take_prefixes(&s, refs, skip);
  sort_radix(&s, refs, g->count, 56);
  g->unsorted = false;
}
