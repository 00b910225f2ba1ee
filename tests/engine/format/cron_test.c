/* cron_test.c -- schedules against three libraries' common answers, and every clock change.
 *
 * SPDX-License-Identifier: MIT */
#include "format/suite.h"

#include "format/cron.h"
#include "format/json.h"

static cron read_cron(const char *text) {
  cron c = {0};
  dts_error e;
  if (cron_read(text, &c, &e) != 0) fail_msg("%s: %s", text, e.message);
  return c;
}

static void check_next(const char *text, const zone *z, const char *after,
                       const char *const *expected, int count) {
  cron c = read_cron(text);
  int64_t t = at(after);
  for (int i = 0; i < count; i++) {
    t = cron_next(&c, z, t);
    if (t == at(expected[i])) continue;
    char out[25];
    timestamp_write(t, out);
    fail_msg("'%s' after %s: number %d is %s, not %s", text, after, i + 1, out, expected[i]);
  }
}

static void check_in(const char *zone_name, const char *text, const char *after,
                     const char *const *expected, int count) {
  zone *z = zone_open(zone_name, NULL);
  assert_non_null(z);
  check_next(text, z, after, expected, count);
  zone_close(z);
}

static void answers_on_which_three_libraries_agree(void **state) {
  (void)state;
  buffer b = suite_read("suites/cron/consensus-utc.json");
  arena a = {0};
  value cases;
  assert_int_equal(json_read(&a, b.data, b.size, &cases, NULL), 0);
  zone *utc = zone_open("UTC", NULL);
  for (size_t i = 0; i < cases.list.count; i++) {
    const value *v = &cases.list.items[i], *next = value_get(v, "next");
    const char *expected[16];
    for (size_t k = 0; k < next->list.count; k++) expected[k] = next->list.items[k].text.bytes;
    check_next(value_get_text(v, "expr", NULL), utc, value_get_text(v, "after", NULL), expected,
               (int)next->list.count);
  }
  print_message("%zu expressions and instants\n", cases.list.count);
  assert_int_equal(cases.list.count, 182);
  zone_close(utc);
  arena_free(&a);
  buffer_free(&b);
}

static void expressions_that_every_library_refuses(void **state) {
  (void)state;
  buffer b = suite_read("suites/cron/invalid-expressions.json");
  arena a = {0};
  value cases;
  assert_int_equal(json_read(&a, b.data, b.size, &cases, NULL), 0);
  for (size_t i = 0; i < cases.list.count; i++) {
    cron c = {.months = 7};
    const char *text = value_get_text(&cases.list.items[i], "expr", NULL);
    if (cron_read(text, &c, NULL) == 0) fail_msg("accepted: '%s'", text);
    assert_int_equal(c.months, 7);
  }
  assert_int_equal(cases.list.count, 9);
  arena_free(&a);
  buffer_free(&b);
}

/* Six fields there, the first for seconds and always 0 ("0 0/15 * * *" leaves the last one out). */
static void activations_of_robfig(void **state) {
  (void)state;
  buffer b = suite_read("suites/cron/robfig-activation-seconds-field.json");
  arena a = {0};
  value cases;
  assert_int_equal(json_read(&a, b.data, b.size, &cases, NULL), 0);
  zone *utc = zone_open("UTC", NULL);
  for (size_t i = 0; i < cases.list.count; i++) {
    const char *time = value_get_text(&cases.list.items[i], "time", NULL);
    const char *spec = value_get_text(&cases.list.items[i], "spec", NULL);
    int blanks = 0;
    for (const char *s = spec; *s; s++) blanks += *s == ' ';
    char text[64];
    snprintf(text, sizeof text, "%s%s", *spec == '@' ? spec : spec + 2, blanks == 4 ? " *" : "");
    int32_t date;
    int64_t of_day;
    assert_int_equal(date_parse(time, strlen(time), "%a %b %d %H:%M %Y", &date, &of_day), 0);
    cron c = read_cron(text);
    int64_t t = date * DATE_DAY_MS + of_day;
    if ((cron_next(&c, utc, t - 1) == t) != value_get_boolean(&cases.list.items[i], "fires", false))
      fail_msg("'%s' at %s", spec, time);
  }
  assert_int_equal(cases.list.count, 23);
  zone_close(utc);
  arena_free(&a);
  buffer_free(&b);
}

#define LIST(...)                                                                                  \
  (const char *const[]) { __VA_ARGS__ }

