/* The program's own poll: what POSIX says for every thread, and for those that serve a wait that ends
 * when told to stop, or when the peer hardly moves and others wait.
 *
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "serve/doze.h"

enum { LONG_MS = 20000, SHORT_MS = 50 };

typedef struct sleeper {
  porch *porch; /* NULL: a thread like any other */
  int fd;
  short events;
  bool request; /* one is under way */
  int ms;
  int ready; /* what poll answered */
  short revents;
  int64_t took;
} sleeper;

static void *sleep_once(void *arg) {
  sleeper *s = arg;
  struct pollfd one = {.fd = s->fd, .events = s->events};
  int64_t began = clock_monotonic_ms();
  doze_serving(s->porch);
  doze_connection();
  if (s->request) doze_request(true);
  s->ready = poll(&one, 1, s->ms);
  s->revents = one.revents;
  s->took = clock_monotonic_ms() - began;
  return NULL;
}

typedef struct pairing {
  porch *porch;
  int ours, theirs; /* the two ends of a connection */
} pairing;

/* Both ends of a connection of TCP: what it moves can be asked. */
static pairing new_pairing(int room) {
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof at;
  pairing p = {.porch = porch_open(room), .theirs = socket(AF_INET, SOCK_STREAM, 0)};
  int listener = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(0, bind(listener, (struct sockaddr *)&at, sizeof at));
  assert_int_equal(0, listen(listener, 1));
  assert_int_equal(0, getsockname(listener, (struct sockaddr *)&at, &size));
  assert_int_equal(0, connect(p.theirs, (struct sockaddr *)&at, sizeof at));
  p.ours = accept(listener, NULL, NULL);
  assert_true(p.ours >= 0 && p.porch);
  close(listener);
  return p;
}

static void free_pairing(pairing *p) {
  close(p->ours);
  close(p->theirs);
  porch_close(p->porch);
}

static sleeper sleep_in_a_thread(sleeper s, porch *stopped) {
  pthread_t thread;
  assert_int_equal(0, pthread_create(&thread, NULL, sleep_once, &s));
  usleep(4 * SHORT_MS * 1000);
  if (stopped) porch_stop(stopped);
  pthread_join(thread, NULL);
  return s;
}

static void what_stops_is_told_as_time_over(void **state) {
  pairing p = new_pairing(64);
  sleeper s = {.porch = p.porch, .fd = p.ours, .events = POLLIN, .ms = LONG_MS};
  (void)state;
  s = sleep_in_a_thread(s, p.porch);
  assert_int_equal(0, s.ready);
  assert_int_equal(0, s.revents);
  assert_true(s.took < LONG_MS / 2);
  free_pairing(&p);
}

static void what_is_ready_counts_even_while_stopping(void **state) {
  pairing p = new_pairing(64);
  sleeper s = {.porch = p.porch, .fd = p.ours, .events = POLLIN, .ms = LONG_MS};
  (void)state;
  porch_stop(p.porch);
  assert_int_equal(1, send(p.theirs, "x", 1, 0));
  s = sleep_in_a_thread(s, NULL);
  assert_int_equal(1, s.ready);
  assert_int_equal(POLLIN, s.revents);
  free_pairing(&p);
}

static void a_thread_that_serves_keeps_its_time(void **state) {
  (void)state;
  for (int request = 0; request < 2; request++) {
    pairing p = new_pairing(64);
    sleeper s = {p.porch, p.ours, POLLIN, request, 5 * SHORT_MS, 0, 0, 0};
    s = sleep_in_a_thread(s, NULL);
    assert_int_equal(0, s.ready);
    assert_true(s.took >= 5 * SHORT_MS - 1);
    free_pairing(&p);
  }
}

static void in_a_crowd_nobody_waits_for_the_next_head(void **state) {
  pairing p = new_pairing(64);
  sleeper s = {.porch = p.porch, .fd = p.ours, .events = POLLIN, .ms = LONG_MS};
  char c;
  (void)state;
  porch_hurry(p.porch);
  s = sleep_in_a_thread(s, NULL);
  assert_int_equal(1, s.ready);
  assert_true(s.took < 10 * DOZE_HEAD_MS);
  assert_int_equal(0, recv(p.ours, &c, 1, 0)); /* it looks as if the peer had ended */
  free_pairing(&p);
}

