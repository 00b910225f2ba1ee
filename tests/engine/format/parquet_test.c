/* parquet_test.c -- Parquet files byte by byte: Thrift, levels, pages, bounds, and sinks that fail.
 *
 * That another's reader finds the same values is shown by tests/systems/parquet.test.mjs.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/parquet_parts.h"

enum { LIMIT = 1 << 26 };

static void assert_hex(const buffer *b, const char *expected) {
  char shown[4096] = "";
  for (size_t i = 0; i < b->size && i < 1300; i++)
    snprintf(shown + i * 3, 4, "%02x ", (unsigned char)b->data[i]);
  if (b->size) shown[strlen(shown) - 1] = 0;
  assert_string_equal(shown, expected);
}

/* ---- Thrift ---- */

static void numbers_are_zigzag_varints(void **state) {
  static const struct {
    int64_t n;
    const char *bytes;
  } cases[] = {{0, "00"},
               {-1, "01"},
               {1, "02"},
               {-2, "03"},
               {63, "7e"},
               {64, "80 01"},
               {-64, "7f"},
               {-65, "81 01"},
               {INT32_MAX, "fe ff ff ff 0f"},
               {INT64_MAX, "fe ff ff ff ff ff ff ff ff 01"},
               {INT64_MIN, "ff ff ff ff ff ff ff ff ff 01"}};
  buffer b;
  (void)state;
  buffer_init(&b, LIMIT);
  for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
    buffer_clear(&b);
    thrift_zigzag(&b, cases[i].n);
    assert_hex(&b, cases[i].bytes);
  }
  buffer_clear(&b);
  thrift_varint(&b, 50399);
  assert_hex(&b, "df 89 03"); /* the example of the protocol's specification */
  buffer_free(&b);
}

static void fields_tell_the_step_from_the_one_before(void **state) {
  buffer b;
  (void)state;
  buffer_init(&b, LIMIT);
  thrift t = {.out = &b};
  thrift_i32(&t, 1, 5);
  thrift_boolean(&t, 3, true);
  thrift_boolean(&t, 4, false);
  thrift_struct(&t, 5);
  thrift_i64(&t, 2, -1);
  thrift_end(&t);
  thrift_text(&t, 30, "ab"); /* 25 further than 5: the id itself */
  thrift_list(&t, 31, THRIFT_I32, 14);
  thrift_list(&t, 32, THRIFT_BINARY, 15);
  thrift_end(&t);
  assert_hex(&b, "15 0a 21 12 1c 26 01 00 08 3c 02 61 62 19 e5 19 f8 0f 00");
  buffer_free(&b);
}

/* ---- levels and indices ---- */

static void assert_runs(const char *digits, unsigned width, const char *expected) {
  uint32_t values[256];
  size_t count = strlen(digits);
  buffer b;
  buffer_init(&b, LIMIT);
  for (size_t i = 0; i < count; i++) values[i] = (uint32_t)(digits[i] - '0');
  parquet_runs(&b, values, count, width);
  assert_hex(&b, expected);
  buffer_free(&b);
}

static void levels_are_runs_and_packed_bits(void **state) {
  (void)state;
  assert_runs("", 1, "");
  assert_runs("1", 1, "03 01");
  assert_runs("11111111", 1, "10 01");
  assert_runs("00000000000000000000", 1, "28 00");
  assert_runs("10101010", 1, "03 55");
  assert_runs("1010101011", 1, "05 55 03");
  assert_runs("101111111111111111", 1, "03 fd 14 01");
  assert_runs("11111111110", 1, "14 01 03 00");
  assert_runs("01234567", 3, "03 88 c6 fa"); /* the example of Encodings.md */
  assert_runs("77777777777", 3, "16 07");
  assert_runs("5555555555", 9, "14 05 00");
}

static void long_runs_have_long_lengths(void **state) {
  uint32_t *values = calloc(100000, sizeof *values);
  buffer b;
  (void)state;
  buffer_init(&b, LIMIT);
  parquet_runs(&b, values, 100000, 1);
  assert_hex(&b, "c0 9a 0c 00");
  buffer_free(&b);
  free(values);
}