static void missing_times_fire_at_the_next_valid_minute(void **state) {
  (void)state;
  check_in("America/New_York", "30 2 * * *", "2024-03-09T12:00-05:00",
           LIST("2024-03-10T07:00Z", "2024-03-11T06:30Z"), 2);
  check_in("America/New_York", "0,30 2,3 * * *", "2024-03-10T01:00-05:00",
           LIST("2024-03-10T07:00Z", "2024-03-10T07:30Z", "2024-03-11T06:00Z"), 3);
  check_in("America/Sao_Paulo", "0 0 * * *", "2018-11-03T12:00-03:00",
           LIST("2018-11-04T03:00Z", "2018-11-05T02:00Z"), 2);
  check_in("Europe/Berlin", "0 2 * * *", "2024-03-30T12:00+01:00",
           LIST("2024-03-31T01:00Z", "2024-04-01T00:00Z"), 2);
  check_in("Europe/Lisbon", "0 1 * * *", "2024-03-30T12:00+00:00",
           LIST("2024-03-31T01:00Z", "2024-04-01T00:00Z"), 2);
  check_in("Australia/Lord_Howe", "15 2 * * *", "2024-10-05T12:00+10:30",
           LIST("2024-10-05T15:30Z", "2024-10-06T15:15Z"), 2);
  check_in("Pacific/Apia", "0 12 30 12 *", "2011-12-01T00:00-10:00",
           LIST("2011-12-30T10:00Z", "2012-12-29T22:00Z"), 2);
}

static void named_hours_fire_once_in_a_repeated_hour(void **state) {
  (void)state;
  check_in("America/New_York", "30 1 * * *", "2024-11-02T12:00-04:00",
           LIST("2024-11-03T05:30Z", "2024-11-04T06:30Z"), 2);
  check_in("America/New_York", "*/30 1-2 * * *", "2024-11-03T00:00-04:00",
           LIST("2024-11-03T05:00Z", "2024-11-03T05:30Z", "2024-11-03T07:00Z", "2024-11-03T07:30Z"),
           4);
  check_in("America/New_York", "30 1 * * *", "2024-11-03T06:10Z", LIST("2024-11-04T06:30Z"), 1);
  check_in("America/Sao_Paulo", "30 23 * * *", "2018-02-16T12:00-02:00",
           LIST("2018-02-17T01:30Z", "2018-02-18T01:30Z", "2018-02-19T02:30Z"), 3);
}

static void starred_hours_follow_real_time(void **state) {
  (void)state;
  check_in("America/New_York", "*/30 * * * *", "2024-03-10T01:00-05:00",
           LIST("2024-03-10T06:30Z", "2024-03-10T07:00Z", "2024-03-10T07:30Z"), 3);
  check_in("America/New_York", "30 * * * *", "2024-11-03T00:45-04:00",
           LIST("2024-11-03T05:30Z", "2024-11-03T06:30Z", "2024-11-03T07:30Z"), 3);
  check_in("America/New_York", "0 */2 * * *", "2024-03-10T00:00-05:00", /* 02:00 is missing */
           LIST("2024-03-10T08:00Z", "2024-03-10T10:00Z"), 2);
  check_in("Asia/Kolkata", "0 * * * *", "2024-03-10T00:00Z", LIST("2024-03-10T00:30Z"), 1);
  check_in("Asia/Kolkata", "* * * * *", "2024-03-10T00:00:00.001Z", LIST("2024-03-10T00:01Z"), 1);
}

/* next(t) > t, and nothing lies between: asking from any instant between gives the same answer. */
static void firings_never_go_back_and_none_is_skipped(void **state) {
  (void)state;
  static const char *const TEXTS[] = {"30 2 * * *", "*/20 1-3 * * *", "15 * * * *", "0 0 * * 0",
                                      "0 */3 * * *"};
  static const char *const ZONES[] = {"America/New_York", "America/Sao_Paulo",
                                      "Australia/Lord_Howe", "Africa/Casablanca"};
  for (size_t k = 0; k < 20; k++) {
    zone *z = zone_open(ZONES[k / 5], NULL);
    cron c = read_cron(TEXTS[k % 5]);
    int64_t t = at("2017-01-01T00:00Z"), end = at("2019-01-01T00:00Z");
    while (t < end) {
      int64_t next = cron_next(&c, z, t);
      assert_true(next > t && next % 60000 == 0);
      assert_true(cron_next(&c, z, next - 1) == next);
      assert_true(cron_next(&c, z, t + (next - t) / 2) == next);
      t = next;
    }
    zone_close(z);
  }
}

