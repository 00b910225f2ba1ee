/* rows_cell_words.c -- what is said of a field that does not fit its column: what was expected, and
 * which option would have read it.
 *
 * An option is named only where it reads this very text: it is tried. It must not be called for values
 * that fit: it is slow beside reading.
 *
 * SPDX-License-Identifier: MIT */
#include "script/rows_cell.h"

#include <stdio.h>
#include <string.h>

#include "format/date.h"

/* " like FORMAT or FORMAT" of the first two formats, or else `usual`. */
static void say_dates(const cell_rule *rule, const char *kind, const char *usual, char out[128]) {
  const char *first = rule->dates[0], *second = first ? rule->dates[1] : NULL;
  snprintf(out, 128, "%s like %.45s%s%.45s", kind, first ? first : usual, second ? " or " : "",
           second ? second : "");
}

const char *cell_expected(const cell_rule *rule, shape_type type, char out[128]) {
  const char *mark = rule->decimal == ',' ? " with a decimal comma" : "";
  switch (type) {
  case SHAPE_INTEGER: snprintf(out, 128, "a whole number"); break;
  case SHAPE_REAL: snprintf(out, 128, "a number%s", mark); break;
  case SHAPE_BOOLEAN: snprintf(out, 128, "true or false"); break;
  case SHAPE_DATE: say_dates(rule, "a date", "2024-02-29", out); break;
  case SHAPE_TIMESTAMP:
    if (rule->dates[0] || rule->zone)
      say_dates(rule, "a timestamp", "2024-02-29T13:00:00", out);
    else
      snprintf(out, 128, "a timestamp with an offset, such as 2024-02-29T13:00:00Z");
    break;
  case SHAPE_JSON: snprintf(out, 128, "JSON"); break;
  default: snprintf(out, 128, "text without NUL");
  }
  return out;
}

/* ── What would read it ── */

static bool mark_reads(const cell_rule *rule, char decimal, shape_type type, const char *text,
                       size_t size) {
  char scratch[CELL_SCRATCH];
  value v;
  cell_rule other = *rule;
  other.decimal = decimal;
  return rule->decimal != decimal && cell_read(&other, type, text, size, scratch, &v) == 0;
}

static bool format_reads(const char *format, const char *text, size_t size) {
  int32_t date;
  int64_t ms;
  return date_parse(text, size, format, &date, &ms) == 0;
}

/* The first usual way to write a day, with a time of day behind it where `timed`, that reads it. */
static bool guess_format(const char *text, size_t size, bool timed, char out[32]) {
  static const char *const days[] = {"%d.%m.%Y",  "%d/%m/%Y",  "%m/%d/%Y",  "%Y-%m-%d", "%Y/%m/%d",
                                     "%Y.%m.%d",  "%d-%m-%Y",  "%Y%m%d",    "%d.%m.%y", "%d/%m/%y",
                                     "%m/%d/%y",  "%d %b %Y",  "%d-%b-%Y",  "%d-%b-%y", "%d %B %Y",
                                     "%d. %B %Y", "%b %d, %Y", "%B %d, %Y", "%Y-%m",    "%m/%Y"};
  static const char *const times[] = {"", " %H:%M:%S", " %H:%M", "T%H:%M:%S", "T%H:%M"};
  size_t first = timed ? 1 : 0, end = timed ? sizeof times / sizeof *times : 1;
  for (size_t i = 0; i < sizeof days / sizeof *days; i++)
    for (size_t j = first; j < end; j++) {
      snprintf(out, 32, "%s%s", days[i], times[j]);
      if (format_reads(out, text, size)) return true;
    }
  return false;
}

/* "01/02/2024": which of the two is the day nobody can see. */
static const char *say_months_first(const char *format, const char *text, size_t size) {
  char other[32];
  if (strncmp(format, "%d/%m/", 6) != 0) return "";
  snprintf(other, sizeof other, "%%m/%%d/%s", format + 6);
  return format_reads(other, text, size) ? ", %m/%d where the month stands first" : "";
}

/* RFC 3339, but for its offset. */
static bool lacks_offset(const char *text, size_t size) {
  char with[CELL_SCRATCH];
  int64_t ms;
  if (size + 2 > sizeof with) return false;
  memcpy(with, text, size);
  with[size] = 'Z';
  return timestamp_parse(with, size + 1, &ms) == 0;
}

static const char *cure_date(const cell_rule *rule, shape_type type, const char *text, size_t size,
                             char out[CELL_HINT]) {
  char format[32];
  bool timed = type == SHAPE_TIMESTAMP;
  const char *zone = timed && !rule->zone ? ", timezone = \"Europe/Berlin\" says whose clock" : "";
  if (timed && !rule->zone && lacks_offset(text, size))
    return "timezone = \"Europe/Berlin\" would read it, as the clock there shows";
  if (!guess_format(text, size, timed, format)) return NULL;
  snprintf(out, CELL_HINT, "dates = \"%s\" would read it%s%s%s", format,
           say_months_first(format, text, size), rule->dates[0] ? "; several may be given" : "",
           zone);
  return out;
}

const char *cell_cure(const cell_rule *rule, shape_type type, const char *text, size_t size,
                      char out[CELL_HINT]) {
  bool number = type == SHAPE_INTEGER || type == SHAPE_REAL;
  if (number && mark_reads(rule, ',', type, text, size)) return "decimal = \",\" would read it";
  if (number && mark_reads(rule, '.', type, text, size)) return "decimal = \".\" would read it";
  bool dated = type == SHAPE_DATE || type == SHAPE_TIMESTAMP;
  return dated ? cure_date(rule, type, text, size, out) : NULL;
}
