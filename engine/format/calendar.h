/* calendar.h -- which dates a series is expected to have.
 *
 * A named rule plus dates taken out (`closed`) and dates put in (`open`; these win). Named are
 * "daily", "weekdays", "week" (Mondays) and each day of the week ("friday"), the first days of
 * "month", "quarter" and "year", "month-end", "none" (only dates put in), the bank days of "BR" and
 * "TARGET", the trading days of "B3", "NYSE" and "LSE". Holidays come from rules and, for days that
 * no rule foretells, from a table with their reason. A calendar belongs to its maker until
 * calendar_free(), keeps copies of the lists, and never changes: threads may share it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FORMAT_CALENDAR_H
#define DTS_FORMAT_CALENDAR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

typedef struct calendar calendar;

/* NULL: CALENDAR, with the nearest name as a hint. The lists may be in any order. */
calendar *calendar_make(const char *name, const int32_t *closed, size_t closed_count,
                        const int32_t *open, size_t open_count, dts_error *e);
void calendar_free(const calendar *c); /* NULL is fine */
/* The rule alone, without lists; it is nobody's, and not freed. NULL: as above. */
const calendar *calendar_named(const char *name, dts_error *e);
const char *calendar_name(const calendar *c);

bool calendar_has(const calendar *c, int32_t date);
/* The expected date after or before this one; INT32_MAX or INT32_MIN when there is none left. */
int32_t calendar_next(const calendar *c, int32_t date);
int32_t calendar_previous(const calendar *c, int32_t date);

#endif
