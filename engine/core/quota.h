/* quota.h -- what a reply's rate headers say: is nothing left, and for how long?
 *
 * Three families: X-RateLimit-Remaining and -Reset (with or without the second hyphen), the older
 * drafts' RateLimit-Remaining and -Reset, and the RateLimit field of
 * draft-ietf-httpapi-ratelimit-headers (`"default";r=0;t=30`, earlier `limit=9, remaining=0,
 * reset=30`). A reset is seconds from now, or a moment since 1970 in seconds or milliseconds, which
 * is read against the reply's own Date. Pure: texts in, milliseconds out, nothing owned.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_CORE_QUOTA_H
#define DTS_CORE_QUOTA_H

#include <stdint.h>

typedef struct quota { /* header values as they came; NULL: none */
  const char *remaining, *reset, *field;
  int64_t date_ms; /* the reply's own Date; 0: it had none */
} quota;

/* Milliseconds until the quota is renewed, at most an hour; 0: something is left, or it does not
 * say, or says something that cannot be read. */
int64_t quota_wait(const quota *q);

#endif
