/* fetch_test.c -- requests, bodies, redirects, the guard and cancelling, on loopback.
 *
 * SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <sys/mman.h>
#include <zlib.h>

#include "net/server.h"

static loop l;
static server s;
static arena a;
static answer got;

static int close_all(void **state) {
  (void)state;
  loop_close(&l);
  answer_free(&got);
  server_close(&s);
  arena_free(&a);
  return 0;
}

static fetch_request request(const char *path) {
  static value allow;
  allow = server_allow(&a, &s, NULL);
  return (fetch_request){
      .method = "GET", .url = arena_format(&a, "%s%s", s.url, path), .allow_private = &allow};
}

static void start(server_answer *says) {
  loop_open(&l);
  server_open(&s, says);
}

static bool says_hello(const asked *q) {
  return reply(q, 200, "X-One: a\r\nx-ONE:  b \r\nETag: \"e\"\r\n", "hello");
}

static void test_a_reply_comes_whole(void **state) {
  (void)state;
  start(says_hello);
  value headers = value_map();
  value_set(&a, &headers, "X-Ask", value_text("yes"));
  value_set(&a, &headers, "X-Blank", value_text(""));
  value_set(&a, &headers, "X-None", value_null());
  fetch_request r = request("/a?b=c#d");
  r.headers = &headers;
  loop_fetch(&l, &r, &got);
  assert_string_equal(got.error.message, "");
  assert_int_equal(got.status, 200);
  assert_string_equal(buffer_text(&got.body), "hello");
  assert_int_equal(got.size, 5);
  assert_int_equal(got.fd, -1);
  assert_string_equal(value_get_text(&got.headers, "x-one", ""), "a, b");
  assert_string_equal(value_get_text(&got.headers, "etag", ""), "\"e\"");
  assert_string_equal(got.url, arena_format(&a, "%s/a?b=c", s.url));
  assert_int_equal(got.tries, 1);
  assert_int_equal(got.tried[0].status, 200);
  assert_non_null(strstr(s.last, "GET /a?b=c HTTP/1.1\r\n"));
  assert_non_null(strstr(s.last, "\r\nX-Ask: yes\r\n"));
  assert_non_null(strstr(s.last, "\r\nX-Blank:\r\n"));
  assert_null(strstr(s.last, "X-None"));
  assert_non_null(strstr(s.last, "\r\nUser-Agent: dts/"));
}

static void test_bodies_are_sent_as_they_are(void **state) {
  (void)state;
  start(says_hello);
  value headers = value_map();
  value_set(&a, &headers, "Content-Type", value_text("application/json"));
  fetch_request r = request("/");
  r.method = "PUT", r.headers = &headers, r.body = "{\"a\":1}", r.body_size = 7;
  loop_fetch(&l, &r, &got);
  assert_int_equal(got.status, 200);
  assert_non_null(strstr(s.last, "PUT / HTTP/1.1\r\n"));
  assert_non_null(strstr(s.last, "Content-Type: application/json\r\n"));
  assert_non_null(strstr(s.last, "\r\n\r\n{\"a\":1}"));
  answer_free(&got);
  fetch_request empty = request("/");
  empty.method = "POST";
  loop_fetch(&l, &empty, &got);
  assert_non_null(strstr(s.last, "Content-Length: 0\r\n"));
  assert_null(strstr(s.last, "Content-Type"));
}

static void test_connections_are_kept(void **state) {
  (void)state;
  start(says_hello);
  for (int i = 0; i < 5; i++) {
    fetch_request r = request("/");
    loop_fetch(&l, &r, &got);
    assert_int_equal(got.status, 200);
    answer_free(&got);
  }
  assert_int_equal(s.requests, 5);
  assert_int_equal(s.connections, 1);
}

static bool says_chunked(const asked *q) {
  say_text(q, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n "
              "world\r\n0\r\n\r\n");
  return true;
}

static void test_chunked(void **state) {
  (void)state;
  start(says_chunked);
  fetch_request r = request("/");
  loop_fetch(&l, &r, &got);
  assert_string_equal(buffer_text(&got.body), "hello world");
}

static bool says_much(const asked *q) {
  char *text = malloc(300001);
  memset(text, 'x', 300000);
  text[299999] = 'y';
  text[300000] = 0;
  reply(q, 200, "", text);
  free(text);
  return true;
}

static void test_a_large_body_is_a_sealed_file(void **state) {
  (void)state;
  start(says_much);
  fetch_request r = request("/");
  loop_fetch(&l, &r, &got);
  assert_int_equal(got.status, 200);
  assert_int_equal(got.size, 300000);
  assert_int_equal(got.body.size, 0);
  assert_true(got.fd > 0);
  int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  assert_int_equal(fcntl(got.fd, F_GET_SEALS), seals);
  assert_int_equal(lseek(got.fd, 0, SEEK_CUR), 0);
  assert_int_equal(write(got.fd, "z", 1), -1);
  assert_int_equal(ftruncate(got.fd, 1), -1);
  assert_ptr_equal(mmap(NULL, 1, PROT_WRITE, MAP_SHARED, got.fd, 0), MAP_FAILED);
  char last = 0;
  assert_int_equal(pread(got.fd, &last, 1, 299999), 1);
  assert_int_equal(last, 'y');
}

/* 64 MB of zeros: about 64 KB on the wire */
static bool says_bomb(const asked *q) {
  static const size_t plain = 64u << 20;
  size_t room = 1u << 20;
  char *zeros = calloc(1, plain), *packed = malloc(room);
  z_stream z = {.next_in = (void *)zeros, .avail_in = (unsigned)plain};
  z.next_out = (void *)packed, z.avail_out = (unsigned)room;
  deflateInit2(&z, 9, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  deflate(&z, Z_FINISH);
  char head[128];
  snprintf(head, sizeof head,
           "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %lu\r\n\r\n", z.total_out);
  say_text(q, head);
  say(q, packed, z.total_out);
  deflateEnd(&z);
  free(zeros);
  free(packed);
  return true;
}

static void test_a_gzip_bomb_stops_at_the_decoded_limit(void **state) {
  (void)state;
  start(says_bomb);
  fetch_request r = request("/");
  r.body_limit = 1 << 20;
  loop_fetch(&l, &r, &got);
  assert_string_equal(got.error.code, "HTTP_TOO_LARGE");
  assert_string_equal(
      got.error.message,
      arena_format(&a, "GET %s: the reply is larger than 1048576 bytes (decoded)", s.name));
  assert_int_equal(got.tries, 1);
  assert_int_equal(s.requests, 1);
  answer_free(&got);
  r.body_limit = 64 << 20;
  loop_fetch(&l, &r, &got);
  assert_int_equal(got.size, 64 << 20);
  assert_null(value_get(&got.headers, "content-encoding")); /* it is decoded now */
  assert_null(value_get(&got.headers, "content-length"));
  assert_non_null(strstr(s.last, "gzip"));
}

static void test_loopback_is_refused_unless_named(void **state) {
  (void)state;
  start(says_hello);
  fetch_request r = request("/secret?token=s3cret");
  r.allow_private = NULL;
  loop_fetch(&l, &r, &got);
  assert_string_equal(got.error.code, "HTTP_BLOCKED");
  assert_string_equal(
      got.error.message,
      arena_format(&a, "GET %s leads to an address that is not public (loopback)", s.name));
  assert_int_equal(s.requests, 0);
  assert_int_equal(s.connections, 0);
}

static void test_a_kept_connection_does_not_lend_its_permit(void **state) {
  (void)state;
  start(says_hello);
  fetch_request r = request("/");
  loop_fetch(&l, &r, &got);
  assert_int_equal(got.status, 200);
  answer_free(&got);
  r.allow_private = NULL;
  loop_fetch(&l, &r, &got);
  assert_string_equal(got.error.code, "HTTP_BLOCKED");
  assert_int_equal(s.requests, 1);
}

static char elsewhere[256];
static bool says_elsewhere(const asked *q) {
  if (strstr(q->text, " /there ")) return reply(q, 200, "", "there");
  char head[300];
  int status = strstr(q->text, " /303 ") ? 303 : strstr(q->text, " /307 ") ? 307 : 302;
  snprintf(head, sizeof head, "Location: %s\r\n", elsewhere);
  return reply(q, status, head, "");
}

static void test_redirects_are_followed(void **state) {
  (void)state;
  start(says_elsewhere);
  strcpy(elsewhere, "/there");
  value headers = value_map();
  value_set(&a, &headers, "X-Api-Key", value_text("s3cret"));
  fetch_request r = request("/303");
  r.method = "POST", r.body = "x", r.body_size = 1, r.headers = &headers;
  loop_fetch(&l, &r, &got);
  assert_int_equal(got.status, 200);
  assert_string_equal(got.url, arena_format(&a, "%s/there", s.url));
  assert_non_null(strstr(s.last, "GET /there "));
  assert_non_null(strstr(s.last, "X-Api-Key: s3cret")); /* the same origin */
  assert_int_equal(got.tries, 1);
  answer_free(&got);
  r.url = arena_format(&a, "%s/307", s.url);
  loop_fetch(&l, &r, &got);
  assert_non_null(strstr(s.last, "POST /there "));
  assert_non_null(strstr(s.last, "\r\n\r\nx"));
}

static void test_a_redirect_to_what_is_not_named_is_refused(void **state) {
  (void)state;
  server other = {0};
  start(says_elsewhere);
  server_open_at(&other, says_hello, "127.0.0.2");
  snprintf(elsewhere, sizeof elsewhere, "%s/there", other.url);
  fetch_request r = request("/");
  loop_fetch(&l, &r, &got);
  assert_string_equal(got.error.code, "HTTP_BLOCKED");
  assert_non_null(strstr(got.error.message, "127.0.0.2"));
  assert_int_equal(other.connections, 0);
  answer_free(&got);
  strcpy(elsewhere, "file:///etc/passwd");
  loop_fetch(&l, &r, &got);
  assert_string_equal(got.error.code, "HTTP_BLOCKED");
  answer_free(&got);
  strcpy(elsewhere, "/again");
  loop_fetch(&l, &r, &got);
  assert_string_equal(got.error.message,
                      "GET 127.0.0.1: redirect not followed: more than 5 redirects");
  server_close(&other);
}

static void test_secrets_stay_with_their_host(void **state) {
  (void)state;
  server other = {0};
  start(says_elsewhere);
  server_open_at(&other, says_hello, "127.0.0.2");
  snprintf(elsewhere, sizeof elsewhere, "%s/there", other.url);
  value headers = value_map(), allow = server_allow(&a, &s, &other);
  value_set(&a, &headers, "Authorization", value_text("Bearer s3cret"));
  value_set(&a, &headers, "X-Api-Key", value_text("s3cret"));
  value_set(&a, &headers, "Cookie", value_text("s3cret"));
  value_set(&a, &headers, "Accept", value_text("text/csv"));
  fetch_request r = request("/");
  r.headers = &headers, r.allow_private = &allow;
  r.url = arena_format(&a, "http://user:s3cret@%s/", s.name);
  loop_fetch(&l, &r, &got);
  assert_int_equal(got.status, 200);
  assert_non_null(strstr(s.last, "Bearer s3cret"));
  assert_null(strstr(other.last, "s3cret"));
  assert_null(strcasestr(other.last, "Authorization"));
  assert_non_null(strstr(other.last, "Accept: text/csv"));
  answer_free(&got);
  r.method = "POST", r.body = "client_secret=s3cret", r.body_size = 20;
  r.url = arena_format(&a, "%s/307", s.url);
  loop_fetch(&l, &r, &got);
  assert_string_equal(got.error.code, "HTTP_BLOCKED");
  assert_int_equal(other.requests, 1);
  server_close(&other);
}

static void test_userinfo_is_sent_but_never_shown(void **state) {
  (void)state;
  start(says_hello);
  fetch_request r = request("/");
  r.url = arena_format(&a, "http://user:p%%40ss@%s/", s.name);
  loop_fetch(&l, &r, &got);
  assert_non_null(strstr(s.last, "Authorization: Basic dXNlcjpwQHNz")); /* user:p@ss */
  assert_string_equal(got.url, arena_format(&a, "%s/", s.url));
}

static void refused(const char *method, const char *url, const char *name, const char *text,
                    const char *message) {
  value headers = value_map();
  if (name) value_set(&a, &headers, name, value_text(text));
  fetch_request r = request("/");
  r.method = method, r.headers = &headers;
  if (url) r.url = url;
  loop_fetch(&l, &r, &got);
  assert_string_equal(got.error.code, "HTTP_REQUEST");
  assert_string_equal(got.error.message, message);
  assert_int_equal(got.tries, 0);
  answer_free(&got);
}

static bool says_what_it_was_sent(const asked *q) {
  return reply(q, 200, "Content-Encoding: Kept-s3cret\r\n", "x");
}

/* A source that was sent a secret leads there, in whatever part of an address. */
static void test_errors_do_not_tell_secrets(void **state) {
  (void)state;
  static const char *const places[] = {
      "http://Kept-s3cret.example.org/", "http://127.0.0.9/Kept-s3cret", "ftp://h/Kept-s3cret",
      "http://a@Kept-s3cret:1/",         "http://kept-S3CRET.local/",    "http://[Kept-s3cret]/"};
  value secrets = value_list();
  value_add(&a, &secrets, value_text("Kept-s3cret"));
  start(says_elsewhere);
  fetch_request r = request("/");
  r.secrets = &secrets;
  r.tries = 1;
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    strcpy(elsewhere, places[i]);
    loop_fetch(&l, &r, &got);
    assert_true(got.error.code[0]);
    if (strcasestr(got.error.message, "kept-s3cret") || strcasestr(got.error.hint, "kept-s3cret"))
      fail_msg("%s (%s)", got.error.message, got.error.hint);
    answer_free(&got);
  }
  s.answer = says_what_it_was_sent;
  loop_fetch(&l, &r, &got);
  assert_true(got.error.code[0]);
  assert_null(strcasestr(got.error.message, "kept-s3cret"));
}

