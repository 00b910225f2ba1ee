/* sqlerror.c -- SQLite's errors in an analyst's words: where in the SQL, and what was meant.
 *
 * SPDX-License-Identifier: MIT */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/conn.h"

static const char tables_sql[] =
    "select name from sqlite_schema where type in ('table', 'view') and name not like 'sqlite_%'"
    " and name is not ?1";
static const char columns_sql[] =
    "select distinct c.name from sqlite_schema s, pragma_table_info(s.name) c"
    " where s.type in ('table', 'view') and instr(lower(?1), lower(s.name)) > 0";
static const char functions_sql[] =
    "select distinct name from pragma_function_list where ?1 is not null";

/* The nearest name in the first column of `query`, copied to `out`; "" when none is near. */
static void nearest(store_conn *c, const char *query, const char *sql, const char *word,
                    char out[64]) {
  arena a = {0};
  sqlite3_stmt *stmt = NULL;
  const char **names = NULL;
  size_t count = 0;
  sqlite3_prepare_v2(c->db, query, -1, &stmt, NULL);
  if (stmt) sqlite3_bind_text(stmt, 1, sql, -1, SQLITE_STATIC);
  while (stmt && sqlite3_step(stmt) == SQLITE_ROW) {
    names = memory_grow(names, (count + 2) * sizeof *names);
    names[count++] = arena_text(&a, (const char *)sqlite3_column_text(stmt, 0));
  }
  sqlite3_finalize(stmt);
  if (names) names[count] = NULL;
  const char *best = names ? error_nearest(word, names) : NULL;
  snprintf(out, 64, "%s", best ? best : "");
  free(names);
  arena_free(&a);
}

static bool is_word(char ch) { return isalnum((unsigned char)ch) || ch == '_' || ch == '.'; }

/* Where `word` stands in the SQL, -1 if nowhere: SQLite gives no place for an unknown table. */
static int find_word(const char *sql, const char *word) {
  size_t size = strlen(word);
  for (const char *at = sql; (at = strstr(at, word)); at++)
    if ((at == sql || !is_word(at[-1])) && !is_word(at[size])) return (int)(at - sql);
  return -1;
}

static void place(const char *sql, int offset, char out[64]) {
  int line = 1, column = 1;
  out[0] = '\0';
  if (offset < 0 || (size_t)offset > strlen(sql)) return;
  for (int i = 0; i < offset; i++) {
    if (sql[i] == '\n')
      line++, column = 1;
    else if ((sql[i] & 0xC0) != 0x80)
      column++;
  }
  snprintf(out, 64, " (line %d, column %d of the SQL)", line, column);
}

static int fail_unknown(store_conn *c, const char *sql, const char *noun, const char *query,
                        const char *name, int offset, dts_error *e) {
  char at[64], near[64];
  const char *dot = strrchr(name, '.');
  place(sql, offset >= 0 ? offset : find_word(sql, name), at);
  nearest(c, query, sql, dot ? dot + 1 : name, near);
  error_fail(e, "SQL", "unknown %s '%s'%s", noun, name, at);
  return near[0] ? error_hint(e, "did you mean '%s'?", near) : -1;
}

static int fail_sql(store_conn *c, const char *sql, const char *message, int offset, dts_error *e) {
  static const struct {
    const char *start, *noun, *query;
  } unknown[] = {{"no such column: ", "column", columns_sql},
                 {"no such table: main.", "table", tables_sql},
                 {"no such table: ", "table", tables_sql},
                 {"no such function: ", "function", functions_sql}};
  for (size_t i = 0; i < sizeof unknown / sizeof unknown[0]; i++) {
    size_t size = strlen(unknown[i].start);
    if (strncmp(message, unknown[i].start, size) == 0)
      return fail_unknown(c, sql, unknown[i].noun, unknown[i].query, message + size, offset, e);
  }
  char at[64];
  if (strcmp(message, "incomplete input") == 0) offset = (int)strlen(sql);
  place(sql, offset, at);
  error_fail(e, "SQL", "%s%s", message, at);
  bool edge = strncmp(message, "first()", 7) == 0 || strncmp(message, "last()", 6) == 0;
  return edge ? error_hint(e, "over a window write first_value(x) or last_value(x) over (... order "
                              "by t)")
              : -1;
}

static int fail_constraint(int code, const char *message, dts_error *e) {
  const char *colon = strstr(message, ": ");
  const char *what = colon ? colon + 2 : message;
  switch (code) {
  case SQLITE_CONSTRAINT_NOTNULL:
    return error_fail(e, "CONSTRAINT", "column %s must have a value, got none", what);
  case SQLITE_CONSTRAINT_PRIMARYKEY:
  case SQLITE_CONSTRAINT_ROWID:
  case SQLITE_CONSTRAINT_UNIQUE:
    return error_fail(e, "CONSTRAINT", "a row with the same %s is there already", what);
  case SQLITE_CONSTRAINT_CHECK:
    return error_fail(e, "CONSTRAINT", "a value breaks the check of column '%s'", what);
  default: return error_fail(e, "CONSTRAINT", "%s", message);
  }
}

static int fail_io(int number, const char *path, dts_error *e) {
  error_fail(e, "STORE_IO", "%s cannot be read or written: %s", path,
             number ? strerror(number) : "input/output error");
  if (e) e->retryable = true;
  return error_hint(e, "look at the disk, its mount and its permissions");
}

static int fail_environment(int code, int number, const char *message, const char *path,
                            dts_error *e) {
  bool full = number == ENOSPC || number == EDQUOT || number == EFBIG;
  if (code == SQLITE_IOERR && full) code = SQLITE_FULL;
  switch (code) {
  case SQLITE_IOERR: return fail_io(number, path, e);
  case SQLITE_FULL:
    error_fail(e, "DISK_FULL", "no space is left for %s", path);
    if (e) e->retryable = true;
    return error_hint(e, "free some space, or shorten retention (keep = ...)");
  case SQLITE_BUSY:
  case SQLITE_LOCKED:
    error_fail(e, "STORE_BUSY", "%s is locked by another program", path);
    if (e) e->retryable = true;
    return error_hint(e, "open the store read-only elsewhere: only dts writes it");
  case SQLITE_CORRUPT:
  case SQLITE_NOTADB:
    error_fail(e, "STORE_CORRUPT", "%s is damaged or no SQLite database: %s", path, message);
    return error_hint(e, "restore the last backup (dts backup); keep the damaged file");
  case SQLITE_CANTOPEN: return error_fail(e, "STORE_OPEN", "cannot open %s: %s", path, message);
  default: return error_fail(e, "STORE", "%s: %s", path, message);
  }
}

int conn_fail(store_conn *c, const char *sql, dts_error *e) {
  int code = sqlite3_extended_errcode(c->db), offset = sqlite3_error_offset(c->db);
  int number = sqlite3_system_errno(c->db);
  char message[512];
  snprintf(message, sizeof message, "%s", sqlite3_errmsg(c->db));
  switch (code & 0xFF) {
  case SQLITE_ERROR:
  case SQLITE_AUTH: return fail_sql(c, sql, message, offset, e);
  case SQLITE_CONSTRAINT: return fail_constraint(code, message, e);
  case SQLITE_READONLY: return error_fail(e, "READ_ONLY", "this connection only reads: %.80s", sql);
  case SQLITE_INTERRUPT:
    return error_fail(e, "LIMIT_TIME", "the query was stopped at its time limit");
  case SQLITE_TOOBIG:
    return error_fail(e, "LIMIT_SIZE", "a value or the SQL is too large: %s", message);
  default: return fail_environment(code & 0xFF, number, message, c->store->path, e);
  }
}
