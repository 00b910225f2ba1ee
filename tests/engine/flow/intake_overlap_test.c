/* intake_overlap_test.c -- patterns of two pipelines that match one name; what is said of a file,
 * once.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/input_kernel.h"

#include "flow/inputs/intake_arrival.h"

#define FILES(name, line, patterns)                                                                \
  "{\"noun\":\"pipeline\",\"name\":\"" name "\",\"file\":\"pipelines/test.lua\",\"line\":" #line   \
  ",\"trigger\":\"files\",\"retry\":5,\"files\":[" patterns "]}"

static void knows_which_patterns_share_a_name(void **state) {
  (void)state;
  static const char *const shared[][2] = {{"in/bank-*.csv", "in/*"}, {"in/*.csv", "in/bank-*.csv"},
                                          {"in/a*", "in/*b"},        {"in/x?.csv", "in/x[0-9]*"},
                                          {"in/a*b*c", "in/*b*"},    {"a.csv", "a.csv"},
                                          {"in/[ab]*", "in/[b-d]x"}, {"in/*", "in/*"}};
  static const char *const apart[][2] = {{"in/bank-*.csv", "in/stock-*.csv"},
                                         {"in/*.csv", "in/*.tsv"},
                                         {"in/*.csv", "other/*.csv"},
                                         {"in/x?.csv", "in/x.csv"},
                                         {"in/[ab]", "in/[!ab]"},
                                         {"/etc/*", "/etc/*"},
                                         {"in/[ab]*", "in/c*"},
                                         {"in/a", "in/aa"}};
  for (size_t i = 0; i < sizeof shared / sizeof *shared; i++)
    if (!intake_overlap(shared[i][0], shared[i][1]) || !intake_overlap(shared[i][1], shared[i][0]))
      fail_msg("%s and %s share a name", shared[i][0], shared[i][1]);
  for (size_t i = 0; i < sizeof apart / sizeof *apart; i++)
    if (intake_overlap(apart[i][0], apart[i][1]) || intake_overlap(apart[i][1], apart[i][0]))
      fail_msg("%s and %s share none", apart[i][0], apart[i][1]);
}

static void notes_what_two_pipelines_want(void **state) {
  (void)state;
  arena a = {0};
  value notes = value_list();
  input_kernel *k = input_open(
      "[" FILES("bank", 1, "\"in/bank-*.csv\"") "," FILES("stock", 2, "\"in/*.csv\"") "]", NULL);
  intake_notes(k->set, k->folder, &a, &notes);
  assert_int_equal(notes.list.count, 1);
  assert_int_equal(value_get_integer(&notes.list.items[0], "waiting", -1), 0);
  input_file(k, "in/bank-1.csv", "x");
  input_file(k, "in/stock.csv", "x");
  notes = value_list();
  intake_notes(k->set, k->folder, &a, &notes);
  assert_string_equal(value_get_text(&notes.list.items[0], "message", ""),
                      "files may be wanted by two pipelines, 'bank' (in/bank-*.csv) and 'stock' "
                      "(in/*.csv), and are taken by neither; 1 lies there: bank-1.csv");
  assert_int_equal(value_get_integer(&notes.list.items[0], "waiting", -1), 1);
  arena_free(&a);
  input_close(k);
}

static void says_a_thing_once(void **state) {
  (void)state;
  intake_said *said = memory_alloc(sizeof *said);
  arrival *one = arrival_new("in", "a.csv"), *other = arrival_new("in", "b.csv");
  assert_true(arrival_is_news(said, one, "two want it"));
  assert_false(arrival_is_news(said, one, "two want it"));
  assert_true(arrival_is_news(said, one, "nobody does"));
  assert_true(arrival_is_news(said, other, "two want it"));
  one->changed = 5; /* it was written again */
  assert_true(arrival_is_news(said, one, "two want it"));
  for (int64_t i = 0; i < 3 * INTAKE_SAID; i++) {
    other->size = i + 1;
    assert_true(arrival_is_news(said, other, "x"));
  }
  arrival_free(one);
  arrival_free(other);
  free(said);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(knows_which_patterns_share_a_name),
      cmocka_unit_test(notes_what_two_pipelines_want),
      cmocka_unit_test(says_a_thing_once),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
