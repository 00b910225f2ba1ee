/* address.h -- what a request's target says: segments, query, templates that match them.
 *
 * One idea: the path is split on the '/' that came over the wire and each segment is decoded once,
 * so that an encoded slash stays inside its segment and nothing is ever decoded twice. Segments
 * that are ".", "..", hold a NUL or are no UTF-8 are refused. Everything lives in the arena.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SERVE_ADDRESS_H
#define DTS_SERVE_ADDRESS_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"

enum { ADDRESS_SEGMENTS = 32, ADDRESS_PAIRS = 128 };

typedef struct pair {
  const char *name, *text;
} pair;

typedef struct address {
  size_t count; /* segments; "/" has none, a trailing slash is dropped */
  const char *segments[ADDRESS_SEGMENTS];
  size_t pair_count;
  pair pairs[ADDRESS_PAIRS]; /* of the query, decoded, '+' is a space */
} address;

/* `path` begins with '/', `query` may be NULL. ADDRESS, status 400, when they are not well formed. */
int address_read(const char *path, const char *query, arena *a, address *out, dts_error *e);
const char *address_query(const address *at, const char *name); /* the first, or NULL */

/* "/api/v1/runs/{id}": literals, {name} for one segment, {name...} for the rest (one at least). The
 * score is higher the more the template says literally; 0 is no match. `got` receives the names and
 * texts in order; the rest is joined with '/'. */
int address_match(const char *template, const address *at, arena *a, pair *got, size_t room,
                  size_t *count);

int percent_encode(buffer *b, const char *text); /* all but RFC 3986's unreserved characters */

#endif
