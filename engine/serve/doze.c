/* doze.c -- see doze.h. This file defines poll and accept for the whole program.
 *
 * CivetWeb 1.15 has its quantum of two seconds compiled in (SOCKET_TIMEOUT_QUANTUM) and takes
 * neither a connected socket nor a wait of ours. But it calls the C library's poll and accept
 * through the dynamic linker, which looks into the program first: what is defined here, and
 * exported because a library that is linked asks for that name, is what CivetWeb finds. For a
 * thread that neither accepts nor serves they are what POSIX says, by way of ppoll(2) and
 * accept4(2); libcurl and all others see no difference. With a CivetWeb that waits otherwise we are
 * where we were: everything works, and idle.test.mjs and slow.test.mjs fail.
 *
 * A wait is ended by shutting the socket down: whoever reads sees its end, whoever writes fails,
 * and both are ways that CivetWeb and the handlers know.
 *
 * It must not call poll or accept, nor anything that does.
 *
 * SPDX-License-Identifier: MIT */
#undef _FORTIFY_SOURCE /* with it poll.h has a poll of its own, inline */
#include "serve/doze.h"

#include <linux/tcp.h>
#include <netinet/in.h>
#include <time.h>

#include "base/clock.h"

enum { ROOM = 8, SLICE_MS = 100, LOOK_MS = 300 };

static _Thread_local struct {
  porch *porch;
  bool accepting, serving, request;
  int64_t began;   /* of the connection */
  int64_t since;   /* of the wait for a head; of a look at what a request moves, 0: none yet */
  uint64_t before; /* bytes it had moved then */
  int64_t held;
} here;

void doze_accepting(porch *p) {
  here.porch = p;
  here.accepting = true;
}

void doze_serving(porch *p) {
  here.porch = p;
  here.serving = p;
}

void doze_connection(void) {
  here.began = here.since = clock_monotonic_ms();
  here.request = false;
}

void doze_request(bool on) {
  here.request = on;
  here.since = on ? 0 : clock_monotonic_ms();
  if (here.held) porch_hold(here.porch, -here.held);
  here.held = 0;
}

bool doze_hold(size_t bytes) {
  if (!here.serving) return true;
  bool fine = porch_hold(here.porch, (int64_t)bytes);
  if (fine) here.held += (int64_t)bytes;
  return fine;
}

bool doze_turn_is_over(void) {
  return here.serving && porch_crowded(here.porch) &&
         clock_monotonic_ms() - here.began >= DOZE_TURN_MS;
}

/* ---- patience ---- */

static uint64_t moved(int fd) {
  struct tcp_info info = {0};
  socklen_t size = sizeof info;
  if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &size) < 0) return 0;
  return info.tcpi_bytes_received + info.tcpi_bytes_acked;
}

/* Looks at what it moves in a third of a second, again and again. */
static bool hardly_moves(int fd, int64_t now) {
  uint64_t bytes = moved(fd);
  if (here.since && now - here.since < LOOK_MS) return false;
  bool slow = here.since && bytes - here.before < (uint64_t)(now - here.since) * DOZE_BYTES_MS;
  here.since = now;
  here.before = bytes;
  return slow;
}

static void give_up_if_slow(const struct pollfd *one) {
  if (!porch_crowded(here.porch)) return;
  int64_t now = clock_monotonic_ms();
  bool slow = here.request ? hardly_moves(one->fd, now) : now - here.since >= DOZE_HEAD_MS;
  if (slow) shutdown(one->fd, one->events & POLLOUT ? SHUT_RDWR : SHUT_RD);
}

/* ---- poll ---- */

static int wait_plainly(struct pollfd *all, nfds_t count, int ms) {
  struct timespec limit = {ms / 1000, ms % 1000 * 1000000L};
  return ppoll(all, count, ms < 0 ? NULL : &limit, NULL);
}

/* That it shall stop is told as "time is over": CivetWeb then looks at its own flag. */
static int wait_serving(struct pollfd *all, nfds_t count, int ms) {
  struct pollfd more[ROOM + 1];
  int ready = 0;
  for (nfds_t i = 0; i < count; i++) more[i] = all[i];
  more[count] = (struct pollfd){.fd = porch_stopped(here.porch), .events = POLLIN};
  for (int left = ms, slice = 0; left > 0 && !ready; left -= slice) {
    give_up_if_slow(all);
    bool brief = !here.request && porch_crowded(here.porch);
    slice = brief ? DOZE_HEAD_MS : SLICE_MS;
    if (slice > left) slice = left;
    ready = wait_plainly(more, count + 1, slice);
  }
  if (ready < 0) return ready;
  for (nfds_t i = 0; i < count; i++) all[i].revents = more[i].revents;
  return ready - (more[count].revents != 0);
}

int poll(struct pollfd *all, nfds_t count, int ms) {
  if (here.accepting && ms > 0) return porch_wait(here.porch, all, count);
  if (here.serving && ms > 0 && count <= ROOM && count) return wait_serving(all, count, ms);
  return wait_plainly(all, count, ms);
}

/* ---- accept ---- */

int accept(int listener, struct sockaddr *from, socklen_t *size) {
  if (here.accepting) return porch_take(here.porch, from, size);
  return accept4(listener, from, size, 0);
}
