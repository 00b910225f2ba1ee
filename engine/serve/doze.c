/* doze.c -- see doze.h. This file defines poll for the whole program.
 *
 * CivetWeb 1.15 has its quantum of two seconds compiled in (SOCKET_TIMEOUT_QUANTUM) and takes
 * neither a listening socket nor a wait of ours. But it calls the C library's poll through the
 * dynamic linker, which looks into the program first: a poll that is defined here, and exported
 * because a library that is linked asks for that name, is the one that CivetWeb finds. For a
 * thread that did not call doze_until it is what POSIX says of poll, by way of ppoll(2); libcurl
 * and all others see no difference. With a CivetWeb that waits otherwise we are where we were:
 * everything works, and idle.test.mjs fails.
 *
 * It must not call poll, nor anything that does.
 *
 * SPDX-License-Identifier: MIT */
#undef _FORTIFY_SOURCE /* with it poll.h has a poll of its own, inline */
#include "serve/doze.h"

#include <poll.h>
#include <stddef.h>
#include <time.h>

enum { ROOM = 8 }; /* descriptors of one wait of CivetWeb: one, or as many as it listens on */

static _Thread_local struct {
  int stop;
  bool dozing, endless;
} here;

void doze_until(int stop, bool endless) {
  here.stop = stop;
  here.dozing = true;
  here.endless = endless;
}

static int wait_plainly(struct pollfd *all, nfds_t count, int ms) {
  struct timespec limit = {ms / 1000, ms % 1000 * 1000000L};
  return ppoll(all, count, ms < 0 ? NULL : &limit, NULL);
}

/* That it shall stop is told as "time is over": CivetWeb then looks at its own flag. */
static int wait_dozing(struct pollfd *all, nfds_t count, int ms) {
  struct pollfd more[ROOM + 1];
  for (nfds_t i = 0; i < count; i++) more[i] = all[i];
  more[count] = (struct pollfd){.fd = here.stop, .events = POLLIN};
  int ready = wait_plainly(more, count + 1, here.endless ? -1 : ms);
  if (ready < 0) return ready;
  for (nfds_t i = 0; i < count; i++) all[i].revents = more[i].revents;
  return ready - (more[count].revents != 0);
}

int poll(struct pollfd *all, nfds_t count, int ms) {
  bool dozing = here.dozing && ms > 0 && count <= ROOM;
  return dozing ? wait_dozing(all, count, ms) : wait_plainly(all, count, ms);
}
