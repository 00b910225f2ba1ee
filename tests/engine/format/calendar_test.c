/* calendar_test.c -- calendars against the dates that banks and exchanges really published.
 *
 * A file says which dates there were; every difference from the calendar must be one that is named
 * here with its reason.
 *
 * SPDX-License-Identifier: MIT */
#include "format/suite.h"

#include <stdlib.h>

#include "format/calendar.h"

static calendar *make(const char *name) {
  calendar *c = calendar_make(name, NULL, 0, NULL, 0, NULL);
  assert_non_null(c);
  return c;
}

typedef struct dates {
  int32_t least, most;
  size_t count;
  bool *has; /* from `least` on */
} dates;

enum { BEHIND_COMMA = 99 }; /* `skip`: up to the first comma */

static size_t skipped(const char *line, size_t skip) {
  const char *comma = strchr(line, ',');
  if (skip != BEHIND_COMMA) return skip;
  return comma ? (size_t)(comma + 1 - line) : strlen(line);
}

/* The date in each line, or element: `width` characters behind `skip` that read as one in `format`.
 * Some files have a date more than once: it counts once. */
static dates read_dates(const char *file, const char *format, size_t skip, size_t width) {
  buffer b = suite_read(file);
  dates d = {.least = INT32_MAX, .most = INT32_MIN};
  enum { FIRST = -7305, ALL = 40000 }; /* 1950 to 2059 */
  bool *seen = calloc(ALL, 1);
  for (char *kept, *line = strtok_r(b.data, "\r\n<{", &kept); line;
       line = strtok_r(NULL, "\r\n<{", &kept)) {
    int32_t date;
    int64_t none;
    size_t at = skipped(line, skip);
    if (strlen(line) < at + width || date_parse(line + at, width, format, &date, &none) != 0)
      continue;
    if (seen[date - FIRST]) continue;
    seen[date - FIRST] = true;
    d.count++;
    if (date < d.least) d.least = date;
    if (date > d.most) d.most = date;
  }
  assert_true(d.count > 0);
  d.has = calloc(ALL, 1);
  for (int32_t i = d.least; i <= d.most; i++) d.has[i - d.least] = seen[i - FIRST];
  free(seen);
  buffer_free(&b);
  return d;
}

/* All differences, in order, as "+DATE" (in the file only) and "-DATE" (in the calendar only). */
static void check_dates(const char *name, dates d, size_t count, const char *expected) {
  calendar *c = make(name);
  buffer b;
  buffer_init(&b, 1 << 20);
  for (int32_t date = d.least; date <= d.most; date++) {
    bool in_file = d.has[date - d.least];
    if (in_file == calendar_has(c, date)) continue;
    char text[11];
    date_write(date, text);
    buffer_add_format(&b, "%c%s ", in_file ? '+' : '-', text);
  }
  assert_string_equal(buffer_text(&b), expected);
  assert_int_equal(d.count, count);
  buffer_free(&b);
  calendar_free(c);
  free(d.has);
}

static void brazil_has_the_days_of_ptax(void **state) {
  (void)state;
  dates d = read_dates("currency/bcb-ptax-venda-2020-2023.json", "%F", 13, 10);
  int absent = 0;
  for (int32_t date = d.least; date <= d.most; date++)
    absent += date_weekday(date) < 5 && !d.has[date - d.least];
  assert_int_equal(absent, 35);
  check_dates("BR", d, 897, "");
  check_dates("BR", read_dates("currency/bcb-selic-daily.json", "%F", 13, 10), 897, "");
  check_dates("BR", read_dates("currency/bcb-sgs-shape-1-dados-2020-2023.json", "%d/%m/%Y", 8, 10),
              897, "");
}

/* The survey of pump prices did not take place in four weeks; those who made the other file of the
 * same weeks filled them in. */
static void surveys_are_dated_by_their_sundays(void **state) {
  (void)state;
  check_dates("sunday", read_dates("fuel/weekly-economic-2004-2011.csv", "%F", 0, 10), 399, "");
  check_dates("sunday",
              read_dates("fuel/anp-weekly-gasoline-by-state-2004-2011.csv", "%F", BEHIND_COMMA, 10),
              395, "-2005-08-14 -2005-08-21 -2009-08-16 -2009-08-23 ");
}

