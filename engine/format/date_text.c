/* date_text.c -- dates and times in a format that the data's owner chose.
 *
 * A format is read twice: once for the fields that it names (a wrong one is refused before any data
 * is looked at), once against each text. Nothing depends on the locale; names are English. `%f` is
 * read with one to nine digits and written with three. A format with a zone yields UTC.
 *
 * SPDX-License-Identifier: MIT */
#include "format/date.h"

#include <string.h>
#include <strings.h>

typedef enum field {
  YEAR,
  SHORT_YEAR,
  MONTH,
  DAY,
  YEAR_DAY,
  WEEKDAY,
  HOUR,
  HOUR_12,
  HALF,
  MINUTE,
  SECOND,
  FRACTION,
  OFFSET,
  FIELD_COUNT
} field;

/* Fields read so far; bit n of `named` says that field n has come. OFFSET is in minutes. */
typedef struct parts {
  int of[FIELD_COUNT];
  unsigned named;
} parts;

typedef struct reader {
  const char *at, *end;
} reader;

typedef struct conversion {
  char letter;
  field to;
  int least, most; /* digits; 0 for names */
  int low, high;
} conversion;

static const conversion CONVERSIONS[] = {
    {'Y', YEAR, 4, 4, 1, 9999},   {'y', SHORT_YEAR, 2, 2, 0, 99}, {'m', MONTH, 1, 2, 1, 12},
    {'d', DAY, 1, 2, 1, 31},      {'e', DAY, 1, 2, 1, 31},        {'j', YEAR_DAY, 1, 3, 1, 366},
    {'H', HOUR, 1, 2, 0, 23},     {'I', HOUR_12, 1, 2, 1, 12},    {'M', MINUTE, 1, 2, 0, 59},
    {'S', SECOND, 1, 2, 0, 59},   {'f', FRACTION, 1, 9, 0, 999},  {'b', MONTH, 0, 0, 0, 0},
    {'B', MONTH, 0, 0, 0, 0},     {'a', WEEKDAY, 0, 0, 0, 0},     {'A', WEEKDAY, 0, 0, 0, 0},
    {'p', HALF, 0, 0, 0, 0},      {'z', OFFSET, 0, 0, 0, 0},      {'Z', OFFSET, 0, 0, 0, 0},
    {0, FIELD_COUNT, 0, 0, 0, 0},
};

static const char *const MONTHS[] = {"January",  "February", "March",  "April",     "May",
                                     "June",     "July",     "August", "September", "October",
                                     "November", "December", NULL};
static const char *const WEEKDAYS[] = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                       "Friday", "Saturday", "Sunday",    NULL};
static const char *const HALVES[] = {"AM", "PM", NULL};
static const char *const UTC_NAMES[] = {"UTC", "GMT", "Z", NULL};

static const conversion *find(char letter) {
  const conversion *c = CONVERSIONS;
  while (c->letter && c->letter != letter) c++;
  return c->letter && letter ? c : NULL;
}

/* The format that a conversion is short for, or NULL. */
static const char *expansion(char letter) {
  return letter == 'F' ? "%Y-%m-%d" : letter == 'T' ? "%H:%M:%S" : NULL;
}

/* The set of fields that a format names; the letter that it should not have in `*bad`. */
static unsigned fields_of(const char *format, char *bad) {
  unsigned named = 0;
  for (const char *f = format; *f; f++) {
    if (*f != '%' || *++f == '%') continue;
    const conversion *c = find(*f);
    if (expansion(*f))
      named |= fields_of(expansion(*f), bad);
    else if (c)
      named |= 1u << c->to;
    else if (*bad == 0)
      *bad = *f ? *f : '%';
    if (!*f) break;
  }
  return named;
}

static bool has(unsigned named, field f) { return named >> f & 1; }

static bool has_time(unsigned named) { return has(named, HOUR) || has(named, HOUR_12); }

/* What is wrong with a set of fields, NULL when nothing is. */
static const char *complaint(unsigned n) {
  if (!has(n, YEAR) && !has(n, SHORT_YEAR)) return "it has no year (%Y or %y)";
  if (has(n, DAY) && !has(n, MONTH)) return "it has a day but no month (%m, %b or %B)";
  if (has(n, YEAR_DAY) && has(n, MONTH)) return "it has both a month and a day of the year (%j)";
  if (has(n, HOUR_12) != has(n, HALF)) return "%I and %p only make an hour together";
  if (has(n, HOUR) && has(n, HOUR_12)) return "it has two hours (%H and %I)";
  if (has(n, MINUTE) && !has_time(n)) return "it has minutes but no hour (%H, or %I and %p)";
  if (has(n, SECOND) && !has(n, MINUTE)) return "it has seconds but no minutes (%M)";
  if (has(n, FRACTION) && !has(n, SECOND)) return "it has a fraction but no seconds (%S)";
  if (has(n, OFFSET) && !has_time(n)) return "it has a zone but no hour (%H, or %I and %p)";
  return NULL;
}

