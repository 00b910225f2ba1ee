/* call_http.c -- OP_HTTP: one request of a run, from its permission to its reply.
 *
 * In order: what the pipeline may reach (http_request.c), what is known of the address (a remembered
 * ETag), the exchange itself (net/fetch, or a test's stand-in), what is kept of the reply (archive,
 * validator: bytes among the objects now, their rows staged with the run), the answer.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flow/calls/calls.h"
#include "flow/calls/http_book.h"
#include "flow/calls/http_cache.h"
#include "flow/calls/http_fault.h"
#include "flow/calls/http_request.h"
#include "flow/kernel/parts.h"
#include "format/json.h"

enum { KEEP_LIMIT = 8 * 1024 * 1024, INLINE_LIMIT = 64 * 1024 };

typedef struct exchange {
  call *call;
  http_request request;
  int64_t started;
  size_t ordinal;
  http_known question;
  value known;       /* validator: {etag, modified, object, headers}, or null */
  fetch_reply reply; /* taken */
  value headers;
  char object[65];       /* where its body was kept, or "" */
  const char *cache_key; /* this exchange must end what it began in the cache; or NULL */
  int fd, rc;
  dts_error error;
} exchange;

static void finish(exchange *x) {
  buffer_free(&x->reply.body);
  if (x->fd >= 0) close(x->fd);
  http_request_free(&x->request);
  free(x);
}

static void fail(exchange *x, const dts_error *e) {
  if (x->cache_key) http_cache_fail(kernel_http_cache(x->call->run->kernel), x->cache_key);
  call_fail(x->call, e);
  finish(x);
}

static void record(exchange *x, int status, int tries) {
  run *r = x->call->run;
  const http_row row = {.run = r->id,
                        .seq = (int64_t)r->request_seq++,
                        .at = x->started,
                        .ms = kernel_now(r->kernel) - x->started,
                        .tries = tries,
                        .status = status,
                        .method = x->request.method,
                        .url = x->request.shown};
  http_book_add(kernel_http_book(r->kernel), &row);
}

/* What the script is given, for a recording. */
static void tell(exchange *x, bool unchanged, const dts_error *e) {
  run *r = x->call->run;
  if (!kernel_records(r->kernel)) return;
  value request = http_request_value(&x->request, &x->call->memory);
  kernel_exchange told = {.run = r->id,
                          .ordinal = x->ordinal,
                          .request = &request,
                          .source = x->request.source,
                          .reply = e ? NULL : &x->reply,
                          .headers = &x->headers,
                          .fd = x->fd,
                          .unchanged = unchanged,
                          .error = e};
  kernel_record(r->kernel, &told);
}

/* ---- the answer ---- */

static void share(const exchange *x) {
  kernel *k = x->call->run->kernel;
  http_cached reply = {x->reply.status, x->headers, x->reply.body.data, x->reply.body.size, x->fd};
  int64_t until = kernel_now(k) + value_get_integer(&x->call->args, "cache_ms", 0);
  http_cache_put(kernel_http_cache(k), x->cache_key, &reply, until);
}

static void answer(exchange *x, bool unchanged) {
  call *c = x->call;
  if (x->cache_key) share(x);
  tell(x, unchanged, NULL);
  arena *a = &c->memory;
  value v = value_map();
  bool small = x->fd < 0;
  value_set(a, &v, "status", value_integer(x->reply.status));
  value_set(a, &v, "url", value_text(arena_text(a, x->request.shown)));
  value_set(a, &v, "headers", x->headers);
  value_set(a, &v, "type", value_text(value_get_text(&x->headers, "content-type", "")));
  value_set(a, &v, "size", value_integer(x->reply.body_size));
  value_set(a, &v, "unchanged", value_boolean(unchanged));
  if (small) value_set(a, &v, "body", value_bytes(x->reply.body.data, x->reply.body.size));
  int fd = x->fd;
  x->fd = -1;
  call_answer_fd(c, v, fd);
  finish(x);
}

/* ---- keeping ---- */

static void keep_effect(run *r, const value *effect) {
  dts_error e;
  if (stage_add_value(r->stage, effect, &e) < 0) run_fault(r, &e);
}

