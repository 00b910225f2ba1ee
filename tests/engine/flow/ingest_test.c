/* ingest_test.c -- requests with events, from the command to the rows: duplicates, refusals,
 * bundles, what is found after a restart, and real webhooks against their schemas.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/input_kernel.h"

#include <ftw.h>

#include "base/clock.h"
#include "crypto/crypto.h"
#include "flow/runs/finish_input.h"
#include "flow/inputs/ingest_write.h"

#define PIPELINE(more)                                                                             \
  "[{\"noun\":\"pipeline\",\"name\":\"hooks\",\"file\":\"pipelines/"                               \
  "test.lua\",\"line\":1,\"trigger\":\"ingest\","                                                  \
  "\"retry\":5,\"ingest\":{\"id\":\"id\",\"window_ms\":60000," more "}}]"

static input_answer *post(input_kernel *k, const char *body, size_t size, const char *headers) {
  arena a = {0};
  value command = value_map();
  value_set(&a, &command, "pipeline", value_text("hooks"));
  value_set(&a, &command, "body", value_bytes(body, size));
  if (headers) value_set(&a, &command, "headers", help_json(&a, headers));
  input_answer *answer = input_ask(k, control_ingest, command);
  arena_free(&a);
  return answer;
}

static void expect(input_kernel *k, const char *body, int64_t accepted, int64_t duplicates,
                   size_t refused) {
  input_answer *a = post(k, body, strlen(body), NULL);
  if (a->failed) fail_msg("%s", a->error.message);
  assert_int_equal(value_get_integer(&a->answer, "accepted", -1), accepted);
  assert_int_equal(value_get_integer(&a->answer, "duplicates", -1), duplicates);
  assert_int_equal(value_get(&a->answer, "refused")->list.count, refused);
  input_forget(a);
}

static int64_t count(input_kernel *k, const char *sql) { return help_count(k->kernel.store, sql); }

static void keeps_before_it_answers(void **state) {
  (void)state;
  input_kernel *k = input_open(PIPELINE("\"batch\":1000,\"wait_ms\":60000"), NULL);
  expect(k, "{\"id\":\"a\",\"n\":1}\n{\"id\":\"b\"}\n[]", 2, 0, 1);
  assert_int_equal(count(k, "select count(*) from dts_event where job is null"), 2);
  assert_int_equal(
      count(k, "select count(*) from dts_event where data = '{\"id\":\"a\",\"n\":1}' and time = "
               "'2026-03-10T13:00:00.000Z' and type is null"),
      1);
  assert_int_equal(count(k, "select count(*) from dts_refusal where line = 3 and payload = '[]' "
                            "and pipeline = 'hooks'"),
                   1);
  assert_int_equal(
      count(k, "select count(*) from dts_refused where at = '2026-03-10T13:00:00.000Z'"), 1);
  assert_int_equal(
      count(k, "select accepted * 100 + duplicates * 10 + refused from dts_event_count"), 201);
  input_close(k);
}

static void counts_duplicates_within_the_window(void **state) {
  (void)state;
  input_kernel *k = input_open(PIPELINE("\"batch\":1000,\"wait_ms\":60000"), NULL);
  expect(k, "[{\"id\":\"a\"},{\"id\":\"b\"},{\"id\":\"a\"}]", 2, 1, 0);
  expect(k, "{\"id\":\"a\"}", 0, 1, 0);
  k->now += 59999;
  expect(k, "{\"id\":\"a\"}", 0, 1, 0);
  k->now += 1; /* the window counts from the first sight */
  expect(k, "{\"id\":\"a\"}", 1, 0, 0);
  expect(k, "{\"id\":\"a\"}", 0, 1, 0);
  assert_int_equal(count(k, "select count(*) from dts_event"), 3);
  k->now += 60001; /* what is past it is forgotten with the next request */
  expect(k, "{\"id\":\"c\"}", 1, 0, 0);
  assert_int_equal(count(k, "select count(*) from dts_seen"), 1);
  input_close(k);
}

static char *lines(size_t from, size_t many, size_t each) {
  char *body = memory_alloc(many * (each + 1) + 1), *at = body;
  for (size_t i = from; i < from + many; i++, *at++ = '\n') {
    int head = sprintf(at, "{\"id\":\"e%08zu\",\"fill\":\"", i);
    memset(at + head, 'x', each - (size_t)head - 2);
    at += each;
    memcpy(at - 2, "\"}", 2);
  }
  *at = '\0';
  return body;
}

