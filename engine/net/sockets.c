/* sockets.c -- see sockets.h.
 *
 * SPDX-License-Identifier: MIT */
#include "net/sockets.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"

enum { OPENED = 1, WATCHED = 2, IDLE = 4 }; /* WATCHED: for reading alone */

static unsigned char *find(sockets *s, int fd) {
  size_t at = (size_t)fd;
  return fd >= 0 && at < s->count ? &s->states[at] : NULL;
}

void sockets_opened(sockets *s, int fd) {
  if (fd < 0) return;
  if ((size_t)fd >= s->count) {
    size_t count = (size_t)fd * 2 + 64;
    unsigned char *grown = memory_alloc(count);
    memset(grown, 0, count);
    if (s->count) memcpy(grown, s->states, s->count);
    free(s->states);
    *s = (sockets){grown, count};
  }
  s->states[fd] = OPENED;
}

void sockets_want(sockets *s, const fetch_loop *loop, int fd, int what) {
  unsigned char *state = find(s, fd);
  bool in = what == CURL_POLL_IN || what == CURL_POLL_INOUT;
  bool out = what == CURL_POLL_OUT || what == CURL_POLL_INOUT;
  bool kept = state && (*state & WATCHED);
  if (kept && what == CURL_POLL_REMOVE) {
    *state |= IDLE;
    return;
  }
  if (state && *state) *state = (unsigned char)(OPENED | (in && !out ? WATCHED : 0));
  if (!kept || out) loop->watch(loop->arg, fd, in, out);
}

bool sockets_ready(sockets *s, const fetch_loop *loop, int fd) {
  unsigned char *state = find(s, fd);
  if (!state || !(*state & IDLE)) return true;
  *state = OPENED;
  loop->watch(loop->arg, fd, false, false);
  return false;
}

void sockets_close(sockets *s, const fetch_loop *loop, int fd) {
  unsigned char *state = find(s, fd);
  if (state && (*state & WATCHED)) loop->watch(loop->arg, fd, false, false);
  if (state) *state = 0;
  close(fd);
}

void sockets_free(sockets *s) {
  free(s->states);
  *s = (sockets){0};
}
