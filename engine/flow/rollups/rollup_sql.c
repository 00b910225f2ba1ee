/* rollup_sql.c -- the SQL of a roll-up (rollup_sql.h). Names of its own begin with dts_, so that
 * the users' expressions, which stand beside them, can mean only columns of the source.
 *
 *   dts_k0 ..  the values of by      dts_at  a note's bucket     dts_p  the period's start
 *   dts_lo, dts_hi  between which the period's times lie (a day wider in a time zone)
 *   dts_b0 ..  what x of each change(x) was last before the period
 *
 * SPDX-License-Identifier: MIT */
#include "flow/rollups/rollup_sql.h"

#include <string.h>

#include "flow/rollups/rollup_text.h"

/* ---- measures ---- */

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
static const char *add_edge(rollup_text *t, const sql_token *word, const char *inside,
                            size_t *change) {
  bool comma, is_change = sql_is(word, "change");
  const char *end = call_end(inside, &comma);
  buffer_add_format(&t->b, "%s%.*s(%.*s", is_change ? "(" : "", is_change ? 4 : (int)word->size,
                    is_change ? "last" : word->at, (int)(end - inside), inside);
  if (!comma) {
    rollup_add(t, ", ");
    rollup_add_name(t, t->r->time);
  }
  rollup_add(t, ")");
  if (is_change) buffer_add_format(&t->b, " - max(dts_b%zu))", (*change)++);
  return *end ? end + 1 : end;
}

static void add_measure(rollup_text *t, const char *expr, size_t *change) {
  const char *at = expr, *done = expr;
  for (sql_token k = sql_next(&at); k.kind != SQL_END; k = sql_next(&at)) {
    sql_token next = sql_peek(at);
    bool edge = sql_is(&k, "first") || sql_is(&k, "last") || sql_is(&k, "change");
    if (!edge || !sql_is(&next, "(")) continue;
    buffer_add(&t->b, done, (size_t)(k.at - done));
    done = at = add_edge(t, &k, next.at + 1, change);
  }
  rollup_add(t, done);
  rollup_add(t, "\n");
}

static void add_measures(rollup_text *t) {
  size_t change = 0;
  for (size_t i = 0; i < t->r->measure_count; i++) {
    rollup_add(t, ", ");
    add_measure(t, t->r->measures[i].expr, &change);
  }
}

/* ---- the noted periods ---- */

static void add_target(rollup_text *t, const char *period) {
  rollup_add_name(t, arena_format(t->a, "%s_%s", t->r->name, period));
}

/* The period that a note belongs to. */
static void add_noted_period(rollup_text *t, const char *period) {
  if (strcmp(period, t->r->bucket) == 0)
    rollup_add(t, "dts_at");
  else
    rollup_add_period(t, "dts_at", period, rollup_is_short(t->r->bucket) ? t->r->zone : NULL);
}

/* select distinct dts_k.., period as dts_p from notes; but periods whose rows retention has taken,
 * or a part of them, are closed (rollup_keep.c) and stay as they are. */
static void add_noted(rollup_text *t, const char *period) {
  rollup_add(t, "select distinct ");
  rollup_add_keys(t, "", ", ");
  add_noted_period(t, period);
  rollup_add(t, " as dts_p from ");
  rollup_add_notes(t);
  rollup_add(t, " where dts_p > coalesce((select version from dts_rolled where rollup = ");
  sql_quote_text(&t->b, arena_format(t->a, "kept %s", t->r->name));
  rollup_add(t, "), '')");
}

/* In a zone a day's instants lie up to 14 hours beside the date's own: a day more on both sides,
 * and then each row's own period decides. */
static bool is_wide(const rollup *r, const char *period) {
  return r->zone && !rollup_is_short(period);
}

static const char *low(const rollup *r, const char *period) {
  return is_wide(r, period) ? "add_days(dts_p, -1)" : "dts_p";
}

static const char *high(rollup_text *t, const char *period) {
  const char *next = arena_format(t->a, "dts_period_next(dts_p, '%s')", period);
  return is_wide(t->r, period) ? arena_format(t->a, "dts_period_next(%s, 'day')", next) : next;
}

