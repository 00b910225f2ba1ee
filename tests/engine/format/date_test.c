/* date_test.c -- dates, instants and their texts: every day of the calendar, and what is refused.
 *
 * SPDX-License-Identifier: MIT */
#include "format/suite.h"

static void every_day_splits_and_makes_itself_again(void **state) {
  (void)state;
  int y, m, d, py = 1, pm = 1, pd = 0, weekday = 6; /* 0001-01-01 was a Monday */
  for (int32_t date = DATE_MIN; date <= DATE_MAX; date++) {
    int32_t back = 0;
    date_split(date, &y, &m, &d);
    bool next = y == py && m == pm && d == pd + 1;
    bool month = y == py && m == pm + 1 && d == 1 && pd == date_month_days(py, pm);
    bool year = y == py + 1 && m == 1 && d == 1 && pm == 12 && pd == 31;
    weekday = (weekday + 1) % 7;
    if (!(next || month || year) || date_make(y, m, d, &back) != 0 || back != date ||
        date_weekday(date) != weekday)
      fail_msg("day %d became %d-%d-%d", date, y, m, d);
    py = y, pm = m, pd = d;
  }
  assert_int_equal(y, 9999);
}

static void days_that_do_not_exist_are_refused(void **state) {
  (void)state;
  int32_t date = 42;
  assert_int_equal(date_make(2023, 2, 29, &date), -1);
  assert_int_equal(date_make(1900, 2, 29, &date), -1);
  assert_int_equal(date_make(2024, 4, 31, &date), -1);
  assert_int_equal(date_make(2024, 13, 1, &date), -1);
  assert_int_equal(date_make(2024, 0, 1, &date), -1);
  assert_int_equal(date_make(2024, 1, 0, &date), -1);
  assert_int_equal(date_make(0, 1, 1, &date), -1);
  assert_int_equal(date_make(10000, 1, 1, &date), -1);
  assert_int_equal(date, 42);
  assert_int_equal(date_make(2000, 2, 29, &date), 0);
  assert_int_equal(date, 11016);
}

static void canonical_dates_only(void **state) {
  (void)state;
  static const char *const BAD[] = {
      "",         "2024-1-01",  "2024-01-1",  "2024-01-01 ", " 2024-01-01", "2024/01/01",
      "20240101", "2024-02-30", "+024-01-01", "0000-01-01",  "2024-01-0x",  "2024-01-01T"};
  char out[11];
  for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++) {
    int32_t date = 7;
    assert_int_equal(date_read(BAD[i], strlen(BAD[i]), &date), -1);
    assert_int_equal(date, 7);
  }
  date_write(day("1970-01-01"), out);
  assert_string_equal(out, "1970-01-01");
  assert_int_equal(day("1969-12-31"), -1);
  date_write(DATE_MIN, out);
  assert_string_equal(out, "0001-01-01");
  date_write(INT32_MAX, out);
  assert_string_equal(out, "9999-12-31");
}

static void check_instant(const char *text, const char *expected) {
  int64_t ms;
  char out[25];
  if (timestamp_read(text, strlen(text), &ms) != 0) fail_msg("refused: %s", text);
  timestamp_write(ms, out);
  assert_string_equal(out, expected);
}

static void timestamps_of_any_offset(void **state) {
  (void)state;
  check_instant("1985-04-12T23:20:50.52Z", "1985-04-12T23:20:50.520Z");
  check_instant("1996-12-19T16:39:57-08:00", "1996-12-20T00:39:57.000Z");
  check_instant("1937-01-01T12:00:27.87+00:20", "1937-01-01T11:40:27.870Z");
  check_instant("2026-03-10 10:00:00.123456789-03:00", "2026-03-10T13:00:00.123Z");
  check_instant("2026-03-10t10:00:00z", "2026-03-10T10:00:00.000Z");
  check_instant("1990-12-31T23:59:60Z", "1991-01-01T00:00:00.000Z");
  check_instant("1990-12-31T15:59:60.5-08:00", "1991-01-01T00:00:00.000Z");
  check_instant("1969-12-31T23:59:59.999Z", "1969-12-31T23:59:59.999Z");
  check_instant("2026-03-10T10:00:00-00:00", "2026-03-10T10:00:00.000Z");
}

