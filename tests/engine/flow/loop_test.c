/* loop_test.c -- order of timers, a clock in the test's hands, posts of many threads, deferred work.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/flow_help.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "flow/kernel/loop.h"

enum { MANY = 2000, THREADS = 8, EACH = 5000 };

typedef struct log {
  loop *loop;
  int seen[MANY];
  int64_t at[MANY];
  int count;
} fired;

typedef struct ticket {
  fired *log;
  int number;
  loop_timer *timer;
} ticket;

static void note(void *arg) {
  ticket *t = arg;
  t->timer = NULL;
  t->log->at[t->log->count] = loop_now(t->log->loop);
  t->log->seen[t->log->count++] = t->number;
}

static unsigned next_random(unsigned *seed) { return *seed = *seed * 1664525u + 1013904223u; }

/* Against a model: sorted by time, and by age where times are equal; cancelled ones never come. */
static void timers_fire_in_order(void **state) {
  (void)state;
  static ticket tickets[MANY];
  static int64_t at[MANY];
  static fired log;
  unsigned seed = 7;
  log = (fired){.loop = loop_open(true, 1000)};
  for (int i = 0; i < MANY; i++) {
    at[i] = 1000 + next_random(&seed) % 500;
    tickets[i] = (ticket){&log, i, NULL};
    tickets[i].timer = loop_at(log.loop, at[i], note, &tickets[i]);
  }
  bool gone[MANY] = {false};
  for (int i = 0; i < MANY / 3; i++) {
    int which = (int)(next_random(&seed) % MANY);
    if (gone[which]) continue;
    loop_cancel(log.loop, tickets[which].timer);
    gone[which] = true;
  }
  while (loop_advance(log.loop, 2000)) {
  }
  int expected = 0;
  for (int i = 0; i < MANY; i++) expected += !gone[i];
  assert_int_equal(log.count, expected);
  for (int i = 0; i < log.count; i++) {
    int n = log.seen[i];
    assert_false(gone[n]);
    assert_int_equal(log.at[i], at[n]); /* the clock stands at each timer's own time */
    if (i == 0) continue;
    int before = log.seen[i - 1];
    assert_true(at[before] < at[n] || (at[before] == at[n] && before < n));
  }
  assert_int_equal(loop_now(log.loop), 2000);
  loop_close(log.loop);
}

static void set_another(void *arg) {
  ticket *t = arg;
  note(t);
  if (t->number < 5) {
    t->number++;
    t->timer = loop_at(t->log->loop, loop_now(t->log->loop) + 10, set_another, t);
  }
}

static void a_virtual_clock_moves_only_when_told(void **state) {
  (void)state;
  fired log = {.loop = loop_open(true, 0)};
  ticket t = {&log, 1, NULL};
  t.timer = loop_at(log.loop, 10, set_another, &t);
  for (int i = 0; i < 3; i++) loop_turn(log.loop, 5);
  assert_int_equal(log.count, 0);
  assert_int_equal(loop_now(log.loop), 0);
  assert_false(loop_advance(log.loop, 9));
  assert_int_equal(loop_now(log.loop), 9);
  while (loop_advance(log.loop, 1000)) {
  }
  assert_int_equal(log.count, 5); /* also those set by timers on the way */
  assert_int_equal(log.at[4], 50);
  assert_int_equal(loop_now(log.loop), 1000);
  assert_false(loop_advance(log.loop, 500)); /* never back */
  assert_int_equal(loop_now(log.loop), 1000);
  loop_close(log.loop);
}

static void elapsed_timers_follow_real_time(void **state) {
  (void)state;
  fired log = {.loop = loop_open(true, 0)};
  ticket slow = {&log, 2, NULL}, fast = {&log, 1, NULL}, never = {&log, 3, NULL};
  int64_t begun = loop_elapsed(log.loop);
  slow.timer = loop_after(log.loop, 60, note, &slow);
  fast.timer = loop_after(log.loop, 5, note, &fast);
  never.timer = loop_after(log.loop, 20, note, &never);
  loop_cancel(log.loop, never.timer);
  while (log.count < 2) loop_turn(log.loop, 1000);
  assert_true(loop_elapsed(log.loop) - begun >= 60);
  assert_int_equal(log.seen[0], 1);
  assert_int_equal(log.seen[1], 2);
  loop_close(log.loop);
}

/* ---- posts ---- */

typedef struct poster {
  loop *loop;
  pthread_t thread;
  int number, sent;
  int *received;
} poster;

typedef struct parcel {
  poster *from;
  int order;
} parcel;

