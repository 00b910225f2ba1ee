/* functions.c -- SQL functions of dates, the same on every store: year month weekday week add_days
 * add_minutes days_between.
 *
 * A date is its text YYYY-MM-DD; where one is expected a timestamp stands for its day in UTC. Weeks
 * are ISO 8601's, 1 to 53, and weekdays run from Monday, 1, to Sunday, 7. Null gives null; anything
 * else that is no date is an error that shows it.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "base/text.h"
#include "format/date.h"
#include "store/conn.h"

static void fail(sqlite3_context *x, const char *name, const char *expected, sqlite3_value *got) {
  char message[256], shown[TEXT_SHORT];
  const char *text = (const char *)sqlite3_value_text(got);
  text_shorten(shown, text ? text : "", text ? (size_t)sqlite3_value_bytes(got) : 0);
  snprintf(message, sizeof message, "%s: %s expected, got %s", name, expected, shown);
  sqlite3_result_error(x, message, -1);
}

bool functions_any_null(int count, sqlite3_value **values) {
  for (int i = 0; i < count; i++)
    if (sqlite3_value_type(values[i]) == SQLITE_NULL) return true;
  return false;
}

/* An instant and whether it was written as one; a date is its first millisecond in UTC. */
static int read_time(sqlite3_value *v, int64_t *ms, bool *is_date) {
  const char *text = (const char *)sqlite3_value_text(v);
  size_t size = (size_t)sqlite3_value_bytes(v);
  int32_t date;
  if (!text) return -1;
  *is_date = date_read(text, size, &date) == 0;
  if (*is_date) return *ms = date * DATE_DAY_MS, 0;
  return timestamp_read(text, size, ms);
}

static int date_argument(sqlite3_context *x, const char *name, sqlite3_value *v, int32_t *date) {
  int64_t ms;
  bool is_date;
  if (read_time(v, &ms, &is_date) < 0) return fail(x, name, "a date YYYY-MM-DD", v), -1;
  *date = date_of(ms, NULL);
  return 0;
}

static int number_argument(sqlite3_context *x, const char *name, sqlite3_value *v, int64_t *n) {
  int type = sqlite3_value_numeric_type(v);
  double real = sqlite3_value_double(v);
  bool whole = type == SQLITE_INTEGER || (type == SQLITE_FLOAT && real > -1e15 && real < 1e15 &&
                                          real == (double)(int64_t)real);
  if (!whole) return fail(x, name, "a whole number", v), -1;
  *n = sqlite3_value_int64(v);
  return 0;
}

typedef int date_part(int32_t date);

static int year_of(int32_t date) {
  int year, month, day;
  date_split(date, &year, &month, &day);
  return year;
}

static int month_of(int32_t date) {
  int year, month, day;
  date_split(date, &year, &month, &day);
  return month;
}

static int weekday_of(int32_t date) { return date_weekday(date) + 1; }

/* ISO 8601: a week belongs to the year of its Thursday; 9999-12-31 is a Friday, so it has one. */
static int week_of(int32_t date) {
  int32_t thursday = date - date_weekday(date) + 3, first = 0;
  date_make(year_of(thursday), 1, 1, &first);
  return (thursday - first) / 7 + 1;
}

static const struct {
  const char *name;
  date_part *part;
} parts[] = {{"year", year_of}, {"month", month_of}, {"weekday", weekday_of}, {"week", week_of}};

static void part_function(sqlite3_context *x, int count, sqlite3_value **values) {
  size_t which = (size_t)(uintptr_t)sqlite3_user_data(x);
  int32_t date;
  if (functions_any_null(count, values)) return;
  if (date_argument(x, parts[which].name, values[0], &date) < 0) return;
  sqlite3_result_int(x, parts[which].part(date));
}

static void give_time(sqlite3_context *x, const char *name, int64_t ms, bool as_date) {
  char text[32], message[80];
  if (ms < TIMESTAMP_MIN || ms > TIMESTAMP_MAX) {
    snprintf(message, sizeof message, "%s: the result lies outside the years 1 to 9999", name);
    sqlite3_result_error(x, message, -1);
    return;
  }
  if (as_date)
    date_write(date_of(ms, NULL), text);
  else
    timestamp_write(ms, text);
  sqlite3_result_text(x, text, -1, SQLITE_TRANSIENT);
}

/* add_days keeps the form of what it was given; add_minutes always gives a timestamp. */
static void add(sqlite3_context *x, sqlite3_value **values, const char *name, int64_t unit,
                bool keep) {
  int64_t ms, n, more, sum;
  bool is_date;
  if (functions_any_null(2, values)) return;
  if (read_time(values[0], &ms, &is_date) < 0)
    return fail(x, name, "a date or timestamp", values[0]);
  if (number_argument(x, name, values[1], &n) < 0) return;
  if (__builtin_mul_overflow(n, unit, &more) || __builtin_add_overflow(ms, more, &sum))
    sum = INT64_MAX;
  give_time(x, name, sum, keep && is_date);
}

static void add_days(sqlite3_context *x, int count, sqlite3_value **values) {
  (void)count;
  add(x, values, "add_days", DATE_DAY_MS, true);
}

static void add_minutes(sqlite3_context *x, int count, sqlite3_value **values) {
  (void)count;
  add(x, values, "add_minutes", 60000, false);
}

/* From a to b: positive when b is later. */
static void days_between(sqlite3_context *x, int count, sqlite3_value **values) {
  int32_t a, b;
  if (functions_any_null(count, values)) return;
  if (date_argument(x, "days_between", values[0], &a) < 0) return;
  if (date_argument(x, "days_between", values[1], &b) < 0) return;
  sqlite3_result_int(x, b - a);
}

enum { PURE = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS };

int functions_register(sqlite3 *db) {
  static const struct {
    const char *name;
    void (*fn)(sqlite3_context *, int, sqlite3_value **);
  } two[] = {{"add_days", add_days}, {"add_minutes", add_minutes}, {"days_between", days_between}};
  int rc = SQLITE_OK;
  for (size_t i = 0; !rc && i < sizeof parts / sizeof parts[0]; i++)
    rc = sqlite3_create_function(db, parts[i].name, 1, PURE, (void *)(uintptr_t)i, part_function,
                                 NULL, NULL);
  for (size_t i = 0; !rc && i < sizeof two / sizeof two[0]; i++)
    rc = sqlite3_create_function(db, two[i].name, 2, PURE, NULL, two[i].fn, NULL, NULL);
  return rc;
}
