/* http_reach.h -- where a run's requests may go: its own sources and what it is allowed, no further.
 *
 * One idea: one list of names for each request, asked for its address and again for each redirect.
 * A name opens a local network only if nobody outside could have made it lead there: an address, a
 * name of the local network (localhost, nas.lan), or one that dts.lua itself gives. Everything stands
 * in the request's memory.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_HTTP_REACH_H
#define DTS_FLOW_HTTP_REACH_H

#include "core/permit.h"
#include "flow/runs/run.h"

typedef struct http_reach {
  permit permit;
  const char *const *given; /* hosts that dts.lua names: its stand-ins and allow.hosts */
} http_reach;

void http_reach_make(run *r, arena *a, http_reach *out);
/* As net/fetch.h's fetch_permit: 0, or -1 and HOST_REFUSED. `arg` is an http_reach. */
int http_reach_ask(void *arg, const char *host, int port, bool *named, dts_error *e);

#endif