/* Mauna Loa measured nothing in five of its first months. */
static void months_have_their_first_days(void **state) {
  (void)state;
  check_dates("month", read_dates("currency/bcb-ipca-monthly.json", "%F", 13, 10), 55, "");
  check_dates("month", read_dates("currency/bcb-desemprego-monthly.json", "%F", 13, 10), 60, "");
  check_dates("month", read_dates("multi/us-employment.csv", "%F", 0, 10), 120, "");
  check_dates("month", read_dates("multi/co2-concentration.csv", "%F", 0, 10), 741,
              "-1958-06-01 -1958-10-01 -1964-02-01 -1964-03-01 -1964-04-01 ");
  check_dates("daily", read_dates("multi/seattle-weather.csv", "%F", 0, 10), 1461, "");
}

static void target_has_the_days_of_the_ecb(void **state) {
  (void)state;
  check_dates("TARGET", read_dates("currency/eurofxref-hist-part.csv", "%F", 0, 10), 6402, "");
  check_dates("TARGET", read_dates("currency/eurofxref-hist-90d.xml", "%F", 11, 10), 64, "");
}

static void new_york_has_the_days_of_yahoo(void **state) {
  (void)state;
  check_dates("NYSE", read_dates("stocks/yahoo/XOM.csv", "%F", 0, 10), 251, "");
  check_dates("NYSE", read_dates("stocks/yahoo/CVX.csv", "%F", 0, 10), 251, "");
}

/* Two sessions are missing from this file; the exchange was open on both. */
static void new_york_has_the_days_of_33_years(void **state) {
  (void)state;
  check_dates("NYSE", read_dates("stocks/stooq/xom_us_d.csv", "%F", 0, 10), 8365,
              "-1999-11-16 -2000-03-01 ");
}

/* The bond market has its own days: open on that Good Friday, when the jobs report came out; closed
 * on Columbus Day (Veterans Day fell on a Saturday). */
static void new_york_differs_from_the_treasury_as_known(void **state) {
  (void)state;
  check_dates("NYSE", read_dates("stocks/us-treasury-par-yields-2023-2024.csv", "%m/%d/%Y", 0, 10),
              250, "+2023-04-07 -2023-10-09 ");
}

/* On Ash Wednesdays the exchange opens at 13:00, and Yahoo has no row. On three days of 2017 and
 * 2018 it was closed, and Yahoo repeats the day before with no volume. */
static void sao_paulo_has_the_days_of_yahoo(void **state) {
  (void)state;
  check_dates("B3", read_dates("stocks/b3-vintages/PETR3.SA.2020-07-07.csv", "%F", 0, 10), 629,
              "+2017-12-25 +2017-12-29 +2018-01-25 -2018-02-14 -2019-03-06 -2020-02-26 ");
  check_dates("B3", read_dates("stocks/b3-vintages/PETR3.SA.2020-07-15.csv", "%F", 0, 10), 388,
              "-2019-03-06 -2020-02-26 ");
  check_dates("B3", read_dates("stocks/b3-vintages/UGPA3.SA.2020-07-07.csv", "%F", 0, 10), 629,
              "+2017-12-25 +2017-12-29 +2018-01-25 -2018-02-14 -2019-03-06 -2020-02-26 ");
  check_dates("B3", read_dates("stocks/b3-vintages/PETR4.SA.2020-07-15.csv", "%F", 0, 10), 630,
              "+2017-12-25 +2017-12-29 +2018-01-25 -2018-02-14 -2019-03-06 -2020-02-26 ");
  check_dates("B3", read_dates("stocks/b3-vintages/UGPA3.SA.2020-07-15.csv", "%F", 0, 10), 388,
              "-2019-03-06 -2020-02-26 ");
}

static void check_closed(const char *name, int year, const char *expected) {
  calendar *c = make(name);
  buffer b;
  int32_t first, last;
  buffer_init(&b, 4096);
  date_make(year, 1, 1, &first);
  date_make(year, 12, 31, &last);
  for (int32_t d = first; d <= last; d++)
    if (date_weekday(d) < 5 && !calendar_has(c, d)) date_format(d, -1, "%m-%d ", &b);
  assert_string_equal(buffer_text(&b), expected);
  buffer_free(&b);
  calendar_free(c);
}

static void london_is_closed_on_bank_holidays(void **state) {
  (void)state;
  check_closed("LSE", 2019, "01-01 04-19 04-22 05-06 05-27 08-26 12-25 12-26 ");
  check_closed("LSE", 2020, "01-01 04-10 04-13 05-08 05-25 08-31 12-25 12-28 ");
  check_closed("LSE", 2021, "01-01 04-02 04-05 05-03 05-31 08-30 12-27 12-28 ");
  check_closed("LSE", 2022, "01-03 04-15 04-18 05-02 06-02 06-03 08-29 09-19 12-26 12-27 ");
  check_closed("LSE", 2023, "01-02 04-07 04-10 05-01 05-08 05-29 08-28 12-25 12-26 ");
}

