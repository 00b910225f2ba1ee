/* zone_test.c -- offsets against zdump's lists, local times, far years, names and damaged files.
 *
 * SPDX-License-Identifier: MIT */
#include "format/suite.h"

#include <stdlib.h>
#include <time.h>

#include "format/zone.h"
#include "format/zone_file.h"

static zone *open_zone(const char *name) {
  dts_error e;
  zone *z = zone_open(name, &e);
  if (!z) fail_msg("%s: %s", name, e.message);
  return z;
}

/* "Zone  Sun Oct 27 05:59:59 1985 UT = ... isdst=1 gmtoff=-14400": the instant and the offset. */
static bool read_line(const char *line, int64_t *ms, int *offset) {
  char month[4], *gmtoff = strstr(line, "gmtoff=");
  int d, h, m, s, y;
  int32_t date;
  int64_t none;
  if (!gmtoff || sscanf(line, "%*s %*s %3s %d %d:%d:%d %d UT", month, &d, &h, &m, &s, &y) != 6)
    return false;
  char text[32];
  snprintf(text, sizeof text, "%d %s %d", d, month, y);
  assert_int_equal(date_parse(text, strlen(text), "%d %b %Y", &date, &none), 0);
  *ms = date * DATE_DAY_MS + ((h * 60LL + m) * 60 + s) * 1000;
  *offset = atoi(gmtoff + 7);
  return true;
}

/* The lists are those of tzdata 2026f, in which Morocco leaves its rule in September 2026. On a machine
 * with older files (the first line says "# version 2025b") Casablanca's list ends there. */
static int64_t list_end(const char *name) {
  char version[16] = "";
  FILE *f = fopen("/usr/share/zoneinfo/tzdata.zi", "r");
  if (f) {
    if (fscanf(f, "# version %15s", version) != 1) version[0] = 0;
    fclose(f);
  }
  if (strcmp(name, "Africa/Casablanca") != 0 || strcmp(version, "2026f") >= 0) return INT64_MAX;
  print_message("tzdata %s: %s is compared until 2026-09-20\n", version, name);
  return at("2026-09-20T00:00:00Z");
}

/* Lines come in pairs: the second before a change and the change itself. */
static int check_list(const char *name, const char *file) {
  buffer b = suite_read(file);
  zone *z = open_zone(name);
  int64_t ms, before = 0, end = list_end(name);
  int offset, old = 0, count = 0;
  for (char *kept, *line = strtok_r(b.data, "\n", &kept); line;
       line = strtok_r(NULL, "\n", &kept)) {
    if (!read_line(line, &ms, &offset) || ms >= end) continue;
    if (zone_offset(z, ms) != offset || zone_offset(z, ms + 999) != offset)
      fail_msg("%d is not the offset of: %s", zone_offset(z, ms), line);
    if (count++ % 2 == 1 && old != offset) assert_int_equal(zone_next_change(z, before), ms);
    before = ms, old = offset;
  }
  zone_close(z);
  buffer_free(&b);
  return count;
}

static void offsets_are_those_of_zdump(void **state) {
  (void)state;
  static const char *const NAMES[] = {
      "Africa/Casablanca", "America/New_York", "America/Noronha", "America/Sao_Paulo",
      "Asia/Kolkata",      "Europe/Berlin",    "Pacific/Apia",    "UTC"};
  int count = 0;
  for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
    char file[64];
    snprintf(file, sizeof file, "suites/tz/%s.zdump.txt", NAMES[i]);
    for (char *c = file + 10; *c; c++)
      if (*c == '/') *c = '_';
    count += check_list(NAMES[i], file);
  }
  print_message("%d lines of zdump\n", count);
  assert_true(count >= 760);
}

/* The C library reads the same files with other code. */
static void offsets_are_those_of_the_c_library(void **state) {
  (void)state;
  static const char *const NAMES[] = {
      "America/Sao_Paulo", "Australia/Lord_Howe", "Europe/Dublin",
      "Africa/Casablanca", "Asia/Tehran",         "America/Nuuk",
      "Pacific/Chatham",   "Antarctica/Troll",    "America/St_Johns"};
  for (size_t i = 0; i < sizeof NAMES / sizeof *NAMES; i++) {
    zone *z = open_zone(NAMES[i]);
    setenv("TZ", NAMES[i], 1);
    tzset();
    for (int64_t t = at("1900-01-01T00:00:00Z") / 1000; t < at("2400-01-01T00:00:00Z") / 1000;
         t += 100003) {
      struct tm local;
      time_t seconds = (time_t)t;
      localtime_r(&seconds, &local);
      if (zone_offset(z, t * 1000) != local.tm_gmtoff)
        fail_msg("%s at %lld: %d, not %ld", NAMES[i], (long long)t, zone_offset(z, t * 1000),
                 local.tm_gmtoff);
    }
    zone_close(z);
  }
  unsetenv("TZ");
  tzset();
}

