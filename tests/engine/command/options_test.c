/* options_test.c -- what is typed, read as a command declares it; errors word for word.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "command/command.h"

static const command_option options[] = {{"param", "NAME=VALUE", "a parameter"},
                                         {"limit", "N", "at most so many"},
                                         {"n", "COUNT", "how many"},
                                         {"dry-run", NULL, "write nothing"},
                                         {0}};
static const command sample = {.name = "run",
                               .words = "FILE|NAME",
                               .summary = "Run it.",
                               .least = 1,
                               .most = 2,
                               .options = options};

static int read_all(arena *a, given *g, dts_error *e, const char *const *typed) {
  static char room[16][64];
  char *arguments[16];
  int count = 0;
  for (; typed[count]; count++) arguments[count] = strcpy(room[count], typed[count]);
  return options_read(&sample, count, arguments, a, g, e);
}

#define READ(...) read_all(&a, &g, &e, (const char *const[]){__VA_ARGS__, NULL})

static void reads_words_and_options(void **state) {
  (void)state;
  arena a = {0};
  given g;
  dts_error e;
  int64_t n;
  size_t at = 0;
  assert_int_equal(
      0, READ("a.lua", "--param", "x=1", "--param=y=2", "-n", "7", "--dry-run", "--json"));
  assert_int_equal(1, g.word_count);
  assert_string_equal("a.lua", given_word(&g, 0));
  assert_null(given_word(&g, 1));
  assert_string_equal("x=1", given_each(&g, "param", &at));
  assert_string_equal("y=2", given_each(&g, "param", &at));
  assert_null(given_each(&g, "param", &at));
  assert_string_equal("y=2", given_text(&g, "param", NULL));
  assert_int_equal(0, given_integer(&g, "n", 10, &n, &e));
  assert_int_equal(7, n);
  assert_int_equal(0, given_integer(&g, "limit", 20, &n, &e));
  assert_int_equal(20, n);
  assert_true(given_has(&g, "dry-run") && g.json && !g.help);
  arena_free(&a);
}

static void ends_options_at_two_dashes(void **state) {
  (void)state;
  arena a = {0};
  given g;
  dts_error e;
  assert_int_equal(0, READ("--", "--json", "-"));
  assert_false(g.json);
  assert_string_equal("--json", given_word(&g, 0));
  assert_string_equal("-", given_word(&g, 1));
  assert_int_equal(0, READ("--help")); /* needs no word */
  assert_true(g.help);
  assert_int_equal(0, READ("-h"));
  assert_true(g.help);
  arena_free(&a);
}

static void check(const dts_error *e, const char *message, const char *hint) {
  assert_string_equal("USAGE", e->code);
  assert_string_equal(message, e->message);
  assert_string_equal(hint, e->hint);
}

static void names_the_nearest(void **state) {
  (void)state;
  arena a = {0};
  given g;
  dts_error e;
  assert_int_equal(-1, READ("x", "--parm", "1"));
  check(&e, "'dts run' has no option '--parm'", "did you mean '--param'?");
  assert_int_equal(-1, READ("x", "--zzzzzz"));
  check(&e, "'dts run' has no option '--zzzzzz'", "`dts help run` lists its options");
  assert_int_equal(-1, READ("x", "--n", "1"));
  assert_int_equal(-1, READ("x", "-limit", "1"));
  assert_int_equal(-1, READ("x", "--limit"));
  check(&e, "'--limit' needs a value: --limit N", "");
  assert_int_equal(-1, READ("x", "--dry-run=1"));
  check(&e, "'--dry-run' takes no value", "");
  assert_int_equal(-1, READ("--json"));
  check(&e, "'dts run' needs FILE|NAME", "`dts help run` shows how it is used");
  assert_int_equal(-1, READ("a", "b", "c"));
  check(&e, "'c' is one word too many for 'dts run FILE|NAME'",
        "`dts help run` shows how it is used");
  arena_free(&a);
}

static void checks_numbers_and_choices(void **state) {
  (void)state;
  static const char *const verbs[] = {"list", "show", NULL};
  arena a = {0};
  given g;
  dts_error e;
  int64_t n;
  const char *const bad[] = {"0", "-1", "x", "", "1.5", "99999999999999999999"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    assert_int_equal(0, READ("show", "--limit", bad[i]));
    assert_int_equal(-1, given_integer(&g, "limit", 1, &n, &e));
  }
  assert_int_equal(0, READ("show", "--limit", "x"));
  assert_int_equal(-1, given_integer(&g, "limit", 1, &n, &e));
  check(&e, "--limit: a whole number above 0 expected, got \"x\"", "");
  assert_int_equal(1, given_choice(&g, 0, verbs, &e));
  assert_int_equal(0, READ("shwo"));
  assert_int_equal(-1, given_choice(&g, 0, verbs, &e));
  check(&e, "'dts run' has nothing called 'shwo'", "did you mean 'dts run show'?");
  arena_free(&a);
}

static void helps(void **state) {
  (void)state;
  buffer b;
  buffer_init(&b, 4096);
  options_help(&sample, &b);
  assert_string_equal("Usage: dts run FILE|NAME [OPTIONS]\n\nRun it.\n\nOptions:\n"
                      "  --param NAME=VALUE  a parameter\n"
                      "  --limit N           at most so many\n"
                      "  -n COUNT            how many\n"
                      "  --dry-run           write nothing\n"
                      "  --json              print JSON, for programs\n"
                      "  --color WHEN        auto (the default), always or never\n"
                      "  --help              print this help\n",
                      buffer_text(&b));
  buffer_free(&b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_words_and_options), cmocka_unit_test(ends_options_at_two_dashes),
      cmocka_unit_test(names_the_nearest), cmocka_unit_test(checks_numbers_and_choices),
      cmocka_unit_test(helps)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
