/* rollup_sql.c -- the SQL of a roll-up (rollup_sql.h). Names of its own begin with dts_, so that the
 * users' expressions, which stand beside them, can mean only columns of the source.
 *
 *   dts_k0 ..  the values of by      dts_at  a note's bucket     dts_p  the period's start
 *   dts_lo, dts_hi  between which the period's times lie (a day wider in a time zone)
 *   dts_b0 ..  what x of each change(x) was last before the period
 *
 * SPDX-License-Identifier: MIT */
#include "flow/rollup_sql.h"

#include <string.h>
#include <strings.h>

#include "flow/sql_lex.h"

enum { SQL_SIZE = 1 << 20 };

typedef struct text { /* SQL in the making */
  buffer b;
  const rollup *r;
  arena *a;
} text;

static text text_open(const rollup *r, arena *a) {
  text t = {.r = r, .a = a};
  buffer_init(&t.b, SQL_SIZE);
  return t;
}

static const char *text_close(text *t) {
  const char *sql = arena_copy(t->a, t->b.data, t->b.size);
  buffer_free(&t->b);
  return sql;
}

static void add(text *t, const char *sql) { buffer_add_text(&t->b, sql); }
static void add_name(text *t, const char *name) { sql_quote(&t->b, name); }

static void add_notes(text *t) { add_name(t, arena_format(t->a, "dts_dirty.%s", t->r->name)); }

static void add_target(text *t, const char *period) {
  add_name(t, arena_format(t->a, "%s_%s", t->r->name, period));
}

/* dts_k0, dts_k1, .. each with what stands before and behind it. */
static void add_keys(text *t, const char *before, const char *behind) {
  for (size_t i = 0; i < t->r->by_count; i++)
    buffer_add_format(&t->b, "%sdts_k%zu%s", before, i, behind);
}

static void add_where(text *t) {
  if (t->r->where) buffer_add_format(&t->b, " and (%s\n)", t->r->where);
}

static bool is_short(const char *period) {
  return strcmp(period, "minute") == 0 || strcmp(period, "hour") == 0;
}

/* dts_period(what, 'kind', zone) */
static void add_period(text *t, const char *what, const char *kind, const char *zone) {
  buffer_add_format(&t->b, "dts_period(%s, '%s', ", what, kind);
  if (zone)
    sql_quote_text(&t->b, zone);
  else
    add(t, "null");
  add(t, ")");
}

static const char *quoted(text *t, const char *prefix, const char *name) {
  buffer b;
  buffer_init(&b, 1024);
  buffer_add_text(&b, prefix);
  sql_quote(&b, name);
  const char *out = arena_copy(t->a, b.data, b.size);
  buffer_free(&b);
  return out;
}

/* The bucket of a row whose columns stand behind `prefix`. */
static void add_bucket(text *t, const char *prefix) {
  const char *time = quoted(t, prefix, t->r->time);
  if (t->r->of_dates && strcmp(t->r->bucket, "day") == 0)
    add(t, time);
  else
    add_period(t, time, t->r->bucket, t->r->zone);
}

/* The period that a note belongs to. */
static void add_noted_period(text *t, const char *period) {
  if (strcmp(period, t->r->bucket) == 0)
    add(t, "dts_at");
  else
    add_period(t, "dts_at", period, is_short(t->r->bucket) ? t->r->zone : NULL);
}

/* ---- users' expressions ---- */

static const table_column *find_column(const table *t, const sql_token *token, arena *a) {
  const char *name =
      token->kind == SQL_WORD || token->kind == SQL_QUOTED ? sql_name(token, a) : NULL;
  for (size_t i = 0; name && i < t->count; i++)
    if (strcasecmp(t->columns[i].name, name) == 0) return &t->columns[i];
  return NULL;
}

/* The expression with its columns as those of `prefix` (new. or old.). */
static void add_prefixed(text *t, const char *expr, const char *prefix) {
  const char *at = expr;
  bool behind_dot = false;
  for (sql_token k = sql_next(&at); k.kind != SQL_END; k = sql_next(&at)) {
    sql_token next = sql_peek(at);
    const table_column *c = find_column(t->r->source, &k, t->a);
    bool is_table = sql_is(&next, ".");
    add(t, " ");
    if (c && !sql_is(&next, "(") && !is_table) {
      add(t, behind_dot ? "" : prefix);
      add_name(t, c->name);
    } else if (is_table) {
      buffer_add(&t->b, prefix, strlen(prefix) - 1);
    } else {
      buffer_add(&t->b, k.at, k.size);
    }
    behind_dot = sql_is(&k, ".");
  }
}

