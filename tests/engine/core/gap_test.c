/* gap_test.c -- what becomes of an expected date, and its boundary.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "chance.h"
#include "core/gap.h"

static const gap_event PLAN = {.kind = GAP_PLAN};
static const gap_event FILLED = {.kind = GAP_ENDED, .seen = GAP_SEEN_COMPLETE, .succeeded = true};
static const gap_event MISSING = {.kind = GAP_ENDED, .seen = GAP_SEEN_MISSING, .succeeded = true};

static void say(gap_state *g, gap_event e, gap_verdict expected) {
  gap_state before = *g;
  const char *reason = "untouched";
  assert_int_equal(gap_step(g, &e, g, &reason), expected);
  assert_null(gap_check(g));
  if (expected == GAP_OK) return;
  assert_memory_equal(&before, g, sizeof before);
  assert_non_null(reason);
}

static void try_once(gap_state *g, gap_event end) {
  say(g, PLAN, GAP_OK);
  say(g, end, GAP_OK);
}

static void a_date_is_filled_by_its_span(void **state) {
  (void)state;
  gap_state g = gap_begin(5);
  assert_true(gap_is_planned_by_schedule(&g));
  say(&g, FILLED, GAP_REFUSED); /* nobody holds it */
  say(&g, PLAN, GAP_OK);
  assert_false(gap_is_planned_by_schedule(&g) || gap_is_planned_by_recheck(&g));
  say(&g, PLAN, GAP_REFUSED); /* not twice */
  say(&g, (gap_event){.kind = GAP_DEFERRED}, GAP_OK);
  assert_int_equal(g.attempts, 0);
  say(&g, FILLED, GAP_OK);
  assert_string_equal(gap_status_name(g.status), "filled");
  assert_int_equal(g.retry_count, 0);
  say(&g, PLAN, GAP_REFUSED);
  say(&g, (gap_event){.kind = GAP_RELEASE}, GAP_REFUSED);
}

static void limit_five_makes_six_attempts(void **state) {
  (void)state;
  gap_state g = gap_begin(5);
  for (int i = 1; i <= 6; i++) {
    gap_event end = MISSING;
    end.succeeded = i % 2; /* a failed or lost job counts like one that brought nothing */
    try_once(&g, end);
    assert_int_equal(g.retry_count, i);
    assert_int_equal(g.status, i < 6 ? GAP_RETRYING : GAP_QUARANTINED);
    assert_true(gap_is_planned_by_recheck(&g) == (i < 6));
  }
  assert_int_equal(g.attempts, 6);
  say(&g, PLAN, GAP_REFUSED);
}

static void an_incomplete_row_is_not_there(void **state) {
  (void)state;
  gap_state g = gap_begin(5);
  gap_event end = {.kind = GAP_ENDED, .seen = GAP_SEEN_INCOMPLETE, .succeeded = true};
  end.empty_ok = true;
  try_once(&g, end);
  assert_int_equal(g.status, GAP_RETRYING);
}

static void empty_ok_closes_what_was_answered_without_a_row(void **state) {
  (void)state;
  gap_state g = gap_begin(5), failed = gap_begin(5);
  gap_event end = MISSING;
  end.empty_ok = true;
  try_once(&g, end);
  assert_int_equal(g.status, GAP_ABSENT);
  end.succeeded = false;
  try_once(&failed, end);
  assert_int_equal(failed.status, GAP_RETRYING);
}

static void no_retry_quarantines_at_once_what_is_missing(void **state) {
  (void)state;
  gap_state g = gap_begin(5), there = gap_begin(5);
  gap_event end = {.kind = GAP_ENDED, .seen = GAP_SEEN_MISSING, .no_retry = true};
  const char *reason = NULL;
  say(&g, PLAN, GAP_OK);
  assert_int_equal(gap_step(&g, &end, &g, &reason), GAP_OK);
  assert_int_equal(g.status, GAP_QUARANTINED);
  assert_int_equal(g.retry_count, 1);
  assert_string_equal(reason, "not to be retried");
  end.seen = GAP_SEEN_COMPLETE;
  try_once(&there, end);
  assert_int_equal(there.status, GAP_FILLED);
}

