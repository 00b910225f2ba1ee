/* calendar.c -- named sets of dates, each decided for one day at a time from rules.
 *
 * Holidays are rows of a table: a fixed date, a distance from Easter, the n-th weekday of a month,
 * or the year's last weekday, with the years in which they hold and where they go from a weekend.
 * What no rule foretells (funerals, storms, jubilees) is a second table. To add a market, add its
 * bit and its rows. Half days are expected dates: they have a close.
 *
 * SPDX-License-Identifier: MIT */
#include "format/calendar.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "format/date.h"

enum { BR = 1, B3 = 2, NYSE = 4, LSE = 8, TARGET = 16 };
enum { MON, TUE, WED, THU, FRI, SAT, SUN };
enum { EVER = 9999 };

typedef struct named {
  const char *name;
  bool (*base)(int32_t date); /* before holidays */
  unsigned market;            /* whose holidays; 0: none */
} named;

typedef struct rule {
  unsigned markets;
  char kind; /* 'F' month/day, 'E' Easter + day, 'N' day-th weekday of month (-1: last), 'L' last */
  int month, day, weekday;
  int from, to;         /* years */
  int saturday, sunday; /* days to move by from there; 0 falls into the weekend and is lost */
} rule;

/* A move from a weekend never leaves the month: is_holiday() counts on it.
 * BR: national holidays (laws 662/1949, 6.802/1980, 14.759/2023) and the days without banking.
 * B3: BR, the days of São Paulo's city and state until 2021, 24 December, the year's last weekday.
 * NYSE: its rule 7.2. LSE: bank holidays of England and Wales. TARGET: the ECB's closing days. */
static const rule RULES[] = {
    {BR | B3 | TARGET, 'F', 1, 1, 0, 0, EVER, 0, 0},
    {BR | B3, 'E', 0, -48, 0, 0, EVER, 0, 0}, /* carnival */
    {BR | B3, 'E', 0, -47, 0, 0, EVER, 0, 0},
    {BR | B3 | NYSE | LSE, 'E', 0, -2, 0, 0, EVER, 0, 0}, /* Good Friday */
    {BR | B3, 'F', 4, 21, 0, 0, EVER, 0, 0},
    {BR | B3, 'F', 5, 1, 0, 0, EVER, 0, 0},
    {BR | B3, 'E', 0, 60, 0, 0, EVER, 0, 0}, /* Corpus Christi */
    {BR | B3, 'F', 9, 7, 0, 0, EVER, 0, 0},
    {BR | B3, 'F', 10, 12, 0, 1980, EVER, 0, 0},
    {BR | B3, 'F', 11, 2, 0, 0, EVER, 0, 0},
    {BR | B3, 'F', 11, 15, 0, 0, EVER, 0, 0},
    {BR | B3, 'F', 11, 20, 0, 2024, EVER, 0, 0},
    {BR | B3 | TARGET, 'F', 12, 25, 0, 0, EVER, 0, 0},
    {B3, 'F', 1, 25, 0, 0, 2021, 0, 0},
    {B3, 'F', 7, 9, 0, 1997, 2021, 0, 0},
    {B3, 'F', 11, 20, 0, 2004, 2019, 0, 0},
    {B3, 'F', 12, 24, 0, 0, EVER, 0, 0},
    {B3, 'L', 12, 31, 0, 0, EVER, 0, 0},
    {NYSE, 'F', 1, 1, 0, 0, EVER, 0, 1},
    {NYSE, 'N', 1, 3, MON, 1998, EVER, 0, 0},
    {NYSE, 'N', 2, 3, MON, 1971, EVER, 0, 0},
    {NYSE, 'N', 5, -1, MON, 1971, EVER, 0, 0},
    {NYSE, 'F', 6, 19, 0, 2022, EVER, -1, 1},
    {NYSE, 'F', 7, 4, 0, 0, EVER, -1, 1},
    {NYSE, 'N', 9, 1, MON, 0, EVER, 0, 0},
    {NYSE, 'N', 11, 4, THU, 0, EVER, 0, 0},
    {NYSE, 'F', 12, 25, 0, 0, EVER, -1, 1},
    {LSE, 'F', 1, 1, 0, 1974, EVER, 2, 1},
    {LSE, 'E', 0, 1, 0, 0, EVER, 0, 0}, /* Easter Monday */
    {LSE, 'N', 5, 1, MON, 1978, EVER, 0, 0},
    {LSE, 'N', 5, -1, MON, 1971, EVER, 0, 0},
    {LSE, 'N', 8, -1, MON, 1971, EVER, 0, 0},
    {LSE, 'F', 12, 25, 0, 0, EVER, 2, 2},
    {LSE, 'F', 12, 26, 0, 0, EVER, 2, 2},
    {TARGET, 'E', 0, -2, 0, 2000, EVER, 0, 0},
    {TARGET, 'E', 0, 1, 0, 2000, EVER, 0, 0},
    {TARGET, 'F', 5, 1, 0, 2000, EVER, 0, 0},
    {TARGET, 'F', 12, 26, 0, 2000, EVER, 0, 0},
    {TARGET, 'F', 12, 31, 0, 1999, 1999, 0, 0}, /* the year 2000 and the new coins */
    {TARGET, 'F', 12, 31, 0, 2001, 2001, 0, 0},
};

