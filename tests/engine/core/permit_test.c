/* permit_test.c -- which host a pattern names, and how a refusal reads.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

#include "core/permit.h"

static const char *const hosts[] = {"api.github.com", "*.example.org", "127.0.0.1:9001", NULL};

static const permit FUEL = {.who = "pipeline 'fuel'", .hosts = hosts};

static void patterns_match_whole_names(void **state) {
  (void)state;
  const struct {
    const char *pattern, *host;
    int port;
    bool matches;
  } cases[] = {
      {"api.github.com", "api.github.com", 443, true},
      {"api.github.com", "API.GitHub.com.", 80, true},
      {"API.github.com.", "api.github.com", 443, true},
      {"api.github.com", "api.github.com", 8443, false},
      {"api.github.com:8443", "api.github.com", 8443, true},
      {"api.github.com:8443", "api.github.com", 443, false},
      {"api.github.com", "xapi.github.com", 443, false},
      {"api.github.com", "api.github.com.evil.net", 443, false},
      {"api.github.com", "api-github.com", 443, false},
      {"*.example.org", "a.example.org", 443, true},
      {"*.example.org", "a.b.example.org", 443, true},
      {"*.example.org", "example.org", 443, false},
      {"*.example.org", "badexample.org", 443, false},
      {"*.example.org", ".example.org", 443, false},
      {"*.example.org", "a..example.org", 443, false},
      {"*.example.org:8080", "a.example.org", 8080, true},
      {"127.0.0.1:9001", "127.0.0.1", 9001, true},
      {"127.0.0.1:9001", "127.0.0.1", 9002, false},
      {"127.0.0.1:9001", "2130706433", 9001, false},
      {"[::1]:9001", "::1", 9001, true},
      {"::1", "::1", 443, true},
      {"[::1]", "::1", 443, true},
      {"[::1]:9001", "::1", 443, false},
      {"localhost", "localhost", 80, true},
      {"*.org", "127.0.0.1", 80, false},
      {"api.github.com", "api.github.com\n", 443, false},
      {"api.github.com", "", 443, false},
      {"", "", 443, false},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    bool got = permit_host_match(cases[i].pattern, cases[i].host, cases[i].port);
    if (got != cases[i].matches) fail_msg("%s against %s", cases[i].pattern, cases[i].host);
  }
}

static void a_wildcard_never_names_an_address(void **state) {
  (void)state;
  assert_false(permit_host_match("*.0.0.1", "127.0.0.1", 80));
  assert_false(permit_host_match("*.1", "127.0.0.1", 80));
  assert_true(permit_host_is_named(&FUEL, "127.0.0.1", 9001));
  assert_true(permit_host_is_named(&FUEL, "api.github.com", 443));
  assert_false(permit_host_is_named(&FUEL, "a.example.org", 443));
  assert_int_equal(permit_host(&FUEL, "a.example.org", 443, NULL), 0);
}

static int check(const char *pattern, dts_error *err) {
  value item = value_text(pattern), list = value_list();
  list.list.items = &item, list.list.count = 1;
  return permit_patterns_check(&list, err);
}

static void bad_patterns_say_what_to_write(void **state) {
  (void)state;
  const struct {
    const char *pattern, *hint;
  } cases[] = {
      {"https://api.github.com", "leave out the scheme and the path: only the host is named here"},
      {"api.github.com/repos", "leave out the scheme and the path: only the host is named here"},
      {"*", "a wildcard stands for whole labels at the front: \"*.example.org\""},
      {"api.*.com", "a wildcard stands for whole labels at the front: \"*.example.org\""},
      {"*.0.0.1", "a wildcard stands for whole labels at the front: \"*.example.org\""},
      {"", "examples: \"api.github.com\", \"127.0.0.1:9001\", \"*.example.org\""},
      {"a..b", "examples: \"api.github.com\", \"127.0.0.1:9001\", \"*.example.org\""},
      {"host:0", "examples: \"api.github.com\", \"127.0.0.1:9001\", \"*.example.org\""},
      {"host:65536", "examples: \"api.github.com\", \"127.0.0.1:9001\", \"*.example.org\""},
      {"host:", "examples: \"api.github.com\", \"127.0.0.1:9001\", \"*.example.org\""},
      {"[::1", "examples: \"api.github.com\", \"127.0.0.1:9001\", \"*.example.org\""},
      {"user@host", "examples: \"api.github.com\", \"127.0.0.1:9001\", \"*.example.org\""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    dts_error err = {0};
    assert_int_equal(check(cases[i].pattern, &err), -1);
    assert_string_equal(err.code, "PERMIT_PATTERN");
    assert_string_equal(err.hint, cases[i].hint);
  }
  assert_int_equal(permit_patterns_check(NULL, NULL), 0);
  for (size_t i = 0; hosts[i]; i++) assert_int_equal(check(hosts[i], NULL), 0);
  assert_int_equal(check("host:65535", NULL), 0);
}

static void long_names_are_refused(void **state) {
  (void)state;
  char name[600];
  memset(name, 'a', sizeof name);
  name[sizeof name - 1] = 0;
  dts_error err = {0};
  assert_int_equal(check(name, &err), -1);
  assert_false(permit_host_match("*.example.org", name, 443));
  assert_int_equal(permit_host(&FUEL, name, 443, &err), -1);
}

static void a_host_outside_is_refused_in_words(void **state) {
  (void)state;
  dts_error err = {0};
  assert_int_equal(permit_host(&FUEL, "api.github.com", 443, &err), 0);
  assert_int_equal(permit_host(&FUEL, "api.githb.com", 443, &err), -1);
  assert_string_equal(err.code, "HOST_REFUSED");
  assert_string_equal(err.message, "pipeline 'fuel' may not reach api.githb.com: "
                                   "none of its sources and allow.hosts is it");
  assert_string_equal(err.hint, "did you mean 'api.github.com'?");
  assert_int_equal(permit_host(&FUEL, "::1", 81, &err), -1);
  assert_string_equal(err.hint,
                      "declare a dts.source for it, or allow = { hosts = { \"[::1]:81\" } }");
  permit none = {.who = "route 'x'"};
  assert_int_equal(permit_host(&none, "a.b", 443, &err), -1);
  assert_string_equal(err.hint, "declare a dts.source for it, or allow = { hosts = { \"a.b\" } }");
}

static void no_script_exceeds_the_ceiling(void **state) {
  (void)state;
  static const char *const ceiling[] = {"api.github.com", NULL}, *const empty[] = {NULL};
  permit p = FUEL;
  dts_error err = {0};
  p.ceiling = ceiling;
  assert_int_equal(permit_host(&p, "api.github.com", 443, &err), 0);
  assert_int_equal(permit_host(&p, "a.example.org", 443, &err), -1);
  assert_string_equal(err.message, "pipeline 'fuel' may not reach a.example.org: "
                                   "allow.hosts in dts.lua does not name it");
  p.ceiling = empty;
  assert_int_equal(permit_host(&p, "api.github.com", 443, &err), -1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(patterns_match_whole_names),
      cmocka_unit_test(a_wildcard_never_names_an_address),
      cmocka_unit_test(bad_patterns_say_what_to_write),
      cmocka_unit_test(long_names_are_refused),
      cmocka_unit_test(a_host_outside_is_refused_in_words),
      cmocka_unit_test(no_script_exceeds_the_ceiling),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
