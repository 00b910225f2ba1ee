/* jobs_test.c -- jobs in the store against a model in memory: random histories of several workers, with
 * late ones, two reapers between read and write, a clock that jumps, and a store closed and opened anew.
 *
 * The model holds job_states and steps them by core/job.h; the store must agree after every step, and the
 * invariants of jobs are asked of its tables.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/flow_help.h"

#include <unistd.h>

#include "flow/jobs/jobs.h"

enum { JOBS = 150, STEPS = 3000, HISTORIES = 3 };

typedef struct model_job {
  int64_t id;
  job_state state;
  int key; /* -1: none */
  int payload, group;
  int outcomes[8]; /* by job_outcome, of closed attempts */
} model_job;

typedef struct world {
  store *store;
  char path[64];
  int64_t now;
  uint64_t seed;
  model_job jobs[JOBS];
  size_t count, effects, refused, raced;
} world;

static uint64_t dice(world *w, uint64_t sides) {
  w->seed = w->seed * 6364136223846793005u + 1442695040888963407u;
  return (w->seed >> 33) % sides;
}

static double chance(world *w) { return (double)dice(w, 1000) / 1000; }

/* ---- enqueueing ---- */

typedef struct enqueue {
  job_new n;
  int64_t now, id;
  bool fresh;
} enqueue;

static int enqueue_work(store_conn *c, void *arg, dts_error *e) {
  enqueue *q = arg;
  return jobs_insert(c, &q->n, q->now, &q->id, &q->fresh, e);
}

static model_job *by_key(world *w, int key) {
  for (size_t i = w->count; key >= 0 && i-- > 0;)
    if (w->jobs[i].key == key) return &w->jobs[i];
  return NULL;
}

static void try_enqueue(world *w) {
  if (w->count == JOBS) return;
  int key = dice(w, 2) ? (int)dice(w, 12) : -1, payload = (int)dice(w, 2), group = (int)dice(w, 4);
  char name[16], input[16], group_name[16];
  snprintf(name, sizeof name, "k%d", key);
  snprintf(input, sizeof input, "{\"n\":%d}", payload);
  snprintf(group_name, sizeof group_name, "g%d", group);
  int64_t run_at = dice(w, 3) ? 0 : w->now + (int64_t)dice(w, 100000);
  int limit = (int)dice(w, 6);
  bool once = dice(w, 5) == 0;
  enqueue q = {.n = {.pipeline = "p",
                     .trigger = "hand",
                     .kind = "params",
                     .input = input,
                     .limit = limit,
                     .once = once,
                     .run_at = run_at,
                     .key = key < 0 ? NULL : name,
                     .group = group ? NULL : group_name},
               .now = w->now};
  dts_error e = {0};
  int rc = store_write(w->store, enqueue_work, &q, &e);
  model_job *holder = by_key(w, key);
  job_key_verdict expected =
      holder ? job_key_decide(&holder->state, holder->payload == payload, w->now, JOB_KEY_WINDOW_MS)
             : JOB_KEY_NEW;
  if (expected == JOB_KEY_CONFLICT) {
    assert_int_equal(rc, -1);
    assert_string_equal(e.code, "CONFLICT");
    return;
  }
  assert_int_equal(rc, 0);
  assert_int_equal(q.fresh, expected == JOB_KEY_NEW);
  if (expected == JOB_KEY_SAME) return (void)assert_int_equal(q.id, holder->id);
  if (holder) holder->key = -1;
  w->jobs[w->count++] =
      (model_job){.id = q.id,
                  .key = key,
                  .payload = payload,
                  .group = group ? -1 : group,
                  .state = job_begin(w->now, run_at ? run_at : w->now, limit, once)};
}

/* ---- steps ---- */

typedef struct stepping {
  world *world;
  int64_t id, now;
  job_event event;
  double chance;
  bool twice, fail_after; /* two readers of one row · the transaction fails behind the step */
  int second;
  job_effects fx;
} stepping;

static int write_effect(store_conn *c, const job *j, dts_error *e) {
  value params[] = {value_integer(j->id), value_integer(j->state.epoch)};
  return store_exec(c, "insert into effects (job, epoch) values (?1, ?2)", params, 2, e);
}

static int step_work(store_conn *c, void *arg, dts_error *e) {
  stepping *s = arg;
  arena a = {0};
  job j, other;
  int64_t run;
  dts_error late;
  job_effects ignored;
  int rc = jobs_load(c, s->id, &a, &j, e);
  other = j;
  if (rc == 0) rc = jobs_step(c, &j, &s->event, s->now, s->chance, &s->fx, e);
  if (rc == 0 && s->twice)
    s->second = jobs_step(c, &other, &s->event, s->now, s->chance, &ignored, &late);
  if (rc == 0 && s->fx.open_attempt) rc = jobs_open_run(c, &j, "v", s->now, &run, e);
  if (rc == 0) rc = jobs_close_run(c, &j, &s->fx, NULL, s->now, e);
  if (rc == 0 && s->fx.commit_staged) rc = write_effect(c, &j, e);
  arena_free(&a);
  if (rc == 0 && s->fail_after) return error_fail(e, "DISK", "on purpose");
  return rc;
}

