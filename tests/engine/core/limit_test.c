/* limit_test.c -- rates over every window, slots, and traces of the breaker.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "chance.h"
#include "core/limit.h"

static rate rate_of(int64_t count, int64_t period_ms) {
  rate r;
  rate_set(&r, count, period_ms);
  return r;
}

/* Callers who never rest, with pauses: no window of one period sees more than was promised, and
 * whoever waits as long as told gets through. */
static void never_more_than_promised_in_any_window(void **state) {
  (void)state;
  const struct {
    int64_t count, period_ms;
  } rates[] = {{1, 1000},   {2, 1000},   {9, 1000},       {10, 1000},
               {30, 60000}, {100, 1000}, {5000, 3600000}, {7000, 1000}};
  static int64_t at[40000];
  uint64_t seed = 11;
  for (size_t k = 0; k < sizeof rates / sizeof rates[0]; k++) {
    rate r = rate_of(rates[k].count, rates[k].period_ms);
    int64_t now = 1000000, start = now, first = 0, taken = 0;
    while (taken < 40000 && now < start + 5 * r.period_ms) {
      int64_t wait = rate_take(&r, now);
      if (wait > 0) {
        assert_int_equal(rate_wait(&r, now), wait);
        assert_true(rate_wait(&r, now + wait - 1) > 0);
        now += wait;
        assert_int_equal(rate_wait(&r, now), 0);
        if (chance_below(&seed, 500) == 0) now += r.period_ms / 3;
        continue;
      }
      at[taken++] = now;
      while (at[first] <= now - r.period_ms) first++;
      assert_true(taken - first <= r.count);
    }
    assert_true(taken > 2 * r.count); /* and it is not idle either */
  }
}

static void a_tenth_may_come_at_once(void **state) {
  (void)state;
  rate r = rate_of(5000, 3600000);
  int at_once = 0;
  while (rate_take(&r, 5000) == 0) at_once++;
  assert_int_equal(at_once, 501);
  assert_int_equal(rate_wait(&r, 5000), 800); /* 4500 an hour from there on */
}

static void a_clock_that_goes_back_does_not_lock_the_door(void **state) {
  (void)state;
  rate r = rate_of(2, 1000);
  assert_int_equal(rate_take(&r, 1000000), 0);
  assert_true(rate_wait(&r, 500000) <= 500);
}

static void zeros_limit_nothing(void **state) {
  (void)state;
  rate r = {0};
  slots s = {0};
  for (int i = 0; i < 1000; i++) {
    assert_int_equal(rate_take(&r, 5), 0);
    assert_true(slots_take(&s));
  }
}

static void slots_count(void **state) {
  (void)state;
  slots s = {.limit = 2};
  assert_true(slots_take(&s) && slots_take(&s));
  assert_false(slots_take(&s));
  slots_give(&s);
  assert_true(slots_take(&s));
  for (int i = 0; i < 5; i++) slots_give(&s);
  assert_int_equal(s.busy, 0);
}

static bool call(breaker *b, int64_t now, breaker_result r) {
  uint32_t ticket;
  assert_int_equal(breaker_enter(b, now, &ticket), 0);
  return breaker_report(b, ticket, r, now, 0.5);
}

static void five_failures_in_a_row_open_it(void **state) {
  (void)state;
  breaker b = {0};
  for (int i = 0; i < 4; i++) assert_false(call(&b, i * 100000, BREAKER_BAD));
  assert_false(call(&b, 400000, BREAKER_GOOD));
  for (int i = 0; i < 4; i++) assert_false(call(&b, 500000 + i, BREAKER_BAD));
  assert_false(call(&b, 600000, BREAKER_UNKNOWN)); /* neither counts nor breaks the row */
  assert_true(call(&b, 700000, BREAKER_BAD));
  assert_int_equal(b.state, BREAKER_OPEN);
  assert_int_equal(breaker_wait(&b, 700000), 22500); /* between 15 and 30 s */
  assert_int_equal(breaker_wait(&b, 722499), 1);
  assert_int_equal(breaker_wait(&b, 722500), 0);
}

static void half_of_twenty_within_a_minute_open_it(void **state) {
  (void)state;
  breaker b = {0}, slow = {0};
  for (int i = 0; i < 19; i++) assert_false(call(&b, i * 3000, i % 2 ? BREAKER_GOOD : BREAKER_BAD));
  assert_true(call(&b, 60000, BREAKER_GOOD));
  for (int i = 0; i < 200; i++) call(&slow, i * 3200, i % 2 ? BREAKER_GOOD : BREAKER_BAD);
  assert_int_equal(slow.state, BREAKER_CLOSED);
}

static void one_probe_when_half_open(void **state) {
  (void)state;
  breaker b = {0};
  uint32_t probe, other;
  for (int i = 0; i < 5; i++) call(&b, 0, BREAKER_BAD);
  assert_true(breaker_enter(&b, 1000, &other) > 0);
  assert_int_equal(breaker_enter(&b, 22500, &probe), 0);
  assert_int_equal(b.state, BREAKER_HALF_OPEN);
  assert_true(breaker_wait(&b, 22500) > 0);
  assert_true(breaker_enter(&b, 30000, &other) > 0);
  assert_true(breaker_report(&b, probe, BREAKER_GOOD, 30000, 0.5));
  assert_int_equal(b.state, BREAKER_CLOSED);
  for (int i = 0; i < 4; i++) assert_false(call(&b, 40000, BREAKER_BAD)); /* counts anew */
}

