/* api_sql.c -- one SELECT by a visitor: read-only, 10 s, 10,000 rows.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "flow/kernel/reader.h"
#include "serve/call.h"

enum { LIMIT_MS = 10000, LIMIT_ROWS = 10000 };

static int write_answer(api_call *c, const result *r) {
  c->rp->status = 200;
  c->rp->type = "application/json";
  buffer_add_text(&c->rp->body, r->truncated ? "{\"truncated\":true," : "{");
  result_write(&c->rp->body, r);
  return buffer_add_char(&c->rp->body, '}');
}

static int sql(api_call *c, dts_error *e) {
  value body;
  result r;
  if (http_json(c->rq, &body, e) < 0) return -1;
  const char *text = value_get_text(&body, "sql", NULL), *big = call_param(c, "bigint");
  if (!text) return error_fail(e, "PARAM", "sql: a text with one SELECT is expected");
  reader_context x = {.set = c->set, .store = c->store, .now = c->now, .zone = c->set->zone};
  value params = reader_params(&x, text, value_get(&body, "params"), c->memory, NULL);
  result_init(&r, c->memory, RESULT_ROWS);
  r.quote_big = big && strcmp(big, "string") == 0;
  r.limit_ms = LIMIT_MS;
  r.limit_rows = LIMIT_ROWS;
  r.cut = true;
  int rc = reader_check(text, &params, e);
  if (rc == 0) rc = result_read(c->store, &r, text, &params, e);
  if (rc == 0) rc = result_check(&r, c->set, e);
  if (rc == 0) write_answer(c, &r);
  result_free(&r);
  return rc;
}

const api_route api_sql[] = {{"POST", "/api/v1/sql", KEY_READ, sql}, {0}};
