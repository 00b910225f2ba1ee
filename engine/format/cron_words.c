/* cron_words.c -- a schedule said in words: "Monday to Friday at 06:00 São Paulo".
 *
 * The words are made from the sets of a cron, not from its text, so that two spellings of one
 * schedule read the same. Every set has words: the rarer the schedule, the plainer they are.
 *
 * SPDX-License-Identifier: MIT */
#include "format/cron.h"

#include <string.h>

enum { MOST_TIMES = 6 };

static const uint32_t ALL_HOURS = (1u << 24) - 1, ALL_DAYS = 0xfffffffe;
static const uint16_t ALL_MONTHS = 0x1ffe, ALL_WEEKDAYS = 0x7f, WORKDAYS = 0x3e;

static const char *const WEEKDAYS[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                       "Thursday", "Friday", "Saturday"};
static const char *const MONTHS[] = {"",        "January",  "February", "March",  "April",
                                     "May",     "June",     "July",     "August", "September",
                                     "October", "November", "December"};

/* Cities whose zone leaves out their accents. */
static const char *const ACCENTS[][2] = {
    {"Sao Paulo", "São Paulo"}, {"Belem", "Belém"},
    {"Cuiaba", "Cuiabá"},       {"Maceio", "Maceió"},
    {"Araguaina", "Araguaína"}, {"Eirunepe", "Eirunepé"},
    {"Santarem", "Santarém"},   {"Noronha", "Fernando de Noronha"},
    {"Bogota", "Bogotá"},       {"Asuncion", "Asunción"},
    {"Cancun", "Cancún"},       {"Merida", "Mérida"},
    {"Cordoba", "Córdoba"},     {"Tucuman", "Tucumán"},
    {"Reunion", "Réunion"},     {"Curacao", "Curaçao"},
    {"Zurich", "Zürich"},       {"Sao Tome", "São Tomé"},
};

static bool has(uint64_t set, int bit) { return set >> bit & 1; }
static int first_of(uint64_t set) { return __builtin_ctzll(set); }
static int last_of(uint64_t set) { return 63 - __builtin_clzll(set); }
static int count_of(uint64_t set) { return __builtin_popcountll(set); }

/* n when the set is 0, n, 2n ... and `size` a multiple of n, so that it goes round; else 0. */
static int stride(uint64_t set, int size) {
  int count = count_of(set);
  if (count < 2 || size % count != 0 || !has(set, 0)) return 0;
  int n = size / count;
  for (int i = 0; i < size; i += n)
    if (!has(set, i)) return 0;
  return n;
}

static bool unbroken(uint64_t set) { return last_of(set) - first_of(set) + 1 == count_of(set); }

static void add_point(buffer *out, int n, const char *const *names) {
  if (names)
    buffer_add_text(out, names[n]);
  else
    buffer_add_format(out, "%d", n);
}

/* "3", "1 and 15", "1, 8 and 15"; three or more in a row are "1 to 7". */
static void add_set(buffer *out, uint64_t set, const char *const *names) {
  for (bool first = true; set; first = false) {
    int from = first_of(set), to = from;
    while (to < 63 && has(set, to + 1)) to++;
    if (to - from < 2) to = from;
    for (int i = from; i <= to; i++) set &= ~(1ULL << i);
    if (!first) buffer_add_text(out, set ? ", " : " and ");
    add_point(out, from, names);
    if (to > from) buffer_add_text(out, " to "), add_point(out, to, names);
  }
}

static void add_clock(buffer *out, int hour, int minute) {
  buffer_add_format(out, "%02d:%02d", hour, minute);
}

/* "06:00", "06:00 and 18:00" ... */
static void add_times(buffer *out, const cron *c) {
  int left = count_of(c->hours) * count_of(c->minutes);
  for (int i = 0; i < 24 * 60; i++) {
    if (!has(c->hours, i / 60) || !has(c->minutes, i % 60)) continue;
    add_clock(out, i / 60, i % 60);
    if (--left > 0) buffer_add_text(out, left > 1 ? ", " : " and ");
  }
}

