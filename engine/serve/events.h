/* events.h -- server-sent events, written by the thread of the request until one side ends.
 *
 * A comment every 15 s shows that both ends are alive. (WHATWG HTML, section 9.2)
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SERVE_EVENTS_H
#define DTS_SERVE_EVENTS_H

#include "serve/call.h"

void events_pass(api_call *c, stream *s); /* whatever comes */
/* Lines, then what comes. */
void events_log(api_call *c, stream *s, const value *lines, bool go_on);

#endif
