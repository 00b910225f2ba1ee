/* The program's own poll: what POSIX says for every thread, and a sleep until told to stop for those
 * that asked for it.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "serve/doze.h"

enum { LONG_MS = 20000, SHORT_MS = 50 };

typedef struct sleeper {
  int stop, other; /* eventfds */
  bool endless;
  int ms;
  int ready; /* what poll answered */
  short revents;
  int64_t took;
} sleeper;

static void *sleep_once(void *arg) {
  sleeper *s = arg;
  struct pollfd one = {.fd = s->other, .events = POLLIN};
  int64_t began = clock_monotonic_ms();
  if (s->stop >= 0) doze_until(s->stop, s->endless);
  s->ready = poll(&one, 1, s->ms);
  s->revents = one.revents;
  s->took = clock_monotonic_ms() - began;
  return NULL;
}

/* `told` can be read after some time; -1: nothing ever can. */
static void sleep_and_tell(sleeper *s, int told) {
  pthread_t thread;
  assert_int_equal(0, pthread_create(&thread, NULL, sleep_once, s));
  usleep(4 * SHORT_MS * 1000);
  if (told >= 0) eventfd_write(told, 1);
  pthread_join(thread, NULL);
}

static sleeper new_sleeper(bool endless, int ms) {
  return (sleeper){.stop = eventfd(0, 0), .other = eventfd(0, 0), .endless = endless, .ms = ms};
}

static void free_sleeper(sleeper *s) {
  close(s->stop);
  close(s->other);
}

static void an_endless_thread_sleeps_past_its_time(void **state) {
  sleeper s = new_sleeper(true, SHORT_MS);
  (void)state;
  sleep_and_tell(&s, s.other);
  assert_int_equal(1, s.ready);
  assert_int_equal(POLLIN, s.revents);
  assert_true(s.took >= 3 * SHORT_MS);
  free_sleeper(&s);
}

static void what_stops_is_told_as_time_over(void **state) {
  (void)state;
  for (int endless = 0; endless < 2; endless++) {
    sleeper s = new_sleeper(endless, LONG_MS);
    sleep_and_tell(&s, s.stop);
    assert_int_equal(0, s.ready);
    assert_int_equal(0, s.revents);
    assert_true(s.took < LONG_MS / 2);
    free_sleeper(&s);
  }
}

static void what_is_ready_counts_even_while_stopping(void **state) {
  sleeper s = new_sleeper(true, LONG_MS);
  (void)state;
  eventfd_write(s.stop, 1);
  eventfd_write(s.other, 1);
  sleep_and_tell(&s, -1);
  assert_int_equal(1, s.ready);
  assert_int_equal(POLLIN, s.revents);
  free_sleeper(&s);
}

static void a_thread_that_is_not_endless_keeps_its_time(void **state) {
  sleeper s = new_sleeper(false, SHORT_MS);
  (void)state;
  sleep_and_tell(&s, -1);
  assert_int_equal(0, s.ready);
  assert_true(s.took >= SHORT_MS - 1);
  free_sleeper(&s);
}

static void a_glance_never_sleeps(void **state) {
  sleeper s = new_sleeper(true, 0);
  (void)state;
  sleep_and_tell(&s, -1);
  assert_int_equal(0, s.ready);
  assert_true(s.took < LONG_MS / 2);
  free_sleeper(&s);
}

static void other_threads_have_the_poll_of_posix(void **state) {
  int fd = eventfd(1, 0), closed = dup(fd);
  (void)state;
  close(closed);
  struct pollfd all[] = {{.fd = fd, .events = POLLIN | POLLOUT},
                         {.fd = closed, .events = POLLIN},
                         {.fd = -1, .events = POLLIN, .revents = POLLIN}};
  assert_int_equal(2, poll(all, 3, -1));
  assert_int_equal(POLLIN | POLLOUT, all[0].revents);
  assert_int_equal(POLLNVAL, all[1].revents);
  assert_int_equal(0, all[2].revents);
  int64_t began = clock_monotonic_ms();
  assert_int_equal(0, poll(NULL, 0, SHORT_MS));
  assert_true(clock_monotonic_ms() - began >= SHORT_MS - 1);
  close(fd);
}

static void nothing(int signal) { (void)signal; }

static void a_signal_ends_a_wait(void **state) {
  struct sigaction action = {.sa_handler = nothing, .sa_flags = SA_RESTART}, before;
  struct itimerval soon = {.it_value.tv_usec = SHORT_MS * 1000};
  (void)state;
  sigaction(SIGALRM, &action, &before);
  setitimer(ITIMER_REAL, &soon, NULL);
  errno = 0;
  assert_int_equal(-1, poll(NULL, 0, LONG_MS));
  assert_int_equal(EINTR, errno);
  sigaction(SIGALRM, &before, NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_endless_thread_sleeps_past_its_time),
      cmocka_unit_test(what_stops_is_told_as_time_over),
      cmocka_unit_test(what_is_ready_counts_even_while_stopping),
      cmocka_unit_test(a_thread_that_is_not_endless_keeps_its_time),
      cmocka_unit_test(a_glance_never_sleeps),
      cmocka_unit_test(other_threads_have_the_poll_of_posix),
      cmocka_unit_test(a_signal_ends_a_wait),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
