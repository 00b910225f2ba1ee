/* url.c -- see url.h. Joining is done on text and then read back by curl's parser, which encodes
 * what is not allowed in an address and refuses what it cannot read.
 *
 * SPDX-License-Identifier: MIT */
#include "net/url.h"

#include <ctype.h>
#include <curl/curl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "format/json.h"

enum { URL_LIMIT = 64 * 1024 };

static const struct {
  const char *scheme;
  int port;
} schemes[] = {{"http", 80}, {"https", 443}, {"smtp", 25}, {"smtps", 465}};

static int scheme_port(const char *scheme) {
  for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++)
    if (!strcmp(schemes[i].scheme, scheme)) return schemes[i].port;
  return 0;
}

/* What a message may show of an address: neither userinfo nor query. */
static void url_shorten(const char *url, char *out, size_t size) {
  size_t end = strcspn(url, "?#");
  const char *slashes = strstr(url, "//");
  size_t head = slashes && slashes < url + end ? (size_t)(slashes - url) + 2 : 0;
  size_t from = head;
  for (size_t i = head; i < end; i++)
    if (url[i] == '@') from = i + 1;
  if (head > 10) head = 10;
  snprintf(out, size, "%.*s%.*s", (int)head, url, (int)(end - from < 120 ? end - from : 120),
           url + from);
}

static int url_fail(const char *url, const char *why, dts_error *e) {
  char shown[160];
  url_shorten(url, shown, sizeof shown);
  error_fail(e, "HTTP_REQUEST", "address \"%s\" cannot be used: %s; expected https://host/path",
             shown, why);
  return -1;
}

/* A host's name beyond ASCII becomes what is looked up (RFC 5891). curl takes its bytes for what the
 * locale says that they are, and the engine has none: for this one call of this thread they are
 * UTF-8. */
static CURLUcode url_to_ascii(CURLU *u) {
  char *host = NULL, *ascii = NULL;
  CURLUcode code = curl_url_get(u, CURLUPART_HOST, &host, 0);
  bool plain = true;
  for (const char *c = host; c && *c; c++) plain = plain && (signed char)*c > 0;
  curl_free(host);
  if (code != CURLUE_OK || plain) return CURLUE_OK; /* no host is told of later */
  locale_t utf8 = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
  locale_t before = utf8 ? uselocale(utf8) : (locale_t)0;
  code = curl_url_get(u, CURLUPART_HOST, &ascii, CURLU_PUNYCODE);
  if (before) uselocale(before);
  if (utf8) freelocale(utf8);
  if (code == CURLUE_OK) code = curl_url_set(u, CURLUPART_HOST, ascii, 0);
  curl_free(ascii);
  return code == CURLUE_OK ? CURLUE_OK : CURLUE_BAD_HOSTNAME;
}

/* NULL, or an open handle; the caller cleans it up. */
static CURLU *url_open(const char *url, dts_error *e) {
  CURLU *u = curl_url();
  CURLUcode code = u ? curl_url_set(u, CURLUPART_URL, url, CURLU_URLENCODE) : CURLUE_OUT_OF_MEMORY;
  if (code == CURLUE_OK) code = url_to_ascii(u);
  if (code == CURLUE_OK) return u;
  curl_url_cleanup(u);
  url_fail(url, curl_url_strerror(code), e);
  return NULL;
}

static int url_part(CURLU *u, CURLUPart part, unsigned flags, buffer *out) {
  char *text = NULL;
  if (curl_url_get(u, part, &text, flags) != CURLUE_OK) return -1;
  int rc = buffer_add_text(out, text);
  curl_free(text);
  return rc;
}

/* The whole address without fragment, and without userinfo when `bare`. */
static int url_write(CURLU *u, bool bare, buffer *out) {
  curl_url_set(u, CURLUPART_FRAGMENT, NULL, 0);
  if (bare) curl_url_set(u, CURLUPART_USER, NULL, 0);
  if (bare) curl_url_set(u, CURLUPART_PASSWORD, NULL, 0);
  if (bare) curl_url_set(u, CURLUPART_OPTIONS, NULL, 0);
  return url_part(u, CURLUPART_URL, 0, out);
}

