/* texts_test.c -- SQL functions of texts: what SQLite's own give, and an end where those have none.
 *
 * SPDX-License-Identifier: MIT */
#include "store/help.h"

static void is(store *s, const char *expression, const char *expected) {
  arena a = {0};
  value v =
      help_get(s, &a, arena_format(&a, "select coalesce(cast(%s as text), 'null')", expression));
  if (!value_is(&v, expected)) fail_msg("%s is %.*s", expression, (int)v.text.size, v.text.bytes);
  arena_free(&a);
}

static void refuses(store *s, const char *expression, const char *message) {
  arena a = {0};
  dts_error e = {0};
  help_ask q = {arena_format(&a, "select %s", expression), &a, {0}};
  if (store_read(s, help_ask_work, &q, &e) == 0) fail_msg("%s was taken", expression);
  arena_free(&a);
  assert_string_equal(e.message, message);
}

/* What SQLite's own give, asked of its shell. */
static void texts(void **state) {
  (void)state;
  store *s = help_memory();
  is(s, "instr('abcabc', 'c')", "3");
  is(s, "instr('h\u00e9llo', 'llo')", "3");
  is(s, "instr(x'c3a961', x'61')", "3");
  is(s, "instr('abc', '')", "1");
  is(s, "instr('', 'a')", "0");
  is(s, "instr('', '')", "1");
  is(s, "instr(1234, 34)", "3");
  is(s, "instr(null, 'a')", "null");
  is(s, "replace('banana', 'an', 'AN!')", "bAN!AN!a");
  is(s, "replace('banana', 'x', 'y')", "banana");
  is(s, "replace('banana', '', 'y')", "banana");
  is(s, "typeof(replace(12, '', 'y'))", "integer");
  is(s, "replace('1.234,5', '.', '')", "1234,5");
  is(s, "replace('a', 'a', null)", "null");
  is(s, "'[' || trim('  a b ') || ']'", "[a b]");
  is(s, "'[' || ltrim('  a ') || rtrim('  b ') || ']'", "[a   b]");
  is(s, "trim('xyaxy', 'yx')", "a");
  is(s, "rtrim('a\u00e9\u00e9', '\u00e9')", "a");
  is(s, "'[' || trim('aaa', 'a') || ']'", "[]");
  is(s, "trim(' a ', '')", " a ");
  is(s, "trim(5)", "5");
  is(s, "trim(null)", "null");
  is(s, "printf('%05.1f|%-4s|%d%%|%,d', 2.25, 'ab', 7, 1234567)", "002.3|ab  |7%|1,234,567");
  is(s, "format('%*d|%.*f', 4, 7, 1, 0.25)", "   7|0.3");
  is(s, "printf(null, 1)", "null");
  is(s, "length(printf('%.1000000c', 'x'))", "1000000");
  store_close(s);
}

/* Each of these would take SQLite's own functions hours, in which nothing stops them. */
static void texts_that_would_take_hours(void **state) {
  (void)state;
  store *s = help_memory();
  const char *wide = "printf: widths of at most 10000000 characters expected";
  refuses(s, "printf('%.2000000000c', 'x')", wide);
  refuses(s, "printf('%.*c', 2000000000, 'x')", wide);
  refuses(s, "printf('%s%99999999999999999999d', 'x', 1)", wide);
  refuses(s, "format('%.6000000c%.6000000c', 'x', 'y')", wide);
  refuses(s, "trim('x', printf('%.2000c', 'y'))",
          "trim: at most 1000 bytes of characters to take away");
  is(s, "instr(printf('%.9000000c', 'a'), printf('%.4000000c', 'a') || 'b')", "0");
  is(s, "length(replace(printf('%.9000000c', 'a'), printf('%.4000000c', 'a') || 'b', ''))",
     "9000000");
  refuses(s, "length(replace(printf('%.9000c', 'a'), 'a', printf('%.10000c', 'b')))",
          "a value or the SQL is too large: string or blob too big");
  refuses(s, "'x' like printf('%.2000c', '%')", "LIKE or GLOB pattern too complex");
  store_close(s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(texts),
      cmocka_unit_test(texts_that_would_take_hours),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
