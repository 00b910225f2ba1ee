/* registry_test.c -- a set of declarations, checked against each other.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/flow_help.h"

#define TABLE(name)                                                                                \
  "{\"noun\":\"table\",\"name\":\"" name "\",\"key\":[\"day\"],\"columns\":[{\"name\":\"day\","    \
  "\"type\":\"date\"},{\"name\":\"v\",\"type\":\"real\"}]}"
#define PIPELINE(name, more)                                                                       \
  "{\"noun\":\"pipeline\",\"name\":\"" name "\",\"trigger\":\"hand\"" more "}"

static void a_good_set_is_found_by_name(void **state) {
  (void)state;
  registry *set = help_good_set("[" TABLE("t") "," PIPELINE(
      "p", ",\"tables\":[\"t\"],\"retry\":3") ","
                                              "{\"noun\":\"source\",\"name\":\"s\",\"url\":\"https:"
                                              "//example.org\"},"
                                              "{\"noun\":\"pipeline\",\"name\":\"g\",\"trigger\":"
                                              "\"gaps\",\"schedule\":\"0 6 * * "
                                              "*\",\"gaps\":{\"table\":\"t\",\"since\":\"2026-01-"
                                              "01\",\"calendar\":{\"name\":\"weekdays\"}}}]");
  assert_int_equal(registry_pipeline(set, "p")->retry, 3);
  assert_null(registry_pipeline(set, "q"));
  assert_string_equal(registry_table(set, "t")->name, "t");
  assert_string_equal(registry_source(set, "s")->url, "https://example.org");
  const pipeline *g = registry_pipeline(set, "g");
  assert_int_equal(g->retry, 5);
  assert_int_equal(g->batch, 25);
  assert_true(g->has_recheck); /* every six hours unless said */
  assert_string_equal(g->gaps->date_column, "day");
  assert_int_equal(g->gaps->lag_days, 1);
  assert_int_equal(g->gaps->series_count, 1);
  registry_hold(set);
  registry_release(set);
  assert_string_equal(registry_pipeline(set, "p")->name, "p");
  registry_release(set);
}

