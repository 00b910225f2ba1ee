/* sql_type.c -- see sql_type.h. A parser by precedence (Pratt) over SQLite's expressions; each of
 * its functions gives the type of what it has passed.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/reload/sql_type.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"
#include "flow/reload/sql_functions.h"
#include "flow/reload/sql_lex.h"

enum { DEPTH = 200, UNKNOWN = SQL_TYPE_UNKNOWN, NONE = SQL_TYPE_NULL };

typedef struct parser {
  const table *table;
  const char *sql, *at;
  const char *const *grouped;
  bool measure, aggregates, inside;
  int depth;
  arena memory;
  dts_error *error;
} parser;

static int parse(parser *p, int level, int *type);

static int fail_at(parser *p, const char *expected) {
  sql_token t = sql_peek(p->at);
  char shown[TEXT_SHORT];
  if (t.kind == SQL_END)
    return error_fail(p->error, "SQL", "'%.200s' ends where %s was expected", p->sql, expected);
  return error_fail(p->error, "SQL", "'%.200s': %s expected, got %s", p->sql, expected,
                    text_shorten(shown, t.at, t.size));
}

static bool take(parser *p, const char *word) {
  sql_token t = sql_peek(p->at);
  if (!sql_is(&t, word)) return false;
  p->at = t.at + t.size;
  return true;
}

static int need(parser *p, const char *word) {
  char expected[40];
  if (take(p, word)) return 0;
  snprintf(expected, sizeof expected, "'%s'", word);
  return fail_at(p, expected);
}

static bool is_number(int type) { return type == COLUMN_INTEGER || type == COLUMN_REAL; }

/* What two branches have in common. */
static int join(int a, int b) {
  if (a == NONE || a == b) return b;
  if (b == NONE) return a;
  return is_number(a) && is_number(b) ? COLUMN_REAL : UNKNOWN;
}

/* Arithmetic: integers stay so, anything else that is not known to be whole is real. */
static int arithmetic(int a, int b) {
  bool whole = (a == COLUMN_INTEGER || a == COLUMN_BOOLEAN || a == NONE) &&
               (b == COLUMN_INTEGER || b == COLUMN_BOOLEAN || b == NONE);
  return whole ? COLUMN_INTEGER : COLUMN_REAL;
}

/* ---- names ---- */

static bool is_grouped(const parser *p, const char *name) {
  for (const char *const *g = p->grouped; g && *g; g++)
    if (strcasecmp(*g, name) == 0) return true;
  return false;
}

static const table_column *column(const table *t, const char *name) {
  for (size_t i = 0; i < t->count; i++)
    if (strcasecmp(t->columns[i].name, name) == 0) return &t->columns[i];
  return NULL;
}

static int parse_column(parser *p, const char *name, int *type) {
  const table_column *c = column(p->table, name);
  if (!c) {
    const char *near = table_nearest(p->table, name, &p->memory);
    error_fail(p->error, "COLUMN", "'%.200s': table '%s' has no column '%.60s'", p->sql,
               p->table->name, name);
    return near ? error_hint(p->error, "did you mean '%s'?", near) : -1;
  }
  if (p->measure && !p->inside && !is_grouped(p, name)) {
    error_fail(p->error, "SQL", "'%.200s': a period has many rows, and '%s' does not say which",
               p->sql, name);
    return error_hint(p->error, "write last(%s), max(%s) or another aggregate", name, name);
  }
  return *type = (int)c->type, 0;
}

static int parse_arguments(parser *p, int *first, int *all, int *count) {
  *count = 0, *first = *all = NONE;
  if (take(p, "*")) return need(p, ")");
  if (take(p, ")")) return 0;
  take(p, "distinct");
  do {
    int type;
    if (parse(p, 0, &type) < 0) return -1;
    if (!*count) *first = type;
    *all = *count ? join(*all, type) : type;
    ++*count;
  } while (take(p, ","));
  return need(p, ")");
}

static int call_type(const sql_function *f, int first, int all) {
  switch (f->type) {
  case AS_FIRST: return first;
  case AS_NUMBER:
    return first == COLUMN_INTEGER || first == COLUMN_BOOLEAN ? COLUMN_INTEGER : COLUMN_REAL;
  case AS_ALL: return all;
  default: return f->type;
  }
}

/* iif(c, a, b): the condition is no branch. */
static int parse_iif(parser *p, int *type) {
  int ignored, a, b;
  if (parse(p, 0, &ignored) < 0 || need(p, ",") < 0 || parse(p, 0, &a) < 0) return -1;
  if (need(p, ",") < 0 || parse(p, 0, &b) < 0) return -1;
  *type = join(a, b);
  return need(p, ")");
}

/* Is there a second argument? Then min and max are no aggregates. */
static bool has_comma(const char *at) {
  for (int depth = 0;;) {
    sql_token t = sql_next(&at);
    if (t.kind == SQL_END || (depth == 0 && sql_is(&t, ")"))) return false;
    if (depth == 0 && sql_is(&t, ",")) return true;
    depth += sql_is(&t, "(") ? 1 : sql_is(&t, ")") ? -1 : 0;
  }
}

