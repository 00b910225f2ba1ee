/* json_test.c -- the JSON reader and writer against RFC 8259, JSONTestSuite and strtod.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/json.h"

static value read_good(arena *a, const char *text) {
  dts_error e = {0};
  value v = value_null();
  if (json_read(a, text, strlen(text), &v, &e) < 0) fail_msg("%s: %s", text, e.message);
  return v;
}

/* The bytes are copied to a block of exactly their size, so that reading past them is seen. */
static int read_exactly(const char *bytes, size_t size, dts_error *e) {
  arena a = {0};
  value v;
  char *copy = malloc(size ? size : 1);
  if (size) memcpy(copy, bytes, size);
  int status = json_read(&a, copy, size, &v, e);
  free(copy);
  arena_free(&a);
  return status;
}

static void assert_refused(const char *text, const char *message) {
  dts_error e = {0};
  assert_int_equal(read_exactly(text, strlen(text), &e), -1);
  assert_string_equal(e.message, message);
  assert_string_equal(e.code, "JSON");
}

static void assert_written(const char *expected, const char *text) {
  arena a = {0};
  buffer b;
  value v = read_good(&a, text);
  buffer_init(&b, 1 << 20);
  assert_int_equal(json_write(&b, &v), 0);
  assert_string_equal(buffer_text(&b), expected);
  buffer_free(&b);
  arena_free(&a);
}

static void reads_tokens_one_by_one(void **state) {
  (void)state;
  const char text[] = " {\"a\":[1,-2.5,\"x\",true,false,null],\"b\":{}} ";
  const json_token expected[] = {JSON_MAP,     JSON_KEY,      JSON_LIST, JSON_INTEGER,
                                 JSON_REAL,    JSON_TEXT,     JSON_TRUE, JSON_FALSE,
                                 JSON_NULL,    JSON_LIST_END, JSON_KEY,  JSON_MAP,
                                 JSON_MAP_END, JSON_MAP_END,  JSON_END,  JSON_END};
  json_reader r;
  json_open(&r, text, strlen(text));
  for (size_t i = 0; i < sizeof expected / sizeof *expected; i++) {
    assert_int_equal(json_next(&r), expected[i]);
    if (i == 5) assert_ptr_equal(r.text, strchr(text, 'x')); /* a slice of the input */
  }
  json_close(&r);
}

static void keeps_whole_numbers(void **state) {
  (void)state;
  arena a = {0};
  value v = read_good(&a, "[9223372036854775807,-9223372036854775808,9007199254740993,0,-0]");
  assert_true(v.list.items[0].integer == INT64_MAX);
  assert_true(v.list.items[1].integer == INT64_MIN);
  assert_true(v.list.items[2].integer == 9007199254740993);
  assert_int_equal(v.list.items[4].kind, VALUE_INTEGER);
  v = read_good(&a, "[9223372036854775808,-9223372036854775809,1e2,1.0]");
  for (size_t i = 0; i < 4; i++) assert_int_equal(v.list.items[i].kind, VALUE_REAL);
  assert_true(v.list.items[0].real == 9223372036854775808.0);
  arena_free(&a);
}

static void reads_doubles_as_strtod(void **state) {
  (void)state;
  const char *const hard[] = {"0.1",
                              "1.7976931348623157e308",
                              "5e-324",
                              "2.2250738585072011e-308",
                              "9007199254740993.0",
                              "8.5e22",
                              "1e23",
                              "123456789012345678901234567890.5",
                              "0.30000000000000004",
                              "1e-400",
                              "-0.0",
                              "4.35",
                              "0.000001",
                              "1e22",
                              "179769313486231570000e288",
                              "18014398509481985e0",
                              "1e-22",
                              "0.1e00000000000000000000001",
                              "2.5e+1",
                              "0e999999999999"};
  for (size_t i = 0; i < sizeof hard / sizeof *hard; i++) {
    double x = json_parse_real(hard[i], strlen(hard[i])), y = strtod(hard[i], NULL);
    if (memcmp(&x, &y, sizeof x) != 0) fail_msg("%s: %.17g, not %.17g", hard[i], x, y);
  }
}

