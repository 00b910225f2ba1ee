/* ingest_read_test.c -- bodies of every shape, ids, types and times, and what a sender cannot do.
 *
 * SPDX-License-Identifier: MIT */
#include "store/help.h"

#include "flow/inputs/ingest_check.h"
#include "flow/inputs/ingest_read.h"

static const int64_t now = 1773147600000; /* 2026-03-10T13:00:00Z */

typedef struct reading {
  arena memory;
  ingest_rules rules;
  ingest_batch batch;
} reading;

static reading *read_body(const char *declared, const char *headers, const char *body) {
  reading *r = memory_alloc(sizeof *r);
  value *maps = arena_alloc(&r->memory, 2 * sizeof *maps);
  dts_error e = {0};
  maps[0] = help_json(&r->memory, declared);
  maps[1] = help_json(&r->memory, headers);
  r->rules = (ingest_rules){.declared = &maps[0], .headers = &maps[1], .now = now};
  if (ingest_read(&r->rules, body, strlen(body), &r->batch, &e) < 0) fail_msg("%s", e.message);
  return r;
}

static void forget(reading *r) {
  ingest_batch_free(&r->batch);
  arena_free(&r->memory);
  free(r);
}

static void expect(const char *declared, const char *headers, const char *body, const char *ids,
                   const char *refused) {
  reading *r = read_body(declared, headers, body);
  char got[2000] = "", bad[2000] = "";
  for (size_t i = 0; i < r->batch.count; i++)
    snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", i ? " " : "",
             r->batch.events[i].id);
  for (size_t i = 0; i < r->batch.refused_count; i++) {
    const ingest_refusal *f = &r->batch.refused[i];
    snprintf(bad + strlen(bad), sizeof bad - strlen(bad), "%s%lld%s: %s", i ? "; " : "",
             (long long)f->line, f->path, f->message);
  }
  assert_string_equal(got, ids);
  assert_string_equal(bad, refused);
  forget(r);
}

static void takes_every_shape(void **state) {
  (void)state;
  const char *by_id = "{\"id\":\"id\"}";
  expect(by_id, "{}", "{\"id\":\"a\"}", "a", "");
  expect(by_id, "{}", " {\n  \"id\": \"a\"\n}\n", "a", "");
  expect(by_id, "{}", "[{\"id\":\"a\"},{\"id\":7} , {\"id\":\"c\"}]", "a 7 c", "");
  expect(by_id, "{}", "[]", "", "");
  expect(by_id, "{}", "{\"id\":\"a\"}\n{\"id\":\"b\"}\r\n\n{\"id\":\"c\"}", "a b c", "");
  expect(by_id, "{\"Content-Type\":\"application/x-ndjson\"}", "{\"id\":\"a\"}", "a", "");
  expect("{\"id\":\"a.b\"}", "{}", "{\"a\":{\"b\":\"x\"}}", "x", "");
  expect("{\"id\":\"data.a.b\"}", "{}", "{\"a\":{\"b\":\"x\"}}", "x", "");
}

static void refuses_one_and_goes_on(void **state) {
  (void)state;
  const char *by_id = "{\"id\":\"id\"}";
  expect(by_id, "{}", "{\"id\":\"a\"}\n{\"id\":\n{\"id\":\"c\"}", "a c",
         "2: line 1, column 7: expected a value, got the end of the document");
  expect(by_id, "{}", "oops\n{\"id\":\"b\"}\n5", "b",
         "1: line 1, column 1: expected a value, got 'o'; 3: an event (a JSON object) expected, "
         "got 5");
  expect(by_id, "{}", "[{\"id\":\"a\"},3,{\"id\":{}}]", "a",
         "2: an event (a JSON object) expected, got 3; 3/id: an id (text or a whole number) "
         "expected, got {}");
  expect(by_id, "{}", "[{\"id\":\"a\"},\n{\"id\":\"b\"", "",
         "2: line 2, column 10: expected ',' or '}', got the end of the document");
  expect(by_id, "{}", "", "", "1: line 1, column 1: expected a value, got the end of the document");
  expect("{\"time\":\"at\",\"id\":\"id\"}", "{}", "{\"id\":\"a\",\"at\":\"yesterday\"}", "",
         "1/at: a time such as 2026-03-10T13:00:00Z expected, got \"yesterday\"");
}

