/* stage_order_test.c -- rows are written in the order of their keys, whatever the keys are, and of one
 * key the later put wins: held against a plain upsert of the same rows in the order in which they came.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/stage_help.h"

#include <sys/resource.h>

static const char DECLARED[] =
    "[{\"noun\":\"table\",\"name\":\"t\",\"key\":[\"k\",\"r\"],\"columns\":[{\"name\":\"v\","
    "\"type\":"
    "\"integer\"},{\"name\":\"k\",\"type\":\"text\"},{\"name\":\"r\",\"type\":\"real\"},{\"name\":"
    "\"j\","
    "\"type\":\"json\"}]},"
    "{\"noun\":\"table\",\"name\":\"seen\",\"columns\":[{\"name\":\"v\",\"type\":\"integer\"},"
    "{\"name\":\"k\",\"type\":\"text\"},{\"name\":\"r\",\"type\":\"real\"}]},"
    "{\"noun\":\"pipeline\",\"name\":\"p\",\"trigger\":\"hand\",\"retry\":5}]";

static int setup(void **state) { return stage_setup(state, DECLARED); }

static void open_rows(buffer *b, const char *name) {
  buffer_init(b, FRAME_LIMIT);
  pack_map(b, 2);
  pack_text(b, "table", 5);
  pack_text(b, name, strlen(name));
  pack_text(b, "rows", 4);
  pack_open_list(b);
}

static void send_rows(fixture *f, buffer *b) {
  dts_error e = {0};
  pack_end(b);
  if (stage_add(f->stage, OP_ROWS, b->data, b->size, &e) < 0) fail_msg("%s", e.message);
  buffer_free(b);
}

/* The same rows twice: put by key, and only added in the order in which they came. */
static void put_both(fixture *f, int64_t first, int count,
                     void (*make)(int64_t i, char k[40], double *r)) {
  buffer keyed, plain;
  open_rows(&keyed, "t");
  open_rows(&plain, "seen");
  for (int64_t i = first; i < first + count; i++) {
    char k[40];
    double r = 0;
    make(i, k, &r);
    pack_list(&keyed, 4);
    pack_list(&plain, 3);
    for (int side = 0; side < 2; side++) {
      buffer *b = side ? &plain : &keyed;
      pack_integer(b, i);
      pack_text(b, k, strlen(k));
      pack_real(b, r);
    }
    pack_map(&keyed, 1);
    pack_text(&keyed, "i", 1);
    pack_integer(&keyed, i);
  }
  send_rows(f, &keyed);
  send_rows(f, &plain);
}

static void expect_same(fixture *f) {
  dts_error e = {0};
  arena a = {0};
  if (store_write(f->store, apply_work, f, &e) < 0) fail_msg("%s: %s", e.code, e.message);
  assert_string_equal(
      help_text(f->store, &a, "select count(*), sum(j ->> 'i' = v) = count(*) from t"),
      help_text(f->store, &a, "select count(*), 1 from (select distinct k, r from seen)"));
  assert_string_equal(help_text(f->store, &a,
                                "select count(*) from t where v <> (select max(v) from seen where "
                                "seen.k = t.k and seen.r = t.r)"),
                      "0\n");
  arena_free(&a);
}

static uint64_t scramble(int64_t i) { return (uint64_t)i * 0x9E3779B97F4A7C15u >> 20; }

static void make_shared(int64_t i, char k[40], double *r) {
  snprintf(k, 40, "CURRENCY#%llu", (unsigned long long)(scramble(i) % 3000));
  *r = (double)(scramble(i + 7) % 5) - 2;
}

static void make_short(int64_t i, char k[40], double *r) {
  static const char *const words[] = {"",         "a",         "aa", "aaa",
                                      "aaaaaaaa", "aaaaaaaaa", "b",  "\xc3\xa9"};
  snprintf(k, 40, "%s", words[scramble(i) % 8]);
  *r = scramble(i) % 16 < 8 ? -0.0 : 0.0; /* one key */
}

static void make_rising(int64_t i, char k[40], double *r) {
  snprintf(k, 40, "%08lld", (long long)(i / 3)); /* three puts of each key in turn */
  *r = 1;
}

static void make_one(int64_t i, char k[40], double *r) {
  snprintf(k, 40, "all of them begin alike and go on");
  *r = (double)(scramble(i) % 200) / 8;
}

static void keys_with_a_shared_beginning(void **state) {
  for (int64_t i = 0; i < 8; i++) put_both(*state, i * 1500, 1500, make_shared);
  expect_same(*state);
}

static void keys_that_are_beginnings_of_others(void **state) {
  for (int64_t i = 0; i < 4; i++) put_both(*state, i * 500, 500, make_short);
  expect_same(*state);
}

static void keys_that_rise_and_repeat(void **state) {
  for (int64_t i = 0; i < 6; i++) put_both(*state, i * 1000, 1000, make_rising);
  expect_same(*state);
}

static void keys_whose_prefix_is_one(void **state) {
  for (int64_t i = 0; i < 4; i++) put_both(*state, i * 1000, 1000, make_one);
  expect_same(*state);
}

/* A limit on the size of files is what a full disk is: an error, and the run is over. */
static void a_full_disk_is_told(void **state) {
  fixture *f = *state;
  struct rlimit before, none = {1024 * 1024, RLIM_INFINITY};
  dts_error e = {0};
  assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
  none.rlim_max = before.rlim_max;
  assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
  int rc = 0;
  for (int64_t n = 0; rc == 0 && n < 40; n++) {
    static char text[4000];
    buffer b;
    memset(text, 'x', sizeof text);
    open_rows(&b, "seen");
    for (int64_t i = 0; i < 100; i++)
      pack_list(&b, 3), pack_integer(&b, i), pack_text(&b, text, sizeof text), pack_real(&b, 1);
    pack_end(&b);
    rc = stage_add(f->stage, OP_ROWS, b.data, b.size, &e);
    buffer_free(&b);
  }
  setrlimit(RLIMIT_FSIZE, &before);
  assert_int_equal(rc, -1);
  assert_string_equal(e.code, "DISK_FULL");
  assert_true(e.retryable);
  stage_clear(f->stage);
  put_both(f, 0, 10, make_rising); /* and with room again it goes on */
  expect_same(f);
}

int main(void) {
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      test(keys_with_a_shared_beginning), test(keys_that_are_beginnings_of_others),
      test(keys_that_rise_and_repeat),    test(keys_whose_prefix_is_one),
      test(a_full_disk_is_told),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