static void far_and_impossible_dates(void **state) {
  (void)state;
  zone *utc = zone_open("UTC", NULL);
  cron c = read_cron("0 0 29 2 *");
  assert_int_equal(cron_next(&c, utc, at("2096-02-29T00:00Z")), at("2104-02-29T00:00Z"));
  c = read_cron("0 0 30 2 *");
  assert_int_equal(cron_next(&c, utc, at("2024-01-01T00:00Z")), -1);
  c = read_cron("0 * 30 2 *");
  assert_int_equal(cron_next(&c, utc, at("2024-01-01T00:00Z")), -1);
  c = read_cron("0 0 */3 * *");
  assert_int_equal(cron_next(&c, utc, at("2024-02-28T23:30Z")), at("2024-03-01T00:00Z"));
  zone_close(utc);
}

static void check_refused(const char *text, const char *message, const char *hint) {
  cron c;
  dts_error e;
  if (cron_read(text, &c, &e) == 0) fail_msg("accepted: %s", text);
  assert_string_equal(e.code, "CRON");
  assert_string_equal(e.message, message);
  assert_string_equal(e.hint, hint);
}

static void refusals_of_ranges_names_and_steps(void **state) {
  (void)state;
  check_refused("0 22-2 * * *", "schedule: hour '22-2' is not understood: expected 0 to 23",
                "a range does not go round its end: write '22-23,0-2'");
  check_refused("0 6 * * FRI-MON",
                "schedule: day of week 'FRI-MON' is not understood: expected 0 to 7",
                "a range does not go round its end: write '5-6,0-1'");
  check_refused("0 6 * JUL-MAR *", "schedule: month 'JUL-MAR' is not understood: expected 1 to 12",
                "a range does not go round its end: write '7-12,1-3'");
  check_refused("0 6 * * 7-2", "schedule: day of week '7-2' is not understood: expected 0 to 7",
                "a range that begins with Sunday has it as 0: write '0-2'");
  check_refused("0 6 * * WED-5/9",
                "schedule: day of week 'WED-5/9' is not understood: expected 0 to 7",
                "a step is a number from 1 to 6");
  check_refused("0 6 * * wednesday",
                "schedule: day of week 'wednesday' is not understood: expected 0 to 7",
                "names are English and of three letters: sun, mon, tue ...");
  check_refused("0 6 15W * *", "schedule: day of month '15W' is not understood: expected 1 to 31",
                "'L', 'W' and '#' are not supported: run daily and return on other days");
}

static void refusals_of_what_stands_elsewhere(void **state) {
  (void)state;
  check_refused("CRON_TZ=Asia/Tokyo 0 6 * * *",
                "schedule: 'CRON_TZ=Asia/Tokyo 0 6 * * *' has 6 fields, expected 5",
                "minute hour day-of-month month day-of-week, such as '0 6 * * 1-5'; the zone is "
                "written apart: timezone = \"Europe/Berlin\"");
  check_refused("@every 5m", "schedule: there is no '@every'", "write every = \"15m\" instead");
  read_cron(" @daily ");
  read_cron("0 6 * * 1-5\n");
}

static void refusals_say_what_to_write(void **state) {
  (void)state;
  check_refused("0 25 * * *", "schedule: hour '25' is not understood: expected 0 to 23",
                "write '*', a number, a range '0-4', a step '*/2', or several with commas");
  check_refused("0 6 * foo *", "schedule: month 'foo' is not understood: expected 1 to 12",
                "names are English and of three letters: jan, feb, mar ...");
  check_refused("0 6 L * *", "schedule: day of month 'L' is not understood: expected 1 to 31",
                "'L', 'W' and '#' are not supported: run daily and return on other days");
  check_refused("0 6 * * fri#2", "schedule: day of week 'fri#2' is not understood: expected 0 to 7",
                "'L', 'W' and '#' are not supported: run daily and return on other days");
  check_refused("0 0 6 * * *", "schedule: '0 0 6 * * *' has 6 fields, expected 5",
                "minute hour day-of-month month day-of-week, such as '0 6 * * 1-5'; there is none "
                "for seconds or years");
  check_refused("@dayly", "schedule: there is no '@dayly'", "did you mean '@daily'?");
  check_refused("@reboot", "schedule: '@reboot' is no time: the engine's start changes nothing",
                "firings missed by a stop are made up for (`missed`); `dts run` runs one");
  check_refused("@dusk", "schedule: there is no '@dusk'",
                "write five fields, such as '0 6 * * *', or @daily");
  static const char *const BAD[] = {"*/0 * * * *", "*/90 * * * *",  "1,,2 * * * *", ",1 * * * *",
                                    "1, * * * *",  "1-2-3 * * * *", "*5 * * * *",   "1/ * * * *",
                                    "? * * * *",   "* * * * 8",     "0001 * * * *", "* * 0 * *",
                                    "5-1 * * * *"};
  for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
    cron c;
    if (cron_read(BAD[i], &c, NULL) == 0) fail_msg("accepted: %s", BAD[i]);
  }
}

