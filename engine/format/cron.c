/* cron.c -- reading five fields, and finding the next instant that they name.
 *
 * Where cron libraries differ, this one does as follows. A day field that begins with a star narrows
 * the other (so do Vixie's cron and robfig/cron; others always widen). A missing time fires at the
 * end of the gap, even when a whole day is missing. A step beyond its field's range, 'L', 'W', '#'
 * and '@reboot' are refused. Dates that never come ("30 2") can be read and have no next: cron_ever().
 *
 * SPDX-License-Identifier: MIT */
#include "format/cron.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "format/date.h"

/* The longest wait: a 29 February that must be a certain weekday, across 2100, which has none. */
enum { LONGEST_TEXT = 256, FIELDS = 5, HORIZON_DAYS = 40 * 366, MINUTE_MS = 60000 };

typedef struct field {
  const char *label;
  int low, high, star_high; /* weekdays may be written to 7, but a star goes to 6 */
  const char *names;        /* of three letters each, the first being `low` */
} field;

static const field FIELD[FIELDS] = {
    {"minute", 0, 59, 59, ""},
    {"hour", 0, 23, 23, ""},
    {"day of month", 1, 31, 31, ""},
    {"month", 1, 12, 12, "janfebmaraprmayjunjulaugsepoctnovdec"},
    {"day of week", 0, 7, 6, "sunmontuewedthufrisat"},
};

static const char *const SHORT_NAMES[] = {"@hourly",  "@daily",  "@midnight", "@weekly",
                                          "@monthly", "@yearly", "@annually", NULL};
static const char *const SHORT_FIELDS[] = {"0 * * * *", "0 0 * * *", "0 0 * * *", "0 0 * * 0",
                                           "0 0 1 * *", "0 0 1 1 *", "0 0 1 1 *"};

static const char BLANKS[] = " \t\r\n";

static int take_number(const char **at) {
  const char *start = *at;
  int n = 0;
  for (; **at >= '0' && **at <= '9' && *at - start < 3; (*at)++) n = n * 10 + (**at - '0');
  return *at > start ? n : -1;
}

/* A number or a name of the field; -1 when there is neither, or it is out of range. */
static int take_point(const char **at, const field *f) {
  for (int i = 0; f->names[i]; i += 3)
    if (strncasecmp(*at, f->names + i, 3) == 0) return *at += 3, f->low + i / 3;
  int n = take_number(at);
  return n >= f->low && n <= f->high ? n : -1;
}

typedef enum fault { READ = 0, UNREAD = -1, BACKWARDS = -2, WRONG_STEP = -3 } fault;

typedef struct part {
  int from, to, step;
} part;

/* One part of a list: "*", "7", "1-5", "mon-fri", each with "/step". */
static fault take_part(const char **at, const field *f, part *p) {
  *p = (part){f->low, f->star_high, 1};
  if (**at == '*')
    (*at)++;
  else {
    p->from = p->to = take_point(at, f);
    bool range = **at == '-';
    if (range) (*at)++, p->to = take_point(at, f);
    if (!range && **at == '/') p->to = f->star_high;
  }
  if (p->from < 0 || p->to < 0) return UNREAD;
  if (**at == '/') {
    (*at)++;
    p->step = take_number(at);
    if (p->step < 1 || p->step > f->star_high) return WRONG_STEP;
  }
  return p->to < p->from ? BACKWARDS : READ;
}

/* The parts between commas, as bits; at a fault, `at` and `p` tell where and of what part. */
static fault take_list(const char **at, const field *f, uint64_t *bits, part *p) {
  for (;; (*at)++) {
    fault found = take_part(at, f, p);
    if (found != READ) return found;
    for (int i = p->from; i <= p->to; i += p->step) *bits |= 1ULL << i;
    if (**at == 0) return READ;
    if (**at != ',') return UNREAD;
  }
}