static void release_starts_afresh_and_drop_closes(void **state) {
  (void)state;
  gap_state g = gap_begin(0);
  try_once(&g, MISSING);
  assert_int_equal(g.status, GAP_QUARANTINED);
  gap_state dropped = g;
  say(&dropped, (gap_event){.kind = GAP_DROP}, GAP_OK);
  assert_int_equal(dropped.status, GAP_ABSENT);
  say(&g, (gap_event){.kind = GAP_RELEASE}, GAP_OK);
  assert_true(gap_is_planned_by_recheck(&g));
  assert_int_equal(g.retry_count, 0);
  assert_int_equal(g.attempts, 1);
  assert_int_equal(g.releases, 1);
}

static void a_row_that_comes_or_goes_by_itself(void **state) {
  (void)state;
  gap_state g = gap_begin(5);
  say(&g, (gap_event){.kind = GAP_LOST}, GAP_REFUSED);
  say(&g, (gap_event){.kind = GAP_PRESENT}, GAP_OK);
  assert_int_equal(g.status, GAP_FILLED);
  say(&g, (gap_event){.kind = GAP_LOST}, GAP_OK);
  assert_int_equal(g.status, GAP_OPEN);
  try_once(&g, FILLED);
  say(&g, (gap_event){.kind = GAP_LOST}, GAP_OK);
  assert_int_equal(g.status, GAP_RETRYING);
  say(&g, PLAN, GAP_OK);
  say(&g, (gap_event){.kind = GAP_PRESENT}, GAP_REFUSED); /* the job's end will say so */
}

/* Any events in any order keep the invariants, and the count is what was missed since a release. */
static void random_histories_keep_the_invariants(void **state) {
  (void)state;
  uint64_t seed = 42;
  for (int round = 0; round < 5000; round++) {
    gap_state g = gap_begin(chance_below(&seed, 4));
    for (int i = 0; i < 40; i++) {
      gap_event e = {.kind = (gap_event_kind)chance_below(&seed, 8),
                     .seen = (gap_seen)chance_below(&seed, 3),
                     .succeeded = chance_below(&seed, 2),
                     .empty_ok = chance_below(&seed, 5) == 0,
                     .no_retry = chance_below(&seed, 20) == 0};
      gap_state before = g;
      gap_verdict v = gap_step(&g, &e, &g, NULL);
      assert_null(gap_check(&g));
      if (v == GAP_REFUSED) assert_memory_equal(&before, &g, sizeof g);
      bool left = before.status == GAP_QUARANTINED && g.status != GAP_QUARANTINED;
      if (left) assert_true(e.kind == GAP_RELEASE || e.kind == GAP_DROP || e.kind == GAP_PRESENT);
      if (before.status == GAP_ABSENT && g.status != GAP_ABSENT) {
        assert_int_equal(e.kind, GAP_PRESENT);
      }
      if (g.attempts != before.attempts) assert_int_equal(e.kind, GAP_ENDED);
    }
  }
}

static void names_read_both_ways(void **state) {
  (void)state;
  gap_status back = GAP_OPEN;
  for (gap_status s = GAP_OPEN; s <= GAP_QUARANTINED; s++) {
    assert_int_equal(gap_status_read(gap_status_name(s), &back), 0);
    assert_int_equal(back, s);
  }
  assert_int_equal(gap_status_read("lost", &back), -1);
  assert_int_equal(gap_status_read(NULL, &back), -1);
}

static void a_damaged_record_is_refused(void **state) {
  (void)state;
  gap_state g = {.status = GAP_RETRYING, .limit = 5};
  const char *reason = NULL;
  assert_int_equal(gap_step(&g, &PLAN, &g, &reason), GAP_REFUSED);
  assert_string_equal(reason, "retrying, though never tried");
  g = (gap_state){.status = GAP_RETRYING, .limit = 1, .attempts = 2, .retry_count = 2};
  assert_string_equal(gap_check(&g), "retry_count is past the limit");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_date_is_filled_by_its_span),
      cmocka_unit_test(limit_five_makes_six_attempts),
      cmocka_unit_test(an_incomplete_row_is_not_there),
      cmocka_unit_test(empty_ok_closes_what_was_answered_without_a_row),
      cmocka_unit_test(no_retry_quarantines_at_once_what_is_missing),
      cmocka_unit_test(release_starts_afresh_and_drop_closes),
      cmocka_unit_test(a_row_that_comes_or_goes_by_itself),
      cmocka_unit_test(random_histories_keep_the_invariants),
      cmocka_unit_test(names_read_both_ways),
      cmocka_unit_test(a_damaged_record_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
