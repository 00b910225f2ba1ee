/* rollup_read.c -- reads and checks a roll-up's declaration (rollup_sql.h).
 *
 * SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "crypto/crypto.h"
#include "flow/rollups/rollup_sql.h"
#include "flow/reload/sql_lex.h"
#include "flow/reload/sql_type.h"

/* Shortest first; a week is part of no longer one. */
static const char *const kinds[] = {"minute", "hour",    "day",  "week",
                                    "month",  "quarter", "year", NULL};

static int fail(const rollup *r, dts_error *e, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static int fail(const rollup *r, dts_error *e, const char *format, ...) {
  char text[700];
  va_list more;
  va_start(more, format);
  vsnprintf(text, sizeof text, format, more);
  va_end(more);
  return error_fail(e, "ROLLUP", "roll-up '%s': %s", r->name, text);
}

/* ---- what it is made from ---- */

/* A roll-up may bear the name of the table that it is made from: its own tables are NAME_PERIOD. */
static bool has_name_of_source(const value *rollup_) {
  return strcmp(value_get_text(rollup_, "name", ""), value_get_text(rollup_, "from", "")) == 0;
}

/* The table that `from` names: its own name, or that of a roll-up with one period. */
static const char *source_name(const value *declared, const value *others, arena *a) {
  const char *from = value_get_text(declared, "from", "");
  for (size_t i = 0; i < others->list.count; i++) {
    const value *other = &others->list.items[i], *every = value_get_list(other, "every");
    if (has_name_of_source(other)) continue;
    if (strcmp(value_get_text(other, "name", ""), from) == 0 && every->list.count == 1)
      return arena_format(a, "%s_%s", from, every->list.items[0].text.bytes);
  }
  return from;
}

static bool makes(const value *rollup_, const char *table_name, arena *a) {
  const value *every = value_get_list(rollup_, "every");
  for (size_t i = 0; i < every->list.count; i++) {
    const char *period = every->list.items[i].text.bytes;
    const char *name = arena_format(a, "%s_%s", value_get_text(rollup_, "name", ""), period);
    if (strcmp(name, table_name) == 0) return true;
  }
  return false;
}

/* Everything that it is made from has its place already. */
static bool is_ready(const value *declared, const value *d, const bool *placed, arena *a) {
  const char *from = source_name(d, declared, a);
  for (size_t i = 0; i < declared->list.count; i++)
    if (makes(&declared->list.items[i], from, a)) return placed[i];
  return true;
}

/* The one that makes what `i` is made from; only for those that have no place. */
static size_t maker_of(const value *declared, size_t i, arena *a) {
  const char *from = source_name(&declared->list.items[i], declared, a);
  size_t k = 0;
  while (k + 1 < declared->list.count && !makes(&declared->list.items[k], from, a)) k++;
  return k;
}

/* Each is made from one other, so whoever goes on long enough is in the circle. */
static int fail_circle(const value *declared, const bool *placed, arena *a, dts_error *e) {
  size_t i = 0;
  buffer b;
  while (placed[i]) i++;
  for (size_t steps = 0; steps < declared->list.count; steps++) i = maker_of(declared, i, a);
  const value *d = &declared->list.items[i];
  const char *name = value_get_text(d, "name", "?");
  buffer_init(&b, 600);
  for (size_t k = maker_of(declared, i, a); k != i; k = maker_of(declared, k, a))
    buffer_add_format(&b, "'%s' from ", value_get_text(&declared->list.items[k], "name", "?"));
  error_fail(e, "ROLLUP", "roll-ups are made in a circle: '%s' from %s'%s'", name, buffer_text(&b),
             name);
  buffer_free(&b);
  if (e)
    snprintf(e->where, sizeof e->where, "%s:%lld", value_get_text(d, "file", "?"),
             (long long)value_get_integer(d, "line", 0));
  return -1;
}

int rollup_order(const value *declared, arena *a, const value **ordered, dts_error *e) {
  size_t total = declared->list.count, count = 0;
  bool *placed = arena_alloc(a, total + 1);
  for (size_t before = total + 1; count < total && count != before;) {
    before = count;
    for (size_t i = 0; i < total; i++)
      if (!placed[i] && is_ready(declared, &declared->list.items[i], placed, a))
        placed[i] = true, ordered[count++] = &declared->list.items[i];
  }
  return count == total ? 0 : fail_circle(declared, placed, a, e);
}

static int hint_source(const char *from, const value *others, dts_error *e) {
  for (size_t i = 0; i < others->list.count; i++) {
    const value *other = &others->list.items[i];
    if (!has_name_of_source(other) && strcmp(value_get_text(other, "name", ""), from) == 0)
      return error_hint(e, "a roll-up has one table for each period: from = \"%s_%s\"", from,
                        value_get_list(other, "every")->list.items[0].text.bytes);
  }
  return error_hint(e, "from names a dts.table, or a table of another roll-up");
}

static int read_source(rollup *r, const value *others, rollup_tables *find, void *arg, arena *a,
                       dts_error *e) {
  const value *d = r->declared;
  const char *from = source_name(d, others, a);
  r->source = find(arg, from);
  if (!r->source)
    return fail(r, e, "there is no table named '%s'", from), hint_source(from, others, e);
  if (r->source->is_private && strcmp(r->source->file, value_get_text(d, "file", "")) != 0) {
    fail(r, e, "table '%s' is private", from);
    return error_hint(e, "only %s may make a roll-up from it", r->source->file);
  }
  r->time = value_get_text(d, "time", "");
  const table_column *time = table_find(r->source, r->time, NULL);
  if (!time) {
    const char *near = table_nearest(r->source, r->time, a);
    fail(r, e, "table '%s' has no column '%s', which time names", from, r->time);
    return near ? error_hint(e, "did you mean '%s'?", near) : -1;
  }
  if (time->type != COLUMN_DATE && time->type != COLUMN_TIMESTAMP)
    return fail(r, e, "time is the column '%s', a %s: a date or timestamp expected", r->time,
                column_type_name(time->type));
  r->of_dates = time->type == COLUMN_DATE;
  return 0;
}

/* ---- periods ---- */

static size_t rank(const char *period) {
  size_t i = 0;
  while (kinds[i] && strcmp(kinds[i], period) != 0) i++;
  return i;
}

static int read_period(rollup *r, const value *v, const char **out, dts_error *e) {
  const char *word = v->kind == VALUE_TEXT ? v->text.bytes : "";
  size_t i = rank(word);
  if (!kinds[i]) {
    const char *near = error_nearest(word, kinds);
    fail(r, e, "every names \"%.40s\": minute, hour, day, week, month, quarter or year expected",
         word);
    return near ? error_hint(e, "did you mean '%s'?", near) : -1;
  }
  if (r->of_dates && i < 2)
    return fail(r, e, "'%s' is a date, so there is nothing by the %s", r->time, word);
  return *out = kinds[i], 0;
}

/* The longest period that all of them are made of: notes need be no finer. */
static const char *bucket_of(const rollup *r) {
  size_t least = 6;
  bool week = false, longer = false;
  for (size_t i = 0; i < r->period_count; i++) {
    size_t k = rank(r->periods[i]);
    if (k < least) least = k;
    week = week || k == 3;
    longer = longer || k > 3;
  }
  return week && longer && least >= 3 ? "day" : kinds[least];
}

static int read_periods(rollup *r, arena *a, dts_error *e) {
  const value *every = value_get_list(r->declared, "every");
  const char **periods = arena_alloc(a, (every->list.count + 1) * sizeof *periods);
  r->periods = periods;
  if (!every->list.count) return fail(r, e, "every = { \"week\" } is missing: which periods?");
  for (size_t i = 0; i < every->list.count; i++) {
    if (read_period(r, &every->list.items[i], &periods[i], e) < 0) return -1;
    for (size_t k = 0; k < i; k++)
      if (periods[k] == periods[i]) return fail(r, e, "every names '%s' twice", periods[i]);
    r->period_count++;
  }
  r->bucket = bucket_of(r);
  return 0;
}

/* ---- by and measures ---- */

static int settle_type(const rollup *r, rollup_term *t, int type, dts_error *e) {
  if (type >= 0) return t->type = (column_type)type, 0;
  fail(r, e, "the type of '%.200s' cannot be told", t->expr);
  return error_hint(e, "say it: cast(%.200s as real)", t->expr);
}

static int read_by(rollup *r, const value *v, rollup_term *t, arena *a, dts_error *e) {
  sql_expression x;
  *t = (rollup_term){.expr = value_get_text(v, "expr", ""), .name = value_get_text(v, "name", "")};
  if (sql_type_read(r->source, t->expr, false, NULL, &x, e) < 0 || settle_type(r, t, x.type, e) < 0)
    return -1;
  const char *at = t->expr;
  sql_token first = sql_next(&at);
  const char *name = sql_peek(at).kind == SQL_END ? sql_name(&first, a) : NULL;
  const table_column *column = name ? table_find(r->source, name, NULL) : NULL;
  if (column) t->column = column->name;
  return 0;
}

static const char **grouped_names(const rollup *r, arena *a) {
  const char **names = arena_alloc(a, (r->by_count + 1) * sizeof *names);
  size_t count = 0;
  for (size_t i = 0; i < r->by_count; i++)
    if (r->by[i].column) names[count++] = r->by[i].column;
  return names;
}

static int read_measure(rollup *r, const value *v, rollup_term *t, const char *const *grouped,
                        dts_error *e) {
  sql_expression x;
  *t = (rollup_term){.expr = value_get_text(v, "expr", ""), .name = value_get_text(v, "name", "")};
  if (sql_type_read(r->source, t->expr, true, grouped, &x, e) < 0) return -1;
  if (!x.aggregates)
    return fail(r, e, "the measure '%.200s' sums nothing up: count(*), sum(x), last(x) .. expected",
                t->expr);
  return settle_type(r, t, x.type, e);
}

static int read_terms(rollup *r, arena *a, dts_error *e) {
  const value *by = value_get_list(r->declared, "by"),
              *measures = value_get_list(r->declared, "measures");
  rollup_term *keys = arena_alloc(a, (by->list.count + 1) * sizeof *keys);
  rollup_term *terms = arena_alloc(a, (measures->list.count + 1) * sizeof *terms);
  sql_expression x;
  r->by = keys, r->measures = terms;
  for (; r->by_count < by->list.count; r->by_count++)
    if (read_by(r, &by->list.items[r->by_count], &keys[r->by_count], a, e) < 0) return -1;
  const char **grouped = grouped_names(r, a);
  for (; r->measure_count < measures->list.count; r->measure_count++)
    if (read_measure(r, &measures->list.items[r->measure_count], &terms[r->measure_count], grouped,
                     e) < 0)
      return -1;
  if (!r->measure_count) return fail(r, e, "measures = { \"count(*) as rows\" } is missing");
  r->where = value_get_text(r->declared, "where", NULL);
  return r->where ? sql_type_read(r->source, r->where, false, NULL, &x, e) : 0;
}

/* ---- change(x), and how rows are found ---- */

/* The text between the parenthesis that stands before `at` and its partner. */
static const char *argument(const char *at, arena *a) {
  const char *start = at;
  for (int depth = 1;;) {
    sql_token t = sql_next(&at);
    if (t.kind == SQL_END) return start;
    depth += sql_is(&t, "(") ? 1 : sql_is(&t, ")") ? -1 : 0;
    if (depth == 0) return arena_copy(a, start, (size_t)(t.at - start));
  }
}

static void find_changes(rollup *r, arena *a) {
  const char **changes = NULL;
  for (size_t i = 0; i < r->measure_count; i++) {
    const char *at = r->measures[i].expr;
    for (sql_token t = sql_next(&at); t.kind != SQL_END; t = sql_next(&at)) {
      sql_token next = sql_peek(at);
      if (!sql_is(&t, "change") || !sql_is(&next, "(")) continue;
      const char **grown = arena_alloc(a, (r->change_count + 1) * sizeof *grown);
      if (r->change_count) memcpy(grown, changes, r->change_count * sizeof *grown);
      grown[r->change_count++] = argument(next.at + 1, a);
      changes = grown;
    }
  }
  r->changes = changes;
}

static const char *column_at(const table *t, const value *index, size_t i) {
  if (index) return i < index->list.count ? index->list.items[i].text.bytes : NULL;
  return i < t->key_count ? t->columns[t->key[i]].name : NULL;
}

static bool is_by(const rollup *r, const char *column) {
  for (size_t i = 0; column && i < r->by_count; i++)
    if (r->by[i].column && strcmp(r->by[i].column, column) == 0) return true;
  return false;
}

/* Do the index's first columns (NULL: the key's) lead to the rows of one key and period? */
static bool serves(const rollup *r, const value *index) {
  for (size_t i = 0; i < r->by_count; i++)
    if (!is_by(r, column_at(r->source, index, i))) return false;
  const char *next = column_at(r->source, index, r->by_count);
  return r->by_count || (next && strcmp(next, r->time) == 0);
}

static void choose_way(rollup *r) {
  r->seek = serves(r, NULL);
  for (size_t i = 0; i < r->source->index_count && !r->seek; i++)
    r->seek = serves(r, &r->source->indexes[i]);
  r->own_index =
      !r->seek && r->change_count; /* earlier rows of one key are looked for one by one */
  r->seek = r->seek || r->own_index;
}

rollup *rollup_read(arena *a, const value *declared, const value *others, const char *timezone,
                    rollup_tables *find, void *arg, dts_error *e) {
  rollup *r = arena_alloc(a, sizeof *r);
  r->declared = declared;
  r->name = value_get_text(declared, "name", "?");
  if (read_source(r, others, find, arg, a, e) < 0 || read_periods(r, a, e) < 0) return NULL;
  if (read_terms(r, a, e) < 0) return NULL;
  const char *zone = value_get_text(declared, "timezone", timezone);
  if (!r->of_dates && zone && strcmp(zone, "UTC") != 0) r->zone = zone;
  find_changes(r, a);
  choose_way(r);
  return r;
}

/* ---- its tables ---- */

static void add_column(arena *a, value *columns, const char *name, const char *type,
                       const char *doc) {
  value column = value_map();
  value_set(a, &column, "name", value_text(name));
  value_set(a, &column, "type", value_text(type));
  value_set(a, &column, "doc", value_text(doc));
  value_add(a, columns, column);
}

static const char *doc_of(const rollup *r, const rollup_term *t) {
  const table_column *c = t->column ? table_find(r->source, t->column, NULL) : NULL;
  return c && c->doc[0] ? c->doc : t->column ? "" : t->expr;
}

value rollup_table(const rollup *r, const char *period, arena *a) {
  value t = value_map(), key = value_list(), columns = value_list();
  bool timed = rank(period) < 2;
  for (size_t i = 0; i < r->by_count; i++) {
    add_column(a, &columns, r->by[i].name, column_type_name(r->by[i].type), doc_of(r, &r->by[i]));
    value_add(a, &key, value_text(r->by[i].name));
  }
  add_column(a, &columns, "period", timed ? "timestamp" : "date",
             arena_format(a, "%s of the %s", timed ? "start" : "first day", period));
  value_add(a, &key, value_text("period"));
  for (size_t i = 0; i < r->measure_count; i++)
    add_column(a, &columns, r->measures[i].name, column_type_name(r->measures[i].type),
               r->measures[i].expr);
  value_set(a, &t, "noun", value_text("table"));
  value_set(a, &t, "name", value_text(arena_format(a, "%s_%s", r->name, period)));
  value_set(a, &t, "file", *value_get(r->declared, "file"));
  value_set(a, &t, "line", value_integer(value_get_integer(r->declared, "line", 0)));
  value_set(a, &t, "key", key);
  value_set(a, &t, "columns", columns);
  return t;
}

static void add_names(const rollup_term *terms, size_t count, buffer *b) {
  for (size_t i = 0; i < count; i++)
    buffer_add_format(b, "%s %s,", terms[i].name, column_type_name(terms[i].type));
}

/* Names and types of its columns, and the SQL that its declaration leads to. */
const char *rollup_version(const rollup *r, arena *a) {
  buffer b;
  char hex[CRYPTO_SHA256_HEX];
  buffer_init(&b, 1 << 20);
  add_names(r->by, r->by_count, &b);
  add_names(r->measures, r->measure_count, &b);
  for (size_t i = 0; i < r->period_count; i++)
    buffer_add_text(&b, rollup_sql_insert(r, r->periods[i], a));
  buffer_add_text(&b, rollup_sql_trigger(r, "update", a));
  crypto_sha256_hex(buffer_text(&b), b.size, hex);
  buffer_free(&b);
  return arena_copy(a, hex, 16);
}