static int parse_aggregate(parser *p, const sql_function *f, int *type) {
  int first, all, count;
  if (!p->measure || p->inside)
    return error_fail(p->error, "SQL", "'%.200s': the aggregate %s cannot stand here", p->sql,
                      f->name);
  p->aggregates = p->inside = true;
  int rc = parse_arguments(p, &first, &all, &count);
  p->inside = false;
  if (rc < 0) return -1;
  if (take(p, "over") || take(p, "filter"))
    return error_fail(p->error, "SQL", "'%.200s': over and filter cannot be used in a roll-up",
                      p->sql);
  return *type = call_type(f, first, all), 0;
}

static int parse_call(parser *p, const char *name, int *type) {
  const sql_function *f = sql_function_find(name);
  if (!f) return sql_function_unknown(p->sql, name, p->error);
  bool scalar = f->type == AS_ALL && f->aggregate && has_comma(p->at);
  if (f->aggregate && !scalar) return parse_aggregate(p, f, type);
  if (strcasecmp(name, "iif") == 0) return parse_iif(p, type);
  int first, all, count;
  if (parse_arguments(p, &first, &all, &count) < 0) return -1;
  return *type = call_type(f, first, all), 0;
}

static int parse_name(parser *p, const sql_token *t, int *type) {
  const char *name = sql_name(t, &p->memory);
  if (t->kind == SQL_WORD && take(p, "(")) return parse_call(p, name, type);
  if (strcasecmp(name, p->table->name) == 0 && take(p, ".")) {
    sql_token next = sql_next(&p->at);
    name = sql_name(&next, &p->memory);
    if (!name) return fail_at(p, "a column");
  }
  return parse_column(p, name, type);
}

/* ---- case, cast, literals ---- */

static int parse_case(parser *p, int *type) {
  int ignored, one;
  *type = NONE;
  sql_token t = sql_peek(p->at);
  if (!sql_is(&t, "when") && parse(p, 0, &ignored) < 0) return -1;
  while (take(p, "when")) {
    if (parse(p, 0, &ignored) < 0 || need(p, "then") < 0 || parse(p, 0, &one) < 0) return -1;
    *type = join(*type, one);
  }
  if (take(p, "else")) {
    if (parse(p, 0, &one) < 0) return -1;
    *type = join(*type, one);
  }
  return need(p, "end");
}

static int parse_cast(parser *p, int *type) {
  static const struct {
    const char *name;
    int type;
  } casts[] = {{"integer", COLUMN_INTEGER},
               {"int", COLUMN_INTEGER},
               {"bigint", COLUMN_INTEGER},
               {"real", COLUMN_REAL},
               {"text", COLUMN_TEXT}};
  int ignored;
  if (need(p, "(") < 0 || parse(p, 0, &ignored) < 0 || need(p, "as") < 0) return -1;
  for (size_t i = 0; i < sizeof casts / sizeof *casts; i++)
    if (take(p, casts[i].name)) return *type = casts[i].type, need(p, ")");
  return fail_at(p, "integer, real or text");
}

static int parse_group(parser *p, int *type) {
  sql_token t = sql_peek(p->at);
  if (sql_is(&t, "select") || sql_is(&t, "with"))
    return error_fail(p->error, "SQL", "'%.200s': a roll-up reads one table, so no select here",
                      p->sql);
  if (parse(p, 0, type) < 0) return -1;
  return need(p, ")");
}

static int parse_word(parser *p, const sql_token *t, int *type) {
  if (sql_is(t, "null")) return *type = NONE, 0;
  if (sql_is(t, "true") || sql_is(t, "false")) return *type = COLUMN_BOOLEAN, 0;
  if (sql_is(t, "not")) return *type = COLUMN_BOOLEAN, parse(p, 3, &(int){0});
  if (sql_is(t, "case")) return parse_case(p, type);
  if (sql_is(t, "cast")) return parse_cast(p, type);
  return parse_name(p, t, type);
}

static int number_type(const sql_token *t) {
  bool hex = t->size > 1 && (t->at[1] == 'x' || t->at[1] == 'X');
  for (size_t i = 0; i < t->size && !hex; i++)
    if (strchr(".eE", t->at[i])) return COLUMN_REAL;
  return COLUMN_INTEGER;
}

static int parse_first(parser *p, int *type) {
  sql_token t = sql_peek(p->at);
  const char *before = p->at;
  p->at = t.at + t.size;
  switch (t.kind) {
  case SQL_NUMBER: return *type = number_type(&t), 0;
  case SQL_STRING: return *type = COLUMN_TEXT, 0;
  case SQL_QUOTED: return parse_name(p, &t, type);
  case SQL_WORD: return parse_word(p, &t, type);
  default: break;
  }
  if (sql_is(&t, "(")) return parse_group(p, type);
  if (sql_is(&t, "-") || sql_is(&t, "+") || sql_is(&t, "~")) return parse(p, 10, type);
  p->at = before;
  return fail_at(p, "a value");
}