static int hint_unread(const char *text, const char *at, const field *f, dts_error *e) {
  bool named = at > text && isalpha((unsigned char)at[-1]);
  if (*at == '#' || (*at && !named && strchr("LlWw", *at)))
    return error_hint(e, "'L', 'W' and '#' are not supported: run daily and return on other days");
  if (*f->names && isalpha((unsigned char)*at))
    return error_hint(e, "names are English and of three letters: %.3s, %.3s, %.3s ...", f->names,
                      f->names + 3, f->names + 6);
  return error_hint(e,
                    "write '*', a number, a range '%d-%d', a step '*/2'%s, or several with commas",
                    f->low, f->low + 4, *f->names ? ", a name" : "");
}

static int refuse_field(const char *text, const field *f, dts_error *e) {
  const char *at = text;
  uint64_t bits = 0;
  part p;
  fault found = take_list(&at, f, &bits, &p);
  error_fail(e, "CRON", "schedule: %s '%s' is not understood: expected %d to %d", f->label, text,
             f->low, f->high);
  if (found == BACKWARDS && p.from > f->star_high)
    return error_hint(e, "a range that begins with Sunday has it as 0: write '0-%d'", p.to);
  if (found == BACKWARDS)
    return error_hint(e, "a range does not go round its end: write '%d-%d,%d-%d'", p.from,
                      f->star_high, f->low, p.to);
  if (found == WRONG_STEP) return error_hint(e, "a step is a number from 1 to %d", f->star_high);
  return hint_unread(text, at, f, e);
}

/* Splits at blanks, in place: the number of fields, more than FIELDS when there are more. */
static int split(char *text, char *out[FIELDS]) {
  int count = 0;
  char *kept;
  for (char *word = strtok_r(text, BLANKS, &kept); word; word = strtok_r(NULL, BLANKS, &kept))
    if (count++ < FIELDS) out[count - 1] = word;
  return count;
}

static int read_fields(char *fields[FIELDS], cron *out, dts_error *e) {
  uint64_t bits[FIELDS] = {0};
  for (int i = 0; i < FIELDS; i++) {
    bool days = i == 2 || i == 4; /* Quartz writes '?' for "any" there */
    const char *text = days && strcmp(fields[i], "?") == 0 ? "*" : fields[i];
    const char *at = text;
    part p;
    if (take_list(&at, &FIELD[i], &bits[i], &p) != READ) return refuse_field(text, &FIELD[i], e);
  }
  *out = (cron){.minutes = bits[0],
                .hours = (uint32_t)bits[1],
                .days = (uint32_t)bits[2],
                .months = (uint16_t)bits[3],
                .weekdays = (uint8_t)((bits[4] | bits[4] >> 7) & 0x7f),
                .any_day = *fields[2] == '*' || *fields[2] == '?',
                .any_weekday = *fields[4] == '*' || *fields[4] == '?',
                .real_time = *fields[1] == '*'};
  return 0;
}

static int refuse_name(const char *text, dts_error *e) {
  const char *near = error_nearest(text, SHORT_NAMES);
  if (strcasecmp(text, "@reboot") == 0) {
    error_fail(e, "CRON", "schedule: '@reboot' is no time: the engine's start changes nothing");
    return error_hint(e, "firings missed by a stop are made up for (`missed`); `dts run` runs one");
  }
  error_fail(e, "CRON", "schedule: there is no '%.64s'", text);
  if (strcasecmp(text, "@every") == 0) return error_hint(e, "write every = \"15m\" instead");
  return near ? error_hint(e, "did you mean '%s'?", near)
              : error_hint(e, "write five fields, such as '0 6 * * *', or @daily");
}

static int refuse_count(const char *text, const char *first, int count, dts_error *e) {
  const char *why = count > FIELDS ? "; there is none for seconds or years" : "";
  if (strcasecmp(first, "every") == 0) why = "; or every = \"15m\" in the schedule's place";
  if (strstr(first, "TZ=")) why = "; the zone is written apart: timezone = \"Europe/Berlin\"";
  error_fail(e, "CRON", "schedule: '%s' has %d fields, expected %d", text, count, FIELDS);
  return error_hint(e, "minute hour day-of-month month day-of-week, such as '0 6 * * 1-5'%s", why);
}

static const char *short_fields(const char *name) {
  for (int i = 0; SHORT_NAMES[i]; i++)
    if (strcasecmp(SHORT_NAMES[i], name) == 0) return SHORT_FIELDS[i];
  return NULL;
}

