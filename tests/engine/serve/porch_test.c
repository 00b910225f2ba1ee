/* Connections wait without a thread until the head of their first request is there.
 *
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "serve/porch.h"

static const char WHOLE[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";

typedef struct house {
  porch *porch;
  int listener;
  struct sockaddr_in at;
} house;

static house new_house(void) {
  house h = {.porch = porch_open(2), .listener = socket(AF_INET, SOCK_STREAM, 0)};
  socklen_t size = sizeof h.at;
  h.at = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  assert_non_null(h.porch);
  assert_int_equal(0, bind(h.listener, (struct sockaddr *)&h.at, sizeof h.at));
  assert_int_equal(0, listen(h.listener, 1024));
  assert_int_equal(0, getsockname(h.listener, (struct sockaddr *)&h.at, &size));
  return h;
}

static void free_house(house *h) {
  porch_close(h->porch);
  close(h->listener);
}

static int come(house *h, const char *say) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  assert_int_equal(0, connect(fd, (struct sockaddr *)&h->at, sizeof h->at));
  if (*say) assert_true(send(fd, say, strlen(say), MSG_NOSIGNAL) > 0);
  return fd;
}

/* Who is served next: his port; 0 when stopped. */
static int next(house *h, int *out) {
  struct pollfd one = {.fd = h->listener, .events = POLLIN};
  struct sockaddr_in from;
  socklen_t size = sizeof from;
  int rc = porch_wait(h->porch, &one, 1);
  if (rc == 0) return 0;
  assert_int_equal(1, rc);
  assert_int_equal(POLLIN, one.revents);
  *out = porch_take(h->porch, (struct sockaddr *)&from, &size);
  assert_true(*out >= 0);
  return ntohs(from.sin_port);
}

static int port_of(int fd) {
  struct sockaddr_in at;
  socklen_t size = sizeof at;
  assert_int_equal(0, getsockname(fd, (struct sockaddr *)&at, &size));
  return ntohs(at.sin_port);
}

static void serve_next(house *h, int fd, const char *first) {
  char bytes[64];
  int out;
  assert_int_equal(port_of(fd), next(h, &out));
  assert_true(recv(out, bytes, sizeof bytes, 0) >= (ssize_t)strlen(first));
  assert_memory_equal(first, bytes, strlen(first)); /* nothing of it was taken */
  close(out);
  close(fd);
  porch_left(h->porch);
}

static void who_says_all_is_served_before_who_came_first(void **state) {
  house h = new_house();
  int silent = come(&h, ""), half = come(&h, "GET / HT"), whole = come(&h, WHOLE);
  (void)state;
  serve_next(&h, whole, "GET / ");
  assert_true(send(half, "TP/1.1\r\n\r\n", 10, 0) == 10);
  serve_next(&h, half, "GET / HTTP/1.1");
  assert_true(send(silent, "\n\n", 2, 0) == 2);
  serve_next(&h, silent, "\n\n");
  free_house(&h);
}

static void what_is_no_head_is_passed_on_at_once(void **state) {
  static const char *const strange[] = {"\x16\x03\x01", "GET / \x01", "GET /\x7f"};
  house h = new_house();
  char large[16384];
  (void)state;
  for (size_t i = 0; i < sizeof strange / sizeof *strange; i++)
    serve_next(&h, come(&h, strange[i]), "");
  memset(large, 'a', sizeof large - 1);
  large[sizeof large - 1] = 0;
  int fd = come(&h, large);
  assert_int_equal(1, send(fd, "a", 1, 0));
  serve_next(&h, fd, "aaaa");
  free_house(&h);
}

/* Has it been closed by the other side? */
static bool is_over(int fd) {
  char c;
  ssize_t n = recv(fd, &c, 1, MSG_DONTWAIT);
  return n == 0 || (n < 0 && errno != EAGAIN);
}

