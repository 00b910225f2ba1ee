/* cron_walk_test.c -- schedules in 40 zones over 16 years, against a walk along the clock on the wall.
 *
 * The walk knows nothing of cron.c and zone.c: it asks the C library for the wall's time, remembers the
 * latest wall time seen, and so notices by itself which minutes are passed over and which come again. Days
 * without a change of the clock are walked in quarters of an hour (no zone's offset is finer), an hour in
 * which the offset changes minute by minute.
 *
 * SPDX-License-Identifier: MIT */
#include "format/suite.h"

#include <stdlib.h>
#include <time.h>

#include "format/cron.h"

static const char *const ZONES[] = {
    "Africa/Cairo",         "Africa/Casablanca",
    "Africa/El_Aaiun",      "Africa/Johannesburg",
    "Africa/Juba",          "Africa/Khartoum",
    "Africa/Lagos",         "Africa/Sao_Tome",
    "Africa/Tripoli",       "Africa/Windhoek",
    "America/Asuncion",     "America/Caracas",
    "America/Havana",       "America/Mexico_City",
    "America/New_York",     "America/Port-au-Prince",
    "America/Santiago",     "America/Sao_Paulo",
    "America/Scoresbysund", "America/St_Johns",
    "Antarctica/Casey",     "Antarctica/Troll",
    "Asia/Amman",           "Asia/Gaza",
    "Asia/Hebron",          "Asia/Kathmandu",
    "Asia/Kolkata",         "Asia/Pyongyang",
    "Asia/Tehran",          "Asia/Tokyo",
    "Australia/Lord_Howe",  "Europe/Berlin",
    "Europe/Dublin",        "Europe/Istanbul",
    "Europe/Moscow",        "Europe/Volgograd",
    "Pacific/Apia",         "Pacific/Chatham",
    "Pacific/Fiji",         "Pacific/Norfolk",
    "Pacific/Tongatapu",    "UTC",
};
enum { ZONE_COUNT = sizeof ZONES / sizeof *ZONES, MINUTE = 60, QUARTER = 15 * MINUTE, HOUR = 3600 };

typedef struct moment { /* of the wall */
  int minute, hour, day, month, weekday;
} moment;

/* Each schedule as it is written, and once more as a question in C: is it named, at some minute of this
 * hour (minute -1), or at this very minute? */
static bool is_at(const moment *m, int minute, int hour) {
  return (m->minute < 0 || m->minute == minute) && m->hour == hour;
}
static bool half_past_two(const moment *m) { return is_at(m, 30, 2); }
static bool midnight(const moment *m) { return is_at(m, 0, 0); }
static bool sunday_nights(const moment *m) {
  return m->weekday == 0 && (m->minute < 0 || m->minute % 20 == 0) && m->hour <= 3;
}
static bool late(const moment *m) { return is_at(m, 45, 23) && (m->day >= 28 || m->weekday == 6); }
static bool noon_of_thirty(const moment *m) { return is_at(m, 0, 12) && m->day == 30; }
static bool real_hours(const moment *m) {
  return (m->minute < 0 || m->minute == 7) && m->weekday == 0 && (m->month == 3 || m->month >= 10);
}
static bool real_steps(const moment *m) {
  return (m->minute < 0 || m->minute == 0) && m->hour % 2 == 0 && m->weekday == 0;
}

static const struct {
  const char *text;
  bool (*named)(const moment *m);
  bool real_time;
} SCHEDULES[] = {
    {"30 2 * * *", half_past_two, false},       {"0 0 * * *", midnight, false},
    {"*/20 0-3 * * sun", sunday_nights, false}, {"45 23 28-31 * 6", late, false},
    {"0 12 30 * *", noon_of_thirty, false},     {"7 * * mar,10-12 7", real_hours, true},
    {"0 */2 * * sun", real_steps, true},
};
enum { SCHEDULE_COUNT = sizeof SCHEDULES / sizeof *SCHEDULES };

/* ---- the walk ---- */

typedef struct walk {
  const char *zone_name;
  zone *zone;
  cron crons[SCHEDULE_COUNT];
  int64_t expected[SCHEDULE_COUNT]; /* what cron_next said comes next */
  int64_t latest;                   /* wall time, minutes since 1970: none later was seen */
  size_t fired, moved, again;
} walk;