static void check_local(const char *name, const char *local, int count, const char *first,
                        const char *second) {
  zone *z = open_zone(name);
  int64_t out[2] = {0};
  assert_int_equal(zone_resolve(z, at(local), out), count);
  assert_int_equal(zone_instant(z, at(local)), at(first));
  if (count > 0) assert_int_equal(out[0], at(first));
  if (count > 1) assert_int_equal(out[1], at(second));
  zone_close(z);
}

static void local_times_once_twice_or_never(void **state) {
  (void)state;
  check_local("America/New_York", "2024-03-10T01:59:59Z", 1, "2024-03-10T06:59:59Z", NULL);
  check_local("America/New_York", "2024-03-10T02:00:00Z", 0, "2024-03-10T07:00:00Z", NULL);
  check_local("America/New_York", "2024-03-10T02:59:59Z", 0, "2024-03-10T07:00:00Z", NULL);
  check_local("America/New_York", "2024-03-10T03:00:00Z", 1, "2024-03-10T07:00:00Z", NULL);
  check_local("America/New_York", "2024-11-03T01:30:00Z", 2, "2024-11-03T05:30:00Z",
              "2024-11-03T06:30:00Z");
  check_local("America/New_York", "2024-11-03T02:00:00Z", 1, "2024-11-03T07:00:00Z", NULL);
  check_local("America/Sao_Paulo", "2018-11-04T00:00:00Z", 0, "2018-11-04T03:00:00Z", NULL);
  check_local("America/Sao_Paulo", "2018-02-17T23:30:00Z", 2, "2018-02-18T01:30:00Z",
              "2018-02-18T02:30:00Z");
  check_local("Pacific/Apia", "2011-12-30T12:00:00Z", 0, "2011-12-30T10:00:00Z", NULL);
  check_local("Pacific/Apia", "2011-12-31T00:00:00Z", 1, "2011-12-30T10:00:00Z", NULL);
  check_local("Australia/Lord_Howe", "2024-10-06T02:15:00Z", 0, "2024-10-05T15:30:00Z", NULL);
  check_local("UTC", "2024-03-10T02:00:00Z", 1, "2024-03-10T02:00:00Z", NULL);
  check_local("America/New_York", "2399-03-12T03:00:00Z", 1, "2399-03-12T08:00:00Z", NULL);
}

static void the_footer_rules_far_years(void **state) {
  (void)state;
  zone *z = open_zone("America/New_York");
  assert_int_equal(zone_offset(z, at("2500-07-01T00:00:00Z")), -14400);
  assert_int_equal(zone_offset(z, at("2500-01-01T00:00:00Z")), -18000);
  assert_int_equal(zone_next_change(z, at("2500-01-01T00:00:00Z")), at("2500-03-14T07:00:00Z"));
  zone_close(z);
  z = open_zone("America/Sao_Paulo");
  assert_int_equal(zone_offset(z, at("2500-01-01T00:00:00Z")), -10800);
  assert_true(zone_next_change(z, at("2030-01-01T00:00:00Z")) == INT64_MAX);
  assert_int_equal(zone_date(z, at("2026-03-10T02:59:59Z")), day("2026-03-09"));
  assert_string_equal(zone_name(z), "America/Sao_Paulo");
  zone_close(z);
}

static void check_unknown(const char *name, const char *hint) {
  dts_error e;
  assert_null(zone_open(name, &e));
  assert_string_equal(e.code, "ZONE");
  assert_string_equal(e.hint, hint);
}

static void wrong_names_find_the_right_one(void **state) {
  (void)state;
  const char *other = "use a name of the IANA database, such as 'America/Sao_Paulo' or 'UTC'";
  check_unknown("America/SaoPaulo", "did you mean 'America/Sao_Paulo'?");
  check_unknown("america/sao_paulo", "did you mean 'America/Sao_Paulo'?");
  check_unknown("Sao Paulo", "did you mean 'America/Sao_Paulo'?");
  check_unknown("Europe/Berln", "did you mean 'Europe/Berlin'?");
  check_unknown("utc", "did you mean 'UTC'?");
  check_unknown("Brasilia Standard Time", other);
  check_unknown("right/Europe/Berlin", "did you mean 'Europe/Berlin'?");
}

static void names_never_leave_the_folder(void **state) {
  (void)state;
  static const char *const BAD[] = {"",
                                    "/etc/passwd",
                                    "../../../etc/passwd",
                                    "Europe/../Europe/Berlin",
                                    ".",
                                    "Europe/./Berlin",
                                    "Europe//Berlin",
                                    "Europe/",
                                    "Europe",
                                    "a\nb",
                                    "Europe/Berlin\\",
                                    "zone1970.tab",
                                    "tzdata.zi",
                                    "-x"};
  dts_error e;
  for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
    if (zone_open(BAD[i], &e)) fail_msg("opened: %s", BAD[i]);
    assert_string_equal(e.code, "ZONE");
  }
}

