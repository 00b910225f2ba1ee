/* sqlcheck.c -- see sqlcheck.h. sqlcheck_text.c looks at one SQL; here is where they stand.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/reload/sqlcheck.h"

#include <string.h>

#include "flow/rollups/rollups.h"
#include "flow/kernel/schema.h"
#include "flow/reload/sql_lex.h"
#include "flow/reload/sqlcheck_text.h"
#include "flow/rollups/views.h"

enum { SQL_SIZE = 1 << 20 };

static const value empty = {.kind = VALUE_LIST};

static const value *list_of(const value *map, const char *field) {
  const value *list = value_get(map, field);
  return list && list->kind == VALUE_LIST ? list : &empty;
}

/* ---- the store to check against ---- */

static int ensure_tables(store_conn *c, void *arg, dts_error *e) {
  const registry *set = arg;
  for (size_t i = 0; i < set->table_count; i++)
    if (store_table_ensure(c, set->tables[i], e) < 0) return -1;
  return rollups_ensure(c, set, true, e);
}

typedef struct one_view {
  const value *declared;
} one_view;

static int ensure_view(store_conn *c, void *arg, dts_error *e) {
  const value *d = ((one_view *)arg)->declared;
  return store_view_ensure(c, value_get_text(d, "name", "?"), value_get_text(d, "sql", ""), e);
}

/* A kept view is a plain one here: what it reads and gives is the same. */
static void make_views(sqlcheck *k) {
  size_t count = k->set->views.list.count;
  const value **ordered = arena_alloc(k->memory, (count + 1) * sizeof *ordered);
  dts_error e = {0};
  if (views_order(&k->set->views, k->memory, ordered, &e) < 0) return sqlcheck_fault(k, NULL, &e);
  for (size_t i = 0; i < count; i++) {
    one_view v = {ordered[i]};
    e = (dts_error){0};
    if (store_write(k->store, ensure_view, &v, &e) < 0) sqlcheck_fault(k, ordered[i], &e);
    sqlcheck_words(k, ordered[i], value_get_text(ordered[i], "sql", ""));
  }
}

/* ---- the pieces of a query over a table or an SQL ---- */

typedef struct query {
  sqlcheck *check;
  buffer b;
  size_t terms;
} query;

static void add_expression(query *q, const char *text) {
  buffer_add_format(&q->b, "%s(%s\n)", q->terms++ ? ", " : "select ", text);
}

static void add_column(query *q, const value *name, bool ordering) {
  const char *text = name->kind == VALUE_TEXT ? name->text.bytes : "";
  if (ordering && *text == '-') text++;
  buffer_add_text(&q->b, q->terms++ ? ", " : "select ");
  sql_quote(&q->b, text);
}

/* A field that holds an expression or a list of them. */
static void add_field(query *q, const value *map, const char *field) {
  const value *v = value_get(map, field);
  if (!v) return;
  if (v->kind == VALUE_TEXT) add_expression(q, v->text.bytes);
  for (size_t i = 0; v->kind == VALUE_LIST && i < v->list.count; i++)
    if (v->list.items[i].kind == VALUE_TEXT) add_expression(q, v->list.items[i].text.bytes);
}

static void add_columns(query *q, const value *map, const char *field, bool ordering) {
  const value *list = list_of(map, field);
  for (size_t i = 0; i < list->list.count; i++) add_column(q, &list->list.items[i], ordering);
}

static void add_where_columns(query *q, const value *map) {
  const value *where = value_get(map, "where");
  for (size_t i = 0; where && where->kind == VALUE_MAP && i < where->map.count; i++)
    add_column(q, &where->map.pairs[i].key, false);
}

/* from "table", or from (sql): and the where that is SQL. */
static void check_query(query *q, const value *map, const value *declared,
                        const sqlcheck_names *names) {
  const char *from = value_get_text(map, "from", NULL), *sql = value_get_text(map, "sql", NULL);
  const value *where = value_get(map, "where");
  if (!q->terms) buffer_add_text(&q->b, "select *");
  buffer_add_text(&q->b, " from ");
  if (sql)
    buffer_add_format(&q->b, "(%s\n)", sql);
  else
    buffer_add_text(&q->b, from ? from : "");
  if (where && where->kind == VALUE_TEXT)
    buffer_add_format(&q->b, " where (%s\n)", where->text.bytes);
  q->check->composed = true;
  if (from || sql) sqlcheck_text(q->check, declared, buffer_text(&q->b), names);
  q->check->composed = false;
  buffer_free(&q->b);
}

