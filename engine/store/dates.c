/* dates.c -- SQLite's date functions without its clock: date('now') is an error.
 *
 * Time comes from the engine alone (:now, :today), else a test could not move it and a result could
 * not be repeated. The functions are replaced by ones that look for the words that ask for a clock
 * or the machine's zone, and leave the rest to SQLite's own on a private, empty connection.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>

#include "store/conn.h"

enum { MOST_ARGUMENTS = 8 };

static const struct {
  const char *name;
  int time; /* which argument is the time */
} dated[] = {{"date", 0},      {"time", 0},      {"datetime", 0},
             {"julianday", 0}, {"unixepoch", 0}, {"strftime", 1}};

enum { DATED = sizeof dated / sizeof dated[0] };

struct calendar {
  sqlite3 *db;
  struct entry {
    calendar *calendar;
    size_t which;
    sqlite3_stmt *statements[MOST_ARGUMENTS + 1]; /* by the number of arguments */
  } entries[DATED];
};

static void refuse(sqlite3_context *x, const char *name, const char *word) {
  char message[160];
  snprintf(message, sizeof message,
           "%s(%s) is not available: :now and :today come from the engine's clock", name, word);
  sqlite3_result_error(x, message, -1);
}

static bool is_word(sqlite3_value *v, const char *word) {
  const char *text = (const char *)sqlite3_value_text(v);
  return text && sqlite3_value_type(v) == SQLITE_TEXT && sqlite3_stricmp(text, word) == 0;
}

static const char *forbidden(int count, sqlite3_value **values, int time) {
  static const char *const words[] = {"now", "localtime", "utc"};
  if (count <= time) return "";
  for (int i = 0; i < count; i++)
    for (size_t w = 0; w < sizeof words / sizeof words[0]; w++)
      if (is_word(values[i], words[w])) return words[w];
  return NULL;
}

static sqlite3_stmt *statement_for(struct entry *n, int count) {
  static const char marks[] = "?,?,?,?,?,?,?,?";
  char sql[64];
  if (n->statements[count]) return n->statements[count];
  snprintf(sql, sizeof sql, "select %s(%.*s)", dated[n->which].name, 2 * count - 1, marks);
  sqlite3_prepare_v3(n->calendar->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &n->statements[count],
                     NULL);
  return n->statements[count];
}

static void call(sqlite3_context *x, int count, sqlite3_value **values) {
  struct entry *n = sqlite3_user_data(x);
  const char *word = forbidden(count, values, dated[n->which].time);
  if (word) return refuse(x, dated[n->which].name, word);
  sqlite3_stmt *s = count <= MOST_ARGUMENTS ? statement_for(n, count) : NULL;
  if (!s) return sqlite3_result_error(x, "too many arguments of a date function", -1);
  for (int i = 0; i < count; i++) sqlite3_bind_value(s, i + 1, values[i]);
  if (sqlite3_step(s) == SQLITE_ROW)
    sqlite3_result_value(x, sqlite3_column_value(s, 0));
  else
    sqlite3_result_error(x, sqlite3_errmsg(n->calendar->db), -1);
  sqlite3_reset(s);
  sqlite3_clear_bindings(s);
}

static void clock_word(sqlite3_context *x, int count, sqlite3_value **values) {
  (void)count, (void)values;
  refuse(x, sqlite3_user_data(x), "");
}

static int register_words(sqlite3 *db) {
  static char words[][20] = {"current_date", "current_time", "current_timestamp"};
  int rc = SQLITE_OK;
  for (size_t i = 0; !rc && i < sizeof words / sizeof words[0]; i++)
    rc = sqlite3_create_function(db, words[i], 0, SQLITE_UTF8 | SQLITE_INNOCUOUS, words[i],
                                 clock_word, NULL, NULL);
  return rc;
}

int dates_register(store_conn *c) {
  calendar *k = c->calendar = memory_alloc(sizeof *k);
  int rc = sqlite3_open_v2(":memory:", &k->db,
                           SQLITE_OPEN_READWRITE | SQLITE_OPEN_MEMORY | SQLITE_OPEN_NOMUTEX, NULL);
  int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  for (size_t i = 0; !rc && i < DATED; i++) {
    k->entries[i] = (struct entry){.calendar = k, .which = i};
    rc = sqlite3_create_function(c->db, dated[i].name, -1, flags, &k->entries[i], call, NULL, NULL);
  }
  return rc ? rc : register_words(c->db);
}

void dates_close(calendar *k) {
  if (!k) return;
  for (size_t i = 0; i < DATED; i++)
    for (int n = 0; n <= MOST_ARGUMENTS; n++) sqlite3_finalize(k->entries[i].statements[n]);
  sqlite3_close(k->db);
  free(k);
}
