/* text_test.c -- UTF-8 rules, other encodings, and decoding in pieces cut anywhere.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

static void assert_fault(const char *bytes, size_t size, size_t expected) {
  size_t fault = 999;
  char *copy = malloc(size);
  memcpy(copy, bytes, size);
  assert_false(text_is_utf8(copy, size, &fault));
  assert_int_equal(fault, expected);
  free(copy);
}

static void knows_utf8(void **state) {
  (void)state;
  const char good[] = "plain, caf\xC3\xA9, \xE2\x82\xAC, \xF0\x9F\x98\x80, \xF4\x8F\xBF\xBF\0x";
  assert_true(text_is_utf8(good, sizeof good - 1, NULL));
  assert_true(text_is_utf8("", 0, NULL));
  assert_fault("abcdefghij\xC0\x80", 12, 10);
  assert_fault("\xE0\x9F\x80", 3, 0);
  assert_fault("a\xED\xA0\x80", 4, 1);
  assert_fault("\xF0\x8F\x80\x80", 4, 0);
  assert_fault("\xF4\x90\x80\x80", 4, 0);
  assert_fault("\xF5\x80\x80\x80", 4, 0);
  assert_fault("ab\xE2\x82", 4, 2);
  assert_fault("\x80", 1, 0);
  assert_fault("\xC3(", 2, 0);
  assert_fault("\xFF", 1, 0);
}

/* Every code is written and taken back; only the surrogates are none. */
static void writes_every_character(void **state) {
  (void)state;
  char bytes[4];
  bool cut;
  for (uint32_t code = 0; code < 0x110000; code++) {
    size_t size = text_utf8_put(code, bytes);
    bool surrogate = code >= 0xD800 && code <= 0xDFFF;
    assert_int_equal(size, surrogate        ? 0
                           : code < 0x80    ? 1
                           : code < 0x800   ? 2
                           : code < 0x10000 ? 3
                                            : 4);
    if (!surrogate) assert_int_equal(text_utf8_take(bytes, size, &cut), size);
  }
  assert_int_equal(text_utf8_put(0x110000, bytes), 0);
  assert_int_equal(text_utf8_length("caf\xC3\xA9 \xF0\x9F\x98\x80", 10), 6);
}

static int whole(text_encoding encoding, buffer *out, const char *bytes, size_t size) {
  text_decoder d;
  text_decoder_open(&d, encoding);
  return text_decode(&d, bytes, size, true, out, NULL);
}

static void decodes_single_bytes(void **state) {
  (void)state;
  buffer b;
  buffer_init(&b, 1000);
  assert_int_equal(whole(TEXT_LATIN1, &b, "caf\xE9 \x80\xFF!", 8), 0);
  assert_string_equal(buffer_text(&b), "caf\xC3\xA9 \xC2\x80\xC3\xBF!");
  buffer_clear(&b);
  assert_int_equal(whole(TEXT_WINDOWS1252, &b, "\x80 \x93x\x94 \x9F\x81\xE9", 9), 0);
  assert_string_equal(buffer_text(&b),
                      "\xE2\x82\xAC \xE2\x80\x9Cx\xE2\x80\x9D \xC5\xB8\xC2\x81\xC3\xA9");
  buffer_free(&b);
  buffer_init(&b, 3);
  assert_int_equal(whole(TEXT_LATIN1, &b, "\xE9\xE9", 2), -1);
  buffer_free(&b);
}

static void decodes_utf16(void **state) {
  (void)state;
  buffer b;
  buffer_init(&b, 1000);
  assert_int_equal(text_from_utf16(&b,
                                   "\xFF\xFE"
                                   "a\0\xE9\0\x3D\xD8\x00\xDE",
                                   10, false),
                   0);
  assert_string_equal(buffer_text(&b), "a\xC3\xA9\xF0\x9F\x98\x80");
  buffer_clear(&b);
  assert_int_equal(text_from_utf16(&b, "\0a\xD8\x3D\xDE\x00", 6, true), 0);
  assert_string_equal(buffer_text(&b), "a\xF0\x9F\x98\x80");
  assert_int_equal(text_from_utf16(&b,
                                   "\x00\xD8"
                                   "a\0",
                                   4, false),
                   -1);
  assert_int_equal(text_from_utf16(&b, "\x00\xDC", 2, false), -1);
  assert_int_equal(text_from_utf16(&b, "a", 1, false), -1);
  assert_int_equal(text_from_utf16(&b, "\x00\xD8", 2, false), -1);
  buffer_free(&b);
}

/* The text in two pieces, cut at every place, and byte by byte. */
static void assert_stream(text_encoding encoding, const char *in, size_t size, const char *out) {
  for (size_t cut = 0; cut <= size + 1; cut++) {
    buffer b;
    text_decoder d;
    dts_error e;
    buffer_init(&b, 1000);
    text_decoder_open(&d, encoding);
    bool singly = cut == size + 1;
    size_t first = singly ? 0 : cut;
    assert_int_equal(text_decode(&d, in, first, false, &b, &e), 0);
    for (; singly && first < size; first++)
      assert_int_equal(text_decode(&d, in + first, 1, false, &b, &e), 0);
    assert_int_equal(text_decode(&d, in + first, size - first, true, &b, &e), 0);
    assert_string_equal(buffer_text(&b), out);
    buffer_free(&b);
  }
}

