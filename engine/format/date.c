/* date.c -- days, periods, and the canonical texts of dates and instants.
 *
 * Everything is arithmetic on a count of days: a civil year begins in March, so that the leap day
 * comes last, and 400 years always have 146,097 days. (Howard Hinnant, "chrono-compatible low-level
 * date algorithms", days_from_civil and civil_from_days.)
 *
 * SPDX-License-Identifier: MIT */
#include "format/date.h"

#include <stdio.h>
#include <string.h>

enum { DAYS_OF_400_YEARS = 146097, DAYS_TO_1970 = 719468 }; /* from 0000-03-01 */

static bool is_leap(int year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int date_month_days(int year, int month) {
  static const char DAYS[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  if (month < 1 || month > 12) return 0;
  return month == 2 && is_leap(year) ? 29 : DAYS[month - 1];
}

int date_make(int year, int month, int day, int32_t *out) {
  if (year < 1 || year > 9999 || day < 1 || day > date_month_days(year, month)) return -1;
  int y = month <= 2 ? year - 1 : year, m = (month + 9) % 12; /* March is 0 */
  int era = y / 400, of_era = y % 400;
  int of_year = (153 * m + 2) / 5 + day - 1;
  int days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
  *out = era * DAYS_OF_400_YEARS + days - DAYS_TO_1970;
  return 0;
}

static int32_t clamp(int64_t date) {
  return date < DATE_MIN ? DATE_MIN : date > DATE_MAX ? DATE_MAX : (int32_t)date;
}

void date_split(int32_t date, int *year, int *month, int *day) {
  int z = clamp(date) + DAYS_TO_1970; /* never negative, since years begin at 1 */
  int era = z / DAYS_OF_400_YEARS, days = z % DAYS_OF_400_YEARS;
  int of_era = (days - days / 1460 + days / 36524 - days / 146096) / 365;
  int of_year = days - (365 * of_era + of_era / 4 - of_era / 100);
  int m = (5 * of_year + 2) / 153;
  *day = of_year - (153 * m + 2) / 5 + 1;
  *month = m < 10 ? m + 3 : m - 9;
  *year = era * 400 + of_era + (*month <= 2);
}

int date_weekday(int32_t date) { return (int)((((int64_t)date + 3) % 7 + 7) % 7); }

int32_t date_of(int64_t ms, int64_t *ms_of_day) {
  int64_t date = ms / DATE_DAY_MS, rest = ms % DATE_DAY_MS;
  if (rest < 0) date--, rest += DATE_DAY_MS;
  if (ms_of_day) *ms_of_day = rest;
  return clamp(date);
}

/* `count` digits; -1 when one of them is none. */
static int digits(const char *text, int count) {
  int n = 0;
  for (int i = 0; i < count; i++) {
    if (text[i] < '0' || text[i] > '9') return -1;
    n = n * 10 + (text[i] - '0');
  }
  return n;
}

int date_read(const char *text, size_t size, int32_t *date) {
  if (size != 10 || text[4] != '-' || text[7] != '-') return -1;
  return date_make(digits(text, 4), digits(text + 5, 2), digits(text + 8, 2), date);
}

void date_write(int32_t date, char out[11]) {
  int y, m, d;
  date_split(date, &y, &m, &d);
  snprintf(out, 11, "%04u-%02u-%02u", (unsigned)y % 10000, (unsigned)m % 100, (unsigned)d % 100);
}

value date_value(arena *a, int32_t date) {
  char *text = arena_alloc(a, 11);
  date_write(date, text);
  return value_text(text);
}

/* What is left of a timestamp while it is read. */
typedef struct reader {
  const char *at, *end;
} reader;

static bool take(reader *r, const char *any) {
  bool found = r->at < r->end && *r->at && strchr(any, *r->at);
  if (found) r->at++;
  return found;
}

static int take_two(reader *r) {
  if (r->end - r->at < 2) return -1;
  int n = digits(r->at, 2);
  r->at += 2;
  return n;
}

/* A fraction of a second in milliseconds; digits past the third are dropped, not rounded. */
static int take_fraction(reader *r) {
  int ms = 0, scale = 100;
  const char *start = r->at;
  for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++, scale /= 10)
    ms += (*r->at - '0') * scale;
  return r->at > start ? ms : -1;
}

/* "HH:MM", ":SS" unless `brief` lets it go, ".FFF": milliseconds, -1 when wrong. A sixtieth second
 * is read as the first of the next minute and reported in `leap`. */
static int64_t take_time(reader *r, bool brief, bool *leap) {
  int h = take_two(r), colon = take(r, ":"), m = take_two(r), s = 0, ms = 0;
  if (!colon || h < 0 || h > 23 || m < 0 || m > 59) return -1;
  if (take(r, ":")) {
    s = take_two(r);
    if (take(r, ".")) ms = take_fraction(r);
  } else if (!brief)
    return -1;
  *leap = s == 60;
  if (s < 0 || s > 60 || ms < 0) return -1;
  return ((int64_t)h * 60 + m) * 60000 + s * 1000 + (*leap ? 0 : ms);
}

/* "Z" or "+HH:MM" in milliseconds. */
static int take_offset(reader *r, int64_t *ms) {
  *ms = 0;
  if (take(r, "Zz")) return 0;
  bool west = r->at < r->end && *r->at == '-';
  if (!take(r, "+-")) return -1;
  int h = take_two(r), colon = take(r, ":"), m = take_two(r);
  if (!colon || h < 0 || h > 23 || m < 0 || m > 59) return -1;
  *ms = (h * 60 + m) * (west ? -60000 : 60000);
  return 0;
}

static int read_instant(const char *text, size_t size, bool brief, int64_t *out) {
  int32_t date;
  int64_t offset, of_day;
  bool leap;
  if (size < 11 || date_read(text, 10, &date) != 0) return -1;
  reader r = {text + 10, text + size};
  if (!take(&r, "Tt ")) return -1;
  int64_t time = take_time(&r, brief, &leap);
  if (time < 0 || take_offset(&r, &offset) != 0 || r.at != r.end) return -1;
  int64_t ms = date * DATE_DAY_MS + time - offset;
  date_of(ms, &of_day);
  if (leap && of_day != 0) return -1; /* leap seconds stand before midnight UTC only */
  if (ms < TIMESTAMP_MIN || ms > TIMESTAMP_MAX) return -1;
  *out = ms;
  return 0;
}

int timestamp_read(const char *text, size_t size, int64_t *ms) {
  return read_instant(text, size, false, ms);
}

int timestamp_parse(const char *text, size_t size, int64_t *ms) {
  return read_instant(text, size, true, ms);
}

void timestamp_write(int64_t ms, char out[25]) {
  if (ms < TIMESTAMP_MIN) ms = TIMESTAMP_MIN;
  if (ms > TIMESTAMP_MAX) ms = TIMESTAMP_MAX;
  int64_t rest;
  date_write(date_of(ms, &rest), out);
  unsigned t = (unsigned)rest;
  snprintf(out + 10, 15, "T%02u:%02u:%02u.%03uZ", t / 3600000 % 24, t / 60000 % 60, t / 1000 % 60,
           t % 1000);
}

value timestamp_value(arena *a, int64_t ms) {
  char *text = arena_alloc(a, 25);
  timestamp_write(ms, text);
  return value_text(text);
}

int date_period_read(const char *word, date_period *period) {
  static const char *const NAMES[] = {"day", "week", "month", "quarter", "year"};
  for (int i = DATE_DAY; i <= DATE_YEAR; i++)
    if (strcmp(word, NAMES[i]) == 0) return *period = (date_period)i, 0;
  return -1;
}

int32_t date_period_start(int32_t date, date_period period) {
  int y, m, d;
  int32_t start = clamp(date);
  if (period == DATE_DAY) return start;
  if (period == DATE_WEEK) return clamp((int64_t)start - date_weekday(start));
  date_split(start, &y, &m, &d);
  if (period == DATE_QUARTER) m -= (m - 1) % 3;
  if (period == DATE_YEAR) m = 1;
  date_make(y, m, 1, &start);
  return start;
}

/* From the start of a period, the longest span of that kind always lands within the next one. */
int32_t date_period_next(int32_t date, date_period period) {
  static const int LONGEST[] = {1, 7, 31, 92, 366};
  int32_t start = date_period_start(date, period);
  return date_period_start(clamp((int64_t)start + LONGEST[period]), period);
}