/* ---- operators ---- */

typedef enum result { TRUTH, ARITHMETIC, WHOLE, TEXT } result;

static const struct operator{
  const char *word;
  int level;
  result result;
}
operators[] = {
    {"or", 1, TRUTH},     {"and", 2, TRUTH},     {"==", 4, TRUTH},      {"=", 4, TRUTH},
    {"<>", 4, TRUTH},     {"!=", 4, TRUTH},      {"is", 4, TRUTH},      {"like", 4, TRUTH},
    {"glob", 4, TRUTH},   {"in", 4, TRUTH},      {"between", 4, TRUTH}, {"not", 4, TRUTH},
    {"isnull", 4, TRUTH}, {"notnull", 4, TRUTH}, {"<=", 5, TRUTH},      {">=", 5, TRUTH},
    {"<", 5, TRUTH},      {">", 5, TRUTH},       {"<<", 6, WHOLE},      {">>", 6, WHOLE},
    {"&", 6, WHOLE},      {"|", 6, WHOLE},       {"+", 7, ARITHMETIC},  {"-", 7, ARITHMETIC},
    {"*", 8, ARITHMETIC}, {"/", 8, ARITHMETIC},  {"%", 8, ARITHMETIC},  {"||", 9, TEXT},
    {"->", 9, TEXT},      {"->>", 9, TEXT},
};

static const struct operator* find_operator(const sql_token *t) {
  for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
    if (sql_is(t, operators[i].word)) return &operators[i];
  return NULL;
}

static int parse_in(parser *p) {
  int first, all, count;
  sql_token t = sql_peek(p->at);
  if (!sql_is(&t, "(")) return fail_at(p, "a list in parentheses");
  need(p, "(");
  t = sql_peek(p->at);
  if (sql_is(&t, "select") || sql_is(&t, "with")) return parse_group(p, &first);
  return parse_arguments(p, &first, &all, &count);
}

static int parse_between(parser *p) {
  int ignored;
  if (parse(p, 5, &ignored) < 0 || need(p, "and") < 0) return -1;
  return parse(p, 5, &ignored);
}

/* The right side of a comparison whose words are `t` and what follows. */
static int parse_truth(parser *p, const sql_token *t, int level) {
  int ignored;
  if (sql_is(t, "isnull") || sql_is(t, "notnull")) return 0;
  if (sql_is(t, "in")) return parse_in(p);
  if (sql_is(t, "between")) return parse_between(p);
  if (sql_is(t, "not")) {
    if (take(p, "null")) return 0;
    sql_token next = sql_next(&p->at);
    if (sql_is(&next, "in") || sql_is(&next, "between") || sql_is(&next, "like") ||
        sql_is(&next, "glob"))
      return parse_truth(p, &next, level);
    return fail_at(p, "in, between, like or null after not");
  }
  if (sql_is(t, "is")) {
    take(p, "not");
    if (take(p, "distinct") && need(p, "from") < 0) return -1;
  }
  if (parse(p, level + 1, &ignored) < 0) return -1;
  return take(p, "escape") ? parse(p, level + 1, &ignored) : 0;
}

static int parse_operator(parser *p, const struct operator* o, const sql_token *t, int *type) {
  int right;
  if (o->result == TRUTH) return *type = COLUMN_BOOLEAN, parse_truth(p, t, o->level);
  if (parse(p, o->level + 1, &right) < 0) return -1;
  if (o->result == ARITHMETIC)
    *type = arithmetic(*type, right);
  else
    *type = o->result == WHOLE ? COLUMN_INTEGER : COLUMN_TEXT;
  return 0;
}

static int parse_rest(parser *p, int level, int *type) {
  for (;;) {
    sql_token t = sql_peek(p->at);
    if (sql_is(&t, "collate")) {
      p->at = t.at + t.size;
      sql_next(&p->at);
      continue;
    }
    const struct operator* o = find_operator(&t);
    if (!o || o->level < level) return 0;
    p->at = t.at + t.size;
    if (parse_operator(p, o, &t, type) < 0) return -1;
  }
}

static int parse(parser *p, int level, int *type) {
  if (++p->depth > DEPTH) return error_fail(p->error, "SQL", "'%.200s' is nested too deep", p->sql);
  int rc = parse_first(p, type);
  if (rc == 0) rc = parse_rest(p, level, type);
  p->depth--;
  return rc;
}

int sql_type_read(const table *t, const char *sql, bool measure, const char *const *grouped,
                  sql_expression *out, dts_error *e) {
  parser p = {
      .table = t, .sql = sql, .at = sql, .grouped = grouped, .measure = measure, .error = e};
  int rc = parse(&p, 0, &out->type);
  if (rc == 0 && sql_peek(p.at).kind != SQL_END) rc = fail_at(&p, "the end");
  out->aggregates = p.aggregates;
  arena_free(&p.memory);
  return rc;
}
