/* porch.c -- see porch.h. Bytes are looked at, never taken: whoever serves the connection reads
 * them from the beginning.
 *
 * A guest is told of once for each arrival (edge-triggered), so that half a head wakes nobody
 * again. What CivetWeb refuses at sight (bytes that no head has, 16 KB without an end) is ready.
 *
 * It must not call poll: that is doze.c, and doze.c is us.
 *
 * SPDX-License-Identifier: MIT */
#include "serve/porch.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"

enum { HEAD = 16384, STOP = -1, LISTENER = -2, SHORT_MS = 50 };

typedef struct guest {
  int fd, listener; /* fd -1: a free place */
  int64_t since;
} guest;

struct porch {
  int stop, epoll;
  atomic_int room, inside;
  atomic_llong held;
  bool listening;
  guest ready; /* fd -1: none */
  size_t most; /* guests: a quarter of the descriptors at most, others need theirs */
  int64_t due; /* when somebody may have waited too long */
  guest guests[PORCH_GUESTS];
  char head[HEAD];
};

/* ---- who is inside ---- */

void porch_stop(porch *p) { eventfd_write(p->stop, 1); }
int porch_stopped(porch *p) { return p->stop; }
void porch_hurry(porch *p) { atomic_store(&p->room, -1); }
bool porch_crowded(porch *p) {
  return atomic_load(&p->inside) > atomic_load(&p->room) || atomic_load(&p->held) > PORCH_HELD;
}
bool porch_hold(porch *p, int64_t bytes) {
  bool fine = bytes <= 0 || atomic_load(&p->held) + bytes <= PORCH_MOST;
  if (fine) atomic_fetch_add(&p->held, bytes);
  return fine;
}
void porch_left(porch *p) { atomic_fetch_sub(&p->inside, 1); }

/* ---- what is watched ---- */

static int watch(porch *p, int fd, uint32_t events, int32_t what, int listener) {
  uint64_t data = (uint64_t)(uint32_t)what << 32 | (uint32_t)listener;
  struct epoll_event event = {.events = events, .data.u64 = data};
  return epoll_ctl(p->epoll, EPOLL_CTL_ADD, fd, &event);
}

static void unwatch(porch *p, guest *g) {
  epoll_ctl(p->epoll, EPOLL_CTL_DEL, g->fd, NULL);
  g->fd = -1;
}

static size_t count_places(void) {
  struct rlimit limit = {0};
  if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur / 4 >= PORCH_GUESTS)
    return PORCH_GUESTS;
  return limit.rlim_cur >= 4 ? limit.rlim_cur / 4 : 1;
}

porch *porch_open(int room) {
  porch *p = memory_alloc(sizeof *p);
  memset(p, 0, sizeof *p);
  p->stop = eventfd(0, EFD_CLOEXEC);
  p->epoll = epoll_create1(EPOLL_CLOEXEC);
  p->room = room;
  p->most = count_places();
  p->due = INT64_MAX;
  p->ready.fd = -1;
  for (size_t i = 0; i < PORCH_GUESTS; i++) p->guests[i].fd = -1;
  if (p->stop >= 0 && p->epoll >= 0 && watch(p, p->stop, EPOLLIN, STOP, 0) == 0) return p;
  porch_close(p);
  return NULL;
}

void porch_close(porch *p) {
  if (!p) return;
  for (size_t i = 0; i < PORCH_GUESTS; i++)
    if (p->guests[i].fd >= 0) close(p->guests[i].fd);
  if (p->ready.fd >= 0) close(p->ready.fd);
  if (p->epoll >= 0) close(p->epoll);
  if (p->stop >= 0) close(p->stop);
  free(p);
}

/* ---- guests ---- */

typedef enum head_state { HEAD_WAITS, HEAD_WHOLE, HEAD_GONE } head_state;

static bool is_strange(char c) {
  return ((unsigned char)c < 32 && c != '\r' && c != '\n') || c == 127;
}