/* Where a period's bounds do not tell whether a row is in it: days of a zone, and its hours when the
 * wall's clock moves by half of one. */
static bool is_loose(const rollup *r) { return r->zone != NULL; }

/* by is the key dts_k.. of the query outside */
static void add_same_key(rollup_text *t) {
  for (size_t i = 0; i < t->r->by_count; i++)
    buffer_add_format(&t->b, "(%s\n) = dts_k%zu and ", t->r->by[i].expr, i);
}

static const char *row_period(rollup_text *t, const char *period) {
  rollup_text p = rollup_text_open(t->r, t->a);
  rollup_add_period(&p, rollup_quoted(t, "", t->r->time), period, t->r->zone);
  return rollup_text_close(&p);
}

/* The latest value of a change's x before the period; of equal times the greatest, as last() has
 * it. */
static void add_before(rollup_text *t, const char *period, const char *x) {
  const char *time = rollup_quoted(t, "", t->r->time);
  buffer_add_format(&t->b, "(select (%s\n) from ", x);
  rollup_add_name(t, t->r->source->name);
  rollup_add(t, " where ");
  add_same_key(t);
  if (is_wide(t->r, period))
    buffer_add_format(&t->b, "%s < %s and %s < dts_p", time, high(t, period),
                      row_period(t, period));
  else
    buffer_add_format(&t->b, "%s < dts_p", time);
  buffer_add_format(&t->b, " and (%s\n) is not null", x);
  rollup_add_where(t);
  buffer_add_format(&t->b, " order by %s desc, (%s\n) desc limit 1)", time, x);
}

/* The first row behind the period that has the change's x: its bucket. */
static void add_behind(rollup_text *t, const char *period, const char *x) {
  const char *time = rollup_quoted(t, "", t->r->time);
  rollup_add(t, "(select ");
  rollup_add_bucket(t, "");
  rollup_add(t, " from ");
  rollup_add_name(t, t->r->source->name);
  rollup_add(t, " where ");
  add_same_key(t);
  if (is_loose(t->r))
    buffer_add_format(&t->b, "%s >= dts_p and %s > dts_p", time, row_period(t, period));
  else
    buffer_add_format(&t->b, "%s >= %s", time, high(t, period));
  buffer_add_format(&t->b, " and (%s\n) is not null", x);
  rollup_add_where(t);
  buffer_add_format(&t->b, " order by %s limit 1)", time);
}

const char *rollup_sql_note_next(const rollup *r, const char *period, size_t change, arena *a) {
  rollup_text t = rollup_text_open(r, a);
  rollup_add(&t, "insert into ");
  rollup_add_notes(&t);
  rollup_add(&t, " select * from (select ");
  rollup_add_keys(&t, "", ", ");
  add_behind(&t, period, r->changes[change]);
  rollup_add(&t, " as dts_next from (");
  add_noted(&t, period);
  rollup_add(&t, ")) where dts_next is not null on conflict do nothing");
  return rollup_text_close(&t);
}

const char *rollup_sql_delete(const rollup *r, const char *period, arena *a) {
  rollup_text t = rollup_text_open(r, a);
  rollup_add(&t, "delete from ");
  add_target(&t, period);
  rollup_add(&t, " where (");
  for (size_t i = 0; i < r->by_count; i++) rollup_add_name(&t, r->by[i].name), rollup_add(&t, ", ");
  rollup_add(&t, "\"period\") in (");
  add_noted(&t, period);
  rollup_add(&t, ")");
  return rollup_text_close(&t);
}

/* ---- the rows ---- */

static void add_into(rollup_text *t, const char *period) {
  rollup_add(t, "insert into ");
  add_target(t, period);
  rollup_add(t, " (");
  for (size_t i = 0; i < t->r->by_count; i++)
    rollup_add_name(t, t->r->by[i].name), rollup_add(t, ", ");
  rollup_add(t, "\"period\"");
  for (size_t i = 0; i < t->r->measure_count; i++)
    rollup_add(t, ", "), rollup_add_name(t, t->r->measures[i].name);
  rollup_add(t, ") ");
}

