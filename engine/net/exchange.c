/* exchange.c -- one hop of a request by curl: what is sent, and collecting what comes back.
 *
 * Redirects are not curl's business here: fetch.c makes each hop a run of its own, so that each
 * passes the guard and nothing secret goes to a host that it was not meant for. Headers may carry
 * secrets under any name; therefore another origin gets only those of a short list.
 *
 * SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "core/retry.h"
#include "net/call.h"

enum { HEAD_LIMIT = 256 * 1024, HEAD_LINES = 1000, HEAD_JOINED = 64 * 1024 };

static const char *const harmless[] = {
    "accept",     "accept-encoding", "accept-language", "content-type",      "content-language",
    "user-agent", "range",           "if-none-match",   "if-modified-since", NULL};
static const char *const ours[] = {
    "host", "content-length", "transfer-encoding", "connection", "expect", "te", "upgrade", NULL};

static bool listed(const char *const *list, const char *name, size_t size) {
  for (; *list; list++)
    if (strlen(*list) == size && !strncasecmp(*list, name, size)) return true;
  return false;
}

/* RFC 9110 section 5.6.2 */
static bool is_token(const char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (!isalnum((unsigned char)bytes[i]) && (!bytes[i] || !strchr("!#$%&'*+-.^_`|~", bytes[i])))
      return false;
  return size > 0;
}

static bool is_field(const value *v) {
  for (size_t i = 0; i < v->text.size; i++)
    if ((unsigned char)v->text.bytes[i] < ' ' && v->text.bytes[i] != '\t') return false;
  return true;
}

static int header_check(const value *key, const value *item, dts_error *e) {
  int size = (int)(key->text.size < 60 ? key->text.size : 60);
  if (!is_token(key->text.bytes, key->text.size))
    return error_fail(e, "HTTP_REQUEST",
                      "a header's name may have letters, digits and - only; got one of %zu bytes",
                      key->text.size);
  if (listed(ours, key->text.bytes, key->text.size))
    return error_fail(e, "HTTP_REQUEST", "header '%.*s' is set by the engine; leave it out", size,
                      key->text.bytes);
  if (item->kind == VALUE_NULL) return 0;
  if (item->kind != VALUE_TEXT)
    return error_fail(e, "HTTP_REQUEST", "header '%.*s': text expected, got a %s", size,
                      key->text.bytes, value_kind_name(item));
  if (!is_field(item))
    return error_fail(e, "HTTP_REQUEST", "header '%.*s' has a line end or control character in it",
                      size, key->text.bytes);
  return 0;
}

int exchange_check(const fetch_request *r, dts_error *e) {
  size_t size = r->method ? strlen(r->method) : 0;
  bool odd = size > 20 || !is_token(r->method ? r->method : "", size);
  if (odd || !strcasecmp(r->method, "CONNECT") || !strcasecmp(r->method, "TRACE"))
    return error_fail(e, "HTTP_REQUEST", "method '%.20s': expected GET, POST, PUT, DELETE ...",
                      r->method ? r->method : "");
  if (!r->headers || r->headers->kind != VALUE_MAP) return 0;
  for (size_t i = 0; i < r->headers->map.count; i++) {
    const value_pair *p = &r->headers->map.pairs[i];
    if (header_check(&p->key, &p->item, e) < 0) return -1;
  }
  return 0;
}

static void send_header(call *c, const char *name, const char *separator, const char *text) {
  char *line = arena_format(&c->heads, "%s%s%s", name, separator, text);
  struct curl_slist *grown = curl_slist_append(c->sent, line);
  if (grown) c->sent = grown;
}

static bool has_header(const call *c, const char *name) {
  const value *h = c->request.headers;
  for (size_t i = 0; h && i < h->map.count; i++)
    if (!strcasecmp(h->map.pairs[i].key.text.bytes, name)) return true;
  return false;
}

/* curl reads "Name;" as a header without a value, and "Name:" as one of its own to leave out. */
static void send_headers(call *c) {
  const value *h = c->request.headers;
  bool body_gone = c->request.body && !c->with_body;
  for (size_t i = 0; h && i < h->map.count; i++) {
    const value *key = &h->map.pairs[i].key, *item = &h->map.pairs[i].item;
    if (item->kind != VALUE_TEXT) continue;
    if (!c->at_origin && !listed(harmless, key->text.bytes, key->text.size)) continue;
    if (body_gone && !strncasecmp(key->text.bytes, "content-", 8)) continue;
    bool blank = strspn(item->text.bytes, " \t") == item->text.size;
    send_header(c, key->text.bytes, blank ? ";" : ": ", blank ? "" : item->text.bytes);
  }
  send_header(c, "Expect", ":", "");
  /* a part of a packed body could not be unpacked */
  if (!has_header(c, "accept-encoding"))
    send_header(c, "Accept-Encoding", ": ", has_header(c, "range") ? "identity" : DECODE_ACCEPTED);
  if (!has_header(c, "user-agent")) send_header(c, "User-Agent", ": ", "dts/" DTS_VERSION);
  if (!has_header(c, "content-type")) send_header(c, "Content-Type", ":", "");
}

/* Two lengths that differ are an attempt to have the end of the body seen in two places: RFC 9112
 * section 6.3. */
static void join_header(call *c, value *had, const char *name, const char *text) {
  if (!strcmp(name, "content-length")) {
    if (strcmp(had->text.bytes, text) != 0) c->head_fault = "it has two Content-Lengths";
    return;
  }
  if (had->text.size + strlen(text) > HEAD_JOINED)
    c->head_fault = "one of its headers is larger than 64 KB";
  else
    *had = value_text(arena_format(&c->heads, "%s, %s", had->text.bytes, text));
}

