/* health_test.c -- what a monitor and the overview are told: alive, stale, open gaps, figures.
 *
 * SPDX-License-Identifier: MIT */
#include "serve/world.h"

static int write_aside(store_conn *c, void *arg, dts_error *e) {
  static const char *const rows[] = {
      "insert into dts_rolled values ('stale rollup hush', 'pipelines/aside.lua:3: too large')",
      "insert into dts_gap (pipeline, series, day, state, at) values ('yearly', 'USD', "
      "'2026-01-01', 'retrying', 0), ('yearly', 'OLD', '2026-01-01', 'retrying', 0), ('gone', '', "
      "'2026-01-01', 'open', 0)",
      "insert into dts_gap_gone values ('yearly', 'OLD')"};
  static const char *const undone[] = {"delete from dts_rolled where rollup like 'stale %'",
                                       "delete from dts_gap", "delete from dts_gap_gone"};
  for (size_t i = 0; i < 3; i++)
    if (store_exec(c, *(const bool *)arg ? rows[i] : undone[i], NULL, 0, e) < 0) return -1;
  return 0;
}

/* Anybody may ask /healthz: the error itself is told to those with a key. */
static void what_is_stale_is_told_and_gaps_nobody_declares_are_not(void **state) {
  WORLD;
  dts_error e;
  bool there = true;
  assert_int_equal(0, store_write(kernel_store(w->kernel), write_aside, &there, &e));
  reply r = ask(w, "GET", "/healthz", NULL, NULL);
  assert_string_equal("ok\nstale: rollup 'hush' keeps its old rows\n", r.body);
  reply_free(&r);
  value v = get_json(w, "/api/v1/overview");
  const value *stale = &value_get(&v, "stale")->list.items[0];
  assert_string_equal("rollup", value_get_text(stale, "noun", ""));
  assert_string_equal("hush", value_get_text(stale, "name", ""));
  assert_string_equal("pipelines/aside.lua:3: too large", value_get_text(stale, "error", ""));
  assert_int_equal(1, value_get_integer(&v, "open_gaps", -1));
  const value *all = value_get(&v, "pipelines");
  for (size_t i = 0; i < all->list.count; i++)
    if (strcmp(value_get_text(&all->list.items[i], "name", ""), "yearly") == 0)
      assert_int_equal(1, value_get_integer(&all->list.items[i], "gaps", -1));
  r = ask(w, "GET", "/metrics", NULL, NULL);
  assert_non_null(strstr(r.body, "dts_gap_dates{state=\"dropped\",pipeline=\"yearly\"} 1"));
  reply_free(&r);
  there = false;
  assert_int_equal(0, store_write(kernel_store(w->kernel), write_aside, &there, &e));
  v = get_json(w, "/api/v1/overview");
  assert_int_equal(0, value_get(&v, "stale")->list.count);
  r = ask(w, "GET", "/healthz", NULL, NULL);
  assert_string_equal("ok\n", r.body);
  reply_free(&r);
}

static void metrics_keep_the_rules(void **state) {
  WORLD;
  reply r = ask(w, "GET", "/metrics", NULL, NULL);
  char *families[64], *line = NULL, *rest = (char *)(uintptr_t)r.body, *family = NULL;
  size_t n = 0;
  assert_int_equal(200, r.status);
  assert_int_equal(0, strcmp(r.body + r.size - 6, "# EOF\n"));
  while ((line = strsep(&rest, "\n")) && strcmp(line, "# EOF") != 0) {
    char *words[4] = {0}, *at_word = line;
    for (size_t i = 0; i < 3; i++) words[i] = strsep(&at_word, " ");
    if (strcmp(words[0], "#") == 0 && strcmp(words[1], "TYPE") == 0) {
      for (size_t i = 0; i < n; i++) assert_string_not_equal(families[i], words[2]);
      family = families[n++] = words[2];
    } else if (strcmp(words[0], "#") != 0) {
      assert_non_null(family);
      assert_int_equal(0, strncmp(words[0], family, strlen(family)));
    }
  }
  assert_true(n >= 8);
  reply_free(&r);
  expect(w, "GET", "/metrics", "X-Forwarded-For: 1.2.3.4\r\n", NULL, 401, "NO_KEY");
}

#define T(f) cmocka_unit_test(f)

int main(void) {
  const struct CMUnitTest tests[] = {T(what_is_stale_is_told_and_gaps_nobody_declares_are_not),
                                     T(metrics_keep_the_rules)};
  log_set_level(LOG_LEVEL_ERROR);
  return cmocka_run_group_tests(tests, world_open, world_close);
}
