/* conceal.c -- see conceal.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/trial/conceal.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "net/spelled.h"

enum { TEXT_LIMIT = 1 << 20 };

struct conceal {
  spelled *secrets;
};

void conceal_add(conceal *c, const char *name, const char *secret) {
  spelled_add(c->secrets, name, secret, strlen(secret));
}

conceal *conceal_open(void) {
  conceal *c = memory_alloc(sizeof *c);
  c->secrets = spelled_open();
  return c;
}

void conceal_close(conceal *c) {
  if (c) spelled_close(c->secrets);
  free(c);
}

/* ---- finding ---- */

static bool is_base64(char c) {
  return isalnum((unsigned char)c) || c == '+' || c == '-' || c == '_';
}

/* The rest of the base64 text goes with what was found in it: `kept` is what stays before it. */
static const char *widen(buffer *out, size_t kept, const char *at, const char *end) {
  while (out->size > kept && is_base64(out->data[out->size - 1])) out->size--;
  while (at < end && (is_base64(*at) || *at == '/' || *at == '=')) at++;
  return at;
}

bool conceal_bytes(const conceal *c, const char *bytes, size_t size, buffer *out) {
  const char *at = bytes, *end = bytes + size;
  size_t before = out->size, kept = before;
  spelled_place found;
  while (spelled_next(c->secrets, bytes, at, end, &found)) {
    buffer_add(out, at, (size_t)(found.at - at));
    at = found.at + found.size;
    if (found.base64) at = widen(out, kept, at, end);
    buffer_add_format(out, "{secret:%s}", found.name);
    kept = out->size;
  }
  buffer_add(out, at, (size_t)(end - at));
  return kept > before;
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
