/* date.h -- dates and instants, and the texts that they are written as.
 *
 * A date is a count of days since 1970-01-01, an instant a count of milliseconds since then in UTC;
 * both are plain integers. Only the Gregorian years 1 to 9999 exist. Readers are strict: the whole
 * text, real days only, 0 or -1 and nothing changed. Nothing here allocates, knows time zones
 * (zone.h) or asks for the time.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FORMAT_DATE_H
#define DTS_FORMAT_DATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "format/value.h"

#define DATE_MIN      (-719162) /* 0001-01-01 */
#define DATE_MAX      2932896   /* 9999-12-31 */
#define DATE_DAY_MS   86400000LL
#define TIMESTAMP_MIN (DATE_MIN * DATE_DAY_MS)
#define TIMESTAMP_MAX (DATE_MAX * DATE_DAY_MS + DATE_DAY_MS - 1)

/* Days. Weekdays count from Monday, 0, to Sunday, 6. */
int date_make(int year, int month, int day, int32_t *out);
void date_split(int32_t date, int *year, int *month, int *day);
int date_weekday(int32_t date);
int date_month_days(int year, int month);
/* An instant's date in UTC; ms_of_day may be NULL. */
int32_t date_of(int64_t ms, int64_t *ms_of_day);

/* Canonical texts. */
int date_read(const char *text, size_t size, int32_t *date); /* YYYY-MM-DD and no other */
void date_write(int32_t date, char out[11]);
value date_value(arena *a, int32_t date);
/* RFC 3339, any offset, 'T' or a space, fraction optional (cut to ms), offset required. */
int timestamp_read(const char *text, size_t size, int64_t *ms);
int timestamp_parse(const char *text, size_t size, int64_t *ms); /* the seconds may be absent too */
void timestamp_write(int64_t ms, char out[25]);                  /* YYYY-MM-DDTHH:MM:SS.mmmZ */
value timestamp_value(arena *a, int64_t ms);

/* Texts of a format: %Y %y %m %d %e %j %b %B %a %A (English) %H %I %M %S %f %p %z %Z %F %T %%, ISO
 * weeks %G %V %u, quarters %q, seconds since 1970 %s. Numbers of two digits may be read with one, and
 * are written without a nought by %-d; %Y needs four; a missing month or day is the first; %y 69-99 is
 * 19xx; a named weekday must be the date's. `ms` is -1 when the format has no time. A format with %z,
 * %Z or %s (date_format_has_zone) gives date and time in UTC. */
int date_format_check(const char *format, dts_error *e); /* what date_parse can read */
bool date_format_has_zone(const char *format);
enum { DATE_NO_SUCH_DAY = -2 }; /* from date_parse: well written, but not in the calendar */
int date_parse(const char *text, size_t size, const char *format, int32_t *date, int64_t *ms);
int date_format(int32_t date, int64_t ms, const char *format, buffer *out); /* ms -1: midnight */
/* Date and time on a wall that is `*offset` seconds ahead of UTC (NULL: UTC's own). */
int date_format_at(int32_t date, int64_t ms, const int *offset, const char *format, buffer *out);

/* Periods, each named by its first day. Weeks are ISO's and begin on Mondays. */
typedef enum date_period { DATE_DAY, DATE_WEEK, DATE_MONTH, DATE_QUARTER, DATE_YEAR } date_period;
int date_period_read(const char *word, date_period *period); /* "day" "week" "month" ... */
int32_t date_period_start(int32_t date, date_period period);
int32_t date_period_next(int32_t date, date_period period); /* the start of the one after */

/* HTTP dates, RFC 9110 section 5.6.7. The old two-digit form needs `now_ms` to know its century. */
int http_date_read(const char *text, size_t size, int64_t now_ms, int64_t *ms);
void http_date_write(int64_t ms, char out[30]);

#endif
