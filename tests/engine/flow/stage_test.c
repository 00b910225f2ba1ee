/* stage_test.c -- what a run has staged, applied in one transaction: order, volume, refusals.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/stage_help.h"

static const char DECLARED[] =
    "[{\"noun\":\"table\",\"name\":\"t\",\"key\":[\"id\"],\"columns\":[{\"name\":\"id\",\"type\":"
    "\"integer\"},"
    "{\"name\":\"v\",\"type\":\"text\"},{\"name\":\"n\",\"type\":\"integer\",\"check\":\"n < "
    "1000000\"}]},"
    "{\"noun\":\"table\",\"name\":\"log\",\"columns\":[{\"name\":\"v\",\"type\":\"text\"}]},"
    "{\"noun\":\"pipeline\",\"name\":\"p\",\"trigger\":\"hand\",\"retry\":5}]";

static int setup(void **state) { return stage_setup(state, DECLARED); }

static int apply(fixture *f, dts_error *e) { return store_write(f->store, apply_work, f, e); }

static void apply_well(fixture *f) {
  dts_error e = {0};
  if (apply(f, &e) < 0) fail_msg("%s: %s", e.code, e.message);
}

/* Rows (id, text) of t from `from` on; `open` packs the list as a worker does, without a count. */
static void put(fixture *f, int64_t from, int64_t count, int64_t step, const char *text,
                bool open) {
  buffer b;
  dts_error e = {0};
  buffer_init(&b, FRAME_LIMIT);
  pack_map(&b, 2);
  pack_text(&b, "table", 5);
  pack_text(&b, "t", 1);
  pack_text(&b, "rows", 4);
  if (open)
    pack_open_list(&b);
  else
    pack_list(&b, (size_t)count);
  for (int64_t i = 0; i < count; i++) {
    pack_list(&b, 3);
    pack_integer(&b, from + i * step);
    pack_text(&b, text, strlen(text));
    pack_integer(&b, i);
  }
  if (open) pack_end(&b);
  if (stage_add(f->stage, OP_ROWS, b.data, b.size, &e) < 0) fail_msg("%s", e.message);
  buffer_free(&b);
}

static void effect(fixture *f, const char *json) {
  arena a = {0};
  value v = help_json(&a, json);
  assert_int_equal(stage_add_value(f->stage, &v, NULL), 0);
  arena_free(&a);
}

#define expect(f, sql, text)                                                                       \
  do {                                                                                             \
    arena a_ = {0};                                                                                \
    assert_string_equal(help_text((f)->store, &a_, sql), text);                                    \
    arena_free(&a_);                                                                               \
  } while (0)

static void the_later_of_two_puts_wins(void **state) {
  fixture *f = *state;
  put(f, 1, 3, 1, "first", true);
  put(f, 3, 1, -1, "second", false);
  put(f, 2, 2, 0, "twice in one frame", true);
  assert_int_equal(stage_rows(f->stage), 6);
  apply_well(f);
  expect(f, "select id, v, n from t order by id",
         "1|first|0\n2|twice in one frame|1\n3|second|0\n");
  const char *first;
  assert_int_equal(stage_replaced(f->stage, &first), 3);
  assert_string_equal(first, "table 't' (id 2)");
}

static void the_same_row_again_replaces_nothing(void **state) {
  fixture *f = *state;
  const char *first;
  put(f, 1, 3, 1, "same", true);
  put(f, 1, 3, 1, "same", true);
  apply_well(f);
  assert_int_equal(stage_replaced(f->stage, &first), 0);
}

static void verbs_between_puts_keep_their_place(void **state) {
  fixture *f = *state;
  put(f, 1, 4, 1, "a", true);
  effect(f, "{\"verb\":\"delete\",\"table\":\"t\",\"where\":{\"id\":{\"from\":2,\"to\":3}}}");
  put(f, 3, 1, 1, "b", true);
  effect(f, "{\"verb\":\"update\",\"table\":\"t\",\"row\":{\"id\":4,\"v\":\"updated\"}}");
  put(f, 1, 1, 1, "c", true);
  apply_well(f);
  expect(f, "select id, v from t order by id", "1|c\n3|b\n4|updated\n");
}

static void many_rows_in_memory(void **state) {
  fixture *f = *state;
  for (int64_t i = 0; i < 100; i++) put(f, i, 1000, 100, "x", true); /* scattered over the key */
  assert_int_equal(stage_rows(f->stage), 100000);
  apply_well(f);
  expect(f, "select count(*), min(id), max(id), sum(id) from t", "100000|0|99999|4999950000\n");
}

