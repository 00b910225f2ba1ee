/* sqlcheck_text.c -- see sqlcheck_text.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/reload/sqlcheck_text.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "flow/kernel/reader.h"
#include "flow/reload/sql_lex.h"

enum { VARIANTS = 256, SQL_SIZE = 1 << 20 };

/* ---- faults ---- */

void sqlcheck_fault(sqlcheck *k, const value *declared, const dts_error *e) {
  value v = value_map();
  arena *a = k->memory;
  const char *colon = strrchr(e->where, ':');
  const char *file = declared ? value_get_text(declared, "file", "?") : e->where;
  int64_t line = declared ? value_get_integer(declared, "line", 0) : 0;
  if (!declared && colon) {
    file = arena_copy(a, e->where, (size_t)(colon - e->where));
    line = strtoll(colon + 1, NULL, 10);
  }
  value_set(a, &v, "file", value_text(arena_text(a, file)));
  value_set(a, &v, "line", value_integer(line));
  value_set(a, &v, "where", value_text(arena_format(a, "%s:%lld", file, (long long)line)));
  value_set(a, &v, "code", value_text(arena_text(a, e->code)));
  value_set(a, &v, "message", value_text(arena_text(a, e->message)));
  value_set(a, &v, "hint", value_text(arena_text(a, e->hint)));
  value_add(a, k->faults, v);
}

static const char *noun_of(sqlcheck *k, const value *declared) {
  return arena_format(k->memory, "%s '%s'%s%s", value_get_text(declared, "noun", "?"),
                      value_get_text(declared, "name", "?"), k->part ? ", " : "",
                      k->part ? k->part : "");
}

/* ---- names ---- */

void sqlcheck_name(sqlcheck *k, sqlcheck_names *names, const char *name, const value *choices) {
  size_t n = names->count;
  const char **grown = arena_alloc(k->memory, (n + 2) * sizeof *grown);
  const value **lists = arena_alloc(k->memory, (n + 1) * sizeof *lists);
  if (n)
    memcpy(grown, names->names, n * sizeof *grown),
        memcpy(lists, names->choices, n * sizeof *lists);
  grown[n] = name;
  lists[n] = choices && choices->kind == VALUE_LIST && choices->list.count ? choices : NULL;
  *names = (sqlcheck_names){n + 1, grown, lists};
}

static size_t find_name(const sqlcheck_names *names, const char *name) {
  size_t i = 0;
  while (i < names->count && strcmp(names->names[i], name) != 0) i++;
  return i;
}

static bool is_clock(sqlcheck *k, const char *name) {
  const reader_context x = {.set = k->set, .zone = k->set->zone};
  bool is_volatile = false;
  reader_params(&x, arena_format(k->memory, ":%s", name), NULL, k->memory, &is_volatile);
  return is_volatile;
}

static void hint_name(sqlcheck *k, const char *name, const sqlcheck_names *names, dts_error *e) {
  const char *near = names->count ? error_nearest(name, names->names) : NULL;
  if (near)
    error_hint(e, "did you mean ':%s'?", near);
  else if (k->takes == SQLCHECK_PARAMS)
    error_hint(e, "declare it in the route: params = { %s = \"text\" }", name);
  else if (k->takes == SQLCHECK_FILTERS)
    error_hint(e, "declare it in the dashboard: filters = { \"%s\" }", name);
  else
    error_hint(e, "only :now, :today and :today_minus_3d have a value here");
}

static int check_parameters(sqlcheck *k, const value *parameters, const sqlcheck_names *names,
                            dts_error *e) {
  for (size_t i = 0; i < parameters->list.count; i++) {
    const char *name = parameters->list.items[i].text.bytes;
    if (find_name(names, name) < names->count || is_clock(k, name)) continue;
    error_fail(e, "SQL", "the parameter :%s gets a value from nobody", name);
    return hint_name(k, name, names, e), -1;
  }
  return 0;
}

static int check_tables(sqlcheck *k, const value *tables, dts_error *e) {
  for (size_t i = 0; i < tables->list.count; i++) {
    const char *name = tables->list.items[i].text.bytes;
    if (!reader_is_inner(name) && !registry_is_private(k->set, name)) continue;
    error_fail(e, "TABLE_REFUSED", "table '%s' is private", name);
    return error_hint(e, "only pipelines that may write it read it: see allow.tables");
  }
  return 0;
}

/* ---- the clock ---- */