static job_event random_event(world *w, const model_job *m) {
  static const job_event_kind kinds[] = {
      JOB_LEASE,       JOB_LEASE,    JOB_HEARTBEAT,   JOB_CHECKPOINT,
      JOB_DONE_EVENT,  JOB_FAIL,     JOB_FAIL,        JOB_DEFER,
      JOB_SLEEP,       JOB_HANDBACK, JOB_INTERRUPTED, JOB_LEASE_EXPIRED,
      JOB_WORKER_LOST, JOB_RELEASE,  JOB_RELEASE,     JOB_DROP};
  job_event event = {.kind = kinds[dice(w, sizeof kinds / sizeof *kinds)]};
  if (m->state.status == JOB_QUEUED && dice(w, 2)) event.kind = JOB_LEASE;
  if (dice(w, 40) == 0) event.kind = JOB_CANCEL;
  event.epoch =
      m->state.epoch - (dice(w, 6) == 0); /* now and then a worker of an earlier lease speaks */
  if (event.kind == JOB_FAIL) event.fail.permanent = dice(w, 6) == 0, event.fail.reason = "no";
  if (event.kind == JOB_DEFER) event.defer.retry_after_ms = (int64_t)dice(w, 100000);
  if (event.kind == JOB_SLEEP) event.sleep.until = w->now + (int64_t)dice(w, 1000000);
  if (event.kind == JOB_WORKER_LOST) event.lost.signal = 9;
  if (event.kind == JOB_RELEASE || event.kind == JOB_DROP)
    event.person.permitted = true, event.person.reason = "said so";
  return event;
}

static void try_step(world *w) {
  if (!w->count) return;
  model_job *m = &w->jobs[dice(w, w->count)];
  stepping s = {.world = w,
                .id = m->id,
                .now = w->now,
                .event = random_event(w, m),
                .chance = chance(w),
                .twice = dice(w, 4) == 0,
                .fail_after = dice(w, 10) == 0,
                .second = 1};
  job_state out;
  job_effects fx;
  dts_error e = {0};
  int rc = store_write(w->store, step_work, &s, &e);
  job_verdict verdict = job_step(&m->state, &s.event, w->now, s.chance, &out, &fx);
  if (verdict != JOB_OK || s.fail_after) {
    assert_int_equal(rc, -1);
    if (verdict != JOB_OK)
      assert_string_equal(e.code, verdict == JOB_FENCED    ? "FENCED"
                                  : verdict == JOB_EXPIRED ? "EXPIRED"
                                                           : "REFUSED");
    w->refused++;
    return;
  }
  assert_int_equal(rc, 0);
  bool moved = out.status != m->state.status || out.epoch != m->state.epoch;
  if (s.twice && moved)
    assert_int_equal(s.second, -1), w->raced++; /* the second reaper changes nothing */
  m->state = out;
  if (fx.close_attempt) m->outcomes[fx.outcome]++;
  w->effects += fx.commit_staged;
}

/* ---- the queue ---- */

typedef struct ready {
  int64_t ids[JOBS], now;
  int count;
} ready;

static int ready_work(store_conn *c, void *arg, dts_error *e) {
  ready *r = arg;
  if (jobs_tick(c, r->now, e) < 0) return -1;
  r->count = jobs_ready(c, 0, NULL, NULL, r->ids, JOBS, e);
  return r->count < 0 ? -1 : 0;
}

static bool is_behind(const world *w, const model_job *m) {
  for (const model_job *o = w->jobs; m->group >= 0 && o < m; o++)
    if (o->group == m->group && job_is_open(o->state.status)) return true;
  return false;
}

static void look_at_queue(world *w) {
  ready r = {.now = w->now};
  help_write(w->store, ready_work, &r);
  int expected = 0;
  for (size_t i = 0; i < w->count; i++) {
    model_job *m = &w->jobs[i];
    if (m->state.status == JOB_WAITING && m->state.run_at <= w->now) m->state.status = JOB_QUEUED;
    bool is_ready = m->state.status == JOB_QUEUED && !is_behind(w, m), found = false;
    expected += is_ready;
    for (int k = 0; k < r.count; k++) found = found || r.ids[k] == m->id;
    assert_int_equal(found, is_ready);
  }
  assert_int_equal(r.count, expected);
}