static void many_rows_in_a_file(void **state) {
  fixture *f = *state;
  char text[201];
  memset(text, 'y', 200);
  text[200] = '\0';
  for (int64_t i = 0; i < 100; i++) put(f, i, 1000, 100, text, true); /* over 20 MB */
  effect(f, "{\"verb\":\"delete\",\"table\":\"t\",\"where\":{\"id\":{\"from\":50000}}}");
  put(f, 99999, 1, 1, "last", true);
  assert_int_equal(stage_rows(f->stage), 100001);
  apply_well(f);
  expect(f, "select count(*), min(id), max(id), sum(length(v)) from t", "50001|0|99999|10000004\n");
  stage_clear(f->stage);
  assert_int_equal(stage_rows(f->stage), 0);
  put(f, 1, 1, 1, "again", true); /* a stage is used again after each commit */
  apply_well(f);
  expect(f, "select v from t where id = 1", "again\n");
}

static void what_was_taken_is_apart_from_what_comes(void **state) {
  fixture *f = *state;
  put(f, 1, 2, 1, "taken", true);
  stage *taken = stage_take(f->stage);
  assert_int_equal(stage_rows(f->stage), 0);
  assert_int_equal(stage_rows(taken), 2);
  put(f, 3, 1, 1, "kept", true);
  stage *kept = f->stage;
  f->stage = taken;
  apply_well(f);
  f->stage = kept;
  stage_free(taken);
  expect(f, "select id from t order by id", "1\n2\n");
  apply_well(f);
  expect(f, "select id from t order by id", "1\n2\n3\n");
}

static void one_refused_row_undoes_all(void **state) {
  fixture *f = *state;
  dts_error e = {0};
  put(f, 1, 10, 1, "good", true);
  effect(f, "{\"verb\":\"reject\",\"row\":{\"a\":1},\"reason\":\"odd\"}");
  effect(f, "{\"verb\":\"enqueue\",\"pipeline\":\"p\"}");
  effect(f, "{\"verb\":\"update\",\"table\":\"t\",\"row\":{\"id\":5,\"n\":2000000}}");
  assert_int_equal(apply(f, &e), -1);
  assert_non_null(strstr(e.message, "'n'"));
  expect(f, "select count(*) from t", "0\n");
  expect(f, "select count(*) from dts_note", "0\n");
  expect(f, "select count(*) from dts_job", "0\n");
  expect(f, "select count(*) from dts_firing", "0\n");
}

static void broken_frames_are_refused(void **state) {
  fixture *f = *state;
  dts_error e = {0};
  effect(f, "{\"verb\":\"conjure\"}");
  assert_int_equal(apply(f, &e), -1);
  assert_string_equal(e.code, "WIRE");
  stage_clear(f->stage);
  effect(f, "{\"verb\":\"delete\",\"table\":\"nothing\",\"where\":{}}");
  assert_int_equal(apply(f, &e), -1);
  assert_string_equal(e.code, "TABLE");
  for (size_t cut = 1; cut < 60; cut++) { /* a frame that ends early */
    buffer b;
    buffer_init(&b, FRAME_LIMIT);
    pack_map(&b, 2);
    pack_text(&b, "table", 5);
    pack_text(&b, "t", 1);
    pack_text(&b, "rows", 4);
    pack_open_list(&b);
    for (int64_t i = 0; i < 5; i++) {
      pack_list(&b, 3);
      pack_integer(&b, i);
      pack_text(&b, "abc", 3);
      pack_integer(&b, i);
    }
    pack_end(&b);
    stage_clear(f->stage);
    if (cut < b.size) {
      assert_int_equal(stage_add(f->stage, OP_ROWS, b.data, b.size - cut, &e), -1);
      assert_string_equal(e.code, "WIRE");
    }
    buffer_free(&b);
  }
  expect(f, "select count(*) from t", "0\n");
}

int main(void) {
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {
      test(the_later_of_two_puts_wins),
      test(the_same_row_again_replaces_nothing),
      test(verbs_between_puts_keep_their_place),
      test(many_rows_in_memory),
      test(many_rows_in_a_file),
      test(what_was_taken_is_apart_from_what_comes),
      test(one_refused_row_undoes_all),
      test(broken_frames_are_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
