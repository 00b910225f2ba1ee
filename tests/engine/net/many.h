/* many.h -- for tests: one loop, one server, and up to 200 requests under way at once.
 *
 * SPDX-License-Identifier: MIT */
#ifndef TEST_NET_MANY_H
#define TEST_NET_MANY_H

#include "net/server.h"

static loop l;
static server s;
static arena a;
static value allow;
static answer got[200];

static inline int close_all(void **state) {
  (void)state;
  loop_close(&l);
  for (int i = 0; i < 200; i++) answer_free(&got[i]);
  server_close(&s);
  arena_free(&a);
  return 0;
}

static inline void start(server_answer *says) {
  loop_open(&l);
  server_open(&s, says);
  allow = server_allow(&a, &s, NULL);
}

static inline fetch_request request(const char *method) {
  return (fetch_request){.method = method, .url = s.url, .allow_private = &allow};
}

/* Several at once; they count in `ended`. */
static int ended;
static inline void start_many(const fetch_request *r, int from, int count) {
  for (int i = from; i < from + count; i++) {
    got[i] = (answer){.count = &ended};
    fetch_start(l.fetch, r, answer_done, &got[i]);
  }
}

static inline void near(int64_t ms, int64_t wanted) {
  if (ms < wanted || ms > wanted + 300) fail_msg("%d ms, not %d", (int)ms, (int)wanted);
}

static inline bool says_ok(const asked *q) { return reply(q, 200, "", "ok"); }

static inline bool says_late(const asked *q) {
  char byte;
  (void)!recv(q->fd, &byte, 1, 0);
  return false;
}

#endif
