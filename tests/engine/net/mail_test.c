/* mail_test.c -- one e-mail against a small SMTP conversation.
 *
 * SPDX-License-Identifier: MIT */
#include "net/mail.h"
#include "net/server.h"

static loop l;
static server s;
static arena a;
static const char *offers;  /* lines of EHLO beyond the first */
static const char *on_rcpt; /* answer to RCPT TO */
static char heard[16384];   /* what the client said, all of it */
static dts_error said;
static int ended;

static bool hear_line(int fd, char *line, size_t room) {
  for (size_t n = 0; n + 1 < room; n++) {
    if (recv(fd, line + n, 1, 0) != 1) return false;
    line[n + 1] = 0;
    if (line[n] == '\n') return strlen(heard) + n + 2 < sizeof heard ? strcat(heard, line) : false;
  }
  return false;
}

static bool talk(const asked *q) {
  char line[2048], hello[256];
  bool data = false;
  say_text(q, "220 test ready\r\n");
  while (hear_line(q->fd, line, sizeof line)) {
    if (data && strcmp(line, ".\r\n") != 0) continue;
    if (data)
      say_text(q, "250 queued\r\n"), data = false;
    else if (!strncmp(line, "EHLO", 4)) {
      snprintf(hello, sizeof hello, "250-test\r\n%s250 8BITMIME\r\n", offers);
      say_text(q, hello);
    } else if (!strncmp(line, "AUTH", 4))
      say_text(q, "235 welcome\r\n");
    else if (!strncmp(line, "RCPT", 4))
      say_text(q, on_rcpt);
    else if (!strncmp(line, "DATA", 4))
      say_text(q, "354 go\r\n"), data = true;
    else if (!strncmp(line, "QUIT", 4))
      return say_text(q, "221 bye\r\n"), false;
    else
      say_text(q, "250 ok\r\n");
  }
  return false;
}

static void start(const char *ehlo, const char *rcpt) {
  offers = ehlo, on_rcpt = rcpt;
  heard[0] = 0;
  s.raw = true;
  loop_open(&l);
  server_open(&s, talk);
}

static int close_all(void **state) {
  (void)state;
  loop_close(&l);
  server_close(&s);
  arena_free(&a);
  return 0;
}

static void done(void *arg, const dts_error *e) {
  (void)arg;
  said = *e;
  ended++;
}

static void send_to(const char *server_, const char *password, const char *one) {
  value to = value_list();
  value_add(&a, &to, value_text(one));
  value_add(&a, &to, value_text("bo@example.org"));
  mail m = {.server = server_,
            .password = password,
            .from = "dts@example.org",
            .subject = "late",
            .text = "hello\n.\nbye",
            .to = &to};
  ended = 0;
  mail_send(l.fetch, &m, done, NULL);
  assert_int_equal(ended, 0);
  loop_until(&l, &ended, 1);
}

static void test_a_message_is_delivered(void **state) {
  (void)state;
  start("250-AUTH PLAIN\r\n", "250 ok\r\n");
  send_to(arena_format(&a, "smtp://us%%40er@%s", s.name), "s3:cr@et", "Ana <ana@example.org>");
  if (said.code[0]) fail_msg("%s\n%s", said.message, heard);
  assert_string_equal(said.code, "");
  /* NUL us@er NUL s3:cr@et */
  assert_non_null(strstr(heard, "AHVzQGVyAHMzOmNyQGV0"));
  assert_non_null(strstr(heard, "MAIL FROM:<dts@example.org>"));
  assert_non_null(strstr(heard, "RCPT TO:<ana@example.org>\r\nRCPT TO:<bo@example.org>\r\n"));
  assert_non_null(strstr(heard, "\r\nSubject: late\r\n"));
  assert_non_null(strstr(heard, "\r\n\r\nhello\r\n=2E\r\nbye\r\n.\r\n"));
}

static void test_a_refusal_says_what_the_server_answered(void **state) {
  (void)state;
  start("", "550 no such user\r\n");
  send_to(arena_format(&a, "smtp://%s", s.name), NULL, "ana@example.org");
  assert_string_equal(said.code, "MAIL");
  assert_non_null(strstr(said.message, "mail server 127.0.0.1 answered 550"));
  assert_false(said.retryable);
  assert_null(strstr(heard, "DATA"));
}

static void test_a_temporary_refusal_may_be_tried_again(void **state) {
  (void)state;
  start("", "451 later\r\n");
  send_to(arena_format(&a, "smtp://%s", s.name), NULL, "ana@example.org");
  assert_string_equal(said.code, "MAIL");
  assert_true(said.retryable);
}

static void test_no_server_is_a_network_fault(void **state) {
  (void)state;
  start("", "");
  int port = s.port;
  server_close(&s);
  send_to(arena_format(&a, "smtp://user:s3cret@127.0.0.1:%d", port), NULL, "ana@example.org");
  assert_string_equal(said.code, "HTTP_NETWORK");
  assert_true(said.retryable);
  assert_null(strstr(said.message, "s3cret"));
  server_open(&s, talk);
}

/* 127.0.0.1 under a form that is not taken for loopback is held to TLS. */
static void test_tls_is_required_beyond_loopback(void **state) {
  (void)state;
  start("", "250 ok\r\n");
  send_to(arena_format(&a, "smtp://0.0.0.0:%d", s.port), NULL, "ana@example.org");
  assert_string_equal(said.code, "MAIL");
  assert_string_equal(said.message, "mail server 0.0.0.0 offers no TLS, which is required");
  assert_false(said.retryable);
  assert_null(strstr(heard, "MAIL FROM"));
}

static void test_bad_letters_are_never_sent(void **state) {
  (void)state;
  start("", "250 ok\r\n");
  send_to(arena_format(&a, "smtp://%s", s.name), NULL, "ana@example.org\r\nDATA");
  assert_string_equal(said.code, "MAIL");
  send_to(arena_format(&a, "http://%s", s.name), NULL, "ana@example.org");
  assert_non_null(strstr(said.message, "expected smtp://host:port"));
  assert_string_equal(heard, "");
}

static void test_a_letter_under_way_is_told_when_all_ends(void **state) {
  (void)state;
  start("", "250 ok\r\n");
  value to = value_list();
  value_add(&a, &to, value_text("bo@example.org"));
  mail m = {.server = arena_format(&a, "smtp://%s", s.name),
            .from = "a@b",
            .subject = "x",
            .text = "",
            .to = &to};
  ended = 0;
  uint64_t first = mail_send(l.fetch, &m, done, NULL);
  mail_send(l.fetch, &m, done, NULL);
  loop_turn(&l);
  fetch_cancel(l.fetch, first);
  fetch_loop again = {&l, loop_watch, loop_wake, loop_now, loop_chance};
  fetch_close(l.fetch);
  assert_int_equal(ended, 1);
  assert_string_equal(said.code, "CANCELLED");
  l.fetch = fetch_open(&again);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_a_message_is_delivered, close_all),
      cmocka_unit_test_teardown(test_a_refusal_says_what_the_server_answered, close_all),
      cmocka_unit_test_teardown(test_a_temporary_refusal_may_be_tried_again, close_all),
      cmocka_unit_test_teardown(test_no_server_is_a_network_fault, close_all),
      cmocka_unit_test_teardown(test_tls_is_required_beyond_loopback, close_all),
      cmocka_unit_test_teardown(test_bad_letters_are_never_sent, close_all),
      cmocka_unit_test_teardown(test_a_letter_under_way_is_told_when_all_ends, close_all),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