static void of_too_many_the_oldest_goes(void **state) {
  enum { MANY = PORCH_GUESTS + 40 };
  house h = new_house();
  int fds[MANY];
  (void)state;
  for (size_t i = 0; i < MANY; i++) fds[i] = come(&h, "GET");
  serve_next(&h, come(&h, WHOLE), "GET");
  for (size_t i = 0; i < MANY; i++) {
    bool gone = i < MANY - PORCH_GUESTS;
    if (is_over(fds[i]) != gone) fail_msg("guest %zu: %d expected", i, gone);
  }
  assert_int_equal(4, send(fds[MANY - 1], "\r\n\r\n", 4, 0));
  serve_next(&h, fds[MANY - 1], "GET");
  for (size_t i = 0; i < MANY - 1; i++) close(fds[i]);
  free_house(&h);
}

static void guests_leave_descriptors_for_others(void **state) {
  struct rlimit before, few;
  assert_int_equal(0, getrlimit(RLIMIT_NOFILE, &before));
  few = before;
  few.rlim_cur = 80;
  assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &few));
  house h = new_house();
  assert_int_equal(0, setrlimit(RLIMIT_NOFILE, &before));
  int fds[30], left = 0;
  (void)state;
  for (size_t i = 0; i < 30; i++) fds[i] = come(&h, "GET");
  serve_next(&h, come(&h, WHOLE), "GET");
  for (size_t i = 0; i < 30; i++) {
    left += !is_over(fds[i]);
    close(fds[i]);
  }
  assert_int_equal(20, left);
  free_house(&h);
}

static void who_leaves_makes_room(void **state) {
  house h = new_house();
  (void)state;
  for (int i = 0; i < 3 * PORCH_GUESTS; i++) close(come(&h, i % 2 ? "GET" : ""));
  int stays = come(&h, "GET");
  serve_next(&h, come(&h, WHOLE), "GET");
  assert_false(is_over(stays));
  close(stays);
  free_house(&h);
}

static void *stop_soon(void *arg) {
  usleep(100 * 1000);
  porch_stop(arg);
  return NULL;
}

static void it_stops_though_guests_wait(void **state) {
  house h = new_house();
  pthread_t thread;
  int half = come(&h, "GET"), out;
  (void)state;
  pthread_create(&thread, NULL, stop_soon, h.porch);
  assert_int_equal(0, next(&h, &out));
  pthread_join(thread, NULL);
  close(half);
  free_house(&h);
}

static void a_head_has_ten_seconds_however_it_drips(void **state) {
  house h = new_house();
  int64_t began = clock_monotonic_ms();
  int half = come(&h, "GET"), out;
  pthread_t thread;
  (void)state;
  pthread_create(&thread, NULL, stop_soon, h.porch);
  assert_int_equal(0, next(&h, &out)); /* it is on the porch now */
  pthread_join(thread, NULL);
  assert_false(is_over(half));
  while (!is_over(half) && clock_monotonic_ms() - began < PORCH_HEAD_MS + 5000) {
    assert_int_equal(0, next(&h, &out)); /* stopped: each wait is a glance */
    send(half, "x", 1, MSG_NOSIGNAL);
    usleep(100 * 1000);
  }
  assert_true(is_over(half));
  assert_true(clock_monotonic_ms() - began >= PORCH_HEAD_MS - 1);
  close(half);
  free_house(&h);
}

static void more_than_there_is_room_for_is_a_crowd(void **state) {
  house h = new_house();
  int theirs[3], ours[3];
  (void)state;
  for (size_t i = 0; i < 3; i++) {
    assert_false(porch_crowded(h.porch));
    theirs[i] = come(&h, WHOLE);
    next(&h, &ours[i]);
  }
  assert_true(porch_crowded(h.porch));
  porch_left(h.porch);
  assert_false(porch_crowded(h.porch));
  for (size_t i = 0; i < 3; i++) close(theirs[i]), close(ours[i]);
  free_house(&h);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(who_says_all_is_served_before_who_came_first),
      cmocka_unit_test(what_is_no_head_is_passed_on_at_once),
      cmocka_unit_test(of_too_many_the_oldest_goes),
      cmocka_unit_test(guests_leave_descriptors_for_others),
      cmocka_unit_test(who_leaves_makes_room),
      cmocka_unit_test(it_stops_though_guests_wait),
      cmocka_unit_test(a_head_has_ten_seconds_however_it_drips),
      cmocka_unit_test(more_than_there_is_room_for_is_a_crowd),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
