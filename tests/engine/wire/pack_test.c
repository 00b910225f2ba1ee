/* pack_test.c -- packed values: every kind there and back, the exact bytes, and broken ones
 * refused.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "format/value.h"
#include "wire/pack.h"

enum { ROOM = 1 << 20 };

static value there_and_back(arena *a, const value *v) {
  buffer b;
  value out;
  dts_error e;
  buffer_init(&b, ROOM);
  pack_value(&b, v);
  unpack u = {b.data, b.data + b.size}, s = u;
  assert_int_equal(unpack_value(&u, a, &out, &e), 0);
  assert_ptr_equal(u.at, u.end);
  assert_int_equal(unpack_skip(&s, &e), 0);
  assert_ptr_equal(s.at, s.end);
  buffer_free(&b);
  return out;
}

static void keeps(const value *v) {
  arena a = {0};
  value out = there_and_back(&a, v);
  assert_int_equal(out.kind, v->kind);
  assert_true(value_equal(&out, v));
  arena_free(&a);
}

static void integers(void **state) {
  (void)state;
  static const int64_t numbers[] = {
      0, 1, -1, 95, 96, 127, 128, -64, -65, 16383, 9007199254740993, INT64_MAX, INT64_MIN};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    value v = value_integer(numbers[i]);
    keeps(&v);
  }
}

static void reals(void **state) {
  (void)state;
  static const double numbers[] = {0.0, 0.1, -2.5, DBL_MAX, DBL_MIN, 4.9e-324, INFINITY};
  for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
    value v = value_real(numbers[i]);
    keeps(&v);
  }
  arena a = {0};
  value nan = value_real(NAN), minus = value_real(-0.0);
  assert_true(isnan(there_and_back(&a, &nan).real));
  assert_true(signbit(there_and_back(&a, &minus).real));
  arena_free(&a);
}

static void texts(void **state) {
  (void)state;
  static const size_t sizes[] = {0, 1, 126, 127, 128, 129, 16383, 16384, 100000};
  char *bytes = malloc(100000);
  for (size_t i = 0; i < 100000; i++) bytes[i] = (char)(i * 7);
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
    value v = value_bytes(bytes, sizes[i]);
    keeps(&v);
  }
  free(bytes);
}

static value nested(arena *a, int depth) {
  value v = value_integer(7);
  for (int i = 0; i < depth; i++) {
    value outer = i % 2 ? value_list() : value_map();
    if (i % 2)
      value_add(a, &outer, v);
    else
      value_set(a, &outer, "in", v);
    v = outer;
  }
  return v;
}

static void trees(void **state) {
  (void)state;
  arena a = {0};
  value list = value_list(), map = value_map(), empty = value_list();
  for (int i = 0; i < 300; i++) value_add(&a, &list, value_integer(i * i));
  value_set(&a, &map, "list", list);
  value_set(&a, &map, "none", value_null());
  value_set(&a, &map, "empty", empty);
  value_set(&a, &map, "yes", value_boolean(true));
  keeps(&map);
  value deep = nested(&a, 128);
  keeps(&deep);
  arena_free(&a);
}

static void exact_bytes(void **state) {
  (void)state;
  static const char expected[] = "\x07\x03\x81"
                                 "a\x25\x81"
                                 "b\x03\xbf\x01\x81"
                                 "c\x08\x01\x00\x0a";
  buffer b;
  buffer_init(&b, ROOM);
  pack_map(&b, 3);
  pack_text(&b, "a", 1);
  pack_integer(&b, 5);
  pack_text(&b, "b", 1);
  pack_integer(&b, -96);
  pack_text(&b, "c", 1);
  pack_open_list(&b);
  pack_boolean(&b, false);
  pack_null(&b);
  pack_end(&b);
  assert_int_equal(b.size, sizeof expected - 1);
  assert_memory_equal(b.data, expected, b.size);
  buffer_free(&b);
}

static void open_ones(void **state) {
  (void)state;
  static const char bytes[] = "\x09\x81k\x08\x21\x22\x0a\x81m\x09\x0a\x0a";
  arena a = {0};
  value v;
  dts_error e;
  unpack u = {bytes, bytes + sizeof bytes - 1};
  assert_int_equal(unpack_value(&u, &a, &v, &e), 0);
  const value *k = value_get(&v, "k");
  assert_int_equal(k->list.count, 2);
  assert_int_equal(k->list.items[1].integer, 2);
  assert_int_equal(value_get(&v, "m")->kind, VALUE_MAP);
  arena_free(&a);
}

static void refuses(const char *bytes, size_t size, const char *message) {
  arena a = {0};
  value v;
  dts_error e = {0};
  char *exact = malloc(size ? size : 1); /* so that a sanitizer sees a byte too many */
  memcpy(exact, bytes, size);
  unpack u = {exact, exact + size}, s = u;
  assert_int_equal(unpack_value(&u, &a, &v, &e), -1);
  assert_string_equal(e.code, "WIRE");
  assert_string_equal(e.message, message);
  assert_int_equal(unpack_skip(&s, &e), -1);
  free(exact);
  arena_free(&a);
}

#define REFUSES(bytes, message)                                                                    \
  refuses(bytes, sizeof bytes - 1, "a packed value is broken: " message)

