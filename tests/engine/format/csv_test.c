/* csv_test.c -- rows from pieces cut anywhere, strictness, limits, and two outside suites.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/csv.h"
#include "format/json.h"

/* Rows as "a|b;c|d;", read with pieces of `step` bytes; an error as "!message". */
static const char *show(const char *bytes, size_t size, size_t step, const csv_options *options) {
  static buffer out;
  csv_reader r;
  dts_error e = {0};
  const csv_field *fields;
  size_t count, at = 0;
  if (!out.limit) buffer_init(&out, 1 << 20);
  buffer_clear(&out);
  csv_open(&r, options);
  for (csv_status status; (status = csv_next(&r, &fields, &count, &e)) != CSV_END;) {
    if (status == CSV_ERROR) {
      buffer_add_format(&out, "!%s", e.message);
      assert_true(e.hint[0]);
      assert_int_equal(csv_next(&r, &fields, &count, &e), CSV_ERROR);
      break;
    }
    for (size_t i = 0; status == CSV_ROW && i < count; i++) {
      assert_int_equal(fields[i].bytes[fields[i].size], 0);
      buffer_add_format(&out, "%s%s%s", i ? "|" : "", fields[i].bytes, i + 1 < count ? "" : ";");
    }
    if (status == CSV_ROW) continue;
    size_t n = size - at < step ? size - at : step;
    assert_int_equal(csv_feed(&r, bytes + at, n, at + n == size), 0);
    at += n;
  }
  csv_close(&r);
  return buffer_text(&out);
}

static void assert_rows_with(const csv_options *options, const char *bytes, const char *rows) {
  size_t size = strlen(bytes);
  for (size_t step = 1; step <= size + 1; step++)
    assert_string_equal(show(bytes, size, step, options), rows);
}

static void assert_rows(const char *bytes, const char *rows) {
  assert_rows_with(NULL, bytes, rows);
}

static void reads_rows(void **state) {
  (void)state;
  assert_rows("a,b\n1,2\n", "a|b;1|2;");
  assert_rows("a,b\r\n1,2\r\n", "a|b;1|2;");
  assert_rows("a,b\r1,2", "a|b;1|2;");
  assert_rows("a,,c\n,,\n", "a||c;||;");
  assert_rows("a,\n", "a|;");
  assert_rows("a,", "a|;");
  assert_rows(",", "|;");
  assert_rows("", "");
  assert_rows("\n\r\n\ra\n\n", "a;");
  assert_rows("\"\"\n\"\"", ";;");
  assert_rows(" a , b \n", " a | b ;");
}

static void reads_quotes(void **state) {
  (void)state;
  assert_rows("\"a,b\",\"c \"\"d\"\"\"\n", "a,b|c \"d\";");
  assert_rows("\"a\r\nb\nc\rd\"\r\nx\r\n", "a\r\nb\nc\rd;x;");
  assert_rows("\"\",x,\"\"", "|x|;");
  assert_rows("\"\"\"\"\n", "\";");
}

/* Long lines go eight bytes at a time, their ends and odd ones byte by byte: both see the same. */
static void reads_long_lines(void **state) {
  (void)state;
  assert_rows(
      "alpha,beta,gamma\n\"one, two\",three,\"\"\n\"four\",\"five\",\"six, seven\"\r\nlast,of,all",
      "alpha|beta|gamma;one, two|three|;four|five|six, seven;last|of|all;");
  assert_rows("first,line,is,plain\n\"sec\"\"ond\",\"li\nne\",is,odd\nthird,line,is,plain\n",
              "first|line|is|plain;sec\"ond|li\nne|is|odd;third|line|is|plain;");
  assert_rows("\"abcdefgh\"i,j\nabcdefgh,ijklmnop\n",
              "!line 1, field 1 \"abcdefgh\": text behind the closing quote");
  assert_rows("abcdefgh\",j\nabcdefgh,ijklmnop\n",
              "!line 1, field 1 \"abcdefgh\": a quote inside a field that does not begin with one");
}

static void drops_the_mark(void **state) {
  (void)state;
  csv_options keep = {.keep_bom = true};
  assert_rows("\xEF\xBB\xBF"
              "a,b\n",
              "a|b;");
  assert_rows("\xEF\xBB\xBF\"a\",b\n", "a|b;");
  assert_rows("\xEF\xBB", "\xEF\xBB;");
  assert_rows("\xEF\xBBx", "\xEF\xBBx;");
  assert_rows_with(&keep,
                   "\xEF\xBB\xBF"
                   "a",
                   "\xEF\xBB\xBF"
                   "a;");
}

static void takes_options(void **state) {
  (void)state;
  csv_options semicolon = {.delimiter = ';', .quote = '\''}, none = {.no_quotes = true};
  csv_options blank = {.keep_blank = true};
  assert_rows_with(&semicolon, "'a;b';1,5;\"\n", "a;b|1,5|\";");
  assert_rows_with(&none, "5\" pipe,\"x\"\n", "5\" pipe|\"x\";");
  assert_rows_with(&blank, "a\n\nb\n", "a;;b;");
}

