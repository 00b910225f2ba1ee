/* sockets.h -- which of curl's sockets the loop watches, told to it as seldom as can be.
 *
 * One idea: between two requests a kept connection has nothing to say, so it stays watched for
 * reading, and the next request on it costs the loop nothing; if it does say something (mostly that
 * it was closed) it is forgotten then. That holds for sockets whose opening and closing are seen
 * here; any other is told to the loop as it comes. Private to engine/net; owned by the fetch.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_NET_SOCKETS_H
#define DTS_NET_SOCKETS_H

#include <curl/curl.h>

#include "net/fetch.h"

typedef struct sockets {
  unsigned char *states; /* by descriptor */
  size_t count;
} sockets;

void sockets_opened(sockets *s, int fd);
/* What curl wants watched: one of CURL_POLL_IN ... CURL_POLL_REMOVE. */
void sockets_want(sockets *s, const fetch_loop *loop, int fd, int what);
/* The loop found something: is it for curl? */
bool sockets_ready(sockets *s, const fetch_loop *loop, int fd);
void sockets_close(sockets *s, const fetch_loop *loop, int fd);
void sockets_free(sockets *s);

#endif
