/* What no honest client sends: nothing is answered that should not be, and the server stays up.
 *
 * SPDX-License-Identifier: MIT */
#include "serve/world.h"

#include <time.h>

#include "base/clock.h"

static void still_alive(world *w) {
  reply r = ask(w, "GET", "/healthz", NULL, NULL);
  assert_int_equal(200, r.status);
  reply_free(&r);
}

static int status_of(world *w, const char *request) {
  reply r = send_raw(w, request, strlen(request));
  int status = r.status;
  reply_free(&r);
  return status;
}

static void no_path_leads_out(void **state) {
  WORLD;
  static const char *const paths[] = {"/../etc/passwd",
                                      "/%2e%2e/%2e%2e/etc/passwd",
                                      "/assets/../../etc/passwd",
                                      "/assets/%2e%2e%2fx",
                                      "/..%5c..%5cx",
                                      "/assets/..%252f..%252fetc/passwd",
                                      "/var/dts.db",
                                      "/pipelines/all.lua",
                                      "/%00",
                                      "/index.html%00.js",
                                      "//etc/passwd"};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
    int status =
        status_of(w, arena_format(&w->memory,
                                  "GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                                  paths[i]));
    if (status != 400 && status != 404) fail_msg("%s: %d", paths[i], status);
  }
  still_alive(w);
}

static void a_target_that_is_no_path_is_told_so(void **state) {
  WORLD;
  static const char *const targets[] = {"*", "http://localhost/healthz", "http://evil.example/",
                                        "localhost:80", "healthz"};
  for (size_t i = 0; i < sizeof targets / sizeof *targets; i++) {
    const char *text = arena_format(
        &w->memory, "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\nGET /healthz HTTP/1.1\r\n\r\n",
        targets[i]);
    reply r = send_raw(w, text, strlen(text));
    if (r.status != 400) fail_msg("%s: %d", targets[i], r.status);
    assert_null(strstr(r.body, "HTTP/1.1 "));
    reply_free(&r);
  }
  still_alive(w);
}

static void smuggling_is_refused(void **state) {
  WORLD;
  static const struct {
    const char *headers;
    int status;
  } cases[] = {
      {"Host: localhost\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n", 400},
      {"Host: localhost\r\nContent-Length: 4\r\nContent-Length: 4\r\n", 400},
      {"Host: localhost\r\nContent-Length: 4\r\nContent-Length: 44\r\n", 400},
      {"Host: localhost\r\nTransfer-Encoding: chunked\r\n", 411},
      {"Host: localhost\r\nHost: localhost\r\nContent-Length: 4\r\n", 400},
      {"Host: evil.example\r\nContent-Length: 4\r\n", 421},
      {"Content-Length: 4\r\n", 400},
      {"Host: localhost\r\nContent-Length: -4\r\n", 411},
      {"Host: localhost\r\nX: a\r\n b\r\nContent-Length: 4\r\n", 400},
      {"Host: localhost\r\nX: a\r\n\tb\r\nTransfer-Encoding: chunked\r\n", 400},
      {"Host: localhost\r\nContent-Length: 4\r\n 4\r\n", 400},
      {"Host: localhost\r\n: nameless\r\nContent-Length: 4\r\n", 400},
      {"Host: localhost\r\n\xc3\xa9: x\r\nContent-Length: 4\r\n", 400},
      {"Host: localhost\r\nX:\r\n b\r\nContent-Length: 4\r\n", 400},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    const char *text = arena_format(&w->memory,
                                    "POST /api/v1/session HTTP/1.1\r\n%s\r\n0\r\n\r\nGET /healthz "
                                    "HTTP/1.1\r\nHost: localhost\r\n\r\n",
                                    cases[i].headers);
    reply r = send_raw(w, text, strlen(text));
    if (r.status != cases[i].status)
      fail_msg("%s: %d expected, got %s", cases[i].headers, cases[i].status, r.head);
    assert_null(strstr(r.body, "HTTP/1.1 ")); /* the bytes behind are no request */
    reply_free(&r);
  }
  still_alive(w);
}

static void too_many_or_too_large_headers_are_refused(void **state) {
  WORLD;
  buffer b;
  buffer_init(&b, 1 << 20);
  buffer_add_text(&b, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n");
  for (int i = 0; i < 70; i++) buffer_add_format(&b, "X-%d: y\r\n", i);
  buffer_add_text(&b, "\r\n");
  reply r = send_raw(w, b.data, b.size);
  assert_int_equal(431, r.status);
  reply_free(&r);
  buffer_clear(&b);
  buffer_add_text(&b, "GET /healthz HTTP/1.1\r\nHost: localhost\r\nX: ");
  for (int i = 0; i < 30000; i++) buffer_add_char(&b, 'a');
  buffer_add_text(&b, "\r\n\r\n");
  r = send_raw(w, b.data, b.size);
  assert_true(r.status == 0 || r.status >= 400);
  reply_free(&r);
  buffer_free(&b);
  still_alive(w);
}

static void a_body_cut_short_stores_nothing(void **state) {
  WORLD;
  const char *key = bearer(w, server_session_key(w->server));
  const char *text =
      arena_format(&w->memory,
                   "POST /api/v1/keys HTTP/1.1\r\nHost: localhost\r\n%sContent-Length: 100\r\n\r\n"
                   "{\"name\":\"half\",\"scopes\":[\"read\"]}",
                   key);
  reply r = send_raw(w, text, strlen(text));
  assert_true(r.status == 400 || r.status == 0);
  reply_free(&r);
  r = ask_admin(w, "GET", "/api/v1/keys", NULL);
  assert_null(strstr(r.body, "half"));
  reply_free(&r);
}

static void slow_heads_are_cut_off_and_hold_nobody(void **state) {
  WORLD;
  enum { SLOW = 40 };
  int fds[SLOW];
  for (size_t i = 0; i < SLOW; i++) {
    fds[i] = dial(w);
    assert_true(fds[i] >= 0);
    assert_int_equal(5, send(fds[i], "GET /", 5, MSG_NOSIGNAL));
  }
  int64_t from = clock_monotonic_ms();
  still_alive(w);
  assert_true(clock_monotonic_ms() - from < 5000);
  char c;
  struct timeval limit = {15, 0};
  setsockopt(fds[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  while (recv(fds[0], &c, 1, 0) > 0) continue;
  assert_true(clock_monotonic_ms() - from < 14000); /* ended by the server, not by our patience */
  for (size_t i = 0; i < SLOW; i++) close(fds[i]);
  still_alive(w);
}

static void streams_leave_threads_for_others(void **state) {
  WORLD;
  enum { MOST = 16 };
  int fds[MOST + 1];
  char text[512];
  for (size_t i = 0; i <= MOST; i++) {
    fds[i] = dial(w);
    const char *ask_text = "GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n";
    assert_true(send(fds[i], ask_text, strlen(ask_text), MSG_NOSIGNAL) > 0);
    ssize_t n = recv(fds[i], text, sizeof text - 1, 0);
    assert_true(n > 12);
    text[n] = 0;
    assert_int_equal(i < MOST ? 200 : 503, atoi(text + 9));
  }
  run_pipeline(w, "more");
  ssize_t n = recv(fds[0], text, sizeof text - 1, 0);
  while (n > 0 && !(text[n] = 0, strstr(text, "event: change")))
    n = recv(fds[0], text, sizeof text - 1, 0);
  assert_true(n > 0);
  still_alive(w);
  for (size_t i = 0; i <= MOST; i++) close(fds[i]);
}

static void a_key_that_is_taken_away_hears_no_more(void **state) {
  WORLD;
  char text[1024];
  reply r = ask_admin(w, "POST", "/api/v1/keys", "{\"name\":\"ear\",\"scopes\":[\"read\"]}");
  value v = json_of(w, &r);
  const char *ask_text =
      arena_format(&w->memory, "GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n%s\r\n",
                   bearer(w, value_get_text(&v, "key", "?")));
  reply_free(&r);
  int fd = dial(w);
  assert_true(send(fd, ask_text, strlen(ask_text), MSG_NOSIGNAL) > 0);
  assert_true(recv(fd, text, sizeof text, 0) > 12);
  assert_memory_equal("HTTP/1.1 200", text, 12);
  r = ask_admin(w, "DELETE", "/api/v1/keys/ear", NULL);
  assert_int_equal(2, r.status / 100);
  reply_free(&r);
  run_pipeline(w, "more");
  for (ssize_t n; (n = recv(fd, text, sizeof text - 1, 0)) != 0;) {
    assert_true(n > 0); /* ended by the server */
    text[n] = 0;
    assert_null(strstr(text, "event:"));
  }
  close(fd);
}

static void random_bytes_never_end_it(void **state) {
  WORLD;
  static const char alphabet[] =
      "GET POST/api/v1/HTTP1.\r\n\r\n: %2e\0{}[]\"content-length0123456789\xff?&=";
  uint64_t x = 88172645463325252u; /* the same bytes each time */
  for (int round = 0; round < 10000; round++) {
    char bytes[256];
    size_t size = 0, head = round % 2 ? 14 : 0;
    memcpy(bytes, "GET / HTTP/1.1", head);
    for (size = head; size < head + 8 + (size_t)(x % 200); size++) {
      x ^= x << 13, x ^= x >> 7, x ^= x << 17;
      bytes[size] = alphabet[x % (sizeof alphabet - 1)];
    }
    int fd = dial(w);
    if (fd < 0) continue;
    send(fd, bytes, size, MSG_NOSIGNAL);
    struct linger now = {1, 0};
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    if (round % 16 == 0) {
      shutdown(fd, SHUT_WR);
      recv(fd, bytes, sizeof bytes, 0);
    }
    close(fd);
  }
  still_alive(w);
}

typedef struct visitor {
  world *world;
  int number, wrong;
} visitor;

static void *visit(void *arg) {
  visitor *v = arg;
  char path[64], want[64];
  for (int i = 0; i < 40; i++) {
    snprintf(path, sizeof path, "/api/hello/v%d-%d", v->number, i);
    snprintf(want, sizeof want, "{\"hello\":\"v%d-%d\"}", v->number, i);
    reply r = ask(v->world, "GET", path, NULL, NULL);
    if (r.status != 503 && strcmp(r.body, want) != 0) v->wrong++;
    reply_free(&r);
  }
  return NULL;
}

static void many_at_once_all_get_their_own_answer(void **state) {
  WORLD;
  visitor visitors[8];
  pthread_t threads[8];
  for (int i = 0; i < 8; i++) {
    visitors[i] = (visitor){w, i, 0};
    pthread_create(&threads[i], NULL, visit, &visitors[i]);
  }
  for (int i = 0; i < 8; i++) {
    pthread_join(threads[i], NULL);
    assert_int_equal(0, visitors[i].wrong);
  }
}

#define T(f) cmocka_unit_test(f)

int main(void) {
  const struct CMUnitTest tests[] = {T(no_path_leads_out),
                                     T(a_target_that_is_no_path_is_told_so),
                                     T(smuggling_is_refused),
                                     T(too_many_or_too_large_headers_are_refused),
                                     T(a_body_cut_short_stores_nothing),
                                     T(slow_heads_are_cut_off_and_hold_nobody),
                                     T(a_key_that_is_taken_away_hears_no_more),
                                     T(streams_leave_threads_for_others),
                                     T(many_at_once_all_get_their_own_answer),
                                     T(random_bytes_never_end_it)};
  log_set_level(LOG_LEVEL_ERROR);
  return cmocka_run_group_tests(tests, world_open, world_close);
}
