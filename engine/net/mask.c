/* mask.c -- see mask.h.
 *
 * SPDX-License-Identifier: MIT */
#include "net/mask.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { SHORTEST = 6, LONGEST = 16 * 1024 };

static bool is_secret(const value *v) {
  return v->kind == VALUE_TEXT && v->text.size >= SHORTEST && v->text.size <= LONGEST;
}

bool mask_needed(const value *secrets) {
  for (size_t i = 0; secrets && secrets->kind == VALUE_LIST && i < secrets->list.count; i++)
    if (is_secret(&secrets->list.items[i])) return true;
  return false;
}

static void mask_one(char *bytes, size_t size, const char *secret, size_t length) {
  char *end = bytes + size, *at = bytes;
  while ((at = memmem(at, (size_t)(end - at), secret, length))) {
    memset(at, '*', length);
    at += length;
  }
}

/* RFC 3986 section 2.3; the same in lower case digits is what some write. */
static size_t encode(const value *v, const char *format, char *out) {
  size_t n = 0;
  for (size_t i = 0; i < v->text.size; i++) {
    unsigned char c = (unsigned char)v->text.bytes[i];
    if (isalnum(c) || (c && strchr("-._~", c)))
      out[n++] = (char)c;
    else
      n += (size_t)sprintf(out + n, format, c);
  }
  return n;
}

void mask_bytes(char *bytes, size_t size, const value *secrets) {
  static const char *const formats[] = {"%%%02X", "%%%02x"};
  if (!mask_needed(secrets) || !size) return;
  char encoded[3 * LONGEST + 1];
  for (size_t i = 0; i < secrets->list.count; i++) {
    const value *s = &secrets->list.items[i];
    if (!is_secret(s)) continue;
    mask_one(bytes, size, s->text.bytes, s->text.size);
    for (size_t k = 0; k < 2; k++) {
      size_t length = encode(s, formats[k], encoded);
      if (length > s->text.size) mask_one(bytes, size, encoded, length);
    }
  }
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
  for (size_t i = 0; i < headers->map.count; i++) {
    value *item = &headers->map.pairs[i].item;
    if (item->kind != VALUE_TEXT) continue;
    char *copy = arena_copy(a, item->text.bytes, item->text.size);
    mask_bytes(copy, item->text.size, secrets);
    *item = value_bytes(copy, item->text.size);
  }
}