static void years_of_the_others(void **state) {
  (void)state;
  check_closed("BR", 2024, "01-01 02-12 02-13 03-29 05-01 05-30 11-15 11-20 12-25 ");
  check_closed("B3", 2022, "02-28 03-01 04-15 04-21 06-16 09-07 10-12 11-02 11-15 12-30 ");
  check_closed("B3", 2024, "01-01 02-12 02-13 03-29 05-01 05-30 11-15 11-20 12-24 12-25 12-31 ");
  check_closed("NYSE", 2022, "01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26 ");
  check_closed("NYSE", 2026, "01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25 ");
  check_closed("TARGET", 2024, "01-01 03-29 04-01 05-01 12-25 12-26 ");
  check_closed("weekdays", 2024, "");
}

/* Sessions in each year, as the exchange counts them. */
static void new_york_has_so_many_sessions_a_year(void **state) {
  (void)state;
  static const int SESSIONS[] = {252, 248, 252, 252, 252, 252, 251, 251, 253, 252, 252, 252, 250,
                                 252, 252, 252, 252, 251, 251, 252, 253, 252, 251, 250, 252, 250};
  calendar *c = make("NYSE");
  for (int i = 0; i < (int)(sizeof SESSIONS / sizeof *SESSIONS); i++) {
    int32_t first, last;
    int count = 0;
    date_make(2000 + i, 1, 1, &first);
    date_make(2000 + i, 12, 31, &last);
    for (int32_t d = first; d <= last; d++) count += calendar_has(c, d);
    assert_int_equal(count, SESSIONS[i]);
  }
  calendar_free(c);
}

/* A New Year's Day on a Saturday is not made up for: the Friday is the last day of the year's books. */
static void new_york_is_closed_by_rule_and_by_decree(void **state) {
  (void)state;
  static const char *const CLOSED[] = {
      "2001-09-11", "2001-09-12", "2001-09-13", "2001-09-14", "2004-06-11", "2004-12-24",
      "2007-01-02", "2010-12-24", "2012-10-29", "2012-10-30", "2018-12-05", "2021-12-24",
      "2022-06-20", "2025-01-09", "2026-07-03", "2027-06-18", "2027-12-24", "2033-12-26"};
  static const char *const OPEN[] = {"2001-09-10", "2001-09-17", "1999-12-31", "2004-12-31",
                                     "2010-12-31", "2021-06-18", "2021-12-31", "2023-11-24",
                                     "2024-07-03", "2024-12-24", "2027-12-31", "2032-12-31"};
  calendar *c = make("NYSE");
  for (size_t i = 0; i < sizeof CLOSED / sizeof *CLOSED; i++)
    if (calendar_has(c, day(CLOSED[i]))) fail_msg("open on %s", CLOSED[i]);
  for (size_t i = 0; i < sizeof OPEN / sizeof *OPEN; i++)
    if (!calendar_has(c, day(OPEN[i]))) fail_msg("closed on %s", OPEN[i]);
  calendar_free(c);
  check_closed("NYSE", 2027, "01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24 ");
  check_closed("NYSE", 2028, "01-17 02-21 04-14 05-29 06-19 07-04 09-04 11-23 12-25 ");
}

static void london_of_other_years(void **state) {
  (void)state;
  check_closed("LSE", 2000, "01-03 04-21 04-24 05-01 05-29 08-28 12-25 12-26 ");
  check_closed("LSE", 2002, "01-01 03-29 04-01 05-06 06-03 06-04 08-26 12-25 12-26 ");
  check_closed("LSE", 2004, "01-01 04-09 04-12 05-03 05-31 08-30 12-27 12-28 ");
  check_closed("LSE", 2005, "01-03 03-25 03-28 05-02 05-30 08-29 12-26 12-27 ");
  check_closed("LSE", 2011, "01-03 04-22 04-25 04-29 05-02 05-30 08-29 12-26 12-27 ");
  check_closed("LSE", 2012, "01-02 04-06 04-09 05-07 06-04 06-05 08-27 12-25 12-26 ");
  check_closed("LSE", 2027, "01-01 03-26 03-29 05-03 05-31 08-30 12-27 12-28 ");
  check_closed("LSE", 2028, "01-03 04-14 04-17 05-01 05-29 08-28 12-25 12-26 ");
  check_closed("LSE", 2035, "01-01 03-23 03-26 05-07 05-28 08-27 12-25 12-26 ");
}

