/* functions_test.c -- the SQL functions against plain arithmetic done here.
 *
 * SPDX-License-Identifier: MIT */
#include "store/help.h"

#include "base/clock.h"

#include <math.h>
#include <time.h>

enum { ROWS = 1000, GROUPS = 7 };

typedef struct row {
  int group;
  bool has_x, has_y;
  double x, y;
  int t;
} row;

typedef struct sample {
  row rows[ROWS];
} sample;

static uint32_t next_random(uint32_t *s) { return *s = *s * 1664525u + 1013904223u; }

static void fill(sample *s) {
  uint32_t seed = 42;
  for (int i = 0; i < ROWS; i++) {
    row *r = &s->rows[i];
    r->group = (int)(next_random(&seed) >> 16) % GROUPS;
    r->has_x = (next_random(&seed) >> 16) % 10 != 0;
    r->has_y = (next_random(&seed) >> 16) % 10 != 0;
    r->x = (double)((int)(next_random(&seed) >> 12) % 100000) / 64 + 1e6;
    r->y = r->x / 3 + (double)((int)(next_random(&seed) >> 12) % 10000) / 128;
    r->t = (int)(next_random(&seed) >> 16) % 400;
  }
}

static int insert(store_conn *c, void *arg, dts_error *e) {
  const sample *s = arg;
  if (store_exec(c, "create table s(g integer, x real, y real, t integer) strict", NULL, 0, e) < 0)
    return -1;
  for (int i = 0; i < ROWS; i++) {
    const row *r = &s->rows[i];
    const value v[] = {value_integer(r->group), r->has_x ? value_real(r->x) : value_null(),
                       r->has_y ? value_real(r->y) : value_null(), value_integer(r->t)};
    if (store_exec(c, "insert into s values(?1, ?2, ?3, ?4)", v, 4, e) < 0) return -1;
  }
  return 0;
}

static double real_of(store *s, const char *expression, int group) {
  char sql[200];
  arena a = {0};
  snprintf(sql, sizeof sql, "select %s from s where g = %d", expression, group);
  value v = help_get(s, &a, sql);
  assert_int_equal(v.kind, VALUE_REAL);
  arena_free(&a);
  return v.real;
}

static void is_near(double a, double b) {
  if (!(fabs(a - b) <= 1e-7 * fmax(1, fabs(b)))) fail_msg("%.17g is not %.17g", a, b);
}

static int compare(const void *a, const void *b) {
  double m = *(const double *)a, n = *(const double *)b;
  return (m > n) - (m < n);
}

static double quantile(const sample *s, int group, double p) {
  double all[ROWS];
  int count = 0;
  for (int i = 0; i < ROWS; i++)
    if (s->rows[i].group == group && s->rows[i].has_x) all[count++] = s->rows[i].x;
  qsort(all, (size_t)count, sizeof *all, compare);
  double rank = p * (count - 1);
  int low = (int)rank;
  return low + 1 < count ? all[low] + (rank - low) * (all[low + 1] - all[low]) : all[low];
}

static void check_quantiles(store *s, const sample *d, int group) {
  static const double points[] = {0, 0.1, 0.25, 0.5, 0.9, 0.999, 1};
  for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
    char expression[40];
    snprintf(expression, sizeof expression, "quantile(x, %g)", points[i]);
    is_near(real_of(s, expression, group), quantile(d, group, points[i]));
  }
  is_near(real_of(s, "median(x)", group), quantile(d, group, 0.5));
}

/* Two passes, in long double: another way than the one under test. */
static void check_moments(store *s, const sample *d, int group) {
  long double n = 0, mx = 0, my = 0, xx = 0, yy = 0, xy = 0, m = 0, mean = 0, square = 0;
  for (int i = 0; i < ROWS; i++) {
    const row *r = &d->rows[i];
    if (r->group != group || !r->has_x) continue;
    m++, mean += (long double)r->x;
    if (r->has_y) n++, mx += (long double)r->x, my += (long double)r->y;
  }
  mean /= m, mx /= n, my /= n;
  for (int i = 0; i < ROWS; i++) {
    const row *r = &d->rows[i];
    if (r->group != group || !r->has_x) continue;
    long double x = (long double)r->x, y = (long double)r->y;
    square += (x - mean) * (x - mean);
    if (r->has_y) xx += (x - mx) * (x - mx), yy += (y - my) * (y - my), xy += (x - mx) * (y - my);
  }
  is_near(real_of(s, "stddev(x)", group), (double)sqrtl(square / (m - 1)));
  is_near(real_of(s, "corr(x, y)", group), (double)(xy / sqrtl(xx * yy)));
  is_near(real_of(s, "slope(y, x)", group), (double)(xy / xx));
}

static void check_edges(store *s, const sample *d, int group) {
  const row *first = NULL, *last = NULL;
  for (int i = 0; i < ROWS; i++) {
    const row *r = &d->rows[i];
    if (r->group != group || !r->has_x) continue;
    if (!first || r->t < first->t || (r->t == first->t && r->x < first->x)) first = r;
    if (!last || r->t > last->t || (r->t == last->t && r->x > last->x)) last = r;
  }
  assert_true(real_of(s, "first(x, t)", group) == first->x);
  assert_true(real_of(s, "last(x, t)", group) == last->x);
}

