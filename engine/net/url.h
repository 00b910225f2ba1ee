/* url.h -- addresses: putting them together, and what host they lead to.
 *
 * One idea: curl's own parser (CURLU) reads every address, so what is checked here is what curl
 * will connect to. Only http, https, smtp and smtps exist. Messages never show userinfo or a query,
 * where secrets live. Everything is copied into what the caller hands in and owns.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_NET_URL_H
#define DTS_NET_URL_H

#include "base/buffer.h"
#include "base/error.h"
#include "format/value.h"

typedef struct url_place { /* where an address leads */
  char scheme[8];
  char host[256]; /* lower case, without brackets; numeric IPv4 in four parts */
  int port;       /* always filled in */
} url_place;

/* `path` behind the path of `base` ("https://h/v1" + "/prices" is https://h/v1/prices); a path
 * that is itself an http(s) address stands alone. Pairs of `query` (NULL: none) are added,
 * percent-encoded (RFC 3986 section 2.3); a list repeats its key, null is left out. Appends. 0, or
 * -1 HTTP_REQUEST. */
int url_join(const char *base, const char *path, const value *query, buffer *out, dts_error *e);

/* "host", or "host:port" if that is not the scheme's own port; lower case; IPv6 in brackets. */
int url_host(const char *url, char *out, size_t size, dts_error *e);

int url_place_read(const char *url, url_place *out, dts_error *e);
bool url_is_loopback(const url_place *p); /* as it is written: no name is looked up */
/* Same scheme, host and port, or the same host moving from http on 80 to https on 443. */
bool url_same_origin(const url_place *from, const url_place *to);

/* The address without userinfo and fragment; the userinfo, decoded, into the other two. */
int url_clean(const char *url, buffer *out, buffer *user, buffer *password, dts_error *e);
/* A Location, relative or not, against the address that it came from; its userinfo is dropped. */
int url_resolve(const char *from, const char *location, buffer *out, dts_error *e);

#endif
