/* schema_test.c -- messages, refusals, and two outside judges: the JSON Schema test suite (2020-12)
 * and ajv's verdicts on real webhook events (draft 07).
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <dirent.h>
#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/json.h"
#include "format/schema.h"

#define OLD "\"$schema\":\"http://json-schema.org/draft-07/schema#\","

static value parse(arena *a, const char *text) {
  dts_error e;
  value v;
  if (json_read(a, text, strlen(text), &v, &e) < 0) fail_msg("%s: %s", text, e.message);
  return v;
}

static schema *compile(schema_set *set, arena *a, const char *text, dts_error *e) {
  value document = parse(a, text);
  return schema_add(set, "test", &document, e) < 0 ? NULL : schema_compile(set, "test", e);
}

static void assert_check(const char *text, const char *instance, const char *path,
                         const char *message) {
  arena a = {0};
  dts_error e = {0};
  schema_fault fault = {0};
  schema_set *set = schema_set_open();
  schema *s = compile(set, &a, text, &e);
  if (!s) fail_msg("%s: %s", text, e.message);
  value v = parse(&a, instance);
  int status = schema_check(s, &v, &fault);
  assert_int_equal(status, message ? -1 : 0);
  assert_string_equal(fault.path, path);
  assert_string_equal(fault.message, message ? message : "");
  assert_int_equal(schema_check(s, &v, NULL), status);
  schema_free(s);
  schema_set_close(set);
  arena_free(&a);
}

static void explains_faults(void **state) {
  (void)state;
  assert_check("{\"type\":[\"integer\",\"null\"]}", "\"n/a\"", "",
               "expected null or integer, got \"n/a\"");
  assert_check("{\"properties\":{\"a/b\":{\"items\":{\"minimum\":3}}}}", "{\"a/b\":[3,4,1]}",
               "/a~1b/2", "expected a number from 3, got 1");
  assert_check("{\"required\":[\"id\"]}", "{\"x\":1}", "",
               "expected a property \"id\", got {\"x\":1}");
  assert_check("{\"additionalProperties\":false,\"properties\":{\"a\":{}}}", "{\"a\":1,\"b\":2}",
               "", "expected no property \"b\" here, got 2");
  assert_check("{\"enum\":[\"a\",1]}", "2", "", "expected one of [\"a\",1], got 2");
  assert_check("{\"pattern\":\"^a\"}", "\"b\"", "",
               "expected a text that matches the pattern \"^a\", got \"b\"");
  assert_check("{\"oneOf\":[{},true]}", "1", "",
               "expected exactly one of 2 forms (oneOf), but more than one fits, got 1");
  assert_check("{" OLD "\"properties\":{\"t\":{\"format\":\"date\"}}}", "{\"t\":\"2023-02-29\"}",
               "/t", "expected a date such as 2024-01-31, got \"2023-02-29\"");
  assert_check("{\"format\":\"date\"}", "\"no date\"", "", NULL);
  assert_check("{\"maxLength\":2}", "\"\\ud83d\\ude00\\u00e9\"", "", NULL);
  assert_check("{\"exclusiveMaximum\":9007199254740993}", "9007199254740992", "", NULL);
}

static void assert_refused(const char *text, const char *message) {
  arena a = {0};
  dts_error e = {0};
  schema_set *set = schema_set_open();
  assert_null(compile(set, &a, text, &e));
  assert_string_equal(e.code, "SCHEMA");
  assert_string_equal(e.message, message);
  schema_set_close(set);
  arena_free(&a);
}

static void refuses_what_it_would_ignore(void **state) {
  (void)state;
  assert_refused("{\"items\":{\"minLength\":\"x\"}}",
                 "schema test: 'minLength' must be a whole number from 0, not \"x\"");
  assert_refused("{" OLD "\"unevaluatedProperties\":false}",
                 "schema test: 'unevaluatedProperties' is not a keyword of draft 07");
  assert_refused("{\"dependencies\":{}}",
                 "schema test: 'dependencies' is not a keyword of 2020-12");
  assert_refused("{\"nullable\":true}", "schema test: 'nullable' is not a keyword of 2020-12");
  assert_refused("{\"$ref\":\"other\"}", "there is no schema other");
  assert_refused("{\"$ref\":\"#/$defs/x\"}", "schema test has nothing at #/$defs/x");
  assert_refused("{\"$ref\":\"#x\"}", "schema test has nothing at #x");
  assert_refused("{\"$schema\":\"http://json-schema.org/draft-04/schema#\"}",
                 "schema test: $schema http://json-schema.org/draft-04/schema is not known");
  assert_refused("{\"type\":\"text\"}",
                 "schema test: 'type' must be null, boolean, integer, number, "
                 "string, array, object, not \"text\"");
  assert_refused("{\"properties\":[]}",
                 "schema test: 'properties' must be a map of schemas, not []");
  assert_refused("{\"allOf\":[1]}", "schema test: 'allOf' must be a list of schemas, not [1]");
  assert_refused("{" OLD "\"format\":\"isbn\"}",
                 "schema test: 'format' must be a known format such as date-time, date, email, uri "
                 "or uuid, not \"isbn\"");
  assert_refused("[1]", "a schema is a map, true or false, not [1]");
}

static void finds_documents_by_name(void **state) {
  (void)state;
  arena a = {0};
  dts_error e = {0};
  schema_set *set = schema_set_open();
  value user = parse(&a, "{\"$id\":\"common/user.json\",\"$anchor\":\"u\",\"type\":\"string\"}");
  value list = parse(&a, "{\"$id\":\"list\",\"items\":{\"$ref\":\"common/user.json#u\"}}");
  value other = parse(&a, "{\"$id\":\"list\"}");
  assert_int_equal(schema_add(set, NULL, &list, &e), 0);
  assert_int_equal(schema_add(set, NULL, &user, &e), 0);
  assert_int_equal(schema_add(set, NULL, &other, &e), -1);
  assert_string_equal(e.message, "two schemas are called list");
  schema *s = schema_compile(set, "list", &e);
  assert_non_null(s);
  value v = parse(&a, "[\"a\",1]");
  schema_fault fault;
  assert_int_equal(schema_check(s, &v, &fault), -1);
  assert_string_equal(fault.path, "/1");
  assert_null(schema_compile(set, "lists", &e));
  assert_string_equal(e.message, "there is no schema lists");
  schema_free(s);
  schema_set_close(set);
  arena_free(&a);
}

static void comes_to_an_end(void **state) {
  (void)state;
  assert_check("{\"$ref\":\"#\"}", "1", "", "expected fewer levels, got 1");
  assert_check("{\"additionalProperties\":{\"$ref\":\"#\"},\"type\":\"object\"}",
               "{\"a\":{\"b\":{\"c\":3}}}", "/a/b/c", "expected object, got 3");
}

static void knows_draft_07(void **state) {
  (void)state;
  assert_check("{" OLD "\"items\":[{},{\"type\":\"string\"}],\"additionalItems\":false}",
               "[1,\"a\",2]", "/2", "expected no value here, got 2");
  assert_check("{" OLD
               "\"$ref\":\"#/definitions/a\",\"type\":\"string\",\"definitions\":{\"a\":{}}}",
               "1", "", NULL);
  assert_check("{" OLD
               "\"$ref\":\"#a\",\"definitions\":{\"x\":{\"$id\":\"#a\",\"type\":\"string\"}}}",
               "1", "", "expected string, got 1");
  assert_check("{" OLD "\"dependencies\":{\"a\":[\"b\"],\"c\":{\"required\":[\"d\"]}}}",
               "{\"a\":1}", "", "expected a property \"b\" beside \"a\", got {\"a\":1}");
  assert_check("{" OLD "\"$ref\":\"http://json-schema.org/draft-07/schema#\"}",
               "{\"properties\":{\"a\":{\"minLength\":-1}}}", "/properties/a/minLength",
               "expected a number from 0, got -1");
}

/* One file of the tree that ftw() is walking, into the set: only what ends in .json. */
static schema_set *loading;
static const char *stem, *prefix;
static arena *memory;