static void is_strict(void **state) {
  (void)state;
  assert_rows("a\n5\" pipe,x\n",
              "a;!line 2, field 1 \"5\": a quote inside a field that does not begin with one");
  assert_rows("a\r\nb,\"c\"d\r\n", "a;!line 2, field 2 \"c\": text behind the closing quote");
  assert_rows("a\n\"x\ny\n\nz", "a;!line 2, field 1 \"x\\ny\\n\\nz\": the quote that opens the "
                                "field is never closed");
  assert_rows("\"a\" ,b\n", "!line 1, field 1 \"a\": text behind the closing quote");
}

static void has_limits(void **state) {
  (void)state;
  csv_options o = {.field_limit = 3, .field_count = 2, .row_limit = 6};
  assert_rows_with(&o, "abc,ab\n", "abc|ab;");
  const char *text = show("abc\nabcd\n", 9, 100, &o);
  assert_non_null(strstr(text, "!line 2, field 1 \"abcd\": the field is larger than 3 bytes"));
  text = show("a,b,c\n", 6, 100, &o);
  assert_string_equal(text, "!line 1, field 3 \"c\": too many fields in the row");
  text = show("a,b,c", 5, 1, &o);
  assert_string_equal(text, "!line 1, field 3 \"c\": too many fields in the row");
  text = show("abc,abc\n", 8, 100, &o);
  assert_string_equal(text, "!line 1, field 2 \"abc\": the row is larger than 6 bytes");
  text = show("\"a\nb\nc\nd\"", 9, 1, &o);
  assert_non_null(strstr(text, "!line 1, field 1"));
}

static void knows_its_lines(void **state) {
  (void)state;
  const char text[] = "h\r\n\"1\r\n2\"\r\n\r\n\"3\n\n\"\n4\r5\n";
  const uint64_t lines[] = {1, 2, 5, 8, 9};
  for (size_t step = 1; step < sizeof text; step++) {
    csv_reader r;
    const csv_field *fields;
    size_t count, at = 0, row = 0;
    csv_open(&r, NULL);
    for (csv_status status; (status = csv_next(&r, &fields, &count, NULL)) != CSV_END;) {
      assert_int_not_equal(status, CSV_ERROR);
      if (status == CSV_ROW) {
        assert_int_equal(r.line, lines[row++]);
        continue;
      }
      size_t n = sizeof text - 1 - at < step ? sizeof text - 1 - at : step;
      csv_feed(&r, text + at, n, at + n == sizeof text - 1);
      at += n;
    }
    assert_int_equal(row, 5);
    assert_int_equal(r.row, 5);
    csv_close(&r);
  }
}

static void assert_field(const char *in, char delimiter, bool guard, const char *expected) {
  buffer b;
  buffer_init(&b, 100);
  assert_int_equal(csv_write_field(&b, in, strlen(in), delimiter, guard), 0);
  assert_string_equal(buffer_text(&b), expected);
  buffer_free(&b);
}

static void writes_fields(void **state) {
  (void)state;
  assert_field("plain", ',', false, "plain");
  assert_field("", ',', true, "");
  assert_field("a,b", ',', false, "\"a,b\"");
  assert_field("a,b", ';', false, "a,b");
  assert_field("say \"x\"", ',', false, "\"say \"\"x\"\"\"");
  assert_field("two\nlines", ',', false, "\"two\nlines\"");
  assert_field("=1+1", ',', false, "=1+1");
  assert_field("=1+1", ',', true, "'=1+1");
  assert_field("@SUM(a,b)", ',', true, "\"'@SUM(a,b)\"");
  assert_field("-1.5", ',', true, "-1.5");
  assert_field("-1,5e-3", ';', true, "-1,5e-3");
  assert_field("-1+cmd|' /C calc'!A0", ',', true, "'-1+cmd|' /C calc'!A0");
  assert_field("-", ',', true, "'-");
  assert_field("\tx", ',', true, "'\tx");
}

static char *load(const char *folder, const char *name, const char *ending, size_t *size) {
  char path[512];
  snprintf(path, sizeof path, "%s/%.*s%s", folder, (int)strcspn(name, "."), name, ending);
  FILE *file = fopen(path, "rb");
  if (!file) return NULL;
  char *bytes = malloc(1 << 16);
  *size = fread(bytes, 1, 1 << 16, file);
  fclose(file);
  return bytes;
}