static void timestamps_that_are_none(void **state) {
  (void)state;
  static const char *const BAD[] = {
      "2026-03-10T10:00:00",    "2026-03-10T10:00-03:00",    "2026-03-10T10:00:00-0300",
      "2026-03-10T24:00:00Z",   "2026-03-10T10:60:00Z",      "2026-03-10T10:00:60Z",
      "2026-03-10T10:00:00.Z",  "2026-03-10T10:00:00Z ",     "2026-03-10",
      "2026-02-29T10:00:00Z",   "2026-03-10T10:00:00+24:00", "2026-03-10T10:00:00+01:60",
      "2026-03-10X10:00:00Z",   "0001-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00",
      "2026-03-10T1:00:00Z",    "2026-03-10T10:00:00ZZ",     "2026-03-10T10:00:0",
      "2026-03-10T10:00:00,5Z", "2026-03-10  10:00:00Z",     "2026-03-10T-1:00:00Z"};
  int64_t ms = 7;
  for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
    if (timestamp_read(BAD[i], strlen(BAD[i]), &ms) == 0) fail_msg("accepted: %s", BAD[i]);
  assert_int_equal(ms, 7);
  assert_int_equal(timestamp_read("2026-03-10T10:00:00Z\0", 21, &ms), -1);
  assert_int_equal(timestamp_parse("2026-03-10T10:00-03:00", 22, &ms), 0);
  assert_int_equal(ms, at("2026-03-10T13:00:00Z"));
  assert_int_equal(timestamp_parse("2026-03-10T10:00", 16, &ms), -1);
}

static void check_parse(const char *text, const char *format, const char *date, int64_t time) {
  int32_t got;
  int64_t ms;
  assert_int_equal(date_format_check(format, NULL), 0);
  if (date_parse(text, strlen(text), format, &got, &ms) != 0) fail_msg("refused: %s", text);
  char out[11];
  date_write(got, out);
  assert_string_equal(out, date);
  assert_int_equal(ms, time);
}

static void texts_of_a_format(void **state) {
  (void)state;
  const int64_t m = 60000;
  check_parse("31/12/2023", "%d/%m/%Y", "2023-12-31", -1);
  check_parse("Jun 12 1998", "%b %d %Y", "1998-06-12", -1);
  check_parse("Jan 1 2000", "%b %d %Y", "2000-01-01", -1);
  check_parse("12 de september, 1998", "%d de %B, %Y", "1998-09-12", -1);
  check_parse("2001/01/01 01:10", "%Y/%m/%d %H:%M", "2001-01-01", 70 * m);
  check_parse("20240229", "%Y%m%d", "2024-02-29", -1);
  check_parse("01.02.69", "%d.%m.%y", "1969-02-01", -1);
  check_parse("01.02.68", "%d.%m.%y", "2068-02-01", -1);
  check_parse("2024-060", "%Y-%j", "2024-02-29", -1);
  check_parse("2023-12", "%Y-%m", "2023-12-01", -1);
  check_parse("2023", "%Y", "2023-01-01", -1);
  check_parse("12:05 AM 3/4/2024", "%I:%M %p %m/%d/%Y", "2024-03-04", 5 * m);
  check_parse("12:05 pm 3/4/2024", "%I:%M %p %m/%d/%Y", "2024-03-04", 725 * m);
  check_parse("2024-03-04T05:06:07.123456", "%FT%T.%f", "2024-03-04", 306 * m + 7123);
  check_parse("2024-03-04 05:00:00.5", "%F %T.%f", "2024-03-04", 300 * m + 500);
  check_parse("2024-03-04 00:30 +0100", "%F %H:%M %z", "2024-03-03", 1410 * m);
  check_parse("2024-03-04 23:30-03", "%F %H:%M%z", "2024-03-05", 150 * m);
  check_parse("2024-03-04 23:30Z", "%F %H:%M%z", "2024-03-04", 1410 * m);
  check_parse("Mon, 04 Mar 2024 23:30:00 GMT", "%a, %d %b %Y %H:%M:%S %z", "2024-03-04", 1410 * m);
  check_parse("Mon, 04 Mar 2024 23:30:00 UT", "%a, %d %b %Y %H:%M:%S %z", "2024-03-04", 1410 * m);
  check_parse("2024-03-04 23:30 GMT", "%F %H:%M %Z", "2024-03-04", 1410 * m);
  check_parse("Mon,  4 Mar 2024", "%a, %e %b %Y", "2024-03-04", -1);
  check_parse("Monday 100% 4 March 2024", "%A 100%% %d %B %Y", "2024-03-04", -1);
  check_parse("04/03/2024   10:00", "%d/%m/%Y %H:%M", "2024-03-04", 600 * m);
  check_parse("4/3/2024", "%-d/%-m/%Y", "2024-03-04", -1);
}