static void rules_are_read_exactly(void **state) {
  (void)state;
  static const char *const GOOD[] = {"UTC0",
                                     "<-03>3",
                                     "EST5EDT,M3.2.0,M11.1.0",
                                     "IST-1GMT0,M10.5.0,M3.5.0/1",
                                     "<-02>2<-01>,M3.5.0/-1,M10.5.0/0",
                                     "XXX3EDT4,0/0,J365/23",
                                     "<+1030>-10:30<+11>-11,M10.1.0,M4.1.0"};
  static const char *const BAD[] = {"",
                                    "UT0",
                                    "UTC",
                                    "EST5EDT",
                                    "EST5EDT,M3.2.0",
                                    "EST5EDT,M13.2.0,M11.1.0",
                                    "EST5EDT,M3.6.0,M11.1.0",
                                    "EST5EDT,M3.2.7,M11.1.0",
                                    "EST5EDT,J0,J365",
                                    "<-033",
                                    "EST25",
                                    "UTC0x",
                                    "EST5EDT,M3.2.0/168,M11.1.0"};
  zone_rule r;
  for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++)
    if (zone_rule_read(GOOD[i], strlen(GOOD[i]), &r) != 0) fail_msg("refused: %s", GOOD[i]);
  assert_int_equal(r.standard, 37800);
  assert_int_equal(r.summer, 39600);
  for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
    if (zone_rule_read(BAD[i], strlen(BAD[i]), &r) == 0) fail_msg("accepted: %s", BAD[i]);
}

static void rules_of_every_kind_of_day(void **state) {
  (void)state;
  zone z = {.name = "rule"};
  assert_int_equal(zone_rule_read("AAA0BBB,J60/0,300/0", 19, &z.rule), 0);
  assert_int_equal(zone_next_change(&z, at("2023-01-01T00:00:00Z")), at("2023-03-01T00:00:00Z"));
  assert_int_equal(zone_next_change(&z, at("2024-01-01T00:00:00Z")), at("2024-03-01T00:00:00Z"));
  assert_int_equal(zone_next_change(&z, at("2023-04-01T00:00:00Z")), at("2023-10-27T23:00:00Z"));
  assert_int_equal(zone_next_change(&z, at("2024-04-01T00:00:00Z")), at("2024-10-26T23:00:00Z"));
  assert_int_equal(zone_rule_read("XXX3EDT4,0/0,J365/23", 20, &z.rule),
                   0); /* RFC 9636: always summer */
  for (int64_t t = at("2023-01-01T00:00:00Z"); t < at("2026-01-01T00:00:00Z"); t += 1800000)
    assert_int_equal(zone_offset(&z, t), -14400);
  assert_true(zone_next_change(&z, at("2024-01-01T00:00:00Z")) == INT64_MAX);
}

static void damaged_files_are_refused_at_every_length(void **state) {
  (void)state;
  buffer b;
  const char *why;
  buffer_init(&b, 1 << 20);
  if (file_read("/usr/share/zoneinfo/America/New_York", 1 << 20, &b, NULL) != 0) skip();
  for (size_t size = 0; size <= b.size; size++) {
    char *exact = malloc(size + 1); /* so that the sanitizer sees a read past the end */
    memcpy(exact, b.data, size);
    zone *z = calloc(1, sizeof *z);
    int result = zone_file_read(exact, size, z, &why);
    zone_close(z);
    free(exact);
    assert_int_equal(result, size == b.size ? 0 : -1);
  }
  for (size_t i = 0; i < b.size; i++) { /* one wrong byte must do no harm, accepted or not */
    b.data[i] = (char)(b.data[i] ^ 0xff);
    zone *z = calloc(1, sizeof *z);
    if (zone_file_read(b.data, b.size, z, &why) == 0) zone_next_change(z, zone_instant(z, 0));
    zone_close(z);
    b.data[i] = (char)(b.data[i] ^ 0xff);
  }
  buffer_free(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(offsets_are_those_of_zdump),
      cmocka_unit_test(offsets_are_those_of_the_c_library),
      cmocka_unit_test(local_times_once_twice_or_never),
      cmocka_unit_test(the_footer_rules_far_years),
      cmocka_unit_test(wrong_names_find_the_right_one),
      cmocka_unit_test(names_never_leave_the_folder),
      cmocka_unit_test(rules_are_read_exactly),
      cmocka_unit_test(rules_of_every_kind_of_day),
      cmocka_unit_test(damaged_files_are_refused_at_every_length),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