static int offset_at(int64_t t) {
  struct tm local;
  time_t seconds = (time_t)t;
  localtime_r(&seconds, &local);
  return (int)local.tm_gmtoff;
}

static moment wall(int64_t minutes) {
  int y, m, d, minute = (int)((minutes % 1440 + 1440) % 1440);
  int32_t date = (int32_t)((minutes - minute) / 1440);
  date_split(date, &y, &m, &d);
  return (moment){minute % 60, minute / 60, d, m, (date_weekday(date) + 1) % 7};
}

static void fires(walk *w, size_t i, int64_t t) {
  char said[25], found[25];
  if (w->expected[i] != t * 1000) {
    timestamp_write(w->expected[i], said);
    timestamp_write(t * 1000, found);
    fail_msg("'%s' in %s: next is %s, the walk comes to %s", SCHEDULES[i].text, w->zone_name, said,
             found);
  }
  w->expected[i] = cron_next(&w->crons[i], w->zone, t * 1000);
  w->fired++;
}

/* Was one of the minutes that the wall's clock jumped over named? */
static bool passed_over(size_t i, int64_t from, int64_t to) {
  for (int64_t minutes = from; minutes < to; minutes++) {
    moment m = wall(minutes);
    if (SCHEDULES[i].named(&m)) return true;
  }
  return false;
}

static void walk_minute(walk *w, int64_t t, int offset) {
  int64_t now = (t + offset) / MINUTE;
  moment m = wall(now);
  bool again = now <= w->latest;
  for (size_t i = 0; i < SCHEDULE_COUNT; i++) {
    bool named = SCHEDULES[i].named(&m), real = SCHEDULES[i].real_time;
    bool moved = !real && !named && passed_over(i, w->latest + 1, now);
    if (moved || (named && (real || !again))) fires(w, i, t);
    w->moved += moved;
    w->again += named && again && !real;
  }
  if (!again) w->latest = now;
}

static void walk_quarter(walk *w, int64_t t, int offset) {
  int64_t now = (t + offset) / MINUTE, last = now + QUARTER / MINUTE - 1;
  moment m = wall(now);
  bool any = now != w->latest + 1, whole_hour = m.minute % 15 == 0;
  m.minute = -1;
  for (size_t i = 0; i < SCHEDULE_COUNT && !any; i++) any = SCHEDULES[i].named(&m);
  if (any || !whole_hour)
    for (int k = 0; k < QUARTER; k += MINUTE) walk_minute(w, t + k, offset);
  else
    w->latest = last;
}

static void walk_zone(walk *w, int64_t from, int64_t to) {
  assert_int_equal(setenv("TZ", w->zone_name, 1), 0);
  tzset();
  w->zone = zone_open(w->zone_name, NULL);
  assert_non_null(w->zone);
  for (size_t i = 0; i < SCHEDULE_COUNT; i++) {
    assert_int_equal(cron_read(SCHEDULES[i].text, &w->crons[i], NULL), 0);
    assert_int_equal(w->crons[i].real_time, SCHEDULES[i].real_time);
    w->expected[i] = cron_next(&w->crons[i], w->zone, from * 1000 - 1);
  }
  int offset = offset_at(from);
  w->latest = (from + offset) / MINUTE - 1;
  for (int64_t t = from; t < to; t += HOUR) {
    int after = offset_at(t + HOUR);
    bool changes = after != offset;
    for (int64_t k = t; changes && k < t + HOUR; k += MINUTE) walk_minute(w, k, offset_at(k));
    for (int64_t k = t; !changes && k < t + HOUR; k += QUARTER) walk_quarter(w, k, offset);
    offset = after;
  }
  zone_close(w->zone);
}

static void forty_zones_and_sixteen_years_minute_by_minute(void **state) {
  (void)state;
  walk all = {0};
  for (size_t i = 0; i < ZONE_COUNT; i++) {
    walk w = {.zone_name = ZONES[i]};
    walk_zone(&w, 1262304000, 1767225600); /* 2010 to 2025 */
    all.fired += w.fired, all.moved += w.moved, all.again += w.again;
  }
  print_message("%d zones: %zu firings, %zu of them moved; %zu repeated times passed over\n",
                (int)ZONE_COUNT, all.fired, all.moved, all.again);
  assert_true(all.moved > 300 && all.again > 300);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(forty_zones_and_sixteen_years_minute_by_minute),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
