/* guard.c -- what a user's SQL may do: read tables and views, call functions; nothing else.
 *
 * SQLite asks here about every table, column and function while a statement is prepared (also about
 * what a view reads). The same questions tell which tables the statement reads.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "store/conn.h"

static bool begins(const char *text, const char *with) {
  return sqlite3_strnicmp(text, with, (int)strlen(with)) == 0;
}

static int refuse(guard *g, const char *format, const char *name) {
  snprintf(g->refused, sizeof g->refused, format, name ? name : "");
  return SQLITE_DENY;
}

/* Every table's name is in small letters (table.c); SQLite tells it as the SQL spells it where no column
 * of it is read, as in select count(*) from RATES. */
static void collect(guard *g, const char *spelled) {
  char *name = arena_text(g->memory, spelled);
  for (char *c = name; *c; c++)
    if (*c >= 'A' && *c <= 'Z') *c = (char)(*c + ('a' - 'A'));
  if (!value_has(g->tables, name)) value_add(g->memory, g->tables, value_text(name));
}

static int read_table(guard *g, const char *name) {
  if (begins(name, "sqlite_") || begins(name, "pragma_") || begins(name, "dbstat") ||
      begins(name, "dts_bulk"))
    return refuse(
        g, "'%s' is SQLite's own and not on every store: `dts check` shows what is declared", name);
  if (!begins(name, "json_")) collect(g, name);
  return SQLITE_OK;
}

static int call_function(guard *g, const char *name) {
  static const char *const refused[] = {"load_extension", "fts3_tokenizer", "randomblob",
                                        "zeroblob"};
  static const char *const unsteady[] = {"random", "changes", "total_changes", "last_insert_rowid"};
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
    if (sqlite3_stricmp(name, refused[i]) == 0)
      return refuse(g, "the function %s is not available", name);
  for (size_t i = 0; i < sizeof unsteady / sizeof unsteady[0]; i++)
    if (sqlite3_stricmp(name, unsteady[i]) == 0)
      return refuse(g, "the function %s is not available: a query's answer follows from its rows",
                    name);
  return SQLITE_OK;
}

/* A change of the schema is asked about first as one of the table that holds it. */
static const char *word_for(int action, const char *name) {
  bool of_schema = name && begins(name, "sqlite_");
  switch (action) {
  case SQLITE_INSERT: return of_schema ? "create" : "insert";
  case SQLITE_UPDATE: return of_schema ? "alter" : "update";
  case SQLITE_DELETE: return of_schema ? "drop" : "delete";
  case SQLITE_ALTER_TABLE: return "alter";
  case SQLITE_REINDEX: return "reindex";
  case SQLITE_ANALYZE: return "analyze";
  case SQLITE_PRAGMA: return "pragma";
  case SQLITE_ATTACH: return "attach";
  case SQLITE_DETACH: return "detach";
  case SQLITE_TRANSACTION: return "begin or commit";
  case SQLITE_SAVEPOINT: return "savepoint";
  default: return "a change of the schema";
  }
}

int guard_authorize(void *conn, int action, const char *a, const char *b, const char *database,
                    const char *view) {
  guard *g = ((store_conn *)conn)->guard;
  (void)database;
  if (!g) return SQLITE_OK;
  switch (action) {
  case SQLITE_SELECT:
    if (view) collect(g, view);
    return SQLITE_OK;
  case SQLITE_RECURSIVE: return SQLITE_OK;
  case SQLITE_READ: return read_table(g, a);
  case SQLITE_FUNCTION: return call_function(g, b);
  default: return refuse(g, "only a SELECT may stand here, not %s", word_for(action, a));
  }
}