static void target_and_brazil_of_other_years(void **state) {
  (void)state;
  check_closed("TARGET", 1999, "01-01 12-31 ");
  check_closed("TARGET", 2000, "04-21 04-24 05-01 12-25 12-26 ");
  check_closed("TARGET", 2001, "01-01 04-13 04-16 05-01 12-25 12-26 12-31 ");
  check_closed("TARGET", 2002, "01-01 03-29 04-01 05-01 12-25 12-26 ");
  check_closed("TARGET", 2035, "01-01 03-23 03-26 05-01 12-25 12-26 ");
  check_closed("BR", 2001, "01-01 02-26 02-27 04-13 05-01 06-14 09-07 10-12 11-02 11-15 12-25 ");
  check_closed("BR", 2023, "02-20 02-21 04-07 04-21 05-01 06-08 09-07 10-12 11-02 11-15 12-25 ");
  check_closed("BR", 2025, "01-01 03-03 03-04 04-18 04-21 05-01 06-19 11-20 12-25 ");
  check_closed("BR", 2026,
               "01-01 02-16 02-17 04-03 04-21 05-01 06-04 09-07 10-12 11-02 11-20 12-25 ");
  check_closed("BR", 2035,
               "01-01 02-05 02-06 03-23 05-01 05-24 09-07 10-12 11-02 11-15 11-20 12-25 ");
}

/* The days of the city and the state, until 2021, but not when they were brought forward in 2020. */
static void sao_paulo_of_other_years(void **state) {
  (void)state;
  check_closed("B3", 2007,
               "01-01 01-25 02-19 02-20 04-06 05-01 06-07 07-09 09-07 10-12 11-02 "
               "11-15 11-20 12-24 12-25 12-31 ");
  check_closed("B3", 2014,
               "01-01 03-03 03-04 04-18 04-21 05-01 06-12 06-19 07-09 11-20 12-24 "
               "12-25 12-31 ");
  check_closed("B3", 2019,
               "01-01 01-25 03-04 03-05 04-19 05-01 06-20 07-09 11-15 11-20 12-24 "
               "12-25 12-31 ");
  check_closed("B3", 2020,
               "01-01 02-24 02-25 04-10 04-21 05-01 06-11 09-07 10-12 11-02 12-24 "
               "12-25 12-31 ");
  check_closed("B3", 2021,
               "01-01 01-25 02-15 02-16 04-02 04-21 06-03 07-09 09-07 10-12 11-02 "
               "11-15 12-24 12-31 ");
  check_closed("B3", 2023,
               "02-20 02-21 04-07 04-21 05-01 06-08 09-07 10-12 11-02 11-15 12-25 "
               "12-29 ");
  check_closed("B3", 2025, "01-01 03-03 03-04 04-18 04-21 05-01 06-19 11-20 12-24 12-25 12-31 ");
}

static void plain_calendars(void **state) {
  (void)state;
  static const struct {
    const char *name, *after, *next, *previous;
  } CASES[] = {{"daily", "2024-02-29", "2024-03-01", "2024-02-28"},
               {"weekdays", "2024-03-01", "2024-03-04", "2024-02-29"},
               {"week", "2024-03-04", "2024-03-11", "2024-02-26"},
               {"month", "2024-03-01", "2024-04-01", "2024-02-01"},
               {"friday", "2024-03-01", "2024-03-08", "2024-02-23"},
               {"sunday", "2024-03-01", "2024-03-03", "2024-02-25"},
               {"month-end", "2024-02-29", "2024-03-31", "2024-01-31"},
               {"quarter", "2024-02-29", "2024-04-01", "2024-01-01"},
               {"year", "2024-02-29", "2025-01-01", "2024-01-01"},
               {"BR", "2024-02-12", "2024-02-14", "2024-02-09"},
               {"NYSE", "2001-09-10", "2001-09-17", "2001-09-07"}};
  for (size_t i = 0; i < sizeof CASES / sizeof *CASES; i++) {
    calendar *c = make(CASES[i].name);
    assert_int_equal(calendar_next(c, day(CASES[i].after)), day(CASES[i].next));
    assert_int_equal(calendar_previous(c, day(CASES[i].after)), day(CASES[i].previous));
    assert_string_equal(calendar_name(c), CASES[i].name);
    assert_int_equal(calendar_next(calendar_named(CASES[i].name, NULL), day(CASES[i].after)),
                     day(CASES[i].next));
    calendar_free(c);
  }
}