typedef struct single {
  unsigned market;
  int year, month, day;
  bool open;
} single;

static const single SINGLES[] = {
    {B3, 2014, 6, 12, false},   /* the world cup begins in the city */
    {B3, 2020, 7, 9, true},     /* the state moved its day to May; the exchange did not follow */
    {NYSE, 1994, 4, 27, false}, /* funeral of R. Nixon */
    {NYSE, 2001, 9, 11, false}, /* attacks of 11 September */
    {NYSE, 2001, 9, 12, false},  {NYSE, 2001, 9, 13, false},
    {NYSE, 2001, 9, 14, false},  {NYSE, 2004, 6, 11, false}, /* funeral of R. Reagan */
    {NYSE, 2007, 1, 2, false},                               /* mourning for G. Ford */
    {NYSE, 2012, 10, 29, false},                             /* storm Sandy */
    {NYSE, 2012, 10, 30, false}, {NYSE, 2018, 12, 5, false}, /* mourning for G. H. W. Bush */
    {NYSE, 2025, 1, 9, false},                               /* mourning for J. Carter */
    {LSE, 1995, 5, 1, true}, /* moved to the 8th: fifty years of peace */
    {LSE, 1995, 5, 8, false},    {LSE, 1999, 12, 31, false}, /* the year 2000 */
    {LSE, 2002, 5, 27, true},                                /* golden jubilee */
    {LSE, 2002, 6, 3, false},    {LSE, 2002, 6, 4, false},
    {LSE, 2011, 4, 29, false}, /* royal wedding */
    {LSE, 2012, 5, 28, true},  /* diamond jubilee */
    {LSE, 2012, 6, 4, false},    {LSE, 2012, 6, 5, false},
    {LSE, 2020, 5, 4, true},                               /* moved to the 8th: 75 years of peace */
    {LSE, 2020, 5, 8, false},    {LSE, 2022, 5, 30, true}, /* platinum jubilee */
    {LSE, 2022, 6, 2, false},    {LSE, 2022, 6, 3, false},
    {LSE, 2022, 9, 19, false}, /* funeral of Elizabeth II */
    {LSE, 2023, 5, 8, false},  /* coronation */
};

/* Easter Sunday of the Gregorian calendar. (Anonymous algorithm, Nature 13, 1876; Meeus ch. 8.) */
static int32_t easter(int year) {
  int a = year % 19, b = year / 100, c = year % 100;
  int g = (8 * b + 13) / 25, h = (19 * a + b - b / 4 - g + 15) % 30;
  int l = (32 + 2 * (b % 4) + 2 * (c / 4) - h - c % 4) % 7;
  int m = (a + 11 * h + 19 * l) / 433, month = (h + l - 7 * m + 90) / 25;
  int32_t date = 0;
  date_make(year, month, (h + l - 7 * m + 33 * month + 19) % 32, &date);
  return date;
}

