/* api_tables.c -- tables, views and roll-ups: what there is, and their rows.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "serve/select.h"

enum { ROWS = 100000 };

/* ---- the catalogue ---- */

static value columns_of(api_call *c, const table *t) {
  value list = value_list();
  for (size_t i = 0; i < t->count; i++) {
    const table_column *column = &t->columns[i];
    value v = value_map();
    value_set(c->memory, &v, "name", value_text(column->name));
    value_set(c->memory, &v, "type", value_text(column_type_name(column->type)));
    value_set(c->memory, &v, "key", value_boolean(column->key));
    value_set(c->memory, &v, "doc",
              column->doc && *column->doc ? value_text(column->doc) : value_null());
    value_add(c->memory, &list, v);
  }
  return list;
}

static value count_rows(api_call *c, const char *name) {
  gathered g = {.memory = c->memory};
  const char *sql = arena_format(c->memory, "select count(*) as n from \"%s\"", name);
  if (result_gather(c->store, &g, sql, NULL, 0, NULL) < 0 || !g.rows.list.count)
    return value_null();
  return *value_get(&g.rows.list.items[0], "n");
}

static const char *kind_of(const api_call *c, const char *name) {
  if (registry_find(&c->set->views, name)) return "view";
  return registry_rollup_of(c->set, name) ? "rollup" : "table";
}

static void add_entry(api_call *c, value *list, const char *name, value columns) {
  value v = value_map();
  const value *declared = registry_find(&c->set->views, name);
  const char *doc = declared ? value_get_text(declared, "summary", NULL) : NULL;
  value_set(c->memory, &v, "name", value_text(name));
  value_set(c->memory, &v, "kind", value_text(kind_of(c, name)));
  value_set(c->memory, &v, "doc", value_text(doc));
  value_set(c->memory, &v, "rows", count_rows(c, name));
  value_set(c->memory, &v, "columns", columns);
  value_add(c->memory, list, v);
}

static value view_columns(api_call *c, const char *name) {
  value list = value_list(), known;
  const char *sql = arena_format(c->memory, "select * from \"%s\"", name);
  if (select_check(c->store, sql, c->memory, &known, NULL, NULL) < 0) return list;
  for (size_t i = 0; i < known.list.count; i++) {
    value v = value_map();
    const char *type = value_get_text(&known.list.items[i], "type", "any");
    value_set(c->memory, &v, "name", *value_get(&known.list.items[i], "name"));
    value_set(c->memory, &v, "type", value_text(strcmp(type, "any") == 0 ? "text" : type));
    value_set(c->memory, &v, "key", value_boolean(false));
    value_add(c->memory, &list, v);
  }
  return list;
}

static int list(api_call *c, dts_error *e) {
  value all = value_list();
  (void)e;
  for (size_t i = 0; i < c->set->table_count; i++) {
    const table *t = c->set->tables[i];
    if (!t->is_private) add_entry(c, &all, t->name, columns_of(c, t));
  }
  for (size_t i = 0; i < c->set->views.list.count; i++) {
    const char *name = value_get_text(&c->set->views.list.items[i], "name", "");
    if (!registry_table(c->set, name)) add_entry(c, &all, name, view_columns(c, name));
  }
  http_reply_json(c->rp, &all);
  return 0;
}

/* ---- rows ---- */

typedef struct page {
  api_call *call;
  selection *s;
  result *r;
  const char *count_sql;
  value total;
} page;

static int read_page(store_conn *conn, void *arg, dts_error *e) {
  page *p = arg;
  result total;
  result_init(&total, p->call->memory, RESULT_ROWS);
  int rc = result_select(conn, &total, p->count_sql, &p->s->params, e);
  if (rc == 0)
    p->total = value_text(arena_copy(p->call->memory, total.body.data + 1, total.body.size - 2));
  if (rc == 0) rc = result_select(conn, p->r, buffer_text(&p->s->sql), &p->s->params, e);
  result_free(&total);
  return rc;
}

/* where.COLUMN=text, repeated: any of; where.COLUMN.from and .to bound it. */
static int add_wheres(api_call *c, selection *s, dts_error *e) {
  for (size_t i = 0; i < c->rq->at.pair_count; i++) {
    const char *name = c->rq->at.pairs[i].name;
    if (strncmp(name, "where.", 6) != 0) continue;
    bool seen = false;
    for (size_t k = 0; k < i; k++) seen |= strcmp(c->rq->at.pairs[k].name, name) == 0;
    if (!seen && selection_filter_query(s, name + 6, &c->rq->at, name, e) < 0) return -1;
  }
  return 0;
}

static int compose(api_call *c, selection *s, page *p, bool csv, dts_error *e) {
  const char *order = call_param(c, "order");
  value by = value_text(order);
  if (selection_begin(s, c->store, c->memory, arena_format(c->memory, "\"%s\"", c->args[0]), e) <
          0 ||
      add_wheres(c, s, e) < 0)
    return -1;
  p->count_sql = arena_format(c->memory, "select count(*) as n %s", selection_from(s));
  selection_columns(s, NULL, e);
  if (order && selection_order(s, &by, e) < 0) return -1;
  int64_t most = csv ? ROWS * 10 : ROWS, limit = call_integer(c, "limit", csv ? most : 100, most);
  buffer_add_format(&s->sql, " limit %lld offset %lld", (long long)limit,
                    (long long)call_integer(c, "offset", 0, INT64_MAX / 2));
  return 0;
}

static void write_page(api_call *c, const page *p, bool csv) {
  if (csv) {
    call_csv_headers(c, c->args[0]);
    result_write_csv(&c->rp->body, p->r);
    return;
  }
  c->rp->status = 200;
  c->rp->type = "application/json";
  buffer_add_format(&c->rp->body, "{\"total\":%s,", p->total.text.bytes);
  result_write(&c->rp->body, p->r);
  buffer_add_char(&c->rp->body, '}');
}

static bool is_known(const api_call *c, const char *name) {
  static const char *const views[] = {"dts_runs",  "dts_jobs",    "dts_gaps",  "dts_quarantine",
                                      "dts_files", "dts_refused", "dts_stale", "dts_decisions"};
  for (size_t i = 0; i < sizeof views / sizeof *views; i++)
    if (strcmp(views[i], name) == 0) return true;
  return registry_table(c->set, name) || registry_find(&c->set->views, name);
}

static int rows(api_call *c, dts_error *e) {
  const char *format = call_param(c, "format"), *big = call_param(c, "bigint");
  bool csv = format && strcmp(format, "csv") == 0;
  selection s;
  result r;
  page p = {c, &s, &r, NULL, {0}};
  if (!is_known(c, c->args[0])) return call_not_found(e, "table", c->args[0]);
  selection_init(&s);
  result_init(&r, c->memory, csv ? RESULT_CSV : RESULT_ROWS);
  r.quote_big = big && strcmp(big, "string") == 0;
  int rc = compose(c, &s, &p, csv, e);
  if (rc == 0) rc = store_read(c->store, read_page, &p, e);
  if (rc == 0) rc = result_check(&r, c->set, e);
  if (rc == 0) write_page(c, &p, csv);
  result_free(&r);
  selection_free(&s);
  return rc;
}

const api_route api_tables[] = {{"GET", "/api/v1/tables", KEY_READ, list},
                                {"GET", "/api/v1/tables/{name}", KEY_READ, rows},
                                {0}};