int date_format_check(const char *format, dts_error *e) {
  char bad = 0;
  unsigned named = fields_of(format, &bad);
  const char *why = complaint(named);
  if (bad)
    error_fail(e, "DATE_FORMAT", "date format '%s': '%%%c' is not known", format, bad);
  else if (why)
    error_fail(e, "DATE_FORMAT", "date format '%s': %s", format, why);
  else
    return 0;
  return error_hint(e, "there are %%Y %%y %%m %%d %%e %%j %%b %%B %%a %%A %%H %%I %%M %%S %%f %%p "
                       "%%z %%Z %%F %%T %%%%");
}

bool date_format_has_zone(const char *format) {
  char bad = 0;
  return has(fields_of(format, &bad), OFFSET);
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
  if (r->at < r->end && (*r->at == 'Z' || *r->at == 'z')) return r->at++, 0;
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

static int take_value(reader *r, const conversion *c, int *out) {
  if (c->letter == 'f') return (*out = take_fraction(r)) < 0 ? -1 : 0;
  if (c->letter == 'z') return take_offset(r, out);
  if (c->letter == 'Z') return *out = 0, take_name(r, UTC_NAMES, 0) < 0 ? -1 : 0;
  if (c->letter == 'e' && r->at < r->end && *r->at == ' ') r->at++;
  if (c->most > 0)
    *out = take_number(r, c->least, c->most);
  else if (c->to == MONTH)
    *out = take_name(r, MONTHS, 3) + 1;
  else if (c->to == WEEKDAY)
    *out = take_name(r, WEEKDAYS, 3);
  else
    *out = take_name(r, HALVES, 0);
  if (c->most > 0) return *out >= c->low && *out <= c->high ? 0 : -1;
  return *out < (c->to == MONTH ? 1 : 0) ? -1 : 0;
}

/* A field that comes twice must say the same twice. */
static int take_field(reader *r, const conversion *c, parts *p) {
  int n;
  if (!c || take_value(r, c, &n) != 0) return -1;
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
    else if (expansion(*f))
      result = take_all(r, expansion(*f), p);
    else
      result = take_field(r, find(*f), p);
    if (result != 0) return -1;
  }
  return 0;
}

static int date_of_parts(const parts *p, int32_t *date) {
  const int *of = p->of;
  int year = of[YEAR], last = has(p->named, SHORT_YEAR) ? of[SHORT_YEAR] : -1;
  if (!has(p->named, YEAR))
    year = last >= 69 ? 1900 + last : 2000 + last;
  else if (last >= 0 && year % 100 != last)
    return -1;
  int month = has(p->named, MONTH) ? of[MONTH] : 1, day = has(p->named, DAY) ? of[DAY] : 1;
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
  if (date_of_parts(&p, &day) != 0) return -1;
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

static void write_field(char letter, int32_t date, const int v[FIELD_COUNT], buffer *out) {
  switch (letter) {
  case 'Y': buffer_add_format(out, "%04d", v[YEAR]); break;
  case 'y': buffer_add_format(out, "%02d", v[YEAR] % 100); break;
  case 'e': buffer_add_format(out, "%2d", v[DAY]); break;
  case 'j': buffer_add_format(out, "%03d", v[YEAR_DAY]); break;
  case 'f': buffer_add_format(out, "%03d", v[FRACTION]); break;
  case 'b': buffer_add_format(out, "%.3s", MONTHS[v[MONTH] - 1]); break;
  case 'B': buffer_add_text(out, MONTHS[v[MONTH] - 1]); break;
  case 'a': buffer_add_format(out, "%.3s", WEEKDAYS[date_weekday(date)]); break;
  case 'A': buffer_add_text(out, WEEKDAYS[date_weekday(date)]); break;
  case 'p': buffer_add_text(out, HALVES[v[HALF]]); break;
  case 'z': buffer_add_text(out, "+0000"); break;
  case 'Z': buffer_add_text(out, "UTC"); break;
  default: buffer_add_format(out, "%02d", v[find(letter)->to]); break;
  }
}

static void write_all(const char *format, int32_t date, const int v[FIELD_COUNT], buffer *out) {
  for (const char *f = format; *f; f++) {
    if (*f != '%')
      buffer_add_char(out, *f);
    else if (*++f == '%')
      buffer_add_char(out, '%');
    else if (expansion(*f))
      write_all(expansion(*f), date, v, out);
    else
      write_field(*f, date, v, out);
  }
}

int date_format(int32_t date, int64_t ms, const char *format, buffer *out) {
  int v[FIELD_COUNT] = {0};
  char bad = 0;
  int32_t first;
  int time = ms < 0 || ms >= DATE_DAY_MS ? 0 : (int)ms;
  fields_of(format, &bad);
  if (bad) return -1;
  date_split(date, &v[YEAR], &v[MONTH], &v[DAY]);
  date_make(v[YEAR], 1, 1, &first);
  v[YEAR_DAY] = date - first + 1;
  v[HOUR] = time / 3600000, v[HOUR_12] = (v[HOUR] + 11) % 12 + 1, v[HALF] = v[HOUR] >= 12;
  v[MINUTE] = time / 60000 % 60, v[SECOND] = time / 1000 % 60, v[FRACTION] = time % 1000;
  write_all(format, date, v, out);
  return out->failed ? -1 : 0;
}
