/* http.c -- see http.h: what is taken in, and replies as bytes. http_reply.c says which status
 * fits.
 *
 * SPDX-License-Identifier: MIT */
#include "serve/http.h"

#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "format/date.h"
#include "format/json.h"
#include "serve/doze.h"

const char *http_header(const http_request *rq, const char *name) {
  for (size_t i = 0; i < rq->header_count; i++)
    if (text_equal_fold(rq->headers[i].name, name)) return rq->headers[i].text;
  return NULL;
}

/* ---- what is refused ---- */

static int refuse(dts_error *e, int status, const char *code, const char *message) {
  error_fail(e, code, "%s", message);
  if (e) e->status = status;
  return -1;
}

static size_t count_of(const http_request *rq, const char *name) {
  size_t n = 0;
  for (size_t i = 0; i < rq->header_count; i++) n += text_equal_fold(rq->headers[i].name, name);
  return n;
}

static bool is_token(const char *text) {
  if (!*text) return false;
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (c <= 32 || c >= 127 || strchr("\"(),/:;<=>?@[\\]{}", c)) return false;
  }
  return true;
}

static bool is_field(const char *text) { /* RFC 9110 section 5.5: no control character but tab */
  for (; *text; text++)
    if (((unsigned char)*text < 32 && *text != '\t') || *text == 127) return false;
  return true;
}

static int check_headers(const http_request *rq, dts_error *e) {
  if (rq->header_count >= HTTP_HEADERS)
    return refuse(e, 431, "HEADERS", "the request has 64 headers or more, at most 63 expected");
  for (size_t i = 0; i < rq->header_count; i++)
    if (!is_token(rq->headers[i].name) || !is_field(rq->headers[i].text))
      return refuse(e, 400, "HEADERS", "a header is not well formed");
  if (count_of(rq, "host") != 1)
    return refuse(e, 400, "HOST", "exactly one Host header is expected");
  return 0;
}

static int check_length(http_request *rq, dts_error *e) {
  size_t lengths = count_of(rq, "content-length"), codings = count_of(rq, "transfer-encoding");
  if (codings && lengths)
    return refuse(e, 400, "LENGTH", "Content-Length together with Transfer-Encoding is refused");
  if (codings)
    return refuse(e, 411, "LENGTH", "Transfer-Encoding is not taken: send a Content-Length");
  if (lengths > 1) return refuse(e, 400, "LENGTH", "Content-Length is given more than once");
  rq->length = 0;
  if (!lengths) return 0;
  const char *text = http_header(rq, "content-length");
  size_t size = strlen(text);
  if (!size || size > 18 || strspn(text, "0123456789") != size)
    return refuse(e, 400, "LENGTH", "Content-Length is not a number");
  rq->length = strtoll(text, NULL, 10);
  return 0;
}

static int check_method(const http_request *rq, dts_error *e) {
  static const char *const known[] = {"GET", "HEAD", "POST", "PUT", "DELETE"};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++)
    if (strcmp(rq->method, known[i]) == 0) return 0;
  return refuse(e, 501, "METHOD", "the method is not known: GET, HEAD, POST, PUT, DELETE");
}

int http_check(http_request *rq, dts_error *e) {
  if (check_headers(rq, e) < 0 || check_length(rq, e) < 0 || check_method(rq, e) < 0) return -1;
  return address_read(rq->path, rq->query, rq->memory, &rq->at, e);
}

/* ---- the body ---- */

int http_body(http_request *rq, size_t limit, buffer *out, dts_error *e) {
  buffer_init(out, limit);
  if (rq->length > (int64_t)limit || buffer_reserve(out, (size_t)rq->length) < 0) {
    error_fail(e, "LIMIT_SIZE", "the body has %lld bytes, at most %zu are taken",
               (long long)rq->length, limit);
    if (e) e->status = 413;
    return -1;
  }
  if (!doze_hold((size_t)rq->length))
    return refuse(e, 503, "BUSY", "too many large bodies are on their way: send it again later");
  while (rq->taken < rq->length) {
    int got = rq->wire.read(rq->wire.arg, out->data + out->size, (size_t)(rq->length - rq->taken));
    if (got <= 0)
      return refuse(e, 400, "BODY",
                    "the body ended, or came too slowly, before its Content-Length");
    out->size += (size_t)got;
    rq->taken += got;
  }
  return 0;
}

int http_json(http_request *rq, value *out, dts_error *e) {
  buffer b;
  int rc = http_body(rq, HTTP_JSON, &b, e);
  if (rc == 0) rc = json_read(rq->memory, b.size ? b.data : "{}", b.size ? b.size : 2, out, e);
  if (rc < 0 && e && !e->status) e->status = 400;
  if (rc == 0 && out->kind != VALUE_MAP) rc = refuse(e, 400, "JSON", "a JSON object is expected");
  buffer_free(&b);
  return rc;
}

/* ---- negotiation ---- */

static bool refused_by_quality(const char *at, const char *end) {
  const char *q = at;
  while (q < end && *q != ';') q++;
  for (q++; q < end; q++)
    if ((q[0] == 'q' || q[0] == 'Q') && q + 2 < end && q[1] == '=')
      return q[2] == '0' && strspn(q + 3, ".0") == (size_t)strcspn(q + 3, ",; \t");
  return false;
}

bool http_accepts(const http_request *rq, const char *header, const char *token) {
  const char *at = http_header(rq, header);
  size_t size = strlen(token);
  while (at && *at) {
    at += strspn(at, " \t,");
    size_t part = strcspn(at, ",");
    size_t word = strcspn(at, ",; \t");
    if (word == size && text_equal_fold_bytes(at, word, token, size))
      return !refused_by_quality(at, at + part);
    at += part;
  }
  return false;
}