static void random_doubles_come_back(void **state) {
  (void)state;
  uint64_t seed = 88172645463325252u;
  buffer b;
  buffer_init(&b, 100);
  for (int i = 0; i < 20000; i++) {
    seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
    double x;
    memcpy(&x, &seed, sizeof x);
    if (i % 2) x = (double)(int64_t)(seed >> 30) / 100;
    if (!isfinite(x)) continue;
    buffer_clear(&b);
    assert_int_equal(json_write_real(&b, x), 0);
    assert_true(json_parse_real(b.data, b.size) == x);
    assert_true(strtod(buffer_text(&b), NULL) == x);
  }
  buffer_free(&b);
}

static void writes_what_it_read(void **state) {
  (void)state;
  assert_written("{\"a\":[1,2.5,\"x\"],\"b\":{},\"c\":[]}",
                 "{ \"a\" : [1,2.5,\"x\"],\"b\":{},\"c\":[ ]}");
  assert_written("[9223372036854775807,0.1,1e+300,3.0,-0.0,100000.0]",
                 "[9223372036854775807,0.1,1e300,3.0,-0.0,1e5]");
  assert_written("\"\\u0001\\n\\t\\\"\\\\/\\u0000\xC3\xA9\xF0\x9F\x98\x80\"",
                 "\"\\u0001\\n\\t\\\"\\\\\\/\\u0000\\u00e9\\ud83d\\ude00\"");
}

static void writes_for_people(void **state) {
  (void)state;
  arena a = {0};
  buffer b;
  value v = read_good(&a, "{\"a\":[1,{}],\"b\":[]}");
  buffer_init(&b, 1000);
  assert_int_equal(json_write_pretty(&b, &v), 0);
  assert_string_equal(buffer_text(&b), "{\n  \"a\": [\n    1,\n    {}\n  ],\n  \"b\": []\n}");
  buffer_free(&b);
  arena_free(&a);
}

static void refuses_to_write_what_json_has_not(void **state) {
  (void)state;
  const double none[] = {NAN, INFINITY, -INFINITY};
  buffer b;
  buffer_init(&b, 1000);
  for (size_t i = 0; i < 3; i++) {
    value v = value_real(none[i]);
    assert_int_equal(json_write(&b, &v), -1);
  }
  buffer_free(&b);
  buffer_init(&b, 5);
  value text = value_text("too long for it");
  assert_int_equal(json_write(&b, &text), -1);
  buffer_free(&b);
}

/* What a script says in an error need not be text; whoever reads the JSON wants it to be. */
static void bytes_that_are_no_text_are_marked(void **state) {
  (void)state;
  static const struct {
    const char *bytes, *written;
  } cases[] = {{"a\xff", "\"a\xEF\xBF\xBD\""},
               {"\xc3", "\"\xEF\xBF\xBD\""},
               {"\xc3\xa4\xc3", "\"\xc3\xa4\xEF\xBF\xBD\""},
               {"\xed\xa0\x80\n", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\\n\""},
               {"\xf0\x9f\x94\x91\"", "\"\xf0\x9f\x94\x91\\\"\""}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    buffer b;
    value v = value_text(cases[i].bytes);
    buffer_init(&b, 1000);
    assert_int_equal(json_write(&b, &v), 0);
    assert_string_equal(buffer_text(&b), cases[i].written);
    buffer_clear(&b);
    assert_int_equal(json_write_exact(&b, &v), i == 4 ? 0 : -1);
    buffer_free(&b);
  }
}

