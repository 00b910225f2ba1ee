/* rows_cell.c -- see rows_cell.h.
 *
 * SPDX-License-Identifier: MIT */
#include "script/rows_cell.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "format/date.h"
#include "format/json.h"
#include "format/zone.h"

/* ── Numbers ── */

#define MINUS "\xe2\x88\x92" /* U+2212, as statistical offices print it */

typedef struct digits {
  const char *at, *end;
  char *out;
  size_t size;
  bool whole; /* nothing but noughts behind the decimal mark, and no exponent */
} digits;

static bool put(digits *d, char c) {
  if (d->size + 1 >= CELL_SCRATCH) return false;
  d->out[d->size++] = c;
  return true;
}

static bool is_digit(const digits *d) { return d->at < d->end && *d->at >= '0' && *d->at <= '9'; }

/* Bytes of a thousands mark at `at`: the other of . and , or ' or a space, a no-break space (C2 A0), a
 * narrow one (E2 80 AF); 0 when there is none. */
static size_t thousands_mark(const digits *d, char decimal) {
  size_t left = (size_t)(d->end - d->at);
  char other = decimal == ',' ? '.' : ',';
  if (!decimal || !left) return 0;
  if (*d->at == other || *d->at == '\'' || *d->at == ' ') return 1;
  if (left >= 2 && memcmp(d->at, "\xc2\xa0", 2) == 0) return 2;
  if (left >= 3 && memcmp(d->at, "\xe2\x80\xaf", 3) == 0) return 3;
  return 0;
}

/* Digits in one run, or in groups of which each but the first has exactly three. */
static bool take_whole(digits *d, char decimal, size_t *taken) {
  size_t group = 0, mark;
  bool grouped = false;
  for (*taken = 0;;) {
    for (; is_digit(d); d->at++, group++, ++*taken)
      if (!put(d, *d->at)) return false;
    if (grouped && group != 3) return false;
    if (!(mark = thousands_mark(d, decimal))) return true;
    if (group < 1 || group > 3) return false;
    d->at += mark;
    grouped = true;
    group = 0;
  }
}

static bool take_fraction(digits *d, char decimal, size_t *taken) {
  *taken = 0;
  if (d->at == d->end || *d->at != (decimal ? decimal : '.')) return true;
  d->at++;
  if (!put(d, '.')) return false;
  for (; is_digit(d); d->at++, ++*taken) {
    if (*d->at != '0') d->whole = false;
    if (!put(d, *d->at)) return false;
  }
  return *taken > 0;
}

static bool take_exponent(digits *d) {
  if (d->at == d->end || (*d->at != 'e' && *d->at != 'E')) return true;
  d->whole = false;
  if (!put(d, *d->at++)) return false;
  if (d->at < d->end && (*d->at == '-' || *d->at == '+') && !put(d, *d->at++)) return false;
  if (!is_digit(d)) return false;
  for (; is_digit(d); d->at++)
    if (!put(d, *d->at)) return false;
  return true;
}

/* The number in JSON's form, in out. */
static bool normalise(const char *text, size_t size, char decimal, digits *d, char *out) {
  size_t before, after;
  *d = (digits){text, text + size, out, 0, true};
  if (decimal && size >= 3 && memcmp(text, MINUS, 3) == 0) {
    put(d, '-');
    d->at += 3;
  } else if (size && (*text == '-' || *text == '+')) {
    if (*text == '-') put(d, '-');
    d->at++;
  }
  size_t start = d->size;
  put(d, '0'); /* ".5" is 0.5, and a leading nought does no harm below */
  if (!take_whole(d, decimal, &before) || !take_fraction(d, decimal, &after)) return false;
  if (!before && !after) return false;
  if (!take_exponent(d) || d->at != d->end) return false;
  out[d->size] = '\0';
  size_t zeros = strspn(out + start, "0");
  if (zeros == d->size - start || out[start + zeros] == '.' || out[start + zeros] == 'e' ||
      out[start + zeros] == 'E')
    zeros--;
  memmove(out + start, out + start + zeros, d->size - start - zeros);
  d->size -= zeros;
  out[d->size] = '\0';
  return true;
}

/* The usual number at once: digits, perhaps a decimal mark and more digits, 18 at most, no more. */
static bool read_plain(const cell_rule *rule, const char *text, size_t size, bool *minus,
                       uint64_t *whole, int *scale) {
  const char mark = rule->decimal ? rule->decimal : '.';
  size_t at = size && *text == '-', behind = 0;
  *minus = at > 0;
  *whole = 0;
  if (size - at > 19 || size == at || text[size - 1] == mark) return false;
  for (; at < size; at++) {
    unsigned digit = (unsigned)(unsigned char)text[at] - '0';
    if (digit > 9 && (text[at] != mark || behind)) return false;
    if (digit <= 9) *whole = *whole * 10 + digit;
    behind += digit > 9 || behind;
  }
  *scale = behind ? (int)behind - 1 : 0;
  return true;
}

