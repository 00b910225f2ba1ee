/* mask_test.c -- what a source answers of what it was sent: asterisks in every spelling, and no length changes.
 *
 * SPDX-License-Identifier: MIT */
#include "net/loop.h"
#include "crypto/crypto.h"
#include "net/mask.h"

/* p4ss w"rd/&+1, alone and behind a user's name. */
#define SECRET "p4ss w\"rd/&+1"

static const char *const told[] = {
    SECRET,
    "p4ss%20w%22rd%2F%26%2B1",
    "p4ss+w%22rd%2f%26%2b1",
    "p4ss%2520w%2522rd%252F%2526%252B1",
    "p4ss w\\\"rd\\/\\u0026+1",
    "p4ss w\\u0022rd/&+1",
    "p4ss w&quot;rd/&amp;+1",
    "p4ss w&#34;rd/&#x26;+1",
    "7034737320772272642f262b31",
    "7034737320772272642F262B31",
    NULL,
};

static const char *const harmless[] = {"p4ss",       "p4ss w", "cDRz", "a text without it",
                                       "%%%\\\\&&&", NULL};

static const char *masked(arena *a, const char *text, const char *secret) {
  value list = value_list();
  value_add(a, &list, value_text(secret));
  char *copy = arena_text(a, text);
  mask_bytes(copy, strlen(copy), &list);
  assert_int_equal(strlen(copy), strlen(text));
  return copy;
}

static const char *stars(arena *a, size_t count) {
  char *text = arena_alloc(a, count + 1);
  memset(text, '*', count);
  text[count] = 0;
  return text;
}

static void test_no_spelling_of_a_secret_is_handed_on(void **state) {
  (void)state;
  arena a = {0};
  for (const char *const *t = told; *t; t++) {
    const char *text = arena_format(&a, "{\"echo\":\"%s\",\"n\":1}", *t);
    const char *wanted = arena_format(&a, "{\"echo\":\"%s\",\"n\":1}", stars(&a, strlen(*t)));
    assert_string_equal(masked(&a, text, SECRET), wanted);
  }
  for (const char *const *t = harmless; *t; t++) assert_string_equal(masked(&a, *t, SECRET), *t);
  arena_free(&a);
}

/* Behind a user's name of whatever length, with more behind it: no character is left that holds a bit. */
static void test_basic_credentials_are_not_handed_on(void **state) {
  (void)state;
  arena a = {0};
  for (size_t before = 0; before < 6; before++) {
    buffer plain, text;
    buffer_init(&plain, 100), buffer_init(&text, 200);
    buffer_add_format(&plain, "%.*s%s:tail", (int)before, "abcde:", SECRET);
    crypto_base64(&text, plain.data, plain.size);
    const char *out = masked(&a, buffer_text(&text), SECRET);
    size_t from = 8 * before / 6, to = (8 * (before + strlen(SECRET)) + 5) / 6;
    for (size_t i = from; i < to; i++) assert_int_equal(out[i], '*');
    if (from) assert_memory_equal(out, text.data, from - 1); /* one more may go on either side */
    assert_memory_equal(out + to + 1, text.data + to + 1, text.size - to - 1);
    buffer_free(&plain), buffer_free(&text);
  }
  arena_free(&a);
}

/* The secret is what stands behind "Basic ": who answers may have read it. */
static void test_a_password_in_base64_is_not_handed_on(void **state) {
  (void)state;
  arena a = {0};
  const char *secret = "dXNlcjpwNHNzLXdvcmQtOTk="; /* user:p4ss-word-99 */
  assert_string_equal(masked(&a, "Basic dXNlcjpwNHNzLXdvcmQtOTk=", secret),
                      "Basic ************************");
  assert_string_equal(masked(&a, "user: wrong password p4ss-word-99", secret),
                      "user: wrong password ************");
  assert_string_equal(masked(&a, "p4ss%2Dword%2D99, user", secret), "****************, user");
  assert_string_equal(masked(&a, "user ab", "dXNlcjphYg=="), "user ab"); /* user:ab is too short */
  arena_free(&a);
}

static void test_odd_secrets(void **state) {
  (void)state;
  arena a = {0};
  assert_string_equal(masked(&a, "[.*+?(] .*+?(]!", "[.*+?(]"), "******* .*+?(]!");
  assert_string_equal(masked(&a, "\"l\\u00f6wen\" l\\u00F6wen", "l\xc3\xb6wen"),
                      "\"**********\" **********");
  assert_string_equal(masked(&a, "[key-\\ud83d\\udd11]", "key-\xf0\x9f\x94\x91"),
                      "[****************]");
  assert_string_equal(masked(&a, "xl\xc3\xb6wen l%C3%B6wen", "l\xc3\xb6wen"), "x****** **********");
  assert_string_equal(masked(&a, "abcabcabcabcab", "abcabc"), "************ab");
  assert_string_equal(masked(&a, "12345 is short", "12345"), "12345 is short");
  assert_string_equal(masked(&a, "", "abcabc"), "");
  arena_free(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_no_spelling_of_a_secret_is_handed_on),
      cmocka_unit_test(test_basic_credentials_are_not_handed_on),
      cmocka_unit_test(test_a_password_in_base64_is_not_handed_on),
      cmocka_unit_test(test_odd_secrets),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
