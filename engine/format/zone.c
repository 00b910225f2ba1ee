/* zone.c -- offsets at an instant and instants at a local time, over a table of changes and a rule.
 *
 * The table holds the changes of the past; beyond its last, the rule of the file's footer holds for
 * ever. Everything inside is in seconds of UTC. Reading the file is zone_file.c's work.
 *
 * SPDX-License-Identifier: MIT */
#include "format/zone.h"

#include <limits.h>
#include <stdlib.h>

#include "format/date.h"
#include "format/zone_file.h"

static const int64_t DAY = 86400;

static int64_t floor_seconds(int64_t ms) { return ms / 1000 - (ms % 1000 < 0); }

/* The date of a rule in one year, as days since 1970. (POSIX TZ; RFC 9636, section 3.3.) */
static int64_t rule_date(const zone_rule_date *d, int year) {
  int32_t start;
  date_make(year, d->kind == 'M' ? d->month : 1, 1, &start);
  if (d->kind == 'M') {
    int first = (d->day + 6 - date_weekday(start) + 7) % 7; /* days of a rule count from Sunday */
    int day = first + 7 * (d->week - 1);
    return start + (day < date_month_days(year, d->month) ? day : day - 7);
  }
  bool past_february = d->kind == 'J' && d->day >= 60 && date_month_days(year, 2) == 29;
  return (int64_t)start + d->day - (d->kind == 'J') + past_february;
}

typedef struct change {
  int64_t at;
  int offset;
} change;

/* The rule's two changes in one year, in order; the end of summer time first when both are one. */
static void rule_year(const zone_rule *r, int year, change out[2]) {
  change on = {rule_date(&r->start, year) * DAY + r->start.time - r->standard, r->summer};
  change off = {rule_date(&r->end, year) * DAY + r->end.time - r->summer, r->standard};
  bool on_first = on.at < off.at;
  out[0] = on_first ? on : off;
  out[1] = on_first ? off : on;
}

static int year_of(int64_t t) {
  const int64_t least = TIMESTAMP_MIN / 1000, most = TIMESTAMP_MAX / 1000;
  t = t < least ? least : t > most ? most : t;
  int y, m, d;
  date_split(date_of(t * 1000, NULL), &y, &m, &d);
  return y < 3 ? 3 : y > 9996 ? 9996 : y;
}

enum { RULE_YEARS = 5, RULE_CHANGES = 2 * RULE_YEARS };

/* The changes around `t`, from two years before to two years after, in order. */
static void rule_around(const zone_rule *r, int64_t t, change out[RULE_CHANGES]) {
  int first = year_of(t) - 2;
  for (int i = 0; i < RULE_YEARS; i++) rule_year(r, first + i, out + (ptrdiff_t)2 * i);
  for (int i = 1; i < RULE_CHANGES; i++) /* a year's end may cross the next one's start */
    for (int k = i; k > 0 && out[k].at < out[k - 1].at; k--) {
      change c = out[k];
      out[k] = out[k - 1], out[k - 1] = c;
    }
}

static int rule_offset(const zone_rule *r, int64_t t) {
  if (!r->has_summer) return r->standard;
  change c[RULE_CHANGES];
  rule_around(r, t, c);
  int offset = c[0].offset;
  for (int i = 0; i < RULE_CHANGES && c[i].at <= t; i++) offset = c[i].offset;
  return offset;
}

/* How many changes of the table lie at or before `t`. */
static size_t changes_until(const zone *z, int64_t t) {
  size_t low = 0, high = z->count;
  while (low < high) {
    size_t middle = (low + high) / 2;
    if (z->at[middle] <= t)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}

static int offset_at(const zone *z, int64_t t) {
  size_t n = changes_until(z, t);
  if (n == z->count && z->rule.present) return rule_offset(&z->rule, t);
  return n == 0 ? z->first : z->offset[n - 1];
}

/* The next change by the rule, or INT64_MAX. */
static int64_t rule_next(const zone_rule *r, int64_t t, int now) {
  if (!r->present || !r->has_summer) return INT64_MAX;
  change c[RULE_CHANGES];
  rule_around(r, t, c);
  for (int i = 0; i + 1 < RULE_CHANGES; i++) /* of two changes at once only the second counts */
    if (c[i].at > t && c[i + 1].at != c[i].at && c[i].offset != now) return c[i].at;
  return INT64_MAX;
}

static int64_t next_change(const zone *z, int64_t t) {
  int now = offset_at(z, t);
  for (size_t i = changes_until(z, t); i < z->count; i++)
    if (offset_at(z, z->at[i]) != now) return z->at[i];
  if (z->count > 0 && t < z->at[z->count - 1]) t = z->at[z->count - 1];
  return rule_next(&z->rule, t, now);
}

int zone_offset(const zone *z, int64_t utc_ms) { return offset_at(z, floor_seconds(utc_ms)); }

int64_t zone_local(const zone *z, int64_t utc_ms) {
  return utc_ms + zone_offset(z, utc_ms) * 1000LL;
}

int32_t zone_date(const zone *z, int64_t utc_ms) { return date_of(zone_local(z, utc_ms), NULL); }

int64_t zone_next_change(const zone *z, int64_t utc_ms) {
  int64_t t = next_change(z, floor_seconds(utc_ms));
  return t >= INT64_MAX / 1000 ? INT64_MAX : t * 1000;
}

/* Offsets are within 26 hours of UTC, so every change that can matter lies within two days. */
int zone_resolve(const zone *z, int64_t local_ms, int64_t out[2]) {
  int count = 0;
  int64_t end = local_ms + 2 * DATE_DAY_MS;
  for (int64_t t = local_ms - 2 * DATE_DAY_MS; t < end && count < 2; t = zone_next_change(z, t)) {
    int offset = zone_offset(z, t);
    int64_t utc = local_ms - offset * 1000LL;
    if (zone_offset(z, utc) == offset && (count == 0 || out[0] != utc)) out[count++] = utc;
  }
  return count;
}

int64_t zone_instant(const zone *z, int64_t local_ms) {
  int64_t out[2];
  if (zone_resolve(z, local_ms, out) > 0) return out[0];
  int64_t t = local_ms - 2 * DATE_DAY_MS;
  while (t != INT64_MAX && t + zone_offset(z, t) * 1000LL <= local_ms) t = zone_next_change(z, t);
  return t;
}

const char *zone_name(const zone *z) { return z->name; }

void zone_close(zone *z) {
  if (!z) return;
  free(z->at);
  free(z->offset);
  free(z);
}
