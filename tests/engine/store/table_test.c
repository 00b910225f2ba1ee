/* table_test.c -- declarations, and what each type takes and refuses.
 *
 * SPDX-License-Identifier: MIT */
#include "store/help.h"

#include <math.h>

static const char every_type[] =
    "{\"name\":\"all_types\",\"key\":[\"k\"],\"columns\":["
    "{\"name\":\"k\",\"type\":\"text\"},{\"name\":\"n\",\"type\":\"integer\"},"
    "{\"name\":\"x\",\"type\":\"real\"},{\"name\":\"b\",\"type\":\"boolean\"},"
    "{\"name\":\"d\",\"type\":\"date\"},{\"name\":\"t\",\"type\":\"timestamp\"},"
    "{\"name\":\"j\",\"type\":\"json\"},{\"name\":\"r\",\"type\":\"real\",\"not_null\":true},"
    "{\"name\":\"o\",\"type\":\"integer\",\"not_null\":true,\"default\":\"7\"}]}";

static void takes(const char *column, const char *json, const char *expected) {
  arena a = {0};
  size_t i;
  dts_error e = {0};
  table *t = help_table(&a, every_type);
  value v = help_json(&a, json), want = help_json(&a, expected);
  assert_non_null(table_find(t, column, &i));
  if (table_check(t, i, &a, &v, &e) < 0) fail_msg("%s", e.message);
  if (!value_equal(&v, &want) || v.kind != want.kind)
    fail_msg("%s: %s is not %s", column, json, expected);
  arena_free(&a);
}

static void refuses(const char *column, const char *json, const char *message) {
  arena a = {0};
  size_t i;
  dts_error e = {0};
  table *t = help_table(&a, every_type);
  value v = help_json(&a, json);
  assert_non_null(table_find(t, column, &i));
  if (table_check(t, i, &a, &v, &e) == 0) fail_msg("%s took %s", column, json);
  assert_string_equal(e.code, "COLUMN");
  assert_string_equal(e.message, message);
  arena_free(&a);
}

static void text_is_utf8_without_nul(void **state) {
  (void)state;
  takes("k", "\"\"", "\"\"");
  takes("k", "\"a\\u00e9\"", "\"a\\u00e9\"");
  refuses("k", "3", "column 'k' of table 'all_types': a text expected, got 3");
  refuses("k", "\"a\\u0000b\"",
          "column 'k' of table 'all_types': text without a NUL character expected");
  refuses("k", "null", "column 'k' of table 'all_types' must have a value, got none");
  arena a = {0};
  dts_error e = {0};
  value v = value_text("ab\xFF");
  assert_int_equal(table_check(help_table(&a, every_type), 0, &a, &v, &e), -1);
  assert_string_equal(e.message,
                      "column 'k' of table 'all_types': text in UTF-8 expected, byte 3 is not");
  arena_free(&a);
}

static void integers_are_exact(void **state) {
  (void)state;
  takes("n", "3.0", "3");
  takes("n", "\"3\"", "3");
  takes("n", "\"-9223372036854775808\"", "-9223372036854775808");
  takes("n", "9223372036854775807", "9223372036854775807");
  takes("n", "-9223372036854775808.0", "-9223372036854775808");
  takes("n", "null", "null");
  refuses("n", "3.5", "column 'n' of table 'all_types': an integer expected, got 3.5");
  refuses("n", "\"3 \"", "column 'n' of table 'all_types': an integer expected, got \"3 \"");
  refuses("n", "\"03\"", "column 'n' of table 'all_types': an integer expected, got \"03\"");
  refuses("n", "\"+3\"", "column 'n' of table 'all_types': an integer expected, got \"+3\"");
  refuses("n", "\"\"", "column 'n' of table 'all_types': an integer expected, got \"\"");
  refuses("n", "\"9223372036854775808\"",
          "column 'n' of table 'all_types': an integer expected, got \"9223372036854775808\"");
  refuses("n", "true", "column 'n' of table 'all_types': an integer expected, got true");
  arena a = {0};
  value v = value_real(9223372036854775808.0);
  assert_int_equal(table_check(help_table(&a, every_type), 1, &a, &v, NULL), -1);
  arena_free(&a);
}

static void reals_are_finite(void **state) {
  (void)state;
  takes("x", "3", "3.0");
  takes("x", "\"-1.5e3\"", "-1500.0");
  takes("x", "\"0\"", "0.0");
  refuses("x", "\"n/a\"", "column 'x' of table 'all_types': a number expected, got \"n/a\"");
  refuses("x", "\"1,5\"", "column 'x' of table 'all_types': a number expected, got \"1,5\"");
  refuses("x", "\" 1\"", "column 'x' of table 'all_types': a number expected, got \" 1\"");
  refuses("x", "\"0x10\"", "column 'x' of table 'all_types': a number expected, got \"0x10\"");
  arena a = {0};
  dts_error e = {0};
  const double bad[] = {NAN, INFINITY, -INFINITY};
  for (size_t i = 0; i < 3; i++) {
    value v = value_real(bad[i]);
    assert_int_equal(table_check(help_table(&a, every_type), 2, &a, &v, &e), -1);
  }
  assert_string_equal(e.message,
                      "column 'x' of table 'all_types': a finite number expected, got infinity");
  arena_free(&a);
}