static void decodes_pieces(void **state) {
  (void)state;
  const char text[] = "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80z";
  assert_stream(TEXT_UTF8, text, sizeof text - 1, text);
  assert_stream(TEXT_UTF8,
                "\xEF\xBB\xBF"
                "a\xC3\xA9",
                6, "a\xC3\xA9");
  assert_stream(TEXT_UTF8, "a\xEF\xBB\xBF", 4, "a\xEF\xBB\xBF");
  assert_stream(TEXT_UTF16LE,
                "\xFF\xFE"
                "a\0\x3D\xD8\x00\xDEz\0",
                10, "a\xF0\x9F\x98\x80z");
  assert_stream(TEXT_UTF16BE, "\0a\xD8\x3D\xDE\0\0z", 8, "a\xF0\x9F\x98\x80z");
  assert_stream(TEXT_WINDOWS1252, "a\x80", 2, "a\xE2\x82\xAC");
  assert_stream(TEXT_LATIN1, "", 0, "");
}

static void assert_broken(text_encoding encoding, const char *a, size_t a_size, const char *b,
                          size_t b_size, const char *message) {
  buffer out;
  text_decoder d;
  dts_error e = {0};
  buffer_init(&out, 1000);
  text_decoder_open(&d, encoding);
  int status = text_decode(&d, a, a_size, false, &out, &e);
  if (status == 0) status = text_decode(&d, b, b_size, true, &out, &e);
  assert_int_equal(status, -1);
  assert_string_equal(e.message, message);
  assert_true(e.hint[0]);
  buffer_free(&out);
}

static void names_the_broken_byte(void **state) {
  (void)state;
  assert_broken(TEXT_UTF8, "abc", 3, "de\xE9 fg", 6, "byte 0xE9 at offset 5 is not utf-8");
  assert_broken(TEXT_UTF8, "ab\xE2", 3, "\x82z", 2, "byte 0xE2 at offset 2 is not utf-8");
  assert_broken(TEXT_UTF8, "ab\xE2", 3, "\x82", 1,
                "the text ends inside a utf-8 character (offset 2)");
  assert_broken(TEXT_UTF16LE, "a\0b", 3, "", 0,
                "the text ends inside a utf-16le character (offset 2)");
  assert_broken(TEXT_UTF16BE, "\xDC", 1, "\0", 1, "byte 0xDC at offset 0 is not utf-16be");
}

static void stops_at_the_limit(void **state) {
  (void)state;
  buffer out;
  text_decoder d;
  dts_error e = {0};
  buffer_init(&out, 4);
  text_decoder_open(&d, TEXT_UTF8);
  assert_int_equal(text_decode(&d, "abcdef", 6, true, &out, &e), -1);
  assert_string_equal(e.code, "LIMIT_SIZE");
  buffer_free(&out);
}

static void reads_names(void **state) {
  (void)state;
  text_encoding encoding;
  dts_error e;
  assert_int_equal(text_encoding_read("UTF-8", &encoding, &e), 0);
  assert_int_equal(encoding, TEXT_UTF8);
  assert_int_equal(text_encoding_read("Windows-1252", &encoding, &e), 0);
  assert_int_equal(encoding, TEXT_WINDOWS1252);
  assert_int_equal(text_encoding_read("ISO-8859-1", &encoding, &e), 0);
  assert_int_equal(encoding, TEXT_LATIN1);
  assert_int_equal(text_encoding_read("ebcdic", &encoding, &e), -1);
  assert_string_equal(e.message, "unknown encoding \"ebcdic\"");
}

static void finds_marks(void **state) {
  (void)state;
  text_encoding found = TEXT_LATIN1;
  assert_int_equal(text_bom("\xEF\xBB\xBFx", 4, &found), 3);
  assert_int_equal(found, TEXT_UTF8);
  assert_int_equal(text_bom("\xFF\xFEx", 3, &found), 2);
  assert_int_equal(found, TEXT_UTF16LE);
  assert_int_equal(text_bom("\xFE\xFF", 2, &found), 2);
  assert_int_equal(found, TEXT_UTF16BE);
  assert_int_equal(text_bom("\xEF\xBB", 2, &found), 0);
}

static void folds_ascii_only(void **state) {
  (void)state;
  assert_true(text_equal_fold("Content-Type", "content-tYPE"));
  assert_false(text_equal_fold("a", "ab"));
  assert_false(text_equal_fold("\xC3\x89", "\xC3\xA9"));
  assert_false(text_equal_fold("@", "`"));
}

static void shortens(void **state) {
  (void)state;
  char out[TEXT_SHORT], text[200];
  assert_string_equal(text_shorten(out, "n/a", 3), "\"n/a\"");
  assert_string_equal(text_shorten(out, "", 0), "\"\"");
  assert_string_equal(text_shorten(out, "a\nb\x01\xFF\x7F", 6), "\"a\\nb\\x01\\xFF\\x7F\"");
  memset(text, 'x', 63);
  memcpy(text + 62, "\xF0\x9F\x98\x80\xF0\x9F\x98\x80 and more", 17);
  text_shorten(out, text, 79);
  assert_true(text_is_utf8(out, strlen(out), NULL));
  assert_string_equal(out + strlen(out) - 4, "...\"");
  memset(text, 1, sizeof text);
  text_shorten(out, text, sizeof text);
  assert_true(strlen(out) < TEXT_SHORT);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(knows_utf8),
      cmocka_unit_test(writes_every_character),
      cmocka_unit_test(decodes_single_bytes),
      cmocka_unit_test(decodes_utf16),
      cmocka_unit_test(decodes_pieces),
      cmocka_unit_test(names_the_broken_byte),
      cmocka_unit_test(stops_at_the_limit),
      cmocka_unit_test(reads_names),
      cmocka_unit_test(finds_marks),
      cmocka_unit_test(folds_ascii_only),
      cmocka_unit_test(shortens),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