static value load(arena *a, const char *path) {
  dts_error e;
  value v = value_null();
  FILE *file = fopen(path, "rb");
  if (!file) fail_msg("%s is not here", path);
  fseek(file, 0, SEEK_END);
  size_t size = (size_t)ftell(file);
  rewind(file);
  char *bytes = arena_alloc(a, size + 1);
  assert_int_equal(fread(bytes, 1, size, file), size);
  fclose(file);
  if (json_read(a, bytes, size, &v, &e) < 0) fail_msg("%s: %s", path, e.message);
  return v;
}

static int load_one(const char *path, const struct stat *status, int kind) {
  (void)status;
  dts_error e;
  if (kind != FTW_F || !strstr(path, ".json")) return 0;
  value v = load(memory, path);
  const char *uri = prefix ? arena_format(memory, "%s%s", prefix, path + strlen(stem)) : NULL;
  if (schema_add(loading, uri, &v, &e) < 0) fail_msg("%s: %s", path, e.message);
  return 0;
}

static schema_set *load_tree(arena *a, const char *folder, const char *uri_prefix) {
  loading = schema_set_open();
  memory = a;
  stem = folder;
  prefix = uri_prefix;
  assert_int_equal(ftw(folder, load_one, 20), 0);
  return loading;
}

typedef struct score {
  int good, bad;
} score;

