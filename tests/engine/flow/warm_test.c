/* warm_test.c -- routes' handlers in workers that stay warm.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/kernel_help.h"

static const char ROUTES[] =
    "dts.table { name = 't', key = { 'id' }, columns = { 'id integer', 'v text' } }\n"
    "dts.pipeline { name = 'fill', run = function(ctx) ctx:put('t', { { id = 1, v = 'one' }, { id "
    "= 2, v = 'two' } }) end }\n"
    "dts.pipeline { name = 'write', params = { id = 'integer' }, run = function(ctx, input) "
    "ctx:put('t', { id = input.id, v = ctx.trigger }) end }\n"
    "local calls = 0\n"
    "dts.route { 'GET /api/one/{id}', params = { id = 'integer' }, run = function(req)\n"
    "  calls = calls + 1\n"
    "  local row = dts.lookup('t', req.id)\n"
    "  return row and { v = row.v, calls = calls }\n"
    "end }\n"
    "dts.route { 'GET /api/all', run = function() return dts.query('t', {}, { order = 'id' }) end "
    "}\n"
    "dts.route { 'GET /api/spin', timeout = '300ms', run = function() while true do end end }\n"
    "dts.route { 'GET /api/doze', timeout = '500ms', run = function() while true do local _ = "
    "#dts.query('t') end end }\n"
    "dts.route { 'GET /api/read', timeout = '500ms', run = function() return { n = dts.sql('with "
    "recursive n(i) as (select 1 union all select i + 1 from n) select count(*) as n from n')[1].n "
    "} "
    "end }\n"
    "dts.route { 'GET /api/wide', timeout = '20s', run = function() return { n = #dts.sql([[with "
    "recursive n(i) as (select 1 union all select i + 1 from n where i < 70) select "
    "replace(printf('%.500000c', 'x'), 'x', 'ab') as t from n]])[1].t } end }\n"
    "dts.route { 'GET /api/eat', timeout = '20s', run = function() local t = {} for i = 1, 1e9 do "
    "t[i] = ('x'):rep(1000) .. i end end }\n"
    "dts.route { 'GET /api/bad', run = function() error('on purpose') end }\n"
    "dts.route { 'GET /api/out', run = function() return { s = "
    "dts.http.get('http://127.0.0.1:1/').status } end }\n"
    "dts.route { 'POST /api/write', run = function(req) return dts.reply { status = 202, json = { "
    "id = dts.enqueue('write', { id = 7 }) } } end }\n";

static bench *begin(void) {
  bench *b = bench_with(ROUTES);
  bench_run(b, "fill");
  return b;
}

static bench_answer *ask(bench *b, const char *name, const char *params) {
  return bench_begin(
      b, arena_format(
             &b->memory,
             "{\"name\":\"request\",\"route\":\"%s\",\"req\":{\"method\":\"GET\",\"params\":%s}}",
             name, params));
}

static const char *json_of(bench_answer *a) {
  bench_finish(a);
  if (a->error.code[0]) fail_msg("%s: %s", a->error.code, a->error.message);
  return value_get_text(&a->answer, "json", "?");
}

static void a_handler_answers(void **state) {
  (void)state;
  bench *b = begin();
  assert_string_equal(json_of(ask(b, "GET /api/one/{id}", "{\"id\":2}")),
                      "{\"calls\":1,\"v\":\"two\"}");
  assert_string_equal(json_of(ask(b, "GET /api/one/{id}", "{\"id\":1}")),
                      "{\"calls\":1,\"v\":\"one\"}"); /* a fresh environment each time */
  bench_answer *none = ask(b, "GET /api/one/{id}", "{\"id\":9}");
  bench_finish(none);
  assert_int_equal(value_get_integer(&none->answer, "status", 0), 404);
  bench_answer *all = ask(b, "GET /api/all", "{}");
  bench_finish(all);
  assert_non_null(value_get(&all->answer, "query")); /* untouched: the engine reads it */
  bench_answer *unknown = ask(b, "GET /api/nothing", "{}");
  bench_finish(unknown);
  assert_string_equal(unknown->error.code, "ROUTE");
  bench_close(b);
}

static void a_handler_s_error_is_told(void **state) {
  (void)state;
  bench *b = begin();
  bench_answer *bad = ask(b, "GET /api/bad", "{}");
  bench_finish(bad);
  bench_contains(bad->error.message, "on purpose");
  bench_contains(bad->error.where, "pipelines/x.lua:");
  bench_answer *out = ask(b, "GET /api/out", "{}");
  bench_finish(out);
  assert_string_equal(out->error.code, "HOST_REFUSED");
  assert_string_equal(json_of(ask(b, "GET /api/one/{id}", "{\"id\":1}")),
                      "{\"calls\":1,\"v\":\"one\"}");
  bench_close(b);
}