static bool is_date_function(const sql_token *t) {
  static const char *const names[] = {"date",      "time",      "datetime",
                                      "julianday", "unixepoch", "strftime"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (sql_is(t, names[i])) return true;
  return false;
}

static bool is_clock_word(const sql_token *t) {
  static const char *const words[] = {"'now'", "'localtime'", "'utc'"};
  for (size_t i = 0; t->kind == SQL_STRING && i < sizeof words / sizeof *words; i++)
    if (strlen(words[i]) == t->size && strncasecmp(t->at, words[i], t->size) == 0) return true;
  return sql_is(t, "current_date") || sql_is(t, "current_time") || sql_is(t, "current_timestamp");
}

/* A clock's word among the arguments of the call that begins at `at`, or no argument at all. */
static bool asks_clock(const char *at) {
  sql_token t = sql_next(&at);
  if (!sql_is(&t, "(")) return false;
  t = sql_peek(at);
  if (sql_is(&t, ")")) return true;
  for (int depth = 1; depth > 0 && t.kind != SQL_END;) {
    t = sql_next(&at);
    if (is_clock_word(&t)) return true;
    depth += sql_is(&t, "(") ? 1 : sql_is(&t, ")") ? -1 : 0;
  }
  return false;
}

bool sqlcheck_words(sqlcheck *k, const value *declared, const char *sql) {
  dts_error e = {0};
  for (sql_token t = sql_next(&sql); t.kind != SQL_END; t = sql_next(&sql)) {
    bool word = t.kind == SQL_WORD && is_clock_word(&t);
    if (!word && !(is_date_function(&t) && asks_clock(sql))) continue;
    error_fail(&e, "SQL", "%s: %.*s asks the machine's clock", noun_of(k, declared), (int)t.size,
               t.at);
    error_hint(&e, ":now, :today and :today_minus_3d come from the engine's clock");
    sqlcheck_fault(k, declared, &e);
    return true;
  }
  return false;
}

/* ---- choices ---- */

typedef struct variant { /* which choice of each name, counted like a number with mixed digits */
  const sqlcheck_names *names;
  size_t *digits;
} variant;

static bool next_variant(variant *v, const bool *used) {
  for (size_t i = 0; i < v->names->count; i++) {
    if (!used[i]) continue;
    if (++v->digits[i] < v->names->choices[i]->list.count) return true;
    v->digits[i] = 0;
  }
  return false;
}

/* Finds the names used as {name}; a name without choices is a fault. */
static int find_choices(sqlcheck *k, const char *sql, const sqlcheck_names *names, bool *used,
                        dts_error *e) {
  for (sql_token t = sql_next(&sql); t.kind != SQL_END; t = sql_next(&sql)) {
    if (t.kind != SQL_CHOICE) continue;
    const char *name = sql_name(&t, k->memory);
    size_t i = find_name(names, name);
    if (i < names->count && names->choices[i]) {
      used[i] = true;
      continue;
    }
    error_fail(e, "SQL",
               "{%s} is no choice: a parameter or filter with a list of values was expected", name);
    return error_hint(e, "a plain value is bound by writing :%s", name);
  }
  return 0;
}

/* {name} may stand inside a longer name, repo_trend_{every}, so it is put in as text. */
static const char *put_in(sqlcheck *k, const char *sql, const variant *v, const bool *used) {
  buffer b;
  buffer_init(&b, SQL_SIZE);
  for (const char *at = sql; *at;) {
    size_t size = *at == '{' ? strcspn(at + 1, "}") : 0;
    size_t i = size ? find_name(v->names, arena_copy(k->memory, at + 1, size)) : v->names->count;
    if (i < v->names->count && used[i]) {
      const value *choice = &v->names->choices[i]->list.items[v->digits[i]];
      if (choice->kind == VALUE_TEXT) buffer_add_text(&b, choice->text.bytes);
      at += size + 2;
    } else {
      buffer_add_char(&b, *at++);
    }
  }
  const char *text = arena_text(k->memory, buffer_text(&b));
  buffer_free(&b);
  return text;
}

/* ---- one SQL ---- */

static int check_variant(sqlcheck *k, const char *sql, const sqlcheck_names *names, dts_error *e) {
  value tables = value_list(), parameters = value_list();
  if (store_check(k->conn, sql, k->memory, NULL, &tables, &parameters, e) < 0) return -1;
  if (check_parameters(k, &parameters, names, e) < 0) return -1;
  return check_tables(k, &tables, e);
}

static int check_variants(sqlcheck *k, const char *sql, const sqlcheck_names *names, dts_error *e) {
  bool *used = arena_alloc(k->memory, names->count + 1);
  variant v = {names, arena_alloc(k->memory, (names->count + 1) * sizeof(size_t))};
  if (find_choices(k, sql, names, used, e) < 0) return -1;
  for (size_t n = 0; n < VARIANTS; n++) {
    if (check_variant(k, put_in(k, sql, &v, used), names, e) < 0) return -1;
    if (!next_variant(&v, used)) return 0;
  }
  return 0;
}

/* "unknown table 'x' (line 3, column 8 of the SQL)" without its place. */
static void drop_place(char *message) {
  char *place = strstr(message, " (line "), *end = place ? strstr(place, " of the SQL)") : NULL;
  if (!end) return;
  end += strlen(" of the SQL)");
  memmove(place, end, strlen(end) + 1);
}

void sqlcheck_text(sqlcheck *k, const value *declared, const char *sql,
                   const sqlcheck_names *names) {
  dts_error e = {0}, out;
  if (sqlcheck_words(k, declared, sql) || check_variants(k, sql, names, &e) == 0) return;
  if (k->composed) drop_place(e.message);
  error_fail(&out, e.code, "%s: %.800s", noun_of(k, declared), e.message);
  if (e.hint[0]) error_hint(&out, "%s", e.hint);
  sqlcheck_fault(k, declared, &out);
}

/* ---- columns ---- */

static bool has_column(const value *columns, const char *name) {
  for (size_t i = 0; i < columns->list.count; i++)
    if (strcmp(value_get_text(&columns->list.items[i], "name", ""), name) == 0) return true;
  return false;
}

/* ---- messages ---- */

static void hint_column(sqlcheck *k, const char *name, const value *columns, dts_error *e) {
  size_t count = columns->list.count;
  const char **names = arena_alloc(k->memory, (count + 1) * sizeof *names);
  const char *all = "";
  for (size_t i = 0; i < count; i++) {
    names[i] = value_get_text(&columns->list.items[i], "name", "");
    all = arena_format(k->memory, "%s%s%s", all, i ? ", " : "", names[i]);
  }
  names[count] = NULL;
  const char *near = error_nearest(name, names);
  if (near)
    error_hint(e, "did you mean {%s}?", near);
  else
    error_hint(e, "its columns are: %s", all);
}

void sqlcheck_message(sqlcheck *k, const value *declared, const char *sql, const char *message) {
  static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
  value columns = value_list(), parameters = value_list();
  dts_error e = {0};
  if (!strchr(message, '{')) return;
  if (store_check(k->conn, sql, k->memory, &columns, NULL, &parameters, &e) < 0) return;
  for (const char *at = message; (at = strchr(at, '{'));) {
    size_t size = strspn(++at, letters);
    const char *name = arena_copy(k->memory, at, size);
    if (!size || at[size] != '}' || has_column(&columns, name)) continue;
    error_fail(&e, "SQL", "%s: the message names {%s}, and its query has no such column",
               noun_of(k, declared), name);
    hint_column(k, name, &columns, &e);
    sqlcheck_fault(k, declared, &e);
  }
}

/* ---- filters that reach a chart ---- */

/* With the first of each choice put in. */
static const char *rows_of(sqlcheck *k, const value *chart, const sqlcheck_names *names) {
  const char *from = value_get_text(chart, "from", NULL), *sql = value_get_text(chart, "sql", NULL);
  const char *where = value_get_text(chart, "where", NULL);
  if (!from && !sql) return NULL;
  const char *text = arena_format(k->memory, from ? "select * from %s" : "select * from (%s\n)",
                                  from ? from : sql);
  if (where) text = arena_format(k->memory, "%s where (%s\n)", text, where);
  bool *used = arena_alloc(k->memory, names->count + 1);
  variant v = {names, arena_alloc(k->memory, (names->count + 1) * sizeof(size_t))};
  for (size_t i = 0; i < names->count; i++) used[i] = names->choices[i] != NULL;
  return put_in(k, text, &v, used);
}

static bool puts_in(sqlcheck *k, const value *chart, const char *name) {
  const char *from = value_get_text(chart, "from", ""), *braced;
  braced = arena_format(k->memory, "{%s}", name);
  return strstr(from, braced) || strstr(value_get_text(chart, "sql", ""), braced);
}

bool sqlcheck_takes_filter(sqlcheck *k, const value *chart, const sqlcheck_names *names,
                           const char *name) {
  const char *sql = rows_of(k, chart, names);
  value columns = value_list(), parameters = value_list();
  dts_error e = {0};
  if (!sql) return false;
  if (puts_in(k, chart, name)) return true;
  if (store_check(k->conn, sql, k->memory, &columns, NULL, &parameters, &e) < 0) return true;
  return value_has(&parameters, name) || has_column(&columns, name);
}