static int expired_work(store_conn *c, void *arg, dts_error *e) {
  ready *r = arg;
  int64_t after = 0, page[2];
  for (int n = 2; n == 2;) { /* in pages, so that none hides behind those that stay */
    if ((n = jobs_expired(c, r->now, after, page, 2, e)) < 0) return -1;
    for (int i = 0; i < n; i++) r->ids[r->count++] = after = page[i];
  }
  return 0;
}

static void look_for_expired(world *w) {
  ready r = {.now = w->now};
  help_write(w->store, expired_work, &r);
  int expected = 0;
  for (size_t i = 0; i < w->count; i++)
    expected += w->jobs[i].state.status == JOB_LEASED && w->jobs[i].state.lease_until < w->now;
  assert_int_equal(r.count, expected);
}

/* ---- a new engine ---- */

static void open_again(world *w) {
  dts_error e = {0};
  store_options options = {.readers = 1};
  char url[80];
  snprintf(url, sizeof url, "sqlite:%s", w->path);
  if (w->store) store_close(w->store);
  w->store = store_open(url, &options, &e);
  if (!w->store || schema_create(w->store, &e) < 0) fail_msg("%s", e.message);
}

static int recover_work(store_conn *c, void *arg, dts_error *e) {
  return jobs_recover(c, ((world *)arg)->now, e);
}

static void restart(world *w) {
  open_again(w);
  help_write(w->store, recover_work, w);
  for (size_t i = 0; i < w->count; i++) {
    model_job *m = &w->jobs[i];
    if (m->state.status != JOB_LEASED) continue;
    job_effects fx;
    job_event event = {.kind = JOB_INTERRUPTED, .epoch = m->state.epoch};
    assert_int_equal(job_step(&m->state, &event, w->now, 0, &m->state, &fx), JOB_OK);
    m->outcomes[fx.outcome]++;
  }
}

/* ---- looking ---- */

static const char *expected_rows(world *w, arena *a) {
  buffer b;
  buffer_init(&b, 1 << 20);
  for (size_t i = 0; i < w->count; i++) {
    const job_state *s = &w->jobs[i].state;
    buffer_add_format(&b, "%lld|%s|%d|%d|%d|%d|%d|%d|%lld|%lld|%lld\n", (long long)w->jobs[i].id,
                      job_status_name(s->status), s->attempts, s->retry_count, s->deferrals,
                      s->handbacks, s->interruptions, s->releases, (long long)s->epoch,
                      (long long)s->run_at, (long long)s->lease_until);
  }
  const char *text = arena_text(a, buffer_text(&b));
  buffer_free(&b);
  return text;
}

static int64_t number(world *w, arena *a, const char *sql) {
  return strtoll(help_text(w->store, a, sql), NULL, 10);
}

static void compare(world *w) {
  arena a = {0};
  assert_string_equal(
      help_text(w->store, &a,
                "select id, state, attempts, retry_count, deferrals, handbacks, interruptions, "
                "releases, epoch, run_at, lease_until from dts_job order by id"),
      expected_rows(w, &a));
  assert_int_equal(number(w, &a,
                          "select count(*) from dts_job j where attempts <> (select count(*) from "
                          "dts_run r where r.job = j.id)"),
                   0);
  assert_int_equal(number(w, &a,
                          "select count(*) from dts_run r join dts_job j on j.id = r.job where "
                          "(r.outcome is null) <> (j.state = 'leased' and j.epoch = r.epoch)"),
                   0);
  assert_int_equal(
      number(w, &a, "select count(*) from dts_job where retry_count > retry_limit + 1"), 0);
  assert_int_equal(number(w, &a,
                          "select count(*) from dts_job where retry_count > retry_limit and state "
                          "not in ('quarantined', 'failed', 'cancelled')"),
                   0);
  assert_int_equal(number(w, &a, "select count(*) from effects"), (int64_t)w->effects);
  assert_int_equal(number(w, &a,
                          "select count(*) from effects e where not exists (select 1 from dts_run "
                          "r where r.job = e.job and r.epoch = e.epoch)"),
                   0);
  for (int o = JOB_ATTEMPT_DONE; o <= JOB_ATTEMPT_CANCELLED; o++) {
    int64_t all = 0;
    for (size_t i = 0; i < w->count; i++) all += w->jobs[i].outcomes[o];
    const char *sql = arena_format(&a, "select count(*) from dts_run where outcome = '%s'",
                                   job_outcome_name((job_outcome)o));
    assert_int_equal(number(w, &a, sql), all);
  }
  arena_free(&a);
}

