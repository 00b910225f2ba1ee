/* job_history_test.c -- random histories of jobs, and wrong machines that they must catch.
 *
 * The true machine goes through a million steps without a word from the judge. Each mutant is
 * job_step() with one fault around it; a mutant that nobody notices is a hole in this test.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

#include "history.h"

#define STEPS 20000
#define SEEDS 60

typedef const job_state *row;
typedef const job_event *said;

/* The boundary with < for <=: the last retry is not made. */
static job_verdict less_for_less_or_equal(row s, said e, int64_t now, double random, job_state *out,
                                          job_effects *fx) {
  job_verdict v = job_step(s, e, now, random, out, fx);
  bool failed = v == JOB_OK && fx->close_attempt && fx->outcome == JOB_ATTEMPT_FAILED;
  if (failed && out->status == JOB_WAITING && out->retry_count == out->limit) {
    out->status = JOB_QUARANTINED;
  }
  return v;
}

/* The boundary looked at before counting: one retry too many. */
static job_verdict count_after_comparing(row s, said e, int64_t now, double random, job_state *out,
                                         job_effects *fx) {
  job_state wider = *s;
  wider.limit += !s->once;
  job_verdict v = job_step(&wider, e, now, random, out, fx);
  out->limit = s->limit;
  return v;
}

/* Names the present epoch, whoever speaks. */
static job_verdict without_epoch(row s, said e, job_event_kind kind, int64_t now, double random,
                                 job_state *out, job_effects *fx) {
  job_event trusted = *e;
  if (e->kind == kind) trusted.epoch = s->epoch;
  return job_step(s, &trusted, now, random, out, fx);
}

static job_verdict done_without_epoch(row s, said e, int64_t now, double random, job_state *out,
                                      job_effects *fx) {
  return without_epoch(s, e, JOB_DONE_EVENT, now, random, out, fx);
}

static job_verdict reaper_without_epoch(row s, said e, int64_t now, double random, job_state *out,
                                        job_effects *fx) {
  return without_epoch(s, e, JOB_LEASE_EXPIRED, now, random, out, fx);
}

static job_verdict loss_without_epoch(row s, said e, int64_t now, double random, job_state *out,
                                      job_effects *fx) {
  return without_epoch(s, e, JOB_WORKER_LOST, now, random, out, fx);
}

static job_verdict checkpoint_without_epoch(row s, said e, int64_t now, double random,
                                            job_state *out, job_effects *fx) {
  return without_epoch(s, e, JOB_CHECKPOINT, now, random, out, fx);
}

/* 2000 << (count - 1) as a processor does it. */
static job_verdict unclamped_exponent(row s, said e, int64_t now, double random, job_state *out,
                                      job_effects *fx) {
  job_verdict v = job_step(s, e, now, random, out, fx);
  bool failed = v == JOB_OK && fx->close_attempt && fx->outcome == JOB_ATTEMPT_FAILED;
  if (failed && out->status == JOB_WAITING) {
    int64_t top = (int64_t)(UINT64_C(2000) << ((out->retry_count - 1) & 63));
    out->run_at = now + (int64_t)(random * (double)(top < 900000 ? top : 900000));
  }
  return v;
}

/* Effects that a refused speaker had staged are applied all the same. */
static job_verdict effects_outside(row s, said e, int64_t now, double random, job_state *out,
                                   job_effects *fx) {
  job_verdict v = job_step(s, e, now, random, out, fx);
  if (e->kind == JOB_CHECKPOINT || e->kind == JOB_DONE_EVENT) fx->commit_staged = true;
  return v;
}

static job_verdict deferral_burns_a_retry(row s, said e, int64_t now, double random, job_state *out,
                                          job_effects *fx) {
  job_verdict v = job_step(s, e, now, random, out, fx);
  if (v == JOB_OK && e->kind == JOB_DEFER && out->status == JOB_WAITING) out->retry_count++;
  return v;
}

static job_verdict release_forgets_the_count(row s, said e, int64_t now, double random,
                                             job_state *out, job_effects *fx) {
  job_verdict v = job_step(s, e, now, random, out, fx);
  if (v == JOB_OK && e->kind == JOB_RELEASE) out->retry_count = s->retry_count;
  return v;
}

static job_verdict poison_is_not_seen(row s, said e, int64_t now, double random, job_state *out,
                                      job_effects *fx) {
  job_event plain = *e;
  if (e->kind == JOB_WORKER_LOST) plain.kind = JOB_FAIL, plain.fail.permanent = false;
  return job_step(s, &plain, now, random, out, fx);
}

