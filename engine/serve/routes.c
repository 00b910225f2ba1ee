/* routes.c -- the project's routes: `from`, `sql`, or a handler in a warm worker.
 *
 * Rows go from the store into the reply; a handler's query is answered here as well. A fault of the
 * route itself is 500 and names its line; one of the caller is 422 and names the parameter.
 *
 * SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "flow/kernel/reader.h"
#include "format/json.h"
#include "serve/access.h"
#include "serve/params.h"
#include "serve/replies.h"
#include "serve/select.h"

enum { PATH_PARAMS = 8, BODY_LIMIT = 8 << 20 };

typedef struct routed {
  const route *route;
  pair path[PATH_PARAMS];
  size_t path_count;
  value params;
  const char *key;
  versions_seen seen;
  result rows;
  bool is_volatile;
} routed;

static bool takes(const route *r, const http_request *rq) {
  bool head = strcmp(rq->method, "HEAD") == 0;
  return strcmp(r->method, head ? "GET" : rq->method) == 0;
}

static const char *find(const api_call *c, routed *x) { /* another method that is answered here */
  const char *other = NULL;
  int best = 0;
  for (size_t i = 0; i < c->set->route_count; i++) {
    const route *r = &c->set->routes[i];
    pair path[PATH_PARAMS];
    size_t count;
    int score = address_match(r->path, &c->rq->at, c->memory, path, PATH_PARAMS, &count);
    if (score && !takes(r, c->rq)) other = r->method;
    if (score <= best || !takes(r, c->rq)) continue;
    best = score;
    x->route = r;
    x->path_count = count;
    memcpy(x->path, path, sizeof path);
  }
  return other;
}

static int allow(const api_call *c, const route *r, dts_error *e) {
  if (!r->is_public && call_need(c, KEY_READ, e) < 0) return -1;
  return call_is_mutation(c) ? access_check_origin(c->rq, &c->who, e) : 0;
}

static const char *cache_key(api_call *c, const routed *x) {
  buffer b;
  buffer_init(&b, 1 << 16);
  const char *big = call_param(c, "bigint"), *format = call_param(c, "format");
  buffer_add_format(&b, "route|%s|%s|%s|%s|", x->route->script ? x->route->script->version : "",
                    x->route->name, big ? big : "", format ? format : "");
  json_write(&b, &x->params);
  const char *key = b.failed ? NULL : arena_text(c->memory, buffer_text(&b));
  buffer_free(&b);
  return key;
}

/* ---- rows ---- */

static int read_sql(api_call *c, routed *x, const char *sql, const value *given, dts_error *e) {
  reader_context context = {.set = c->set, .store = c->store, .now = c->now, .zone = c->set->zone};
  value params = reader_params(&context, sql, given, c->memory, &x->is_volatile);
  if (result_read(c->store, &x->rows, sql, &params, e) < 0) return -1;
  return result_check(&x->rows, c->set, e);
}

static int filter_by_params(selection *s, const value *params, dts_error *e) {
  for (size_t i = 0; i < params->map.count; i++) {
    value_pair p = params->map.pairs[i];
    const char *name = p.key.text.bytes;
    if (p.item.kind == VALUE_NULL || !selection_type(s, name)) continue;
    if (p.item.kind == VALUE_TEXT && selection_value(s, name, p.item.text.bytes, &p.item, e) < 0)
      return -1;
    if (selection_filter(s, name, "=", p.item, e) < 0) return -1;
  }
  return 0;
}

/* The caller may ask for fewer rows than the script allows, not for more. */
static int add_limit(selection *s, const value *most, const value *asked, dts_error *e) {
  int64_t n = most && most->kind == VALUE_INTEGER ? most->integer : -1;
  if (asked && asked->kind == VALUE_INTEGER && !selection_type(s, "limit")) {
    if (asked->integer < 0)
      return params_refuse("limit", "an integer of 0 or more",
                           arena_format(s->memory, "%lld", (long long)asked->integer), e);
    if (n < 0 || asked->integer < n) n = asked->integer;
  }
  if (n >= 0) buffer_add_format(&s->sql, " limit %lld", (long long)n);
  return 0;
}

/* `from`: parameters that match columns filter; a parameter `limit` is the limit. */
static int compose(api_call *c, selection *s, const char *from, const value *q, const value *params,
                   dts_error *e) {
  if (selection_begin(s, c->store, c->memory, select_quote(from, c->memory), e) < 0) return -1;
  if (filter_by_params(s, params, e) < 0 || selection_where(s, value_get(q, "where"), e) < 0)
    return -1;
  for (size_t i = 0; i < params->map.count; i++) /* `where` as SQL may bind them */
    value_set(c->memory, &s->params, params->map.pairs[i].key.text.bytes,
              params->map.pairs[i].item);
  if (selection_columns(s, value_get(q, "columns"), e) < 0) return -1;
  if (selection_order(s, value_get(q, "order"), e) < 0) return -1;
  return add_limit(s, value_get(q, "limit"), value_get(params, "limit"), e);
}

