/* decode_test.c -- bodies under each Content-Encoding: whole, in pieces of every size, cut at every
 * length, damaged, several in one, one in the other, and bombs.
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
#include <zlib.h>

#include "pack/decode.h"
#include "pack/pack.h"

#define PLAIN "plain words, plain words, and a few more of the plain words"
enum { LIMIT = 1 << 20 };

/* PLAIN by a brotli encoder; the engine itself only reads this coding. */
static const uint8_t brotli_plain[] = {
    0x1b, 0x3a, 0x00, 0x20, 0x8c, 0xd4, 0x4e, 0xf9, 0xc3, 0x4e, 0xd5, 0x61, 0x65, 0x66,
    0x77, 0x1a, 0x84, 0x85, 0xcc, 0x6d, 0x0f, 0x02, 0x4c, 0x34, 0x05, 0x81, 0x0d, 0x38,
    0xa0, 0xb8, 0x74, 0x9a, 0xad, 0x26, 0x6a, 0x18, 0x3e, 0xc8, 0x7d, 0xd0, 0x6d, 0x01};

typedef struct body {
  const char *coding;
  buffer bytes;
} body;

static void zlib_pack(buffer *out, int window, const char *plain, size_t size) {
  z_stream z = {.next_in = (Bytef *)(uintptr_t)plain, .avail_in = (uInt)size};
  assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, window, 8, Z_DEFAULT_STRATEGY), Z_OK);
  size_t room = deflateBound(&z, size);
  buffer_reserve(out, room);
  z.next_out = (Bytef *)out->data + out->size;
  z.avail_out = (uInt)room;
  assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
  out->size += room - z.avail_out;
  deflateEnd(&z);
}

/* One body of PLAIN for each coding; the caller frees the bytes. */
static int make_bodies(body *b) {
  static const char *const names[] = {"gzip", "x-gzip", "deflate", "Deflate", "br", "zstd"};
  static const int windows[] = {31, 31, 15, -15};
  for (int i = 0; i < 6; i++) {
    b[i].coding = names[i];
    buffer_init(&b[i].bytes, LIMIT);
    if (i < 4) zlib_pack(&b[i].bytes, windows[i], PLAIN, strlen(PLAIN));
    if (i == 4) buffer_add(&b[i].bytes, brotli_plain, sizeof brotli_plain);
    if (i == 5) pack_zstd(&b[i].bytes, PLAIN, strlen(PLAIN), 19, NULL);
  }
  return 6;
}

static int keep(void *arg, const void *bytes, size_t size) { return buffer_add(arg, bytes, size); }

/* The bytes in pieces of `step`; each lies in memory of its own, so that reading past it shows. */
static int decode_all(const char *codings, const void *bytes, size_t size, size_t step, buffer *out,
                      size_t limit, dts_error *e) {
  *e = (dts_error){0};
  decode *d = decode_open(codings, limit, keep, out, e);
  if (!d) return -1;
  int status = 0;
  for (size_t at = 0; status == 0 && at < size; at += step) {
    size_t n = size - at < step ? size - at : step;
    char *piece = malloc(n);
    memcpy(piece, (const char *)bytes + at, n);
    status = decode_feed(d, piece, n, e);
    free(piece);
  }
  if (status == 0) status = decode_end(d, e);
  decode_free(d);
  return status;
}

static void assert_decodes(const char *codings, const buffer *b, size_t step, const char *plain) {
  buffer out;
  dts_error e;
  buffer_init(&out, LIMIT);
  if (decode_all(codings, b->data, b->size, step, &out, LIMIT, &e) < 0)
    fail_msg("%s in pieces of %zu: %s", codings, step, e.message);
  assert_string_equal(buffer_text(&out), plain);
  buffer_free(&out);
}

static void assert_refused(const char *codings, const buffer *b, size_t size, size_t limit,
                           const char *code, const char *words) {
  buffer out;
  dts_error e;
  for (size_t step = 1; step <= 4096; step *= 64) {
    buffer_init(&out, LIMIT);
    if (decode_all(codings, b->data, size, step, &out, limit, &e) == 0)
      fail_msg("%s of %zu bytes was taken for whole", codings, size);
    assert_string_equal(e.code, code);
    if (!strstr(e.message, words)) fail_msg("%s: %s", codings, e.message);
    assert_true(out.size <= limit);
    buffer_free(&out);
  }
}

static void each_coding_in_pieces_of_any_size(void **state) {
  (void)state;
  body b[6];
  for (int i = 0, n = make_bodies(b); i < n; i++) {
    for (size_t step = 1; step <= b[i].bytes.size; step++)
      assert_decodes(b[i].coding, &b[i].bytes, step, PLAIN);
    buffer_free(&b[i].bytes);
  }
}

