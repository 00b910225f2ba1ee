/* date_fields.h -- what a format of dates is made of; for its reader (date_text.c) and its writer
 * (date_write.c), nobody else.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FORMAT_DATE_FIELDS_H
#define DTS_FORMAT_DATE_FIELDS_H

#include "format/date.h"

typedef enum date_field {
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
  WEEK_YEAR,
  WEEK,
  QUARTER,
  EPOCH,
  FIELD_COUNT
} date_field;

typedef struct date_conversion {
  char letter;
  date_field to;
  int least, most; /* digits; 0 for names */
  int low, high;
} date_conversion;

extern const char *const DATE_MONTHS[13], *const DATE_WEEKDAYS[8], *const DATE_HALVES[3];

const date_conversion *date_find(char letter);
const char *date_expansion(char letter);   /* the format that a letter is short for, or NULL */
const char *date_skip_flag(const char *f); /* "%-d" is "%d" without a leading nought */
/* The set of fields that a format names; the letter that it should not have in `*bad`. */
unsigned date_fields_of(const char *format, char *bad);

#endif
