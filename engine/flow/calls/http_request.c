/* http_request.c -- see http_request.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/calls/http_request.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "crypto/crypto.h"
#include "flow/kernel/parts.h"
#include "format/json.h"
#include "net/url.h"

enum { URL_LIMIT = 64 * 1024 };

/* ---- permission ---- */

static int check_host(run *r, http_request *q, dts_error *e) {
  url_place place;
  bool named;
  http_reach_make(r, &q->memory, &q->reach);
  if (url_place_read(q->url, &place, e) < 0 ||
      http_reach_ask(&q->reach, place.host, place.port, &named, e) < 0)
    return -1;
  const char *format = strchr(place.host, ':') ? "[%s]:%d" : "%s:%d";
  q->allow_private = value_list();
  if (named)
    value_add(&q->memory, &q->allow_private,
              value_text(arena_format(&q->memory, format, place.host, place.port)));
  return 0;
}

static const source *find_source(run *r, const char *name, dts_error *e) {
  const source *s = registry_source(r->set, name);
  if (!s) {
    error_fail(e, "SOURCE", "there is no source named '%s'", name);
  } else if (!value_has(r->pipeline->sources, name)) {
    error_fail(e, "SOURCE_REFUSED", "pipeline '%s' may not use source '%s'", r->pipeline->name,
               name);
    error_hint(e,
               "declare it in the same file, require its connector, or say allow = { sources = { "
               "\"%s\" } }",
               name);
    s = NULL;
  }
  return s;
}

/* ---- secrets ---- */

static void no_secret(const char *name, const char *where, dts_error *e) {
  error_fail(e, "SECRET", "%s needs secret %s, which is not set", where, name);
  error_hint(e, "set DTS_SECRET_%s, or write it to secrets/%s (readable by its owner alone)", name,
             name);
}

/* As a part of a path, which it does not end: what is no pchar (RFC 3986 section 3.3) is encoded. */
static void add_segment(buffer *out, const char *text) {
  static const char plain[] = "-._~!$&'()*+,;=:@";
  for (; *text; text++)
    if (isalnum((unsigned char)*text) || strchr(plain, *text))
      buffer_add_char(out, *text);
    else
      buffer_add_format(out, "%%%02X", (unsigned char)*text);
}

/* Fills {secret:NAME} in; 1 when all is to be dropped ({secret?:NAME} without a value). `where` is
 * for the message; NULL: in a path. */
static int fill_in(run *r, http_request *q, const char *where, const char *text, buffer *out,
                   dts_error *e) {
  for (const char *at = text; *at;) {
    bool optional = strncmp(at, "{secret?:", 9) == 0;
    const char *end = optional || strncmp(at, "{secret:", 8) == 0 ? strchr(at, '}') : NULL;
    if (!end) {
      buffer_add_char(out, *at++);
      continue;
    }
    const char *from = at + (optional ? 9 : 8);
    const char *name = arena_copy(&q->memory, from, (size_t)(end - from));
    const char *secret = kernel_secret(r->kernel, name, &q->memory);
    if (!secret && optional) return 1;
    if (!secret) return no_secret(name, where ? where : "the address", e), -1;
    value_add(&q->memory, &q->secrets, value_text(secret));
    if (where)
      buffer_add_text(out, secret);
    else
      add_segment(out, secret);
    at = end + 1;
  }
  return 0;
}

/* What a source's headers say goes to its own address; another that it leads to (a next page, a whole
 * address given as a path) gets only these. */
static bool is_harmless(const char *name) {
  static const char *const list[] = {"accept", "accept-language", "user-agent"};
  for (size_t i = 0; i < sizeof list / sizeof *list; i++)
    if (!strcasecmp(list[i], name)) return true;
  return false;
}

static int add_headers(run *r, http_request *q, const value *headers, bool trusted, dts_error *e) {
  for (size_t i = 0; headers && headers->kind == VALUE_MAP && i < headers->map.count; i++) {
    const value_pair *pair = &headers->map.pairs[i];
    if (pair->item.kind != VALUE_TEXT) continue;
    const char *name = arena_copy(&q->memory, pair->key.text.bytes, pair->key.text.size);
    if (trusted && q->elsewhere && !is_harmless(name)) continue;
    buffer filled;
    buffer_init(&filled, URL_LIMIT);
    const char *where = arena_format(&q->memory, "header '%s'", name);
    int got = trusted ? fill_in(r, q, where, pair->item.text.bytes, &filled, e)
                      : buffer_add(&filled, pair->item.text.bytes, pair->item.text.size);
    if (got == 0)
      value_set(&q->memory, &q->headers, name,
                value_bytes(arena_copy(&q->memory, filled.data, filled.size), filled.size));
    buffer_free(&filled);
    if (got < 0) return -1;
  }
  return 0;
}

/* ---- making ---- */

static int by_name(const void *a, const void *b) {
  const value_pair *one = a, *other = b;
  return strcmp(one->key.text.bytes, other->key.text.bytes);
}

