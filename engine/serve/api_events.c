/* api_events.c -- events that came in lately: how many a minute, what was refused, the last ones.
 *
 * SPDX-License-Identifier: MIT */
#include "serve/call.h"

static const char RATE[] = "select strftime('%Y-%m-%dT%H:%M:00.000Z', at / 1000, 'unixepoch') as "
                           "minute, count(*) as n from dts_event "
                           "where pipeline = :pipeline and at >= :since group by 1 order by 1";
static const char REFUSED[] =
    "select at, line, path, message from dts_refused where pipeline = :pipeline "
    "order by id desc limit 100";
static const char LAST[] =
    "select strftime('%Y-%m-%dT%H:%M:%S', at / 1000, 'unixepoch') || printf('.%03dZ', at % 1000) "
    "as at, id, "
    "type, data from dts_event where pipeline = :pipeline order by seq desc limit 50";

static int add(api_call *c, const char *name, const char *sql, const value *params,
               const char *const *types, dts_error *e) {
  result r;
  result_init(&r, c->memory, RESULT_ROWS);
  r.types = types;
  int rc = result_read(c->store, &r, sql, params, e);
  if (rc == 0 && name) {
    buffer_add_format(&c->rp->body, ",\"%s\":{", name);
    result_write(&c->rp->body, &r);
    buffer_add_char(&c->rp->body, '}');
  } else if (rc == 0) {
    buffer_add_text(&c->rp->body, "{\"rate\":[");
    buffer_add(&c->rp->body, r.body.data, r.body.size);
    buffer_add_char(&c->rp->body, ']');
  }
  result_free(&r);
  return rc;
}

static int events(api_call *c, dts_error *e) {
  static const char *const refused[] = {"timestamp", "integer", "text", "text"};
  static const char *const last[] = {"timestamp", "text", "text", "json"};
  const char *name = call_param(c, "pipeline");
  value params = value_map();
  if (!name) {
    error_fail(e, "PARAM", "pipeline: the name of a pipeline with `ingest` is expected");
    return -1;
  }
  value_set(c->memory, &params, "pipeline", value_text(name));
  value_set(c->memory, &params, "since", value_integer(c->now - 3 * 3600 * 1000));
  if (add(c, NULL, RATE, &params, NULL, e) < 0) return -1;
  if (add(c, "refused", REFUSED, &params, refused, e) < 0) return -1;
  if (add(c, "last", LAST, &params, last, e) < 0) return -1;
  buffer_add_char(&c->rp->body, '}');
  c->rp->status = 200;
  c->rp->type = "application/json";
  return 0;
}

const api_route api_events[] = {{"GET", "/api/v1/events", KEY_READ, events}, {0}};