static void what_does_not_hold_together_is_refused(void **state) {
  (void)state;
  static const struct {
    const char *declared, *code, *message, *where;
  } cases[] = {
      {"[" TABLE("t") "," TABLE("t") "]", "NAME",
       "table 't' is declared twice: here and in pipelines/x.lua:1", "pipelines/x.lua:2"},
      {"[" PIPELINE("p", "") "," TABLE("t") "," PIPELINE("p", "") "]", "NAME",
       "pipeline 'p' is declared twice", "pipelines/x.lua:3"},
      {"[{\"noun\":\"pipeline\",\"name\":\"g\",\"trigger\":\"gaps\",\"gaps\":{\"table\":\"none\","
       "\"since\":\"2026-01-01\"}}]",
       "TABLE", "gaps.table names 'none', which no script declares", "pipelines/x.lua:1"},
      {"[{\"noun\":\"table\",\"name\":\"t\",\"key\":[\"id\"],\"columns\":[{\"name\":\"id\","
       "\"type\":\"integer\"}]},"
       "{\"noun\":\"pipeline\",\"name\":\"g\",\"trigger\":\"gaps\",\"gaps\":{\"table\":\"t\","
       "\"since\":\"2026-01-01\"}}]",
       "GAPS", "the key of 't' must hold exactly one date column", "pipelines/x.lua:2"},
      {"[{\"noun\":\"table\",\"name\":\"t\",\"key\":[\"k\",\"day\"],\"columns\":[{\"name\":\"k\","
       "\"type\":\"text\"},{\"name\":\"day\",\"type\":\"date\"}]},"
       "{\"noun\":\"pipeline\",\"name\":\"g\",\"trigger\":\"gaps\",\"gaps\":{\"table\":\"t\","
       "\"since\":\"2026-01-01\"}}]",
       "GAPS", "gaps.keys is missing: the key of 't' has 'k' beside day", "pipelines/x.lua:2"},
      {"[" TABLE("t") ",{\"noun\":\"pipeline\",\"name\":\"g\",\"trigger\":\"gaps\",\"gaps\":{"
                      "\"table\":\"t\",\"since\":\"2026-02-30\"}}]",
       "DATE", "gaps.since is '2026-02-30'", "pipelines/x.lua:2"},
      {"[" TABLE(
           "t") ",{\"noun\":\"pipeline\",\"name\":\"g\",\"trigger\":\"gaps\",\"gaps\":{\"table\":"
                "\"t\",\"since\":\"2026-01-01\",\"calendar\":{\"name\":\"NYSEE\"}}}]",
       "", "NYSEE", "pipelines/x.lua:2"},
      {"[" TABLE("t") ",{\"noun\":\"pipeline\",\"name\":\"g\",\"trigger\":\"gaps\",\"gaps\":{"
                      "\"table\":\"t\",\"since\":\"2026-01-01\",\"calendar\":{\"name\":\"daily\","
                      "\"closed\":[\"soon\"]}}}]",
       "DATE", "a calendar's list holds soon", "pipelines/x.lua:2"},
      {"[" PIPELINE("p", ",\"after\":[\"pp\"]") "]", "PIPELINE", "there is no pipeline named 'pp'",
       "pipelines/x.lua:1"},
      {"[" PIPELINE("p", ",\"tables\":[\"t\"]") "]", "TABLE",
       "pipeline 'p' may write 't', which no script declares", "pipelines/x.lua:1"},
      {"[" PIPELINE("p", ",\"schedule\":\"0 25 * * *\"") "]", "", "25", "pipelines/x.lua:1"},
      {"[" PIPELINE("p", ",\"timezone\":\"Europe/Berlim\"") "]", "", "Berlim", "pipelines/x.lua:1"},
      {"[" PIPELINE("p", ",\"allow\":{\"hosts\":[\"a.org\",\"https://b.org/c\"]}") "]",
       "PERMIT_PATTERN", "host 'https://b.org/c': expected a host name", "pipelines/x.lua:1"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    dts_error e = {0};
    registry *set = help_set(cases[i].declared, &e);
    if (set) fail_msg("accepted: %s", cases[i].declared);
    if (cases[i].code[0]) assert_string_equal(e.code, cases[i].code);
    if (!strstr(e.message, cases[i].message))
      fail_msg("'%s' lacks '%s'", e.message, cases[i].message);
    assert_string_equal(e.where, cases[i].where);
  }
}

static void expect_circle(const char *declared, const char *message, const char *where) {
  dts_error e = {0};
  if (help_set(declared, &e)) fail_msg("accepted: %s", declared);
  assert_string_equal(e.code, "PIPELINE");
  if (!strstr(e.message, message)) fail_msg("'%s' lacks '%s'", e.message, message);
  assert_string_equal(e.where, where);
}

static void a_circle_of_after_is_refused(void **state) {
  (void)state;
#define AFTER(name, names) PIPELINE(name, ",\"after\":[" names "]")
  expect_circle("[" AFTER("p", "\"p\"") "]", "in a circle, for ever: 'p' after 'p'",
                "pipelines/x.lua:1");
  expect_circle("[" PIPELINE("a", "") "," AFTER("x", "\"r\"") "," AFTER(
                    "p", "\"a\",\"r\"") "," AFTER("q", "\"p\"") "," AFTER("r", "\"q\"") "]",
                "in a circle, for ever: 'q' after 'p' after 'r' after 'q'", "pipelines/x.lua:4");
  registry_release(help_good_set(
      "[" PIPELINE("a", "") "," AFTER("b", "\"a\"") "," AFTER("c", "\"a\",\"b\"") "]"));
}

static void the_nearest_name_is_offered(void **state) {
  (void)state;
  dts_error e = {0};
  registry *set = help_good_set("[" PIPELINE("currency", "") "]");
  assert_int_equal(registry_unknown_pipeline(set, "curency", &e), -1);
  assert_string_equal(e.hint, "did you mean 'currency'?");
  registry_release(set);
}

/* A module that two scripts require declares its nouns once: same file, same line. */
static void a_shared_module_is_no_conflict(void **state) {
  (void)state;
  arena a = {0};
  value list = help_json(&a, "[{\"noun\":\"source\",\"name\":\"s\",\"url\":\"https://"
                             "example.org\",\"file\":\"connectors/s.lua\",\"line\":4}]"),
        config = value_map();
  const module used = {"connectors.s", "connectors/s.lua", "-- text", false};
  script *both[2] = {script_make("pipelines/a.lua", "a", &list, &used, 1),
                     script_make("pipelines/b.lua", "b", &list, &used, 1)};
  dts_error e = {0};
  registry *set = registry_make(both, 2, &config, &e);
  if (!set) fail_msg("%s", e.message);
  assert_int_equal(set->source_count, 1);
  assert_string_not_equal(both[0]->version, both[1]->version);
  script_release(both[0]);
  script_release(both[1]);
  assert_string_equal(set->scripts[0]->file, "pipelines/a.lua"); /* the set holds them */
  registry_release(set);
  arena_free(&a);
}

/* The name in `first` and `second` at one line of a module, in two scripts or in one. */
static void refused_twice(const char *first, const char *second, bool one_script) {
  arena a = {0};
  value config = value_map();
  const char *both = arena_format(&a, "[%s%s%s]", first, one_script ? "," : "],[", second);
  value list = help_json(&a, one_script ? both : arena_format(&a, "[%s]", both));
  const module used = {"connectors.s", "connectors/s.lua", "-- text", false};
  size_t count = one_script ? 1 : 2;
  script *scripts[2] = {0};
  for (size_t i = 0; i < count; i++)
    scripts[i] = script_make(i ? "pipelines/b.lua" : "pipelines/a.lua", "a",
                             one_script ? &list : &list.list.items[i], &used, 1);
  dts_error e = {0};
  if (registry_make(scripts, count, &config, &e)) fail_msg("accepted: %s", both);
  assert_string_equal(e.message, "source 's' is declared twice: here and in connectors/s.lua:4");
  for (size_t i = 0; i < count; i++) script_release(scripts[i]);
  arena_free(&a);
}

#define SOURCE(url)                                                                                \
  "{\"noun\":\"source\",\"name\":\"s\",\"url\":\"" url                                             \
  "\",\"file\":\"connectors/s.lua\",\"line\":4}"

static void one_line_may_declare_a_name_twice_too(void **state) {
  (void)state;
  refused_twice(SOURCE("https://a.example"), SOURCE("https://a.example"), true);
  refused_twice(SOURCE("https://a.example"), SOURCE("https://b.example"), true);
  refused_twice(SOURCE("https://a.example"), SOURCE("https://b.example"), false);
}

static void stand_ins_and_limits_come_from_the_project(void **state) {
  (void)state;
  arena a = {0};
  value list = help_json(
      &a, "[{\"noun\":\"source\",\"name\":\"s\",\"url\":\"https://example.org\"}," PIPELINE(
              "p", ",\"limits\":{\"rows\":5}") "]");
  value config = help_json(&a, "{\"timezone\":\"America/Sao_Paulo\",\"sources\":{\"s\":\"http://"
                               "127.0.0.1:9\"},\"limits\":{\"rows\":7,\"time_ms\":1000}}");
  script *only = script_make("pipelines/a.lua", "a", &list, NULL, 0);
  dts_error e = {0};
  for (size_t i = 0; i < list.list.count; i++)
    value_set(&a, &list.list.items[i], "file", value_text("pipelines/a.lua"));
  script_release(only);
  only = script_make("pipelines/a.lua", "a", &list, NULL, 0);
  registry *set = registry_make(&only, 1, &config, &e);
  if (!set) fail_msg("%s", e.message);
  assert_string_equal(registry_source(set, "s")->url, "http://127.0.0.1:9");
  assert_int_equal(registry_pipeline(set, "p")->max_rows, 5);
  assert_int_equal(registry_pipeline(set, "p")->time_ms, 1000);
  assert_string_equal(registry_pipeline(set, "p")->timezone, "America/Sao_Paulo");
  script_release(only);
  registry_release(set);
  arena_free(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_good_set_is_found_by_name),
      cmocka_unit_test(what_does_not_hold_together_is_refused),
      cmocka_unit_test(a_circle_of_after_is_refused),
      cmocka_unit_test(the_nearest_name_is_offered),
      cmocka_unit_test(a_shared_module_is_no_conflict),
      cmocka_unit_test(one_line_may_declare_a_name_twice_too),
      cmocka_unit_test(stand_ins_and_limits_come_from_the_project),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