static void bundles_what_came(void **state) {
  (void)state;
  input_kernel *k = input_open(PIPELINE("\"batch\":100,\"wait_ms\":30"), NULL);
  char *body = lines(0, 250, 60);
  expect(k, body, 250, 0, 0);
  assert_int_equal(count(k, "select count(*) from dts_job where kind = 'batch' and trigger = "
                            "'ingest' and name = '100 "
                            "events' and state = 'queued' and retry_limit = 5"),
                   2);
  assert_int_equal(count(k, "select count(*) from dts_event where job is null"), 50);
  free(body);
  for (int i = 0; i < 100 && count(k, "select count(*) from dts_job") < 3; i++)
    loop_turn(k->kernel.loop, 20);
  input_settle(k);
  assert_int_equal(count(k, "select count(*) from dts_job where name = '50 events' and input = "
                            "'{\"events\":50,\"bytes\":3000}'"),
                   1);
  assert_int_equal(count(k, "select count(*) from dts_event e join dts_job j on j.id = e.job"),
                   250);
  assert_int_equal(count(k, "select count(*) from dts_job j join dts_firing f on f.id = j.firing "
                            "where f.state = 'open' "
                            "and f.day = '2026-03-10'"),
                   3);
  input_close(k);
}

static void bundles_by_size(void **state) {
  (void)state;
  input_kernel *k = input_open(PIPELINE("\"batch\":1000,\"wait_ms\":20"), NULL);
  char *body = lines(0, 11, 900000);
  expect(k, body, 11, 0, 0);
  free(body);
  assert_int_equal(count(k, "select count(*) from dts_job where name = '4 events'"), 2);
  for (int i = 0; i < 100 && count(k, "select count(*) from dts_job") < 3; i++)
    loop_turn(k->kernel.loop, 20);
  assert_int_equal(count(k, "select count(*) from dts_job where name = '3 events'"), 1);
  input_close(k);
}

static void bundles_small_requests_together(void **state) {
  (void)state;
  input_kernel *k = input_open(PIPELINE("\"batch\":10,\"wait_ms\":600000"), NULL);
  for (int i = 0; i < 25; i++) {
    char one[40];
    snprintf(one, sizeof one, "{\"id\":%d}", i);
    expect(k, one, 1, 0, 0);
  }
  input_settle(k);
  assert_int_equal(count(k, "select count(*) from dts_job where name = '10 events'"), 2);
  assert_int_equal(count(k, "select count(*) from dts_event where job is null"), 5);
  input_close(k);
}

static void finds_events_of_an_earlier_life(void **state) {
  (void)state;
  char *folder = help_folder();
  char url[300];
  snprintf(url, sizeof url, "sqlite:%s/dts.db", folder);
  input_kernel *k = input_open(PIPELINE("\"batch\":10,\"wait_ms\":600000"), url);
  expect(k, "[{\"id\":1},{\"id\":2},{\"id\":3}]", 3, 0, 0);
  assert_int_equal(count(k, "select count(*) from dts_job"), 0);
  input_close(k);
  k = input_open(PIPELINE("\"batch\":2,\"wait_ms\":600000"), url);
  ingest_start(k->kernel.ingest);
  input_settle(k);
  assert_int_equal(count(k, "select count(*) from dts_job"), 2);
  assert_int_equal(count(k, "select count(*) from dts_event where job is null"), 0);
  expect(k, "{\"id\":2}", 0, 1, 0);
  input_close(k);
  help_remove(folder);
}

static void declare(input_kernel *k, const char *declarations) {
  registry *old = k->set;
  arena a = {0};
  value event = value_map();
  k->set = input_set(declarations);
  registry_release(old);
  value_set(&a, &event, "name", value_text("reload"));
  kernel_tell(&k->kernel, 0, &event);
  arena_free(&a);
}

static void finds_events_of_a_pipeline_that_was_away(void **state) {
  (void)state;
  input_kernel *k = input_open(PIPELINE("\"batch\":10,\"wait_ms\":50"), NULL);
  ingest_start(k->kernel.ingest);
  input_settle(k);
  expect(k, "{\"id\":1}", 1, 0, 0);
  declare(k, "[]");
  for (int64_t end = clock_monotonic_ms() + 200; clock_monotonic_ms() < end;)
    loop_turn(k->kernel.loop, 20);
  assert_int_equal(count(k, "select count(*) from dts_job"), 0);
  declare(k, PIPELINE("\"batch\":10,\"wait_ms\":50"));
  input_settle(k);
  assert_int_equal(count(k, "select count(*) from dts_job"), 1);
  assert_int_equal(count(k, "select count(*) from dts_event where job is null"), 0);
  input_close(k);
}

static int end_batch(store_conn *c, void *arg, dts_error *e) {
  const job *j = arg;
  return finish_input(c, NULL, j, RUN_DONE, NULL, 0, e);
}

