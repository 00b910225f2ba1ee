/* date_text.c -- dates and times in a format that the data's owner chose.
 *
 * A format is read twice: once for the fields that it names (a wrong one is refused before any data
 * is looked at), once against each text. Nothing depends on the locale; names are English. `%f` is
 * read with one to nine digits and written with three. A format with a zone yields UTC. Weeks are ISO
 * 8601's, and their year (%G) is not the date's.
 *
 * SPDX-License-Identifier: MIT */
#include "format/date_fields.h"

#include <string.h>
#include <strings.h>

/* Fields read so far; bit n of `named` says that field n has come. OFFSET is in minutes. */
typedef struct parts {
  int of[FIELD_COUNT];
  unsigned named;
  int64_t epoch; /* milliseconds */
} parts;

typedef struct reader {
  const char *at, *end;
} reader;

static const date_conversion CONVERSIONS[] = {
    {'Y', YEAR, 4, 4, 1, 9999}, {'y', SHORT_YEAR, 2, 2, 0, 99},  {'m', MONTH, 1, 2, 1, 12},
    {'d', DAY, 1, 2, 1, 31},    {'e', DAY, 1, 2, 1, 31},         {'j', YEAR_DAY, 1, 3, 1, 366},
    {'H', HOUR, 1, 2, 0, 23},   {'I', HOUR_12, 1, 2, 1, 12},     {'M', MINUTE, 1, 2, 0, 59},
    {'S', SECOND, 1, 2, 0, 59}, {'f', FRACTION, 1, 9, 0, 999},   {'b', MONTH, 0, 0, 0, 0},
    {'B', MONTH, 0, 0, 0, 0},   {'a', WEEKDAY, 0, 0, 0, 0},      {'A', WEEKDAY, 0, 0, 0, 0},
    {'p', HALF, 0, 0, 0, 0},    {'z', OFFSET, 0, 0, 0, 0},       {'Z', OFFSET, 0, 0, 0, 0},
    {'u', WEEKDAY, 1, 1, 1, 7}, {'G', WEEK_YEAR, 4, 4, 1, 9999}, {'V', WEEK, 1, 2, 1, 53},
    {'q', QUARTER, 1, 1, 1, 4}, {'s', EPOCH, 0, 0, 0, 0},        {0, FIELD_COUNT, 0, 0, 0, 0},
};

const char *const DATE_MONTHS[13] = {"January",  "February", "March",  "April",     "May",
                                     "June",     "July",     "August", "September", "October",
                                     "November", "December", NULL};
const char *const DATE_WEEKDAYS[8] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                      "Friday", "Saturday", "Sunday",    NULL};
const char *const DATE_HALVES[3] = {"AM", "PM", NULL};

static const char *const UTC_NAMES[] = {"UTC", "UT", "GMT", "Z", NULL};

const date_conversion *date_find(char letter) {
  const date_conversion *c = CONVERSIONS;
  while (c->letter && c->letter != letter) c++;
  return c->letter && letter ? c : NULL;
}

/* The format that a conversion is short for, or NULL. */
const char *date_expansion(char letter) {
  return letter == 'F' ? "%Y-%m-%d" : letter == 'T' ? "%H:%M:%S" : NULL;
}

/* "%-d" is "%d" without a leading nought. */
const char *date_skip_flag(const char *f) { return *f == '-' && f[1] && f[1] != '%' ? f + 1 : f; }

/* The set of fields that a format names; the letter that it should not have in `*bad`. */
unsigned date_fields_of(const char *format, char *bad) {
  unsigned named = 0;
  for (const char *f = format; *f; f++) {
    if (*f != '%' || *++f == '%') continue;
    f = date_skip_flag(f);
    const date_conversion *c = date_find(*f);
    if (date_expansion(*f))
      named |= date_fields_of(date_expansion(*f), bad);
    else if (c)
      named |= 1u << c->to;
    else if (*bad == 0)
      *bad = *f ? *f : '%';
    if (!*f) break;
  }
  return named;
}

static bool has(unsigned named, date_field f) { return named >> f & 1; }

static bool has_time(unsigned named) { return has(named, HOUR) || has(named, HOUR_12); }

static const char *week_complaint(unsigned n) {
  if (has(n, WEEK) && !has(n, WEEK_YEAR)) return "it has a week (%V) but not the week's year (%G)";
  if (has(n, WEEK_YEAR) && !has(n, WEEK)) return "it has a week's year (%G) but no week (%V)";
  if (has(n, WEEK) && (has(n, MONTH) || has(n, YEAR_DAY))) return "it has both a week and a month";
  if (has(n, QUARTER) && (has(n, MONTH) || has(n, YEAR_DAY) || has(n, WEEK)))
    return "it has a quarter (%q) and a month besides";
  return NULL;
}