static void widths_hold_each_index(void **state) {
  (void)state;
  assert_int_equal(parquet_width(1), 1);
  assert_int_equal(parquet_width(2), 1);
  assert_int_equal(parquet_width(3), 2);
  assert_int_equal(parquet_width(256), 8);
  assert_int_equal(parquet_width(257), 9);
  assert_int_equal(parquet_width(PARQUET_ENTRIES), 15);
}

/* ---- bounds ---- */

static const char *bounds_of(parquet_type type, const value *values, size_t count) {
  static char shown[512];
  parquet_bounds b = {0};
  parquet_cell cell;
  buffer scratch;
  buffer_init(&scratch, LIMIT);
  for (size_t i = 0; i < count; i++)
    if (parquet_cell_read(type, &values[i], &scratch, &cell) == 0)
      parquet_bounds_take(&b, type, &cell);
  buffer_free(&scratch);
  if (!b.known || b.least.cut || b.most.cut)
    snprintf(shown, sizeof shown, "none, %d NaN", (int)b.nans);
  else if (parquet_is_text(type))
    snprintf(shown, sizeof shown, "%.*s..%.*s", (int)b.least.size, b.least.bytes, (int)b.most.size,
             b.most.bytes);
  else if (type == PARQUET_REAL)
    snprintf(shown, sizeof shown, "%g..%g, %d NaN", b.least.real, b.most.real, (int)b.nans);
  else
    snprintf(shown, sizeof shown, "%lld..%lld", (long long)b.least.integer,
             (long long)b.most.integer);
  return shown;
}

#define BOUNDS(type, ...)                                                                          \
  bounds_of(type, (const value[]){__VA_ARGS__},                                                    \
            sizeof((const value[]){__VA_ARGS__}) / sizeof(value))

static void bounds_follow_the_order_of_the_type(void **state) {
  char a[66], b[66];
  (void)state;
  memset(a, 'm', 65), a[65] = 0;
  memset(b, 'm', 64), b[64] = 0;
  assert_string_equal(BOUNDS(PARQUET_INTEGER, value_integer(3), value_integer(-7)), "-7..3");
  assert_string_equal(BOUNDS(PARQUET_TEXT, value_text("b"), value_text("\xc3\xa9"), value_text("")),
                      "..\xc3\xa9");
  assert_string_equal(BOUNDS(PARQUET_DATE, value_text("1969-12-31"), value_text("1970-01-02")),
                      "-1..1");
  assert_string_equal(BOUNDS(PARQUET_REAL, value_real(NAN), value_real(2), value_real(-INFINITY)),
                      "-inf..2, 1 NaN");
  assert_string_equal(BOUNDS(PARQUET_REAL, value_real(NAN), value_null()), "none, 1 NaN");
  assert_string_equal(BOUNDS(PARQUET_TEXT, value_text("a"), value_text(a)), "none, 0 NaN");
  assert_string_equal(BOUNDS(PARQUET_TEXT, value_text("a"), value_text(a), value_text("z")),
                      "a..z");
  assert_string_equal(BOUNDS(PARQUET_TEXT, value_text(a), value_text(b), value_text("z")) + 64,
                      "..z");
  assert_string_equal(BOUNDS(PARQUET_TEXT, value_text("a"), value_text(b), value_text(a)),
                      "none, 0 NaN");
}

static void texts_are_utf8(void **state) {
  (void)state;
  assert_string_equal(BOUNDS(PARQUET_TEXT, value_text("a\xff\xc3")),
                      "a\xef\xbf\xbd\xef\xbf\xbd..a\xef\xbf\xbd\xef\xbf\xbd");
  assert_string_equal(BOUNDS(PARQUET_TEXT, value_integer(12), value_boolean(true)), "12..true");
}

static void zeros_are_written_apart(void **state) {
  parquet_bounds bounds = {.known = true, .least = {.size = 8}, .most = {.size = 8}};
  buffer b;
  (void)state;
  buffer_init(&b, LIMIT);
  thrift t = {.out = &b};
  parquet_bounds_write(&t, 12, PARQUET_REAL, &bounds);
  assert_hex(&b, "cc 36 00 28 08 00 00 00 00 00 00 00 00 18 08 00 00 00 00 00 00 00 80 11 11 16 00 "
                 "00");
  buffer_free(&b);
}

/* ---- whole files ---- */

typedef struct receiver {
  buffer bytes;
  int calls, fails_at; /* 0: never */
} receiver;

