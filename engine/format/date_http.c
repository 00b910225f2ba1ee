/* date_http.c -- the three forms of an HTTP date (RFC 9110, section 5.6.7).
 *
 *   Sun, 06 Nov 1994 08:49:37 GMT     Sunday, 06-Nov-94 08:49:37 GMT     Sun Nov  6 08:49:37 1994
 *
 * Each form is spelled once as a pattern of the text's own length, so that nothing looser than the
 * RFC is read: caches decide by these.
 *
 * SPDX-License-Identifier: MIT */
#include "format/date.h"

#include <stdio.h>
#include <string.h>

static const char DAY_NAMES[7][10] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                      "Friday", "Saturday", "Sunday"};
static const char MONTHS[] = "JanFebMarAprMayJunJulAugSepOctNovDec";

/* What the letters of a form stand for: y d h m s one digit each, `_` a digit or a space, `b..` a
 * month's name. All other characters stand for themselves. */
typedef struct parts {
  int year, month, day, hour, minute, second;
} parts;

static int month_of(const char *text) {
  for (int i = 0; i < 12; i++)
    if (memcmp(MONTHS + (ptrdiff_t)3 * i, text, 3) == 0) return i + 1;
  return 0;
}

static bool add_digit(int *number, char c, bool blank) {
  if (blank && c == ' ') return true;
  if (c < '0' || c > '9') return false;
  *number = *number * 10 + (c - '0');
  return true;
}

static bool match(const char *text, size_t size, const char *form, parts *p) {
  if (strlen(form) != size) return false;
  *p = (parts){0};
  for (size_t i = 0; i < size; i++) {
    char c = text[i];
    bool good = true;
    switch (form[i]) {
    case 'y': good = add_digit(&p->year, c, false); break;
    case 'd': good = add_digit(&p->day, c, false); break;
    case '_': good = add_digit(&p->day, c, true); break;
    case 'h': good = add_digit(&p->hour, c, false); break;
    case 'm': good = add_digit(&p->minute, c, false); break;
    case 's': good = add_digit(&p->second, c, false); break;
    case 'b': good = (p->month = month_of(text + i)) > 0, i += 2; break;
    default: good = c == form[i];
    }
    if (!good) return false;
  }
  return true;
}

/* The name of a weekday at the start: its length, 0 when there is none. It is not held against the
 * date, since a recipient that refuses has no use for being right. */
static size_t day_name(const char *text, size_t size, bool whole) {
  for (int i = 0; i < 7; i++) {
    size_t n = whole ? strlen(DAY_NAMES[i]) : 3;
    if (size > n && memcmp(text, DAY_NAMES[i], n) == 0) return n;
  }
  return 0;
}

static int instant(const parts *p, int64_t *ms) {
  int32_t date;
  if (p->hour > 23 || p->minute > 59 || p->second > 60) return -1;
  if (date_make(p->year, p->month, p->day, &date) != 0) return -1;
  *ms = date * DATE_DAY_MS + ((p->hour * 60LL + p->minute) * 60 + p->second) * 1000;
  return 0;
}

/* A year of two digits that would lie more than 50 years ahead is the last one that ended so. */
static int instant_of_two_digits(parts *p, int64_t now_ms, int64_t *ms) {
  int year, month, day, end = p->year;
  date_split(date_of(now_ms, NULL), &year, &month, &day);
  int limit = year + 50;
  p->year = limit - ((limit - end) % 100 + 100) % 100;
  int32_t half;
  if (p->year == limit && date_make(limit, month, month == 2 && day == 29 ? 28 : day, &half) == 0) {
    int64_t whole;
    if (instant(p, &whole) == 0 && whole > half * DATE_DAY_MS + DATE_DAY_MS) p->year -= 100;
  }
  return instant(p, ms);
}

int http_date_read(const char *text, size_t size, int64_t now_ms, int64_t *ms) {
  parts p;
  size_t n = day_name(text, size, false);
  if (n == 0) return -1;
  if (match(text + n, size - n, ", dd b.. yyyy hh:mm:ss GMT", &p)) return instant(&p, ms);
  if (match(text + n, size - n, " b.. _d hh:mm:ss yyyy", &p)) return instant(&p, ms);
  n = day_name(text, size, true);
  if (n > 0 && match(text + n, size - n, ", dd-b..-yy hh:mm:ss GMT", &p))
    return instant_of_two_digits(&p, now_ms, ms);
  return -1;
}

void http_date_write(int64_t ms, char out[30]) {
  int64_t rest;
  int y, m, d;
  int32_t date = date_of(ms, &rest);
  date_split(date, &y, &m, &d);
  unsigned s = (unsigned)(rest / 1000);
  snprintf(out, 30, "%.3s, %02u %.3s %04u %02u:%02u:%02u GMT", DAY_NAMES[date_weekday(date)],
           (unsigned)d % 100, MONTHS + (ptrdiff_t)3 * (m - 1), (unsigned)y % 10000, s / 3600 % 24,
           s / 60 % 60, s % 60);
}