/* A script's table has no order; the address must be the same each time, or no validator is found. */
static const value *in_order(arena *a, const value *query) {
  if (!query || query->kind != VALUE_MAP || !query->map.count) return query;
  value *sorted = arena_alloc(a, sizeof *sorted);
  size_t size = query->map.count * sizeof *query->map.pairs;
  *sorted = *query;
  sorted->map.pairs = arena_alloc(a, size);
  memcpy(sorted->map.pairs, query->map.pairs, size);
  qsort(sorted->map.pairs, sorted->map.count, sizeof *sorted->map.pairs, by_name);
  return sorted;
}

static const char *clean_url(http_request *q, const char *url, dts_error *e) {
  buffer clean, drop;
  buffer_init(&clean, URL_LIMIT);
  buffer_init(&drop, URL_LIMIT);
  int rc = url_clean(url, &clean, &drop, &drop, e);
  const char *text = rc == 0 ? arena_text(&q->memory, buffer_text(&clean)) : NULL;
  buffer_free(&drop);
  buffer_free(&clean);
  return text;
}

static const char *join_url(http_request *q, const char *base, const char *path, const value *query,
                            dts_error *e) {
  buffer url;
  buffer_init(&url, URL_LIMIT);
  int rc = url_join(base, path, query, &url, e);
  const char *text = rc == 0 ? arena_text(&q->memory, buffer_text(&url)) : NULL;
  buffer_free(&url);
  return text;
}

static int is_elsewhere(const http_request *q, const char *base, bool *out, dts_error *e) {
  url_place from, to;
  if (url_place_read(base, &from, e) < 0 || url_place_read(q->url, &to, e) < 0) return -1;
  *out = !url_same_origin(&from, &to);
  return 0;
}

/* The source's own query, its secrets filled in; a parameter that the script gave stands. */
static int add_source_query(run *r, http_request *q, const value *own, const value *given,
                            dts_error *e) {
  value query = value_map();
  for (size_t i = 0; i < own->map.count; i++) {
    const value_pair *pair = &own->map.pairs[i];
    const char *name = pair->key.text.bytes;
    buffer filled;
    if (pair->item.kind != VALUE_TEXT || value_get(given, name)) continue;
    buffer_init(&filled, URL_LIMIT);
    const char *where = arena_format(&q->memory, "query '%s'", name);
    int got = fill_in(r, q, where, pair->item.text.bytes, &filled, e);
    if (got == 0)
      value_set(&q->memory, &query, name, value_text(arena_text(&q->memory, buffer_text(&filled))));
    buffer_free(&filled);
    if (got < 0) return -1;
  }
  q->url = join_url(q, q->url, "", in_order(&q->memory, &query), e);
  return q->url ? 0 : -1;
}

/* The source's address with its secrets filled in, for the wire; `shown` keeps their names. */
static int fill_address(run *r, http_request *q, const source *s, const char *path,
                        const value *query, dts_error *e) {
  buffer filled;
  if (!strstr(s->url, "{secret")) return 0;
  buffer_init(&filled, URL_LIMIT);
  int rc = fill_in(r, q, NULL, s->url, &filled, e);
  if (rc == 0) q->url = join_url(q, buffer_text(&filled), path, query, e);
  if (rc > 0) error_fail(e, "SECRET", "the address needs a secret that may be absent, and is");
  buffer_free(&filled);
  return rc == 0 && q->url ? 0 : -1;
}

/* A path below the source, or a whole address (a Link header's). */
static int make_url(run *r, http_request *q, const source *s, const value *args, dts_error *e) {
  const value *query = in_order(&q->memory, value_get(args, "query"));
  const char *whole = value_get_text(args, "url", NULL);
  const char *base = whole || !s ? value_get_text(args, "url", "") : s->url;
  const char *path = whole || !s ? "" : value_get_text(args, "path", "");
  q->url = join_url(q, base, path, query, e);
  if (!q->url || !(q->shown = clean_url(q, q->url, e))) return -1;
  if (!s) return 0;
  if (!whole && fill_address(r, q, s, path, query, e) < 0) return -1;
  if (is_elsewhere(q, s->url, &q->elsewhere, e) < 0) return -1;
  return s->query && !q->elsewhere ? add_source_query(r, q, s->query, query, e) : 0;
}

/* A script that sends a condition or a range of its own gets the answer to that. */
static bool asks_itself(const http_request *q) {
  static const char *const names[] = {"if-none-match",       "if-modified-since", "if-match",
                                      "if-unmodified-since", "if-range",          "range"};
  for (size_t i = 0; q->given.kind == VALUE_MAP && i < q->given.map.count; i++)
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
      if (!strcasecmp(q->given.map.pairs[i].key.text.bytes, names[k])) return true;
  return false;
}

