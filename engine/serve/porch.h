/* porch.h -- where connections wait until the head of their first request is there.
 *
 * One idea: a thread is given to those alone who have said what they want. Whoever connects and
 * says nothing, or says it a byte at a time, costs a descriptor here for ten seconds and no thread;
 * of too many, those who wait longest are sent away. So any number of half-open connections keeps
 * nobody else waiting.
 *
 * It also counts who is inside: more than there are threads is a crowd, or much memory held, and
 * doze.h says what then happens to those who hardly move.
 *
 * Ownership: a porch owns the connections that wait; one that was taken is the taker's.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SERVE_PORCH_H
#define DTS_SERVE_PORCH_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

enum {
  PORCH_GUESTS = 256,
  PORCH_HEAD_MS = 10000,
  PORCH_HELD = 128 << 20, /* bytes that are a crowd */
  PORCH_MOST = 512 << 20  /* and as many as there may be */
};

typedef struct porch porch;

porch *porch_open(int room); /* so many are served at once; NULL: no descriptors */
void porch_close(porch *p);
void porch_stop(porch *p);    /* all waits end, from now on */
int porch_stopped(porch *p);  /* can be read once it is stopped */
void porch_hurry(porch *p);   /* from now on it is crowded, however few are inside */
bool porch_crowded(porch *p); /* any thread */
/* Bodies in memory that a peer gives or takes: many of them are a crowd as well. False: no more. */
bool porch_hold(porch *p, int64_t bytes);
void porch_left(porch *p); /* one that was taken is closed */

/* As poll without a limit of time and accept, of one thread: ready is a listener one of whose
 * connections has a whole head. 0: stopped. The listeners are the same each time. */
int porch_wait(porch *p, struct pollfd *listeners, nfds_t count);
int porch_take(porch *p, struct sockaddr *from, socklen_t *size);

#endif