static void in_a_crowd_a_body_must_move(void **state) {
  pairing p = new_pairing(64);
  sleeper s = {p.porch, p.ours, POLLIN, true, LONG_MS, 0, 0, 0};
  char c;
  (void)state;
  porch_hurry(p.porch);
  s = sleep_in_a_thread(s, NULL);
  assert_int_equal(1, s.ready);
  assert_true(s.took >= 2 * SHORT_MS && s.took < LONG_MS / 4);
  assert_int_equal(0, recv(p.ours, &c, 1, 0));
  assert_int_equal(1, send(p.ours, "x", 1, 0)); /* and can still be told why */
  free_pairing(&p);
}

static void in_a_crowd_an_answer_must_be_read(void **state) {
  pairing p = new_pairing(64);
  sleeper s = {p.porch, p.ours, POLLOUT, true, LONG_MS, 0, 0, 0};
  char bytes[4096] = {0};
  (void)state;
  while (send(p.ours, bytes, sizeof bytes, MSG_DONTWAIT) > 0) continue;
  porch_hurry(p.porch);
  s = sleep_in_a_thread(s, NULL);
  assert_true(s.took < LONG_MS / 4);
  assert_int_equal(-1, send(p.ours, bytes, sizeof bytes, MSG_NOSIGNAL));
  free_pairing(&p);
}

typedef struct flow {
  int fd;
  atomic_bool over;
} flow;

static void *pour(void *arg) {
  flow *f = arg;
  char bytes[8192] = {0};
  while (!atomic_load(&f->over)) {
    send(f->fd, bytes, sizeof bytes, MSG_DONTWAIT | MSG_NOSIGNAL);
    usleep(20 * 1000);
  }
  return NULL;
}

static void a_body_that_moves_is_waited_for_in_a_crowd(void **state) {
  pairing p = new_pairing(64);
  flow f = {.fd = p.theirs};
  pthread_t thread;
  char bytes[65536];
  int64_t until = clock_monotonic_ms() + 1500, taken = 0;
  (void)state;
  porch_hurry(p.porch);
  pthread_create(&thread, NULL, pour, &f);
  doze_serving(p.porch);
  doze_request(true);
  while (clock_monotonic_ms() < until) {
    struct pollfd one = {.fd = p.ours, .events = POLLIN};
    assert_int_equal(1, poll(&one, 1, 1000));
    ssize_t n = recv(p.ours, bytes, sizeof bytes, 0);
    assert_true(n > 0);
    taken += n;
  }
  doze_request(false);
  doze_serving(NULL);
  atomic_store(&f.over, true);
  pthread_join(thread, NULL);
  assert_true(taken > 100000);
  free_pairing(&p);
}

static void a_glance_never_sleeps(void **state) {
  pairing p = new_pairing(64);
  sleeper s = {.porch = p.porch, .fd = p.ours, .events = POLLIN, .ms = 0};
  (void)state;
  s = sleep_in_a_thread(s, NULL);
  assert_int_equal(0, s.ready);
  assert_true(s.took < LONG_MS / 2);
  free_pairing(&p);
}

static void bodies_in_memory_are_a_crowd_and_have_an_end(void **state) {
  porch *p = porch_open(64);
  (void)state;
  doze_serving(p);
  doze_request(true);
  assert_true(doze_hold(PORCH_HELD));
  assert_false(porch_crowded(p));
  assert_true(doze_hold(1));
  assert_true(porch_crowded(p));
  assert_false(doze_hold(PORCH_MOST));
  doze_request(false);
  assert_false(porch_crowded(p));
  doze_serving(NULL);
  porch_close(p);
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
      cmocka_unit_test(what_stops_is_told_as_time_over),
      cmocka_unit_test(what_is_ready_counts_even_while_stopping),
      cmocka_unit_test(a_thread_that_serves_keeps_its_time),
      cmocka_unit_test(in_a_crowd_nobody_waits_for_the_next_head),
      cmocka_unit_test(in_a_crowd_a_body_must_move),
      cmocka_unit_test(in_a_crowd_an_answer_must_be_read),
      cmocka_unit_test(a_body_that_moves_is_waited_for_in_a_crowd),
      cmocka_unit_test(bodies_in_memory_are_a_crowd_and_have_an_end),
      cmocka_unit_test(a_glance_never_sleeps),
      cmocka_unit_test(other_threads_have_the_poll_of_posix),
      cmocka_unit_test(a_signal_ends_a_wait),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
