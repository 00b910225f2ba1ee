/* regex_test.c -- searching, groups, limits, and the JavaScript way of reading patterns.
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

static regex *compile(const char *pattern, unsigned flags) {
  dts_error e = {0};
  regex *r = regex_compile(pattern, strlen(pattern), flags, &e);
  if (!r) fail_msg("%s: %s", pattern, e.message);
  return r;
}

static bool finds(const char *pattern, unsigned flags, const char *text) {
  regex *r = compile(pattern, flags);
  int status = regex_match(r, text, strlen(text), 0, NULL, 0, NULL);
  assert_true(status >= 0);
  regex_free(r);
  return status;
}

static void assert_refused(const char *pattern, unsigned flags, const char *message) {
  dts_error e = {0};
  assert_null(regex_compile(pattern, strlen(pattern), flags, &e));
  assert_string_equal(e.code, "REGEX");
  if (message) assert_string_equal(e.message, message);
}

static void finds_groups(void **state) {
  (void)state;
  regex_span spans[5];
  regex *r = compile("(?<year>\\d{4})-(\\d\\d)(x)?", 0);
  const char text[] = "on 2024-05, then 2025-06";
  assert_int_equal(regex_group_count(r), 3);
  assert_string_equal(regex_group_name(r, 1), "year");
  assert_null(regex_group_name(r, 2));
  assert_null(regex_group_name(r, 4));
  assert_int_equal(regex_match(r, text, strlen(text), 0, spans, 5, NULL), 1);
  assert_int_equal(spans[0].start, 3);
  assert_int_equal(spans[0].end, 10);
  assert_int_equal(spans[2].start, 8);
  assert_true(spans[3].start == REGEX_UNSET && spans[4].end == REGEX_UNSET);
  assert_int_equal(regex_match(r, text, strlen(text), 10, spans, 1, NULL), 1);
  assert_int_equal(spans[0].start, 17);
  assert_int_equal(regex_match(r, text, strlen(text), 20, spans, 1, NULL), 0);
  assert_int_equal(regex_match(r, NULL, 0, 0, spans, 1, NULL), 0);
  assert_int_equal(regex_match(r, "", 0, 1, spans, 1, NULL), 0);
  regex_free(r);
  regex_free(NULL);
}

static void knows_flags(void **state) {
  (void)state;
  assert_true(finds("CAF\xC3\x89", REGEX_CASELESS, "caf\xC3\xA9"));
  assert_false(finds("^b", 0, "a\nb"));
  assert_true(finds("^b", REGEX_MULTILINE, "a\nb"));
  assert_false(finds("a.b", 0, "a\nb"));
  assert_true(finds("a.b", REGEX_DOTALL, "a\nb"));
  assert_true(finds("a b # both", REGEX_EXTENDED, "ab"));
  assert_true(finds("^.$", 0, "\xF0\x9F\x98\x80"));
}

static void comes_to_an_end(void **state) {
  (void)state;
  dts_error e = {0};
  regex *r = compile("^(a+)+$", 0);
  char text[41];
  memset(text, 'a', 40);
  text[40] = '!';
  assert_int_equal(regex_match(r, text, 41, 0, NULL, 0, &e), -1);
  assert_string_equal(e.code, "LIMIT_REGEX");
  assert_true(e.hint[0]);
  regex_free(r);
}

static void refuses_broken_text(void **state) {
  (void)state;
  dts_error e = {0};
  regex *r = compile("x", 0);
  assert_int_equal(regex_match(r, "a\xFFx", 3, 0, NULL, 0, &e), -1);
  assert_string_equal(e.code, "REGEX");
  assert_int_equal(regex_match(r, "a\xC3\xA9x", 4, 2, NULL, 0, &e), -1);
  regex_free(r);
  r = compile("x", REGEX_TRUSTED);
  assert_int_equal(regex_match(r, "a\xC3\xA9x", 4, 3, NULL, 0, &e), 1);
  regex_free(r);
}

static void explains_wrong_patterns(void **state) {
  (void)state;
  assert_refused("a(b", 0,
                 "the pattern \"a(b\" is wrong at character 4: missing closing parenthesis");
  assert_refused("\xFF", 0, "the pattern is not UTF-8 of at most 64 KB");
  assert_refused("a\\C", 0, NULL);
  assert_refused("a\\Z", REGEX_ECMA,
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
    if (finds(cases[i].pattern, REGEX_ECMA, cases[i].text) != cases[i].found)
      fail_msg("%s on %s", cases[i].pattern, cases[i].text);
}

static void refuses_what_javascript_has_not(void **state) {
  (void)state;
  const char *const bad[] = {
      "^x*+y",   "(?>a)",         "(?#note)a", "(*UTF)a", "\\Aa", "\\Qa\\E", "\\h",
      "\\uD800", "\\u{110000}",   "\\u12",     "\\xZZ",   "\\",   "a**",     "[a",
      "(a",      "\\p{Nonsense}", "\\pL",      "(?i)a",   "\\c1", "[\\B]",   "\\ud800\\u0041"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_refused(bad[i], REGEX_ECMA, NULL);
}

static void *search(void *argument) {
  for (int i = 0; i < 300; i++)
    if (regex_match(argument, "xxabcabcabc", 11, 0, NULL, 0, NULL) != 1) return argument;
  return NULL;
}

static void serves_several_threads(void **state) {
  (void)state;
  pthread_t threads[4];
  void *failed;
  regex *r = compile("(abc)+$", 0);
  for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, search, r), 0);
  for (int i = 0; i < 4; i++) {
    pthread_join(threads[i], &failed);
    assert_null(failed);
  }
  regex_free(r);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(finds_groups),
      cmocka_unit_test(knows_flags),
      cmocka_unit_test(comes_to_an_end),
      cmocka_unit_test(refuses_broken_text),
      cmocka_unit_test(explains_wrong_patterns),
      cmocka_unit_test(reads_as_javascript),
      cmocka_unit_test(refuses_what_javascript_has_not),
      cmocka_unit_test(serves_several_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