static void stage_archive(exchange *x) {
  call *c = x->call;
  arena *a = &c->memory;
  value v = value_map();
  const value *meta = value_get(&c->args, "meta");
  value_set(a, &v, "verb", value_text("archive"));
  value_set(a, &v, "source", *value_get(&c->args, "archive"));
  value_set(a, &v, "object", value_text(x->object));
  value_set(a, &v, "size", value_integer(x->reply.body_size));
  value_set(a, &v, "type", value_text(value_get_text(&x->headers, "content-type", "")));
  if (meta) value_set(a, &v, "meta", *meta);
  keep_effect(c->run, &v);
}

static void stage_validator(exchange *x) {
  arena *a = &x->call->memory;
  value v = value_map();
  http_book_expect(kernel_http_book(x->call->run->kernel), x->request.source);
  value_set(a, &v, "verb", value_text("validator"));
  value_set(a, &v, "source", value_text(x->request.source));
  value_set(a, &v, "url", value_text(http_request_known_as(&x->request)));
  value_set(a, &v, "etag", value_text(value_get_text(&x->headers, "etag", NULL)));
  value_set(a, &v, "modified", value_text(value_get_text(&x->headers, "last-modified", NULL)));
  value_set(a, &v, "object", value_text(x->object));
  value_set(a, &v, "status", value_integer(x->reply.status));
  value_set(a, &v, "headers", x->headers);
  keep_effect(x->call->run, &v);
}

/* RFC 9111 sections 5.2.2.5 and 4.1: what must not be stored, or fits no other request. */
static bool may_keep(const value *headers) {
  const char *control = value_get_text(headers, "cache-control", "");
  return !strcasestr(control, "no-store") && !strchr(value_get_text(headers, "vary", ""), '*');
}

static bool has_validator(const exchange *x) {
  bool marked = value_get(&x->headers, "etag") || value_get(&x->headers, "last-modified");
  return x->request.conditional && x->reply.status == 200 && marked && may_keep(&x->headers) &&
         x->reply.body_size <= KEEP_LIMIT;
}

static void keep_work(void *arg) {
  exchange *x = arg;
  objects *o = kernel_objects(x->call->run->kernel);
  int64_t size;
  if (x->fd < 0) {
    x->rc = objects_put(o, x->reply.body.data, x->reply.body.size, x->object, &x->error);
    return;
  }
  x->rc = objects_put_file(o, x->fd, x->object, &size, &x->error);
  lseek(x->fd, 0, SEEK_SET);
}

static void keep_then(void *arg) {
  exchange *x = arg;
  if (x->rc < 0) return fail(x, &x->error);
  if (value_get(&x->call->args, "archive")) stage_archive(x);
  if (has_validator(x)) stage_validator(x);
  answer(x, x->reply.unchanged);
}

static void kept_work(void *arg) { /* 304: the body that was kept */
  exchange *x = arg;
  const char *object = value_get_text(&x->known, "object", "");
  x->rc = objects_get(kernel_objects(x->call->run->kernel), object, &x->fd, &x->reply.body_size,
                      &x->error);
}

/* A 304 brings only headers that changed (RFC 9110, 15.4.5): the others are those kept with the body. */
static void lay_over_kept(exchange *x) {
  arena *a = &x->call->memory;
  const value *kept = value_get(&x->known, "headers");
  value all = kept && kept->kind == VALUE_MAP ? *kept : value_map();
  for (size_t i = 0; i < x->headers.map.count; i++) {
    const value_pair *pair = &x->headers.map.pairs[i];
    if (strncmp(pair->key.text.bytes, "content-", 8) != 0)
      value_set(a, &all, pair->key.text.bytes, pair->item);
  }
  x->headers = all;
}

static void kept_then(void *arg) {
  exchange *x = arg;
  if (x->rc < 0) return fail(x, &x->error);
  lay_over_kept(x);
  x->reply.status = (int)value_get_integer(&x->known, "status", 200);
  answer(x, true);
}

static void on_reply(exchange *x) {
  call *c = x->call;
  loop *l = kernel_loop(c->run->kernel);
  dts_error e;
  if (x->reply.status == 304 && x->known.kind == VALUE_MAP)
    return loop_defer(l, kept_work, kept_then, x);
  if (x->reply.status >= 400 && !http_request_accepts(&c->args, x->reply.status)) {
    tell(x, false, NULL);
    http_fault_status(&x->request, &x->reply, x->fd, &e);
    return fail(x, &e);
  }
  if (value_get(&c->args, "archive") || has_validator(x))
    loop_defer(l, keep_work, keep_then, x);
  else
    answer(x, x->reply.unchanged);
}