/* What is wrong with a set of fields, NULL when nothing is. */
static const char *complaint(unsigned n) {
  if (has(n, EPOCH)) return n == 1u << EPOCH ? NULL : "%s is the whole instant and stands alone";
  if (!has(n, YEAR) && !has(n, SHORT_YEAR) && !has(n, WEEK_YEAR)) {
    if (has(n, WEEK)) return "it has a week (%V) but not the week's year (%G)";
    return "it has no year (%Y or %y)";
  }
  if (has(n, DAY) && !has(n, MONTH)) return "it has a day but no month (%m, %b or %B)";
  if (has(n, YEAR_DAY) && has(n, MONTH)) return "it has both a month and a day of the year (%j)";
  if (has(n, HOUR_12) != has(n, HALF)) return "%I and %p only make an hour together";
  if (has(n, HOUR) && has(n, HOUR_12)) return "it has two hours (%H and %I)";
  if (has(n, MINUTE) && !has_time(n)) return "it has minutes but no hour (%H, or %I and %p)";
  if (has(n, SECOND) && !has(n, MINUTE)) return "it has seconds but no minutes (%M)";
  if (has(n, FRACTION) && !has(n, SECOND)) return "it has a fraction but no seconds (%S)";
  if (has(n, OFFSET) && !has_time(n)) return "it has a zone but no hour (%H, or %I and %p)";
  return week_complaint(n);
}

int date_format_check(const char *format, dts_error *e) {
  char bad = 0;
  unsigned named = date_fields_of(format, &bad);
  const char *why = complaint(named);
  if (bad)
    error_fail(e, "DATE_FORMAT", "date format '%s': '%%%c' is not known", format, bad);
  else if (why)
    error_fail(e, "DATE_FORMAT", "date format '%s': %s", format, why);
  else
    return 0;
  return error_hint(e, "there are %%Y %%y %%m %%d %%e %%j %%b %%B %%a %%A %%H %%I %%M %%S %%f %%p "
                       "%%z %%Z %%u %%G %%V %%q %%s %%F %%T %%%%");
}

bool date_format_has_zone(const char *format) {
  char bad = 0;
  unsigned named = date_fields_of(format, &bad);
  return has(named, OFFSET) || has(named, EPOCH);
}

/* The index of the name at the reader, which may be cut to `shortest` letters (0: may not). */
static int take_name(reader *r, const char *const *names, size_t shortest) {
  size_t left = (size_t)(r->end - r->at);
  for (int i = 0; names[i]; i++) {
    size_t whole = strlen(names[i]);
    if (left >= whole && strncasecmp(r->at, names[i], whole) == 0) return r->at += whole, i;
  }
  for (int i = 0; shortest && names[i]; i++)
    if (left >= shortest && strncasecmp(r->at, names[i], shortest) == 0)
      return r->at += shortest, i;
  return -1;
}

/* At least `least` and at most `most` digits; -1 when there are fewer. */
static int take_number(reader *r, int least, int most) {
  int n = 0, count = 0;
  for (; count < most && r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++, count++)
    n = n * 10 + (*r->at - '0');
  return count >= least ? n : -1;
}

static int take_fraction(reader *r) {
  const char *start = r->at;
  int n = take_number(r, 1, 9);
  if (n < 0) return -1;
  for (long i = r->at - start; i < 3; i++) n *= 10;
  for (long i = r->at - start; i > 3; i--) n /= 10;
  return n;
}

/* "Z", "+03", "+0300" or "+03:00" in minutes. */
static int take_offset(reader *r, int *minutes) {
  *minutes = 0;
  if (take_name(r, UTC_NAMES, 0) >= 0) return *minutes = 0, 0; /* RFC 822, section 5 */
  if (r->at >= r->end || (*r->at != '+' && *r->at != '-')) return -1;
  int sign = *r->at++ == '-' ? -1 : 1;
  int h = take_number(r, 2, 2), m = 0;
  bool colon = r->at < r->end && *r->at == ':';
  if (colon) r->at++;
  if (colon || (r->at < r->end && *r->at >= '0' && *r->at <= '9')) m = take_number(r, 2, 2);
  if (h < 0 || h > 23 || m < 0 || m > 59) return -1;
  *minutes = sign * (h * 60 + m);
  return 0;
}

/* Seconds since 1970, with a sign or a fraction if they like. */
static int take_epoch(reader *r, int64_t *ms) {
  int64_t n = 0;
  bool back = r->at < r->end && *r->at == '-';
  if (back) r->at++;
  const char *start = r->at;
  for (; r->at < r->end && *r->at >= '0' && *r->at <= '9' && r->at - start < 13; r->at++)
    n = n * 10 + (*r->at - '0');
  if (r->at == start) return -1;
  n *= 1000;
  if (r->at < r->end && *r->at == '.') {
    r->at++;
    int fraction = take_fraction(r);
    if (fraction < 0) return -1;
    n += fraction;
  }
  *ms = back ? -n : n;
  return *ms < TIMESTAMP_MIN || *ms > TIMESTAMP_MAX ? -1 : 0;
}

