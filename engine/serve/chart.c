/* chart.c -- see chart.h.
 *
 * SPDX-License-Identifier: MIT */
#include "serve/chart.h"

#include <stdio.h>
#include <string.h>

#include "flow/kernel/reader.h"
#include "format/json.h"

enum { POINTS = 200000, TABLE_ROWS = 1000 };

/* ---- filters ---- */

static int bad_choice(const char *name, const char *text, dts_error *e) {
  error_fail(e, "PARAM", "%s: '%.60s' is none of its choices", name, text);
  if (e) e->status = 422;
  return -1;
}

int chart_choices(api_call *c, const value *page, value *choices, dts_error *e) {
  const value *filters = value_get(page, "filters");
  *choices = value_map();
  for (size_t i = 0; filters && i < filters->list.count; i++) {
    const value *f = &filters->list.items[i], *list = value_get(f, "choices");
    const char *name = value_get_text(f, "name", ""), *text = call_param(c, name);
    const value *chosen = list && list->list.count && !text ? &list->list.items[0] : NULL;
    for (size_t k = 0; list && text && k < list->list.count; k++)
      if (value_is(&list->list.items[k], text)) chosen = &list->list.items[k];
    if (list && text && !chosen) return bad_choice(name, text, e);
    if (chosen) value_set(c->memory, choices, name, *chosen);
  }
  return 0;
}

static const char *text_of(const value *chart) {
  const char *sql = value_get_text(chart, "sql", NULL);
  return sql ? sql : value_get_text(chart, "from", "");
}

static bool puts_in(const value *chart, const char *filter) {
  char braced[80];
  snprintf(braced, sizeof braced, "{%.70s}", filter);
  return strstr(text_of(chart), braced);
}

int chart_base(api_call *c, const value *chart, const value *choices, selection *x, dts_error *e) {
  const char *text = select_choices(text_of(chart), choices, c->memory);
  bool sql = value_get(chart, "sql");
  const char *base = sql ? arena_format(c->memory, "(%s\n)", text) : select_quote(text, c->memory);
  return selection_begin(x, c->store, c->memory, base, e);
}

bool chart_takes(const value *chart, const selection *x, const char *filter) {
  return puts_in(chart, filter) || selection_binds(x, filter) || selection_type(x, filter);
}

static size_t count_of(const address *at, const char *name) {
  size_t n = 0;
  for (size_t i = 0; i < at->pair_count; i++)
    n += strcmp(at->pairs[i].name, name) == 0 && *at->pairs[i].text;
  return n;
}

static int bind(api_call *c, selection *x, const char *name, const value *chosen, dts_error *e) {
  const address *at = &c->rq->at;
  const char *text = call_param(c, name);
  if (count_of(at, name) > 1) {
    error_fail(e, "PARAM", "%s: one value expected, since the chart's SQL binds :%s", name, name);
    if (e) e->status = 422;
    return -1;
  }
  value_set(x->memory, &x->params, name, chosen ? *chosen : value_text(text));
  for (int side = 0; side < 2; side++) {
    const char *query = arena_format(c->memory, side ? "%s.to" : "%s.from", name);
    value_set(x->memory, &x->params, arena_format(c->memory, side ? "%s_to" : "%s_from", name),
              value_text(call_param(c, query)));
  }
  return 0;
}

static int narrow(api_call *c, selection *x, const char *name, const value *chosen, dts_error *e) {
  if (chosen) return selection_filter(x, name, "=", *chosen, e);
  const char *const sides[] = {".from", ".to"};
  if (selection_filter_query(x, name, &c->rq->at, name, e) < 0) return -1;
  for (size_t i = 0; i < 2; i++) {
    const char *bound = arena_format(c->memory, "%s%s", name, sides[i]);
    if (call_param(c, bound) && selection_filter_query(x, bound, &c->rq->at, bound, e) < 0)
      return -1;
  }
  return 0;
}