static void dates_put_in_and_taken_out(void **state) {
  (void)state;
  int32_t closed[] = {day("2024-03-05"), day("2024-03-04"), day("2024-03-06")};
  int32_t open[] = {day("2024-03-09"), day("2024-03-06"), day("2024-12-25")};
  calendar *c = calendar_make("NYSE", closed, 3, open, 3, NULL);
  closed[0] = 0; /* it keeps copies */
  assert_int_equal(calendar_next(c, day("2024-03-01")), day("2024-03-06"));
  assert_int_equal(calendar_next(c, day("2024-03-08")), day("2024-03-09"));
  assert_int_equal(calendar_previous(c, day("2024-03-06")), day("2024-03-01"));
  assert_true(calendar_has(c, day("2024-12-25")));
  calendar_free(c);
}

/* A series with days of its own: nothing but the list. */
static void only_dates_put_in(void **state) {
  (void)state;
  int32_t open[] = {day("2024-03-09"), day("2024-01-17"), day("2024-02-14")};
  calendar *c = calendar_make("none", NULL, 0, open, 3, NULL);
  assert_true(calendar_has(c, open[0]));
  assert_false(calendar_has(c, day("2024-03-08")));
  assert_int_equal(calendar_next(c, day("2024-01-17")), day("2024-02-14"));
  assert_int_equal(calendar_previous(c, day("2024-03-09")), day("2024-02-14"));
  assert_int_equal(calendar_next(c, day("2024-03-09")), INT32_MAX);
  assert_int_equal(calendar_previous(c, day("2024-01-17")), INT32_MIN);
  calendar_free(c);
}

static void the_end_of_time(void **state) {
  (void)state;
  calendar *c = make("daily");
  assert_int_equal(calendar_next(c, DATE_MAX), INT32_MAX);
  assert_int_equal(calendar_previous(c, DATE_MIN), INT32_MIN);
  assert_int_equal(calendar_next(c, INT32_MIN), DATE_MIN);
  assert_int_equal(calendar_previous(c, INT32_MAX), DATE_MAX);
  assert_false(calendar_has(c, INT32_MAX));
  calendar_free(c);
}

static void a_wrong_name_is_told_the_nearest(void **state) {
  (void)state;
  dts_error e;
  assert_null(calendar_make("NYES", NULL, 0, NULL, 0, &e));
  assert_string_equal(e.code, "CALENDAR");
  assert_string_equal(e.message, "there is no calendar 'NYES'");
  assert_string_equal(e.hint, "did you mean 'NYSE'?");
  assert_null(calendar_make("weekday", NULL, 0, NULL, 0, &e));
  assert_string_equal(e.hint, "did you mean 'weekdays'?");
  assert_null(calendar_make("Frankfurt", NULL, 0, NULL, 0, &e));
  assert_string_equal(
      e.hint, "there are daily, weekdays, week (Mondays), monday to sunday, month, month-end, "
              "quarter, year, none, BR, B3, NYSE, LSE and TARGET");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(brazil_has_the_days_of_ptax),
      cmocka_unit_test(target_has_the_days_of_the_ecb),
      cmocka_unit_test(new_york_has_the_days_of_yahoo),
      cmocka_unit_test(new_york_has_the_days_of_33_years),
      cmocka_unit_test(new_york_differs_from_the_treasury_as_known),
      cmocka_unit_test(sao_paulo_has_the_days_of_yahoo),
      cmocka_unit_test(london_is_closed_on_bank_holidays),
      cmocka_unit_test(years_of_the_others),
      cmocka_unit_test(surveys_are_dated_by_their_sundays),
      cmocka_unit_test(months_have_their_first_days),
      cmocka_unit_test(new_york_has_so_many_sessions_a_year),
      cmocka_unit_test(new_york_is_closed_by_rule_and_by_decree),
      cmocka_unit_test(london_of_other_years),
      cmocka_unit_test(target_and_brazil_of_other_years),
      cmocka_unit_test(sao_paulo_of_other_years),
      cmocka_unit_test(only_dates_put_in),
      cmocka_unit_test(plain_calendars),
      cmocka_unit_test(dates_put_in_and_taken_out),
      cmocka_unit_test(the_end_of_time),
      cmocka_unit_test(a_wrong_name_is_told_the_nearest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