static int take_value(reader *r, const date_conversion *c, int *out) {
  if (c->letter == 'f') return (*out = take_fraction(r)) < 0 ? -1 : 0;
  if (c->letter == 'z') return take_offset(r, out);
  if (c->letter == 'Z') return *out = 0, take_name(r, UTC_NAMES, 0) < 0 ? -1 : 0;
  if (c->letter == 'e' && r->at < r->end && *r->at == ' ') r->at++;
  if (c->most > 0)
    *out = take_number(r, c->least, c->most);
  else if (c->to == MONTH)
    *out = take_name(r, DATE_MONTHS, 3) + 1;
  else if (c->to == WEEKDAY)
    *out = take_name(r, DATE_WEEKDAYS, 3);
  else
    *out = take_name(r, DATE_HALVES, 0);
  if (c->most > 0 && (*out < c->low || *out > c->high)) return -1;
  if (c->letter == 'u') --*out;
  if (c->most > 0) return 0;
  return *out < (c->to == MONTH ? 1 : 0) ? -1 : 0;
}

/* A field that comes twice must say the same twice. */
static int take_field(reader *r, const date_conversion *c, parts *p) {
  int n = 0;
  if (!c) return -1;
  int bad = c->to == EPOCH ? take_epoch(r, &p->epoch) : take_value(r, c, &n);
  if (bad) return -1;
  if (has(p->named, c->to) && p->of[c->to] != n) return -1;
  p->of[c->to] = n;
  p->named |= 1u << c->to;
  return 0;
}

/* A blank in the format stands for one or more of them, all else for itself. */
static int take_plain(reader *r, char c) {
  if (r->at >= r->end || *r->at != c) return -1;
  r->at++;
  while (c == ' ' && r->at < r->end && *r->at == ' ') r->at++;
  return 0;
}

static int take_all(reader *r, const char *format, parts *p) {
  for (const char *f = format; *f; f++) {
    int result;
    if (*f != '%')
      result = take_plain(r, *f);
    else if (*++f == '%')
      result = take_plain(r, '%');
    else if (date_expansion(*(f = date_skip_flag(f))))
      result = take_all(r, date_expansion(*f), p);
    else
      result = take_field(r, date_find(*f), p);
    if (result != 0) return -1;
  }
  return 0;
}

/* The Monday of an ISO week, or its named weekday. Week 1 has the 4th of January in it. */
static int date_of_week(const parts *p, int32_t *date) {
  int year, month, day;
  int32_t fourth;
  date_make(p->of[WEEK_YEAR], 1, 4, &fourth);
  int32_t monday = fourth - date_weekday(fourth) + 7 * (p->of[WEEK] - 1);
  date_split(monday + 3, &year, &month, &day);
  if (year != p->of[WEEK_YEAR]) return -1; /* week 53 of a year that has none */
  *date = monday + (has(p->named, WEEKDAY) ? p->of[WEEKDAY] : 0);
  return *date < DATE_MIN || *date > DATE_MAX ? -1 : 0;
}

static int date_of_parts(const parts *p, int32_t *date) {
  const int *of = p->of;
  if (has(p->named, WEEK)) return date_of_week(p, date);
  int year = of[YEAR], last = has(p->named, SHORT_YEAR) ? of[SHORT_YEAR] : -1;
  if (!has(p->named, YEAR))
    year = last >= 69 ? 1900 + last : 2000 + last;
  else if (last >= 0 && year % 100 != last)
    return -1;
  int quarter = has(p->named, QUARTER) ? of[QUARTER] : 1;
  int month = has(p->named, MONTH) ? of[MONTH] : 3 * quarter - 2,
      day = has(p->named, DAY) ? of[DAY] : 1;
  if (date_make(year, month, day, date) != 0) return -1;
  if (has(p->named, YEAR_DAY)) *date += of[YEAR_DAY] - 1;
  int y, m, d;
  date_split(*date, &y, &m, &d);
  if (y != year) return -1; /* day 366 of a year that has none */
  return has(p->named, WEEKDAY) && date_weekday(*date) != of[WEEKDAY] ? -1 : 0;
}

static int64_t time_of_parts(const parts *p) {
  const int *of = p->of;
  if (!has_time(p->named)) return -1;
  int hour = has(p->named, HOUR) ? of[HOUR] : of[HOUR_12] % 12 + 12 * of[HALF];
  return (hour * 60LL + of[MINUTE]) * 60000 + of[SECOND] * 1000LL + of[FRACTION];
}

int date_parse(const char *text, size_t size, const char *format, int32_t *date, int64_t *ms) {
  parts p = {0};
  reader r = {text, text + size};
  int32_t day;
  if (take_all(&r, format, &p) != 0 || r.at != r.end || complaint(p.named)) return -1;
  if (has(p.named, EPOCH)) return *date = date_of(p.epoch, ms), 0;
  if (date_of_parts(&p, &day) != 0) return DATE_NO_SUCH_DAY;
  int64_t time = time_of_parts(&p);
  if (has(p.named, OFFSET)) {
    int64_t utc = day * DATE_DAY_MS + time - p.of[OFFSET] * 60000LL;
    if (utc < TIMESTAMP_MIN || utc > TIMESTAMP_MAX) return -1;
    day = date_of(utc, &time);
  }
  *date = day;
  *ms = time;
  return 0;
}