static int fail_batch(store_conn *c, void *arg, dts_error *e) {
  const job *j = arg;
  return finish_input(c, NULL, j, RUN_FAILED, "{}", 0, e);
}

static void forgets_events_that_are_done(void **state) {
  (void)state;
  input_kernel *k = input_open(PIPELINE("\"batch\":30,\"wait_ms\":0"), NULL);
  for (size_t i = 0; i < 3; i++) {
    char *body = lines(i * 30, 30, 40);
    expect(k, body, 30, 0, 0);
    free(body);
  }
  assert_int_equal(count(k, "select count(*) from dts_job"), 3);
  for (int64_t id = 1; id <= 2; id++) {
    job j = {.id = id, .pipeline = "hooks", .kind = "batch", .name = "30 events"};
    dts_error e = {0};
    assert_int_equal(store_write(k->kernel.store, fail_batch, &j, &e), 0);
    assert_int_equal(count(k, "select count(*) from dts_event where job = 3"), 30);
    if (store_write(k->kernel.store, end_batch, &j, &e) < 0) fail_msg("%s", e.message);
    assert_int_equal(count(k, "select count(*) from dts_event where job = 0"), INGEST_SHOWN);
  }
  assert_int_equal(count(k, "select count(*) from dts_event"), 30 + INGEST_SHOWN);
  assert_int_equal(count(k, "select min(seq) from dts_event where job = 0"),
                   41); /* the newest are left to see */
  input_close(k);
}

static void refuses_who_may_not(void **state) {
  (void)state;
  input_kernel *k = input_open(PIPELINE("\"archive\":true,\"batch\":10,\"wait_ms\":0,\"signature\":"
                                        "{\"header\":\"x-sig\",\"secret\":\"S\"}"),
                               NULL);
  const char *body = "{\"id\":\"a\"}";
  unsigned char mac[32];
  char headers[200], hex[65];
  crypto_hmac_sha256("key", 3, body, strlen(body), mac);
  crypto_hex(mac, 32, hex);
  snprintf(headers, sizeof headers,
           "{\"X-Sig\":\"sha256=%s\",\"content-type\":\"application/json\"}", hex);
  input_answer *a = post(k, body, strlen(body), headers);
  assert_true(a->failed);
  assert_string_equal(a->error.code, "SECRET");
  input_forget(a);
  k->secret = "other";
  a = post(k, body, strlen(body), headers);
  assert_string_equal(a->error.code, "SIGNATURE");
  input_forget(a);
  assert_int_equal(count(k, "select count(*) from dts_event"), 0);
  assert_int_equal(count(k, "select count(*) from dts_archive"), 0);
  k->secret = "key";
  a = post(k, body, strlen(body), headers);
  assert_false(a->failed);
  input_forget(a);
  assert_int_equal(count(k, "select count(*) from dts_archive where source = 'hooks' and size = 10 "
                            "and day = '2026-03-10' "
                            "and type = 'application/json'"),
                   1);
  a = post(k, body, strlen(body), headers); /* a repetition is not kept twice */
  input_forget(a);
  assert_int_equal(count(k, "select count(*) from dts_archive"), 1);
  arena m = {0};
  value object = help_get(k->kernel.store, &m, "select object from dts_archive");
  assert_true(objects_has(k->kernel.objects, object.text.bytes));
  arena_free(&m);
  input_close(k);
}

static void names_what_is_asked_for_wrongly(void **state) {
  (void)state;
  input_kernel *k = input_open(PIPELINE("\"batch\":10"), NULL);
  arena a = {0};
  value command = value_map();
  value_set(&a, &command, "pipeline", value_text("hook"));
  input_answer *answer = input_ask(k, control_ingest, command);
  assert_true(answer->failed);
  assert_int_equal(answer->error.status, 404);
  input_forget(answer);
  char *huge = memory_alloc(33 * 1024 * 1024);
  answer = post(k, huge, 33 * 1024 * 1024, NULL);
  assert_string_equal(answer->error.code, "LIMIT_BODY");
  assert_int_equal(answer->error.status, 413);
  input_forget(answer);
  free(huge);
  arena_free(&a);
  input_close(k);
}

/* ---- real webhooks ---- */

static input_kernel *copying;

static int copy_schema(const char *path, const struct stat *s, int kind) {
  (void)s;
  if (kind != FTW_F) return 0;
  buffer b;
  arena a = {0};
  buffer_init(&b, 1 << 22);
  assert_int_equal(file_read(path, 1 << 22, &b, NULL), 0);
  input_file(copying, arena_format(&a, "schemas/%s", path + strlen(TEST_DATA "/events/schemas/")),
             buffer_text(&b));
  buffer_free(&b);
  arena_free(&a);
  return 0;
}