static void an_endless_handler_costs_only_itself(void **state) {
  (void)state;
  static const char *const names[] = {"GET /api/spin", "GET /api/doze"};
  bench *b = begin();
  for (size_t i = 0; i < 2; i++) {
    bench_answer *endless = ask(b, names[i], "{}"), *behind[5];
    for (int k = 0; k < 5; k++)
      behind[k] = ask(b, "GET /api/one/{id}", "{\"id\":1}"); /* they wait in line */
    bench_finish(endless);
    assert_int_equal(endless->error.status, 504);
    bench_contains(endless->error.code, "LIMIT_");
    bench_answer *next = ask(b, "GET /api/one/{id}", "{\"id\":2}");
    for (int k = 0; k < 5; k++) bench_contains(json_of(behind[k]), "\"v\":\"one\"");
    bench_contains(json_of(next), "\"v\":\"two\"");
  }
  bench_close(b);
}

static void a_long_read_of_a_handler_holds_nobody_up(void **state) {
  (void)state;
  bench *b = begin();
  int64_t began = clock_monotonic_ms();
  bench_answer *reading = ask(b, "GET /api/read", "{}"),
               *behind = ask(b, "GET /api/one/{id}", "{\"id\":1}");
  for (int i = 0; i < 20; i++) bench_ask(b, "{\"name\":\"status\"}");
  bench_finish(reading);
  assert_string_equal(reading->error.code, "LIMIT_TIME");
  bench_contains(json_of(behind), "\"v\":\"one\"");
  assert_true(clock_monotonic_ms() - began < 5000);
  ask(b, "GET /api/read", "{}"); /* an engine stops with one under way */
  bench_ask(b, "{\"name\":\"status\"}");
  bench_close(b);
}

/* Its 70 MB fit into no frame: told at once, and not left without an answer. */
static void an_answer_too_large_for_a_handler_is_told(void **state) {
  (void)state;
  bench *b = begin();
  bench_answer *wide = ask(b, "GET /api/wide", "{}");
  bench_finish(wide);
  assert_string_equal(wide->error.code, "LIMIT_SIZE");
  bench_contains(json_of(ask(b, "GET /api/one/{id}", "{\"id\":1}")), "\"v\":\"one\"");
  bench_close(b);
}

static void a_greedy_handler_costs_only_itself(void **state) {
  (void)state;
  bench *b = begin();
  bench_answer *greedy = ask(b, "GET /api/eat", "{}"),
               *behind = ask(b, "GET /api/one/{id}", "{\"id\":1}");
  bench_finish(greedy);
  assert_string_equal(greedy->error.code, "LIMIT_MEMORY");
  bench_answer *next = ask(b, "GET /api/one/{id}", "{\"id\":2}");
  bench_contains(json_of(behind), "\"v\":\"one\"");
  bench_contains(json_of(next), "\"v\":\"two\"");
  bench_close(b);
}

static void a_handler_writes_by_a_job(void **state) {
  (void)state;
  bench *b = begin();
  bench_answer *written = ask(b, "POST /api/write", "{}");
  bench_finish(written);
  if (written->error.code[0]) fail_msg("%s", written->error.message);
  assert_int_equal(value_get_integer(&written->answer, "status", 0), 202);
  bench_contains(value_get_text(&written->answer, "json", ""), "\"id\":");
  bench_settle(b);
  bench_expect(b, "select v from t where id = 7", "route\n");
  bench_invariants(b);
  bench_close(b);
}

static void a_saved_script_answers_the_next_request(void **state) {
  (void)state;
  bench *b = begin();
  assert_string_equal(json_of(ask(b, "GET /api/one/{id}", "{\"id\":1}")),
                      "{\"calls\":1,\"v\":\"one\"}");
  bench_script(b, "x",
               "dts.route { 'GET /api/one/{id}', params = { id = 'integer' }, run = function(req) "
               "return { new = req.id } end }\n");
  bench_ask(b, "{\"name\":\"reload\"}");
  assert_string_equal(json_of(ask(b, "GET /api/one/{id}", "{\"id\":1}")), "{\"new\":1}");
  bench_close(b);
}

static void many_requests_are_answered_in_turn(void **state) {
  (void)state;
  bench *b = begin();
  bench_answer *asked[200];
  for (int i = 0; i < 200; i++)
    asked[i] = ask(b, "GET /api/one/{id}", i % 2 ? "{\"id\":1}" : "{\"id\":2}");
  for (int i = 0; i < 200; i++) bench_contains(json_of(asked[i]), i % 2 ? "\"one\"" : "\"two\"");
  for (int i = 0; i < 3; i++)
    ask(b, "GET /api/one/{id}", "{\"id\":1}"); /* an engine stops with some under way */
  bench_close(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_handler_answers),
      cmocka_unit_test(a_handler_s_error_is_told),
      cmocka_unit_test(an_endless_handler_costs_only_itself),
      cmocka_unit_test(a_long_read_of_a_handler_holds_nobody_up),
      cmocka_unit_test(an_answer_too_large_for_a_handler_is_told),
      cmocka_unit_test(a_greedy_handler_costs_only_itself),
      cmocka_unit_test(a_handler_writes_by_a_job),
      cmocka_unit_test(a_saved_script_answers_the_next_request),
      cmocka_unit_test(many_requests_are_answered_in_turn),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
