/* span_test.c -- grouping of missing days, by example and against every possible grouping.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "chance.h"
#include "core/span.h"

#define ROOM 32

/* "M.X" as marks: M missing, . present, X barred. */
static size_t marks_of(const char *text, uint8_t *marks) {
  size_t n = 0;
  for (; text[n]; n++) {
    marks[n] = text[n] == 'M' ? SPAN_MISSING : text[n] == '.' ? SPAN_PRESENT : SPAN_BARRED;
  }
  return n;
}

static size_t group(const char *text, size_t bridge, int32_t max_days, span *out) {
  uint8_t marks[ROOM];
  int32_t days[ROOM];
  size_t n = marks_of(text, marks);
  for (size_t i = 0; i < n; i++) days[i] = (int32_t)(100 + i);
  return span_group(days, marks, n, bridge, max_days, out, ROOM);
}

static void friday_and_monday_are_contiguous(void **state) {
  (void)state;
  /* Thursday 2024-01-04, Friday 5th, Monday 8th, Tuesday 9th: days 19726, 19727, 19730, 19731. */
  const int32_t days[] = {19726, 19727, 19730, 19731};
  const uint8_t marks[] = {SPAN_PRESENT, SPAN_MISSING, SPAN_MISSING, SPAN_PRESENT};
  span out[4];
  int32_t dates[4];
  assert_int_equal(span_group(days, marks, 4, 0, 0, out, 4), 1);
  assert_int_equal(out[0].from, 19727);
  assert_int_equal(out[0].to, 19730);
  assert_int_equal(out[0].missing, 2);
  assert_int_equal(span_dates(&out[0], days, marks, dates), 2);
  assert_int_equal(dates[0], 19727);
  assert_int_equal(dates[1], 19730);
  assert_int_equal(span_group(days, marks, 4, 0, 3, out, 4), 2); /* four days of the calendar */
  assert_int_equal(span_group(days, marks, 4, 0, 4, out, 4), 1);
}

static void present_days_part_spans_unless_bridged(void **state) {
  (void)state;
  span out[ROOM];
  assert_int_equal(group("", 9, 0, out), 0);
  assert_int_equal(group("...", 9, 0, out), 0);
  assert_int_equal(group("MM.MM", 0, 0, out), 2);
  assert_int_equal(group("MM.MM", 1, 0, out), 1);
  assert_int_equal(out[0].count, 5);
  assert_int_equal(out[0].missing, 4);
  assert_int_equal(group("M..M.M", 1, 0, out), 2);
  assert_int_equal(out[1].first, 3);
  assert_int_equal(group("M.M.M.M", 1, 0, out), 1); /* each stretch is within the bridge */
  assert_int_equal(group(".M..", 9, 0, out), 1);
  assert_int_equal(out[0].count, 1); /* no present day at an end */
}

static void barred_days_are_never_crossed(void **state) {
  (void)state;
  span out[ROOM];
  assert_int_equal(group("MXM", 9, 0, out), 2);
  assert_int_equal(group("M.X.M", 9, 0, out), 2);
  assert_int_equal(group("XMMX", 0, 0, out), 1);
}

static void the_longest_span_is_kept(void **state) {
  (void)state;
  span out[ROOM];
  assert_int_equal(group("MMMMMMM", 0, 3, out), 3);
  assert_int_equal(out[2].missing, 1);
  assert_int_equal(group("MMMMMMM", 0, 1, out), 7);
  assert_int_equal(group("M.M.M", 1, 3, out), 2);
}

static void what_does_not_fit_is_counted(void **state) {
  (void)state;
  const int32_t days[] = {1, 2, 3, 4, 5};
  const uint8_t marks[] = {SPAN_MISSING, SPAN_PRESENT, SPAN_MISSING, SPAN_PRESENT, SPAN_MISSING};
  span one[1];
  assert_int_equal(span_group(days, marks, 5, 0, 0, NULL, 0), 3);
  assert_int_equal(span_group(days, marks, 5, 0, 0, one, 1), 3);
  assert_int_equal(one[0].from, 1);
}