static void broken_ones(void **state) {
  (void)state;
  REFUSES("", "it ends too early");
  REFUSES("\x0b", "an unknown tag");
  REFUSES("\x1f", "an unknown tag");
  REFUSES("\x0a", "an end stands where a value should");
  REFUSES("\x83"
          "ab",
          "it ends inside a text");
  REFUSES("\x05\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", "it ends inside a text");
  REFUSES("\x03\x80", "it ends inside a number");
  REFUSES("\x03\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", "a number has more than 64 bits");
  REFUSES("\x04\x00\x00", "it ends inside a number");
  REFUSES("\x06\x05\x20", "it has fewer items than it says");
  REFUSES("\x06\xff\xff\xff\xff\x0f", "it has fewer items than it says");
  REFUSES("\x07\x01\x20\x20", "a map's key is not a text");
  REFUSES("\x09\x20\x20\x0a", "a map's key is not a text");
  REFUSES("\x09\x81k\x0a", "an end stands where a value should");
  REFUSES("\x06\x01\x0a", "an end stands where a value should");
  REFUSES("\x08\x20", "it ends too early");
  char deep[200];
  memset(deep, 0x08, sizeof deep);
  refuses(deep, sizeof deep, "a packed value is broken: more than 128 levels");
}

static void errors_travel(void **state) {
  (void)state;
  arena a = {0};
  buffer b;
  value v;
  dts_error e, back;
  buffer_init(&b, ROOM);
  error_fail(&e, "HTTP_LATER", "api.bcb.gov.br answered %d", 429);
  error_hint(&e, "this run is queued again at 10:31");
  strcpy(e.where, "pipelines/fuel/quotes.lua:14");
  e.retryable = true;
  e.retry_after_ms = 60000;
  e.status = 429;
  pack_error(&b, &e);
  unpack u = {b.data, b.data + b.size};
  assert_int_equal(unpack_value(&u, &a, &v, NULL), 0);
  unpack_error(&v, &back);
  assert_string_equal(back.code, e.code);
  assert_string_equal(back.message, "api.bcb.gov.br answered 429");
  assert_string_equal(back.hint, e.hint);
  assert_string_equal(back.where, e.where);
  assert_true(back.retryable);
  assert_int_equal(back.retry_after_ms, 60000);
  assert_int_equal(back.status, 429);
  value nothing = value_null();
  unpack_error(&nothing, &back);
  assert_string_equal(back.code, "");
  buffer_free(&b);
  arena_free(&a);
}

/* ── Mutations ── */

static uint64_t seed = 88172645463325252u; /* xorshift64: the same mutations every time */
static uint32_t chance(uint32_t below) {
  seed ^= seed << 13, seed ^= seed >> 7, seed ^= seed << 17;
  return (uint32_t)(seed >> 16) % below;
}

static void mutate(char *bytes, size_t *size) {
  for (uint32_t n = 1 + chance(4); n > 0; n--) {
    size_t at = chance((uint32_t)*size);
    switch (chance(4)) {
    case 0: bytes[at] = (char)chance(256); break;
    case 1: bytes[at] ^= (char)(1 << chance(8)); break;
    case 2: *size = at + 1; break;
    default: bytes[at] = (char)(chance(2) ? chance(11) : 0xff); break;
    }
  }
}

static void read_both(const char *bytes, size_t size, int *accepted) {
  arena a = {0};
  value v;
  dts_error e;
  unpack u = {bytes, bytes + size}, s = u;
  int read = unpack_value(&u, &a, &v, &e), skipped = unpack_skip(&s, &e);
  assert_int_equal(read, skipped);
  if (read == 0) {
    assert_ptr_equal(u.at, s.at);
    *accepted += 1;
  }
  assert_true(a.total <= 64 * size + 4096); /* no small message asks for much memory */
  arena_free(&a);
}

static void mutations(void **state) {
  (void)state;
  arena a = {0};
  buffer b;
  int accepted = 0;
  buffer_init(&b, ROOM);
  value map = value_map(), list = value_list();
  for (int i = -3; i < 8; i++) value_add(&a, &list, value_integer(i * 1000));
  value_set(&a, &map, "rows", list);
  value_set(&a, &map, "name", value_text("pump"));
  value_set(&a, &map, "price", value_real(5.89));
  value_set(&a, &map, "deep", nested(&a, 12));
  pack_open_list(&b);
  pack_value(&b, &map);
  pack_value(&b, &map);
  pack_end(&b);
  for (int i = 0; i < 100000; i++) {
    size_t size = b.size;
    char *copy = malloc(size);
    memcpy(copy, b.data, size);
    mutate(copy, &size);
    char *exact = realloc(copy, size);
    read_both(exact, size, &accepted);
    free(exact);
  }
  print_message("100000 mutations: %d read, the rest refused\n", accepted);
  assert_in_range(accepted, 1000, 99000);
  buffer_free(&b);
  arena_free(&a);
}

static void an_answer_without_room_is_an_error(void **state) {
  (void)state;
  arena a = {0};
  buffer b;
  dts_error e;
  value big = value_bytes(arena_alloc(&a, 2 << 20), 2 << 20), said;
  value small = value_text("fits");
  buffer_init(&b, 1 << 20);
  assert_true(pack_answer(&b, &small));
  buffer_clear(&b);
  assert_false(pack_answer(&b, &big));
  assert_false(b.failed);
  unpack u = {b.data, b.data + b.size};
  assert_int_equal(unpack_value(&u, &a, &said, &e), 0);
  unpack_error(&said, &e);
  assert_string_equal(e.code, "LIMIT_SIZE");
  assert_string_equal(e.message, "the answer is larger than 1 MB");
  buffer_free(&b);
  arena_free(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(integers),    cmocka_unit_test(reals),
      cmocka_unit_test(texts),       cmocka_unit_test(trees),
      cmocka_unit_test(exact_bytes), cmocka_unit_test(open_ones),
      cmocka_unit_test(broken_ones), cmocka_unit_test(errors_travel),
      cmocka_unit_test(mutations),   cmocka_unit_test(an_answer_without_room_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