static int receive(void *arg, const void *bytes, size_t size, dts_error *e) {
  receiver *r = arg;
  if (++r->calls == r->fails_at) return error_fail(e, "FILE", "the disk is full");
  return buffer_add(&r->bytes, bytes, size);
}

static int write_rows(receiver *r, const parquet_options *o, const value *rows, size_t count,
                      dts_error *e) {
  parquet_options with = *o;
  with.sink = receive;
  with.sink_arg = r;
  with.created_by = "x";
  parquet *p = parquet_open(&with);
  int rc = 0;
  for (size_t i = 0; rc == 0 && i < count; i++) rc = parquet_add(p, rows + i * o->count, e);
  if (rc == 0) rc = parquet_end(p, e);
  parquet_free(p);
  return rc;
}

/* Nothing is packed: each byte is told by README.md, parquet.thrift and Encodings.md. */
static void a_small_file_is_these_bytes(void **state) {
  const parquet_column columns[] = {{"b", PARQUET_BOOLEAN, true}, {"t", PARQUET_TEXT, false}};
  const value rows[] = {value_boolean(true), value_text("hi"), value_boolean(false), value_null()};
  receiver r = {0};
  dts_error e = {0};
  (void)state;
  buffer_init(&r.bytes, LIMIT);
  assert_int_equal(write_rows(&r, &(parquet_options){.columns = columns, .count = 2}, rows, 2, &e),
                   0);
  assert_hex(
      &r.bytes,
      "50 41 52 31 "
      /* b: a data page of 1 byte with 2 values, PLAIN, RLE, RLE; bits 01 */
      "15 00 15 02 15 02 2c 15 04 15 00 15 06 15 06 00 00 01 "
      /* t: 12 bytes, levels 2 bytes long: one group of eight, bits 01; "hi" with its length */
      "15 00 15 18 15 18 2c 15 04 15 00 15 06 15 06 00 00 02 00 00 00 03 01 02 00 00 00 68 69 "
      /* the footer: version 1; schema, 3 items: root; BOOLEAN, REQUIRED; BYTE_ARRAY, OPTIONAL,
       * UTF8, STRING */
      "15 02 19 3c 48 06 73 63 68 65 6d 61 15 04 00 15 00 25 00 18 01 62 00 "
      "15 0c 25 02 18 01 74 25 00 4c 1c 00 00 00 16 04 "
      /* one row group of two chunks: b, 18 bytes at 4 */
      "19 1c 19 2c 26 00 1c 15 00 19 25 00 06 19 18 01 62 15 00 16 04 16 24 16 24 26 08 3c 36 00 "
      "28 01 01 18 01 00 11 11 00 00 00 "
      /* t, 29 bytes at 22, one null */
      "26 00 1c 15 0c 19 25 00 06 19 18 01 74 15 00 16 04 16 3a 16 3a 26 2c 3c 36 02 "
      "28 02 68 69 18 02 68 69 11 11 00 00 00 "
      /* 47 bytes, 2 rows, at 4, 47 bytes; created by; two orders */
      "16 5e 16 04 26 08 16 5e 00 28 01 78 19 2c 1c 00 00 1c 00 00 00 "
      "8c 00 00 00 50 41 52 31");
  buffer_free(&r.bytes);
}

static void a_file_without_rows_is_a_file(void **state) {
  const parquet_column columns[] = {{"n", PARQUET_INTEGER, false}};
  receiver r = {0};
  (void)state;
  buffer_init(&r.bytes, LIMIT);
  assert_int_equal(
      write_rows(&r, &(parquet_options){.columns = columns, .count = 1}, NULL, 0, NULL), 0);
  assert_hex(&r.bytes, "50 41 52 31 15 02 19 2c 48 06 73 63 68 65 6d 61 15 02 00 15 04 25 02 18 01 "
                       "6e 00 16 00 19 0c 28 01 78 19 1c 1c 00 00 00 24 00 00 00 50 41 52 31");
  buffer_free(&r.bytes);
}