static void weeks_quarters_and_seconds(void **state) {
  (void)state;
  check_parse("2026-W53-7", "%G-W%V-%u", "2027-01-03", -1);
  check_parse("2026-W53", "%G-W%V", "2026-12-28", -1);
  check_parse("2027-W01-1", "%G-W%V-%u", "2027-01-04", -1);
  check_parse("2020-W01-1", "%G-W%V-%u", "2019-12-30", -1);
  check_parse("2020-W53 Sun", "%G-W%V %a", "2021-01-03", -1);
  check_parse("2024-Q3", "%Y-Q%q", "2024-07-01", -1);
  check_parse("1T69", "%qT%y", "1969-01-01", -1);
  check_parse("1700000000", "%s", "2023-11-14", 80000000);
  check_parse("1700000000.250", "%s", "2023-11-14", 80000250);
  check_parse("-1", "%s", "1969-12-31", 86399000);
}

static void texts_that_do_not_fit_their_format(void **state) {
  (void)state;
  static const char *const BAD[][2] = {{"31/02/2024", "%d/%m/%Y"},
                                       {"31/12/2023 ", "%d/%m/%Y"},
                                       {" 31/12/2023", "%d/%m/%Y"},
                                       {"31/12/23", "%d/%m/%Y"},
                                       {"12/31/2023", "%d/%m/%Y"},
                                       {"2023-366", "%Y-%j"},
                                       {"Tue 4 Mar 2024", "%a %d %b %Y"},
                                       {"13:00 PM 2024", "%I:%M %p %Y"},
                                       {"00:00 AM 2024", "%I:%M %p %Y"},
                                       {"2024-03-04 24:00", "%F %H:%M"},
                                       {"2024-03-04 10:60", "%F %H:%M"},
                                       {"2024-03-04 10:00 BRT", "%F %H:%M %Z"},
                                       {"2024-03-04 10:00 +25", "%F %H:%M %z"},
                                       {"fev 1 2024", "%b %d %Y"},
                                       {"", "%Y"},
                                       {"2024-03-04", "%Y-%m-%d x"},
                                       {"2024 2025", "%Y %Y"},
                                       {"2024-03-04 10:00:00.", "%F %T.%f"},
                                       {"2025-W53", "%G-W%V"},
                                       {"2024-W00", "%G-W%V"},
                                       {"9999-W52-7", "%G-W%V-%u "},
                                       {"2024-Q5", "%Y-Q%q"},
                                       {"1700000000000", "%s"},
                                       {"+1", "%s"}};
  int32_t date;
  int64_t ms;
  for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
    if (date_parse(BAD[i][0], strlen(BAD[i][0]), BAD[i][1], &date, &ms) == 0)
      fail_msg("accepted '%s' as '%s'", BAD[i][0], BAD[i][1]);
}