static void place_host(url_place *out, char *host) {
  size_t n = strlen(host);
  if (n > 1 && host[0] == '[') host[n - 1] = 0, host++;
  n = strlen(host);
  if (n > 1 && host[n - 1] == '.') host[n - 1] = 0;
  for (char *c = host; *c; c++) *c = (char)tolower((unsigned char)*c);
  snprintf(out->host, sizeof out->host, "%s", host);
}

/* Letters, digits, dot, hyphen, underscore; colons in brackets. What curl writes with an escape in it
 * is no name that anything answers to. */
static bool is_host(const char *host) {
  bool six = host[0] == '[';
  const char *more = six ? ":.[]%" : "._-";
  for (const char *c = host; *c; c++)
    if (!isalnum((unsigned char)*c) && !strchr(more, *c)) return false;
  return *host != 0;
}

static int place_fill(CURLU *u, const char *url, url_place *out, dts_error *e) {
  char *scheme = NULL, *host = NULL, *port = NULL;
  int rc = -1;
  *out = (url_place){0};
  curl_url_get(u, CURLUPART_SCHEME, &scheme, 0);
  curl_url_get(u, CURLUPART_HOST, &host, 0);
  curl_url_get(u, CURLUPART_PORT, &port, 0);
  if (!scheme || !scheme_port(scheme))
    url_fail(url, "unknown scheme", e);
  else if (!host || !is_host(host) || strlen(host) >= sizeof out->host)
    url_fail(url, "no host, or none that can be a name", e);
  else {
    snprintf(out->scheme, sizeof out->scheme, "%s", scheme);
    place_host(out, host);
    out->port = port ? atoi(port) : scheme_port(scheme);
    rc = 0;
  }
  curl_free(scheme);
  curl_free(host);
  curl_free(port);
  return rc;
}

int url_place_read(const char *url, url_place *out, dts_error *e) {
  CURLU *u = url_open(url, e);
  if (!u) return -1;
  int rc = place_fill(u, url, out, e);
  curl_url_cleanup(u);
  return rc;
}

int url_host(const char *url, char *out, size_t size, dts_error *e) {
  url_place p;
  if (url_place_read(url, &p, e) < 0) return -1;
  bool bracket = strchr(p.host, ':') != NULL;
  char port[16] = "";
  if (p.port != scheme_port(p.scheme)) snprintf(port, sizeof port, ":%d", p.port);
  int n = snprintf(out, size, "%s%s%s%s", bracket ? "[" : "", p.host, bracket ? "]" : "", port);
  return n < 0 || (size_t)n >= size ? url_fail(url, "the host's name is too long", e) : 0;
}

bool url_is_loopback(const url_place *p) {
  return !strcmp(p->host, "localhost") || !strncmp(p->host, "127.", 4) || !strcmp(p->host, "::1");
}

bool url_same_origin(const url_place *from, const url_place *to) {
  if (strcmp(from->host, to->host) != 0) return false;
  if (!strcmp(from->scheme, to->scheme)) return from->port == to->port;
  return !strcmp(from->scheme, "http") && from->port == 80 && !strcmp(to->scheme, "https") &&
         to->port == 443;
}

int url_clean(const char *url, buffer *out, buffer *user, buffer *password, dts_error *e) {
  CURLU *u = url_open(url, e);
  if (!u) return -1;
  url_part(u, CURLUPART_USER, CURLU_URLDECODE, user);
  url_part(u, CURLUPART_PASSWORD, CURLU_URLDECODE, password);
  int rc = url_write(u, true, out);
  curl_url_cleanup(u);
  return rc < 0 ? url_fail(url, "it is too long", e) : 0;
}

int url_resolve(const char *from, const char *location, buffer *out, dts_error *e) {
  CURLU *u = url_open(from, e);
  if (!u) return -1;
  CURLUcode code = curl_url_set(u, CURLUPART_URL, location, CURLU_URLENCODE);
  if (code == CURLUE_OK) code = url_to_ascii(u);
  int rc = code == CURLUE_OK ? url_write(u, true, out) : -1;
  curl_url_cleanup(u);
  return rc < 0 ? url_fail(location, "a redirect leads there", e) : 0;
}