/* The arguments of a call, `at` behind its parenthesis: their end, and whether there is a comma. */
static const char *call_end(const char *at, bool *comma) {
  *comma = false;
  for (int depth = 1;;) {
    sql_token t = sql_next(&at);
    if (t.kind == SQL_END) return t.at;
    depth += sql_is(&t, "(") ? 1 : sql_is(&t, ")") ? -1 : 0;
    if (depth == 0) return t.at;
    if (depth == 1 && sql_is(&t, ",")) *comma = true;
  }
}

/* first(x) and last(x) go by time; change(x) is last(x) less what it was before. Gives the end. */
static const char *add_edge(text *t, const sql_token *word, const char *inside, size_t *change) {
  bool comma, is_change = sql_is(word, "change");
  const char *end = call_end(inside, &comma);
  buffer_add_format(&t->b, "%s%.*s(%.*s", is_change ? "(" : "", is_change ? 4 : (int)word->size,
                    is_change ? "last" : word->at, (int)(end - inside), inside);
  if (!comma) {
    add(t, ", ");
    add_name(t, t->r->time);
  }
  add(t, ")");
  if (is_change) buffer_add_format(&t->b, " - max(dts_b%zu))", (*change)++);
  return *end ? end + 1 : end;
}

static void add_measure(text *t, const char *expr, size_t *change) {
  const char *at = expr, *done = expr;
  for (sql_token k = sql_next(&at); k.kind != SQL_END; k = sql_next(&at)) {
    sql_token next = sql_peek(at);
    bool edge = sql_is(&k, "first") || sql_is(&k, "last") || sql_is(&k, "change");
    if (!edge || !sql_is(&next, "(")) continue;
    buffer_add(&t->b, done, (size_t)(k.at - done));
    done = at = add_edge(t, &k, next.at + 1, change);
  }
  add(t, done);
  add(t, "\n");
}

static void add_measures(text *t) {
  size_t change = 0;
  for (size_t i = 0; i < t->r->measure_count; i++) {
    add(t, ", ");
    add_measure(t, t->r->measures[i].expr, &change);
  }
}

/* ---- notes ---- */

const char *rollup_sql_notes(const rollup *r, arena *a) {
  text t = text_open(r, a);
  add(&t, "create table if not exists ");
  add_notes(&t);
  add(&t, " (");
  add_keys(&t, "", ", ");
  add(&t, "dts_at, primary key (");
  add_keys(&t, "", ", ");
  add(&t, "dts_at)) without rowid");
  return text_close(&t);
}

const char *rollup_sql_index(const rollup *r, arena *a) {
  text t = text_open(r, a);
  add(&t, "create index if not exists ");
  add_name(&t, arena_format(a, "dts_rollup.%s", r->name));
  add(&t, " on ");
  add_name(&t, r->source->name);
  add(&t, " (");
  for (size_t i = 0; i < r->by_count; i++) buffer_add_format(&t.b, "(%s\n), ", r->by[i].expr);
  add_name(&t, r->time);
  add(&t, ")");
  return text_close(&t);
}

/* by.., bucket */
static void add_note(text *t, const char *prefix) {
  for (size_t i = 0; i < t->r->by_count; i++)
    add_prefixed(t, t->r->by[i].expr, prefix), add(t, ", ");
  add_bucket(t, prefix);
}

static void add_not_null(text *t, const char *prefix) {
  buffer_add_format(&t->b, " where %s is not null", quoted(t, prefix, t->r->time));
  for (size_t i = 0; i < t->r->by_count; i++) {
    add(t, " and (");
    add_prefixed(t, t->r->by[i].expr, prefix);
    add(t, ") is not null");
  }
}

/* Are time and by all of them columns of the source's key? Then they are never null, and never change. */
static bool is_of_key(const rollup *r) {
  const table_column *c = table_find(r->source, r->time, NULL);
  for (size_t i = 0; c && c->key && i < r->by_count; i++)
    c = r->by[i].column ? table_find(r->source, r->by[i].column, NULL) : NULL;
  return c && c->key;
}

/* One row's note; values(..) where it can be, a fifth less work than a select. */
static void add_noting(text *t, const char *prefix) {
  add(t, "insert into ");
  add_notes(t);
  if (is_of_key(t->r)) {
    add(t, " values (");
    add_note(t, prefix);
    add(t, ")");
  } else {
    add(t, " select ");
    add_note(t, prefix);
    add_not_null(t, prefix);
  }
  add(t, " on conflict do nothing; ");
}

