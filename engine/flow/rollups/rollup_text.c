/* rollup_text.c -- see rollup_text.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/rollups/rollup_text.h"

#include <string.h>
#include <strings.h>

enum { SQL_SIZE = 1 << 20 };

rollup_text rollup_text_open(const rollup *r, arena *a) {
  rollup_text t = {.r = r, .a = a};
  buffer_init(&t.b, SQL_SIZE);
  return t;
}

const char *rollup_text_close(rollup_text *t) {
  const char *sql = arena_copy(t->a, t->b.data, t->b.size);
  buffer_free(&t->b);
  return sql;
}

void rollup_add(rollup_text *t, const char *sql) { buffer_add_text(&t->b, sql); }
void rollup_add_name(rollup_text *t, const char *name) { sql_quote(&t->b, name); }

void rollup_add_notes(rollup_text *t) {
  rollup_add_name(t, arena_format(t->a, "dts_dirty.%s", t->r->name));
}

/* dts_k0, dts_k1, .. each with what stands before and behind it. */
void rollup_add_keys(rollup_text *t, const char *before, const char *behind) {
  for (size_t i = 0; i < t->r->by_count; i++)
    buffer_add_format(&t->b, "%sdts_k%zu%s", before, i, behind);
}

void rollup_add_where(rollup_text *t) {
  if (t->r->where) buffer_add_format(&t->b, " and (%s\n)", t->r->where);
}

bool rollup_is_short(const char *period) {
  return strcmp(period, "minute") == 0 || strcmp(period, "hour") == 0;
}

/* dts_period(what, 'kind', zone) */
void rollup_add_period(rollup_text *t, const char *what, const char *kind, const char *zone) {
  buffer_add_format(&t->b, "dts_period(%s, '%s', ", what, kind);
  if (zone)
    sql_quote_text(&t->b, zone);
  else
    rollup_add(t, "null");
  rollup_add(t, ")");
}

const char *rollup_quoted(rollup_text *t, const char *prefix, const char *name) {
  buffer b;
  buffer_init(&b, 1024);
  buffer_add_text(&b, prefix);
  sql_quote(&b, name);
  const char *out = arena_copy(t->a, b.data, b.size);
  buffer_free(&b);
  return out;
}

/* The bucket of a row whose columns stand behind `prefix`. */
void rollup_add_bucket(rollup_text *t, const char *prefix) {
  const char *time = rollup_quoted(t, prefix, t->r->time);
  if (t->r->of_dates && strcmp(t->r->bucket, "day") == 0)
    rollup_add(t, time);
  else
    rollup_add_period(t, time, t->r->bucket, t->r->zone);
}

/* ---- users' expressions ---- */

const table_column *rollup_find_column(const table *t, const sql_token *token, arena *a) {
  const char *name =
      token->kind == SQL_WORD || token->kind == SQL_QUOTED ? sql_name(token, a) : NULL;
  for (size_t i = 0; name && i < t->count; i++)
    if (strcasecmp(t->columns[i].name, name) == 0) return &t->columns[i];
  return NULL;
}

/* The expression with its columns as those of `prefix` (new. or old.). */
void rollup_add_prefixed(rollup_text *t, const char *expr, const char *prefix) {
  const char *at = expr;
  bool behind_dot = false;
  for (sql_token k = sql_next(&at); k.kind != SQL_END; k = sql_next(&at)) {
    sql_token next = sql_peek(at);
    const table_column *c = rollup_find_column(t->r->source, &k, t->a);
    bool is_table = sql_is(&next, ".");
    rollup_add(t, " ");
    if (c && !sql_is(&next, "(") && !is_table) {
      rollup_add(t, behind_dot ? "" : prefix);
      rollup_add_name(t, c->name);
    } else if (is_table && *prefix) {
      buffer_add(&t->b, prefix, strlen(prefix) - 1);
    } else {
      buffer_add(&t->b, k.at, k.size);
    }
    behind_dot = sql_is(&k, ".");
  }
}
