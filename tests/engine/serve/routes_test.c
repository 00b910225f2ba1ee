/* The project's own routes before a real engine: rows, handlers, what is kept and for how long.
 *
 * SPDX-License-Identifier: MIT */
#include "serve/world.h"

#include "pack/pack.h"

static void a_route_gives_rows_as_objects(void **state) {
  WORLD;
  reply r = ask(w, "GET", "/api/rates/USD?limit=1", NULL, NULL);
  assert_int_equal(200, r.status);
  value v = json_of(w, &r);
  assert_int_equal(1, v.list.count);
  assert_string_equal("2026-01-01", value_get_text(&v.list.items[0], "date", ""));
  reply_free(&r);
  expect(w, "GET", "/api/rates/USD?limit=x", NULL, NULL, 422, "PARAM");
  expect(w, "GET", "/api/days", NULL, NULL, 401, "NO_KEY");
  expect(w, "GET", "/api/days?from=2026-13-01", bearer(w, w->last), NULL, 422, "PARAM");
  expect(w, "GET", "/api/peek", NULL, NULL, 403, "TABLE_REFUSED");
  expect(w, "POST", "/api/days", bearer(w, w->last), "{}", 405, "METHOD");
  expect(w, "GET", "/api/none", NULL, NULL, 404, NULL);
}

/* Only a choice of the script's own list stands in its SQL; a text is bound. */
static void a_callers_text_is_never_sql(void **state) {
  WORLD;
  static const char *const texts[] = {"%27%7C%7C(select%20count(*)%20from%20rates)%7C%7C%27",
                                      "%27%20as%20x%2C%20%27", "%7Bevery%7D", "a%27%27b"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    reply r =
        ask(w, "GET", arena_format(&w->memory, "/api/said?every=b&c=%s", texts[i]), NULL, NULL);
    if (r.status != 200) fail_msg("%s: %s", texts[i], r.body);
    value v = json_of(w, &r);
    assert_string_equal("{c}", value_get_text(&v.list.items[0], "said", ""));
    assert_string_equal("b", value_get_text(&v.list.items[0], "every", ""));
    reply_free(&r);
  }
  expect(w, "GET", "/api/said?c=x&every=c", NULL, NULL, 422, "PARAM");
}

static void a_limit_asked_for_only_lowers_the_scripts_own(void **state) {
  WORLD;
  static const struct {
    const char *query;
    size_t rows;
  } cases[] = {{"", 2}, {"?limit=1", 1}, {"?limit=0", 0}, {"?limit=9223372036854775807", 2}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    reply r = ask(w, "GET", arena_format(&w->memory, "/api/few%s", cases[i].query), NULL, NULL);
    value v = json_of(w, &r);
    if (v.list.count != cases[i].rows) fail_msg("%s: %zu rows", cases[i].query, v.list.count);
    reply_free(&r);
  }
  expect(w, "GET", "/api/few?limit=-1", NULL, NULL, 422, "PARAM");
}

static void a_list_of_conditions_has_an_end(void **state) {
  WORLD;
  buffer b;
  buffer_init(&b, 1 << 20);
  buffer_add_text(&b, "/api/where?w=[9007199254740993");
  for (int i = 0; i < 3000; i++) buffer_add_text(&b, ",1");
  buffer_add_text(&b, "]");
  expect(w, "GET", buffer_text(&b), NULL, NULL, 200, NULL);
  buffer_free(&b);
}

static void what_comes_back_in_a_header_begins_no_line(void **state) {
  WORLD;
  static const char *const texts[] = {"/x%0D%0AX-Evil:1", "/x%0AX-Evil:1", "/x%0DX-Evil:1",
                                      "/x%01X-Evil:1", "/x%7FX-Evil:1"};
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
    reply r = ask(w, "GET", arena_format(&w->memory, "/api/back?to=%s", texts[i]), NULL, NULL);
    assert_int_equal(302, r.status);
    assert_non_null(strstr(r.head, "Location: /x\r\n"));
    assert_null(strstr(r.head, "X-Evil"));
    reply_free(&r);
  }
}