static void finds_ids_types_and_times(void **state) {
  (void)state;
  const char *declared =
      "{\"id\":\"header:X-Delivery\",\"type\":\"header:x-event\",\"time\":\"at\"}";
  const char *headers = "{\"x-delivery\":\"D1\",\"X-Event\":\"star\"}";
  expect(declared, headers, "{}", "D1", "");
  expect(declared, headers, "[{}]", "D1:1", "");
  expect(declared, headers, "{}\nx\n{}", "D1:1 D1:3",
         "2: line 1, column 1: expected a value, got 'x'");
  reading *r = read_body(declared, headers, "[{\"at\":\"2026-03-10T10:00:00-03:00\"}, {}]");
  assert_string_equal(r->batch.events[0].type, "star");
  assert_string_equal(r->batch.events[0].time, "2026-03-10T13:00:00.000Z");
  assert_string_equal(r->batch.events[1].time, "2026-03-10T13:00:00.000Z");
  assert_int_equal(r->batch.events[0].size, strlen("{\"at\":\"2026-03-10T10:00:00-03:00\"}"));
  forget(r);
  r = read_body("{}", "{}", "{\"a\":1}\n{\"a\":1}\n{\"a\":2}"); /* no id: the bytes are it */
  assert_int_equal(strlen(r->batch.events[0].id), 64);
  assert_string_equal(r->batch.events[0].id, r->batch.events[1].id);
  assert_string_not_equal(r->batch.events[0].id, r->batch.events[2].id);
  assert_null(r->batch.events[0].type);
  forget(r);
}

static void refuses_what_is_too_large(void **state) {
  (void)state;
  char *body = memory_alloc(INGEST_EVENT_BYTES + 100);
  char *id = memory_alloc(INGEST_ID_BYTES + 100);
  memset(body, ' ', INGEST_EVENT_BYTES + 10);
  body[0] = '{';
  strcpy(body + INGEST_EVENT_BYTES + 10, "}\n{\"id\":1}");
  expect("{\"id\":\"id\"}", "{}", body, "1", "1: the event is larger than 1 MB");
  strcpy(id, "{\"id\":\"");
  memset(id + 7, 'x', INGEST_ID_BYTES + 1);
  strcpy(id + 8 + INGEST_ID_BYTES, "\"}");
  expect("{\"id\":\"id\"}", "{}", id, "", "1: the id is longer than 512 bytes");
  free(body);
  free(id);
}

static void checks_signatures(void **state) {
  (void)state;
  /* the example of the webhooks' documentation: key and body are public */
  const char *body = "Hello, World!", *secret = "It's a Secret to Everybody";
  const char *right = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
  arena a = {0};
  dts_error e = {0};
  value signature = help_json(&a, "{\"header\":\"x-hub-signature-256\",\"secret\":\"WEBHOOK\"}");
  value headers = value_map(), none = value_map(), wrong = value_map();
  value_set(&a, &headers, "X-Hub-Signature-256", value_text(right));
  value_set(&a, &wrong, "x-hub-signature-256", value_text("sha1=757107"));
  assert_int_equal(ingest_check_signature(&signature, &headers, secret, body, strlen(body), &e), 0);
  assert_int_equal(ingest_check_signature(&signature, &headers, secret, body, strlen(body) - 1, &e),
                   -1);
  assert_string_equal(
      e.message, "the request's signature (header x-hub-signature-256) is not that of this body");
  assert_int_equal(e.status, 401);
  assert_int_equal(ingest_check_signature(&signature, &none, secret, body, strlen(body), &e), -1);
  assert_int_equal(ingest_check_signature(&signature, &wrong, secret, body, strlen(body), &e), -1);
  assert_string_equal(e.code, "SIGNATURE");
  assert_int_equal(ingest_check_signature(&signature, &headers, NULL, body, strlen(body), &e), -1);
  assert_string_equal(e.code, "SECRET");
  assert_int_equal(ingest_check_signature(&signature, &headers, "", body, strlen(body), &e), -1);
  assert_int_equal(ingest_check_signature(NULL, &none, NULL, body, strlen(body), &e), 0);
  arena_free(&a);
}

/* ---- schemas ---- */

static void put(const char *folder, const char *path, const char *text) {
  arena a = {0};
  char *whole = arena_format(&a, "%s/%s", folder, path);
  char *slash = strrchr(whole, '/');
  *slash = '\0';
  assert_int_equal(file_make_folder(whole, 0755, NULL), 0);
  *slash = '/';
  assert_int_equal(file_write_atomic(whole, text, strlen(text), 0644, NULL), 0);
  arena_free(&a);
}

typedef struct checking {
  arena memory;
  schemas *schemas;
  value templates;
  schema_fault fault;
  dts_error error;
} checking;

static int check(checking *k, const char *type, const char *json) {
  ingest_schemas s = {.set = schemas_take(k->schemas), .templates = &k->templates};
  value data = help_json(&k->memory, json);
  int verdict = ingest_check_schema(&s, type, &data, &k->fault, &k->error);
  schemas_give(s.set);
  return verdict;
}

