/* doze.h -- the threads of CivetWeb sleep until there is something to do, and wait for nobody who
 * hardly moves while others want to be served.
 *
 * One idea: they wait by poll alone, and who connects comes in by accept; both are ours (doze.c
 * says how). So the accepting thread may sleep until a whole head is there (porch.h), all of them
 * may be told at once to stop, and a wait for a slow peer may be ended.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SERVE_DOZE_H
#define DTS_SERVE_DOZE_H

#include <stdbool.h>
#include <stddef.h>

#include "serve/porch.h"

/* While it is crowded: how long a next request may wait for its head, how long a connection keeps
 * its thread from request to request, and what a body or an answer moves at least. */
enum { DOZE_HEAD_MS = 20, DOZE_TURN_MS = 250, DOZE_BYTES_MS = 32 };

/* This thread accepts, or serves, from now on. Its waits by poll end, as if their time were over,
 * once the porch is stopped. The porch outlives it. NULL: as any
 * other thread again. */
void doze_accepting(porch *p);
void doze_serving(porch *p);

void doze_connection(void); /* a connection begins */
void doze_request(bool on); /* its head is read; its answer is written, and the next may come */
/* So many bytes more of a body in memory, until the request is over. False: too many are there. */
bool doze_hold(size_t bytes);
bool doze_turn_is_over(void); /* others wait, and this connection had its turn */

#endif
