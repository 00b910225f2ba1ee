/* periods.c -- SQL functions of calendar periods, for roll-ups: dts_period(t, kind, zone) and
 * dts_period_next(p, kind).
 *
 * A period is named by its start: the first day as a date, or below a day the start as a
 * timestamp. A date is its own day; a timestamp's is the one on the wall in `zone` (UTC when
 * null). Minutes and hours begin where the wall shows a full one, so an hour that clocks repeat is
 * two periods. Zones are kept for as long as the connection lives: a trigger's statement begins
 * anew with each row.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "format/date.h"
#include "format/zone.h"
#include "store/conn.h"

enum { ZONES = 16 };

typedef struct zones {
  zone *kept[ZONES];
} zones;

static void zones_close(void *arg) {
  zones *z = arg;
  for (size_t i = 0; i < ZONES; i++) zone_close(z->kept[i]);
  free(z);
}

/* When all places are taken the last one is given up; an unknown zone is NULL. */
static const zone *zone_named(zones *z, const char *name) {
  size_t i = 0;
  while (i < ZONES && z->kept[i] && strcmp(zone_name(z->kept[i]), name) != 0) i++;
  if (i < ZONES && z->kept[i]) return z->kept[i];
  if (i == ZONES) zone_close(z->kept[--i]);
  return z->kept[i] = zone_open(name, NULL);
}

static const char *text_of(sqlite3_value *v) { return (const char *)sqlite3_value_text(v); }

/* Milliseconds of a period below a day, or 0. */
static int64_t short_period(const char *kind) {
  if (strcmp(kind, "minute") == 0) return 60000;
  return strcmp(kind, "hour") == 0 ? 3600000 : 0;
}

static void give_date(sqlite3_context *x, int32_t date) {
  char text[11];
  date_write(date, text);
  sqlite3_result_text(x, text, 10, SQLITE_TRANSIENT);
}

static void give_instant(sqlite3_context *x, int64_t ms) {
  char text[25];
  timestamp_write(ms, text);
  sqlite3_result_text(x, text, 24, SQLITE_TRANSIENT);
}

/* In the hour in which clocks are moved by less than one, its second part is a period of its own. */
static int64_t short_start(int64_t ms, int64_t length, const zone *z) {
  int64_t local = z ? zone_local(z, ms) : ms, start = ms - ((local % length) + length) % length;
  if (!z || zone_offset(z, start) == zone_offset(z, ms)) return start;
  for (int64_t change = zone_next_change(z, start); change <= ms;
       change = zone_next_change(z, start))
    start = change;
  return start;
}

static void start_of_instant(sqlite3_context *x, int64_t ms, const char *kind, const zone *z) {
  date_period period = DATE_DAY;
  int64_t length = short_period(kind);
  if (length) return give_instant(x, short_start(ms, length, z));
  if (date_period_read(kind, &period) < 0)
    return sqlite3_result_error(x, "dts_period: unknown kind", -1);
  give_date(x, date_period_start(date_of(z ? zone_local(z, ms) : ms, NULL), period));
}

static void period(sqlite3_context *x, int count, sqlite3_value **v) {
  const char *text = text_of(v[0]), *kind = text_of(v[1]), *name = count > 2 ? text_of(v[2]) : NULL;
  size_t size = (size_t)sqlite3_value_bytes(v[0]);
  int64_t ms;
  int32_t date;
  if (!text || !kind) return;
  if (date_read(text, size, &date) == 0) return start_of_instant(x, date * DATE_DAY_MS, kind, NULL);
  if (timestamp_read(text, size, &ms) < 0)
    return sqlite3_result_error(x, "dts_period: a date or timestamp expected", -1);
  const zone *z = name ? zone_named(sqlite3_user_data(x), name) : NULL;
  if (name && !z) return sqlite3_result_error(x, "dts_period: unknown time zone", -1);
  start_of_instant(x, ms, kind, z);
}

static void period_next(sqlite3_context *x, int count, sqlite3_value **v) {
  const char *text = text_of(v[0]), *kind = text_of(v[1]);
  size_t size = (size_t)sqlite3_value_bytes(v[0]);
  date_period unit;
  int32_t date;
  int64_t ms;
  (void)count;
  if (!text || !kind) return;
  if (strcmp(text, "~") == 0) return sqlite3_result_text(x, "~", -1, SQLITE_STATIC);
  if (date_read(text, size, &date) == 0 && date_period_read(kind, &unit) == 0) {
    int32_t next = date_period_next(date, unit);
    if (next > date) return give_date(x, next);
    return sqlite3_result_text(x, "~", -1, SQLITE_STATIC); /* 9999 ends here: behind all dates */
  }
  if (timestamp_read(text, size, &ms) == 0 && short_period(kind))
    return give_instant(x, ms + short_period(kind));
  sqlite3_result_error(x, "dts_period_next: a period's start expected", -1);
}

int periods_register(sqlite3 *db) {
  int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS;
  zones *z = memory_alloc(sizeof *z);
  int rc =
      sqlite3_create_function_v2(db, "dts_period", 3, flags, z, period, NULL, NULL, zones_close);
  if (rc) return rc;
  return sqlite3_create_function(db, "dts_period_next", 2, flags, NULL, period_next, NULL, NULL);
}
