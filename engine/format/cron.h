/* cron.h -- schedules of five fields, and the instants that they name in a time zone.
 *
 * minute hour day-of-month month day-of-week; lists, ranges, steps, English names, 7 for Sunday,
 * @hourly @daily @midnight @weekly @monthly @yearly @annually. With both day fields given, either
 * may match; one that begins with `*` narrows instead. An entry that names hours fires once in a
 * repeated hour (the first) and at the next valid minute when its time is missing; one whose hour
 * field begins with `*` follows real time. A cron is a plain value: copy it, free nothing.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FORMAT_CRON_H
#define DTS_FORMAT_CRON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buffer.h"
#include "base/error.h"
#include "format/zone.h"

typedef struct cron {
  uint64_t minutes;          /* bit n: minute n */
  uint32_t hours, days;      /* bits 0-23, 1-31 */
  uint16_t months, weekdays; /* bits 1-12; 0-6 from Sunday */
  bool any_day, any_weekday; /* the field begins with a star */
  bool real_time;            /* the hour field begins with a star */
} cron;

int cron_read(const char *text, cron *out, dts_error *e); /* CRON */

/* The first firing after an instant; -1 when there is none within 40 years. */
int64_t cron_next(const cron *c, const zone *z, int64_t after_ms);

bool cron_ever(const cron *c); /* false: its dates are in no calendar, such as 30 February */

/* How a firing stands to the clock on the wall, when that clock was changed. */
typedef enum cron_shift {
  CRON_PLAIN,
  CRON_MOVED,   /* its own time is missing that day */
  CRON_REPEATED /* its time comes twice that day */
} cron_shift;
cron_shift cron_shift_of(const cron *c, const zone *z, int64_t fire_ms);

/* "every day at 06:00 São Paulo"; `zone_name` may be NULL. */
int cron_words(const cron *c, const char *zone_name, buffer *out);

#endif