/* Without a TE header no other is allowed, and one that curl undoes may be cut short unseen: RFC 9112
 * section 6.1. */
static void check_transfer(call *c, const char *name, const char *text) {
  if (strcmp(name, "transfer-encoding") != 0) return;
  if (strcasecmp(text, "chunked") != 0 && strcasecmp(text, "identity") != 0)
    c->head_fault = "its Transfer-Encoding is not chunked";
}

/* Names in lower case, repeated ones joined: RFC 9110 section 5.3. */
static void keep_header(call *c, const char *line, size_t size) {
  const char *colon = memchr(line, ':', size), *end = line + size;
  if (!colon) return;
  char *name = arena_copy(&c->heads, line, (size_t)(colon - line));
  for (char *p = name; *p; p++) *p = (char)tolower((unsigned char)*p);
  for (colon++; colon < end && (*colon == ' ' || *colon == '\t');) colon++;
  while (end > colon && isspace((unsigned char)end[-1])) end--;
  char *text = arena_copy(&c->heads, colon, (size_t)(end - colon));
  value *map = &c->reply.headers;
  for (size_t i = 0; i < map->map.count; i++) {
    if (!value_is(&map->map.pairs[i].key, name)) continue;
    join_header(c, &map->map.pairs[i].item, name, text);
    check_transfer(c, name, map->map.pairs[i].item.text.bytes);
    return;
  }
  check_transfer(c, name, text);
  value_set(&c->heads, map, name, value_text(text));
}

static size_t on_header(char *bytes, size_t one, size_t size, void *arg) {
  call *c = arg;
  (void)one;
  c->head_bytes += size;
  if (c->head_bytes > HEAD_LIMIT) c->head_fault = "its headers are larger than 256 KB";
  if (++c->head_lines > HEAD_LINES) c->head_fault = "it has more than 1000 headers";
  if (c->head_fault) return 0;
  if (c->coded || c->body.size) return size; /* a trailer: RFC 9110 section 6.5.1 */
  if (size > 5 && !strncmp(bytes, "HTTP/", 5))
    c->reply.headers = value_map(); /* after a 1xx */
  else
    keep_header(c, bytes, size);
  return c->head_fault ? 0 : size;
}

static int keep_body(void *arg, const void *bytes, size_t size) {
  call *c = arg;
  return body_add(&c->body, bytes, size);
}

static void coding_failed(call *c, const dts_error *e) {
  if (!strcmp(e->code, "LIMIT_SIZE"))
    c->body.too_large = true;
  else
    snprintf(c->code_fault, sizeof c->code_fault, "%s", e->code);
}

/* curl would take a packed body that is cut short for whole, so it hands it on as it came. */
static size_t on_body(char *bytes, size_t one, size_t size, void *arg) {
  (void)one;
  call *c = arg;
  dts_error e = {0};
  const char *codings = exchange_header(c, "content-encoding");
  if (!codings) return keep_body(c, bytes, size) == 0 ? size : 0;
  size_t limit = (size_t)c->body.limit;
  if (!c->coded) c->coded = decode_open(codings, limit, keep_body, c, &e);
  int status = c->coded ? decode_feed(c->coded, bytes, size, &e) : -1;
  if (status < 0) coding_failed(c, &e);
  return status < 0 ? 0 : size;
}

int exchange_end(call *c) {
  if (!c->coded || decode_end(c->coded, NULL) == 0) return 0;
  snprintf(c->code_fault, sizeof c->code_fault, "CUT");
  return -1;
}

void exchange_clear(call *c) {
  body_free(&c->body);
  decode_free(c->coded);
  c->coded = NULL;
  c->code_fault[0] = 0;
  c->body.limit = c->request.body_limit;
  arena_free(&c->heads);
  curl_slist_free_all(c->sent);
  c->sent = NULL;
  c->head_bytes = 0;
  c->head_lines = 0;
  c->head_fault = NULL;
  c->reply.headers = value_map();
}

const char *exchange_header(const call *c, const char *name) {
  return value_get_text(&c->reply.headers, name, NULL);
}

/* These say "Content-Length: 0" when they have no body: RFC 9110 section 8.6. */
static bool is_writer(const char *method) {
  return !strcmp(method, "POST") || !strcmp(method, "PUT") || !strcmp(method, "PATCH");
}

static void set_method(CURL *easy, const call *c) {
  if (!strcmp(c->method, "HEAD")) {
    curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    return;
  }
  if (c->with_body || is_writer(c->method)) {
    curl_easy_setopt(easy, CURLOPT_POST, 1L);
    curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                     (curl_off_t)(c->with_body ? c->request.body_size : 0));
    curl_easy_setopt(easy, CURLOPT_POSTFIELDS, c->with_body ? c->request.body : "");
  }
  curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, c->method);
}

void exchange_open(call *c, CURL *easy) {
  exchange_clear(c);
  send_headers(c);
  curl_easy_setopt(easy, CURLOPT_URL, buffer_text(&c->url));
  if (c->request.once) curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
  curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(easy, CURLOPT_HTTPHEADER, c->sent);
  curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
  curl_easy_setopt(easy, CURLOPT_HEADERDATA, c);
  curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
  curl_easy_setopt(easy, CURLOPT_WRITEDATA, c);
  set_method(easy, c);
  /* curl sends a request again by itself when a kept connection turns out dead */
  bool once = !retry_method(c->method, c->request.idempotent);
  curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, once ? 1L : 0L);
  if (!c->at_origin || !(*c->user || *c->password)) return;
  curl_easy_setopt(easy, CURLOPT_USERNAME, c->user);
  curl_easy_setopt(easy, CURLOPT_PASSWORD, c->password);
}
