/* http.h -- one request and its reply, whoever carries them.
 *
 * One idea: the carrier (civet.c) fills in what came over the wire, http_check refuses what two
 * readers could understand differently, handlers fill in a reply, and http_head turns it into
 * bytes. A body is read by the handler that wants it, with its own limit.
 *
 * Ownership: everything in a request lives in its arena; a reply's body is the reply's own buffer.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SERVE_HTTP_H
#define DTS_SERVE_HTTP_H

#include <stdint.h>

#include "format/value.h"
#include "serve/address.h"

enum { HTTP_HEADERS = 64, HTTP_REPLY_HEADERS = 16, HTTP_JSON = 1 << 20 };

typedef struct http_wire { /* 0 is the end, negative a failure */
  void *arg;
  int (*read)(void *arg, void *out, size_t size);
  int (*write)(void *arg, const void *bytes, size_t size);
} http_wire;

typedef struct http_request {
  arena *memory;
  const char *method, *path, *query; /* as sent; query may be NULL */
  address at;
  size_t header_count;
  pair headers[HTTP_HEADERS];
  int64_t length; /* Content-Length; 0 when there is none */
  int64_t taken;  /* of the body, so far */
  const char *peer;
  http_wire wire;
} http_request;

typedef struct http_reply {
  int status; /* 0: the handler has written everything itself */
  const char *type;
  buffer body;
  size_t header_count;
  pair headers[HTTP_REPLY_HEADERS];
  const char *cache; /* Cache-Control; NULL: no-store */
  const char *etag;
  bool packed; /* the body is gzip already */
  bool close;  /* the connection ends with this reply */
} http_reply;

const char *http_header(const http_request *rq, const char *name); /* any case; NULL */
/* RFC 9112: one Host, one Content-Length of digits, no Transfer-Encoding, fewer than 64 headers, a
 * known method, no control characters. Fills in length and `at`. */
int http_check(http_request *rq, dts_error *e);
/* The whole body: 0, or -1 with LIMIT_SIZE (413) or a body that ended early (400). */
int http_body(http_request *rq, size_t limit, buffer *out, dts_error *e);
int http_json(http_request *rq, value *out, dts_error *e); /* a JSON object of at most 1 MB */

void http_set(http_reply *rp, const char *name, const char *text); /* both borrowed */
void http_reply_json(http_reply *rp, const value *v);      /* writes it; status 200 if none */
void http_reply_error(http_reply *rp, const dts_error *e); /* {"error":{..}}, fitting status */
bool http_accepts(const http_request *rq, const char *header, const char *token); /* not with q=0 */
/* Status line and headers, with `length` as Content-Length (-1: none, a stream). */
void http_head(const http_reply *rp, int64_t length, int64_t now, buffer *out);

#endif