static void moved_and_repeated_firings_are_known(void **state) {
  (void)state;
  zone *z = zone_open("America/New_York", NULL);
  cron c = read_cron("30 2 * * *");
  assert_int_equal(cron_shift_of(&c, z, at("2024-03-10T07:00Z")), CRON_MOVED);
  assert_int_equal(cron_shift_of(&c, z, at("2024-03-11T06:30Z")), CRON_PLAIN);
  c = read_cron("30 1 * * *");
  assert_int_equal(cron_shift_of(&c, z, at("2024-11-03T05:30Z")), CRON_REPEATED);
  zone_close(z);
}

static void schedules_in_words(void **state) {
  (void)state;
  static const char *const CASES[][2] = {
      {"0 6 * * *", "every day at 06:00 São Paulo"},
      {"30 16 * * 1-5", "Monday to Friday at 16:30 São Paulo"},
      {"0 6,18 * * *", "every day at 06:00 and 18:00 São Paulo"},
      {"* * * * *", "every minute São Paulo"},
      {"*/15 * * * *", "every 15 minutes São Paulo"},
      {"0 */6 * * *", "every 6 hours São Paulo"},
      {"10 */6 * * *", "every 6 hours at :10 São Paulo"},
      {"0 * * * *", "every hour São Paulo"},
      {"5 * * * *", "every hour at :05 São Paulo"},
      {"3,40 * * * *", "at minutes 3 and 40 of every hour São Paulo"},
      {"*/15 8-18 * * mon-fri", "every 15 minutes from 08:00 to 18:45, Monday to Friday São Paulo"},
      {"0 0 1 * *", "day 1 of every month at 00:00 São Paulo"},
      {"0 0 1 1 *", "day 1 of January at 00:00 São Paulo"},
      {"0 0 1,15 * 3", "days 1 and 15 of every month or on Wednesday at 00:00 São Paulo"},
      {"0 9 1-7 * *", "days 1 to 7 of every month at 09:00 São Paulo"},
      {"0 12 * 1,7 6,0", "Saturday and Sunday in January and July at 12:00 São Paulo"},
      {"0 12 * 6-8 *", "every day of June to August at 12:00 São Paulo"},
      {"0 12 * * 1,3,5", "Monday, Wednesday and Friday at 12:00 São Paulo"},
  };
  buffer b;
  buffer_init(&b, 1000);
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    cron c = read_cron(CASES[i][0]);
    buffer_clear(&b);
    assert_int_equal(cron_words(&c, "America/Sao_Paulo", &b), 0);
    assert_string_equal(buffer_text(&b), CASES[i][1]);
  }
  cron c = read_cron("@weekly");
  buffer_clear(&b);
  cron_words(&c, NULL, &b);
  assert_string_equal(buffer_text(&b), "Sunday at 00:00");
  buffer_clear(&b);
  cron_words(&c, "America/New_York", &b);
  assert_string_equal(buffer_text(&b), "Sunday at 00:00 New York");
  buffer_free(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(answers_on_which_three_libraries_agree),
      cmocka_unit_test(expressions_that_every_library_refuses),
      cmocka_unit_test(activations_of_robfig),
      cmocka_unit_test(missing_times_fire_at_the_next_valid_minute),
      cmocka_unit_test(named_hours_fire_once_in_a_repeated_hour),
      cmocka_unit_test(starred_hours_follow_real_time),
      cmocka_unit_test(firings_never_go_back_and_none_is_skipped),
      cmocka_unit_test(far_and_impossible_dates),
      cmocka_unit_test(refusals_say_what_to_write),
      cmocka_unit_test(refusals_of_ranges_names_and_steps),
      cmocka_unit_test(refusals_of_what_stands_elsewhere),
      cmocka_unit_test(moved_and_repeated_firings_are_known),
      cmocka_unit_test(schedules_in_words),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
