/* select.c -- see select.h.
 *
 * SPDX-License-Identifier: MIT */
#include "serve/select.h"
#include "serve/params.h"

#include <string.h>

#include "flow/kernel/reader.h"
#include "format/date.h"
#include "format/json.h"

enum { LONGEST_LIST = 10000 };

typedef struct checking {
  const char *sql;
  arena *memory;
  value *columns, *parameters;
} checking;

static int check_work(store_conn *c, void *arg, dts_error *e) {
  const checking *k = arg;
  return store_check(c, k->sql, k->memory, k->columns, NULL, k->parameters, e);
}

int select_check(store *s, const char *sql, arena *a, value *columns, value *parameters,
                 dts_error *e) {
  checking k = {sql, a, columns, parameters};
  return store_read(s, check_work, &k, e);
}

const char *select_choices(const char *text, const value *choices, arena *a) {
  buffer b;
  buffer_init(&b, 1 << 20);
  while (*text) {
    size_t size = strcspn(text + 1, "}");
    const char *name = *text == '{' && size < 64 ? arena_copy(a, text + 1, size) : NULL;
    const char *chosen = name ? value_get_text(choices, name, NULL) : NULL;
    if (chosen)
      buffer_add_text(&b, chosen);
    else
      buffer_add_char(&b, *text);
    text += chosen ? size + 2 : 1;
  }
  const char *out = arena_text(a, buffer_text(&b));
  buffer_free(&b);
  return out;
}

const char *select_quote(const char *name, arena *a) {
  buffer b;
  buffer_init(&b, 4096);
  buffer_add_char(&b, '"');
  for (; *name; name++) {
    if (*name == '"') buffer_add_char(&b, '"');
    buffer_add_char(&b, *name);
  }
  buffer_add_char(&b, '"');
  const char *out = arena_text(a, buffer_text(&b));
  buffer_free(&b);
  return out;
}

/* ---- the base ---- */

void selection_init(selection *x) {
  *x = (selection){.params = value_map()};
  buffer_init(&x->where, 1 << 20);
  buffer_init(&x->sql, 1 << 20);
}

void selection_free(selection *x) {
  buffer_free(&x->where);
  buffer_free(&x->sql);
}

int selection_begin(selection *x, store *s, arena *memory, const char *base, dts_error *e) {
  x->memory = memory;
  x->base = base;
  return select_check(s, arena_format(memory, "select * from %s", base), memory, &x->columns,
                      &x->parameters, e);
}

const char *selection_type(const selection *x, const char *column) {
  for (size_t i = 0; i < x->columns.list.count; i++)
    if (strcmp(value_get_text(&x->columns.list.items[i], "name", ""), column) == 0)
      return value_get_text(&x->columns.list.items[i], "type", "any");
  return NULL;
}

bool selection_binds(const selection *x, const char *name) {
  return value_has(&x->parameters, name);
}

int selection_unknown(const selection *x, const char *column, dts_error *e) {
  const char **names = arena_alloc(x->memory, (x->columns.list.count + 1) * sizeof *names);
  for (size_t i = 0; i < x->columns.list.count; i++)
    names[i] = value_get_text(&x->columns.list.items[i], "name", "");
  const char *near = error_nearest(column, names);
  error_fail(e, "COLUMN", "there is no column '%.80s' in %.80s", column,
             x->base[0] == '(' ? "this query" : x->base);
  return near ? error_hint(e, "did you mean '%s'?", near) : -1;
}

/* ---- values ---- */

static bool read_day(const char *text, const char *type, arena *a, value *out) {
  int32_t date;
  int64_t ms;
  size_t size = strlen(text);
  *out = value_text(text);
  bool is_date = date_read(text, size, &date) == 0;
  if (strcmp(type, "date") == 0) return is_date;
  if (is_date) return true; /* a timestamp may be bounded by a date: texts compare */
  if (timestamp_read(text, size, &ms) < 0) return false;
  *out = timestamp_value(a, ms);
  return true;
}

int selection_value(const selection *x, const char *column, const char *text, value *out,
                    dts_error *e) {
  const char *type = selection_type(x, column);
  bool fine = true;
  *out = value_text(text);
  if (!type) return selection_unknown(x, column, e);
  if (strcmp(type, "integer") == 0 || strcmp(type, "real") == 0)
    fine = params_read_number(text, *type == 'i', out);
  else if (strcmp(type, "boolean") == 0) {
    bool on = strcmp(text, "true") == 0;
    fine = on || strcmp(text, "false") == 0;
    *out = value_boolean(on);
  } else if (strcmp(type, "date") == 0 || strcmp(type, "timestamp") == 0)
    fine = read_day(text, type, x->memory, out);
  return fine ? 0 : params_refuse(column, type, text, e);
}

/* ---- conditions ---- */

static void add_condition(selection *x, const char *text) {
  buffer_add_text(&x->where, x->where.size ? " and " : " where ");
  buffer_add_text(&x->where, text);
}

static const char *add_param(selection *x, value v) {
  const char *name = arena_format(x->memory, "f%zu", ++x->made);
  value_set(x->memory, &x->params, name, v);
  return name;
}

/* A column whose type is known from its values alone is compared as text. */
static const char *column_sql(const selection *x, const char *column) {
  const char *quoted = select_quote(column, x->memory), *type = selection_type(x, column);
  return strcmp(type, "any") == 0 ? arena_format(x->memory, "cast(%s as text)", quoted) : quoted;
}

int selection_filter(selection *x, const char *column, const char *operator, value v,
                     dts_error *e) {
  if (!selection_type(x, column)) return selection_unknown(x, column, e);
  const char *name = add_param(x, v);
  add_condition(x, arena_format(x->memory, "%s %s :%s", column_sql(x, column), operator, name));
  return 0;
}