static void formats_that_cannot_make_a_date_say_why(void **state) {
  (void)state;
  dts_error e;
  assert_int_equal(date_format_check("%d/%m", &e), -1);
  assert_string_equal(e.message, "date format '%d/%m': it has no year (%Y or %y)");
  assert_int_equal(date_format_check("%Y-%Q", &e), -1);
  assert_string_equal(e.message, "date format '%Y-%Q': '%Q' is not known");
  assert_int_equal(date_format_check("%Y-W%V", &e), -1);
  assert_string_equal(e.message,
                      "date format '%Y-W%V': it has a week (%V) but not the week's year (%G)");
  assert_int_equal(date_format_check("%G", &e), -1);
  assert_int_equal(date_format_check("%G %V %m", &e), -1);
  assert_int_equal(date_format_check("%Y %q %m", &e), -1);
  assert_int_equal(date_format_check("%s %Y", &e), -1);
  assert_string_equal(e.message, "date format '%s %Y': %s is the whole instant and stands alone");
  assert_int_equal(date_format_check("%Y-%", &e), -1);
  assert_string_equal(e.message, "date format '%Y-%': '%%' is not known");
  assert_int_equal(date_format_check("%Y %I:%M", &e), -1);
  assert_string_equal(e.message, "date format '%Y %I:%M': %I and %p only make an hour together");
  assert_int_equal(date_format_check("%Y-%d", &e), -1);
  assert_int_equal(date_format_check("%Y %M", &e), -1);
  assert_int_equal(date_format_check("%Y %z", &e), -1);
  assert_string_equal(e.code, "DATE_FORMAT");
  assert_true(date_format_has_zone("%F %T%z"));
  assert_false(date_format_has_zone("%F %T%%z"));
}

static void dates_are_written_in_a_format(void **state) {
  (void)state;
  buffer b;
  buffer_init(&b, 1000);
  int64_t time = 13 * 3600000LL + 5 * 60000 + 9 * 1000 + 45;
  assert_int_equal(date_format(day("2024-03-04"), time,
                               "%Y %y %m %d %e %j %b %B %a %A %H %I %M %S %f %p %z %Z %F %T %%",
                               &b),
                   0);
  assert_string_equal(buffer_text(&b),
                      "2024 24 03 04  4 064 Mar March Mon Monday 13 01 05 09 045 PM "
                      "+0000 UTC 2024-03-04 13:05:09 %");
  buffer_clear(&b);
  assert_int_equal(date_format(day("2024-12-31"), -1, "%j %I %p", &b), 0);
  assert_string_equal(buffer_text(&b), "366 12 AM");
  assert_int_equal(date_format(day("2024-12-31"), -1, "%Q", &b), -1);
  buffer_clear(&b);
  assert_int_equal(date_format(day("2027-01-03"), time, "%G-W%V-%u %q %-d/%-m %-H %s", &b), 0);
  assert_string_equal(buffer_text(&b), "2026-W53-7 1 3/1 13 1798981509");
  buffer_clear(&b);
  int offset = -12600;
  assert_int_equal(date_format_at(day("1969-12-31"), time, &offset, "%T %z %Z %s", &b), 0);
  assert_string_equal(buffer_text(&b), "13:05:09 -0330 -03:30 -26691");
  buffer_free(&b);
}

/* Every day of 400 years, by its week and back; a year has 53 weeks 71 times in 400 years. */
static void weeks_come_back_as_they_went(void **state) {
  (void)state;
  buffer b;
  int64_t ms;
  int32_t back, long_years = 0;
  buffer_init(&b, 1000);
  for (int32_t date = day("1801-01-05"); date < day("2201-01-05"); date++) {
    buffer_clear(&b);
    date_format(date, -1, "%G-W%V-%u", &b);
    if (date_parse(buffer_text(&b), b.size, "%G-W%V-%u", &back, &ms) != 0 || back != date)
      fail_msg("%s", buffer_text(&b));
    if (strstr(buffer_text(&b), "W53-1")) long_years++;
  }
  assert_int_equal(long_years, 71);
  buffer_free(&b);
}

static void periods_begin_and_follow_each_other(void **state) {
  (void)state;
  static const char *const WORDS[] = {"day", "week", "month", "quarter", "year"};
  static const char *const EXPECTED[][2] = {{"2024-02-29", "2024-03-01"},
                                            {"2024-02-26", "2024-03-04"},
                                            {"2024-02-01", "2024-03-01"},
                                            {"2024-01-01", "2024-04-01"},
                                            {"2024-01-01", "2025-01-01"}};
  date_period p;
  for (int i = 0; i < 5; i++) {
    assert_int_equal(date_period_read(WORDS[i], &p), 0);
    assert_int_equal(date_period_start(day("2024-02-29"), p), day(EXPECTED[i][0]));
    assert_int_equal(date_period_next(day("2024-02-29"), p), day(EXPECTED[i][1]));
  }
  assert_int_equal(date_period_read("weeks", &p), -1);
  for (int32_t d = day("1890-01-01"); d < day("2110-01-01"); d++)
    for (p = DATE_DAY; p <= DATE_YEAR; p++) {
      int32_t start = date_period_start(d, p), next = date_period_next(d, p);
      assert_true(start <= d && d < next && date_period_start(next, p) == next);
      assert_int_equal(date_period_start(next - 1, p), start);
    }
}