static void extreme_days_do_not_overflow(void **state) {
  (void)state;
  const int32_t days[] = {INT32_MIN, INT32_MAX};
  const uint8_t marks[] = {SPAN_MISSING, SPAN_MISSING};
  span out[2];
  assert_int_equal(span_group(days, marks, 2, 0, INT32_MAX, out, 2), 2);
  assert_int_equal(span_group(days, marks, 2, 0, 0, out, 2), 1);
}

/* Is first..last one allowed span? Said in the plainest way. */
static int allowed(const int32_t *days, const uint8_t *marks, size_t first, size_t last,
                   size_t bridge, int32_t max_days) {
  size_t present = 0;
  if (marks[first] != SPAN_MISSING || marks[last] != SPAN_MISSING) return 0;
  if (max_days > 0 && first != last && days[last] - days[first] + 1 > max_days) return 0;
  for (size_t i = first; i <= last; i++) {
    if (marks[i] == SPAN_BARRED) return 0;
    present = marks[i] == SPAN_PRESENT ? present + 1 : 0;
    if (present > bridge) return 0;
  }
  return 1;
}

/* The fewest spans for days from `at` on, by trying every end for the next one. */
static size_t fewest(const int32_t *days, const uint8_t *marks, size_t n, size_t at, size_t bridge,
                     int32_t max_days) {
  size_t best = n + 1;
  while (at < n && marks[at] != SPAN_MISSING) at++;
  if (at == n) return 0;
  for (size_t last = at; last < n; last++) {
    if (!allowed(days, marks, at, last, bridge, max_days)) continue;
    size_t count = 1 + fewest(days, marks, n, last + 1, bridge, max_days);
    if (count < best) best = count;
  }
  return best;
}

static void assert_covers(const int32_t *days, const uint8_t *marks, size_t n, const span *spans,
                          size_t count, size_t bridge, int32_t max_days) {
  size_t wanted = 0, covered = 0, end = 0;
  int32_t dates[ROOM];
  for (size_t i = 0; i < n; i++) wanted += marks[i] == SPAN_MISSING;
  for (size_t i = 0; i < count; i++) {
    const span *s = &spans[i];
    assert_true(s->first >= end);
    end = s->first + s->count;
    assert_true(end <= n);
    assert_true(allowed(days, marks, s->first, end - 1, bridge, max_days));
    assert_int_equal(s->from, days[s->first]);
    assert_int_equal(s->to, days[end - 1]);
    assert_int_equal(span_dates(s, days, marks, dates), s->missing);
    covered += s->missing;
  }
  assert_int_equal(covered, wanted);
}

static void no_grouping_has_fewer_spans(void **state) {
  (void)state;
  uint64_t seed = 7;
  for (int round = 0; round < 20000; round++) {
    int32_t days[ROOM], day = 0;
    uint8_t marks[ROOM];
    span spans[ROOM];
    size_t n = (size_t)chance_below(&seed, 13), bridge = (size_t)chance_below(&seed, 3);
    int32_t max_days = chance_below(&seed, 8);
    for (size_t i = 0; i < n; i++) {
      days[i] = day += 1 + (chance_below(&seed, 4) == 0) * chance_below(&seed, 4);
      marks[i] = (uint8_t)(chance_below(&seed, 2) ? SPAN_MISSING : chance_below(&seed, 8) ? 1 : 2);
    }
    size_t count = span_group(days, marks, n, bridge, max_days, spans, ROOM);
    assert_covers(days, marks, n, spans, count, bridge, max_days);
    assert_int_equal(count, fewest(days, marks, n, 0, bridge, max_days));
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(friday_and_monday_are_contiguous),
      cmocka_unit_test(present_days_part_spans_unless_bridged),
      cmocka_unit_test(barred_days_are_never_crossed),
      cmocka_unit_test(the_longest_span_is_kept),
      cmocka_unit_test(what_does_not_fit_is_counted),
      cmocka_unit_test(extreme_days_do_not_overflow),
      cmocka_unit_test(no_grouping_has_fewer_spans),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