/* Each noted period sought for in the source. */
static void add_sought(rollup_text *t, const char *period) {
  const rollup *r = t->r;
  const char *time = rollup_quoted(t, "", r->time);
  rollup_add(t, "with dts_d as materialized (select *, ");
  buffer_add_format(&t->b, "%s as dts_lo, %s as dts_hi", low(r, period), high(t, period));
  for (size_t i = 0; i < r->change_count; i++) {
    rollup_add(t, ", ");
    add_before(t, period, r->changes[i]);
    buffer_add_format(&t->b, " as dts_b%zu", i);
  }
  rollup_add(t, " from (");
  add_noted(t, period);
  rollup_add(t, ")) select ");
  rollup_add_keys(t, "", ", ");
  rollup_add(t, "dts_p");
  add_measures(t);
  rollup_add(t, " from dts_d cross join ");
  rollup_add_name(t, r->source->name);
  rollup_add(t, " where ");
  add_same_key(t);
  buffer_add_format(&t->b, "%s >= dts_lo and %s < dts_hi", time, time);
  if (is_loose(r)) buffer_add_format(&t->b, " and %s = dts_p", row_period(t, period));
}

/* The source read once, between the earliest and the latest noted period. */
static void add_scanned(rollup_text *t, const char *period) {
  const rollup *r = t->r;
  const char *time = rollup_quoted(t, "", r->time);
  rollup_add(t, "with dts_d as materialized (");
  add_noted(t, period);
  rollup_add(t, ") select ");
  rollup_add_keys(t, "", ", ");
  rollup_add(t, "dts_p");
  add_measures(t);
  rollup_add(t, " from (select *");
  for (size_t i = 0; i < r->by_count; i++)
    buffer_add_format(&t->b, ", (%s\n) as dts_k%zu", r->by[i].expr, i);
  buffer_add_format(&t->b, ", %s as dts_p from ", row_period(t, period));
  rollup_add_name(t, r->source->name);
  buffer_add_format(
      &t->b, " where %s >= (select min(%s) from dts_d) and %s < (select max(%s) from dts_d)) as ",
      time, low(r, period), time, high(t, period));
  rollup_add_name(t, r->source->name);
  rollup_add(t, " where (");
  rollup_add_keys(t, "", ", ");
  rollup_add(t, "dts_p) in (select ");
  rollup_add_keys(t, "", ", ");
  rollup_add(t, "dts_p from dts_d)");
}

const char *rollup_sql_insert(const rollup *r, const char *period, arena *a) {
  rollup_text t = rollup_text_open(r, a);
  add_into(&t, period);
  if (r->seek)
    add_sought(&t, period);
  else
    add_scanned(&t, period);
  rollup_add_where(&t);
  rollup_add(&t, " group by ");
  rollup_add_keys(&t, "", ", ");
  rollup_add(&t, "dts_p");
  return rollup_text_close(&t);
}

const char *rollup_sql_fill(const rollup *r, const char *period, arena *a) {
  rollup_text t = rollup_text_open(r, a);
  add_into(&t, period);
  rollup_add(&t, "select ");
  for (size_t i = 0; i < r->by_count; i++)
    buffer_add_format(&t.b, "(%s\n) as dts_k%zu, ", r->by[i].expr, i);
  buffer_add_format(&t.b, "%s as dts_p", row_period(&t, period));
  add_measures(&t);
  rollup_add(&t, " from ");
  rollup_add_name(&t, r->source->name);
  buffer_add_format(&t.b, " where %s is not null", rollup_quoted(&t, "", r->time));
  for (size_t i = 0; i < r->by_count; i++)
    buffer_add_format(&t.b, " and (%s\n) is not null", r->by[i].expr);
  rollup_add_where(&t);
  rollup_add(&t, " group by ");
  rollup_add_keys(&t, "", ", ");
  rollup_add(&t, "dts_p");
  return rollup_text_close(&t);
}