static void a_sink_that_fails_ends_it(void **state) {
  const parquet_column columns[] = {{"n", PARQUET_INTEGER, false}, {"t", PARQUET_TEXT, false}};
  value rows[200];
  (void)state;
  for (int i = 0; i < 200; i += 2) rows[i] = value_integer(i), rows[i + 1] = value_text("same");
  receiver whole = {0};
  const parquet_options o = {.columns = columns, .count = 2, .group_rows = 30};
  buffer_init(&whole.bytes, LIMIT);
  assert_int_equal(write_rows(&whole, &o, rows, 100, NULL), 0);
  assert_true(whole.calls > 10);
  for (int at = 1; at <= whole.calls; at++) {
    receiver r = {.fails_at = at};
    dts_error e = {0};
    buffer_init(&r.bytes, LIMIT);
    assert_int_equal(write_rows(&r, &o, rows, 100, &e), -1);
    assert_string_equal(e.message, "the disk is full");
    assert_int_equal(r.calls, at);
    assert_memory_equal(r.bytes.data ? r.bytes.data : "", whole.bytes.data, r.bytes.size);
    buffer_free(&r.bytes);
  }
  buffer_free(&whole.bytes);
}

static void assert_refused(parquet_type type, bool required, value v, const char *message) {
  const parquet_column column = {"c", type, required};
  const value rows[] = {v};
  receiver r = {0};
  dts_error e = {0};
  buffer_init(&r.bytes, LIMIT);
  assert_int_equal(write_rows(&r, &(parquet_options){.columns = &column, .count = 1}, rows, 1, &e),
                   -1);
  assert_string_equal(e.message, message);
  assert_string_equal(e.code, "COLUMN");
  assert_true(e.hint[0]);
  buffer_free(&r.bytes);
}

static void a_value_of_another_type_is_told(void **state) {
  (void)state;
  assert_refused(PARQUET_INTEGER, false, value_text("x"),
                 "row 1, column 'c': an integer expected, got \"x\"");
  assert_refused(PARQUET_DATE, false, value_text("2024-02-30"),
                 "row 1, column 'c': a date (YYYY-MM-DD) expected, got \"2024-02-30\"");
  assert_refused(PARQUET_TEXT, true, value_null(), "row 1, column 'c': a text expected, got null");
  assert_refused(PARQUET_BOOLEAN, false, value_integer(1),
                 "row 1, column 'c': true or false expected, got 1");
  assert_refused(PARQUET_TIMESTAMP, false, value_text("2024-01-01"),
                 "row 1, column 'c': a timestamp expected, got \"2024-01-01\"");
}

/* A dictionary that is filled up gives way to plain values, in the midst of a page. */
static size_t size_of_texts(int different) {
  const parquet_column column = {"t", PARQUET_TEXT, true};
  receiver r = {0};
  char text[32];
  buffer_init(&r.bytes, LIMIT);
  parquet *p = parquet_open(&(parquet_options){
      .columns = &column, .count = 1, .created_by = "x", .sink = receive, .sink_arg = &r});
  for (int i = 0; i < 90000; i++) {
    snprintf(text, sizeof text, "%020d", i % different);
    value v = value_text(text);
    assert_int_equal(parquet_add(p, &v, NULL), 0);
  }
  assert_int_equal(parquet_end(p, NULL), 0);
  parquet_free(p);
  size_t size = r.bytes.size;
  buffer_free(&r.bytes);
  return size;
}

static void repeated_texts_are_kept_once(void **state) {
  (void)state;
  assert_in_range(size_of_texts(1), 100, 400);
  assert_in_range(size_of_texts(200), 90000, 90000 + 10000);
  assert_in_range(size_of_texts(90000), 24 * 90000, 24 * 90000 + 1000);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(numbers_are_zigzag_varints),
                                     cmocka_unit_test(fields_tell_the_step_from_the_one_before),
                                     cmocka_unit_test(levels_are_runs_and_packed_bits),
                                     cmocka_unit_test(long_runs_have_long_lengths),
                                     cmocka_unit_test(widths_hold_each_index),
                                     cmocka_unit_test(bounds_follow_the_order_of_the_type),
                                     cmocka_unit_test(texts_are_utf8),
                                     cmocka_unit_test(zeros_are_written_apart),
                                     cmocka_unit_test(a_small_file_is_these_bytes),
                                     cmocka_unit_test(a_file_without_rows_is_a_file),
                                     cmocka_unit_test(a_sink_that_fails_ends_it),
                                     cmocka_unit_test(a_value_of_another_type_is_told),
                                     cmocka_unit_test(repeated_texts_are_kept_once)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
