/* spelled.c -- see spelled.h.
 *
 * SPDX-License-Identifier: MIT */
#include "net/spelled.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/crypto.h"

/* CORE: characters of base64 that stand for whole bytes of the secret are at least so many, or they
 * could be any text. */
enum { WORD = 4, CORE = 6 };

typedef enum spelling { PLAIN, HEX, BASE64 } spelling;

typedef struct pattern {
  const char *name, *bytes;
  size_t size, weight; /* weight: the secret's own size; the longest is tried first */
  spelling how;
} pattern;

struct spelled {
  arena memory;
  pattern *patterns;
  size_t count;
  bool starts[256]; /* a match may begin with this byte */
};

/* ---- the secrets ---- */

/* Whatever byte is meant, it may be written with one of these. */
static const char escapes[] = "%\\&+";

static void mark_starts(spelled *s, const pattern *p) {
  unsigned char first = (unsigned char)p->bytes[0];
  s->starts[first] = s->starts[toupper(first)] = true;
  for (const char *e = escapes; *e; e++) s->starts[(unsigned char)*e] = true;
  if (p->how == BASE64) s->starts['-'] = s->starts['_'] = true;
}

static void add_pattern(spelled *s, pattern p) {
  s->patterns = memory_grow(s->patterns, (s->count + 1) * sizeof *s->patterns);
  size_t at = s->count++;
  while (at > 0 && s->patterns[at - 1].weight < p.weight) {
    s->patterns[at] = s->patterns[at - 1];
    at--;
  }
  s->patterns[at] = p;
  mark_starts(s, &p);
}

/* Behind `before` bytes of something else (a user's name and a colon), the characters that are made of
 * the secret's bits alone. RFC 4648 section 4. */
static void add_base64(spelled *s, const char *name, const char *secret, size_t size,
                       size_t before) {
  buffer plain, text;
  buffer_init(&plain, size + 3);
  buffer_init(&text, 2 * size + 16);
  buffer_add(&plain, "\0\0", before);
  buffer_add(&plain, secret, size);
  crypto_base64(&text, plain.data, plain.size);
  size_t from = (8 * before + 5) / 6, to = 8 * (before + size) / 6;
  if (to >= from + CORE)
    add_pattern(s, (pattern){name, arena_copy(&s->memory, text.data + from, to - from), to - from,
                             size, BASE64});
  buffer_free(&plain);
  buffer_free(&text);
}

static uint32_t code_of(const char *at, size_t size) {
  uint32_t code = (unsigned char)*at & (0xffu >> (size + 1));
  for (size_t i = 1; i < size; i++) code = code << 6 | ((unsigned char)at[i] & 0x3f);
  return code;
}

/* JSON in ASCII alone writes other characters as \uXXXX, two of them past U+FFFF: RFC 8259 section 7. */
static void add_escaped(spelled *s, const char *name, const char *secret, size_t size,
                        const char *format) {
  buffer b;
  buffer_init(&b, 6 * size + 1);
  for (size_t i = 0, taken; i < size; i += taken) {
    bool cut;
    taken = text_utf8_take(secret + i, size - i, &cut);
    uint32_t code = taken > 1 ? code_of(secret + i, taken) : 0;
    if (!taken) taken = 1;
    if (code > 0xffff) buffer_add_format(&b, format, 0xd800 + ((code - 0x10000) >> 10));
    if (code)
      buffer_add_format(&b, format, code > 0xffff ? 0xdc00 + (code & 0x3ff) : code);
    else
      buffer_add_char(&b, secret[i]);
  }
  if (b.size > size)
    add_pattern(s, (pattern){name, arena_copy(&s->memory, b.data, b.size), b.size, size, PLAIN});
  buffer_free(&b);
}

static void add_spellings(spelled *s, const char *name, const char *secret, size_t size) {
  add_pattern(s, (pattern){name, arena_copy(&s->memory, secret, size), size, size, PLAIN});
  add_escaped(s, name, secret, size, "\\u%04x");
  add_escaped(s, name, secret, size, "\\u%04X");
  if (size < WORD) return;
  char *hex = arena_alloc(&s->memory, 2 * size + 1);
  crypto_hex(secret, size, hex);
  add_pattern(s, (pattern){name, hex, 2 * size, size, HEX});
  for (size_t before = 0; before < 3; before++) add_base64(s, name, secret, size, before);
}

/* Basic credentials are in base64 already, "user:password" (RFC 7617 section 2): a source may read them. */
static void add_password(spelled *s, const char *name, const char *secret, size_t size) {
  buffer plain;
  buffer_init(&plain, size);
  bool read = crypto_from_base64(&plain, secret, size) == 0 && plain.size > 0 &&
              text_is_utf8(plain.data, plain.size, NULL);
  const char *colon = read ? memchr(plain.data, ':', plain.size) : NULL;
  size_t before = colon ? (size_t)(colon + 1 - plain.data) : plain.size;
  if (plain.size >= before + CORE) add_spellings(s, name, colon + 1, plain.size - before);
  buffer_free(&plain);
}

