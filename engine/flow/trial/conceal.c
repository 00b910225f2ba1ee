/* conceal.c -- see conceal.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/trial/conceal.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "crypto/crypto.h"

/* CORE: characters of base64 that stand for whole bytes of the secret are at least so many, or they
 * could be any text. */
enum { WORD = 4, CORE = 6, TEXT_LIMIT = 1 << 20 };

typedef enum spelling { PLAIN, HEX, BASE64 } spelling;

typedef struct pattern {
  const char *name, *bytes;
  size_t size, weight; /* weight: the secret's own size; the longest is tried first */
  spelling how;
} pattern;

struct conceal {
  arena memory;
  pattern *patterns;
  size_t count;
  bool starts[256]; /* a match may begin with this byte */
};

/* ---- the secrets ---- */

static void mark_starts(conceal *c, const pattern *p) {
  static const char escapes[] = "%\\&+";
  unsigned char first = (unsigned char)p->bytes[0];
  c->starts[first] = c->starts[toupper(first)] = true;
  for (const char *e = escapes; *e; e++) c->starts[(unsigned char)*e] = true;
  if (p->how == BASE64) c->starts['-'] = c->starts['_'] = true;
}

static void add_pattern(conceal *c, pattern p) {
  c->patterns = memory_grow(c->patterns, (c->count + 1) * sizeof *c->patterns);
  size_t at = c->count++;
  while (at > 0 && c->patterns[at - 1].weight < p.weight) {
    c->patterns[at] = c->patterns[at - 1];
    at--;
  }
  c->patterns[at] = p;
  mark_starts(c, &p);
}

/* Behind `before` bytes of something else (a user's name and a colon), the characters that are made of
 * the secret's bits alone. RFC 4648 section 4. */
static void add_base64(conceal *c, const char *name, const char *secret, size_t size,
                       size_t before) {
  buffer plain, text;
  buffer_init(&plain, size + 3);
  buffer_init(&text, 2 * size + 16);
  buffer_add(&plain, "\0\0", before);
  buffer_add(&plain, secret, size);
  crypto_base64(&text, plain.data, plain.size);
  size_t from = (8 * before + 5) / 6, to = 8 * (before + size) / 6;
  if (to >= from + CORE)
    add_pattern(c, (pattern){name, arena_copy(&c->memory, text.data + from, to - from), to - from,
                             size, BASE64});
  buffer_free(&plain);
  buffer_free(&text);
}

void conceal_add(conceal *c, const char *name, const char *secret) {
  size_t size = strlen(secret);
  if (!size) return;
  name = arena_text(&c->memory, name);
  add_pattern(c, (pattern){name, arena_copy(&c->memory, secret, size), size, size, PLAIN});
  if (size < WORD) return;
  char *hex = arena_alloc(&c->memory, 2 * size + 1);
  crypto_hex(secret, size, hex);
  add_pattern(c, (pattern){name, hex, 2 * size, size, HEX});
  for (size_t before = 0; before < 3; before++) add_base64(c, name, secret, size, before);
}

conceal *conceal_open(void) { return memory_alloc(sizeof(conceal)); }

