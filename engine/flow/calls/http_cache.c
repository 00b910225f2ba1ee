/* http_cache.c -- see http_cache.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/calls/http_cache.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REPLIES = 64, BYTES = 256 * 1024 * 1024 };

typedef struct waiter {
  struct waiter *next;
  http_cache_then *then;
  void *arg;
} waiter;

typedef struct reply {
  struct reply *next; /* newest first */
  arena memory;
  char *key;
  http_cached cached;
  size_t bytes;
  int64_t until; /* 0: under way */
  waiter *waiting;
} reply;

struct http_cache {
  reply *replies;
};

http_cache *http_cache_open(void) { return memory_alloc(sizeof(http_cache)); }

static void drop(http_cache *c, reply *r) {
  reply **at = &c->replies;
  while (*at != r) at = &(*at)->next;
  *at = r->next;
  if (r->cached.body_fd >= 0) close(r->cached.body_fd);
  while (r->waiting) {
    waiter *w = r->waiting;
    r->waiting = w->next;
    free(w);
  }
  arena_free(&r->memory);
  free(r->key);
  free(r);
}

void http_cache_close(http_cache *c) {
  if (!c) return;
  while (c->replies) drop(c, c->replies);
  free(c);
}

static reply *find(http_cache *c, const char *key) {
  reply *r = c->replies;
  while (r && strcmp(r->key, key) != 0) r = r->next;
  return r;
}

/* The oldest replies past the bounds; one under way is never dropped. */
static void keep_bounds(http_cache *c) {
  size_t count = 0, bytes = 0;
  for (reply *r = c->replies, *next; r; r = next) {
    next = r->next;
    count++;
    bytes += r->bytes;
    if (r->until && count > 1 && (count > REPLIES || bytes > BYTES)) drop(c, r);
  }
}

http_cache_state http_cache_find(http_cache *c, const char *key, int64_t now, http_cached *out,
                                 http_cache_then *then, void *arg) {
  reply *r = find(c, key);
  if (r && r->until > now) return *out = r->cached, HTTP_CACHE_FRESH;
  if (r && !r->until) {
    waiter *w = memory_alloc(sizeof *w);
    *w = (waiter){r->waiting, then, arg};
    r->waiting = w;
    return HTTP_CACHE_UNDER_WAY;
  }
  if (r) drop(c, r);
  r = memory_alloc(sizeof *r);
  *r = (reply){.next = c->replies, .key = memory_text(key), .cached.body_fd = -1};
  c->replies = r;
  return HTTP_CACHE_UNKNOWN;
}

static void wake(waiter *list) {
  while (list) {
    waiter *w = list;
    list = w->next;
    w->then(w->arg);
    free(w);
  }
}

/* A descriptor with a position of its own on the same bytes. */
static int reopen(int fd) {
  char path[64];
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  return open(path, O_RDONLY | O_CLOEXEC);
}

int http_cache_body(const http_cached *cached) {
  return cached->body_fd < 0 ? -1 : reopen(cached->body_fd);
}

/* Without a descriptor for its body it is not kept, and whoever waits asks for it himself. */
void http_cache_put(http_cache *c, const char *key, const http_cached *given, int64_t until) {
  reply *r = find(c, key);
  struct stat s;
  if (!r || r->until) return;
  r->cached.body_fd = http_cache_body(given);
  if (given->body_fd >= 0 && fstat(r->cached.body_fd, &s) < 0) return http_cache_fail(c, key);
  r->cached.status = given->status;
  r->cached.headers = value_copy(&r->memory, &given->headers);
  if (given->body_fd < 0) r->cached.body = arena_copy(&r->memory, given->body, given->body_size);
  r->cached.body_size = r->bytes = given->body_fd < 0 ? given->body_size : (size_t)s.st_size;
  r->until = until;
  waiter *waiting = r->waiting;
  r->waiting = NULL;
  keep_bounds(c);
  wake(waiting);
}

void http_cache_fail(http_cache *c, const char *key) {
  reply *r = find(c, key);
  if (!r || r->until) return;
  waiter *waiting = r->waiting;
  r->waiting = NULL;
  drop(c, r);
  wake(waiting); /* each looks again; the first of them asks */
}