static void cut_short_at_every_length(void **state) {
  (void)state;
  body b[6];
  for (int i = 0, n = make_bodies(b); i < n; i++) {
    for (size_t size = 1; size < b[i].bytes.size; size++)
      assert_refused(b[i].coding, &b[i].bytes, size, LIMIT, "PACK", "ends too early");
    assert_decodes(b[i].coding, &(buffer){.data = b[i].bytes.data}, 1, "");
    buffer_free(&b[i].bytes);
  }
}

static void damage_is_refused_or_changes_nothing(void **state) {
  (void)state;
  body b[6];
  for (int i = 0, n = make_bodies(b); i < n; i++) {
    for (size_t bit = 0; bit < b[i].bytes.size * 8; bit++) {
      buffer out;
      dts_error e;
      buffer_init(&out, LIMIT);
      b[i].bytes.data[bit / 8] ^= (char)(1 << bit % 8);
      int status = decode_all(b[i].coding, b[i].bytes.data, b[i].bytes.size, 7, &out, LIMIT, &e);
      /* gzip and zlib have a checksum: what passes was damaged in the header's idle fields */
      if (status == 0 && i < 3) assert_string_equal(buffer_text(&out), PLAIN);
      if (status < 0) assert_string_equal(e.code, "PACK");
      b[i].bytes.data[bit / 8] ^= (char)(1 << bit % 8);
      buffer_free(&out);
    }
    buffer_free(&b[i].bytes);
  }
}

static void what_stands_behind_the_end(void **state) {
  (void)state;
  static const char *const tails[] = {"garbage", "\x1e\x8b", "\x1f!", "x\x1f\x8b"};
  body b[6];
  for (int i = 0, n = make_bodies(b); i < n; i++) {
    buffer *bytes = &b[i].bytes;
    size_t whole = bytes->size;
    for (int t = 0; t < 4; t++, bytes->size = whole) {
      buffer_add_text(bytes, tails[t]);
      if (i == 5)
        assert_refused("zstd", bytes, bytes->size, LIMIT, "PACK", "zstd");
      else
        for (size_t step = 1; step < 9; step++) assert_decodes(b[i].coding, bytes, step, PLAIN);
    }
    buffer_free(bytes);
  }
}

static void members_and_frames_are_read_as_one(void **state) {
  (void)state;
  body b[6];
  make_bodies(b);
  for (int i = 0; i < 6; i++) {
    buffer *bytes = &b[i].bytes;
    size_t one = bytes->size;
    buffer_reserve(bytes, one);
    buffer_add(bytes, bytes->data, one);
    bool joins = i < 2 || i == 5;
    for (size_t step = 1; step < 99; step++)
      assert_decodes(b[i].coding, bytes, step, joins ? PLAIN PLAIN : PLAIN);
    for (size_t size = one + 1; joins && size < 2 * one; size++)
      assert_refused(b[i].coding, bytes, size, LIMIT, "PACK", i < 2 ? "gzip" : "zstd");
    buffer_free(bytes);
  }
}

static void one_coding_upon_the_other(void **state) {
  (void)state;
  body b[6];
  char list[64];
  int n = make_bodies(b);
  for (int i = 0; i < n; i++) {
    buffer outer;
    buffer_init(&outer, LIMIT);
    pack_zstd(&outer, b[i].bytes.data, b[i].bytes.size, 3, NULL);
    snprintf(list, sizeof list, " %s ,, identity, ZSTD\t", b[i].coding);
    for (size_t step = 1; step < 40; step++) assert_decodes(list, &outer, step, PLAIN);
    for (size_t size = 1; size < outer.size; size++)
      assert_refused(list, &outer, size, LIMIT, "PACK", "ends too early");
    outer.size = 0; /* whole outside, cut inside */
    pack_zstd(&outer, b[i].bytes.data, b[i].bytes.size - 1, 3, NULL);
    assert_refused(list, &outer, outer.size, LIMIT, "PACK", "ends too early");
    buffer_free(&outer);
  }
  for (int i = 0; i < n; i++) buffer_free(&b[i].bytes);
}

static void the_limit_counts_while_decoding(void **state) {
  (void)state;
  static const char *const codings[] = {"zstd", "gzip", "deflate"};
  char *zeros = calloc(1, 8 << 20);
  for (int i = 0; i < 3; i++) {
    buffer once, twice;
    buffer_init(&once, 16 << 20);
    buffer_init(&twice, LIMIT);
    if (i == 0) pack_zstd(&once, zeros, 8 << 20, 0, NULL);
    if (i > 0) zlib_pack(&once, i == 1 ? 31 : 15, zeros, 8 << 20);
    assert_refused(codings[i], &once, once.size, LIMIT, "LIMIT_SIZE", "1048576 bytes");
    assert_refused(codings[i], &once, once.size, 0, "LIMIT_SIZE", "0 bytes");
    pack_gzip(&twice, once.data, once.size, 9, NULL);
    char list[32];
    snprintf(list, sizeof list, "%s, gzip", codings[i]);
    assert_refused(list, &twice, twice.size, LIMIT, "LIMIT_SIZE", "1048576 bytes");
    buffer_free(&once);
    buffer_free(&twice);
  }
  free(zeros);
}

