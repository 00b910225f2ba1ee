/* jobs_rules_test.c -- single rules of jobs in the store that random histories meet too seldom: what was read
 * under an older lease, the very moment of a delay, groups in order, what is written down with a step.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/flow_help.h"

#include "core/chance.h"
#include "flow/jobs/jobs.h"

enum { NOW = 1000000 };

static int64_t add(store_conn *c, const char *group, int64_t run_at, dts_error *e) {
  int64_t id = -1;
  bool fresh;
  job_new n = {.pipeline = "p",
               .trigger = "queue",
               .kind = "params",
               .input = "{}",
               .limit = 3,
               .group = group,
               .run_at = run_at};
  jobs_insert(c, &n, NOW, &id, &fresh, e);
  return id;
}

static int step(store_conn *c, job *j, job_event event, int64_t now, double random, dts_error *e) {
  job_effects fx;
  int64_t run;
  event.epoch = j->state.epoch;
  if (jobs_step(c, j, &event, now, random, &fx, e) < 0) return -1;
  if (fx.open_attempt && jobs_open_run(c, j, "v", now, &run, e) < 0) return -1;
  return jobs_close_run(c, j, &fx, NULL, now, e);
}

static void in_store(store_work *work, void *arg) {
  store *s = help_store();
  help_write(s, work, arg);
  store_close(s);
}

/* ---- what was read earlier ---- */

/* The epoch stands in the WHERE: the state alone is the same again. */
static int late_owner(store_conn *c, void *arg, dts_error *e) {
  static const job_event_kind says[] = {JOB_DONE_EVENT,    JOB_CHECKPOINT,  JOB_FAIL,
                                        JOB_LEASE_EXPIRED, JOB_WORKER_LOST, JOB_CANCEL};
  arena a = {0};
  job j, stale;
  int refused = 0;
  jobs_load(c, add(c, NULL, 0, e), &a, &j, e);
  if (step(c, &j, (job_event){.kind = JOB_LEASE}, NOW, 0, e) < 0) return -1;
  stale = j;
  if (step(c, &j, (job_event){.kind = JOB_HANDBACK}, NOW, 0, e) < 0) return -1;
  if (step(c, &j, (job_event){.kind = JOB_LEASE}, NOW, 0, e) < 0) return -1;
  for (size_t i = 0; i < sizeof says / sizeof *says; i++) {
    job copy = stale;
    dts_error late = {0};
    int64_t now = says[i] == JOB_LEASE_EXPIRED ? NOW + JOB_LEASE_MS : NOW;
    refused += step(c, &copy, (job_event){.kind = says[i]}, now, 0, &late) < 0 &&
               strcmp(late.code, "FENCED") == 0;
  }
  *(int *)arg = refused;
  arena_free(&a);
  return 0;
}

static void who_read_an_older_lease_writes_nothing(void **state) {
  (void)state;
  int refused = 0;
  in_store(late_owner, &refused);
  assert_int_equal(refused, 6);
}

/* ---- time ---- */

static int tick_at(store_conn *c, void *arg, dts_error *e) {
  int *ready = arg;
  int64_t ids[2];
  add(c, NULL, NOW + 10, e);
  for (int i = 0; i < 2; i++) {
    if (jobs_tick(c, NOW + 9 + i, e) < 0) return -1;
    ready[i] = jobs_ready(c, 0, NULL, NULL, ids, 2, e);
  }
  return 0;
}

static void a_job_is_queued_in_the_moment_that_it_waits_for(void **state) {
  (void)state;
  int ready[2];
  in_store(tick_at, ready);
  assert_int_equal(ready[0], 0);
  assert_int_equal(ready[1], 1);
}

/* ---- groups ---- */

typedef struct ordered {
  int done, broken, crowded;
} ordered;

static int64_t count(store_conn *c, const char *sql, int64_t id, dts_error *e) {
  value v, params[] = {value_integer(id)};
  return store_get(c, sql, params, 1, NULL, &v, e) < 0 ? -1 : v.integer;
}

