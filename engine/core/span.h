/* span.h -- missing dates into the fewest spans.
 *
 * The caller lays out the calendar: the expected days of one key in ascending order (days since
 * 1970-01-01, weekends and holidays left out) and beside each what is known of it. Neighbours in
 * that array are contiguous, so Friday and Monday are. A span begins and ends with a missing day;
 * it may run across at most `bridge` present days in a row, never across a barred one, and covers
 * at most `max_days` days of the ordinary calendar. Extending each span as far as it goes gives
 * the fewest: every part of an allowed span is allowed. Nothing is allocated.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_CORE_SPAN_H
#define DTS_CORE_SPAN_H

#include <stddef.h>
#include <stdint.h>

typedef enum span_mark {
  SPAN_MISSING, /* wanted */
  SPAN_PRESENT, /* there, or absent for good: may be bridged */
  SPAN_BARRED   /* held by an open job, or in quarantine: a span ends before it */
} span_mark;

typedef struct span {
  int32_t from, to;    /* both missing days */
  size_t first, count; /* the stretch expected[first .. first+count) */
  size_t missing;      /* wanted days in it */
} span;

/* Writes at most `room` spans and returns how many there are (out may be NULL when room is 0).
 * marks[i] is a span_mark of expected[i]; max_days <= 0 is no limit; n spans always suffice. */
size_t span_group(const int32_t *expected, const uint8_t *marks, size_t n, size_t bridge,
                  int32_t max_days, span *out, size_t room);

/* The wanted days inside a span, in order; writes s->missing of them and returns that. */
size_t span_dates(const span *s, const int32_t *expected, const uint8_t *marks, int32_t *out);

#endif
