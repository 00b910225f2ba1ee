/* loop.h -- for tests: a poll loop for fetch whose clock skips what nobody has to wait for.
 *
 * While a descriptor is watched, time is real; when only the timer is left, the clock jumps to it.
 * So half a minute of retries passes in no time, and waits can be measured to the millisecond.
 *
 * SPDX-License-Identifier: MIT */
#ifndef TEST_NET_LOOP_H
#define TEST_NET_LOOP_H

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "net/agenda.h"

#define UNUSED __attribute__((unused))

typedef struct loop {
  struct pollfd fds[256];
  int count;
  int64_t skipped, due; /* due -1: never */
  double chance;
  fetch *fetch;
  bool stuck; /* for tests in which time must pass although a descriptor is watched */
} loop;

static inline int64_t loop_real(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static inline int64_t loop_now(void *arg) { return loop_real() + ((loop *)arg)->skipped; }
static inline double loop_chance(void *arg) { return ((loop *)arg)->chance; }

static inline void loop_watch(void *arg, int fd, bool in, bool out) {
  loop *l = arg;
  int i = 0;
  while (i < l->count && l->fds[i].fd != fd) i++;
  if (!in && !out) {
    if (i < l->count) l->fds[i] = l->fds[--l->count];
    return;
  }
  assert_true(i < 256);
  if (i == l->count) l->count++;
  l->fds[i] = (struct pollfd){.fd = fd, .events = (short)((in ? POLLIN : 0) | (out ? POLLOUT : 0))};
}

static inline void loop_wake(void *arg, int64_t in_ms) {
  loop *l = arg;
  l->due = in_ms < 0 ? -1 : loop_now(l) + in_ms;
}

static inline void loop_open(loop *l) {
  fetch_loop mine = {l, loop_watch, loop_wake, loop_now, loop_chance};
  *l = (loop){.due = -1, .chance = 0.5};
  l->fetch = fetch_open(&mine);
}

static inline void loop_close(loop *l) {
  fetch_close(l->fetch);
  assert_int_equal(l->count, 0); /* no descriptor is left behind */
}

/* Kept connections are watched between requests too; time may pass then. */
static inline bool loop_runs(const loop *l) {
  const task *t = l->fetch->tasks.first;
  while (t && t->state != TASK_RUNNING) t = t->next;
  return t != NULL;
}

static inline void loop_turn(loop *l) {
  int64_t wait = l->due < 0 ? 100 : l->due - loop_now(l);
  if (wait > 0 && l->due >= 0 && (!loop_runs(l) || l->stuck)) l->skipped += wait, wait = 0;
  if (wait > 20) wait = 20;
  struct pollfd ready[256];
  int count = l->count;
  memcpy(ready, l->fds, (size_t)count * sizeof *ready);
  poll(ready, (nfds_t)count, wait > 0 ? (int)wait : 0);
  for (int i = 0; i < count; i++) {
    if (!ready[i].revents) continue;
    bool in = ready[i].revents & (POLLIN | POLLERR | POLLHUP), out = ready[i].revents & POLLOUT;
    fetch_ready(l->fetch, ready[i].fd, in, out);
  }
  if (l->due >= 0 && l->due <= loop_now(l)) {
    l->due = -1;
    fetch_tick(l->fetch);
  }
}

/* Until *count reaches `wanted`; a test that hangs fails after 20 s of real time. */
static inline void loop_until(loop *l, const int *count, int wanted) {
  int64_t end = loop_real() + 20000;
  while (*count < wanted) {
    loop_turn(l);
    if (loop_real() > end) fail_msg("%d of %d requests ended in 20 s", *count, wanted);
  }
}

/* What `done` said, kept. */
typedef struct answer {
  int calls, *count;
  int status, tries, fd;
  int64_t size;
  char *url;
  buffer body;
  arena arena;
  value headers;
  fetch_try tried[8];
  dts_error error;
} answer;

static inline void answer_done(void *arg, fetch_reply *r, const dts_error *e) {
  answer *a = arg;
  a->calls++;
  if (a->count) (*a->count)++;
  assert_non_null(r);
  a->status = r->status;
  a->tries = r->tries;
  memcpy(a->tried, r->tried, sizeof a->tried);
  a->url = arena_text(&a->arena, r->url);
  if (e) a->error = *e;
  if (e) return;
  a->headers = value_copy(&a->arena, &r->headers);
  a->body = r->body;
  a->fd = r->body_fd;
  a->size = r->body_size;
  memset(&r->body, 0, sizeof r->body);
  r->body_fd = -1;
}

static inline void answer_free(answer *a) {
  fetch_reply r = {.body = a->body, .body_fd = a->fd ? a->fd : -1};
  fetch_reply_free(&r);
  arena_free(&a->arena);
  *a = (answer){0};
}

static UNUSED void loop_fetch(loop *l, const fetch_request *r, answer *a) {
  *a = (answer){0};
  fetch_start(l->fetch, r, answer_done, a);
  assert_int_equal(a->calls, 0); /* never from inside fetch_start */
  loop_until(l, &a->calls, 1);
}

#endif