static int run_one(store_conn *c, ordered *o, int64_t id, uint64_t *seed, int64_t now,
                   dts_error *e) {
  static const job_event ends[] = {{.kind = JOB_DONE_EVENT}, {.kind = JOB_DONE_EVENT},
                                   {.kind = JOB_FAIL},       {.kind = JOB_DEFER},
                                   {.kind = JOB_HANDBACK},   {.kind = JOB_INTERRUPTED},
                                   {.kind = JOB_SLEEP},      {.kind = JOB_WORKER_LOST}};
  arena a = {0};
  job j;
  job_event how = ends[chance_below(seed, 8)];
  if (how.kind == JOB_SLEEP) how.sleep.until = now + 3000;
  int rc = jobs_load(c, id, &a, &j, e);
  if (rc == 0) rc = step(c, &j, (job_event){.kind = JOB_LEASE}, now, 0, e);
  o->crowded += count(c,
                      "select count(*) from dts_job a join dts_job b on a.grp = b.grp and a.id < "
                      "b.id where a.state = 'leased' and b.state = 'leased' and ?1",
                      1, e) != 0;
  if (rc == 0) rc = step(c, &j, how, now, chance_unit(seed), e);
  if (how.kind == JOB_DONE_EVENT) {
    o->done++;
    o->broken += count(c,
                       "select count(*) from dts_job o join dts_job j on o.grp = j.grp and o.id < "
                       "j.id where j.id = ?1 and o.state in ('waiting', 'queued', 'leased')",
                       id, e) != 0;
  }
  arena_free(&a);
  return rc;
}

static int run_groups(store_conn *c, void *arg, dts_error *e) {
  static const char *const groups[] = {"a", "b", "c"};
  uint64_t seed = 11;
  int64_t now = NOW, ids[8];
  for (int i = 0; i < 90; i++) add(c, groups[i % 3], 0, e);
  for (int round = 0; round < 600; round++, now += 1000) {
    if (jobs_tick(c, now, e) < 0) return -1;
    int found = jobs_ready(c, 0, NULL, NULL, ids, 8, e);
    if (found > 3) ((ordered *)arg)->crowded++;
    for (int i = 0; i < found; i++)
      if (run_one(c, arg, ids[i], &seed, now, e) < 0) return -1;
  }
  return 0;
}

/* A head that waits for its retry, sleeps or was put off holds its group back. */
static void in_a_group_done_follows_order(void **state) {
  (void)state;
  ordered o = {0};
  in_store(run_groups, &o);
  assert_true(o.done > 50);
  assert_int_equal(o.broken, 0);
  assert_int_equal(o.crowded, 0);
}

/* ---- firings ---- */

static int fire_often(store_conn *c, void *arg, dts_error *e) {
  uint64_t seed = 5;
  bool seen[40] = {false};
  int *numbers = arg;
  for (int i = 0; i < 400; i++) {
    int at = chance_below(&seed, 40);
    firing f = {.pipeline = "p", .trigger = "schedule", .fire_time = 1000 + at};
    if (jobs_fire(c, &f, NOW, e) < 0) return -1;
    numbers[0] += f.id != 0;
    numbers[1] += !seen[at];
    seen[at] = true;
  }
  numbers[2] = (int)count(c, "select count(*) from dts_firing where ?1", 1, e);
  return 0;
}

static void there_are_as_many_firings_as_fire_times(void **state) {
  (void)state;
  int numbers[3] = {0};
  in_store(fire_often, numbers);
  assert_int_equal(numbers[0], numbers[1]);
  assert_int_equal(numbers[2], numbers[1]);
}