static void take(void *arg) {
  parcel *p = arg;
  assert_int_equal(p->from->received[p->from->number]++,
                   p->order); /* one thread's posts keep their order */
  free(p);
}

static void *post_many(void *arg) {
  poster *me = arg;
  for (int i = 0; i < EACH; i++) {
    parcel *p = memory_alloc(sizeof *p);
    *p = (parcel){me, i};
    loop_post(me->loop, take, p);
  }
  return NULL;
}

static void posts_of_threads_arrive_once_and_in_order(void **state) {
  (void)state;
  int received[THREADS] = {0}, all = 0;
  poster posters[THREADS];
  loop *l = loop_open(false, 0);
  for (int i = 0; i < THREADS; i++) {
    posters[i] = (poster){.loop = l, .number = i, .received = received};
    assert_int_equal(pthread_create(&posters[i].thread, NULL, post_many, &posters[i]), 0);
  }
  while (all < THREADS * EACH) {
    loop_turn(l, 1000);
    all = 0;
    for (int i = 0; i < THREADS; i++) all += received[i];
  }
  for (int i = 0; i < THREADS; i++) pthread_join(posters[i].thread, NULL);
  assert_false(loop_busy(l));
  loop_close(l);
}

/* ---- deferred work ---- */

typedef struct deferred {
  pthread_t home;
  atomic_int worked;
  int ended;
} deferred;

static void work(void *arg) {
  deferred *d = arg;
  assert_false(pthread_equal(pthread_self(), d->home));
  usleep(2000);
  atomic_fetch_add(&d->worked, 1);
}

static void then(void *arg) {
  deferred *d = arg;
  assert_true(pthread_equal(pthread_self(), d->home));
  d->ended++;
}

static void deferred_work_is_off_the_loop_and_ends_on_it(void **state) {
  (void)state;
  deferred d = {.home = pthread_self()};
  loop *l = loop_open(false, 0);
  for (int i = 0; i < 40; i++) loop_defer(l, work, then, &d);
  assert_true(loop_busy(l));
  while (loop_busy(l)) loop_turn(l, 1000);
  assert_int_equal(atomic_load(&d.worked), 40);
  assert_int_equal(d.ended, 40);
  for (int i = 0; i < 8; i++) loop_defer(l, work, then, &d);
  loop_close(l); /* waits for what is under way */
  assert_int_equal(atomic_load(&d.worked), 48);
}

/* ---- descriptors ---- */

typedef struct pipe_end {
  loop *loop;
  int reads, writes;
} pipe_end;

static void on_pipe(void *arg, int fd, bool readable, bool writable) {
  pipe_end *p = arg;
  char bytes[16];
  if (readable && read(fd, bytes, sizeof bytes) >= 0) p->reads++;
  p->writes += writable;
}

static void descriptors_are_watched_until_forgotten(void **state) {
  (void)state;
  int ends[2];
  pipe_end reader = {.loop = loop_open(false, 0)}, writer = {.loop = reader.loop};
  assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
  loop_watch(reader.loop, ends[0], true, false, on_pipe, &reader);
  loop_watch(reader.loop, ends[1], false, true, on_pipe, &writer);
  loop_turn(reader.loop, 1000);
  assert_int_equal(reader.reads, 0);
  assert_true(writer.writes > 0);
  loop_watch(reader.loop, ends[1], false, false, NULL, NULL);
  int before = writer.writes;
  assert_int_equal(write(ends[1], "x", 1), 1);
  loop_turn(reader.loop, 1000);
  assert_int_equal(reader.reads, 1);
  assert_int_equal(writer.writes, before);
  close(ends[1]);
  loop_turn(reader.loop, 1000); /* the other end hung up: readable */
  assert_true(reader.reads >= 2);
  loop_watch(reader.loop, ends[0], false, false, NULL, NULL);
  close(ends[0]);
  loop_close(reader.loop);
}

static void stop_me(void *arg) { loop_stop(arg); }

static void a_loop_runs_until_it_is_stopped(void **state) {
  (void)state;
  loop *l = loop_open(false, 0);
  for (int i = 0; i < 2; i++) { /* and may be run again */
    loop_after(l, 5, stop_me, l);
    loop_run(l);
  }
  loop_close(l);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(timers_fire_in_order),
      cmocka_unit_test(a_virtual_clock_moves_only_when_told),
      cmocka_unit_test(elapsed_timers_follow_real_time),
      cmocka_unit_test(posts_of_threads_arrive_once_and_in_order),
      cmocka_unit_test(deferred_work_is_off_the_loop_and_ends_on_it),
      cmocka_unit_test(descriptors_are_watched_until_forgotten),
      cmocka_unit_test(a_loop_runs_until_it_is_stopped),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