static void a_kept_reply_ends_with_the_next_commit(void **state) {
  WORLD;
  reply r = ask(w, "GET", "/api/rates/GBP", NULL, NULL);
  assert_string_equal("[]", r.body);
  const char *tag = strstr(r.head, "ETag: ") + 6;
  const char *header =
      arena_format(&w->memory, "If-None-Match: %.*s\r\n", (int)strcspn(tag, "\r"), tag);
  reply_free(&r);
  expect(w, "GET", "/api/rates/GBP", header, NULL, 304, NULL);
  run_pipeline(w, "more");
  r = ask(w, "GET", "/api/rates/GBP", header, NULL);
  assert_int_equal(200, r.status);
  assert_non_null(strstr(r.body, "2026-01-09"));
  reply_free(&r);
}

static void handlers_answer_from_a_warm_worker(void **state) {
  WORLD;
  reply r = ask(w, "GET", "/api/hello/a%2Fb", NULL, NULL);
  assert_int_equal(200, r.status);
  assert_string_equal("{\"hello\":\"a/b\"}", r.body);
  reply_free(&r);
  r = ask(w, "GET", "/api/hello/x", bearer(w, w->last), NULL);
  assert_non_null(strstr(r.body, "\"reader\""));
  reply_free(&r);
  r = ask(w, "GET", "/api/hello/x", NULL, NULL); /* never the one made for a key */
  assert_null(strstr(r.body, "reader"));
  reply_free(&r);
  expect(w, "GET", "/api/hello/nobody", NULL, NULL, 404, NULL);
  r = ask(w, "GET", "/api/query", NULL, NULL);
  assert_non_null(strstr(r.body, "[{\"currency\":\"USD\",\"date\":\"2026-01-03\""));
  reply_free(&r);
  r = ask(w, "GET", "/api/teapot", NULL, NULL);
  assert_int_equal(418, r.status);
  assert_non_null(strstr(r.head, "x-own: yes"));
  assert_string_equal("short", r.body);
  reply_free(&r);
}

static void large_replies_are_packed_for_who_asks(void **state) {
  WORLD;
  const char *headers = arena_format(&w->memory, "%sAccept-Encoding: gzip\r\n", bearer(w, w->last));
  reply r = ask(w, "GET", "/api/v1/openapi.json", headers, NULL);
  assert_non_null(strstr(r.head, "Content-Encoding: gzip"));
  buffer b;
  buffer_init(&b, 1 << 20);
  assert_int_equal(0, pack_gunzip(&b, r.body, r.size, 1 << 20, NULL));
  assert_non_null(strstr(buffer_text(&b), "\"3.1.0\""));
  buffer_free(&b);
  reply_free(&r);
}

static void what_asks_the_clock_is_never_kept(void **state) {
  WORLD;
  reply one = ask(w, "GET", "/api/clock", NULL, NULL);
  usleep(20000);
  reply two = ask(w, "GET", "/api/clock", NULL, NULL);
  assert_int_equal(200, one.status);
  assert_string_not_equal(one.body, two.body);
  reply_free(&one);
  reply_free(&two);
}

#define T(f) cmocka_unit_test(f)

int main(void) {
  const struct CMUnitTest tests[] = {T(a_route_gives_rows_as_objects),
                                     T(a_callers_text_is_never_sql),
                                     T(a_limit_asked_for_only_lowers_the_scripts_own),
                                     T(a_list_of_conditions_has_an_end),
                                     T(what_comes_back_in_a_header_begins_no_line),
                                     T(a_kept_reply_ends_with_the_next_commit),
                                     T(handlers_answer_from_a_warm_worker),
                                     T(large_replies_are_packed_for_who_asks),
                                     T(what_asks_the_clock_is_never_kept)};
  log_set_level(LOG_LEVEL_ERROR);
  return cmocka_run_group_tests(tests, world_open_filled, world_close);
}