/* To the byte: what is exactly as large as the limit passes, one more does not. */
static void the_limit_is_exact(void **state) {
  (void)state;
  body b[6];
  for (int i = 0, n = make_bodies(b); i < n; i++) {
    buffer out;
    dts_error e;
    buffer_init(&out, LIMIT);
    assert_int_equal(
        decode_all(b[i].coding, b[i].bytes.data, b[i].bytes.size, 5, &out, strlen(PLAIN), &e), 0);
    assert_refused(b[i].coding, &b[i].bytes, b[i].bytes.size, strlen(PLAIN) - 1, "LIMIT_SIZE",
                   "the limit");
    buffer_free(&out);
    buffer_free(&b[i].bytes);
  }
}

/* Empty members make nothing, for ever: what goes in counts too. */
static void an_endless_row_of_empty_members_ends(void **state) {
  (void)state;
  buffer member, many;
  dts_error e = {0};
  buffer_init(&member, LIMIT);
  buffer_init(&many, 8 << 20);
  zlib_pack(&member, 31, "", 0);
  while (many.size < 1 << 20) buffer_add(&many, member.data, member.size);
  buffer out;
  buffer_init(&out, LIMIT);
  assert_int_equal(decode_all("gzip", many.data, many.size, 16384, &out, 1000, &e), -1);
  assert_string_equal(e.code, "LIMIT_SIZE");
  assert_int_equal(decode_all("gzip", many.data, many.size, 16384, &out, LIMIT, &e), 0);
  assert_int_equal(out.size, 0);
  buffer_free(&member);
  buffer_free(&many);
}

static void zstd_windows_above_8_mb_are_refused(void **state) {
  (void)state;
  /* RFC 8878 section 3.1.1.1.2: the exponent is the upper five bits, the window 1 KB << it */
  char frame[] = "\x28\xb5\x2f\xfd\x00\x00\x29\x00\x00"
                 "hello";
  for (int exponent = 0; exponent < 32; exponent++) {
    frame[5] = (char)(exponent << 3);
    buffer b = {.data = frame, .size = sizeof frame - 1};
    if (exponent <= 13)
      assert_decodes("zstd", &b, 3, "hello");
    else
      assert_refused("zstd", &b, b.size, LIMIT, "PACK", "memory");
  }
}

static void names(void **state) {
  (void)state;
  static const char *const unknown[] = {"rot13", "compress", "gzip;q=1",         "gzip br",
                                        "*",     "g",        "gzip, gzip, gzip", "identity, foo",
                                        "zstdx"};
  dts_error e;
  for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++) {
    assert_null(decode_open(unknown[i], LIMIT, keep, NULL, &e));
    assert_string_equal(e.code, "CODING");
    assert_non_null(strstr(e.message, unknown[i]));
  }
  buffer plain = {.data = (char *)(uintptr_t)PLAIN, .size = strlen(PLAIN)};
  assert_decodes("", &plain, 9, PLAIN);
  assert_decodes("identity", &plain, 9, PLAIN);
  assert_refused("identity", &plain, plain.size, 10, "LIMIT_SIZE", "10 bytes");
}

static int stop(void *arg, const void *bytes, size_t size) {
  (void)bytes, (void)size;
  ++*(int *)arg;
  return -1;
}

static void whoever_takes_the_bytes_may_stop(void **state) {
  (void)state;
  body b[6];
  for (int i = 0, n = make_bodies(b); i < n; i++) {
    dts_error e;
    int calls = 0;
    decode *d = decode_open(b[i].coding, LIMIT, stop, &calls, &e);
    assert_int_equal(decode_feed(d, b[i].bytes.data, b[i].bytes.size, &e), -1);
    assert_string_equal(e.code, "CANCELLED");
    assert_int_equal(calls, 1);
    decode_free(d);
    buffer_free(&b[i].bytes);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_coding_in_pieces_of_any_size),
      cmocka_unit_test(cut_short_at_every_length),
      cmocka_unit_test(damage_is_refused_or_changes_nothing),
      cmocka_unit_test(what_stands_behind_the_end),
      cmocka_unit_test(members_and_frames_are_read_as_one),
      cmocka_unit_test(one_coding_upon_the_other),
      cmocka_unit_test(the_limit_counts_while_decoding),
      cmocka_unit_test(the_limit_is_exact),
      cmocka_unit_test(an_endless_row_of_empty_members_ends),
      cmocka_unit_test(zstd_windows_above_8_mb_are_refused),
      cmocka_unit_test(names),
      cmocka_unit_test(whoever_takes_the_bytes_may_stop),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