static query query_open(sqlcheck *k) {
  query q = {.check = k};
  buffer_init(&q.b, SQL_SIZE);
  return q;
}

/* ---- routes ---- */

static void add_path_names(sqlcheck *k, const char *path, sqlcheck_names *names) {
  for (const char *at = path; (at = strchr(at, '{')); at++) {
    size_t size = strcspn(at + 1, "}.");
    sqlcheck_name(k, names, arena_copy(k->memory, at + 1, size), NULL);
  }
}

/* A parameter of a route over a table is a column of it, the limit, or named by `from` or `where`. */
static void check_param(sqlcheck *k, const route *r, const sqlcheck_names *names,
                        const char *name) {
  dts_error e = {0};
  if (!strcmp(name, "limit") || sqlcheck_takes_filter(k, r->declared, names, name)) return;
  error_fail(&e, "PARAM", "route '%s %s': the parameter '%s' changes nothing", r->method, r->path,
             name);
  error_hint(&e, "the rows of '%s' have no column '%s', and no SQL binds it with a colon",
             value_get_text(r->declared, "from", ""), name);
  sqlcheck_fault(k, r->declared, &e);
}

static void check_route(sqlcheck *k, const route *r) {
  const value *d = r->declared, *params = list_of(d, "params");
  sqlcheck_names names = {0};
  add_path_names(k, r->path, &names);
  for (size_t i = 0; i < params->list.count; i++) {
    const value *p = &params->list.items[i];
    sqlcheck_name(k, &names, value_get_text(p, "name", ""), value_get(p, "choices"));
  }
  const char *sql = value_get_text(d, "sql", NULL);
  k->takes = SQLCHECK_PARAMS;
  if (sql) return sqlcheck_text(k, d, sql, &names);
  query q = query_open(k);
  add_columns(&q, d, "columns", false);
  add_columns(&q, d, "order", true);
  add_where_columns(&q, d);
  size_t before = k->faults->list.count;
  check_query(&q, d, d, &names);
  bool from = value_get(d, "from") && k->faults->list.count == before;
  for (size_t i = 0; from && i < params->list.count; i++)
    check_param(k, r, &names, value_get_text(&params->list.items[i], "name", ""));
}

/* ---- dashboards ---- */

static void check_chart(sqlcheck *k, const value *chart, const value *declared,
                        const sqlcheck_names *names) {
  static const char *const expressions[] = {"x", "y", "by", "value", "size"};
  const char *sql = value_get_text(chart, "sql", NULL);
  size_t before = k->faults->list.count;
  if (sql) sqlcheck_text(k, declared, sql, names);
  if (k->faults->list.count != before) return; /* one fault for one SQL */
  query q = query_open(k);
  for (size_t i = 0; i < sizeof expressions / sizeof *expressions; i++)
    add_field(&q, chart, expressions[i]);
  add_columns(&q, chart, "columns", false);
  add_columns(&q, chart, "order", true);
  add_where_columns(&q, chart);
  check_query(&q, chart, declared, names);
}

static const char *part_of(sqlcheck *k, const value *chart, size_t number) {
  const char *title = value_get_text(chart, "title", NULL);
  return title ? arena_format(k->memory, "chart %zu '%.80s'", number, title)
               : arena_format(k->memory, "chart %zu", number);
}

