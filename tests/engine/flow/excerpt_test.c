/* excerpt_test.c -- which line of a file an error names, and which errors are final for a file.
 *
 * SPDX-License-Identifier: MIT */
#include "store/help.h"

#include "flow/jobs/excerpt.h"
#include "flow/runs/ending_why.h"

static int64_t line_of(const char *code, const char *message) {
  arena a = {0};
  dts_error e;
  error_fail(&e, code, "%s", message);
  char *text = excerpt_error(&e, NULL, NULL);
  value v = help_json(&a, text);
  int64_t line = value_get_integer(&v, "input_line", 0);
  free(text);
  arena_free(&a);
  return line;
}

static void names_the_line_of_the_file(void **state) {
  (void)state;
  assert_int_equal(line_of("ROWS", "a number expected, got \"x\" (line 17 of a.csv)"), 17);
  assert_int_equal(line_of("ENCODING", "byte 0xE4 at offset 34 is not utf-8 (line 3 of a.csv)"), 3);
  assert_int_equal(line_of("CSV", "line 500, field 3: a quote is not closed"), 500);
  assert_int_equal(line_of("SCRIPT", "something (line 3 of a.csv)"), 0);
}

static bool is_final(const char *kind, const char *code) {
  run r = {.job.kind = kind};
  dts_error e;
  error_fail(&e, code, "x");
  return why_is_permanent(&r, &e);
}

/* A file's bytes never change: what is wrong in them is wrong the next time. */
static void what_is_wrong_in_a_file_is_final(void **state) {
  (void)state;
  static const char *const codes[] = {"ROWS", "CSV", "JSON", "XML", "HTML", "TEXT", "ENCODING"};
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) {
    assert_true(is_final("file", codes[i]));
    assert_false(is_final("params", codes[i])); /* a source may answer better the next time */
  }
  assert_false(is_final("file", "STORE_BUSY"));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(names_the_line_of_the_file),
      cmocka_unit_test(what_is_wrong_in_a_file_is_final),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