static void ignores_the_locale(void **state) {
  (void)state;
  const char *const commas[] = {"de_DE.UTF-8", "pt_BR.UTF-8", "fr_FR.UTF-8"};
  bool found = false;
  for (size_t i = 0; i < 3 && !found; i++) found = setlocale(LC_NUMERIC, commas[i]) != NULL;
  if (!found) printf("no locale with a decimal comma is installed: checked in the C locale only\n");
  assert_true(json_parse_real("123456789012345678901234.5e-3", 29) == 123456789012345678901.2345);
  assert_written("[0.5,1e+300,0.30000000000000004]", "[0.5,1e300,0.30000000000000004]");
  setlocale(LC_NUMERIC, "C");
}

static void says_where_and_what(void **state) {
  (void)state;
  assert_refused("{\n  \"a\": 1,\n  \"b\":2x}", "line 3, column 8: expected ',' or '}', got 'x'");
  assert_refused("", "line 1, column 1: expected a value, got the end of the document");
  assert_refused("[1,]", "line 1, column 4: expected a value, got ']'");
  assert_refused("{\"a\" 1}", "line 1, column 6: expected ':', got '1'");
  assert_refused("{\"a\":1,}", "line 1, column 8: expected a key in double quotes, got '}'");
  assert_refused("{'a':1}", "line 1, column 2: expected a key in double quotes or '}', got '''");
  assert_refused("\"\xC3\xA9\xC3\xA9\xFF\"", "line 1, column 4: expected UTF-8, got byte 0xFF");
  assert_refused("1 2", "line 1, column 3: expected nothing behind the value, got '2'");
  assert_refused("[1", "line 1, column 3: expected ',' or ']', got the end of the document");
  assert_refused("\"a\tb\"", "line 1, column 3: expected '\"' or an escape such as \\n for a "
                             "control character, got control character \\u0009");
  assert_refused("[\"\\x\"]",
                 "line 1, column 3: expected an escape such as \\n, \\\" or \\u00e9, got '\\'");
  assert_refused("01", "line 1, column 1: expected a number without leading zeros, got '0'");
  assert_refused("1e999",
                 "line 1, column 1: expected a number that fits a double (up to 1.8e308), got '1'");
}

static void refuses_lone_surrogates(void **state) {
  (void)state;
  const char *const bad[] = {"\"\\ud800\"", "\"\\udc00\"", "\"\\ud800\\u0041\"", "\"\\ud800\\",
                             "\"\\u12\"",   "\"\\u12G4\"", "\"\xED\xA0\x80\"",   "\"\xC0\x80\""};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(read_exactly(bad[i], strlen(bad[i]), NULL), -1);
}

static int read_nested(size_t depth) {
  char *text = malloc(2 * depth);
  memset(text, '[', depth);
  memset(text + depth, ']', depth);
  int status = read_exactly(text, 2 * depth, NULL);
  free(text);
  return status;
}

/* Levels that the tokens of very many brackets come to; limit 0: as json_open sets it. */
static size_t count_levels(size_t limit) {
  char text[600];
  json_reader r;
  memset(text, '[', sizeof text);
  json_open(&r, text, sizeof text);
  if (limit) r.limit = limit;
  while (json_next(&r) != JSON_ERROR) continue;
  json_close(&r);
  return r.depth;
}

static void limits_the_depth(void **state) {
  (void)state;
  assert_int_equal(read_nested(512), 0);
  assert_int_equal(read_nested(513), -1);
  assert_int_equal(count_levels(0), JSON_DEPTH_USUAL);
  assert_int_equal(count_levels(3), 3);
  assert_int_equal(read_nested(100000), -1);
}

static void drops_a_byte_order_mark(void **state) {
  (void)state;
  arena a = {0};
  assert_int_equal(read_good(&a, "\xEF\xBB\xBF 7").integer, 7);
  arena_free(&a);
}

static void grows_what_was_read(void **state) {
  (void)state;
  arena a = {0};
  for (int n = 0; n < 9; n++) {
    char text[64] = "[";
    for (int i = 0; i < n; i++) strcat(text, i ? ",1" : "1");
    value v = read_good(&a, strcat(text, "]"));
    value_add(&a, &v, value_integer(2));
    value_add(&a, &v, value_integer(3));
    assert_int_equal(v.list.count, n + 2);
    assert_int_equal(v.list.items[n + 1].integer, 3);
  }
  arena_free(&a);
}

