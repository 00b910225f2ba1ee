/* call.h -- one HTTP request while it is under way: what was asked, where it stands, what came
 * back.
 *
 * fetch.c decides (admission, retries, redirects, ends) and exchange.c talks to curl for one hop.
 * Private to engine/net. A call owns everything in it and is freed by fetch.c.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_NET_CALL_H
#define DTS_NET_CALL_H

#include "net/agenda.h"
#include "net/body.h"
#include "net/host.h"
#include "net/url.h"
#include "pack/decode.h"

typedef struct call {
  task task; /* first: the agenda knows only this */
  fetch_done *done;
  void *arg;

  arena arena;           /* the request's copy */
  fetch_request request; /* url without userinfo; tries, timeout and limit filled in */
  const char *user, *password;
  url_place origin;

  buffer url; /* of this hop */
  url_place place;
  const char *method;               /* of this hop; a redirect may turn POST into GET */
  bool with_body, at_origin, named; /* named: this hop may go into local networks */
  int hops;

  host *host;
  bool in_line, admitted;
  uint32_t ticket;
  int64_t first_at;  /* of the first try */
  int64_t ready_at;  /* when this try could have begun */
  int64_t try_at;    /* when it did; its redirects belong to it */
  int64_t hop_at;    /* when the running hop was sent */
  int64_t spent_ms;  /* in hops of this try that are over */
  int64_t waited_ms; /* before this try */
  bool late;         /* the last hop ran out of time */

  struct curl_slist *sent;
  arena heads; /* the reply's headers */
  size_t head_bytes;
  int head_lines;
  const char *head_fault; /* what is wrong with the headers, or NULL */
  body body;
  decode *coded;       /* the body's content-encoding; NULL: none, or nothing came yet */
  char code_fault[32]; /* what is wrong with it: CODING, PACK, CUT, or empty */
  fetch_reply reply;
} call;

/* Checks method and headers: 0, or -1 HTTP_REQUEST. Never shows a header's value. */
int exchange_check(const fetch_request *r, dts_error *e);
/* Options and callbacks for one hop. */
void exchange_open(call *c, CURL *easy);
/* Did the whole body come, by its content-encoding? 0, or -1 and code_fault. */
int exchange_end(call *c);
/* Forgets what came back. */
void exchange_clear(call *c);
const char *exchange_header(const call *c, const char *name); /* of the reply, or NULL */

#endif
