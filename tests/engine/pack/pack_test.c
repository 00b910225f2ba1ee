/* pack_test.c -- round trips, limits, damage and bombs, for zstd and gzip alike.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "pack/pack.h"

typedef int packer(buffer *, const void *, size_t, int, dts_error *);
typedef int unpacker(buffer *, const void *, size_t, size_t, dts_error *);
static const struct {
  packer *pack;
  unpacker *unpack;
  pack_kind kind;
} kinds[] = {{pack_zstd, pack_unzstd, PACK_ZSTD}, {pack_gzip, pack_gunzip, PACK_GZIP}};
enum { LIMIT = 16 << 20 };

static char *make(size_t size, bool random) {
  uint32_t seed = 12345;
  char *bytes = malloc(size + 1);
  for (size_t i = 0; i < size; i++) {
    seed = seed * 1664525 + 1013904223;
    bytes[i] = random ? (char)(seed >> 24) : (char)('a' + i / 100 % 20);
  }
  return bytes;
}

static void assert_round_trip(int kind, size_t size, bool random) {
  char *bytes = make(size, random);
  buffer packed, plain;
  dts_error e = {0};
  buffer_init(&packed, LIMIT);
  buffer_init(&plain, LIMIT);
  buffer_add_text(&plain, "before ");
  assert_int_equal(kinds[kind].pack(&packed, bytes, size, 0, &e), 0);
  assert_int_equal(pack_guess(packed.data, packed.size), kinds[kind].kind);
  assert_int_equal(kinds[kind].unpack(&plain, packed.data, packed.size, size, &e), 0);
  assert_int_equal(plain.size, size + 7);
  assert_memory_equal(plain.data, "before ", 7);
  assert_memory_equal(plain.data + 7, bytes, size);
  buffer_free(&packed);
  buffer_free(&plain);
  free(bytes);
}

static void comes_back(void **state) {
  (void)state;
  const size_t sizes[] = {0, 1, 1000, 65535, 65536, 65537, 131072, 3000000};
  for (int kind = 0; kind < 2; kind++)
    for (size_t i = 0; i < 8; i++) {
      assert_round_trip(kind, sizes[i], false);
      assert_round_trip(kind, sizes[i], true);
    }
}

static void assert_failed(int kind, const buffer *packed, size_t size, size_t limit,
                          const char *code) {
  buffer out;
  dts_error e = {0};
  char *copy = malloc(size ? size : 1);
  if (size) memcpy(copy, packed->data, size);
  buffer_init(&out, LIMIT);
  buffer_add_text(&out, "kept");
  assert_int_equal(kinds[kind].unpack(&out, copy, size, limit, &e), -1);
  assert_string_equal(e.code, code);
  assert_string_equal(buffer_text(&out), "kept");
  assert_false(out.failed);
  buffer_free(&out);
  free(copy);
}

static void stops_at_the_limit(void **state) {
  (void)state;
  char *bytes = calloc(1, 10 << 20);
  for (int kind = 0; kind < 2; kind++) {
    buffer packed, small;
    dts_error e;
    buffer_init(&packed, LIMIT);
    assert_int_equal(kinds[kind].pack(&packed, bytes, 10 << 20, 0, &e), 0);
    assert_true(packed.size < 20000);
    assert_failed(kind, &packed, packed.size, (10 << 20) - 1, "LIMIT_SIZE");
    assert_failed(kind, &packed, packed.size, 0, "LIMIT_SIZE");
    assert_failed(kind, &packed, packed.size, 65536, "LIMIT_SIZE");
    buffer_init(&small, 1000); /* its own limit counts too */
    assert_int_equal(kinds[kind].unpack(&small, packed.data, packed.size, SIZE_MAX, &e), -1);
    assert_string_equal(e.code, "LIMIT_SIZE");
    assert_true(small.capacity < 100000);
    buffer_free(&small);
    buffer_free(&packed);
  }
  free(bytes);
}

static void refuses_damage(void **state) {
  (void)state;
  char *bytes = make(5000, true);
  for (int kind = 0; kind < 2; kind++) {
    buffer packed;
    buffer_init(&packed, LIMIT);
    assert_int_equal(kinds[kind].pack(&packed, bytes, 5000, 0, NULL), 0);
    for (size_t cut = 0; cut < packed.size; cut += 7)
      assert_failed(kind, &packed, cut, LIMIT, "PACK");
    size_t whole = packed.size;
    buffer_add_text(&packed, "garbage");
    assert_failed(kind, &packed, packed.size, LIMIT, "PACK");
    packed.data[1] ^= 1;
    assert_failed(kind, &packed, whole, LIMIT, "PACK");
    buffer_free(&packed);
  }
  free(bytes);
}

static void reads_several_members(void **state) {
  (void)state;
  for (int kind = 0; kind < 2; kind++) {
    buffer packed, plain;
    buffer_init(&packed, LIMIT);
    buffer_init(&plain, LIMIT);
    assert_int_equal(kinds[kind].pack(&packed, "one ", 4, 1, NULL), 0);
    assert_int_equal(kinds[kind].pack(&packed, "two", 3, 9, NULL), 0);
    assert_int_equal(kinds[kind].unpack(&plain, packed.data, packed.size, 7, NULL), 0);
    assert_string_equal(buffer_text(&plain), "one two");
    buffer_free(&packed);
    buffer_free(&plain);
  }
}

static void packs_within_the_limit(void **state) {
  (void)state;
  char *bytes = make(5000, true);
  for (int kind = 0; kind < 2; kind++) {
    buffer out;
    dts_error e;
    buffer_init(&out, 1000);
    buffer_add_text(&out, "kept");
    assert_int_equal(kinds[kind].pack(&out, bytes, 5000, 0, &e), -1);
    assert_string_equal(buffer_text(&out), "kept");
    assert_int_equal(kinds[kind].pack(&out, "short", 5, 0, &e), 0);
    buffer_free(&out);
  }
  assert_int_equal(pack_guess("PK", 2), PACK_NONE);
  free(bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(comes_back),
      cmocka_unit_test(stops_at_the_limit),
      cmocka_unit_test(refuses_damage),
      cmocka_unit_test(reads_several_members),
      cmocka_unit_test(packs_within_the_limit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
