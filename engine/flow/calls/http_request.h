/* http_request.h -- a run's request, permitted and filled in: address, headers with their secrets.
 *
 * `shown` is the address for people, without what the source's own query adds; secrets stand in `url`
 * and `headers` alone, which nothing logs or answers.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_HTTP_REQUEST_H
#define DTS_FLOW_HTTP_REQUEST_H

#include "flow/calls/http_reach.h"
#include "net/fetch.h"

typedef struct http_request {
  arena memory;
  const char *method, *url, *shown, *source; /* source "" for dts.http */
  value headers, given;                      /* as sent; as the script gave them, without secrets */
  value allow_private;
  http_reach reach;
  value secrets; /* list of those filled in: what no message may show */
  const char *body;
  size_t body_size;
  int64_t timeout_ms, connect_ms, stall_ms, body_limit;
  bool idempotent, conditional;
  bool elsewhere; /* not at its source's own address: nothing secret is sent */
  fetch_manners manners;
  const value *query, *path;
} http_request;

int http_request_make(run *r, const value *args, http_request *out, dts_error *e);
void http_request_free(http_request *q);
void http_request_condition(http_request *q, const value *known); /* {etag?, modified?} */
void http_request_fetch(http_request *q, fetch_request *out);
value http_request_value(const http_request *q, arena *a); /* for a test's stand-in: no secrets */
/* Under which its ETag is remembered: the address, and what else the script asked with. */
const char *http_request_known_as(http_request *q);
/* Address and headers: what a shared reply depends on. */
const char *http_request_key(http_request *q);
bool http_request_accepts(const value *args, int status);

#endif