static void random_histories_agree_with_the_model(void **state) {
  (void)state;
  for (uint64_t n = 1; n <= HISTORIES; n++) {
    world *w = memory_alloc(sizeof *w);
    *w = (world){.now = 1773147600000, .seed = n};
    snprintf(w->path, sizeof w->path, "/tmp/dts-jobs-%d-%d.db", (int)getpid(), (int)n);
    open_again(w);
    help_exec(w->store,
              "create table effects (job integer not null, epoch integer not null) strict");
    for (int i = 0; i < STEPS; i++) {
      uint64_t what = dice(w, 100);
      if (what < 8)
        try_enqueue(w);
      else if (what < 14)
        look_at_queue(w), look_for_expired(w);
      else if (what < 24)
        w->now += (int64_t)dice(w, 40000) - 5000; /* also backwards */
      else if (what < 25)
        w->now += (int64_t)dice(w, 3) * 12 * 3600 * 1000;
      else
        try_step(w);
      if (i % 500 == 499) restart(w);
      if (i % 50 == 0) compare(w);
    }
    compare(w);
    assert_true(w->refused > 100 && w->raced > 20 && w->effects > 20); /* the history was rich */
    store_close(w->store);
    for (const char *const *end = (const char *const[]){"", "-wal", "-shm", NULL}; *end; end++) {
      char path[80];
      snprintf(path, sizeof path, "%s%s", w->path, *end);
      unlink(path);
    }
    free(w);
  }
}

/* ---- firings ---- */

typedef struct two_fires {
  int64_t first, second;
} two_fires;

static int fire_twice(store_conn *c, void *arg, dts_error *e) {
  two_fires *t = arg;
  firing one = {.pipeline = "p", .trigger = "schedule", .fire_time = 1000}, two = one;
  if (jobs_fire(c, &one, 5, e) < 0 || jobs_fire(c, &two, 6, e) < 0) return -1;
  t->first = one.id;
  t->second = two.id;
  return 0;
}

static void two_schedulers_make_one_firing(void **state) {
  (void)state;
  arena a = {0};
  store *s = help_store();
  two_fires t;
  help_write(s, fire_twice, &t);
  assert_true(t.first > 0);
  assert_int_equal(t.second, 0);
  assert_string_equal(help_text(s, &a, "select count(*) from dts_firing"), "1\n");
  arena_free(&a);
  store_close(s);
}

static int queue_of_firings(store_conn *c, void *arg, dts_error *e) {
  int64_t *ids = arg, id;
  bool fresh;
  for (int64_t i = 0; i < 3; i++) {
    firing f = {
        .pipeline = "p", .trigger = i < 2 ? "schedule" : "hand", .fire_time = i < 2 ? 1000 + i : 0};
    if (jobs_fire(c, &f, 5, e) < 0) return -1;
    for (int k = 0; k < 2; k++) {
      job_new n = {.firing = f.id,
                   .pipeline = "p",
                   .trigger = "schedule",
                   .kind = "params",
                   .input = "{}",
                   .limit = 5};
      if (jobs_insert(c, &n, 5, &id, &fresh, e) < 0) return -1;
    }
  }
  return jobs_ready(c, 0, NULL, NULL, ids, 10, e) < 0 ? -1 : 0;
}

static void a_firing_waits_for_the_one_before(void **state) {
  (void)state;
  int64_t ids[10] = {0};
  store *s = help_store();
  help_write(s, queue_of_firings, ids);
  const int64_t expected[] = {
      1, 2, 5, 6, 0}; /* the second firing's jobs, 3 and 4, wait; one by hand does not */
  for (size_t i = 0; i < 5; i++) assert_int_equal(ids[i], expected[i]);
  store_close(s);
}

/* Four jobs of one pipeline, then one of another, then one by hand. */
static int queue_of_three(store_conn *c, void *arg, dts_error *e) {
  const char *const NAMES[] = {"many", "many", "many", "many", "few", "asked"};
  bool fresh;
  int64_t id;
  for (int i = 0; i < 6; i++) {
    const char *by = i < 5 ? "queue" : "hand";
    firing f = {.pipeline = NAMES[i], .trigger = by};
    if (jobs_fire(c, &f, 5, e) < 0) return -1;
    job_new n = {.firing = f.id,
                 .pipeline = NAMES[i],
                 .trigger = by,
                 .kind = "params",
                 .input = "{}",
                 .limit = 5};
    if (jobs_insert(c, &n, 5 + i, &id, &fresh, e) < 0) return -1;
  }
  return jobs_ready(c, 0, NULL, NULL, arg, 10, e) < 0 ? -1 : 0;
}

static void a_long_queue_holds_no_other_back(void **state) {
  (void)state;
  int64_t ids[10] = {0};
  store *s = help_store();
  help_write(s, queue_of_three, ids);
  const int64_t expected[] = {6, 1, 5, 2, 3, 4, 0};
  for (size_t i = 0; i < 7; i++) assert_int_equal(ids[i], expected[i]);
  store_close(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_long_queue_holds_no_other_back),
      cmocka_unit_test(random_histories_agree_with_the_model),
      cmocka_unit_test(two_schedulers_make_one_firing),
      cmocka_unit_test(a_firing_waits_for_the_one_before),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