static void run_group(schema_set *set, const char *file, const value *group, score *sum, int *n) {
  dts_error e = {0};
  char uri[64];
  snprintf(uri, sizeof uri, "http://test.example/%d", (*n)++);
  const value *tests = value_get(group, "tests"), *document = NULL;
  for (size_t i = 0; i < group->map.count; i++)
    if (value_is(&group->map.pairs[i].key, "schema")) document = &group->map.pairs[i].item;
  const char *name = value_get_text(group, "description", "");
  int status = schema_add(set, uri, document, &e);
  schema *s = status == 0 ? schema_compile(set, uri, &e) : NULL;
  if (!s) printf("%s: %s: not compiled: %s\n", file, name, e.message);
  for (size_t i = 0; i < tests->list.count; i++) {
    const value *test = &tests->list.items[i], *data = NULL;
    for (size_t j = 0; j < test->map.count; j++)
      if (value_is(&test->map.pairs[j].key, "data")) data = &test->map.pairs[j].item;
    bool valid = value_get_boolean(test, "valid", false);
    bool right = s && (schema_check(s, data, NULL) == 0) == valid;
    sum->good += right, sum->bad += !right;
    if (s && !right) printf("%s: %s: %s\n", file, name, value_get_text(test, "description", ""));
  }
  schema_free(s);
}

static void passes_the_suite(void **state) {
  (void)state;
  const char folder[] = TEST_DATA "/suites/json-schema/tests/draft2020-12";
  DIR *dir = opendir(folder);
  if (!dir) {
    printf("skipped: %s is not here\n", folder);
    skip();
  }
  arena a = {0};
  schema_set *set = load_tree(&a, TEST_DATA "/suites/json-schema/remotes", "http://localhost:1234");
  score sum = {0, 0};
  int n = 0;
  for (struct dirent *entry; (entry = readdir(dir));) {
    if (!strstr(entry->d_name, ".json")) continue;
    value groups = load(&a, arena_format(&a, "%s/%s", folder, entry->d_name));
    for (size_t i = 0; i < groups.list.count; i++)
      run_group(set, entry->d_name, &groups.list.items[i], &sum, &n);
  }
  closedir(dir);
  schema_set_close(set);
  arena_free(&a);
  printf("JSON Schema 2020-12: %d of %d\n", sum.good, sum.good + sum.bad);
  assert_int_equal(sum.bad, 0);
  assert_int_equal(sum.good, 1299);
}