/* A filter moves a chart that names it or has a column of its name. */
static void check_filter(sqlcheck *k, const value *d, const value *filter,
                         const sqlcheck_names *names) {
  const value *charts = list_of(d, "charts");
  const char *name = value_get_text(filter, "name", "");
  bool choice = list_of(filter, "choices")->list.count > 0;
  dts_error e = {0};
  for (size_t i = 0; i < charts->list.count; i++)
    if (sqlcheck_takes_filter(k, &charts->list.items[i], names, name)) return;
  error_fail(&e, "FILTER", "dashboard '%s': the filter '%s' changes no chart",
             value_get_text(d, "name", "?"), name);
  error_hint(&e,
             choice ? "write {%s} into a chart's `from` or `sql`, or take the filter away"
                    : "no chart's rows have a column '%s' and no SQL binds it with a colon",
             name);
  sqlcheck_fault(k, d, &e);
}

static void check_dashboard(sqlcheck *k, const value *d) {
  const value *filters = list_of(d, "filters"), *charts = list_of(d, "charts");
  sqlcheck_names names = {0};
  size_t before = k->faults->list.count;
  k->takes = SQLCHECK_FILTERS;
  for (size_t i = 0; i < filters->list.count; i++) {
    const value *f = &filters->list.items[i];
    sqlcheck_name(k, &names, value_get_text(f, "name", ""), value_get(f, "choices"));
  }
  for (size_t i = 0; i < charts->list.count; i++) {
    k->part = part_of(k, &charts->list.items[i], i + 1);
    check_chart(k, &charts->list.items[i], d, &names);
  }
  k->part = NULL;
  if (k->faults->list.count != before) return; /* a faulty SQL says nothing of its columns */
  for (size_t i = 0; i < filters->list.count; i++)
    check_filter(k, d, &filters->list.items[i], &names);
}

/* ---- gaps ---- */

static void check_gaps(sqlcheck *k, const pipeline *p) {
  static const sqlcheck_names none = {0};
  if (!p->gaps) return;
  if (p->gaps->complete) {
    const char *sql = arena_format(k->memory, "select (%s\n) from \"%s\"", p->gaps->complete,
                                   p->gaps->into->name);
    k->composed = true;
    sqlcheck_text(k, p->declared, sql, &none);
    k->composed = false;
  }
  if (p->gaps->keys_sql) sqlcheck_text(k, p->declared, p->gaps->keys_sql, &none);
}

/* ---- all ---- */

static int check_all(store_conn *c, void *arg, dts_error *e) {
  static const sqlcheck_names none = {0};
  sqlcheck *k = arg;
  const registry *set = k->set;
  (void)e;
  k->conn = c;
  for (size_t i = 0; i < set->route_count; i++) check_route(k, &set->routes[i]);
  for (size_t i = 0; i < set->dashboards.list.count; i++)
    check_dashboard(k, &set->dashboards.list.items[i]);
  k->takes = SQLCHECK_NOTHING;
  for (size_t i = 0; i < set->alerts.list.count; i++) {
    const value *d = &set->alerts.list.items[i];
    const char *sql = value_get_text(d, "when", "");
    sqlcheck_text(k, d, sql, &none);
    if (k->thorough) sqlcheck_message(k, d, sql, value_get_text(d, "message", ""));
  }
  for (size_t i = 0; i < set->pipeline_count; i++) check_gaps(k, &set->pipelines[i]);
  return 0;
}

static bool has_sql(const registry *set) {
  size_t nouns = set->table_count + set->route_count + set->rollups.list.count +
                 set->views.list.count + set->dashboards.list.count + set->alerts.list.count;
  for (size_t i = 0; i < set->pipeline_count; i++) nouns += set->pipelines[i].gaps != NULL;
  return nouns > 0;
}

int sqlcheck_set(const registry *set, bool thorough, arena *a, value *faults, dts_error *e) {
  if (!has_sql(set)) return 0;
  const store_options options = {.readers = 1};
  dts_error fault = {0};
  store *s = store_open("sqlite::memory:", &options, e);
  if (!s) return -1;
  sqlcheck k = {.set = set, .thorough = thorough, .store = s, .memory = a, .faults = faults};
  int rc = schema_create(s, e);
  if (rc == 0 && store_write(s, ensure_tables, (void *)(uintptr_t)set, &fault) < 0) {
    sqlcheck_fault(&k, NULL, &fault);
  } else if (rc == 0) {
    make_views(&k);
    rc = store_read(s, check_all, &k, e);
  }
  store_close(s);
  return rc;
}
