/* api_pages.c -- declared pages: their filters and charts, and the rows of one chart.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "format/json.h"
#include "serve/chart.h"
#include "serve/fresh.h"
#include "serve/replies.h"

enum { CHOICES = 1000 };

static const value *find_page(const api_call *c, dts_error *e) {
  const value *page = registry_find(&c->set->dashboards, c->args[0]);
  bool open = page && value_get_boolean(page, "public", false);
  if (!open && call_need(c, KEY_READ, e) < 0)
    return NULL; /* which pages there are is no one's business */
  if (!page) call_not_found(e, "page", c->args[0]);
  return page;
}

/* ---- a page ---- */

static value choices_of(api_call *c, const selection *x, const char *name) {
  result r;
  value list = value_list(), rows;
  const char *column = select_quote(name, c->memory);
  const char *sql = arena_format(
      c->memory, "select distinct %s as v from %s where %s is not null order by 1 limit %d", column,
      x->base, column, CHOICES);
  result_init(&r, c->memory, RESULT_ROWS);
  bool fine =
      result_read(c->store, &r, sql, NULL, NULL) == 0 && result_check(&r, c->set, NULL) == 0;
  const char *text = arena_format(c->memory, "[%.*s]", fine ? (int)r.body.size : 0,
                                  fine ? buffer_text(&r.body) : "");
  if (json_read(c->memory, text, strlen(text), &rows, NULL) == 0)
    for (size_t i = 0; i < rows.list.count; i++)
      value_add(c->memory, &list, rows.list.items[i].list.items[0]);
  result_free(&r);
  return list;
}

/* The filter's column in the first chart that has it; false when none has. */
static bool column_filter(api_call *c, const value *page, const value *choices, const char *name,
                          value *out) {
  const value *charts = value_get(page, "charts");
  for (size_t i = 0; charts && i < charts->list.count; i++) {
    const value *chart = &charts->list.items[i];
    if (!value_get(chart, "from") && !value_get(chart, "sql")) continue;
    selection x;
    selection_init(&x);
    const char *type =
        chart_base(c, chart, choices, &x, NULL) == 0 ? selection_type(&x, name) : NULL;
    bool is_date = type && (strcmp(type, "date") == 0 || strcmp(type, "timestamp") == 0);
    bool is_switch = type && strcmp(type, "boolean") == 0;
    if (type)
      value_set(c->memory, out, "type",
                value_text(is_date     ? "date"
                           : is_switch ? "boolean"
                                       : "choice"));
    if (type && !is_date && !is_switch && !x.parameters.list.count)
      value_set(c->memory, out, "choices", choices_of(c, &x, name));
    selection_free(&x);
    if (type) return true;
  }
  return false;
}

static bool is_bound(api_call *c, const value *page, const value *choices, const char *name) {
  const value *charts = value_get(page, "charts");
  bool bound = false;
  for (size_t i = 0; charts && !bound && i < charts->list.count; i++) {
    selection x;
    selection_init(&x);
    if (value_get(&charts->list.items[i], "sql"))
      bound = chart_base(c, &charts->list.items[i], choices, &x, NULL) == 0 &&
              selection_binds(&x, name);
    selection_free(&x);
  }
  return bound;
}

static value filter_of(api_call *c, const value *page, const value *filter, const value *choices) {
  value v = value_map();
  const char *name = value_get_text(filter, "name", "");
  const value *listed = value_get(filter, "choices");
  bool chosen = listed && listed->kind == VALUE_LIST && listed->list.count;
  value_set(c->memory, &v, "name", value_text(name));
  value_set(c->memory, &v, "default", chosen ? listed->list.items[0] : value_null());
  if (chosen) {
    value_set(c->memory, &v, "type", value_text("choice"));
    value_set(c->memory, &v, "choices", *listed);
  } else if (!column_filter(c, page, choices, name, &v)) {
    value_set(c->memory, &v, "type", value_text("choice"));
    value_set(c->memory, &v, "choices", value_list());
  }
  if (!chosen && is_bound(c, page, choices, name))
    value_set(c->memory, &v, "multi", value_boolean(false));
  return v;
}

static value filters_of_chart(api_call *c, const value *page, const value *chart,
                              const value *choices) {
  value list = value_list();
  const value *filters = value_get(page, "filters");
  selection x;
  selection_init(&x);
  bool fine = (value_get(chart, "from") || value_get(chart, "sql")) &&
              chart_base(c, chart, choices, &x, NULL) == 0;
  for (size_t i = 0; fine && filters && i < filters->list.count; i++) {
    const char *name = value_get_text(&filters->list.items[i], "name", "");
    if (chart_takes(chart, &x, name)) value_add(c->memory, &list, value_text(name));
  }
  selection_free(&x);
  return list;
}