static int read_real(const cell_rule *rule, const char *text, size_t size, char *scratch,
                     value *out) {
  digits d;
  bool minus;
  uint64_t n;
  int scale;
  double exact;
  if (read_plain(rule, text, size, &minus, &n, &scale) && json_exact_real(n, -scale, &exact))
    return *out = value_real(minus ? -exact : exact), 0;
  if (!normalise(text, size, rule->decimal, &d, scratch)) return -1;
  double x = json_parse_real(scratch, d.size);
  if (!isfinite(x)) return -1;
  *out = value_real(x);
  return 0;
}

static int read_integer(const cell_rule *rule, const char *text, size_t size, char *scratch,
                        value *out) {
  digits d;
  bool minus;
  uint64_t plain;
  int scale;
  if (read_plain(rule, text, size, &minus, &plain, &scale) && !scale && plain < INT64_MAX)
    return *out = value_integer(minus ? -(int64_t)plain : (int64_t)plain), 0;
  if (!normalise(text, size, rule->decimal, &d, scratch) || !d.whole) return -1;
  errno = 0;
  long long n = strtoll(scratch, NULL, 10);
  if (errno) return -1;
  *out = value_integer(n);
  return 0;
}

/* ── The rest ── */

static int read_boolean(const char *text, size_t size, value *out) {
  static const char *const words[] = {"true", "false", "yes", "no", "1", "0"};
  for (size_t i = 0; i < 6; i++) {
    if (!text_equal_fold_bytes(text, size, words[i], strlen(words[i]))) continue;
    *out = value_boolean(i % 2 == 0);
    return 0;
  }
  return -1;
}

/* The first format that fits, or NULL: the date, and the time of that day in ms (-1: none). */
static const char *read_formatted(const cell_rule *rule, const char *text, size_t size,
                                  int32_t *date, int64_t *ms) {
  for (const char *const *format = rule->dates; *format; format++)
    if (date_parse(text, size, *format, date, ms) == 0) return *format;
  return NULL;
}

static int read_date(const cell_rule *rule, const char *text, size_t size, char *scratch,
                     value *out) {
  int32_t date;
  int64_t ms;
  if (!rule->dates[0] && date_read(text, size, &date) == 0)
    return *out = value_bytes(text, size), 0; /* it takes nothing else */
  if (!read_formatted(rule, text, size, &date, &ms)) return -1;
  date_write(date, scratch);
  *out = value_text(scratch);
  return 0;
}

/* RFC 3339 without an offset: what the zone's wall shows. */
static int read_wall(const struct zone *wall, const char *text, size_t size, int64_t *ms) {
  char with[CELL_SCRATCH];
  if (!wall || size + 2 > sizeof with) return -1;
  memcpy(with, text, size);
  with[size] = 'Z';
  if (timestamp_parse(with, size + 1, ms) < 0) return -1;
  *ms = zone_instant(wall, *ms);
  return *ms < TIMESTAMP_MIN || *ms > TIMESTAMP_MAX ? -1 : 0;
}

static int read_timestamp(const cell_rule *rule, const char *text, size_t size, char *scratch,
                          value *out) {
  int32_t date;
  int64_t ms = -1;
  const char *format = read_formatted(rule, text, size, &date, &ms);
  if (format && ms >= 0) {
    ms += date * DATE_DAY_MS;
    if (rule->zone && !date_format_has_zone(format)) ms = zone_instant(rule->zone, ms);
    if (ms < TIMESTAMP_MIN || ms > TIMESTAMP_MAX) return -1;
  } else if (timestamp_read(text, size, &ms) < 0 && read_wall(rule->zone, text, size, &ms) < 0)
    return -1;
  timestamp_write(ms, scratch);
  *out = value_text(scratch);
  return 0;
}

int cell_read(const cell_rule *rule, shape_type type, const char *text, size_t size,
              char scratch[CELL_SCRATCH], value *out) {
  switch (type) {
  case SHAPE_INTEGER: return read_integer(rule, text, size, scratch, out);
  case SHAPE_REAL: return read_real(rule, text, size, scratch, out);
  case SHAPE_BOOLEAN: return read_boolean(text, size, out);
  case SHAPE_DATE: return read_date(rule, text, size, scratch, out);
  case SHAPE_TIMESTAMP: return read_timestamp(rule, text, size, scratch, out);
  default: *out = value_bytes(text, size); return 0;
  }
}