static void finds_the_first_schema_that_exists(void **state) {
  (void)state;
  char *folder = help_folder();
  put(folder, "schemas/star/created.schema.json",
      "{\"type\":\"object\",\"required\":[\"at\"],\"properties\":{\"by\":{\"$ref\":\"../common/"
      "user.json\"}}}");
  put(folder, "schemas/common/user.json", "{\"type\":\"string\"}");
  put(folder, "schemas/star/event.schema.json", "{\"type\":\"object\",\"maxProperties\":2}");
  put(folder, "secret.schema.json", "{}");
  checking k = {.schemas = schemas_open(folder, 0)};
  k.templates = help_json(
      &k.memory,
      "[\"schemas/{type}/{data.action}.schema.json\",\"schemas/{type}/event.schema.json\"]");
  assert_int_equal(check(&k, "star", "{\"action\":\"created\",\"at\":1,\"by\":\"me\"}"), 0);
  assert_int_equal(check(&k, "star", "{\"action\":\"created\"}"), 1);
  assert_int_equal(check(&k, "star", "{\"action\":\"created\",\"at\":1,\"by\":5}"), 1);
  assert_string_equal(k.fault.path, "/by");
  assert_int_equal(check(&k, "star", "{\"action\":\"deleted\"}"), 0);
  assert_int_equal(check(&k, "star", "{}"), 0);
  assert_int_equal(check(&k, "star", "{\"action\":\"deleted\",\"a\":1,\"b\":2}"), 1);
  assert_int_equal(check(&k, "fork", "{\"action\":\"x\"}"), 1);
  assert_string_equal(k.fault.message,
                      "no schema is there for this event: schemas/fork/x.schema.json, "
                      "schemas/fork/event.schema.json");
  assert_int_equal(check(&k, NULL, "{\"action\":\"x\"}"), 1);
  assert_string_equal(k.fault.message,
                      "no schema is there for this event: {type} is absent, {type} is absent");
  schemas_close(k.schemas);
  arena_free(&k.memory);
  help_remove(folder);
}

static void lets_no_name_become_a_path(void **state) {
  (void)state;
  char *folder = help_folder();
  put(folder, "schemas/star/event.schema.json", "{}");
  put(folder, "schemas/a/b.schema.json", "{}");
  checking k = {.schemas = schemas_open(folder, 0)};
  k.templates = help_json(&k.memory, "[\"schemas/{data.x}.schema.json\"]");
  const char *const bad[] = {"../secret", "..", "a/b", ".hidden", "", "a b", "a\\u0000b", "ä"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    char json[100];
    snprintf(json, sizeof json, "{\"x\":\"%s\"}", bad[i]);
    assert_int_equal(check(&k, "star", json), 1);
    assert_non_null(strstr(k.fault.message, "which is no plain name"));
  }
  assert_int_equal(check(&k, "star", "{\"x\":[1]}"), 1);
  k.templates = help_json(&k.memory, "[\"schemas/{type}/event.schema.json\"]");
  assert_int_equal(check(&k, "../schemas/star", "{}"), 1);
  assert_int_equal(check(&k, "star", "{}"), 0);
  schemas_close(k.schemas);
  arena_free(&k.memory);
  help_remove(folder);
}

static void keeps_good_schemas_after_a_bad_edit(void **state) {
  (void)state;
  char *folder = help_folder();
  put(folder, "schemas/a.json", "{\"required\":[\"a\"]}");
  put(folder, "schemas/r.json", "{\"$ref\":\"nowhere.json\"}");
  checking k = {.schemas = schemas_open(folder, 0)};
  k.templates = help_json(&k.memory, "[\"schemas/a.json\"]");
  assert_int_equal(check(&k, NULL, "{}"), 1);
  put(folder, "schemas/a.json", "{\"required\":");
  assert_int_equal(check(&k, NULL, "{}"), 1); /* as it was */
  assert_int_equal(check(&k, NULL, "{\"a\":1}"), 0);
  put(folder, "schemas/a.json", "{\"required\":[\"b\"]}");
  assert_int_equal(check(&k, NULL, "{\"a\":1}"), 1);
  k.templates = help_json(&k.memory, "[\"schemas/r.json\"]");
  assert_int_equal(check(&k, NULL, "{}"), -1);
  assert_string_equal(k.error.code, "SCHEMA");
  assert_int_equal(k.error.status, 503);
  assert_non_null(strstr(k.error.message, "schemas/r.json cannot be used: "));
  schemas_close(k.schemas);
  arena_free(&k.memory);
  help_remove(folder);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(takes_every_shape),
      cmocka_unit_test(refuses_one_and_goes_on),
      cmocka_unit_test(finds_ids_types_and_times),
      cmocka_unit_test(refuses_what_is_too_large),
      cmocka_unit_test(checks_signatures),
      cmocka_unit_test(finds_the_first_schema_that_exists),
      cmocka_unit_test(lets_no_name_become_a_path),
      cmocka_unit_test(keeps_good_schemas_after_a_bad_edit),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