static int add_filters(api_call *c, const value *page, const value *chart, const value *choices,
                       selection *x, dts_error *e) {
  const value *filters = value_get(page, "filters");
  for (size_t i = 0; filters && i < filters->list.count; i++) {
    const char *name = value_get_text(&filters->list.items[i], "name", "");
    const value *chosen = value_get(choices, name);
    const char *where = value_get_text(chart, "where", "");
    bool bound = selection_binds(x, name) || strstr(where, arena_format(c->memory, ":%s", name));
    if (bound && bind(c, x, name, chosen, e) < 0) return -1;
    bool narrows = !bound && !puts_in(chart, name) && selection_type(x, name);
    if (narrows && narrow(c, x, name, chosen, e) < 0) return -1;
  }
  return selection_where(x, value_get(chart, "where"), e);
}

/* ---- the statement ---- */

static bool is_kind(const value *chart, const char *kind) {
  return strcmp(value_get_text(chart, "kind", ""), kind) == 0;
}

static const char *measure_of(const value *chart) {
  return value_get_text(chart, is_kind(chart, "heatmap") ? "value" : "y", NULL);
}

static void add_name(selection *x, value *names, const char *name) {
  if (name && !value_has(names, name)) value_add(x->memory, names, value_text(name));
}

/* What a point is named by: x and by, of a heatmap x and y. */
static value point_of(const value *chart, selection *x) {
  value names = value_list();
  add_name(x, &names, value_get_text(chart, "x", NULL));
  add_name(x, &names, value_get_text(chart, is_kind(chart, "heatmap") ? "y" : "by", NULL));
  return names;
}

static int add_groups(selection *x, const value *names, const char *before, dts_error *e) {
  for (size_t i = 0; i < names->list.count; i++) {
    const char *name = names->list.items[i].text.bytes;
    if (!selection_type(x, name)) return selection_unknown(x, name, e);
    buffer_add_format(&x->sql, "%s%s", i ? ", " : before, select_quote(name, x->memory));
  }
  return 0;
}

static int aggregate(selection *x, const value *chart, const char *measure, dts_error *e) {
  value point = point_of(chart, x);
  if (add_groups(x, &point, "select ", e) < 0) return -1;
  buffer_add_format(&x->sql, "%s%s as %s %s", point.list.count ? ", " : "select ", measure,
                    select_quote(measure, x->memory), selection_from(x));
  if (add_groups(x, &point, " group by ", e) < 0) return -1;
  return value_get(chart, "order") ? 0 : add_groups(x, &point, " order by ", e);
}

static int list_rows(selection *x, const value *chart, dts_error *e) {
  const value *order = value_get(chart, "order");
  bool ordered = order && (order->kind == VALUE_TEXT || order->list.count);
  value names = point_of(chart, x);
  const char *const more[] = {"y", "value", "size"};
  for (size_t i = 0; i < 3; i++) add_name(x, &names, value_get_text(chart, more[i], NULL));
  if (is_kind(chart, "table")) {
    if (selection_columns(x, value_get(chart, "columns"), e) < 0) return -1;
    return ordered ? selection_order(x, order, e) : 0;
  }
  if (selection_columns(x, &names, e) < 0) return -1;
  value by_x = value_text(value_get_text(chart, "x", NULL));
  if (ordered) return selection_order(x, order, e);
  return by_x.kind == VALUE_TEXT ? selection_order(x, &by_x, e) : 0;
}

static int compose(selection *x, const value *chart, dts_error *e) {
  const char *measure = measure_of(chart);
  int64_t limit = value_get_integer(chart, "limit", is_kind(chart, "table") ? TABLE_ROWS : 0);
  bool grouped = measure && strchr(measure, '(') && !selection_type(x, measure);
  if ((grouped ? aggregate(x, chart, measure, e) : list_rows(x, chart, e)) < 0) return -1;
  if (limit > 0) buffer_add_format(&x->sql, " limit %lld", (long long)limit);
  return 0;
}

/* ---- one row for each point ---- */

static const char *differing(const value *one, const value *other) {
  for (size_t i = 0; i < one->map.count; i++)
    if (!value_equal(&one->map.pairs[i].item, &other->map.pairs[i].item))
      return one->map.pairs[i].key.text.bytes;
  return NULL;
}

