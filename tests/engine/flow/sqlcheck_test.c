/* Every SQL of a set is looked at, and a fault names its place.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/flow_help.h"

#include "flow/reload/sqlcheck.h"

#define TABLES                                                                                     \
  "{\"noun\":\"table\",\"name\":\"rates\",\"key\":[\"currency\",\"date\"],\"columns\":["           \
  "{\"name\":\"currency\",\"type\":\"text\"},{\"name\":\"date\",\"type\":\"date\"},"               \
  "{\"name\":\"rate\",\"type\":\"real\"}]},"                                                       \
  "{\"noun\":\"table\",\"name\":\"secret\",\"private\":true,\"key\":[\"k\"],\"columns\":[{"        \
  "\"name\":"                                                                                      \
  "\"k\",\"type\":\"text\"}]},"                                                                    \
  "{\"noun\":\"rollup\",\"name\":\"trend\",\"from\":\"rates\",\"time\":\"date\",\"by\":[{"         \
  "\"expr\":"                                                                                      \
  "\"currency\",\"name\":\"currency\"}],\"every\":[\"week\",\"month\"],\"measures\":[{\"expr\":"   \
  "\"last(rate)\",\"name\":\"rate\"}]},"                                                           \
  "{\"noun\":\"view\",\"name\":\"latest\",\"keep\":true,\"sql\":\"select currency, max(date) as "  \
  "last "                                                                                          \
  "from rates group by currency\"}"

static value check(const char *more, arena *a) {
  dts_error e = {0};
  value faults = value_list();
  registry *set = help_good_set(arena_format(a, "[" TABLES "%s%s]", *more ? "," : "", more));
  if (sqlcheck_set(set, true, a, &faults, &e) < 0) fail_msg("%s", e.message);
  registry_release(set);
  return faults;
}

#define ROUTE(more)                                                                                \
  "{\"noun\":\"route\",\"name\":\"GET "                                                            \
  "/api/x/{currency}\",\"method\":\"GET\",\"path\":\"/api/x/"                                      \
  "{currency}\",\"params\":[{\"name\":\"every\",\"type\":\"choice\",\"choices\":[\"week\","        \
  "\"month\"]},{\"name\":\"from\",\"type\":\"date\"}]," more "}"
#define OVER(rest)                                                                                 \
  "{\"noun\":\"route\",\"name\":\"GET /api/x/{currency}\",\"method\":\"GET\",\"path\":"            \
  "\"/api/x/{currency}\",\"params\":[{\"name\":\"currency\",\"type\":\"text\"}]," rest "}"
#define ALERT(sql) "{\"noun\":\"alert\",\"name\":\"old\",\"when\":\"" sql "\"}"
#define SAYING(message)                                                                            \
  "{\"noun\":\"alert\",\"name\":\"old\",\"when\":\"select currency, max(rate) as most from rates " \
  "group by 1\",\"message\":\"" message "\"}"
#define PAGE(chart)                                                                                \
  "{\"noun\":\"dashboard\",\"name\":\"page\",\"filters\":[{\"name\":\"currency\"},{\"name\":"      \
  "\"every\",\"choices\":[\"week\",\"month\"]}],\"charts\":[" chart "]}"
#define FILTERED(filter, chart)                                                                    \
  "{\"noun\":\"dashboard\",\"name\":\"page\",\"filters\":[{\"name\":" filter                       \
  "}],\"charts\":[" chart "]}"
#define PIPELINE(gaps)                                                                             \
  "{\"noun\":\"pipeline\",\"name\":\"p\",\"trigger\":\"gaps\",\"schedule\":\"0 6 * * "             \
  "*\",\"limits\":{},\"gaps\":{\"table\":\"rates\",\"since\":\"2025-01-01\",\"lag_days\":1,"       \
  "\"refresh_days\":0,\"bridge\":0,\"calendar\":{\"name\":\"daily\"}," gaps "}}"

static void good_sets_have_no_faults(void **state) {
  (void)state;
  static const char *const good[] = {
      "",
      ROUTE("\"sql\":\"select * from trend_{every} where currency = :currency and (:from is null "
            "or period >= :from)\""),
      OVER("\"from\":\"rates\",\"columns\":[\"date\",\"rate\"],\"order\":[\"-date\",\"currency\"]"),
      OVER("\"from\":\"latest\",\"where\":{\"currency\":\"USD\"}"),
      ALERT("select currency from latest where last < :today_minus_3d or :now is null"),
      SAYING("{currency}: {most}, {not one}, {} { and {most"),
      ALERT("select id, pipeline from dts_runs where state = 'failed'"),
      FILTERED("\"day\"", "{\"kind\":\"table\",\"sql\":\"select currency from rates where date = "
                          ":day\"}"),
      FILTERED("\"currency\"", "{\"kind\":\"table\",\"from\":\"rates\"}"),
      FILTERED("\"day\"", "{\"kind\":\"table\",\"from\":\"rates\",\"where\":\"date = :day\"}"),
      PAGE("{\"kind\":\"line\",\"from\":\"trend_{every}\",\"x\":\"period\",\"y\":\"avg(rate)\","
           "\"by\":\"currency\",\"where\":\"rate > 0\"},"
           "{\"kind\":\"number\",\"sql\":\"select count(*) as n from rates where currency = "
           ":currency\",\"y\":\"n\"},"
           "{\"kind\":\"table\",\"from\":\"rates\",\"columns\":[\"date\",\"rate\"],\"order\":[\"-"
           "date\"]},{\"kind\":\"text\",\"text\":\"x\"}"),
      PIPELINE("\"complete\":\"rate > 0\",\"keys_sql\":\"select distinct currency from rates\""),
  };
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    arena a = {0};
    value faults = check(good[i], &a);
    if (faults.list.count)
      fail_msg("%s: %s", good[i], value_get_text(&faults.list.items[0], "message", "?"));
    arena_free(&a);
  }
}

static const struct {
  const char *declared, *message, *hint;
} cases[] = {
    {ROUTE("\"sql\":\"select currncy from rates\""),
     "route 'GET /api/x/{currency}': unknown column 'currncy' (line 1, column 8 of the SQL)",
     "did you mean 'currency'?"},
    {ROUTE("\"sql\":\"select * from trend_{evry}\""),
     "route 'GET /api/x/{currency}': {evry} is no choice: a parameter or filter with a list of "
     "values was expected",
     "a plain value is bound by writing :evry"},
    {ROUTE("\"sql\":\"select * from rates where date > :frm\""),
     "route 'GET /api/x/{currency}': the parameter :frm gets a value from nobody",
     "did you mean ':from'?"},
    {ROUTE("\"sql\":\"select * from rates where rate > :least\""),
     "route 'GET /api/x/{currency}': the parameter :least gets a value from nobody",
     "declare it in the route: params = { least = \"text\" }"},
    {"{\"noun\":\"route\",\"name\":\"GET /api/y\",\"method\":\"GET\",\"path\":\"/api/y\","
     "\"sql\":\"select * from rates where currency = :id\"}",
     "route 'GET /api/y': the parameter :id gets a value from nobody",
     "declare it in the route: params = { id = \"text\" }"},
    {ALERT("select * from rates where currency = :id"),
     "alert 'old': the parameter :id gets a value from nobody",
     "only :now, :today and :today_minus_3d have a value here"},
    {FILTERED("\"currncy\"", "{\"kind\":\"table\",\"from\":\"rates\"}"),
     "dashboard 'page': the filter 'currncy' changes no chart",
     "no chart's rows have a column 'currncy' and no SQL binds it with a colon"},
    {FILTERED("\"every\",\"choices\":[\"week\"]", "{\"kind\":\"table\",\"from\":\"rates\"}"),
     "dashboard 'page': the filter 'every' changes no chart",
     "write {every} into a chart's `from` or `sql`, or take the filter away"},
    {"{\"noun\":\"route\",\"name\":\"GET /api/y\",\"method\":\"GET\",\"path\":\"/api/y\","
     "\"from\":\"rates\",\"where\":\"rate > "
     ":least\",\"params\":[{\"name\":\"limit\"},{\"name\":\"least\"},"
     "{\"name\":\"currency\"},{\"name\":\"currncy\"}]}",
     "route 'GET /api/y': the parameter 'currncy' changes nothing",
     "the rows of 'rates' have no column 'currncy', and no SQL binds it with a colon"},
    {ROUTE("\"from\":\"rate\""), "route 'GET /api/x/{currency}': unknown table 'rate'",
     "did you mean 'rates'?"},
    {ALERT("select 1 where date('now') > '2020'"), "alert 'old': date asks the machine's clock",
     ":now, :today and :today_minus_3d come from the engine's clock"},
    {ALERT("select current_timestamp"), "alert 'old': current_timestamp asks the machine's clock",
     ":now, :today and :today_minus_3d come from the engine's clock"},
    {SAYING("{currency}: {mots}"),
     "alert 'old': the message names {mots}, and its query has no such column",
     "did you mean {most}?"},
    {SAYING("{spend} spent"),
     "alert 'old': the message names {spend}, and its query has no such column",
     "its columns are: currency, most"},
    {ALERT("delete from rates"), "alert 'old': only a SELECT may stand here, not delete",
     "one SELECT (or WITH ... SELECT) is run here; scripts write with ctx:put"},
    {ALERT("select hash from dts_key"), "alert 'old': table 'dts_key' is private",
     "only pipelines that may write it read it: see allow.tables"},
    {ALERT("select * from secret"), "alert 'old': table 'secret' is private",
     "only pipelines that may write it read it: see allow.tables"},
    {PAGE("{\"kind\":\"line\",\"title\":\"Rates\",\"from\":\"trend_{every}\",\"x\":\"date\","
          "\"y\":\"rate\"}"),
     "dashboard 'page', chart 1 'Rates': unknown column 'date'", NULL},
    {PAGE("{\"kind\":\"number\",\"sql\":\"select count(*) as n from rates\",\"y\":\"m\"}"),
     "dashboard 'page', chart 1: unknown column 'm'", NULL},
    {PIPELINE("\"complete\":\"rat > 0\",\"keys_sql\":\"select distinct currency from rates\""),
     "pipeline 'p': unknown column 'rat'", "did you mean 'rate'?"},
    {"{\"noun\":\"view\",\"name\":\"bad\",\"sql\":\"select * from nowhere\"}",
     "unknown table 'nowhere'", NULL},
};

static void faults_name_their_place(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    arena a = {0};
    value faults = check(cases[i].declared, &a);
    if (faults.list.count != 1) fail_msg("%s: %zu faults", cases[i].declared, faults.list.count);
    const value *f = &faults.list.items[0];
    const char *message = value_get_text(f, "message", "");
    if (strncmp(message, cases[i].message, strlen(cases[i].message)) != 0)
      fail_msg("\n%s expected, got\n%s", cases[i].message, message);
    if (cases[i].hint) assert_string_equal(value_get_text(f, "hint", ""), cases[i].hint);
    assert_string_equal(value_get_text(f, "file", ""), "pipelines/x.lua");
    assert_int_equal(value_get_integer(f, "line", 0), 5);
    assert_string_equal(value_get_text(f, "where", ""), "pipelines/x.lua:5");
    arena_free(&a);
  }
}

/* What the project lacks: `config` is dts.lua's table. */
static void project_faults(const char *declared, const char *config, const char *expected) {
  arena a = {0};
  value faults = value_list(), given = help_json(&a, config);
  registry *set = help_good_set(arena_format(&a, "[%s]", declared));
  sqlcheck_project(set, &given, "/", &a, &faults);
  assert_int_equal(faults.list.count, expected ? 1 : 0);
  if (expected) {
    assert_string_equal(value_get_text(&faults.list.items[0], "message", ""), expected);
    assert_string_equal(value_get_text(&faults.list.items[0], "file", ""), "pipelines/x.lua");
  }
  registry_release(set);
  arena_free(&a);
}