static void aggregates_are_right(void **state) {
  (void)state;
  sample *d = malloc(sizeof *d);
  dts_error e = {0};
  store *s = help_memory();
  fill(d);
  assert_int_equal(store_write(s, insert, d, &e), 0);
  for (int group = 0; group < GROUPS; group++) {
    check_quantiles(s, d, group);
    check_moments(s, d, group);
    check_edges(s, d, group);
  }
  store_close(s);
  free(d);
}

static void is(store *s, const char *expression, const char *expected) {
  arena a = {0};
  char sql[300];
  snprintf(sql, sizeof sql, "select coalesce(cast(%s as text), 'null')", expression);
  value v = help_get(s, &a, sql);
  if (!value_is(&v, expected)) fail_msg("%s is %.*s", expression, (int)v.text.size, v.text.bytes);
  arena_free(&a);
}

static void refuses(store *s, const char *expression, const char *message) {
  arena a = {0};
  char sql[300];
  dts_error e = {0};
  snprintf(sql, sizeof sql, "select %s", expression);
  help_ask q = {sql, &a, {0}};
  if (store_read(s, help_ask_work, &q, &e) == 0) fail_msg("%s was taken", expression);
  assert_string_equal(e.message, message);
  arena_free(&a);
}

static void aggregates_at_their_edges(void **state) {
  (void)state;
  store *s = help_memory();
  static const char *const none[] = {"first(a, a)", "last(a, a)", "median(a)",  "quantile(a, 0.5)",
                                     "stddev(a)",   "corr(a, a)", "slope(a, a)"};
  for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
    char expression[80];
    snprintf(expression, sizeof expression,
             "(select %s from (select null a union all select null))", none[i]);
    is(s, expression, "null");
    snprintf(expression, sizeof expression, "(select %s from (select 1 a) where false)", none[i]);
    is(s, expression, "null");
  }
  is(s, "(select stddev(a) from (select 1 a))", "null");
  is(s, "(select corr(a, 1) from (select 1 a union all select 2))", "null");
  is(s, "(select slope(a, 1) from (select 1 a union all select 2))", "null");
  is(s, "(select median(a) from (select 3 a))", "3.0");
  is(s,
     "(select last(a, b) from (select 'x' a, '2026-01-01' b union all select 'y', '2026-01-02'))",
     "y");
  is(s,
     "(select last(a, b) from (select 9007199254740993 a, 1 b union all select 9007199254740992, "
     "1))",
     "9007199254740993");
  is(s, "(select first(a, b) from (select 'x' a, null b union all select 'y', 5))", "y");
  refuses(s, "median(a) from (select 'n/a' a)", "median: a number expected, got \"n/a\"");
  refuses(s, "quantile(a, 2) from (select 1 a)", "quantile(x, p): one p between 0 and 1 expected");
  refuses(s, "quantile(a, a) from (select 0 a union all select 1)",
          "quantile(x, p): one p between 0 and 1 expected");
  store_close(s);
}

/* Each row that leaves costs little, also where nothing varies. */
static void windows_over_a_constant_are_quick(void **state) {
  (void)state;
  int64_t began = clock_monotonic_ms();
  store *s = help_memory();
  is(s,
     "(with recursive n(i) as (select 1 union all select i + 1 from n where i < 80000), w as "
     "(select "
     "stddev(0.1) over (order by i rows between 40000 preceding and current row) as r from n) "
     "select sum(r) from w)",
     "0.0");
  assert_true(clock_monotonic_ms() - began < 4000);
  store_close(s);
}

/* What a window gives for a frame is what the aggregate gives for its rows. */
static void windows_agree_with_aggregates(void **state) {
  (void)state;
  static const char *const calls[] = {"median(x)", "quantile(x, 0.9)", "stddev(x)", "corr(x, y)",
                                      "slope(y, x)"};
  static const char *const frames[][2] = {{"4", "0"}, {"0", "0"}, {"30", "7"}, {"1000", "0"}};
  sample *d = malloc(sizeof *d);
  dts_error e = {0};
  store *s = help_memory();
  fill(d);
  d->rows[400].x = 1e15; /* an outlier that comes and goes */
  assert_int_equal(store_write(s, insert, d, &e), 0);
  for (size_t i = 0; i < sizeof calls / sizeof *calls; i++)
    for (size_t k = 0; k < sizeof frames / sizeof *frames; k++) {
      arena a = {0};
      const char *sql = arena_format(
          &a,
          "with w as (select rowid as n, %s over (order by rowid rows between %s preceding and %s "
          "following) as r from s) select count(*) from w where n between 350 and 480 and "
          "coalesce(abs(r - (select %s from s where s.rowid between w.n - %s and w.n + %s)) > 1e-9 "
          "* max(1, abs(r)), r is not (select %s from s where s.rowid between w.n - %s and w.n + "
          "%s))",
          calls[i], frames[k][0], frames[k][1], calls[i], frames[k][0], frames[k][1], calls[i],
          frames[k][0], frames[k][1]);
      value wrong = help_get(s, &a, sql);
      if (wrong.integer != 0) fail_msg("%lld: %s", (long long)wrong.integer, sql);
      arena_free(&a);
    }
  refuses(s, "first(x, t) over (order by t) from s",
          "first() may not be used as a window function (line 1, column 8 of the SQL)");
  store_close(s);
  free(d);
}