static job_verdict attempt_left_open(row s, said e, int64_t now, double random, job_state *out,
                                     job_effects *fx) {
  job_verdict v = job_step(s, e, now, random, out, fx);
  if (e->kind == JOB_CANCEL) fx->close_attempt = false;
  return v;
}

static job_verdict spans_are_retried(row s, said e, int64_t now, double random, job_state *out,
                                     job_effects *fx) {
  job_state plain = *s;
  plain.once = false;
  job_verdict v = job_step(&plain, e, now, random, out, fx);
  out->once = s->once;
  return v;
}

static job_verdict expired_leases_beat_on(row s, said e, int64_t now, double random, job_state *out,
                                          job_effects *fx) {
  bool beat = e->kind == JOB_HEARTBEAT && s->status == JOB_LEASED;
  return job_step(s, e, beat && now >= s->lease_until ? s->lease_until - 1 : now, random, out, fx);
}

static job_key_verdict key_forgotten_at_done(const job_state *holder, bool same, int64_t now,
                                             int64_t window) {
  if (holder && job_is_over(holder->status)) return JOB_KEY_NEW;
  return job_key_decide(holder, same, now, window);
}

static void the_true_machine_keeps_every_promise(void **state) {
  (void)state;
  static history h;
  long steps = 0, verdicts[4] = {0}, reached[7] = {0}, longest = 0, pruned = 0;
  for (uint64_t seed = 1; seed <= SEEDS; seed++) {
    const char *wrong = history_run(&h, (machine){job_step, job_key_decide}, seed, STEPS);
    if (wrong) fail_msg("seed %d, step %ld: %s", (int)seed, h.steps, wrong);
    steps += h.steps;
    pruned += h.pruned;
    for (int i = 0; i < 4; i++) verdicts[i] += h.verdicts[i];
    for (int i = 0; i < 7; i++) reached[i] += h.reached[i];
    if (h.longest > longest) longest = h.longest;
  }
  printf("%ld steps: %ld ok, %ld refused, %ld fenced, %ld expired; longest job %ld attempts\n",
         steps, verdicts[0], verdicts[1], verdicts[2], verdicts[3], longest);
  assert_true(steps >= 200000);
  for (int i = 0; i < 4; i++) assert_true(verdicts[i] > 100);
  for (int i = 0; i < 7; i++) assert_true(reached[i] > 100);
  assert_true(longest > 100 && pruned > 100);
}

static const struct {
  const char *name;
  machine m;
} mutants[] = {
    {"< for <= at the limit", {less_for_less_or_equal, job_key_decide}},
    {"count after comparing", {count_after_comparing, job_key_decide}},
    {"done without the epoch", {done_without_epoch, job_key_decide}},
    {"reaper without the epoch", {reaper_without_epoch, job_key_decide}},
    {"worker lost without the epoch", {loss_without_epoch, job_key_decide}},
    {"checkpoint without the epoch", {checkpoint_without_epoch, job_key_decide}},
    {"unclamped exponent", {unclamped_exponent, job_key_decide}},
    {"effects outside the transaction", {effects_outside, job_key_decide}},
    {"a deferral burns a retry", {deferral_burns_a_retry, job_key_decide}},
    {"release keeps the count", {release_forgets_the_count, job_key_decide}},
    {"poison is not seen", {poison_is_not_seen, job_key_decide}},
    {"cancel leaves its attempt open", {attempt_left_open, job_key_decide}},
    {"spans are retried", {spans_are_retried, job_key_decide}},
    {"an expired lease beats on", {expired_leases_beat_on, job_key_decide}},
    {"key forgotten at done", {job_step, key_forgotten_at_done}},
};

static void every_wrong_machine_is_caught(void **state) {
  (void)state;
  static history h;
  for (size_t i = 0; i < sizeof mutants / sizeof mutants[0]; i++) {
    const char *caught = NULL;
    uint64_t seed = 1;
    for (; seed <= SEEDS && !caught; seed++) caught = history_run(&h, mutants[i].m, seed, STEPS);
    if (!caught) fail_msg("nobody noticed: %s", mutants[i].name);
    printf("%-32s seed %d, step %5ld: %s\n", mutants[i].name, (int)seed - 1, h.steps, caught);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_true_machine_keeps_every_promise),
      cmocka_unit_test(every_wrong_machine_is_caught),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
