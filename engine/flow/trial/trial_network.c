/* trial_network.c -- a test's network: the spec's functions first, then its recording. See trial.h.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "flow/kernel/kernel_parts.h"
#include "flow/trial/trial_parts.h"
#include "format/date.h"

enum { TIMEOUT_MS = 30000 };

static int ask_spec(trial *t, const value *request, const char *source_name, arena *a, value *reply,
                    dts_error *e) {
  value ask = value_map();
  uint32_t number = ++t->owner->calls;
  value_set(a, &ask, "test", value_integer(t->id));
  value_set(a, &ask, "what", value_text("http"));
  value_set(a, &ask, "source", value_text(source_name));
  value_set(a, &ask, "request", *request);
  if (trial_send(t->owner, number, OP_ASK, &ask, e) < 0) return -1;
  bool was = t->asking;
  t->asking = true;
  int rc = trial_pump(t->owner, number, a, reply, e);
  t->asking = was;
  return rc == 1 ? 0 : rc < 0 ? -1 : error_fail(e, "SPEC", "the spec ended while it was asked");
}

/* ---- what the spec says ---- */

static value lower_headers(arena *a, const value *given) {
  value v = value_map();
  for (size_t i = 0; given && given->kind == VALUE_MAP && i < given->map.count; i++) {
    const value_pair *p = &given->map.pairs[i];
    char *name = arena_copy(a, p->key.text.bytes, p->key.text.size);
    for (char *c = name; *c; c++)
      if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + 32);
    if (p->item.kind == VALUE_TEXT) value_set(a, &v, name, p->item);
  }
  return v;
}

/* As net/fetch would after its tries: a 429 or 503 that asks for a wait is HTTP_LATER. */
static int check_later(const fetch_reply *reply, const char *who, int64_t now, dts_error *e) {
  const char *wish = value_get_text(&reply->headers, "retry-after", NULL);
  int64_t ms = wish ? strtoll(wish, NULL, 10) * 1000 : 0, at;
  if (!wish || (reply->status != 429 && reply->status != 503)) return 0;
  if (http_date_read(wish, strlen(wish), now, &at) == 0) ms = at - now;
  if (ms <= 0) return 0;
  error_fail(e, "HTTP_LATER", "%s answered %d and asks to wait %lld s", who, reply->status,
             (long long)ms / 1000);
  e->retryable = true;
  e->retry_after_ms = ms;
  e->status = reply->status;
  return -1;
}

/* A slow reply: the test's clock moves on, as far as the request has patience. */
static int wait_for(trial *t, const value *said, const value *request, dts_error *e) {
  int64_t delay = value_get_integer(said, "delay_ms", 0),
          most = value_get_integer(request, "timeout_ms", TIMEOUT_MS);
  const char *fault = value_get_text(said, "error", NULL);
  loop_skip(t->kernel->loop, delay < most ? delay : most);
  if (delay <= most && !fault) return 0;
  error_fail(e, delay > most ? "HTTP_TIMEOUT" : "HTTP_NETWORK", "%s %.700s: %s (1 try)",
             value_get_text(request, "method", "GET"), value_get_text(request, "url", "?"),
             delay > most ? "no answer in time" : fault);
  if (delay > most) error_hint(e, "each try had %lld s", (long long)most / 1000);
  e->retryable = true;
  return -1;
}

static int read_said(trial *t, const value *said, const value *request, const char *who, arena *a,
                     fetch_reply *reply, dts_error *e) {
  const value *body = value_get(said, "body");
  if (wait_for(t, said, request, e) < 0) return -1;
  reply->status = (int)value_get_integer(said, "status", 200);
  reply->headers = lower_headers(a, value_get(said, "headers"));
  if (body && body->kind == VALUE_TEXT) buffer_add(&reply->body, body->text.bytes, body->text.size);
  reply->body_size = (int64_t)reply->body.size;
  return check_later(reply, who[0] ? who : "the host", kernel_now(t->kernel), e);
}

/* ---- what it does not say ---- */

static int fail_unanswered(const value *request, const char *who, dts_error *e) {
  error_fail(e, "SPEC", "the spec has no answer for %s %.700s",
             value_get_text(request, "method", "GET"), value_get_text(request, "url", "?"));
  return error_hint(e, "t:http(\"%s\", function(req) return { json = {} } end)",
                    who[0] ? who : "*");
}

static int answer(trial *t, const value *request, const char *who, arena *a, fetch_reply *reply,
                  dts_error *e) {
  value said = value_map();
  if (ask_spec(t, request, who, a, &said, e) < 0) return -1;
  if (!value_get_boolean(&said, "none", false))
    return read_said(t, &said, request, who, a, reply, e);
  int rc =
      t->replay ? replay_answer(t->replay, request, a, reply, e) : fail_unanswered(request, who, e);
  bool lacks = rc < 0 && (strcmp(e->code, "SPEC") == 0 || strcmp(e->code, "RECORDING") == 0);
  if (lacks && !t->fault.code[0]) t->fault = *e;
  return rc;
}

void trial_network(void *arg, const value *request, const char *source_name, fetch_done *done,
                   void *done_arg) {
  arena a = {0};
  dts_error e = {0};
  fetch_reply reply = {.body_fd = -1, .tries = 1, .headers = value_map()};
  buffer_init(&reply.body, FRAME_LIMIT);
  reply.url = memory_text(value_get_text(request, "url", ""));
  bool ok = answer(arg, request, source_name ? source_name : "", &a, &reply, &e) == 0;
  done(done_arg, &reply, ok ? NULL : &e);
  buffer_free(&reply.body);
  free(reply.url);
  arena_free(&a);
}
