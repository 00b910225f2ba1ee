/* civet.h -- the listener: CivetWeb's threads, our requests.
 *
 * One idea: CivetWeb parses the head and moves the bytes; every request goes to one function, and
 * none of its own handlers (files, listings, CGI) is ever reached. civet.c alone includes
 * civetweb.h.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SERVE_CIVET_H
#define DTS_SERVE_CIVET_H

#include "serve/http.h"

enum { CIVET_THREADS = 64, CIVET_STREAMS = CIVET_THREADS / 4 };

typedef struct civet civet;
/* Fills in the reply, whose body's limit is set; any of CivetWeb's threads. */
typedef void civet_serve(void *arg, http_request *rq, http_reply *rp);

civet *civet_open(const char *listen, civet_serve *serve, void *arg, dts_error *e); /* LISTEN */
int civet_port(const civet *c);
int civet_active(const civet *c); /* requests whose reply is not yet written */
void civet_hurry(civet *c);       /* whoever hardly moves is waited for no longer */
void civet_close(civet *c);       /* requests under way must be over: it cuts them off */

#endif