int cron_read(const char *text, cron *out, dts_error *e) {
  char copy[LONGEST_TEXT];
  char *fields[FIELDS] = {""};
  text += strspn(text, BLANKS);
  if (strlen(text) >= sizeof copy)
    return error_fail(e, "CRON", "schedule: longer than %d characters", LONGEST_TEXT - 1);
  strcpy(copy, text);
  int count = split(copy, fields);
  if (*fields[0] == '@') {
    const char *meant = count == 1 ? short_fields(fields[0]) : NULL;
    if (!meant) return refuse_name(fields[0], e);
    strcpy(copy, meant);
    count = split(copy, fields);
  }
  if (count != FIELDS) return refuse_count(text, fields[0], count, e);
  return read_fields(fields, out, e);
}

static bool day_matches(const cron *c, int32_t date) {
  int y, m, d;
  date_split(date, &y, &m, &d);
  if (!(c->months >> m & 1)) return false;
  bool day = c->days >> d & 1, weekday = c->weekdays >> ((date_weekday(date) + 1) % 7) & 1;
  return c->any_day || c->any_weekday ? day && weekday : day || weekday;
}

/* The first minute of a day, from `minute` on, that the first two fields name; -1: none. */
static int minute_match(const cron *c, int minute) {
  for (int hour = minute / 60, from = minute % 60; hour < 24; hour++, from = 0) {
    uint64_t left = c->hours >> hour & 1 ? c->minutes >> from : 0;
    if (left) return hour * 60 + from + __builtin_ctzll(left);
  }
  return -1;
}

/* The first matching local time at or after one, before `end`; INT64_MIN: none. */
static int64_t local_match(const cron *c, int64_t from, int64_t end) {
  int64_t of_day;
  int32_t date = date_of(from + MINUTE_MS - 1, &of_day); /* whole minutes only */
  int minute = (int)(of_day / MINUTE_MS);
  for (; date * DATE_DAY_MS < end && date < DATE_MAX; date++, minute = 0) {
    int found = day_matches(c, date) ? minute_match(c, minute) : -1;
    int64_t local = date * DATE_DAY_MS + (int64_t)found * MINUTE_MS;
    if (found >= 0) return local < end ? local : INT64_MIN;
  }
  return INT64_MIN;
}

/* Every minute of real time, one stretch of constant offset after the other. */
static int64_t next_real(const cron *c, const zone *z, int64_t after, int64_t limit) {
  for (int64_t t = after + 1; t < limit;) {
    int64_t offset = zone_offset(z, t) * 1000LL, change = zone_next_change(z, t);
    int64_t end = change < limit ? change : limit;
    int64_t local = local_match(c, t + offset, end + offset);
    if (local != INT64_MIN) return local - offset;
    t = end;
  }
  return -1;
}

/* Local times in order, each at its one instant. These instants never go back, since a repeated time
 * counts once and a missing one as the end of its gap; so the first past `after` is the next. */
static int64_t next_named(const cron *c, const zone *z, int64_t after, int64_t limit) {
  int64_t end = limit + zone_offset(z, limit) * 1000LL;
  int64_t from = zone_local(z, after) + 1;
  for (;;) {
    int64_t local = local_match(c, from, end);
    if (local == INT64_MIN) return -1;
    int64_t t = zone_instant(z, local);
    if (t > after) return t;
    from = local + 1;
  }
}

int64_t cron_next(const cron *c, const zone *z, int64_t after_ms) {
  int64_t limit = after_ms + HORIZON_DAYS * DATE_DAY_MS;
  return c->real_time ? next_real(c, z, after_ms, limit) : next_named(c, z, after_ms, limit);
}

bool cron_ever(const cron *c) {
  int32_t start;
  date_make(2000, 1, 1, &start);
  return local_match(c, start * DATE_DAY_MS, (start + HORIZON_DAYS) * DATE_DAY_MS) != INT64_MIN;
}

cron_shift cron_shift_of(const cron *c, const zone *z, int64_t fire_ms) {
  int64_t both[2], local = zone_local(z, fire_ms);
  if (local_match(c, local, local + 1) == INT64_MIN) return CRON_MOVED;
  return zone_resolve(z, local, both) == 2 ? CRON_REPEATED : CRON_PLAIN;
}