static void booleans_and_json(void **state) {
  (void)state;
  takes("b", "true", "true");
  takes("b", "\"false\"", "false");
  refuses("b", "1", "column 'b' of table 'all_types': true or false expected, got 1");
  refuses("b", "\"yes\"", "column 'b' of table 'all_types': true or false expected, got \"yes\"");
  takes("j", "{\"a\":[1,null]}", "\"{\\\"a\\\":[1,null]}\"");
  takes("j", "\"[1]\"", "\"[1]\"");
  takes("j", "4", "\"4\"");
  refuses("j", "\"{a\"", "column 'j' of table 'all_types': valid JSON expected, got \"{a\"");
}

static void dates_are_real_days(void **state) {
  (void)state;
  takes("d", "\"2024-02-29\"", "\"2024-02-29\"");
  refuses("d", "\"2023-02-29\"",
          "column 'd' of table 'all_types': a date YYYY-MM-DD expected, got \"2023-02-29\"");
  refuses("d", "\"2024-2-9\"",
          "column 'd' of table 'all_types': a date YYYY-MM-DD expected, got \"2024-2-9\"");
  refuses("d", "20240229",
          "column 'd' of table 'all_types': a date YYYY-MM-DD expected, got 20240229");
}

static void timestamps_become_utc(void **state) {
  (void)state;
  takes("t", "\"2026-03-10T13:00:00.000Z\"", "\"2026-03-10T13:00:00.000Z\"");
  takes("t", "\"2026-03-10T10:00:00-03:00\"", "\"2026-03-10T13:00:00.000Z\"");
  takes("t", "\"2026-01-01T00:30:00.5+01:00\"", "\"2025-12-31T23:30:00.500Z\"");
  takes("t", "\"2026-03-10T13:00:00.123456Z\"", "\"2026-03-10T13:00:00.123Z\"");
  refuses("t", "\"2026-03-10T13:00:00\"",
          "column 't' of table 'all_types': a time with its offset, such as 2026-03-10T13:00:00Z, "
          "expected, got \"2026-03-10T13:00:00\"");
  refuses("t", "1700000000",
          "column 't' of table 'all_types': a time with its offset, such as 2026-03-10T13:00:00Z, "
          "expected, got 1700000000");
}

static void defaults_stand_in_for_null(void **state) {
  (void)state;
  takes("o", "null", "null");
  refuses("r", "null", "column 'r' of table 'all_types' must have a value, got none");
}

static void declared_wrongly(const char *json, const char *message, const char *hint) {
  arena a = {0};
  dts_error e = {0};
  value v = help_json(&a, json);
  assert_null(table_read(&a, &v, &e));
  assert_string_equal(e.message, message);
  assert_string_equal(e.hint, hint);
  assert_string_equal(e.where, "p.lua:4");
  arena_free(&a);
}

#define DECLARATION(name, rest) "{\"file\":\"p.lua\",\"line\":4,\"name\":\"" name "\"," rest "}"
#define ONE                     "\"columns\":[{\"name\":\"id\",\"type\":\"text\"}]"

static void says_what_is_wrong(void **state) {
  (void)state;
  declared_wrongly(DECLARATION("Fuel", ONE),
                   "table name \"Fuel\": small letters, digits and _ expected, a letter first",
                   "at most 63 characters");
  declared_wrongly(DECLARATION("dts_x", ONE),
                   "table name \"dts_x\": names with this beginning are the engine's own", "");
  declared_wrongly(DECLARATION("t", ONE ",\"indx\":[]"), "table 't': unknown field 'indx'",
                   "did you mean 'index'?");
  declared_wrongly(
      DECLARATION("t", "\"columns\":[{\"name\":\"id\",\"type\":\"txt\"}]"),
      "column 'id' of table 't': type \"txt\", expected text, integer, real, boolean, date, "
      "timestamp or json",
      "did you mean 'text'?");
  declared_wrongly(DECLARATION("t", ONE ",\"key\":[\"idd\"]"),
                   "table 't': the key names column 'idd', which it does not have",
                   "did you mean 'id'?");
  declared_wrongly(DECLARATION("t", ONE ",\"key\":[\"id\",\"id\"]"),
                   "table 't': 'id' is twice in its key", "");
  declared_wrongly(DECLARATION("t", ONE ",\"index\":[[\"no\"]]"),
                   "table 't': the index names column 'no', which it does not have", "");
  declared_wrongly(DECLARATION("t", "\"columns\":[]"),
                   "table 't': a list of 1 to 1000 columns expected", "");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(text_is_utf8_without_nul),   cmocka_unit_test(integers_are_exact),
      cmocka_unit_test(reals_are_finite),           cmocka_unit_test(booleans_and_json),
      cmocka_unit_test(dates_are_real_days),        cmocka_unit_test(timestamps_become_utc),
      cmocka_unit_test(defaults_stand_in_for_null), cmocka_unit_test(says_what_is_wrong),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