void conceal_close(conceal *c) {
  if (!c) return;
  free(c->patterns);
  arena_free(&c->memory);
  free(c);
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
  for (int hex = 0; hex < 2; hex++) {
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

static bool is_base64(char c) {
  return isalnum((unsigned char)c) || c == '+' || c == '-' || c == '_';
}

/* The rest of the base64 text goes with what was found in it: `kept` is what stays before it. */
static const char *widen(buffer *out, size_t kept, const char *at, const char *end) {
  while (out->size > kept && is_base64(out->data[out->size - 1])) out->size--;
  while (at < end && (is_base64(*at) || *at == '/' || *at == '=')) at++;
  return at;
}

static const pattern *find(const conceal *c, const char *start, const char *at, const char *end,
                           size_t *size) {
  for (size_t i = 0; i < c->count; i++)
    if ((*size = match(&c->patterns[i], start, at, end))) return &c->patterns[i];
  return NULL;
}

bool conceal_bytes(const conceal *c, const char *bytes, size_t size, buffer *out) {
  const char *at = bytes, *end = bytes + size;
  size_t kept = out->size, taken = 0;
  bool found = false;
  while (at < end) {
    const pattern *p = c->starts[(unsigned char)*at] ? find(c, bytes, at, end, &taken) : NULL;
    if (!p) {
      const char *from = at++;
      while (at < end && !c->starts[(unsigned char)*at]) at++;
      buffer_add(out, from, (size_t)(at - from));
      continue;
    }
    at += taken;
    if (p->how == BASE64) at = widen(out, kept, at, end);
    buffer_add_format(out, "{secret:%s}", p->name);
    kept = out->size;
    found = true;
  }
  return found;
}

const char *conceal_text(const conceal *c, const char *text, arena *a) {
  buffer b;
  if (!text) return NULL;
  buffer_init(&b, TEXT_LIMIT);
  bool found = conceal_bytes(c, text, strlen(text), &b);
  const char *out = found ? arena_text(a, buffer_text(&b)) : arena_text(a, text);
  buffer_free(&b);
  return out;
}

/* The text from `start` to its closing quote; gives the place behind it. */
static size_t hide(buffer *b, size_t start) {
  static const char hidden[] = "{hidden}";
  size_t end = start;
  while (end < b->size && b->data[end] != '"') end += b->data[end] == '\\' ? 2 : 1;
  if (end >= b->size) return b->size;
  buffer rest;
  buffer_init(&rest, b->limit);
  buffer_add(&rest, b->data + end, b->size - end);
  b->size = start;
  buffer_add_text(b, hidden);
  buffer_add(b, rest.data, rest.size);
  buffer_free(&rest);
  return start + sizeof hidden;
}

/* A token that a source hands out is as good as a password: "access_token": "…" in a JSON text. */
void conceal_tokens(buffer *b) {
  static const char *const names[] = {"\"access_token\"", "\"refresh_token\"", "\"id_token\"",
                                      "\"client_secret\"", NULL};
  for (const char *const *name = names; *name; name++)
    for (size_t from = 0; from < b->size;) {
      const char *at = memmem(b->data + from, b->size - from, *name, strlen(*name));
      if (!at) break;
      size_t start = (size_t)(at - b->data) + strlen(*name);
      while (start < b->size && strchr(" \t\n\r:", b->data[start])) start++;
      from = start + 1;
      if (start < b->size && b->data[start] == '"') from = hide(b, from);
    }
}

/* ---- names that tell by themselves ---- */

static bool is_named(const char *name, size_t size, const char *const *names) {
  for (; *names; names++)
    if (text_equal_fold_bytes(name, size, *names, strlen(*names))) return true;
  return false;
}

static bool is_credential(const char *name, size_t size) {
  static const char *const names[] = {"access_token",    "api_key",          "apikey",   "api-key",
                                      "appid",           "client_secret",    "password", "passwd",
                                      "x-amz-signature", "x-amz-credential", "sig",      NULL};
  return is_named(name, size, names);
}

/* What stands between :// and @ does not go on. */
static const char *add_start(buffer *b, const char *at, size_t head) {
  const char *scheme = strstr(at, "://"), *user = scheme ? scheme + 3 : NULL;
  size_t size = user ? strcspn(user, "@/?# ") : 0;
  if (user && user[size] == '@') {
    buffer_add(b, at, (size_t)(user - at));
    buffer_add_text(b, "{hidden}");
    buffer_add(b, user + size, head - (size_t)(user + size - at));
  } else {
    buffer_add(b, at, head);
  }
  return at + head;
}

const char *conceal_url(const conceal *c, const char *url, arena *a) {
  buffer b;
  const char *at = conceal_text(c, url ? url : "", a);
  size_t head = strcspn(at, "?");
  buffer_init(&b, TEXT_LIMIT);
  for (at = add_start(&b, at, head); *at; at += head) {
    head = 1 + strcspn(at + 1, "&>\" ;,");
    size_t name = strcspn(at + 1, "=&");
    if (is_credential(at + 1, name) && name + 1 < head)
      buffer_add(&b, at, name + 2), buffer_add_text(&b, "{hidden}");
    else
      buffer_add(&b, at, head);
  }
  const char *out = arena_text(a, buffer_text(&b));
  buffer_free(&b);
  return out;
}

value conceal_headers(const conceal *c, const value *headers, arena *a) {
  static const char *const dropped[] = {"authorization", "proxy-authorization",
                                        "cookie",        "set-cookie",
                                        "set-cookie2",   "x-api-key",
                                        "api-key",       "x-auth-token",
                                        "x-csrf-token",  NULL};
  value out = value_map();
  for (size_t i = 0; headers && headers->kind == VALUE_MAP && i < headers->map.count; i++) {
    const value_pair *pair = &headers->map.pairs[i];
    const char *name = arena_copy(a, pair->key.text.bytes, pair->key.text.size);
    if (pair->item.kind != VALUE_TEXT || is_named(name, strlen(name), dropped)) continue;
    const char *text = arena_copy(a, pair->item.text.bytes, pair->item.text.size);
    bool is_address = strstr(text, "://") != NULL;
    value_set(a, &out, name,
              value_text(is_address ? conceal_url(c, text, a) : conceal_text(c, text, a)));
  }
  return out;
}