static void judge(schema_set *set, arena *a, const value *cases, score *sum) {
  dts_error e = {0};
  schema_fault fault;
  for (size_t i = 0; i < cases->list.count; i++) {
    const value *one = &cases->list.items[i];
    const char *path = value_get_text(one, "payload", ""),
               *kind = value_get_text(one, "schema", "");
    value payload = load(a, arena_format(a, TEST_DATA "/events/payloads/%s", path));
    value document = load(a, arena_format(a, TEST_DATA "/events/schemas/%s", kind));
    schema *s = schema_compile(set, value_get_text(&document, "$id", ""), &e);
    if (!s) fail_msg("%s: %s", kind, e.message);
    bool valid = schema_check(s, &payload, &fault) == 0;
    bool right = valid == value_get_boolean(one, "valid", false);
    sum->good += right, sum->bad += !right;
    if (!right) printf("%s against %s: %s %s\n", path, kind, fault.path, fault.message);
    schema_free(s);
  }
}

static void agrees_with_ajv(void **state) {
  (void)state;
  const char folder[] = TEST_DATA "/events/schemas";
  DIR *dir = opendir(folder);
  if (!dir) {
    printf("skipped: %s is not here\n", folder);
    skip();
  }
  closedir(dir);
  arena a = {0};
  schema_set *set = load_tree(&a, folder, NULL);
  value verdicts = load(&a, TEST_DATA "/events/ajv-verdicts.json");
  score own = {0, 0}, foreign = {0, 0};
  judge(set, &a, value_get(&verdicts, "own"), &own);
  judge(set, &a, value_get(&verdicts, "cross"), &foreign);
  schema_set_close(set);
  arena_free(&a);
  printf("ajv's verdicts: own %d of %d, foreign %d of %d\n", own.good, own.good + own.bad,
         foreign.good, foreign.good + foreign.bad);
  assert_int_equal(own.bad + foreign.bad, 0);
  assert_int_equal(own.good + foreign.good, 408);
}

typedef struct shared {
  const schema *schema;
  const value *good, *bad;
} shared;

static void *check_often(void *argument) {
  const shared *job = argument;
  for (int i = 0; i < 500; i++)
    if (schema_check(job->schema, job->good, NULL) || !schema_check(job->schema, job->bad, NULL))
      return argument;
  return NULL;
}

static void serves_several_threads(void **state) {
  (void)state;
  arena a = {0};
  dts_error e;
  schema_set *set = schema_set_open();
  schema *s = compile(set, &a,
                      "{\"patternProperties\":{\"^a\":{\"anyOf\":[{\"type\":\"null\"},"
                      "{\"minimum\":1}]}},\"unevaluatedProperties\":false}",
                      &e);
  assert_non_null(s);
  value good = parse(&a, "{\"a1\":2,\"a2\":null}"), bad = parse(&a, "{\"a1\":2,\"b\":1}");
  shared job = {s, &good, &bad};
  pthread_t threads[4];
  void *failed;
  for (int i = 0; i < 4; i++)
    assert_int_equal(pthread_create(&threads[i], NULL, check_often, &job), 0);
  for (int i = 0; i < 4; i++) {
    pthread_join(threads[i], &failed);
    assert_null(failed);
  }
  schema_free(s);
  schema_set_close(set);
  arena_free(&a);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(explains_faults),         cmocka_unit_test(refuses_what_it_would_ignore),
      cmocka_unit_test(finds_documents_by_name), cmocka_unit_test(comes_to_an_end),
      cmocka_unit_test(knows_draft_07),          cmocka_unit_test(passes_the_suite),
      cmocka_unit_test(agrees_with_ajv),         cmocka_unit_test(serves_several_threads),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