void spelled_add(spelled *s, const char *name, const char *secret, size_t size) {
  if (!size) return;
  name = arena_text(&s->memory, name);
  add_spellings(s, name, secret, size);
  add_password(s, name, secret, size);
}

spelled *spelled_open(void) { return memory_alloc(sizeof(spelled)); }

void spelled_close(spelled *s) {
  if (!s) return;
  free(s->patterns);
  arena_free(&s->memory);
  free(s);
}

/* ---- one byte, as it may be written ---- */

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = (char)(c | 32);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int hex_number(const char *at, size_t digits, const char *end) {
  int n = 0;
  if ((size_t)(end - at) < digits) return -1;
  for (size_t i = 0; i < digits; i++) {
    int digit = hex_digit(at[i]);
    if (digit < 0) return -1;
    n = n * 16 + digit;
  }
  return n;
}

static size_t take_percent(const char *at, const char *end, int wanted) {
  int once = hex_number(at + 1, 2, end);
  if (once == '%' && hex_number(at + 3, 2, end) == wanted) return 5;
  return once == wanted ? 3 : 0;
}

static size_t take_escape(const char *at, const char *end, int wanted) {
  if (end - at < 2) return 0;
  if (at[1] == 'u') return hex_number(at + 2, 4, end) == wanted ? 6 : 0;
  if (at[1] == 'x') return hex_number(at + 2, 2, end) == wanted ? 4 : 0;
  if (strchr("\\/\"'", at[1])) return at[1] == wanted ? 2 : 0;
  return 0;
}

static size_t take_entity(const char *at, const char *end, int wanted) {
  static const struct {
    const char *name;
    char is;
  } entities[] = {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}};
  char text[16];
  for (size_t i = 0; i < sizeof entities / sizeof *entities; i++) {
    size_t size = strlen(entities[i].name);
    if (entities[i].is == wanted && (size_t)(end - at) >= size &&
        memcmp(at, entities[i].name, size) == 0)
      return size;
  }
  for (int hex = 0; hex < 2 && end - at > 1 && at[1] == '#'; hex++) {
    int size = snprintf(text, sizeof text, hex ? "&#x%x;" : "&#%d;", (unsigned)wanted);
    if (end - at >= size && text_equal_fold_bytes(at, (size_t)size, text, (size_t)size))
      return (size_t)size;
  }
  return 0;
}

/* How many bytes at `at` say `wanted`; 0: they do not. */
static size_t take(const char *at, const char *end, unsigned char wanted, spelling how) {
  size_t taken = 0;
  char c = *at;
  if (c == '%') taken = take_percent(at, end, wanted);
  if (c == '\\') taken = take_escape(at, end, wanted);
  if (c == '&') taken = take_entity(at, end, wanted);
  if (taken) return taken;
  if (how == HEX) return tolower((unsigned char)c) == wanted;
  if (how == BASE64 && (c == '-' || c == '_')) c = c == '-' ? '+' : '/';
  return (unsigned char)c == wanted || (how == PLAIN && c == '+' && wanted == ' ');
}

/* ---- finding ---- */

static bool is_word(char c) { return isalnum((unsigned char)c) || c == '_'; }

static size_t match(const pattern *p, const char *start, const char *at, const char *end) {
  const char *from = at;
  if ((size_t)(end - at) >= p->size && memcmp(at, p->bytes, p->size) == 0) {
    at += p->size;
  } else {
    for (size_t i = 0; i < p->size; i++) {
      size_t taken = at < end ? take(at, end, (unsigned char)p->bytes[i], p->how) : 0;
      if (!taken) return 0;
      at += taken;
    }
  }
  bool inside = (from > start && is_word(from[-1])) || (at < end && is_word(*at));
  return p->size < WORD && inside ? 0 : (size_t)(at - from);
}

static const pattern *find(const spelled *s, const char *start, const char *at, const char *end,
                           size_t *size) {
  bool escaped = memchr(escapes, *at, sizeof escapes - 1) != NULL;
  for (size_t i = 0; i < s->count; i++) {
    const pattern *p = &s->patterns[i];
    bool plain = escaped || *at == p->bytes[0] || (p->how == HEX && tolower(*at) == p->bytes[0]) ||
                 (p->how == BASE64 && (*at == '-' || *at == '_'));
    if (plain && (*size = match(p, start, at, end))) return p;
  }
  return NULL;
}

bool spelled_next(const spelled *s, const char *start, const char *from, const char *end,
                  spelled_place *out) {
  for (const char *at = from; at < end; at++) {
    const pattern *p = s->starts[(unsigned char)*at] ? find(s, start, at, end, &out->size) : NULL;
    if (!p) continue;
    out->at = at;
    out->name = p->name;
    out->base64 = p->how == BASE64;
    return true;
  }
  return false;
}
