/* address.c -- see address.h. RFC 3986, sections 2.1 and 3.3.
 *
 * SPDX-License-Identifier: MIT */
#include "serve/address.h"

#include <ctype.h>
#include <string.h>

#include "base/text.h"

static int refuse(dts_error *e, const char *what) {
  error_fail(e, "ADDRESS", "the address is not well formed: %s", what);
  if (e) e->status = 400;
  return -1;
}

static int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Decodes once; NULL for a broken escape, a NUL or bytes that are no UTF-8. */
static const char *decode(const char *text, size_t size, bool plus, arena *a) {
  char *out = arena_alloc(a, size + 1);
  size_t n = 0;
  for (size_t i = 0; i < size; i++) {
    char c = text[i] == '+' && plus ? ' ' : text[i];
    if (c == '%') {
      int high = i + 2 < size ? hex(text[i + 1]) : -1;
      int low = high >= 0 ? hex(text[i + 2]) : -1;
      if (low < 0) return NULL;
      c = (char)(high << 4 | low);
      i += 2;
    }
    if (!c) return NULL;
    out[n++] = c;
  }
  return text_is_utf8(out, n, NULL) ? out : NULL;
}

static int add_segment(address *out, const char *text, size_t size, arena *a, dts_error *e) {
  const char *s = decode(text, size, false, a);
  if (!s) return refuse(e, "a segment is no percent-encoded UTF-8");
  if (strcmp(s, ".") == 0 || strcmp(s, "..") == 0) return refuse(e, "'.' and '..' lead nowhere");
  if (out->count == ADDRESS_SEGMENTS) return refuse(e, "too many segments");
  out->segments[out->count++] = s;
  return 0;
}

static int read_path(const char *path, arena *a, address *out, dts_error *e) {
  if (*path != '/') return refuse(e, "it does not begin with '/'");
  for (path++; *path;) {
    size_t size = strcspn(path, "/");
    if (add_segment(out, path, size, a, e) < 0) return -1;
    path += size;
    if (*path == '/') path++;
  }
  return 0;
}

static int add_pair(address *out, const char *text, size_t size, arena *a, dts_error *e) {
  const char *equals = memchr(text, '=', size);
  size_t name = equals ? (size_t)(equals - text) : size;
  if (!size) return 0;
  if (out->pair_count == ADDRESS_PAIRS) return refuse(e, "too many parameters in the query");
  pair p = {decode(text, name, true, a),
            equals ? decode(equals + 1, size - name - 1, true, a) : ""};
  if (!p.name || !p.text) return refuse(e, "the query is no percent-encoded UTF-8");
  out->pairs[out->pair_count++] = p;
  return 0;
}

int address_read(const char *path, const char *query, arena *a, address *out, dts_error *e) {
  out->count = out->pair_count = 0;
  if (read_path(path, a, out, e) < 0) return -1;
  while (query && *query) {
    size_t size = strcspn(query, "&");
    if (add_pair(out, query, size, a, e) < 0) return -1;
    query += size + (query[size] == '&');
  }
  return 0;
}

const char *address_query(const address *at, const char *name) {
  for (size_t i = 0; i < at->pair_count; i++)
    if (strcmp(at->pairs[i].name, name) == 0) return at->pairs[i].text;
  return NULL;
}

/* ---- templates ---- */

static const char *join_rest(const address *at, size_t from, arena *a) {
  const char *text = at->segments[from];
  for (size_t i = from + 1; i < at->count; i++)
    text = arena_format(a, "%s/%s", text, at->segments[i]);
  return text;
}

/* One segment of the template against one of the address: 3 literal, 2 a name, 1 the rest, 0 no. */
static int match_one(const char *part, size_t size, const address *at, size_t i, arena *a,
                     pair *got) {
  bool named = size > 2 && part[0] == '{' && part[size - 1] == '}';
  if (!named) {
    bool same = strlen(at->segments[i]) == size && memcmp(at->segments[i], part, size) == 0;
    return same ? 3 : 0;
  }
  bool rest = size > 5 && memcmp(part + size - 4, "...", 3) == 0;
  if (!rest && !*at->segments[i]) return 0;
  got->name = arena_copy(a, part + 1, size - (rest ? 5 : 2));
  got->text = rest ? join_rest(at, i, a) : at->segments[i];
  return rest ? 1 : 2;
}

int address_match(const char *template, const address *at, arena *a, pair *got, size_t room,
                  size_t *count) {
  int score = 1; /* base 4: earlier segments weigh more; 15 of them fit */
  size_t i = 0;
  *count = 0;
  for (const char *part = template + 1; *part;) {
    size_t size = strcspn(part, "/");
    pair one = {0};
    int how = i < at->count ? match_one(part, size, at, i, a, &one) : 0;
    if (!how || (one.name && *count == room)) return 0;
    if (one.name) got[(*count)++] = one;
    if (score < 1 << 28) score = score * 4 + how;
    if (how == 1) return score;
    i++;
    part += size + (part[size] == '/');
  }
  return i == at->count ? score : 0;
}

int percent_encode(buffer *b, const char *text) {
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if ((isalnum(c) && c < 128) || strchr("-._~", c))
      buffer_add_char(b, (char)c);
    else
      buffer_add_format(b, "%%%02X", c);
  }
  return b->failed ? -1 : 0;
}