static void test_what_cannot_be_sent_is_refused_without_secrets(void **state) {
  (void)state;
  start(says_hello);
  refused("GET", NULL, "Authorization", "Bearer s3cret\r\nX: y",
          "header 'Authorization' has a line end or control character in it");
  refused("GET", NULL, "X-A: b", "c",
          "a header's name may have letters, digits and - only; got one of 6 bytes");
  refused("GET", NULL, "Host", "other", "header 'Host' is set by the engine; leave it out");
  refused("GE T", NULL, NULL, NULL, "method 'GE T': expected GET, POST, PUT, DELETE ...");
  refused("TRACE", NULL, NULL, NULL, "method 'TRACE': expected GET, POST, PUT, DELETE ...");
  refused("GET", "ftp://user:s3cret@h/x?s3cret", NULL, NULL,
          "address \"ftp://h/x\" cannot be used: unknown scheme; expected https://host/path");
  refused("GET", "smtp://h/", NULL, NULL, "scheme 'smtp': expected http or https");
  assert_int_equal(s.connections, 0);
}

static bool says_nothing(const asked *q) {
  char byte;
  (void)!recv(q->fd, &byte, 1, 0); /* until the other side gives up */
  return false;
}

static void test_cancel_and_close(void **state) {
  (void)state;
  start(says_nothing);
  answer left = {0};
  fetch_request r = request("/");
  got = (answer){0};
  uint64_t id = fetch_start(l.fetch, &r, answer_done, &got);
  fetch_start(l.fetch, &r, answer_done, &left);
  for (int64_t end = loop_real() + 5000; s.busy < 2 && loop_real() < end;) loop_turn(&l);
  assert_int_equal(s.busy, 2);
  fetch_cancel(l.fetch, id);
  fetch_cancel(l.fetch, 4711);
  loop_turn(&l);
  assert_int_equal(got.calls, 0);
  fetch_loop again = {&l, loop_watch, loop_wake, loop_now, loop_chance};
  fetch_close(l.fetch);
  assert_int_equal(got.calls, 0);
  assert_int_equal(left.calls, 1);
  assert_string_equal(left.error.code, "CANCELLED");
  l.fetch = fetch_open(&again);
  answer_free(&left);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_a_reply_comes_whole, close_all),
      cmocka_unit_test_teardown(test_bodies_are_sent_as_they_are, close_all),
      cmocka_unit_test_teardown(test_connections_are_kept, close_all),
      cmocka_unit_test_teardown(test_chunked, close_all),
      cmocka_unit_test_teardown(test_a_large_body_is_a_sealed_file, close_all),
      cmocka_unit_test_teardown(test_a_gzip_bomb_stops_at_the_decoded_limit, close_all),
      cmocka_unit_test_teardown(test_loopback_is_refused_unless_named, close_all),
      cmocka_unit_test_teardown(test_a_kept_connection_does_not_lend_its_permit, close_all),
      cmocka_unit_test_teardown(test_redirects_are_followed, close_all),
      cmocka_unit_test_teardown(test_a_redirect_to_what_is_not_named_is_refused, close_all),
      cmocka_unit_test_teardown(test_secrets_stay_with_their_host, close_all),
      cmocka_unit_test_teardown(test_userinfo_is_sent_but_never_shown, close_all),
      cmocka_unit_test_teardown(test_errors_do_not_tell_secrets, close_all),
      cmocka_unit_test_teardown(test_what_cannot_be_sent_is_refused_without_secrets, close_all),
      cmocka_unit_test_teardown(test_cancel_and_close, close_all),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
