/* http_request.c -- see http_request.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/calls/http_request.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/permit.h"
#include "flow/kernel/parts.h"
#include "format/json.h"
#include "net/url.h"

enum { URL_LIMIT = 64 * 1024 };

/* ---- permission ---- */

static const char **names_of(arena *a, const value *list, const char *first) {
  size_t count = list ? list->list.count : 0, n = 0;
  const char **names = arena_alloc(a, (count + 2) * sizeof *names);
  if (first) names[n++] = first;
  for (size_t i = 0; i < count; i++)
    if (list->list.items[i].kind == VALUE_TEXT) names[n++] = list->list.items[i].text.bytes;
  return names;
}

static int check_host(run *r, http_request *q, const char *own_host, dts_error *e) {
  url_place place;
  const value *ceiling = value_get(value_get(kernel_config(r->kernel), "allow"), "hosts");
  permit p = {.who = arena_format(&q->memory, "pipeline '%s'", r->pipeline->name),
              .hosts = names_of(&q->memory, r->pipeline->hosts, own_host),
              .ceiling = ceiling ? names_of(&q->memory, ceiling, NULL) : NULL};
  if (url_place_read(q->url, &place, e) < 0 || permit_host(&p, place.host, place.port, e) < 0)
    return -1;
  q->allow_private = value_list();
  if (permit_host_is_named(&p, place.host, place.port))
    value_add(&q->memory, &q->allow_private,
              value_text(arena_format(&q->memory, "%s:%d", place.host, place.port)));
  return 0;
}

static bool listed(const value *list, const char *name) {
  for (size_t i = 0; i < list->list.count; i++)
    if (value_is(&list->list.items[i], name)) return true;
  return false;
}

static const source *find_source(run *r, const char *name, dts_error *e) {
  const source *s = registry_source(r->set, name);
  if (!s) {
    error_fail(e, "SOURCE", "there is no source named '%s'", name);
  } else if (!listed(r->pipeline->sources, name)) {
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

static void no_secret(const char *name, const char *header, dts_error *e) {
  error_fail(e, "SECRET", "header '%s' needs secret %s, which is not set", header, name);
  error_hint(e, "set DTS_SECRET_%s, or write it to secrets/%s (readable by its owner alone)", name,
             name);
}

/* Fills {secret:NAME} in; 1 when the header is to be dropped ({secret?:NAME} without a value). */
static int fill_in(run *r, http_request *q, const char *header, const char *text, buffer *out,
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
    if (!secret) return no_secret(name, header, e), -1;
    value_add(&q->memory, &q->secrets, value_text(secret));
    buffer_add_text(out, secret);
    at = end + 1;
  }
  return 0;
}

static int add_headers(run *r, http_request *q, const value *headers, bool trusted, dts_error *e) {
  for (size_t i = 0; headers && headers->kind == VALUE_MAP && i < headers->map.count; i++) {
    const value_pair *pair = &headers->map.pairs[i];
    if (pair->item.kind != VALUE_TEXT) continue;
    const char *name = arena_copy(&q->memory, pair->key.text.bytes, pair->key.text.size);
    buffer filled;
    buffer_init(&filled, URL_LIMIT);
    int got = trusted ? fill_in(r, q, name, pair->item.text.bytes, &filled, e)
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

static int make_url(http_request *q, const char *base, const value *args, dts_error *e) {
  buffer url;
  const char *path = value_get_text(args, base ? "path" : "url", "");
  buffer_init(&url, URL_LIMIT);
  int rc = url_join(base ? base : path, base ? path : "",
                    in_order(&q->memory, value_get(args, "query")), &url, e);
  if (rc == 0) q->url = arena_text(&q->memory, buffer_text(&url));
  buffer_clear(&url);
  buffer drop;
  buffer_init(&drop, URL_LIMIT);
  if (rc == 0) rc = url_clean(q->url, &url, &drop, &drop, e);
  if (rc == 0) q->shown = arena_text(&q->memory, buffer_text(&url));
  buffer_free(&drop);
  buffer_free(&url);
  return rc;
}

static void read_options(http_request *q, const value *args) {
  const value *body = value_get(args, "body"), *key = value_get(args, "idempotency");
  if (body && body->kind == VALUE_TEXT) {
    q->body = body->text.bytes;
    q->body_size = body->text.size;
  }
  q->idempotent = key && !(key->kind == VALUE_BOOLEAN && !key->boolean);
  q->timeout_ms = value_get_integer(args, "timeout_ms", q->timeout_ms);
  q->conditional = q->source[0] && strcmp(q->method, "GET") == 0 && !q->body;
}

static void add_key(run *r, http_request *q, const value *args) { /* one key through all attempts */
  const value *key = value_get(args, "idempotency");
  if (!q->idempotent) return;
  const char *text = key->kind == VALUE_TEXT ? key->text.bytes
                                             : arena_format(&q->memory, "dts-%lld-%zu",
                                                            (long long)r->job.id, r->requests);
  value_set(&q->memory, &q->headers, "Idempotency-Key", value_text(text));
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
  const char *own_host = NULL;
  if (s) {
    url_place place;
    if (url_place_read(s->url, &place, e) < 0) return -1;
    own_host = arena_format(&q->memory, strchr(place.host, ':') ? "[%s]:%d" : "%s:%d", place.host,
                            place.port);
    q->manners = (fetch_manners){s->rate_count, s->rate_ms, s->concurrency};
    q->timeout_ms = s->timeout_ms;
    if (add_headers(r, q, s->headers, true, e) < 0) return -1;
  }
  if (make_url(q, s ? s->url : NULL, args, e) < 0 || check_host(r, q, own_host, e) < 0) return -1;
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

void http_request_fetch(const http_request *q, fetch_request *out) {
  *out = (fetch_request){.method = q->method,
                         .url = q->url,
                         .headers = &q->headers,
                         .body = q->body,
                         .body_size = q->body_size,
                         .timeout_ms = q->timeout_ms,
                         .idempotent = q->idempotent,
                         .allow_private = &q->allow_private,
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
  return v;
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