static int read_from(api_call *c, routed *x, const char *from, const value *q, const value *params,
                     dts_error *e) {
  selection s;
  selection_init(&s);
  int rc = compose(c, &s, from, q, params, e);
  if (rc == 0) rc = read_sql(c, x, buffer_text(&s.sql), &s.params, e);
  selection_free(&s);
  return rc;
}

static void write_rows(api_call *c, const routed *x) {
  if (!c->rp->status) c->rp->status = 200;
  if (x->rows.style == RESULT_CSV) {
    const char *slash = strrchr(x->route->path, '/');
    call_csv_headers(c, slash && isalnum((unsigned char)slash[1]) ? slash + 1 : "rows");
    result_write_csv(&c->rp->body, &x->rows);
    return;
  }
  c->rp->type = "application/json";
  buffer_add_char(&c->rp->body, '[');
  buffer_add(&c->rp->body, x->rows.body.data, x->rows.body.size);
  buffer_add_char(&c->rp->body, ']');
}

/* What may stand in the SQL itself: what was chosen from the script's own list, never a text of the
 * caller's. */
static value choices_of(const api_call *c, const routed *x) {
  const value *declared = value_get(x->route->declared, "params");
  value chosen = value_map();
  for (size_t i = 0; declared && i < declared->list.count; i++) {
    const char *name = value_get_text(&declared->list.items[i], "name", "");
    const value *v = value_get(&x->params, name);
    bool choice = strcmp(value_get_text(&declared->list.items[i], "type", ""), "choice") == 0;
    if (choice && v) value_set(c->memory, &chosen, name, *v);
  }
  return chosen;
}

static int serve_rows(api_call *c, routed *x, dts_error *e) {
  static const value none = {.kind = VALUE_MAP};
  value chosen = choices_of(c, x);
  const value *d = x->route->declared;
  const char *sql = value_get_text(d, "sql", NULL), *from = value_get_text(d, "from", NULL);
  int64_t keep = value_get_integer(d, "cache_ms", 0);
  int rc = sql ? read_sql(c, x, select_choices(sql, &chosen, c->memory), &x->params, e)
               : read_from(c, x, select_choices(from ? from : "", &chosen, c->memory), d,
                           x->params.map.count ? &x->params : &none, e);
  if (rc < 0) return -1;
  write_rows(c, x);
  if (x->key && (!x->is_volatile || keep))
    replies_keep(c, x->key, &x->seen, &x->rows.tables, x->is_volatile ? c->now + keep : 0);
  return 0;
}

/* ---- handlers ---- */

static value key_of(api_call *c) {
  value key = value_map();
  if (!c->who.name) return value_null();
  value_set(c->memory, &key, "name", value_text(c->who.name));
  value_set(c->memory, &key, "scopes", key_scopes_list(c->who.scopes, c->memory));
  return key;
}

static int ask(api_call *c, routed *x, const char *body, size_t size, value *answer, dts_error *e) {
  value command = value_map(), req = value_map();
  value_set(c->memory, &req, "params", x->params);
  value_set(c->memory, &req, "method", value_text(c->rq->method));
  value_set(c->memory, &req, "headers", call_headers(c));
  if (size) value_set(c->memory, &req, "body", value_bytes(body, size));
  value_set(c->memory, &req, "key", key_of(c));
  value_set(c->memory, &command, "name", value_text("request"));
  value_set(c->memory, &command, "route", value_text(x->route->name));
  value_set(c->memory, &command, "req", req);
  return call_ask(c, &command, answer, e);
}

static void add_headers(api_call *c, const value *headers) {
  for (size_t i = 0; headers && headers->kind == VALUE_MAP && i < headers->map.count; i++) {
    const value_pair *p = &headers->map.pairs[i];
    if (p->item.kind != VALUE_TEXT) continue;
    const char *name = arena_copy(c->memory, p->key.text.bytes, p->key.text.size);
    bool ours = strcasecmp(name, "content-length") == 0 ||
                strcasecmp(name, "transfer-encoding") == 0 || strcasecmp(name, "connection") == 0 ||
                strcasecmp(name, "set-cookie") == 0;
    bool token = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_") ==
                 strlen(name);
    if (strcasecmp(name, "content-type") == 0)
      c->rp->type = p->item.text.bytes;
    else if (!ours && token && *name)
      http_set(c->rp, name, p->item.text.bytes);
  }
}

static int answer_query(api_call *c, routed *x, const value *q, dts_error *e) {
  static const value none = {.kind = VALUE_MAP};
  const char *sql = value_get_text(q, "sql", NULL);
  int rc = sql ? read_sql(c, x, sql, value_get(q, "params"), e)
               : read_from(c, x, value_get_text(q, "table", "?"), q, &none, e);
  if (rc == 0) write_rows(c, x);
  return rc;
}

