/* access.h -- who is asking: a key in a header, or a session's cookie that stands for one.
 *
 * One idea: a session is a random id in memory that points at a key's hash; the key is looked up
 * anew for each request, so revoking it ends its sessions at once. What changes something by
 * cookie must come from our own pages (Sec-Fetch-Site, or Origin equal to Host).
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SERVE_ACCESS_H
#define DTS_SERVE_ACCESS_H

#include "serve/call.h"

access_keys *access_open(void);
void access_close(access_keys *a);
const char *access_session_key(const access_keys *a);

/* Fills in `w`; nobody is no failure. A key that is given and not known is: NO_KEY, 401. */
int access_find(access_keys *a, store *s, const http_request *rq, arena *memory, who *w,
                dts_error *e);
/* CSRF: 403 ORIGIN for a mutation by cookie from elsewhere. */
int access_check_origin(const http_request *rq, const who *w, dts_error *e);
/* A session for a key's text: the cookie's whole Set-Cookie text, or NULL for an unknown key. */
const char *access_begin(access_keys *a, store *s, const char *key, const http_request *rq,
                         arena *memory, dts_error *e);
const char *access_end(access_keys *a, const http_request *rq, arena *memory); /* Set-Cookie */

/* DNS rebinding: is this Host one of ours? `hosts` is dts.lua's list or NULL. */
bool access_host_fits(const char *host, bool loopback, const value *hosts);

#endif