/* ---- the exchange ---- */

static void on_done(void *arg, fetch_reply *reply, const dts_error *e) {
  exchange *x = arg;
  record(x, e ? 0 : reply->status, reply ? reply->tries : 0);
  if (e) tell(x, false, e);
  if (e) return fail(x, e);
  x->reply = *reply;
  x->fd = reply->body_fd;
  x->headers = value_copy(&x->call->memory, &reply->headers);
  x->reply.headers = x->headers;
  reply->body_fd = -1;
  buffer_init(&reply->body, 0);
  on_reply(x);
}

/* Whoever waited for something else first finds out here that the run is over: nothing is sent for it. */
static void send_request(exchange *x) {
  run *r = x->call->run;
  if (!r->worker) {
    dts_error e;
    error_fail(&e, "CANCELLED", "the run is over");
    return fail(x, &e);
  }
  void *stand_in;
  kernel_network *network = kernel_get_network(r->kernel, &stand_in);
  x->started = kernel_now(r->kernel);
  if (network) {
    value request = http_request_value(&x->request, &x->call->memory);
    network(stand_in, &request, x->request.source, on_done, x);
    return;
  }
  fetch_request q;
  http_request_fetch(&x->request, &q);
  fetch_start(kernel_fetch(r->kernel), &q, on_done, x);
}

/* ---- what is known of the address ---- */

static void known_then(void *arg) {
  exchange *x = arg;
  if (x->question.rc < 0) return fail(x, &x->question.error);
  x->known = x->question.found;
  if (x->known.kind == VALUE_MAP) http_request_condition(&x->request, &x->known);
  send_request(x);
}

/* ---- replies that are shared ---- */

static void begin(void *arg);

static void ask_source(exchange *x);

static void answer_cached(exchange *x, const http_cached *cached) {
  x->fd = http_cache_body(cached);
  if (cached->body_fd >= 0 && x->fd < 0) return ask_source(x); /* no descriptor is left */
  x->headers = value_copy(&x->call->memory, &cached->headers);
  x->reply.status = cached->status;
  x->reply.body_size = (int64_t)cached->body_size;
  buffer_init(&x->reply.body, INLINE_LIMIT + 1);
  if (x->fd < 0) buffer_add(&x->reply.body, cached->body, cached->body_size);
  answer(x, false);
}

static void ask_source(exchange *x) {
  if (!x->request.conditional) return send_request(x);
  x->question = (http_known){.source = x->request.source,
                             .url = http_request_known_as(&x->request),
                             .memory = &x->call->memory,
                             .then = known_then,
                             .arg = x};
  http_book_find(kernel_http_book(x->call->run->kernel), &x->question);
}

static void begin(void *arg) {
  exchange *x = arg;
  kernel *k = x->call->run->kernel;
  http_cached cached;
  bool shared = value_get_integer(&x->call->args, "cache_ms", 0) > 0 && !x->request.body &&
                strcmp(x->request.method, "GET") == 0;
  if (!shared) return ask_source(x);
  const char *key = http_request_key(&x->request);
  switch (http_cache_find(kernel_http_cache(k), key, kernel_now(k), &cached, begin, x)) {
  case HTTP_CACHE_FRESH: return answer_cached(x, &cached);
  case HTTP_CACHE_UNDER_WAY: return;
  case HTTP_CACHE_UNKNOWN: x->cache_key = key;
  }
  ask_source(x);
}

void call_http(call *c) {
  run *r = c->run;
  dts_error e;
  if ((int64_t)++r->requests > r->pipeline->max_requests) {
    error_fail(&e, "LIMIT_REQUESTS", "more than %lld requests in one run",
               (long long)r->pipeline->max_requests);
    error_hint(&e, "ask for less at a time, or raise limits = { requests = ... }");
    return call_fail(c, &e);
  }
  exchange *x = memory_alloc(sizeof *x);
  *x = (exchange){.call = c, .fd = -1, .ordinal = r->requests};
  if (http_request_make(r, &c->args, &x->request, &e) < 0) return fail(x, &e);
  if (kernel_opened_with(r->kernel)->replaying) x->request.conditional = false;
  begin(x);
}
