/* mask.c -- see mask.h.
 *
 * SPDX-License-Identifier: MIT */
#include "net/mask.h"

#include <ctype.h>
#include <string.h>

#include "net/spelled.h"

enum { SHORTEST = 6, LONGEST = 16 * 1024 };

static bool is_secret(const value *v) {
  return v->kind == VALUE_TEXT && v->text.size >= SHORTEST && v->text.size <= LONGEST;
}

static bool is_base64(char c) { return isalnum((unsigned char)c) || strchr("+/-_", c); }

bool mask_needed(const value *secrets) {
  for (size_t i = 0; secrets && secrets->kind == VALUE_LIST && i < secrets->list.count; i++)
    if (is_secret(&secrets->list.items[i])) return true;
  return false;
}

static spelled *open_set(const value *secrets) {
  spelled *s = spelled_open();
  for (size_t i = 0; i < secrets->list.count; i++) {
    const value *one = &secrets->list.items[i];
    if (is_secret(one)) spelled_add(s, "", one->text.bytes, one->text.size);
  }
  return s;
}

/* The first and the last bits of a secret may stand in characters of base64 beside those that were found. */
static void mask_found(const spelled *s, char *bytes, size_t size) {
  spelled_place found;
  for (const char *at = bytes, *end = bytes + size; spelled_next(s, bytes, at, end, &found);) {
    size_t from = (size_t)(found.at - bytes), to = from + found.size;
    at = bytes + to;
    if (found.base64 && from > 0 && is_base64(bytes[from - 1])) from--;
    if (found.base64 && to < size && is_base64(bytes[to])) to++;
    memset(bytes + from, '*', to - from);
  }
}

void mask_bytes(char *bytes, size_t size, const value *secrets) {
  if (!mask_needed(secrets) || !size) return;
  spelled *s = open_set(secrets);
  mask_found(s, bytes, size);
  spelled_close(s);
}

void mask_text(char *text, const value *secrets) {
  mask_bytes(text, strlen(text), secrets);
  for (size_t i = 0; mask_needed(secrets) && i < secrets->list.count; i++) {
    const value *s = &secrets->list.items[i];
    for (char *at = text; is_secret(s) && (at = strcasestr(at, s->text.bytes));)
      memset(at, '*', strlen(s->text.bytes));
  }
}

void mask_headers(arena *a, value *headers, const value *secrets) {
  if (!mask_needed(secrets)) return;
  spelled *s = open_set(secrets);
  for (size_t i = 0; i < headers->map.count; i++) {
    value *item = &headers->map.pairs[i].item;
    if (item->kind != VALUE_TEXT) continue;
    char *copy = arena_copy(a, item->text.bytes, item->text.size);
    mask_found(s, copy, item->text.size);
    *item = value_bytes(copy, item->text.size);
  }
  spelled_close(s);
}