static int32_t nth_weekday(int year, int month, int n, int weekday) {
  int32_t date = 0;
  if (n < 0) {
    date_make(year, month, date_month_days(year, month), &date);
    return date - (date_weekday(date) - weekday + 7) % 7;
  }
  date_make(year, month, 1, &date);
  return date + (weekday - date_weekday(date) + 7) % 7 + 7 * (n - 1);
}

static int32_t rule_date(const rule *r, int year) {
  int32_t date = 0;
  if (r->kind == 'E') return easter(year) + r->day;
  if (r->kind == 'N') return nth_weekday(year, r->month, r->day, r->weekday);
  date_make(year, r->month, r->day, &date);
  int weekday = date_weekday(date);
  if (r->kind == 'L') return weekday > FRI ? date - (weekday - FRI) : date;
  return date + (weekday == SAT ? r->saturday : weekday == SUN ? r->sunday : 0);
}

static const single *find_single(unsigned market, int y, int m, int d) {
  for (size_t i = 0; i < sizeof SINGLES / sizeof *SINGLES; i++) {
    const single *s = &SINGLES[i];
    if (s->market == market && s->year == y && s->month == m && s->day == d) return s;
  }
  return NULL;
}

static bool is_holiday(unsigned market, int32_t date) {
  int y, m, d;
  if (market == 0) return false;
  date_split(date, &y, &m, &d);
  const single *s = find_single(market, y, m, d);
  if (s) return !s->open;
  for (size_t i = 0; i < sizeof RULES / sizeof *RULES; i++) {
    const rule *r = &RULES[i];
    if (!(r->markets & market) || y < r->from || y > r->to) continue;
    bool month = r->kind == 'E' ? m >= 2 && m <= 6 : m == r->month; /* spares most of the work */
    if (!month) continue;
    if (rule_date(r, y) == date) return true;
  }
  return false;
}

static bool any_day(int32_t date) { return date >= DATE_MIN; }
static bool weekday(int32_t date) { return date_weekday(date) <= FRI; }
static bool monday(int32_t date) { return date_weekday(date) == MON; }
static bool first_of_month(int32_t date) { return date_period_start(date, DATE_MONTH) == date; }

static bool tuesday(int32_t date) { return date_weekday(date) == TUE; }
static bool wednesday(int32_t date) { return date_weekday(date) == WED; }
static bool thursday(int32_t date) { return date_weekday(date) == THU; }
static bool friday(int32_t date) { return date_weekday(date) == FRI; }
static bool saturday(int32_t date) { return date_weekday(date) == SAT; }
static bool sunday(int32_t date) { return date_weekday(date) == SUN; }
static bool last_of_month(int32_t date) { return first_of_month(date + 1); }
static bool first_of_year(int32_t date) { return date_period_start(date, DATE_YEAR) == date; }
static bool first_of_quarter(int32_t date) { return date_period_start(date, DATE_QUARTER) == date; }
static bool no_day(int32_t date) { return date < DATE_MIN; }

static const named NAMED[] = {
    {"daily", any_day, 0},        {"weekdays", weekday, 0},
    {"week", monday, 0},          {"monday", monday, 0},
    {"tuesday", tuesday, 0},      {"wednesday", wednesday, 0},
    {"thursday", thursday, 0},    {"friday", friday, 0},
    {"saturday", saturday, 0},    {"sunday", sunday, 0},
    {"month", first_of_month, 0}, {"month-end", last_of_month, 0},
    {"year", first_of_year, 0},   {"quarter", first_of_quarter, 0},
    {"none", no_day, 0},          {"BR", weekday, BR},
    {"B3", weekday, B3},          {"NYSE", weekday, NYSE},
    {"LSE", weekday, LSE},        {"TARGET", weekday, TARGET},
};
enum { NAMED_COUNT = sizeof NAMED / sizeof *NAMED };

struct calendar {
  const named *named;
  int32_t *closed, *open; /* sorted */
  size_t closed_count, open_count;
};

#define PLAIN(n)                                                                                   \
  { NAMED + (n), NULL, NULL, 0, 0 }