static void http_dates_of_three_forms(void **state) {
  (void)state;
  static const char *const GOOD[] = {"Sun, 06 Nov 1994 08:49:37 GMT",
                                     "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994",
                                     "Mon, 06 Nov 1994 08:49:37 GMT"};
  static const char *const BAD[] = {"",
                                    "0",
                                    "-1",
                                    "Sun, 6 Nov 1994 08:49:37 GMT",
                                    "Sun, 06 Nov 1994 08:49:37 UTC",
                                    "Sun, 06 Nov 1994 08:49:37 +0000",
                                    "Sun, 31 Feb 1994 08:49:37 GMT",
                                    "sun, 06 nov 1994 08:49:37 gmt",
                                    "Sun, 06 Nov 1994 24:49:37 GMT",
                                    "Sun, 06 Nov 1994 8:49:37 GMT",
                                    "Sun, 06-Nov-1994 08:49:37 GMT",
                                    "Sun, 06 Nov 1994 08:49:37 GMT ",
                                    "Sun Nov 6 08:49:37 1994",
                                    "Sunday, 06 Nov 1994 08:49:37 GMT"};
  int64_t ms, now = at("2026-03-10T00:00:00Z");
  char out[30];
  for (size_t i = 0; i < sizeof GOOD / sizeof *GOOD; i++) {
    assert_int_equal(http_date_read(GOOD[i], strlen(GOOD[i]), now, &ms), 0);
    assert_int_equal(ms, 784111777000);
  }
  http_date_write(ms + 999, out);
  assert_string_equal(out, GOOD[0]);
  for (size_t i = 0; i < sizeof BAD / sizeof *BAD; i++)
    if (http_date_read(BAD[i], strlen(BAD[i]), now, &ms) == 0) fail_msg("accepted: %s", BAD[i]);
}

static void two_digit_years_lie_within_fifty_years(void **state) {
  (void)state;
  static const struct {
    const char *text, *expected;
  } CASES[] = {{"Tuesday, 10-Mar-76 00:00:00 GMT", "2076-03-10T00:00:00Z"},
               {"Thursday, 12-Mar-76 00:00:00 GMT", "1976-03-12T00:00:00Z"},
               {"Friday, 01-Jan-77 00:00:00 GMT", "1977-01-01T00:00:00Z"},
               {"Friday, 01-Jan-00 00:00:00 GMT", "2000-01-01T00:00:00Z"}};
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    int64_t ms;
    assert_int_equal(
        http_date_read(CASES[i].text, strlen(CASES[i].text), at("2026-03-10T12:00Z"), &ms), 0);
    assert_int_equal(ms, at(CASES[i].expected));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_day_splits_and_makes_itself_again),
      cmocka_unit_test(days_that_do_not_exist_are_refused),
      cmocka_unit_test(canonical_dates_only),
      cmocka_unit_test(timestamps_of_any_offset),
      cmocka_unit_test(timestamps_that_are_none),
      cmocka_unit_test(texts_of_a_format),
      cmocka_unit_test(weeks_quarters_and_seconds),
      cmocka_unit_test(weeks_come_back_as_they_went),
      cmocka_unit_test(texts_that_do_not_fit_their_format),
      cmocka_unit_test(formats_that_cannot_make_a_date_say_why),
      cmocka_unit_test(dates_are_written_in_a_format),
      cmocka_unit_test(periods_begin_and_follow_each_other),
      cmocka_unit_test(http_dates_of_three_forms),
      cmocka_unit_test(two_digit_years_lie_within_fifty_years),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