static int fill_answer(api_call *c, routed *x, const value *answer, dts_error *e) {
  const value *json = value_get(answer, "json"), *text = value_get(answer, "text");
  const value *query = value_get(answer, "query"), *status = value_get(answer, "status");
  c->rp->status =
      status && status->kind == VALUE_INTEGER && status->integer >= 200 && status->integer < 600
          ? (int)status->integer
          : 0;
  if (query)
    return answer_query(c, x, query, e) < 0 ? -1
                                            : (add_headers(c, value_get(answer, "headers")), 0);
  if (!json && !text && !c->rp->status) return call_not_found(e, "resource", c->rq->path);
  if (!c->rp->status) c->rp->status = 200;
  if (json && json->kind == VALUE_TEXT) buffer_add(&c->rp->body, json->text.bytes, json->text.size);
  if (text && text->kind == VALUE_TEXT) buffer_add(&c->rp->body, text->text.bytes, text->text.size);
  c->rp->type = json ? "application/json" : text ? "text/plain; charset=utf-8" : NULL;
  add_headers(c, value_get(answer, "headers"));
  return 0;
}

/* A reply that read the caller's key is kept for that key alone; what tables the handler itself
 * read must be known, or be given up for a stated time. */
static void keep_answer(api_call *c, routed *x, const value *answer) {
  int64_t keep = value_get_integer(x->route->declared, "cache_ms", 0);
  bool is_volatile = x->is_volatile || value_get_boolean(answer, "volatile", false);
  const value *tables = value_get(answer, "tables");
  value all = value_list();
  if (!x->key || (!keep && (is_volatile || !tables))) return;
  for (size_t i = 0; tables && tables->kind == VALUE_LIST && i < tables->list.count; i++)
    value_add(c->memory, &all, tables->list.items[i]);
  for (size_t i = 0; i < x->rows.tables.list.count; i++)
    value_add(c->memory, &all, x->rows.tables.list.items[i]);
  const char *key = x->key;
  if (value_get_boolean(answer, "keyed", false))
    key = arena_format(c->memory, "%s|key %s", key, c->who.name ? c->who.name : "");
  replies_keep(c, key, &x->seen, &all, is_volatile || !tables ? c->now + keep : 0);
}

static int serve_handler(api_call *c, routed *x, dts_error *e) {
  value answer;
  buffer body;
  int rc = http_body(c->rq, BODY_LIMIT, &body, e);
  if (rc == 0) rc = ask(c, x, body.data, body.size, &answer, e);
  buffer_free(&body);
  if (rc < 0 || fill_answer(c, x, &answer, e) < 0) return -1;
  keep_answer(c, x, &answer);
  return 0;
}

/* ---- all of it ---- */

static int blame(const route *r, dts_error *e) {
  if (!e || e->status || strcmp(e->code, "PARAM") == 0) return -1;
  e->status = strcmp(e->code, "LIMIT_TIME") == 0 ? 504 : strcmp(e->code, "BUSY") == 0 ? 503 : 500;
  if (!e->where[0])
    snprintf(e->where, sizeof e->where, "%s:%lld", value_get_text(r->declared, "file", "?"),
             (long long)value_get_integer(r->declared, "line", 0));
  return -1;
}

static bool find_kept(api_call *c, const routed *x) {
  if (!x->key) return false;
  if (replies_find(c, x->key, NULL)) return true;
  if (!x->route->handler) return false;
  return replies_find(
      c, arena_format(c->memory, "%s|key %s", x->key, c->who.name ? c->who.name : ""), NULL);
}

static int serve_route(api_call *c, routed *x, dts_error *e) {
  const char *format = call_param(c, "format"), *big = call_param(c, "bigint");
  if (allow(c, x->route, e) < 0) return -1;
  if (params_read(value_get(x->route->declared, "params"), &c->rq->at, x->path, x->path_count,
                  c->memory, &x->params, e) < 0)
    return -1;
  x->key = call_is_mutation(c) ? NULL : cache_key(c, x);
  if (find_kept(c, x)) return 0;
  x->seen = replies_begin(c);
  result_init(&x->rows, c->memory,
              format && strcmp(format, "csv") == 0 ? RESULT_CSV : RESULT_OBJECTS);
  x->rows.quote_big = big && strcmp(big, "string") == 0;
  x->rows.limit_ms = value_get_integer(x->route->declared, "timeout_ms", 2000);
  int rc = x->route->handler ? serve_handler(c, x, e) : serve_rows(c, x, e);
  result_free(&x->rows);
  if (rc < 0) return blame(x->route, e);
  if (c->rp->status == 200 && !call_is_mutation(c)) replies_etag(c);
  return 0;
}

int routes_serve(api_call *c, dts_error *e) {
  routed x = {0};
  const char *other = find(c, &x);
  if (x.route) return serve_route(c, &x, e);
  if (!other)
    return c->rq->at.count && strcmp(c->rq->at.segments[0], "api") == 0 && c->rq->at.count > 1
               ? call_not_found(e, "route", c->rq->path)
               : 1;
  error_fail(e, "METHOD", "%s is not answered here, %s is", c->rq->method, other);
  if (e) e->status = 405;
  http_set(c->rp, "Allow", other);
  return -1;
}