typedef struct looking {
  const char *sql;
  const value *params;
  gathered g;
} looking;

static int look_work(store_conn *c, void *arg, dts_error *e) {
  looking *l = arg;
  store_sql q = {l->sql, l->params, 0, 0};
  return store_query(c, &q, l->g.memory, NULL, NULL, result_gather_row, &l->g, e);
}

static int look(api_call *c, looking *l, dts_error *e) {
  l->g = (gathered){c->memory, value_list()};
  return store_read(c->store, look_work, l, e);
}

static int ambiguous(const value *chart, const char *column, dts_error *e) {
  const char *measure = measure_of(chart);
  bool own = !column || (measure && strcmp(column, measure) == 0);
  error_fail(e, "CHART", "the chart has more than one row for a point");
  if (own)
    error_hint(e, "aggregate them: y = \"avg(%s)\"", measure ? measure : "y");
  else
    error_hint(e, "the rows differ in '%s': add it (by = \"%s\"), filter by it, or aggregate y",
               column, column);
  if (e) e->status = 422;
  return -1;
}

/* Two rows of the first point that has more than one tell which column parts them. */
static int check_points(api_call *c, const value *chart, selection *x, const value *params,
                        dts_error *e) {
  value point = point_of(chart, x);
  const char *names = "", *same = "";
  for (size_t i = 0; i < point.list.count; i++) {
    const char *quoted = select_quote(point.list.items[i].text.bytes, c->memory);
    names = arena_format(c->memory, "%s%s%s", names, i ? ", " : "", quoted);
    same = arena_format(c->memory, "%s and d.%s is t.%s", same, quoted, quoted);
  }
  const char *from = selection_from(x);
  looking l = {.params = params};
  l.sql =
      *names ? arena_format(c->memory, "select %s %s group by %s having count(*) > 1 limit 1",
                            names, from, names)
             : arena_format(c->memory, "select n from (select count(*) as n %s) where n > 1", from);
  if (look(c, &l, e) < 0) return -1;
  if (!l.g.rows.list.count) return 0;
  l.sql =
      *names ? arena_format(c->memory,
                            "select t.* from (select * %s) t join (select %s %s group by %s having "
                            "count(*) > 1 limit 1) d on true%s limit 2",
                            from, names, from, names, same)
             : arena_format(c->memory, "select * %s limit 2", from);
  if (look(c, &l, e) < 0) return -1;
  const value *rows = &l.g.rows;
  return ambiguous(
      chart, rows->list.count == 2 ? differing(&rows->list.items[0], &rows->list.items[1]) : NULL,
      e);
}

static bool needs_points(const value *chart, const selection *x) {
  const char *measure = measure_of(chart);
  if (measure && strchr(measure, '(') && !selection_type(x, measure)) return false;
  if (is_kind(chart, "number")) return true;
  return is_kind(chart, "line") || is_kind(chart, "area") || is_kind(chart, "bar") ||
         is_kind(chart, "heatmap");
}

int chart_read(api_call *c, const value *page, const value *chart, result *r, bool *is_volatile,
               dts_error *e) {
  selection x;
  value choices;
  selection_init(&x);
  reader_context context = {.set = c->set, .store = c->store, .now = c->now, .zone = c->set->zone};
  int rc = chart_choices(c, page, &choices, e);
  if (rc == 0) rc = chart_base(c, chart, &choices, &x, e);
  if (rc == 0) rc = add_filters(c, page, chart, &choices, &x, e);
  if (rc == 0) rc = compose(&x, chart, e);
  if (rc == 0) {
    value params = reader_params(&context, buffer_text(&x.sql), &x.params, c->memory, is_volatile);
    r->limit_rows = POINTS;
    rc = result_read(c->store, r, buffer_text(&x.sql), &params, e);
    if (rc == 0) rc = result_check(r, c->set, e);
    if (rc == 0 && needs_points(chart, &x)) rc = check_points(c, chart, &x, &params, e);
  }
  selection_free(&x);
  return rc;
}
