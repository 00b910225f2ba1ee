/* http_cache.h -- replies that several runs share for a while (`cache = "1h"`), also while one is on its way.
 *
 * One idea: a key is fresh, under way, or unknown. Who finds it unknown asks the source and must say how it
 * ended; who finds it under way is called when that is known. Bodies are small buffers or sealed memory
 * files, each reader with a position of its own. Bounded: 64 replies, 256 MB; the oldest go first.
 * Loop's thread alone.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_HTTP_CACHE_H
#define DTS_FLOW_HTTP_CACHE_H

#include "base/buffer.h"
#include "format/value.h"

typedef struct http_cache http_cache;

typedef struct http_cached { /* lives until the next call on the cache */
  int status;
  value headers;
  const char *body; /* when small */
  size_t body_size;
  int body_fd; /* -1 when small; http_cache_open gives a descriptor of one's own */
} http_cached;

typedef enum http_cache_state {
  HTTP_CACHE_FRESH,
  HTTP_CACHE_UNDER_WAY,
  HTTP_CACHE_UNKNOWN
} http_cache_state;
typedef void http_cache_then(void *arg); /* look again */

http_cache *http_cache_open(void);
void http_cache_close(http_cache *c); /* NULL is fine; nobody is told */
/* UNKNOWN: the caller must end it with http_cache_put or http_cache_fail. UNDER_WAY: `then` will be called. */
http_cache_state http_cache_find(http_cache *c, const char *key, int64_t now, http_cached *out,
                                 http_cache_then *then, void *arg);
void http_cache_put(http_cache *c, const char *key, const http_cached *reply, int64_t until);
void http_cache_fail(http_cache *c, const char *key);
int http_cache_body(const http_cached *cached); /* a descriptor at offset 0, or -1 */

#endif