static const calendar PLAINS[NAMED_COUNT] = {
    PLAIN(0),  PLAIN(1),  PLAIN(2),  PLAIN(3),  PLAIN(4),  PLAIN(5),  PLAIN(6),
    PLAIN(7),  PLAIN(8),  PLAIN(9),  PLAIN(10), PLAIN(11), PLAIN(12), PLAIN(13),
    PLAIN(14), PLAIN(15), PLAIN(16), PLAIN(17), PLAIN(18), PLAIN(19),
};

static int compare(const void *a, const void *b) {
  int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

static int32_t *sorted(const int32_t *dates, size_t count) {
  int32_t *copy = memory_alloc((count + 1) * sizeof *copy);
  if (count == 0) return copy;
  memcpy(copy, dates, count * sizeof *copy);
  qsort(copy, count, sizeof *copy, compare);
  return copy;
}

static const named *unknown(const char *name, dts_error *e) {
  const char *names[NAMED_COUNT + 1] = {0};
  for (int i = 0; i < NAMED_COUNT; i++) names[i] = NAMED[i].name;
  const char *near = error_nearest(name, names);
  error_fail(e, "CALENDAR", "there is no calendar '%.64s'", name);
  if (near)
    error_hint(e, "did you mean '%s'?", near);
  else
    error_hint(e, "there are daily, weekdays, week (Mondays), monday to sunday, month, month-end, "
                  "quarter, year, none, BR, B3, NYSE, LSE and TARGET");
  return NULL;
}

static const named *find_named(const char *name, dts_error *e) {
  for (int i = 0; i < NAMED_COUNT; i++)
    if (strcmp(NAMED[i].name, name) == 0) return &NAMED[i];
  return unknown(name, e);
}

calendar *calendar_make(const char *name, const int32_t *closed, size_t closed_count,
                        const int32_t *open, size_t open_count, dts_error *e) {
  const named *found = find_named(name, e);
  if (!found) return NULL;
  calendar *c = memory_alloc(sizeof *c);
  c->named = found;
  c->closed = sorted(closed, closed_count), c->closed_count = closed_count;
  c->open = sorted(open, open_count), c->open_count = open_count;
  return c;
}

const calendar *calendar_named(const char *name, dts_error *e) {
  const named *found = find_named(name, e);
  return found ? &PLAINS[found - NAMED] : NULL;
}

void calendar_free(const calendar *c) {
  if (!c) return;
  free(c->closed);
  free(c->open);
  free((void *)(uintptr_t)c);
}

const char *calendar_name(const calendar *c) { return c->named->name; }

static bool lists(const int32_t *dates, size_t count, int32_t date) {
  return count > 0 && bsearch(&date, dates, count, sizeof date, compare);
}

bool calendar_has(const calendar *c, int32_t date) {
  if (date < DATE_MIN || date > DATE_MAX) return false;
  if (lists(c->open, c->open_count, date)) return true;
  if (lists(c->closed, c->closed_count, date)) return false;
  return c->named->base(date) && !is_holiday(c->named->market, date);
}

/* Days of "none" lie far apart: they are looked up, not walked to. */
static int32_t open_beside(const calendar *c, int32_t date, bool after) {
  int32_t found = after ? INT32_MAX : INT32_MIN;
  for (size_t i = 0; i < c->open_count; i++) {
    int32_t day = c->open[i];
    if (after && day > date) return day;
    if (!after && day < date) found = day;
  }
  return found;
}

int32_t calendar_next(const calendar *c, int32_t date) {
  if (c->named->base == no_day) return open_beside(c, date, true);
  if (date < DATE_MIN) date = DATE_MIN - 1;
  while (date < DATE_MAX)
    if (calendar_has(c, ++date)) return date;
  return INT32_MAX;
}

int32_t calendar_previous(const calendar *c, int32_t date) {
  if (c->named->base == no_day) return open_beside(c, date, false);
  if (date > DATE_MAX) date = DATE_MAX + 1;
  while (date > DATE_MIN)
    if (calendar_has(c, --date)) return date;
  return INT32_MIN;
}