#define HOOKS PIPELINE("\"id\":\"header:x-id\",\"batch\":1000,\"wait_ms\":0,\"schema\":[%s]")

/* The set in force from now on has these templates. */
static void use(input_kernel *k, const char *templates) {
  arena a = {0};
  registry_release(k->set);
  k->set = input_set(arena_format(&a, HOOKS, templates));
  arena_free(&a);
}

typedef struct verdicts {
  int good, bad, accepted;
} verdicts;

static bool is_accepted(input_kernel *k, size_t number, const char *payload, const char *type) {
  arena a = {0};
  value command = value_map(), headers = value_map();
  buffer b;
  buffer_init(&b, 1 << 22);
  assert_int_equal(
      file_read(arena_format(&a, TEST_DATA "/events/payloads/%s", payload), 1 << 22, &b, NULL), 0);
  value_set(&a, &command, "pipeline", value_text("hooks"));
  value_set(&a, &command, "body", value_bytes(b.data, b.size));
  value_set(&a, &command, "type", value_text(type));
  value_set(&a, &headers, "X-Id", value_text(arena_format(&a, "%s-%zu", type, number)));
  value_set(&a, &command, "headers", headers);
  input_answer *answer = input_ask(k, control_ingest, command);
  if (answer->failed) fail_msg("%s: %s", payload, answer->error.message);
  bool accepted = value_get_integer(&answer->answer, "accepted", 0) == 1;
  size_t refused = value_get(&answer->answer, "refused")->list.count;
  assert_int_equal(accepted + refused, 1);
  input_forget(answer);
  buffer_free(&b);
  arena_free(&a);
  return accepted;
}

static verdicts judge(input_kernel *k, const value *cases, bool foreign) {
  verdicts sum = {0};
  for (size_t i = 0; i < cases->list.count; i++) {
    const value *one = &cases->list.items[i];
    const char *payload = value_get_text(one, "payload", ""),
               *wanted = value_get_text(one, "schema", "");
    char type[100], template[200];
    snprintf(type, sizeof type, "%.*s", (int)strcspn(wanted, "/"), wanted);
    snprintf(template, sizeof template, "\"schemas/%s\"", wanted);
    if (foreign) use(k, template);
    bool valid = is_accepted(k, i + (foreign ? cases->list.count : 0), payload, type);
    bool right = valid == value_get_boolean(one, "valid", false);
    if (!right) printf("%s against %s\n", payload, wanted);
    sum.good += right, sum.bad += !right, sum.accepted += valid;
  }
  return sum;
}

static void agrees_about_webhooks(void **state) {
  (void)state;
  if (!file_exists(TEST_DATA "/events/ajv-verdicts.json")) {
    printf("skipped: %s is not here\n", TEST_DATA "/events");
    skip();
  }
  arena a = {0};
  buffer b;
  buffer_init(&b, 1 << 22);
  copying = input_open(PIPELINE("\"batch\":1"), NULL);
  use(copying, "\"schemas/{type}/{data.action}.schema.json\",\"schemas/{type}/event.schema.json\"");
  assert_int_equal(ftw(TEST_DATA "/events/schemas", copy_schema, 16), 0);
  assert_int_equal(file_read(TEST_DATA "/events/ajv-verdicts.json", 1 << 22, &b, NULL), 0);
  value all = help_json(&a, buffer_text(&b));
  verdicts own = judge(copying, value_get(&all, "own"), false);
  verdicts foreign = judge(copying, value_get(&all, "cross"), true);
  printf("webhooks: %d of %d accepted by their own schema; foreign schemas: %d of %d refused\n",
         own.accepted, own.good + own.bad, foreign.good, foreign.good + foreign.bad);
  assert_int_equal(own.bad + foreign.bad, 0);
  assert_int_equal(own.accepted, 202);
  assert_int_equal(foreign.accepted, 0);
  buffer_free(&b);
  arena_free(&a);
  input_close(copying);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(keeps_before_it_answers),
      cmocka_unit_test(counts_duplicates_within_the_window),
      cmocka_unit_test(bundles_what_came),
      cmocka_unit_test(bundles_by_size),
      cmocka_unit_test(bundles_small_requests_together),
      cmocka_unit_test(finds_events_of_an_earlier_life),
      cmocka_unit_test(finds_events_of_a_pipeline_that_was_away),
      cmocka_unit_test(forgets_events_that_are_done),
      cmocka_unit_test(refuses_who_may_not),
      cmocka_unit_test(names_what_is_asked_for_wrongly),
      cmocka_unit_test(agrees_about_webhooks),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
