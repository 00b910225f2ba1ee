/* message_test.c -- the bytes of an e-mail.
 *
 * SPDX-License-Identifier: MIT */
#include "net/loop.h"
#include "net/message.h"

static arena a;

static value people(const char *one, const char *two) {
  value list = value_list();
  value_add(&a, &list, value_text(one));
  if (two) value_add(&a, &list, value_text(two));
  return list;
}

static const char *written(const mail *m) {
  buffer out;
  dts_error e = {0};
  buffer_init(&out, 1 << 20);
  if (message_write(m, 784111777000, "id-1", &out, &e) < 0) fail_msg("%s", e.message);
  const char *text = arena_text(&a, buffer_text(&out));
  buffer_free(&out);
  return text;
}

static const char *refused(const mail *m) {
  buffer out;
  dts_error e = {0};
  buffer_init(&out, 1 << 20);
  assert_int_equal(message_write(m, 0, "id-1", &out, &e), -1);
  assert_string_equal(e.code, "MAIL");
  buffer_free(&out);
  return arena_text(&a, e.message);
}

static int clear(void **state) {
  (void)state;
  arena_free(&a);
  return 0;
}

static void test_a_plain_message(void **state) {
  (void)state;
  value to = people("Ana <ana@example.org>", "bo@example.org");
  mail m = {.from = "dts@example.org",
            .subject = "fuel: 3 dates missing",
            .to = &to,
            .text = "one\ntwo\r\nthree"};
  assert_string_equal(written(&m), "Date: Sun, 06 Nov 1994 08:49:37 +0000\r\n"
                                   "Message-ID: <id-1@dts>\r\n"
                                   "From: dts@example.org\r\n"
                                   "To: ana@example.org,\r\n bo@example.org\r\n"
                                   "Subject: fuel: 3 dates missing\r\n"
                                   "MIME-Version: 1.0\r\n"
                                   "Content-Type: text/plain; charset=utf-8\r\n"
                                   "Content-Transfer-Encoding: quoted-printable\r\n"
                                   "Auto-Submitted: auto-generated\r\n\r\n"
                                   "one\r\ntwo\r\nthree\r\n");
}

static const char *body(const char *text) {
  value to = people("a@b", NULL);
  mail m = {.from = "a@b", .subject = "s", .to = &to, .text = text};
  return strstr(written(&m), "\r\n\r\n") + 4;
}

static void test_quoted_printable(void **state) {
  (void)state;
  assert_string_equal(body("a=b é"), "a=3Db =C3=A9\r\n");
  assert_string_equal(body("blank \nand tab\t"), "blank=20\r\nand tab=09\r\n");
  assert_string_equal(body(".\n..x\na.b"), "=2E\r\n=2E.x\r\na.b\r\n"); /* never ends the DATA */
  assert_string_equal(body(""), "\r\n");
  char line[301], *start = line;
  memset(line, 'x', 300);
  line[300] = 0;
  const char *out = body(start);
  int x = 0;
  for (const char *end; (end = strstr(out, "\r\n")); out = end + 2) {
    assert_true(end - out <= 76);
    for (const char *p = out; p < end; p++) x += *p == 'x';
  }
  assert_int_equal(x, 300);
}

static void test_subjects_beyond_ascii_are_encoded_words(void **state) {
  (void)state;
  value to = people("a@b", NULL);
  mail m = {.from = "a@b", .subject = "Preço médio", .to = &to, .text = ""};
  assert_non_null(strstr(written(&m), "\r\nSubject: =?UTF-8?B?UHJlw6dvIG3DqWRpbw==?=\r\n"));
  m.subject = "aéaéaéaéaéaéaéaéaéaéaéaéaéaéaéaéaéaéaéaéaéaéaéaéaé";
  const char *text = strstr(written(&m), "Subject: ");
  const char *fold = strstr(text, "?=\r\n =?UTF-8?B?");
  assert_non_null(fold);
  assert_true(fold - text <= 9 + 75);
  m.subject = "=?UTF-8?B?eHg=?= is text"; /* what looks encoded already is not believed */
  assert_non_null(strstr(written(&m), "Subject: =?UTF-8?B?PT9VVEYtOD9CP2VIZz0/PSBpcyB0ZXh0?="));
}

static void test_headers_cannot_be_injected(void **state) {
  (void)state;
  value to = people("a@b", NULL), evil = people("a@b\r\nBcc: c@d", NULL), none = value_list();
  mail m = {.from = "a@b", .subject = "x\r\nBcc: c@d", .to = &to, .text = ""};
  assert_string_equal(refused(&m),
                      "Subject of the e-mail has a line end or control character in it");
  m.subject = "x\ny";
  assert_string_equal(refused(&m),
                      "Subject of the e-mail has a line end or control character in it");
  m.subject = "x", m.to = &evil;
  assert_string_equal(refused(&m), "'' is no e-mail address; expected name@example.org");
  m.to = &to, m.from = "a@b>\r\nX: y";
  assert_string_equal(refused(&m), "'' is no e-mail address; expected name@example.org");
  m.from = "a@b", m.to = &none;
  assert_string_equal(refused(&m), "an e-mail needs at least one address to go to");
  m.to = &to, m.subject = NULL;
  assert_string_equal(refused(&m), "Subject of the e-mail is missing");
}

static void test_addresses(void **state) {
  (void)state;
  static const char *const good[] = {"a@b", "x.y+z@example.org", "Ana B. <a@b>", "\"A, B\" <a@b>"};
  static const char *const bad[] = {"",      "a",       "@b",   "a@",         "a@b@c", "a b@c",
                                    "a@b>x", "a@b,c@d", "<a@b", "a@b SIZE=1", "é@b"};
  char out[256];
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    value v = value_text(good[i]);
    assert_int_equal(message_address(&v, out, sizeof out, NULL), 0);
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    value v = value_text(bad[i]);
    if (message_address(&v, out, sizeof out, NULL) == 0) fail_msg("%s was taken", bad[i]);
  }
  value number = value_integer(7);
  assert_int_equal(message_address(&number, out, sizeof out, NULL), -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(test_a_plain_message, clear),
      cmocka_unit_test_teardown(test_quoted_printable, clear),
      cmocka_unit_test_teardown(test_subjects_beyond_ascii_are_encoded_words, clear),
      cmocka_unit_test_teardown(test_headers_cannot_be_injected, clear),
      cmocka_unit_test_teardown(test_addresses, clear),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