static value chart_of(api_call *c, const value *page, const value *chart, const value *choices) {
  static const char *const fields[] = {"kind", "title", "text",  "unit", "wide",    "x",
                                       "y",    "by",    "value", "size", "columns", "limit"};
  value v = value_map();
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    const value *item = value_get(chart, fields[i]);
    if (item) value_set(c->memory, &v, fields[i], *item);
  }
  value_set(c->memory, &v, "filters", filters_of_chart(c, page, chart, choices));
  return v;
}

static int page(api_call *c, dts_error *e) {
  const value *d = find_page(c, e);
  value v = value_map(), filters = value_list(), charts = value_list(), choices;
  if (!d || chart_choices(c, d, &choices, e) < 0) return -1;
  const value *all = value_get(d, "charts"), *asked = value_get(d, "filters");
  for (size_t i = 0; asked && i < asked->list.count; i++)
    value_add(c->memory, &filters, filter_of(c, d, &asked->list.items[i], &choices));
  for (size_t i = 0; all && i < all->list.count; i++)
    value_add(c->memory, &charts, chart_of(c, d, &all->list.items[i], &choices));
  value_set(c->memory, &v, "name", value_text(c->args[0]));
  value_set(c->memory, &v, "title", value_text(value_get_text(d, "title", c->args[0])));
  value_set(c->memory, &v, "summary", value_text(value_get_text(d, "summary", "")));
  value_set(c->memory, &v, "public", value_boolean(value_get_boolean(d, "public", false)));
  value_set(c->memory, &v, "filters", filters);
  value_set(c->memory, &v, "charts", charts);
  http_reply_json(c->rp, &v);
  return 0;
}

/* ---- one chart ---- */

static void write_chart(api_call *c, const result *r) {
  if (r->style == RESULT_CSV) {
    call_csv_headers(c, c->args[0]);
    result_write_csv(&c->rp->body, r);
    return;
  }
  c->rp->status = 200;
  c->rp->type = "application/json";
  buffer_add_text(&c->rp->body, "\"source\":");
  json_write(&c->rp->body, &r->tables);
  buffer_add_char(&c->rp->body, ',');
  result_write(&c->rp->body, r);
  buffer_add_char(&c->rp->body, '}');
}

/* What is kept lacks its time, which is known a moment later than the rows are. */
static void add_fresh(api_call *c, const value *tables) {
  value at = fresh_at(c, tables);
  buffer whole;
  if (strncmp(c->rp->type, "text/csv", 8) == 0) return;
  buffer_init(&whole, c->rp->body.limit);
  buffer_add_text(&whole, "{\"fresh\":");
  json_write(&whole, &at);
  buffer_add_char(&whole, ',');
  buffer_add(&whole, c->rp->body.data, c->rp->body.size);
  buffer_free(&c->rp->body);
  c->rp->body = whole;
}

/* A page in a script's version, with the filters as they came. */
static const char *chart_key(api_call *c, const value *d) {
  const script *s = registry_script(c->set, value_get_text(d, "file", ""));
  const char *query = c->rq->query ? c->rq->query : "";
  if (!s || strlen(query) > 2000) return NULL;
  return arena_format(c->memory, "chart|%s|%s|%s|%s", s->version, c->args[0], c->args[1], query);
}

static int chart(api_call *c, dts_error *e) {
  const value *d = find_page(c, e), *charts = value_get(d, "charts");
  const char *format = call_param(c, "format"), *big = call_param(c, "bigint"), *n = c->args[1];
  bool number = strspn(n, "0123456789") == strlen(n) && strlen(n) < 5, is_volatile = false;
  size_t i = number ? (size_t)atoi(n) : SIZE_MAX;
  if (!d) return -1;
  if (!charts || i >= charts->list.count) return call_not_found(e, "chart", n);
  const value *one = &charts->list.items[i];
  if (!value_get(one, "from") && !value_get(one, "sql"))
    return call_not_found(e, "chart with rows", n);
  const char *key = chart_key(c, d);
  value tables;
  if (key && replies_find(c, key, &tables)) return add_fresh(c, &tables), replies_etag(c), 0;
  versions_seen seen = replies_begin(c);
  result r;
  result_init(&r, c->memory, format && strcmp(format, "csv") == 0 ? RESULT_CSV : RESULT_ROWS);
  r.quote_big = big && strcmp(big, "string") == 0;
  int rc = chart_read(c, d, one, &r, &is_volatile, e);
  if (rc == 0) write_chart(c, &r);
  if (rc == 0 && key && !is_volatile) replies_keep(c, key, &seen, &r.tables, 0);
  if (rc == 0) add_fresh(c, &r.tables), replies_etag(c);
  result_free(&r);
  return rc;
}

const api_route api_pages[] = {{"GET", "/api/v1/pages/{name}", 0, page},
                               {"GET", "/api/v1/pages/{name}/charts/{n}", 0, chart},
                               {0}};