/* "every 15 minutes", "every hour at :05", "at minutes 3 and 40 of every hour". */
static void add_minutes(buffer *out, const cron *c) {
  int n = stride(c->minutes, 60);
  if (n == 1)
    buffer_add_text(out, "every minute");
  else if (n > 1)
    buffer_add_format(out, "every %d minutes", n);
  else if (c->minutes == 1)
    buffer_add_text(out, "every hour");
  else if (count_of(c->minutes) == 1)
    buffer_add_format(out, "every hour at :%02d", first_of(c->minutes));
  else {
    buffer_add_text(out, "at minutes ");
    add_set(out, c->minutes, NULL);
    buffer_add_text(out, " of every hour");
  }
}

/* Which hours of the day, behind what add_minutes() said. */
static void add_hours(buffer *out, const cron *c) {
  if (c->hours == ALL_HOURS) return;
  if (unbroken(c->hours)) {
    buffer_add_text(out, " from ");
    add_clock(out, first_of(c->hours), first_of(c->minutes));
    buffer_add_text(out, " to ");
    add_clock(out, last_of(c->hours), last_of(c->minutes));
  } else {
    buffer_add_text(out, ", in hours ");
    add_set(out, c->hours, NULL);
  }
}

static void add_time(buffer *out, const cron *c) {
  int n = stride(c->hours, 24), minute = first_of(c->minutes);
  bool one = count_of(c->minutes) == 1;
  if (one && n > 1) {
    buffer_add_format(out, "every %d hours", n);
    if (minute > 0) buffer_add_format(out, " at :%02d", minute);
    return;
  }
  add_minutes(out, c);
  add_hours(out, c);
}

static void add_weekdays(buffer *out, const cron *c) {
  if (c->weekdays == WORKDAYS)
    buffer_add_text(out, "Monday to Friday");
  else if (c->weekdays == (ALL_WEEKDAYS & ~WORKDAYS))
    buffer_add_text(out, "Saturday and Sunday");
  else
    add_set(out, c->weekdays, WEEKDAYS);
}

static void add_month_days(buffer *out, const cron *c) {
  bool one = count_of(c->days) == 1;
  buffer_add_text(out, one ? "day " : "days ");
  add_set(out, c->days, NULL);
}

/* "every day", "Monday to Friday", "days 1 and 15 of every month", "day 1 of January". */
static void add_days(buffer *out, const cron *c) {
  bool all_days = c->days == ALL_DAYS, all_weekdays = c->weekdays == ALL_WEEKDAYS;
  bool narrows = c->any_day || c->any_weekday; /* else either of two given fields will do */
  bool every = narrows ? all_days && all_weekdays : all_days || all_weekdays;
  bool days = !every && !all_days;
  if (every) buffer_add_text(out, c->months == ALL_MONTHS ? "every day" : "every day of ");
  if (days) add_month_days(out, c);
  if (days) buffer_add_text(out, " of ");
  if (days && c->months == ALL_MONTHS)
    buffer_add_text(out, "every month");
  else if (c->months != ALL_MONTHS && (days || every))
    add_set(out, c->months, MONTHS);
  if (every || all_weekdays) return;
  if (days) buffer_add_text(out, narrows ? " if on " : " or on ");
  add_weekdays(out, c);
  if (days || c->months == ALL_MONTHS) return;
  buffer_add_text(out, " in ");
  add_set(out, c->months, MONTHS);
}

static void add_zone(buffer *out, const char *name) {
  char city[64] = "";
  const char *slash = strrchr(name, '/');
  strncpy(city, slash ? slash + 1 : name, sizeof city - 1);
  for (char *c = city; *c; c++)
    if (*c == '_') *c = ' ';
  const char *words = city;
  for (size_t i = 0; i < sizeof ACCENTS / sizeof *ACCENTS; i++)
    if (strcmp(ACCENTS[i][0], city) == 0) words = ACCENTS[i][1];
  buffer_add_char(out, ' ');
  buffer_add_text(out, words);
}

int cron_words(const cron *c, const char *zone_name, buffer *out) {
  int times = count_of(c->hours) * count_of(c->minutes);
  bool few = times <= MOST_TIMES && !stride(c->hours, 24);
  if (few) {
    add_days(out, c);
    buffer_add_text(out, " at ");
    add_times(out, c);
  } else {
    add_time(out, c);
    size_t comma = out->size;
    buffer_add_text(out, ", ");
    add_days(out, c);
    bool plain = !out->failed && strcmp(buffer_text(out) + comma, ", every day") == 0;
    if (plain) out->size = comma;
  }
  if (zone_name) add_zone(out, zone_name);
  return out->failed ? -1 : 0;
}
