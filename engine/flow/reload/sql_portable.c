/* sql_portable.c -- see sql_portable.h. One row below is one thing that PostgreSQL lacks or does
 * otherwise (its manual, chapters 8 and 9); rules that a name alone does not tell stand beneath.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/reload/sql_portable.h"

#include <string.h>

#include "flow/reload/sql_lex.h"

#define DATES                                                                                      \
  "year(d) month(d) weekday(d) week(d) add_days(d, n) add_minutes(t, n) days_between(a, b)"
#define JSON "keep what is asked for in columns of its own"

/* Functions: a word with a parenthesis behind it. */
static const sql_difference functions[] = {
    {"ifnull", "coalesce(a, b)"},
    {"iif", "case when c then a else b end"},
    {"total", "coalesce(sum(x), 0.0)"},
    {"group_concat", "count(*), or one row for each: the stores name it differently"},
    {"instr", "like '%part%'"},
    {"printf", "||, and round(cast(x as numeric), 2)"},
    {"format", "||, and round(cast(x as numeric), 2)"},
    {"hex", "a column that the pipeline has filled"},
    {"quote", "the value itself: parameters are bound, :name"},
    {"typeof", "a column of one type"},
    {"unicode", "a column that the pipeline has filled"},
    {"char", "the text itself"},
    {"likely", "the condition itself"},
    {"unlikely", "the condition itself"},
    {"date", DATES},
    {"time", DATES},
    {"datetime", DATES},
    {"julianday", "days_between(a, b)"},
    {"unixepoch", DATES},
    {"strftime", DATES},
    {"json", JSON},
    {"json_extract", JSON},
    {"json_each", JSON},
    {"json_tree", JSON},
    {"json_group_array", JSON},
    {"json_group_object", JSON},
    {"json_array", JSON},
    {"json_type", JSON},
    {"json_valid", JSON},
    {"pow", "power(a, b)"},
};

/* Words and symbols. */
static const sql_difference words[] = {
    {"==", "="},
    {"glob", "like"},
    {"regexp", "like"},
    {"match", "like"},
    {"rowid", "a key of the table's own"},
    {"_rowid_", "a key of the table's own"},
    {"oid", "a key of the table's own"},
    {"nocase", "lower(a) = lower(b)"},
    {"indexed", "no hint: the index is found without"},
    {"->", JSON},
    {"->>", JSON},
    {"`", "\"name\""},
    {"[", "\"name\""},
};

static const sql_difference is_value = {"is between values", "is not distinct from, or ="};
static const sql_difference limit_comma = {"limit a, b", "limit b offset a"};
static const sql_difference two_bounds = {"min or max of several values",
                                          "case when a < b then a else b end"};
static const sql_difference round_real = {"round(x, n)", "round(cast(x as numeric), n)"};
static const sql_difference sum_truth = {"sum or avg of a condition",
                                         "count(*) filter (where condition)"};
static const sql_difference like_case = {"like that is blind to case", "lower(a) like 'part%'"};
static const sql_difference empty_in = {"in ()", "false"};

typedef struct finding {
  sql_difference *out;
  size_t count, most;
} finding;

static void add(finding *f, const sql_difference *d) {
  for (size_t i = 0; i < f->count; i++)
    if (f->out[i].what == d->what) return;
  if (f->count < f->most) f->out[f->count++] = *d;
}

static void look_up(finding *f, const sql_token *t, const sql_difference *list, size_t count) {
  for (size_t i = 0; i < count; i++)
    if (sql_is(t, list[i].what)) add(f, &list[i]);
}

/* ---- arguments of a call ---- */

typedef struct arguments {
  size_t commas;
  bool compares, branches, casts; /* at the first level */
} arguments;

static bool is_comparison(const sql_token *t) {
  static const char *const list[] = {
      "=", "<", ">", "<=", ">=", "<>", "!=", "in", "like", "is", "and", "or", "not"};
  for (size_t i = 0; i < sizeof list / sizeof *list; i++)
    if (sql_is(t, list[i])) return true;
  return false;
}

/* `at` is behind the parenthesis. */
static arguments read_arguments(const char *at) {
  arguments a = {0};
  for (int depth = 1; depth > 0;) {
    sql_token t = sql_next(&at);
    if (t.kind == SQL_END) break;
    depth += sql_is(&t, "(") ? 1 : sql_is(&t, ")") ? -1 : 0;
    if (sql_is(&t, "cast")) a.casts = true;
    if (depth != 1) continue;
    a.commas += sql_is(&t, ",");
    a.compares = a.compares || is_comparison(&t);
    a.branches = a.branches || sql_is(&t, "case");
  }
  return a;
}

static void look_at_call(finding *f, const sql_token *name, const char *inside) {
  arguments a = read_arguments(inside);
  look_up(f, name, functions, sizeof functions / sizeof *functions);
  bool sums = sql_is(name, "sum") || sql_is(name, "avg");
  bool bounds = sql_is(name, "min") || sql_is(name, "max");
  if (bounds && a.commas) add(f, &two_bounds);
  if (sums && a.compares && !a.branches) add(f, &sum_truth);
  if (sql_is(name, "round") && a.commas && !a.casts) add(f, &round_real);
}

/* ---- what one word does not tell ---- */

/* is [not] null, true, false, distinct from: all others compare values. */
static bool compares_values(const char *at) {
  static const char *const fine[] = {"null", "true", "false", "unknown", "distinct"};
  sql_token t = sql_next(&at);
  if (sql_is(&t, "not")) t = sql_next(&at);
  for (size_t i = 0; i < sizeof fine / sizeof *fine; i++)
    if (sql_is(&t, fine[i])) return false;
  return t.kind != SQL_END;
}

static bool has_limit_comma(const char *at) {
  sql_next(&at);
  sql_token t = sql_next(&at);
  return sql_is(&t, ",");
}

/* lower(x) like .. and upper(x) like .. end in a parenthesis. */
static void look_at_word(finding *f, const sql_token *t, const sql_token *before, const char *at) {
  sql_token next = sql_peek(at);
  if (sql_is(t, "is") && compares_values(at)) add(f, &is_value);
  if (sql_is(t, "limit") && has_limit_comma(at)) add(f, &limit_comma);
  bool plain = before->kind == SQL_WORD || before->kind == SQL_QUOTED;
  if (sql_is(t, "like") && plain && !sql_is(before, "end")) add(f, &like_case);
  if (sql_is(t, "in") && sql_is(&next, "(")) {
    sql_next(&at);
    next = sql_peek(at);
    if (sql_is(&next, ")")) add(f, &empty_in);
  }
}

size_t sql_portable(const char *sql, sql_difference *out, size_t most) {
  finding f = {.out = out, .most = most};
  sql_token before = {.kind = SQL_END};
  for (sql_token t = sql_next(&sql); t.kind != SQL_END; t = sql_next(&sql)) {
    sql_token next = sql_peek(sql);
    bool behind_dot = sql_is(&before, ".");
    if (t.kind == SQL_WORD && sql_is(&next, "("))
      look_at_call(&f, &t, next.at + 1);
    else if (!behind_dot || sql_is(&t, "rowid"))
      look_up(&f, &t, words, sizeof words / sizeof *words);
    if (t.kind == SQL_WORD) look_at_word(&f, &t, &before, sql);
    if (!sql_is(&t, "not")) before = t;
  }
  return f.count;
}
