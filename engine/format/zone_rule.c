/* zone_rule.c -- POSIX TZ strings, as TZif footers have them (RFC 9636, section 3.3.1).
 *
 *   EST5EDT,M3.2.0,M11.1.0    <-03>3    IST-1GMT0,M10.5.0,M3.5.0/1
 *
 * Offsets in them count westward; ours count eastward. Hours may go from -167 to 167.
 *
 * SPDX-License-Identifier: MIT */
#include "format/zone_file.h"

typedef struct reader {
  const char *at, *end;
} reader;

static bool take(reader *r, char c) {
  bool found = r->at < r->end && *r->at == c;
  if (found) r->at++;
  return found;
}

/* A number of one to three digits, at most `most`; -1 when there is none. */
static int take_number(reader *r, int most) {
  const char *start = r->at;
  int n = 0;
  for (; r->at < r->end && r->at - start < 3 && *r->at >= '0' && *r->at <= '9'; r->at++)
    n = n * 10 + (*r->at - '0');
  return r->at > start && n <= most ? n : -1;
}

/* A name of three letters or more, or anything between angle brackets. */
static int take_name(reader *r) {
  bool quoted = take(r, '<');
  const char *start = r->at;
  for (; r->at < r->end; r->at++) {
    char c = *r->at;
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    bool more = (c >= '0' && c <= '9') || c == '+' || c == '-';
    if (!letter && !(quoted && more)) break;
  }
  if (r->at - start < 3) return -1;
  return quoted && !take(r, '>') ? -1 : 0;
}

/* [+-]hh[:mm[:ss]] in seconds. */
static int take_time(reader *r, int most_hours, int *out) {
  int sign = take(r, '-') ? -1 : 1, m = 0, s = 0;
  if (sign == 1) take(r, '+');
  int h = take_number(r, most_hours);
  if (h >= 0 && take(r, ':')) m = take_number(r, 59);
  if (m > 0 && take(r, ':')) s = take_number(r, 59);
  if (h < 0 || m < 0 || s < 0) return -1;
  *out = sign * (h * 3600 + m * 60 + s);
  return 0;
}

static int take_month_date(reader *r, zone_rule_date *d) {
  d->month = take_number(r, 12);
  d->week = take(r, '.') ? take_number(r, 5) : -1;
  d->day = take(r, '.') ? take_number(r, 6) : -1;
  return d->month < 1 || d->week < 1 || d->day < 0 ? -1 : 0;
}

static int take_date(reader *r, zone_rule_date *d) {
  *d = (zone_rule_date){.kind = '0', .time = 7200};
  if (!take(r, ',')) return -1;
  if (take(r, 'M')) {
    d->kind = 'M';
    if (take_month_date(r, d) != 0) return -1;
  } else {
    if (take(r, 'J')) d->kind = 'J';
    d->day = take_number(r, 365);
    if (d->day < (d->kind == 'J' ? 1 : 0)) return -1;
  }
  return take(r, '/') ? take_time(r, 167, &d->time) : 0;
}

int zone_rule_read(const char *text, size_t size, zone_rule *out) {
  reader r = {text, text + size};
  zone_rule z = {.present = true};
  if (take_name(&r) != 0 || take_time(&r, 24, &z.standard) != 0) return -1;
  z.standard = -z.standard;
  if (r.at < r.end) {
    z.has_summer = true;
    z.summer = z.standard + 3600;
    if (take_name(&r) != 0) return -1;
    if (r.at < r.end && *r.at != ',') {
      if (take_time(&r, 24, &z.summer) != 0) return -1;
      z.summer = -z.summer;
    }
    if (take_date(&r, &z.start) != 0 || take_date(&r, &z.end) != 0) return -1;
  }
  if (r.at != r.end) return -1;
  *out = z;
  return 0;
}
