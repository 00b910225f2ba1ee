/* regex_test.c -- searching, limits, and the JavaScript way of reading patterns.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "regex/regex.h"

static regex *compile(const char *pattern) {
  dts_error e = {0};
  regex *r = regex_compile(pattern, strlen(pattern), &e);
  if (!r) fail_msg("%s: %s", pattern, e.message);
  return r;
}

static bool finds(const char *pattern, const char *text) {
  regex *r = compile(pattern);
  int status = regex_match(r, text, strlen(text), NULL);
  assert_true(status >= 0);
  regex_free(r);
  return status;
}

static void assert_refused(const char *pattern, const char *message) {
  dts_error e = {0};
  assert_null(regex_compile(pattern, strlen(pattern), &e));
  assert_string_equal(e.code, "REGEX");
  if (message) assert_string_equal(e.message, message);
}

static void comes_to_an_end(void **state) {
  (void)state;
  dts_error e = {0};
  regex *r = compile("^(a+)+$");
  char text[41];
  memset(text, 'a', 40);
  text[40] = '!';
  assert_int_equal(regex_match(r, text, 41, &e), -1);
  assert_string_equal(e.code, "LIMIT_REGEX");
  assert_true(e.hint[0]);
  regex_free(r);
}

static void refuses_broken_text(void **state) {
  (void)state;
  dts_error e = {0};
  regex *r = compile("x");
  assert_int_equal(regex_match(r, "a\xFFx", 3, &e), -1);
  assert_string_equal(e.code, "REGEX");
  assert_int_equal(regex_match(r, "a\xC3\xA9x", 4, &e), 1);
  assert_int_equal(regex_match(r, NULL, 0, &e), 0);
  regex_free(r);
}

static void explains_wrong_patterns(void **state) {
  (void)state;
  assert_refused("a(b", "the pattern \"a(b\" is wrong at character 4: missing closing parenthesis");
  assert_refused("\xFF", "the pattern is not UTF-8 of at most 64 KB");
  assert_refused("a\\C", NULL);
  assert_refused("a\\Z",
                 "the pattern \"a\\Z\" is wrong at character 3: an escape that ECMA-262 has not");
}

static void reads_as_javascript(void **state) {
  (void)state;
  const struct {
    const char *pattern, *text;
    bool found;
  } cases[] = {
      {"^\\d+$", "12", true},
      {"^\\d+$", "12\n", false},
      {"^\\d$", "\xDF\xA0", false}, /* NKO digit zero */
      {"^\\s$", "\xC2\xA0", true},
      {"^\\S$", "\xC2\xA0", false},
      {"^[\\s]$", "\xE2\x80\x83", true},
      {"^[\\S]$", "\xE2\x80\x83", false},
      {"^[\\s\\S]+$", "a\n\xC3\xA9\xF0\x9F\x98\x80", true},
      {"^\\w$", "\xC3\xA9", false},
      {"^\\p{Letter}+$", "\xC3\xA9", true},
      {"^\\p{L}\\P{Lu}$", "Ab", true},
      {"^\\p{Script=Greek}$", "\xCE\xB1", true},
      {"^\\p{gc=Decimal_Number}$", "7", true},
      {"^\\u00e9\\x41\\u{1F600}\\ud83d\\ude00$",
       "\xC3\xA9"
       "A\xF0\x9F\x98\x80\xF0\x9F\x98\x80",
       true},
      {"^.$", "\xE2\x80\xA8", false},
      {"^[^]$", "\n", true},
      {"[]", "x", false},
      {"^[[:alpha:]]$", "a]", true}, /* a class of [:alph, then ] */
      {"^\\cC$", "\x03", true},
      {"^\\v$", "\x0B", true},
      {"^\\0$", "", false},
      {"^a\\/b\\-c$", "a/b-c", true},
      {"^a{,2}$", "a{,2}", true},
      {"^a{2}$", "aa", true},
      {"^(?:a|b)+?(?=c)(?!d)c$", "abc", true},
      {"(?<=\\$)\\d+(?<!5)", "cost $42", true},
      {"(?<y>a)\\k<y>", "aa", true},
      {"^(?:(a)|b)\\1$", "b", true},
      {"^\xC3\xA1",
       "\xC3\xA1"
       "b",
       true},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
    if (finds(cases[i].pattern, cases[i].text) != cases[i].found)
      fail_msg("%s on %s", cases[i].pattern, cases[i].text);
}

static void refuses_what_javascript_has_not(void **state) {
  (void)state;
  const char *const bad[] = {
      "^x*+y",   "(?>a)",         "(?#note)a", "(*UTF)a", "\\Aa", "\\Qa\\E", "\\h",
      "\\uD800", "\\u{110000}",   "\\u12",     "\\xZZ",   "\\",   "a**",     "[a",
      "(a",      "\\p{Nonsense}", "\\pL",      "(?i)a",   "\\c1", "[\\B]",   "\\ud800\\u0041"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_refused(bad[i], NULL);
}

static void *search(void *argument) {
  for (int i = 0; i < 300; i++)
    if (regex_match(argument, "xxabcabcabc", 11, NULL) != 1) return argument;
  return NULL;
}

static void serves_several_threads(void **state) {
  (void)state;
  pthread_t threads[4];
  void *failed;
  regex *r = compile("(abc)+$");
  for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, search, r), 0);
  for (int i = 0; i < 4; i++) {
    pthread_join(threads[i], &failed);
    assert_null(failed);
  }
  regex_free(r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(comes_to_an_end),
      cmocka_unit_test(refuses_broken_text),
      cmocka_unit_test(explains_wrong_patterns),
      cmocka_unit_test(reads_as_javascript),
      cmocka_unit_test(refuses_what_javascript_has_not),
      cmocka_unit_test(serves_several_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