static bool mentions(const char *sql, const table *source, const table_column *c, arena *a) {
  for (sql_token k = sql_next(&sql); k.kind != SQL_END; k = sql_next(&sql))
    if (find_column(source, &k, a) == c) return true;
  return false;
}

static bool uses(const rollup *r, const table_column *c, arena *a) {
  if (strcmp(c->name, r->time) == 0) return true;
  if (r->where && mentions(r->where, r->source, c, a)) return true;
  for (size_t i = 0; i < r->by_count; i++)
    if (mentions(r->by[i].expr, r->source, c, a)) return true;
  for (size_t i = 0; i < r->measure_count; i++)
    if (mentions(r->measures[i].expr, r->source, c, a)) return true;
  return false;
}

/* A row written again as it was changes nothing. */
static void add_when(text *t) {
  size_t count = 0;
  for (size_t i = 0; i < t->r->source->count; i++) {
    const table_column *c = &t->r->source->columns[i];
    if (!uses(t->r, c, t->a)) continue;
    add(t, count++ ? " or " : " when ");
    add(t, quoted(t, "old.", c->name));
    add(t, " is not ");
    add(t, quoted(t, "new.", c->name));
  }
}

const char *rollup_sql_trigger(const rollup *r, const char *event, arena *a) {
  bool old = strcmp(event, "insert") != 0, new = strcmp(event, "delete") != 0;
  text t = text_open(r, a);
  add(&t, "CREATE TRIGGER ");
  add_name(&t, arena_format(a, "dts_rollup.%s.%s", r->name, event));
  buffer_add_format(&t.b, " after %s on ", event);
  add_name(&t, r->source->name);
  if (old && new) add_when(&t);
  add(&t, " begin ");
  if (old && !(new && is_of_key(r))) add_noting(&t, "old."); /* a row keeps its key */
  if (new) add_noting(&t, "new.");
  add(&t, "end");
  return text_close(&t);
}

const char *rollup_sql_note_all(const rollup *r, arena *a) {
  text t = text_open(r, a);
  add(&t, "insert into ");
  add_notes(&t);
  add(&t, " select ");
  add_note(&t, "");
  add(&t, " from ");
  add_name(&t, r->source->name);
  add_not_null(&t, "");
  add(&t, " on conflict do nothing");
  return text_close(&t);
}

/* ---- the noted periods ---- */

/* select distinct dts_k.., period as dts_p from notes */
static void add_noted(text *t, const char *period) {
  add(t, "select distinct ");
  add_keys(t, "", ", ");
  add_noted_period(t, period);
  add(t, " as dts_p from ");
  add_notes(t);
}

/* In a zone a day's instants lie up to 14 hours beside the date's own: a day more on both sides,
 * and then each row's own period decides. */
static bool is_wide(const rollup *r, const char *period) { return r->zone && !is_short(period); }

static const char *low(const rollup *r, const char *period) {
  return is_wide(r, period) ? "add_days(dts_p, -1)" : "dts_p";
}

static const char *high(text *t, const char *period) {
  const char *next = arena_format(t->a, "dts_period_next(dts_p, '%s')", period);
  return is_wide(t->r, period) ? arena_format(t->a, "dts_period_next(%s, 'day')", next) : next;
}

/* by is the key dts_k.. of the query outside */
static void add_same_key(text *t) {
  for (size_t i = 0; i < t->r->by_count; i++)
    buffer_add_format(&t->b, "(%s\n) = dts_k%zu and ", t->r->by[i].expr, i);
}

static const char *row_period(text *t, const char *period) {
  text p = text_open(t->r, t->a);
  add_period(&p, quoted(t, "", t->r->time), period, t->r->zone);
  return text_close(&p);
}

/* The latest value of a change's x before the period; of equal times the greatest, as last() has it. */
static void add_before(text *t, const char *period, const char *x) {
  const char *time = quoted(t, "", t->r->time);
  buffer_add_format(&t->b, "(select (%s\n) from ", x);
  add_name(t, t->r->source->name);
  add(t, " where ");
  add_same_key(t);
  if (is_wide(t->r, period))
    buffer_add_format(&t->b, "%s < %s and %s < dts_p", time, high(t, period),
                      row_period(t, period));
  else
    buffer_add_format(&t->b, "%s < dts_p", time);
  buffer_add_format(&t->b, " and (%s\n) is not null", x);
  add_where(t);
  buffer_add_format(&t->b, " order by %s desc, (%s\n) desc limit 1)", time, x);
}

