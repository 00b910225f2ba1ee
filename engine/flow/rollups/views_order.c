/* views_order.c -- which view stands behind which (views.h). Pure.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "flow/reload/sql_lex.h"
#include "flow/rollups/views.h"

static const char *name_of(const value *v) { return value_get_text(v, "name", "?"); }

enum { DEPTH = 64 };

static bool ends_from(const sql_token *t) {
  static const char *const words[] = {"select", "where", "group", "order",     "having", "limit",
                                      "union",  "on",    "using", "intersect", "except", "window"};
  for (size_t i = 0; i < sizeof words / sizeof *words; i++)
    if (sql_is(t, words[i])) return true;
  return false;
}

/* Does the name stand where a table is read: behind from, join, or a comma between tables? */
static bool reads(const value *view, const char *name, arena *a) {
  const char *at = value_get_text(view, "sql", "");
  bool in_from[DEPTH] = {false}, expected = false;
  size_t depth = 0;
  for (sql_token t = sql_next(&at); t.kind != SQL_END; t = sql_next(&at)) {
    bool named = t.kind == SQL_WORD || t.kind == SQL_QUOTED;
    if (expected && named && strcasecmp(sql_name(&t, a), name) == 0) return true;
    bool opens = sql_is(&t, "from") || sql_is(&t, "join");
    if (opens)
      in_from[depth] = true;
    else if (ends_from(&t))
      in_from[depth] = false;
    if (sql_is(&t, "(") && depth + 1 < DEPTH)
      in_from[depth + 1] = in_from[depth] && expected, depth++;
    else if (sql_is(&t, ")") && depth)
      depth--;
    expected = opens || (in_from[depth] && (sql_is(&t, ",") || sql_is(&t, "(")));
  }
  return false;
}

typedef struct ordering {
  const value *declared;
  arena *a;
  const value **ordered;
  size_t count;
  char *marks; /* 0 not seen, 1 being placed, 2 placed */
  const char **path;
  size_t depth;
  dts_error *error;
} ordering;

static int fail_circle(ordering *o, size_t back_to) {
  buffer b;
  const value *view = &o->declared->list.items[back_to];
  size_t i = 0;
  buffer_init(&b, 600);
  while (strcmp(o->path[i], name_of(view)) != 0) i++;
  for (; i < o->depth; i++) buffer_add_format(&b, "'%s' reads ", o->path[i]);
  error_fail(o->error, "VIEW", "views go in a circle: %s'%s'", buffer_text(&b), name_of(view));
  buffer_free(&b);
  if (o->error)
    snprintf(o->error->where, sizeof o->error->where, "%s:%lld", value_get_text(view, "file", "?"),
             (long long)value_get_integer(view, "line", 0));
  return -1;
}

static int place(ordering *o, size_t i) {
  const value *view = &o->declared->list.items[i];
  o->marks[i] = 1;
  o->path[o->depth++] = name_of(view);
  for (size_t k = 0; k < o->declared->list.count; k++) {
    const char *other = name_of(&o->declared->list.items[k]);
    if (o->marks[k] == 2 || !reads(view, other, o->a)) continue;
    if (o->marks[k] == 1) return fail_circle(o, k);
    if (place(o, k) < 0) return -1;
  }
  o->marks[i] = 2;
  o->depth--;
  o->ordered[o->count++] = view;
  return 0;
}

int views_order(const value *declared, arena *a, const value **ordered, dts_error *e) {
  size_t total = declared->list.count;
  ordering o = {.declared = declared, .a = a, .ordered = ordered, .error = e};
  o.marks = arena_alloc(a, total + 1);
  o.path = arena_alloc(a, (total + 1) * sizeof *o.path);
  for (size_t i = 0; i < total; i++)
    if (!o.marks[i] && place(&o, i) < 0) return -1;
  return 0;
}
