/* fetch.h -- HTTP out: one curl multi handle on the caller's loop, guarded, with manners.
 *
 * One idea: a request is handed over whole and comes back whole, after the retries that its
 * destination's manners allow (core/retry.h, core/limit.h: rate, concurrency, breaker per host,
 * shared by all who ask). Everything here runs on the thread of the loop; nothing blocks. curl is
 * initialised by the first request. Redirects (at most 5, within one try) are followed only to
 * addresses that the guard, and the caller's `permit`, allow; another origin gets neither userinfo nor body, and of the
 * headers only harmless ones (Accept, User-Agent ...).
 *
 * Ownership: a request is copied by fetch_start; a reply lives until `done` returns, but its body
 * may be taken by setting body_fd to -1 (descriptor) or zeroing `body` after copying the struct.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_NET_FETCH_H
#define DTS_NET_FETCH_H

#include "base/buffer.h"
#include "base/error.h"
#include "format/value.h"

/* What fetch needs of a loop: the loop calls fetch_ready and fetch_tick back. */
typedef struct fetch_loop {
  void *arg;
  void (*watch)(void *arg, int fd, bool read, bool write); /* both false: forget the descriptor */
  void (*wake)(void *arg, int64_t in_ms);                  /* call fetch_tick then; -1: never */
  int64_t (*now)(void *arg);                               /* monotonic ms */
  double (*chance)(void *arg);                             /* [0,1) */
} fetch_loop;

typedef struct fetch fetch;
fetch *fetch_open(const fetch_loop *loop);
/* PEM certificates of authorities to trust beside the system's; before the first request. */
int fetch_trust(fetch *f, const char *pem, size_t size, dts_error *e);
void fetch_close(fetch *f); /* abandons what is under way: `done` is called with code CANCELLED */
void fetch_ready(fetch *f, int fd, bool read, bool write);
void fetch_tick(fetch *f);

typedef struct
    fetch_manners { /* of one destination; the strictest of those declared for a host wins */
  int64_t rate_count, rate_ms; /* 5000 in 3600000; 0: no limit */
  int concurrency;             /* 0: 8 */
} fetch_manners;

/* May a redirect lead there? 0, or -1 and an error; *named: then also into local networks. */
typedef int fetch_permit(void *arg, const char *host, int port, bool *named, dts_error *e);

typedef struct fetch_request {
  const char *method, *url;
  const value *headers; /* map of text, secrets already filled in; never logged */
  const char *body;     /* NULL: none */
  size_t body_size;
  int64_t timeout_ms;         /* of one try; 0: 30 s */
  int64_t connect_ms;         /* of that, to connect; 0: 10 s */
  int64_t stall_ms;           /* gives a try up after so long almost without a byte; 0: never */
  int64_t body_limit;         /* decoded bytes; 0: 512 MB */
  bool idempotent;            /* POST and PATCH may be retried */
  int tries;                  /* 0: 4 */
  const value *allow_private; /* list of "host:port" that may be private or loopback */
  fetch_permit *permit;       /* asked for each redirect; NULL: the guard alone decides */
  void *permit_arg;           /* lives until `done` */
  bool once;                  /* the connection is closed behind it */
  const value *secrets;       /* list of texts that no reply shows: they become asterisks */
  fetch_manners manners;
} fetch_request;

typedef struct fetch_try {
  int status; /* 0: no reply */
  int64_t at_ms, took_ms, waited_ms;
  char fault[128];
} fetch_try;

typedef struct fetch_reply {
  int status;
  char *url;     /* after redirects, without userinfo */
  value headers; /* map: names in lower case, repeated ones joined by ", " */
  buffer body;   /* when small (<= 64 KB) */
  int body_fd;   /* otherwise a sealed memory file at offset 0, or -1 */
  int64_t body_size;
  fetch_try tried[8];
  int tries;
  bool unchanged; /* of a stand-in alone: the reply that a 304 stood for */
} fetch_reply;

/* Exactly one call of `done`, never from inside fetch_start. `e` is NULL with a reply of any status
 * (400 or more is still a reply). Otherwise it is HTTP_REQUEST (cannot be sent as it is),
 * HTTP_NETWORK, HTTP_TIMEOUT, HTTP_BLOCKED (guard), HTTP_TOO_LARGE, HTTP_LATER (a longer wait than
 * fits, an open breaker, a quota; retry_after_ms says how long) or CANCELLED, and of `reply`, which
 * is never NULL, only url, tried and tries count. `done` may call fetch_start, fetch_cancel and
 * mail_send, but not fetch_close. fetch_start returns an id for fetch_cancel. */
typedef void fetch_done(void *arg, fetch_reply *reply, const dts_error *e);
uint64_t fetch_start(fetch *f, const fetch_request *request, fetch_done *done, void *arg);
/* No call of `done` after this; unknown ids are ignored. */
void fetch_cancel(fetch *f, uint64_t id);
void fetch_reply_free(fetch_reply *reply); /* only for a reply whose parts were taken */

/* Is this host's breaker open, and for how long yet? 0: closed. */
int64_t fetch_breaker_wait(const fetch *f, const char *url);

#endif