static int two_jobs_of_a_firing(store_conn *c, void *arg, dts_error *e) {
  bool *closed = arg;
  arena a = {0};
  firing f = {.pipeline = "p", .trigger = "hand"};
  int64_t id, failed;
  bool fresh;
  job j;
  if (jobs_fire(c, &f, NOW, e) < 0) return -1;
  job_new n = {.firing = f.id, .pipeline = "p", .trigger = "hand", .kind = "params", .input = "{}"};
  for (int i = 0; i < 2; i++)
    if (jobs_insert(c, &n, NOW, &id, &fresh, e) < 0) return -1;
  for (int i = 0; i < 2; i++) {
    if (jobs_load(c, id - 1 + i, &a, &j, e) < 0) return -1;
    if (step(c, &j, (job_event){.kind = JOB_CANCEL}, NOW, 0, e) < 0) return -1;
    if (jobs_close_firing(c, f.id, &closed[i], &failed, e) < 0) return -1;
  }
  arena_free(&a);
  return jobs_close_firing(c, f.id, &closed[2], &failed, e);
}

static void a_firing_ends_once_with_its_last_job(void **state) {
  (void)state;
  bool closed[3];
  in_store(two_jobs_of_a_firing, closed);
  assert_false(closed[0]);
  assert_true(closed[1]);
  assert_false(closed[2]);
}

/* ---- what is written down ---- */

static int too_many_crashes(store_conn *c, void *arg, dts_error *e) {
  arena a = {0};
  job j;
  value v;
  jobs_load(c, add(c, NULL, 0, e), &a, &j, e);
  for (int i = 0; i <= JOB_INTERRUPTIONS; i++) {
    if (step(c, &j, (job_event){.kind = JOB_LEASE}, NOW, 0, e) < 0) return -1;
    if (jobs_recover(c, NOW, e) < 0 || jobs_load(c, j.id, &a, &j, e) < 0) return -1;
  }
  if (store_get(c, "select state || ': ' || reason from dts_job", NULL, 0, &a, &v, e) < 0)
    return -1;
  snprintf(arg, 64, "%s", v.text.bytes);
  arena_free(&a);
  return 0;
}

static void what_crashes_with_each_engine_lies_in_quarantine_and_says_why(void **state) {
  (void)state;
  char said[64];
  in_store(too_many_crashes, said);
  assert_string_equal(said, "quarantined: interrupted too often");
}

static int decided(store_conn *c, void *arg, dts_error *e) {
  arena a = {0};
  job j;
  const job_event person = {.kind = JOB_RELEASE, .person = {true, "mended"}};
  job_event drop = person;
  drop.kind = JOB_DROP;
  jobs_load(c, add(c, NULL, 0, e), &a, &j, e);
  for (int i = 0; i < 2; i++) {
    job_event fail = {.kind = JOB_FAIL, .fail = {.permanent = true}};
    if (step(c, &j, (job_event){.kind = JOB_LEASE}, NOW, 0, e) < 0) return -1;
    if (step(c, &j, fail, NOW, 0, e) < 0 || step(c, &j, i ? drop : person, NOW, 0, e) < 0)
      return -1;
  }
  *(int64_t *)arg = count(c,
                          "select sum(action = 'release') * 10 + sum(action = 'drop') from "
                          "dts_audit where subject = 'job-1' and reason = 'mended' and payload = "
                          "'{}' and ?1",
                          1, e);
  arena_free(&a);
  return 0;
}

static void a_person_s_decision_is_in_the_audit(void **state) {
  (void)state;
  int64_t rows = 0;
  in_store(decided, &rows);
  assert_int_equal(rows, 11);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(who_read_an_older_lease_writes_nothing),
      cmocka_unit_test(a_job_is_queued_in_the_moment_that_it_waits_for),
      cmocka_unit_test(in_a_group_done_follows_order),
      cmocka_unit_test(there_are_as_many_firings_as_fire_times),
      cmocka_unit_test(a_firing_ends_once_with_its_last_job),
      cmocka_unit_test(what_crashes_with_each_engine_lies_in_quarantine_and_says_why),
      cmocka_unit_test(a_person_s_decision_is_in_the_audit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