static void reads_many_and_deep(void **state) {
  (void)state;
  arena a = {0};
  buffer b;
  buffer_init(&b, 1 << 20);
  buffer_add_char(&b, '[');
  for (int i = 0; i < 1000; i++) buffer_add_format(&b, "{\"n\":%d,\"l\":[[%d]]},", i, i);
  buffer_add_text(&b, "null]");
  value v = read_good(&a, buffer_text(&b));
  assert_int_equal(v.list.count, 1001);
  for (int i = 0; i < 1000; i++) {
    assert_int_equal(value_get_integer(&v.list.items[i], "n", -1), i);
    const value *l = value_get(&v.list.items[i], "l");
    assert_int_equal(l->list.items[0].list.items[0].integer, i);
  }
  buffer_free(&b);
  arena_free(&a);
}

static void shortens_values(void **state) {
  (void)state;
  arena a = {0};
  char out[24];
  value v = read_good(&a, "{\"id\":7,\"name\":\"something long\"}");
  assert_string_equal(json_shorten(out, sizeof out, &v), "{\"id\":7,\"name\":\"...");
  v = read_good(&a, "\"n/a\"");
  assert_string_equal(json_shorten(out, sizeof out, &v), "\"n/a\"");
  v = value_real(NAN);
  assert_string_equal(json_shorten(out, sizeof out, &v), "NaN");
  arena_free(&a);
}

static char *load(const char *path, size_t *size) {
  FILE *file = fopen(path, "rb");
  assert_non_null(file);
  char *bytes = malloc(1 << 20);
  *size = fread(bytes, 1, 1 << 20, file);
  fclose(file);
  return bytes;
}

static void passes_the_suite(void **state) {
  (void)state;
  const char folder[] = TEST_DATA "/suites/json-parsing";
  DIR *dir = opendir(folder);
  if (!dir) {
    printf("skipped: %s is not here\n", folder);
    skip();
  }
  int good = 0, bad = 0, free_ones = 0, wrong = 0;
  for (struct dirent *entry; (entry = readdir(dir));) {
    char path[512];
    size_t size;
    if (!strstr(entry->d_name, ".json")) continue;
    snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
    char *bytes = load(path, &size);
    int status = read_exactly(bytes, size, NULL);
    free(bytes);
    char kind = entry->d_name[0];
    good += kind == 'y', bad += kind == 'n', free_ones += kind == 'i';
    if ((kind == 'y' && status < 0) || (kind == 'n' && status == 0))
      wrong++, printf("wrong: %s\n", entry->d_name);
  }
  closedir(dir);
  printf("JSONTestSuite: %d to accept, %d to refuse, %d free; %d wrong\n", good, bad, free_ones,
         wrong);
  assert_true(good > 0 && bad > 0);
  assert_int_equal(wrong, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_tokens_one_by_one),
      cmocka_unit_test(keeps_whole_numbers),
      cmocka_unit_test(reads_doubles_as_strtod),
      cmocka_unit_test(random_doubles_come_back),
      cmocka_unit_test(writes_what_it_read),
      cmocka_unit_test(writes_for_people),
      cmocka_unit_test(refuses_to_write_what_json_has_not),
      cmocka_unit_test(bytes_that_are_no_text_are_marked),
      cmocka_unit_test(ignores_the_locale),
      cmocka_unit_test(says_where_and_what),
      cmocka_unit_test(refuses_lone_surrogates),
      cmocka_unit_test(limits_the_depth),
      cmocka_unit_test(drops_a_byte_order_mark),
      cmocka_unit_test(grows_what_was_read),
      cmocka_unit_test(reads_many_and_deep),
      cmocka_unit_test(shortens_values),
      cmocka_unit_test(passes_the_suite),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