#define INGEST(schema)                                                                             \
  "{\"noun\":\"pipeline\",\"name\":\"in\",\"trigger\":\"ingest\",\"limits\":{},\"ingest\":{"       \
  "\"schema\":[" schema "]}}"

static void what_the_project_lacks_is_a_fault(void **state) {
  (void)state;
  project_faults(ALERT("select 1"), "{}",
                 "alert 'old' tells nobody: it has no `to`, and dts.lua no default");
  project_faults(ALERT("select 1"), "{\"alerts\":{\"to\":[]}}",
                 "alert 'old' tells nobody: it has no `to`, and dts.lua no default");
  project_faults(ALERT("select 1"), "{\"alerts\":{\"to\":[\"mailto:a@b.example\"]}}", NULL);
  project_faults("{\"noun\":\"alert\",\"name\":\"old\",\"when\":\"select 1\",\"to\":[\"mailto:"
                 "a@b.example\"]}",
                 "{}", NULL);
  project_faults(INGEST("\"no/such.json\""), "{}",
                 "pipeline 'in': there is no schema file no/such.json");
  project_faults(INGEST("\"no/{type}.json\",\"dev/null\""), "{}", NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(what_the_project_lacks_is_a_fault),
                                     cmocka_unit_test(good_sets_have_no_faults),
                                     cmocka_unit_test(faults_name_their_place)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