/* The first row behind the period that has the change's x: its bucket. */
static void add_behind(text *t, const char *period, const char *x) {
  const char *time = quoted(t, "", t->r->time);
  add(t, "(select ");
  add_bucket(t, "");
  add(t, " from ");
  add_name(t, t->r->source->name);
  add(t, " where ");
  add_same_key(t);
  if (is_wide(t->r, period))
    buffer_add_format(&t->b, "%s >= dts_p and %s > dts_p", time, row_period(t, period));
  else
    buffer_add_format(&t->b, "%s >= %s", time, high(t, period));
  buffer_add_format(&t->b, " and (%s\n) is not null", x);
  add_where(t);
  buffer_add_format(&t->b, " order by %s limit 1)", time);
}

const char *rollup_sql_note_next(const rollup *r, const char *period, size_t change, arena *a) {
  text t = text_open(r, a);
  add(&t, "insert into ");
  add_notes(&t);
  add(&t, " select * from (select ");
  add_keys(&t, "", ", ");
  add_behind(&t, period, r->changes[change]);
  add(&t, " as dts_next from (");
  add_noted(&t, period);
  add(&t, ")) where dts_next is not null on conflict do nothing");
  return text_close(&t);
}

const char *rollup_sql_delete(const rollup *r, const char *period, arena *a) {
  text t = text_open(r, a);
  add(&t, "delete from ");
  add_target(&t, period);
  add(&t, " where (");
  for (size_t i = 0; i < r->by_count; i++) add_name(&t, r->by[i].name), add(&t, ", ");
  add(&t, "\"period\") in (");
  add_noted(&t, period);
  add(&t, ")");
  return text_close(&t);
}

/* ---- the rows ---- */

static void add_into(text *t, const char *period) {
  add(t, "insert into ");
  add_target(t, period);
  add(t, " (");
  for (size_t i = 0; i < t->r->by_count; i++) add_name(t, t->r->by[i].name), add(t, ", ");
  add(t, "\"period\"");
  for (size_t i = 0; i < t->r->measure_count; i++)
    add(t, ", "), add_name(t, t->r->measures[i].name);
  add(t, ") ");
}

/* Each noted period sought for in the source. */
static void add_sought(text *t, const char *period) {
  const rollup *r = t->r;
  const char *time = quoted(t, "", r->time);
  add(t, "with dts_d as materialized (select *, ");
  buffer_add_format(&t->b, "%s as dts_lo, %s as dts_hi", low(r, period), high(t, period));
  for (size_t i = 0; i < r->change_count; i++) {
    add(t, ", ");
    add_before(t, period, r->changes[i]);
    buffer_add_format(&t->b, " as dts_b%zu", i);
  }
  add(t, " from (");
  add_noted(t, period);
  add(t, ")) select ");
  add_keys(t, "", ", ");
  add(t, "dts_p");
  add_measures(t);
  add(t, " from dts_d cross join ");
  add_name(t, r->source->name);
  add(t, " where ");
  add_same_key(t);
  buffer_add_format(&t->b, "%s >= dts_lo and %s < dts_hi", time, time);
  if (is_wide(r, period)) buffer_add_format(&t->b, " and %s = dts_p", row_period(t, period));
}

/* The source read once, between the earliest and the latest noted period. */
static void add_scanned(text *t, const char *period) {
  const rollup *r = t->r;
  const char *time = quoted(t, "", r->time);
  add(t, "with dts_d as materialized (");
  add_noted(t, period);
  add(t, ") select ");
  add_keys(t, "", ", ");
  add(t, "dts_p");
  add_measures(t);
  add(t, " from (select *");
  for (size_t i = 0; i < r->by_count; i++)
    buffer_add_format(&t->b, ", (%s\n) as dts_k%zu", r->by[i].expr, i);
  buffer_add_format(&t->b, ", %s as dts_p from ", row_period(t, period));
  add_name(t, r->source->name);
  buffer_add_format(
      &t->b, " where %s >= (select min(%s) from dts_d) and %s < (select max(%s) from dts_d)) as ",
      time, low(r, period), time, high(t, period));
  add_name(t, r->source->name);
  add(t, " where (");
  add_keys(t, "", ", ");
  add(t, "dts_p) in (select ");
  add_keys(t, "", ", ");
  add(t, "dts_p from dts_d)");
}

const char *rollup_sql_insert(const rollup *r, const char *period, arena *a) {
  text t = text_open(r, a);
  add_into(&t, period);
  if (r->seek)
    add_sought(&t, period);
  else
    add_scanned(&t, period);
  add_where(&t);
  add(&t, " group by ");
  add_keys(&t, "", ", ");
  add(&t, "dts_p");
  return text_close(&t);
}
