/* api_ingest.c -- events in: the kernel checks and stores them; 202 follows the commit.
 *
 * SPDX-License-Identifier: MIT */

#include "serve/call.h"

enum { EVENTS_LIMIT = 64 << 20 };

static bool is_signed(const pipeline *p) {
  return p && value_get(value_get(p->declared, "ingest"), "signature");
}

static size_t count_of(const value *list) {
  return list && list->kind == VALUE_LIST ? list->list.count : 0;
}

/* A sender that signs its events needs no key: the signature says who it is. */
static int ingest(api_call *c, dts_error *e) {
  const pipeline *p = registry_pipeline(c->set, c->args[0]);
  value command = value_map(), answer;
  buffer body;
  if (!is_signed(p) && call_need(c, KEY_WRITE, e) < 0) return -1;
  if (!p) return registry_unknown_pipeline(c->set, c->args[0], e);
  int rc = http_body(c->rq, EVENTS_LIMIT, &body, e);
  value_set(c->memory, &command, "name", value_text("ingest"));
  value_set(c->memory, &command, "pipeline", value_text(p->name));
  value_set(c->memory, &command, "body", value_bytes(buffer_text(&body), body.size));
  value_set(c->memory, &command, "headers", call_headers(c));
  if (rc == 0) rc = call_ask(c, &command, &answer, e);
  buffer_free(&body);
  if (rc < 0) return -1;
  int64_t taken =
      value_get_integer(&answer, "accepted", 0) + value_get_integer(&answer, "duplicates", 0);
  c->rp->status = taken == 0 && count_of(value_get(&answer, "refused")) ? 422 : 202;
  http_reply_json(c->rp, &answer);
  return 0;
}

const api_route api_ingest[] = {{"POST", "/api/v1/ingest/{name}", 0, ingest}, {0}};
