/* host.h -- the manners kept towards each destination: rate, concurrency, breaker, pause.
 *
 * One idea: a host is one record shared by all who ask for it, and its one question is "may a call
 * go now?". Records stay while they are in use or remember something (an open breaker, a debt of
 * the rate) and are dropped afterwards. Private to engine/net; owned by the fetch.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_NET_HOST_H
#define DTS_NET_HOST_H

#include "core/limit.h"
#include "net/fetch.h"

enum { HOST_CONCURRENCY = 8 };

typedef struct host {
  struct host *next;
  char name[300]; /* url_host */
  rate rate;
  slots slots;
  breaker breaker;
  int64_t pause_until; /* it asked for this with Retry-After */
  int64_t used_at;
  int users; /* calls that hold this record */
  int line;  /* calls that wait for the rate */
  int declared;
} host;

typedef enum host_answer {
  HOST_GO,     /* slot, rate and ticket taken: host_finish gives the slot back */
  HOST_FULL,   /* until some call to it ends */
  HOST_WAIT,   /* *wait_ms for the rate, or because it asked for a pause */
  HOST_BROKEN, /* the breaker is open for *wait_ms */
} host_answer;

host *host_enter(fetch *f, const char *name, const fetch_manners *m); /* pair with host_leave */
void host_leave(host *h, int64_t now);
host *host_find(const fetch *f, const char *name); /* or NULL */
void host_free_all(fetch *f);

host_answer host_admit(host *h, int64_t now, int64_t *wait_ms, uint32_t *ticket);
void host_finish(host *h, uint32_t ticket, breaker_result r, int64_t now, double random);

#endif