static void read_options(http_request *q, const value *args) {
  const value *body = value_get(args, "body"), *key = value_get(args, "idempotency");
  if (body && body->kind == VALUE_TEXT) {
    q->body = body->text.bytes;
    q->body_size = body->text.size;
  }
  q->idempotent = key && !(key->kind == VALUE_BOOLEAN && !key->boolean);
  q->timeout_ms = value_get_integer(args, "timeout_ms", q->timeout_ms);
  q->body_limit = value_get_integer(args, "largest", q->body_limit);
  q->conditional = q->source[0] && strcmp(q->method, "GET") == 0 && !q->body && !asks_itself(q);
}

static void add_key(run *r, http_request *q, const value *args) { /* one key through all attempts */
  const value *key = value_get(args, "idempotency");
  if (!q->idempotent) return;
  const char *text = key->kind == VALUE_TEXT ? key->text.bytes
                                             : arena_format(&q->memory, "dts-%lld-%zu",
                                                            (long long)r->job.id, r->requests);
  value_set(&q->memory, &q->headers, "Idempotency-Key", value_text(text));
}

static void read_source(http_request *q, const source *s) {
  q->manners = (fetch_manners){s->rate_count, s->rate_ms, s->concurrency};
  q->timeout_ms = s->timeout_ms;
  q->connect_ms = s->connect_ms;
  q->stall_ms = s->stall_ms;
  q->body_limit = s->largest;
}

int http_request_make(run *r, const value *args, http_request *q, dts_error *e) {
  const char *name = value_get_text(args, "source", NULL);
  const source *s = name ? find_source(r, name, e) : NULL;
  if (name && !s) return -1;
  q->method = arena_text(&q->memory, value_get_text(args, "method", "GET"));
  q->source = arena_text(&q->memory, name ? name : "");
  q->headers = value_map();
  q->given = value_map();
  q->secrets = value_list();
  if (make_url(r, q, s, args, e) < 0 || check_host(r, q, e) < 0) return -1;
  if (s) read_source(q, s);
  if (s && add_headers(r, q, s->headers, true, e) < 0) return -1;
  if (value_get(args, "headers")) q->given = *value_get(args, "headers");
  if (add_headers(r, q, &q->given, false, e) < 0) return -1;
  read_options(q, args);
  q->query = value_get(args, "query");
  q->path = value_get(args, "path");
  add_key(r, q, args);
  return 0;
}

void http_request_free(http_request *q) { arena_free(&q->memory); }

void http_request_condition(http_request *q, const value *known) {
  const char *etag = value_get_text(known, "etag", NULL);
  const char *modified = value_get_text(known, "modified", NULL);
  if (etag)
    value_set(&q->memory, &q->headers, "If-None-Match", value_text(etag));
  else if (modified)
    value_set(&q->memory, &q->headers, "If-Modified-Since", value_text(modified));
}

void http_request_fetch(http_request *q, fetch_request *out) {
  *out = (fetch_request){.method = q->method,
                         .url = q->url,
                         .headers = &q->headers,
                         .body = q->body,
                         .body_size = q->body_size,
                         .timeout_ms = q->timeout_ms,
                         .idempotent = q->idempotent,
                         .connect_ms = q->connect_ms,
                         .stall_ms = q->stall_ms,
                         .body_limit = q->body_limit,
                         .allow_private = &q->allow_private,
                         .permit = http_reach_ask,
                         .permit_arg = &q->reach,
                         .secrets = &q->secrets,
                         .manners = q->manners};
}

value http_request_value(const http_request *q, arena *a) {
  value v = value_map();
  value_set(a, &v, "method", value_text(q->method));
  value_set(a, &v, "url", value_text(q->shown));
  if (q->path) value_set(a, &v, "path", *q->path);
  if (q->query) value_set(a, &v, "query", *q->query);
  value_set(a, &v, "headers", q->given);
  if (q->body) value_set(a, &v, "body", value_bytes(q->body, q->body_size));
  if (q->timeout_ms) value_set(a, &v, "timeout_ms", value_integer(q->timeout_ms));
  return v;
}

const char *http_request_known_as(http_request *q) {
  char digest[CRYPTO_SHA256_HEX];
  if (q->given.kind != VALUE_MAP || !q->given.map.count) return q->shown;
  buffer b;
  buffer_init(&b, 1 << 20);
  json_write(&b, in_order(&q->memory, &q->given));
  crypto_sha256_hex(b.data, b.size, digest);
  buffer_free(&b);
  return arena_format(&q->memory, "%s#%.16s", q->shown, digest);
}

const char *http_request_key(http_request *q) {
  buffer b;
  buffer_init(&b, 1 << 20);
  buffer_add_format(&b, "%s %s ", q->source, q->url);
  json_write(&b, &q->given);
  const char *key = arena_text(&q->memory, buffer_text(&b));
  buffer_free(&b);
  return key;
}

bool http_request_accepts(const value *args, int status) {
  const value *list = value_get(args, "accept");
  for (size_t i = 0; list && list->kind == VALUE_LIST && i < list->list.count; i++)
    if (list->list.items[i].kind == VALUE_INTEGER && list->list.items[i].integer == status)
      return true;
  return false;
}