static head_state look_at(porch *p, int fd, bool ended) {
  ssize_t n = recv(fd, p->head, HEAD, MSG_PEEK | MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return HEAD_WAITS;
  if (n <= 0) return HEAD_GONE;
  size_t size = (size_t)n;
  if (size == HEAD || memmem(p->head, size, "\r\n\r\n", 4) || memmem(p->head, size, "\n\n", 2))
    return HEAD_WHOLE;
  for (size_t i = 0; i < size; i++)
    if (is_strange(p->head[i])) return HEAD_WHOLE;
  return ended ? HEAD_GONE : HEAD_WAITS;
}

static void send_away(porch *p, guest *g) {
  int fd = g->fd;
  unwatch(p, g);
  close(fd);
}

/* Whoever came first, or NULL where nobody waits. */
static guest *find_oldest(porch *p) {
  guest *oldest = NULL;
  for (size_t i = 0; i < PORCH_GUESTS; i++) {
    guest *g = &p->guests[i];
    if (g->fd >= 0 && (!oldest || g->since < oldest->since)) oldest = g;
  }
  return oldest;
}

static void send_away_late(porch *p, int64_t now) {
  guest *g = find_oldest(p);
  while (g && now - g->since >= PORCH_HEAD_MS) {
    send_away(p, g);
    g = find_oldest(p);
  }
  p->due = g ? g->since + PORCH_HEAD_MS : INT64_MAX;
}

static guest *find_place(porch *p) {
  for (size_t i = 0; i < p->most; i++)
    if (p->guests[i].fd < 0) return &p->guests[i];
  guest *oldest = find_oldest(p);
  send_away(p, oldest);
  return oldest;
}

static void let_wait(porch *p, int fd, int listener, int64_t now) {
  guest *g = find_place(p);
  *g = (guest){fd, listener, now};
  if (p->due == INT64_MAX) p->due = now + PORCH_HEAD_MS;
  if (watch(p, fd, EPOLLIN | EPOLLRDHUP | EPOLLET, (int32_t)(g - p->guests), 0) < 0)
    send_away(p, g);
}

/* No descriptor is left: somebody who waits gives up his own, or all wait for one. */
static void find_descriptor(porch *p) {
  guest *oldest = find_oldest(p);
  struct pollfd stop = {.fd = p->stop, .events = POLLIN};
  struct timespec limit = {0, SHORT_MS * 1000000L};
  if (oldest)
    send_away(p, oldest);
  else
    ppoll(&stop, 1, &limit, NULL);
}

static void welcome(porch *p, int listener, int64_t now) {
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
  if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM))
    find_descriptor(p);
  if (fd < 0) return;
  head_state state = look_at(p, fd, false);
  if (state == HEAD_WHOLE)
    p->ready = (guest){fd, listener, now};
  else if (state == HEAD_WAITS)
    let_wait(p, fd, listener, now);
  else
    close(fd);
}

static void look_again(porch *p, guest *g, bool ended) {
  head_state state = g->fd >= 0 ? look_at(p, g->fd, ended) : HEAD_WAITS;
  if (state == HEAD_GONE) send_away(p, g);
  if (state != HEAD_WHOLE) return;
  p->ready = *g;
  unwatch(p, g);
}

/* ---- as poll and accept ---- */

static int patience(const porch *p, int64_t now) {
  if (p->due == INT64_MAX) return -1;
  return p->due > now ? (int)(p->due - now) : 0;
}

/* Until one is ready: 1; 0: stopped; -1 as epoll_wait. */
static int wait_for_one(porch *p) {
  while (p->ready.fd < 0) {
    struct epoll_event event;
    int64_t now = clock_monotonic_ms();
    if (now >= p->due) send_away_late(p, now);
    int n = epoll_wait(p->epoll, &event, 1, patience(p, now));
    if (n < 0) return -1;
    int32_t what = (int32_t)(event.data.u64 >> 32);
    if (n == 0) continue;
    if (what == STOP) return 0;
    if (what == LISTENER)
      welcome(p, (int)(uint32_t)event.data.u64, clock_monotonic_ms());
    else
      look_again(p, &p->guests[what], event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR));
  }
  return 1;
}

int porch_wait(porch *p, struct pollfd *listeners, nfds_t count) {
  for (nfds_t i = 0; i < count; i++) {
    listeners[i].revents = 0;
    if (!p->listening && watch(p, listeners[i].fd, EPOLLIN, LISTENER, listeners[i].fd) < 0)
      return -1;
  }
  p->listening = true;
  int rc = wait_for_one(p);
  for (nfds_t i = 0; rc > 0 && i < count; i++)
    if (listeners[i].fd == p->ready.listener) listeners[i].revents = POLLIN;
  return rc;
}

int porch_take(porch *p, struct sockaddr *from, socklen_t *size) {
  int fd = p->ready.fd;
  p->ready.fd = -1;
  if (fd < 0) return errno = EAGAIN, -1;
  if (getpeername(fd, from, size) < 0) return close(fd), errno = ECONNABORTED, -1;
  atomic_fetch_add(&p->inside, 1);
  return fd;
}
