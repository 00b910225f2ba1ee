/* call.c -- see call.h: what the functions of the API share.
 *
 * SPDX-License-Identifier: MIT */
#include "serve/call.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "format/date.h"

const char *call_param(const api_call *c, const char *name) {
  const char *text = address_query(&c->rq->at, name);
  return text && *text ? text : NULL;
}

int64_t call_integer(const api_call *c, const char *name, int64_t otherwise, int64_t most) {
  const char *text = call_param(c, name);
  if (!text || strspn(text, "0123456789") != strlen(text) || strlen(text) > 18) return otherwise;
  int64_t n = strtoll(text, NULL, 10);
  return n > most ? most : n;
}

bool call_is_mutation(const api_call *c) {
  return strcmp(c->rq->method, "GET") != 0 && strcmp(c->rq->method, "HEAD") != 0;
}

value call_headers(const api_call *c) {
  value headers = value_map();
  for (size_t i = 0; i < c->rq->header_count; i++) {
    char *name = arena_text(c->memory, c->rq->headers[i].name);
    for (char *p = name; *p; p++) *p = (char)tolower((unsigned char)*p);
    bool secret = strcmp(name, "authorization") == 0 || strcmp(name, "cookie") == 0;
    if (!secret) value_set(c->memory, &headers, name, value_text(c->rq->headers[i].text));
  }
  return headers;
}

int call_need(const api_call *c, unsigned scope, dts_error *e) {
  const char *word = scope == KEY_ADMIN ? "admin" : scope == KEY_WRITE ? "write" : "read";
  if (!scope || (c->who.scopes & scope)) return 0;
  if (!c->who.name) {
    error_fail(e, "NO_KEY", "this needs a key with scope %s", word);
    error_hint(e, "send `Authorization: Bearer KEY`; `dts key add NAME --scope %s` makes one",
               word);
    if (e) e->status = 401;
    return -1;
  }
  error_fail(e, "SCOPE_MISSING", "key '%s' has no scope %s", c->who.name, word);
  if (e) e->status = 403;
  return -1;
}

int call_not_found(dts_error *e, const char *what, const char *name) {
  error_fail(e, "NOT_FOUND", "there is no %s '%.80s'", what, name);
  if (e) e->status = 404;
  return -1;
}

int call_ask(api_call *c, const value *command, value *answer, dts_error *e) {
  if (server_is_closing(c->server)) return error_fail(e, "CLOSING", "the engine is stopping");
  return kernel_ask(c->kernel, command, c->memory, answer, e);
}

void call_csv_headers(api_call *c, const char *file) {
  c->rp->status = 200;
  c->rp->type = "text/csv; charset=utf-8";
  http_set(c->rp, "Content-Disposition",
           arena_format(c->memory, "attachment; filename=\"%s.csv\"", file));
}

int call_table(api_call *c, const char *sql, const value *params, const char *const *types,
               const char *file, dts_error *e) {
  const char *format = call_param(c, "format"), *big = call_param(c, "bigint");
  bool csv = format && strcmp(format, "csv") == 0;
  result r;
  result_init(&r, c->memory, csv ? RESULT_CSV : RESULT_ROWS);
  r.types = types;
  r.quote_big = big && strcmp(big, "string") == 0;
  int rc = result_read(c->store, &r, sql, params, e);
  if (rc == 0 && csv) {
    call_csv_headers(c, file);
    result_write_csv(&c->rp->body, &r);
  } else if (rc == 0) {
    c->rp->status = 200;
    c->rp->type = "application/json";
    buffer_add_char(&c->rp->body, '{');
    result_write(&c->rp->body, &r);
    buffer_add_char(&c->rp->body, '}');
  }
  result_free(&r);
  return rc;
}

const char *call_stamp(const api_call *c, int64_t ms) {
  char text[25];
  timestamp_write(ms, text);
  return arena_text(c->memory, text);
}

value call_stamp_or_null(const api_call *c, const value *ms) {
  return ms && ms->kind == VALUE_INTEGER ? value_text(call_stamp(c, ms->integer)) : value_null();
}