static void each_failed_probe_doubles_up_to_ten_minutes(void **state) {
  (void)state;
  const int64_t tops[] = {30, 60, 120, 240, 480, 600};
  breaker b = {0};
  int64_t now = 0;
  for (int i = 0; i < 5; i++) call(&b, now, BREAKER_BAD);
  for (int k = 0; k < 200; k++) { /* far past where 2^k overflows */
    assert_int_equal(b.state, BREAKER_OPEN);
    assert_int_equal(breaker_wait(&b, now), tops[k < 5 ? k : 5] * 750);
    now += breaker_wait(&b, now);
    assert_true(call(&b, now, BREAKER_BAD));
  }
  now += breaker_wait(&b, now);
  call(&b, now, BREAKER_GOOD);
  for (int i = 0; i < 5; i++) call(&b, now, BREAKER_BAD);
  assert_int_equal(breaker_wait(&b, now), 22500); /* the answer made it forget */
}

static void late_replies_change_nothing(void **state) {
  (void)state;
  breaker b = {0};
  uint32_t early, probe;
  breaker_enter(&b, 0, &early);
  for (int i = 0; i < 5; i++) call(&b, 0, BREAKER_BAD);
  breaker before = b;
  assert_false(breaker_report(&b, early, BREAKER_GOOD, 1, 0.5));
  assert_memory_equal(&before, &b, sizeof b);
  breaker_enter(&b, 30000, &probe);
  assert_false(breaker_report(&b, early, BREAKER_GOOD, 30001, 0.5));
  assert_int_equal(b.state, BREAKER_HALF_OPEN);
}

static void a_lost_probe_is_replaced(void **state) {
  (void)state;
  breaker b = {0};
  uint32_t lost, given_up, probe;
  for (int i = 0; i < 5; i++) call(&b, 0, BREAKER_BAD);
  assert_int_equal(breaker_enter(&b, 30000, &lost), 0);
  assert_int_equal(breaker_wait(&b, 89999), 1);
  assert_int_equal(breaker_enter(&b, 90000, &given_up), 0);
  assert_false(breaker_report(&b, lost, BREAKER_GOOD, 90001, 0.5));
  assert_false(breaker_report(&b, given_up, BREAKER_UNKNOWN, 90002, 0.5));
  assert_int_equal(breaker_enter(&b, 90002, &probe), 0);
  assert_true(breaker_report(&b, probe, BREAKER_GOOD, 90003, 0.5));
}

/* Against the rule said plainly: keep every result since it closed, look at the last of them. */
static bool should_open(const int64_t *at, const bool *bad, int n) {
  int row = 0, half = 0;
  for (int i = n - 1; i >= 0 && bad[i]; i--) row++;
  for (int i = n - 1; i >= 0 && i >= n - 20; i--) half += bad[i];
  return row >= 5 || (n >= 20 && at[n - 1] - at[n - 20] <= 60000 && half >= 10);
}

static void random_traces_open_exactly_by_the_rule(void **state) {
  (void)state;
  uint64_t seed = 5;
  int opened = 0;
  for (int round = 0; round < 2000; round++) {
    int64_t at[200], now = 1000, pace = 200 + chance_below(&seed, 8000);
    bool bad[200];
    breaker b = {0};
    int odds = 1 + chance_below(&seed, 9);
    for (int n = 0; n < 200 && b.state == BREAKER_CLOSED; n++) {
      now += chance_below(&seed, (int)pace);
      at[n] = now;
      bad[n] = chance_below(&seed, 10) < odds;
      bool moved = call(&b, now, bad[n] ? BREAKER_BAD : BREAKER_GOOD);
      assert_int_equal(moved, should_open(at, bad, n + 1));
      opened += moved;
      if (!moved) continue;
      assert_in_range(breaker_wait(&b, now), 15000, 30000);
    }
  }
  assert_in_range(opened, 200, 1999);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(never_more_than_promised_in_any_window),
      cmocka_unit_test(a_tenth_may_come_at_once),
      cmocka_unit_test(a_clock_that_goes_back_does_not_lock_the_door),
      cmocka_unit_test(zeros_limit_nothing),
      cmocka_unit_test(slots_count),
      cmocka_unit_test(five_failures_in_a_row_open_it),
      cmocka_unit_test(half_of_twenty_within_a_minute_open_it),
      cmocka_unit_test(one_probe_when_half_open),
      cmocka_unit_test(each_failed_probe_doubles_up_to_ten_minutes),
      cmocka_unit_test(late_replies_change_nothing),
      cmocka_unit_test(a_lost_probe_is_replaced),
      cmocka_unit_test(random_traces_open_exactly_by_the_rule),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