static void query_encode(buffer *b, const char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)bytes[i];
    bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                 (c && strchr("-._~", c));
    if (plain)
      buffer_add_char(b, (char)c);
    else
      buffer_add_format(b, "%%%02X", c);
  }
}

static int query_item(buffer *b, const value *v) {
  buffer number;
  buffer_init(&number, 64);
  int rc = 0;
  if (v->kind == VALUE_TEXT)
    query_encode(b, v->text.bytes, v->text.size);
  else if (v->kind == VALUE_BOOLEAN)
    buffer_add_text(b, v->boolean ? "true" : "false");
  else if (v->kind == VALUE_INTEGER)
    rc = json_write_integer(b, v->integer);
  else if (v->kind == VALUE_REAL && (rc = json_write_real(&number, v->real)) == 0)
    query_encode(b, number.data, number.size); /* 1e+21 has a plus sign */
  buffer_free(&number);
  return rc;
}

static int query_one(buffer *b, const value *key, const value *v, dts_error *e) {
  if (v->kind == VALUE_NULL) return 0;
  buffer_add_char(b, memchr(b->data, '?', b->size) ? '&' : '?');
  query_encode(b, key->text.bytes, key->text.size);
  buffer_add_char(b, '=');
  if (v->kind != VALUE_MAP && v->kind != VALUE_LIST && query_item(b, v) == 0) return 0;
  return error_fail(e, "HTTP_REQUEST",
                    "query '%.*s' has a %s; expected text, a number, a boolean or a list of these",
                    (int)(key->text.size < 60 ? key->text.size : 60), key->text.bytes,
                    value_kind_name(v));
}

static int query_pair(buffer *b, const value *key, const value *v, dts_error *e) {
  if (v->kind != VALUE_LIST) return query_one(b, key, v, e);
  for (size_t i = 0; i < v->list.count; i++)
    if (query_one(b, key, &v->list.items[i], e) < 0) return -1;
  return 0;
}

static bool is_address(const char *path) {
  return !strncasecmp(path, "http://", 7) || !strncasecmp(path, "https://", 8);
}

/* What an address may not hold as it is; curl would encode it too, but in lower case. */
static void add_part(buffer *b, const char *bytes, size_t size) {
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)bytes[i];
    if (c > ' ' && c < 0x7f)
      buffer_add_char(b, (char)c);
    else
      buffer_add_format(b, "%%%02X", c);
  }
}

/* base and path as text, the query of the base behind that of the path. */
static void join_text(buffer *b, const char *base, const char *path) {
  size_t used = strcspn(path, "#");
  if (is_address(path)) {
    add_part(b, path, used);
    return;
  }
  size_t end = strcspn(base, "?#");
  const char *rest = base[end] == '?' ? base + end + 1 : "";
  while (end && base[end - 1] == '/' && path[0] == '/') end--;
  add_part(b, base, end);
  bool slash = used && path[0] != '/' && path[0] != '?' && (!end || base[end - 1] != '/');
  if (slash) buffer_add_char(b, '/');
  add_part(b, path, used);
  if (!*rest) return;
  buffer_add_char(b, memchr(path, '?', used) ? '&' : '?');
  add_part(b, rest, strcspn(rest, "#"));
}

int url_join(const char *base, const char *path, const value *query, buffer *out, dts_error *e) {
  buffer text;
  url_place place;
  buffer_init(&text, URL_LIMIT);
  join_text(&text, base, path);
  int rc = 0;
  if (query && query->kind == VALUE_MAP)
    for (size_t i = 0; i < query->map.count && rc == 0; i++)
      rc = query_pair(&text, &query->map.pairs[i].key, &query->map.pairs[i].item, e);
  if (rc == 0 && text.failed) rc = url_fail(base, "it is longer than 64 KB", e);
  CURLU *u = rc == 0 ? url_open(buffer_text(&text), e) : NULL;
  if (!u) rc = -1;
  if (rc == 0) rc = place_fill(u, buffer_text(&text), &place, e);
  if (rc == 0 && url_write(u, false, out) < 0) rc = url_fail(path, "it is too long", e);
  curl_url_cleanup(u);
  buffer_free(&text);
  return rc;
}