static int bound(selection *x, const char *column, const address *at, const char *name,
                 const char *side, dts_error *e) {
  const char *text = address_query(at, arena_format(x->memory, "%s.%s", name, side));
  bool last = strcmp(side, "to") == 0;
  value v;
  if (!text || !*text) return 0;
  if (selection_value(x, column, text, &v, e) < 0) return -1;
  const char *type = selection_type(x, column);
  if (last && strcmp(type, "timestamp") == 0 && strlen(text) == 10) /* that day's last instant */
    v = value_text(arena_format(x->memory, "%sT23:59:59.999Z", text));
  return selection_filter(x, column, last ? "<=" : ">=", v, e);
}

int selection_filter_query(selection *x, const char *column, const address *at, const char *name,
                           dts_error *e) {
  size_t size = strlen(column);
  bool from = size > 5 && strcmp(column + size - 5, ".from") == 0;
  bool to = size > 3 && strcmp(column + size - 3, ".to") == 0;
  if (from || to) { /* the pair is a bound itself */
    size_t cut = from ? 5 : 3;
    const char *of = arena_copy(x->memory, column, size - cut);
    const char *base = arena_copy(x->memory, name, strlen(name) - cut);
    return selection_type(x, of) ? bound(x, of, at, base, from ? "from" : "to", e)
                                 : selection_unknown(x, of, e);
  }
  if (!selection_type(x, column)) return selection_unknown(x, column, e);
  const char *list = NULL;
  for (size_t i = 0; i < at->pair_count; i++) {
    value v;
    if (strcmp(at->pairs[i].name, name) != 0 || !*at->pairs[i].text) continue;
    if (selection_value(x, column, at->pairs[i].text, &v, e) < 0) return -1;
    const char *param = add_param(x, v);
    list = list ? arena_format(x->memory, "%s, :%s", list, param)
                : arena_format(x->memory, ":%s", param);
  }
  if (list) add_condition(x, arena_format(x->memory, "%s in (%s)", column_sql(x, column), list));
  return 0;
}

static int where_list(selection *x, const char *column, const value *list, dts_error *e) {
  buffer b;
  if (list->list.count > LONGEST_LIST)
    return error_fail(e, "WHERE", "where: '%.80s' lists %zu values, at most %d expected", column,
                      list->list.count, LONGEST_LIST);
  buffer_init(&b, 1 << 20);
  buffer_add_format(&b, "%s in (", select_quote(column, x->memory));
  for (size_t i = 0; i < list->list.count; i++)
    buffer_add_format(&b, "%s:%s", i ? ", " : "", add_param(x, list->list.items[i]));
  buffer_add_char(&b, ')');
  add_condition(x, buffer_text(&b));
  buffer_free(&b);
  return 0;
}

static int where_pair(selection *x, const char *column, const value *v, dts_error *e) {
  if (!selection_type(x, column)) return selection_unknown(x, column, e);
  if (v->kind == VALUE_NULL) return 0;
  if (v->kind == VALUE_LIST) return where_list(x, column, v, e);
  if (v->kind != VALUE_MAP) return selection_filter(x, column, "=", *v, e);
  const value *from = value_get(v, "from"), *to = value_get(v, "to");
  if (from && selection_filter(x, column, ">=", *from, e) < 0) return -1;
  return to ? selection_filter(x, column, "<=", *to, e) : 0;
}

int selection_where(selection *x, const value *where, dts_error *e) {
  if (!where) return 0;
  if (where->kind == VALUE_TEXT)
    return add_condition(x, arena_format(x->memory, "(%s)", where->text.bytes)), 0;
  for (size_t i = 0; where->kind == VALUE_MAP && i < where->map.count; i++) {
    const value_pair *p = &where->map.pairs[i];
    if (where_pair(x, arena_copy(x->memory, p->key.text.bytes, p->key.text.size), &p->item, e) < 0)
      return -1;
  }
  return 0;
}

/* ---- the statement ---- */

const char *selection_from(const selection *x) {
  buffer where = x->where;
  return arena_format(x->memory, "from %s%.*s", x->base, (int)where.size,
                      where.size ? where.data : "");
}

int selection_columns(selection *x, const value *names, dts_error *e) {
  if (reader_names(names, "columns", e) < 0) return -1;
  buffer_add_text(&x->sql, "select ");
  if (!names || !names->list.count) buffer_add_text(&x->sql, "*");
  for (size_t i = 0; names && i < names->list.count; i++) {
    const char *name =
        names->list.items[i].kind == VALUE_TEXT ? names->list.items[i].text.bytes : "?";
    if (!selection_type(x, name)) return selection_unknown(x, name, e);
    buffer_add_format(&x->sql, "%s%s", i ? ", " : "", select_quote(name, x->memory));
  }
  buffer_add_char(&x->sql, ' ');
  return buffer_add_text(&x->sql, selection_from(x));
}

int selection_order(selection *x, const value *order, dts_error *e) {
  value one = value_list();
  if (!order) return 0;
  if (order->kind == VALUE_TEXT) value_add(x->memory, &one, *order), order = &one;
  if (reader_names(order, "order", e) < 0) return -1;
  for (size_t i = 0; i < order->list.count; i++) {
    const char *name =
        order->list.items[i].kind == VALUE_TEXT ? order->list.items[i].text.bytes : "?";
    bool down = name[0] == '-' && !selection_type(x, name);
    if (!selection_type(x, name + down)) return selection_unknown(x, name + down, e);
    buffer_add_format(&x->sql, "%s%s%s", i ? ", " : " order by ",
                      select_quote(name + down, x->memory), down ? " desc" : "");
  }
  return 0;
}