/* All rows of a file as a value: a list of lists of texts. 0, or -1. */
static int read_rows(arena *a, const char *bytes, size_t size, value *rows, dts_error *e) {
  csv_reader r;
  csv_status status;
  const csv_field *fields;
  size_t count;
  const csv_options strict = {.keep_blank = true}; /* RFC 4180: a blank line is one empty field */
  *rows = value_list();
  csv_open(&r, &strict);
  csv_feed(&r, bytes, size, true);
  while ((status = csv_next(&r, &fields, &count, e)) == CSV_ROW) {
    value row = value_list();
    for (size_t i = 0; i < count; i++)
      value_add(a, &row,
                value_bytes(arena_copy(a, fields[i].bytes, fields[i].size), fields[i].size));
    value_add(a, rows, row);
  }
  csv_close(&r);
  return status == CSV_END ? 0 : -1;
}

/* Rows under the names of the first one: a list of maps. */
static value name_rows(arena *a, const value *rows) {
  value named = value_list();
  for (size_t i = 1; i < rows->list.count; i++) {
    value map = value_map();
    for (size_t j = 0; j < rows->list.items[i].list.count; j++)
      value_set(a, &map, rows->list.items[0].list.items[j].text.bytes,
                rows->list.items[i].list.items[j]);
    value_add(a, &named, map);
  }
  return named;
}

static DIR *open_suite(const char *folder) {
  DIR *dir = opendir(folder);
  if (dir) return dir;
  printf("skipped: %s is not here\n", folder);
  skip();
  return NULL;
}

static void passes_spectrum(void **state) {
  (void)state;
  const char folder[] = TEST_DATA "/suites/csv-spectrum/csvs";
  DIR *dir = open_suite(folder);
  int cases = 0;
  for (struct dirent *entry; (entry = readdir(dir));) {
    arena a = {0};
    value rows, expected;
    size_t size;
    if (entry->d_name[0] == '.') continue;
    char *bytes = load(folder, entry->d_name, ".csv", &size);
    assert_int_equal(read_rows(&a, bytes, size, &rows, NULL), 0);
    free(bytes);
    bytes = load(TEST_DATA "/suites/csv-spectrum/json", entry->d_name, ".json", &size);
    assert_int_equal(json_read(&a, bytes, size, &expected, NULL), 0);
    free(bytes);
    value named = name_rows(&a, &rows);
    if (!value_equal(&named, &expected)) fail_msg("%s differs", entry->d_name);
    arena_free(&a);
    cases++;
  }
  closedir(dir);
  printf("csv-spectrum: %d of %d\n", cases, cases);
  assert_int_equal(cases, 8);
}

/* The suite's convention: files named header-* and bad-header-* begin with the row foo,bar,baz,
 * and rows must have its width. The header is a matter of the caller, here as in the engine. */
static bool accept(const char *name, const value *rows, arena *a, value *data) {
  bool header = strstr(name, "header-") != NULL;
  *data = value_list();
  for (size_t i = header; i < rows->list.count; i++) {
    value_add(a, data, rows->list.items[i]);
    if (rows->list.items[i].list.count != rows->list.items[0].list.count) return false;
  }
  if (!header) return true;
  static const char *const names[] = {"foo", "bar", "baz"};
  const value *first = &rows->list.items[0];
  for (size_t i = 0; i < 3; i++)
    if (first->list.count != 3 || !value_is(&first->list.items[i], names[i])) return false;
  return true;
}

static bool passes_file(const char *folder, const char *name) {
  arena a = {0};
  value rows, data, expected;
  size_t size;
  bool bad = strncmp(name, "bad-", 4) == 0;
  char *bytes = load(folder, name, ".csv", &size);
  bool good = read_rows(&a, bytes, size, &rows, NULL) == 0 && accept(name, &rows, &a, &data);
  free(bytes);
  bytes = bad ? NULL : load(TEST_DATA "/suites/csv-rfc4180/json", name, ".json", &size);
  if (good && bytes) {
    assert_int_equal(json_read(&a, bytes, size, &expected, NULL), 0);
    good = value_equal(&data, &expected);
  }
  free(bytes);
  arena_free(&a);
  return bad ? !good : good;
}

static void passes_rfc4180(void **state) {
  (void)state;
  const char folder[] = TEST_DATA "/suites/csv-rfc4180/csv";
  DIR *dir = open_suite(folder);
  int cases = 0;
  for (struct dirent *entry; (entry = readdir(dir));) {
    if (entry->d_name[0] == '.') continue;
    if (!passes_file(folder, entry->d_name)) fail_msg("%s is read wrongly", entry->d_name);
    cases++;
  }
  closedir(dir);
  printf("csv-rfc4180: %d of %d\n", cases, cases);
  assert_int_equal(cases, 13);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reads_rows),     cmocka_unit_test(reads_long_lines),
      cmocka_unit_test(reads_quotes),   cmocka_unit_test(drops_the_mark),
      cmocka_unit_test(takes_options),  cmocka_unit_test(is_strict),
      cmocka_unit_test(has_limits),     cmocka_unit_test(knows_its_lines),
      cmocka_unit_test(writes_fields),  cmocka_unit_test(passes_spectrum),
      cmocka_unit_test(passes_rfc4180),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