/* Every day for four hundred years (a whole cycle of the calendar) against the C library. */
static void parts_of_dates(void **state) {
  (void)state;
  store *s = help_memory();
  for (int64_t day = -25567; day < 120530; day += 29) {
    time_t seconds = (time_t)(day * 86400);
    struct tm tm;
    char date[40], iso[8], week[8], expected[120], sql[300];
    gmtime_r(&seconds, &tm);
    strftime(date, sizeof date, "%Y-%m-%d", &tm);
    strftime(week, sizeof week, "%V", &tm);
    strftime(iso, sizeof iso, "%u", &tm);
    snprintf(expected, sizeof expected, "%d %d %s %d", tm.tm_year + 1900, tm.tm_mon + 1, iso,
             atoi(week));
    snprintf(sql, sizeof sql,
             "year('%s') || ' ' || month('%s') || ' ' || weekday('%s') || ' ' || week('%s')", date,
             date, date, date);
    is(s, sql, expected);
    snprintf(sql, sizeof sql,
             "days_between('1970-01-01', '%s') || ' ' || add_days('1970-01-01', %lld)", date,
             (long long)day);
    snprintf(expected, sizeof expected, "%lld %s", (long long)day, date);
    is(s, sql, expected);
  }
  store_close(s);
}

static void dates_at_their_edges(void **state) {
  (void)state;
  store *s = help_memory();
  is(s, "week('2021-01-03')", "53");
  is(s, "week('2019-12-30')", "1");
  is(s, "week('0001-01-01')", "1");
  is(s, "week('9999-12-31')", "52");
  is(s, "year(null)", "null");
  is(s, "add_days('2024-02-28', 1)", "2024-02-29");
  is(s, "add_days('2024-02-28T23:00:00Z', 2)", "2024-03-01T23:00:00.000Z");
  is(s, "add_minutes('2024-02-28', 61)", "2024-02-28T01:01:00.000Z");
  is(s, "add_minutes('2024-01-01T00:00:00.000Z', -1)", "2023-12-31T23:59:00.000Z");
  is(s, "add_days('2024-01-01', null)", "null");
  is(s, "days_between('2024-03-01', '2024-02-01')", "-29");
  is(s, "year('2023-12-31T23:30:00-01:00')", "2024");
  refuses(s, "year('n/a')", "year: a date YYYY-MM-DD expected, got \"n/a\"");
  refuses(s, "week('2023-02-29')", "week: a date YYYY-MM-DD expected, got \"2023-02-29\"");
  refuses(s, "add_days('2024-01-01', 1.5)", "add_days: a whole number expected, got \"1.5\"");
  refuses(s, "add_days('2024-01-01', 'x')", "add_days: a whole number expected, got \"x\"");
  refuses(s, "add_days('9999-12-31', 1)", "add_days: the result lies outside the years 1 to 9999");
  refuses(s, "add_days('2024-01-01', 9223372036854775807)",
          "add_days: the result lies outside the years 1 to 9999");
  store_close(s);
}

static void there_is_no_clock(void **state) {
  (void)state;
  store *s = help_memory();
#define SORRY(call) call " is not available: :now and :today come from the engine's clock"
  refuses(s, "date('now')", SORRY("date(now)"));
  refuses(s, "datetime('NOW', '-1 day')", SORRY("datetime(now)"));
  refuses(s, "strftime('%Y', 'now')", SORRY("strftime(now)"));
  refuses(s, "strftime('%Y')", SORRY("strftime()"));
  refuses(s, "julianday()", SORRY("julianday()"));
  refuses(s, "unixepoch('now')", SORRY("unixepoch(now)"));
  refuses(s, "datetime('2024-01-01', 'localtime')", SORRY("datetime(localtime)"));
  refuses(s, "current_date", SORRY("current_date()"));
  refuses(s, "current_timestamp", SORRY("current_timestamp()"));
  is(s, "date('2024-02-28', '+1 day')", "2024-02-29");
  is(s, "strftime('%Y-%W', '2024-02-28')", "2024-09");
  is(s, "time('2024-02-28 10:11:12')", "10:11:12");
  is(s, "unixepoch('1970-01-02')", "86400");
  is(s, "julianday('2000-01-01')", "2451544.5");
  is(s, "date('rubbish')", "null");
  store_close(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(aggregates_are_right),
      cmocka_unit_test(aggregates_at_their_edges),
      cmocka_unit_test(windows_agree_with_aggregates),
      cmocka_unit_test(windows_over_a_constant_are_quick),
      cmocka_unit_test(parts_of_dates),
      cmocka_unit_test(dates_at_their_edges),
      cmocka_unit_test(there_is_no_clock),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
