/* router.c -- finds the function for a call under /api/v1 and the engine's few other addresses.
 *
 * The most literal template that fits wins, so /quarantine/release is not an id. An address that
 * exists with another method is 405 and says which.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "serve/access.h"

static const api_route *const groups[] = {
    api_site,   api_pages,  api_overview, api_runs,   api_gaps,     api_quarantine,
    api_files,  api_ingest, api_events,   api_tables, api_sql,      api_schedule,
    api_routes, api_alerts, api_keys,     api_stream, api_settings, api_health};

typedef struct found {
  const api_route *route;
  int score;
  pair args[4];
  size_t count;
  const char *other; /* a method that would be served here */
} found;

static bool takes(const api_route *r, const char *method) {
  bool head = strcmp(method, "HEAD") == 0;
  return strcmp(r->method, head ? "GET" : method) == 0;
}

static void look(const api_call *c, const api_route *r, found *f) {
  pair args[4];
  size_t count;
  int score = address_match(r->path, &c->rq->at, c->memory, args, 4, &count);
  if (!score) return;
  if (!takes(r, c->rq->method)) {
    f->other = r->method;
  } else if (score > f->score) {
    f->route = r;
    f->score = score;
    f->count = count;
    memcpy(f->args, args, sizeof args);
  }
}

static int no_method(api_call *c, const found *f, dts_error *e) {
  error_fail(e, "METHOD", "%s is not answered here, %s is", c->rq->method, f->other);
  if (e) e->status = 405;
  http_set(c->rp, "Allow", f->other);
  return -1;
}

static bool is_ours(const address *at) {
  return at->count >= 2 && strcmp(at->segments[0], "api") == 0 &&
         strcmp(at->segments[1], "v1") == 0;
}

int router_serve(api_call *c, dts_error *e) {
  found f = {0};
  for (size_t g = 0; g < sizeof groups / sizeof *groups; g++)
    for (const api_route *r = groups[g]; r->method; r++) look(c, r, &f);
  if (!f.route && f.other) return no_method(c, &f, e);
  if (!f.route) return is_ours(&c->rq->at) ? call_not_found(e, "address", c->rq->path) : 1;
  for (size_t i = 0; i < f.count; i++) c->args[i] = f.args[i].text;
  if (call_need(c, f.route->scope, e) < 0) return -1;
  if (call_is_mutation(c) && is_ours(&c->rq->at) && access_check_origin(c->rq, &c->who, e) < 0)
    return -1;
  return f.route->fn(c, e);
}
