/* The server before a real engine: what visitors, programs and analysts get.
 *
 * SPDX-License-Identifier: MIT */
#include "serve/world.h"

#include "pack/pack.h"

static size_t count(const value *v, const char *name) {
  const value *list = value_get(v, name);
  return list ? list->list.count : 0;
}

static const value *at(const value *t, size_t row, size_t column) {
  return &value_get(t, "rows")->list.items[row].list.items[column];
}

/* ---- who may what ---- */

static void keys_and_scopes_decide(void **state) {
  WORLD;
  const char *reader = bearer(w, w->last);
  expect(w, "GET", "/api/v1/overview", NULL, NULL, 401, "NO_KEY");
  expect(w, "GET", "/api/v1/overview", reader, NULL, 200, NULL);
  expect(w, "GET", "/api/v1/keys", reader, NULL, 403, "SCOPE_MISSING");
  expect(w, "POST", "/api/v1/runs", reader, "{\"pipeline\":\"more\"}", 403, "SCOPE_MISSING");
  expect(w, "GET", "/api/v1/overview", bearer(w, "dts_wrong"), NULL, 401, "NO_KEY");
  expect(w, "GET", "/api/v1/pages/inner", NULL, NULL, 401, "NO_KEY");
  expect(w, "GET", "/api/v1/pages/none", NULL, NULL, 401, "NO_KEY");
  expect(w, "GET", "/api/v1/pages/money", NULL, NULL, 200, NULL);
}

static const value *named(const value *list, const char *field, const char *name) {
  for (size_t i = 0; i < list->list.count; i++)
    if (strcmp(value_get_text(&list->list.items[i], field, ""), name) == 0)
      return &list->list.items[i];
  fail_msg("%s is not listed", name);
  return NULL;
}

static void a_key_is_shown_once_and_ends_when_revoked(void **state) {
  WORLD;
  reply r = ask_admin(w, "POST", "/api/v1/keys", "{\"name\":\"etl\",\"scopes\":[\"read\"]}");
  assert_int_equal(201, r.status);
  value v = json_of(w, &r);
  reply_free(&r);
  const char *key = value_get_text(&v, "key", "");
  assert_int_equal(47, strlen(key));
  v = get_json(w, "/api/v1/keys");
  assert_null(value_get(named(&v, "name", "etl"), "used"));
  expect(w, "GET", "/api/v1/runs", bearer(w, key), NULL, 200, NULL);
  v = get_json(w, "/api/v1/keys");
  const char *used = value_get_text(named(&v, "name", "etl"), "used", "");
  assert_int_equal(24, strlen(used));
  expect(w, "GET", "/api/v1/runs", bearer(w, key), NULL, 200, NULL); /* within the hour */
  v = get_json(w, "/api/v1/keys");
  assert_string_equal(used, value_get_text(named(&v, "name", "etl"), "used", ""));
  r = ask_admin(w, "GET", "/api/v1/keys", NULL);
  assert_null(strstr(r.body, key));
  assert_non_null(strstr(r.body, "\"etl\""));
  reply_free(&r);
  r = ask_admin(w, "POST", "/api/v1/keys", "{\"name\":\"etl\",\"scopes\":[\"read\"]}");
  assert_int_equal(409, r.status);
  reply_free(&r);
  r = ask_admin(w, "DELETE", "/api/v1/keys/etl", NULL);
  assert_int_equal(204, r.status);
  reply_free(&r);
  expect(w, "GET", "/api/v1/runs", bearer(w, key), NULL, 401, "NO_KEY");
}

static const char *begin_session(world *w, const char *key) {
  reply r =
      ask(w, "POST", "/api/v1/session", NULL, arena_format(&w->memory, "{\"key\":\"%s\"}", key));
  assert_int_equal(200, r.status);
  const char *from = strstr(r.head, "Set-Cookie: ") + 12;
  assert_non_null(strstr(from, "HttpOnly; SameSite=Strict"));
  const char *cookie = arena_copy(&w->memory, from, strcspn(from, ";"));
  reply_free(&r);
  return cookie;
}

static void a_change_by_cookie_comes_from_our_own_page(void **state) {
  WORLD;
  const char *body = "{\"sql\":\"select 1 as n\"}", *path = "/api/v1/sql";
  const char *cookie = begin_session(w, server_session_key(w->server));
  expect(w, "GET", "/api/v1/keys", arena_format(&w->memory, "Cookie: a=b; %s\r\n", cookie), NULL,
         200, NULL);
  expect(w, "POST", path, arena_format(&w->memory, "Cookie: %s\r\n", cookie), body, 403, "ORIGIN");
  expect(w, "POST", path,
         arena_format(&w->memory, "Cookie: %s\r\nOrigin: http://evil.example\r\n", cookie), body,
         403, "ORIGIN");
  expect(w, "POST", path,
         arena_format(&w->memory, "Cookie: %s\r\nOrigin: http://localhost\r\n", cookie), body, 200,
         NULL);
  expect(w, "POST", path,
         arena_format(&w->memory, "Cookie: %s\r\nSec-Fetch-Site: same-origin\r\n", cookie), body,
         200, NULL);
  expect(w, "POST", path,
         arena_format(&w->memory,
                      "Cookie: %s\r\nSec-Fetch-Site: cross-site\r\nOrigin: http://localhost\r\n",
                      cookie),
         body, 403, "ORIGIN");
  expect(w, "DELETE", "/api/v1/session",
         arena_format(&w->memory, "Cookie: %s\r\nSec-Fetch-Site: same-origin\r\n", cookie), NULL,
         204, NULL);
  expect(w, "GET", "/api/v1/keys", arena_format(&w->memory, "Cookie: %s\r\n", cookie), NULL, 401,
         NULL);
  expect(w, "POST", "/api/v1/session", NULL, "{\"key\":\"dts_no\"}", 401, "NO_KEY");
}

/* ---- the API ---- */

static void the_site_says_what_its_visitor_may_see(void **state) {
  WORLD;
  reply r = ask(w, "GET", "/api/v1/site", NULL, NULL);
  value v = json_of(w, &r);
  reply_free(&r);
  assert_int_equal(1, count(&v, "pages"));
  assert_int_equal(0, count(&v, "scopes"));
  v = get_json(w, "/api/v1/site");
  assert_int_equal(3, count(&v, "pages"));
  assert_int_equal(3, count(&v, "scopes"));
  assert_int_equal(0, count(&v, "faults"));
}

static void the_overview_counts_runs(void **state) {
  WORLD;
  value v = get_json(w, "/api/v1/overview");
  assert_int_equal(1, value_get_integer(&v, "runs_today", -1));
  assert_int_equal(0, value_get_integer(&v, "failed_today", -1));
  const value *fill = NULL, *all = value_get(&v, "pipelines");
  for (size_t i = 0; i < all->list.count; i++)
    if (strcmp(value_get_text(&all->list.items[i], "name", ""), "fill") == 0)
      fill = &all->list.items[i];
  assert_non_null(fill);
  assert_string_equal("by hand", value_get_text(fill, "trigger", ""));
  assert_int_equal(7, value_get_integer(fill, "rows_today", -1));
  assert_int_equal(1, count(fill, "runs"));
}

static void the_next_time_is_that_of_the_words(void **state) {
  WORLD;
  value v = get_json(w, "/api/v1/overview"), plans = get_json(w, "/api/v1/schedule");
  const value *yearly = named(value_get(&v, "pipelines"), "name", "yearly");
  const char *next = value_get_text(yearly, "next", ""), *due;
  due = value_get_text(yearly, "recheck", "");
  assert_string_equal(next + 4, "-01-01T06:00:00.000Z");
  assert_int_equal(24, strlen(due));
  assert_true(strcmp(due, next) <= 0);
  const value *times = value_get(named(&plans, "pipeline", "yearly"), "next");
  assert_int_equal(5, times->list.count);
  for (size_t i = 0; i < 5; i++)
    assert_string_equal(times->list.items[i].text.bytes + 4, "-01-01T06:00:00.000Z");
  assert_string_equal(times->list.items[0].text.bytes, next);
  assert_null(value_get_text(named(value_get(&v, "pipelines"), "name", "fill"), "next", NULL));
}

static void a_run_is_shown_in_all_its_parts(void **state) {
  WORLD;
  value v = get_json(w, "/api/v1/runs");
  assert_int_equal(1, count(&v, "rows"));
  assert_string_equal("done", at(&v, 0, 3)->text.bytes);
  const char *path =
      arena_format(&w->memory, "/api/v1/runs/%lld", (long long)at(&v, 0, 0)->integer);
  v = get_json(w, path);
  assert_string_equal("fill", value_get_text(&v, "pipeline", ""));
  assert_int_equal(1, count(&v, "attempts"));
  const value *tried = &value_get(&v, "attempts")->list.items[0];
  assert_int_equal(value_get_integer(&v, "id", 0), value_get_integer(tried, "id", -1));
  assert_int_equal(7, value_get_integer(tried, "rows", -1));
  assert_string_equal("done", value_get_text(&v, "job_state", ""));
  assert_null(value_get_text(&v, "next_try", NULL));
  assert_int_equal(24, strlen(value_get_text(&v, "started", "")));
  assert_null(value_get(&v, "error"));
  v = get_json(w, arena_format(&w->memory, "%s/log", path));
  assert_int_equal(1, v.list.count);
  assert_string_equal("filled", value_get_text(&v.list.items[0], "message", ""));
  expect(w, "GET", "/api/v1/runs/999", bearer(w, w->last), NULL, 404, NULL);
  expect(w, "GET", "/api/v1/runs/1%20or%201=1", bearer(w, w->last), NULL, 404, NULL);
}

static void starting_a_run_is_a_command(void **state) {
  WORLD;
  reply r = ask_admin(w, "POST", "/api/v1/runs", "{\"pipeline\":\"more\"}");
  assert_int_equal(202, r.status);
  reply_free(&r);
  r = ask_admin(w, "POST", "/api/v1/runs", "{\"pipeline\":\"mor\"}");
  assert_int_equal(404, r.status);
  assert_non_null(strstr(r.body, "did you mean 'more'?"));
  reply_free(&r);
}

static void tables_are_listed_and_private_ones_are_not(void **state) {
  WORLD;
  reply r = ask_admin(w, "GET", "/api/v1/tables", NULL);
  assert_non_null(strstr(r.body, "\"rates\""));
  assert_non_null(strstr(r.body, "\"latest\""));
  assert_null(strstr(r.body, "\"secrets\""));
  reply_free(&r);
  expect(w, "GET", "/api/v1/tables/secrets", bearer(w, w->last), NULL, 403, "TABLE_REFUSED");
  expect(w, "GET", "/api/v1/tables/dts_key", bearer(w, w->last), NULL, 404, NULL);
  expect(w, "GET", "/api/v1/tables/sqlite_master", bearer(w, w->last), NULL, 404, NULL);
}

static void rows_are_filtered_sorted_and_counted(void **state) {
  WORLD;
  value v = get_json(w, "/api/v1/tables/rates?where.currency=USD&order=-date&limit=2");
  assert_int_equal(3, value_get_integer(&v, "total", 0));
  assert_int_equal(2, count(&v, "rows"));
  assert_string_equal("2026-01-03", at(&v, 0, 1)->text.bytes);
  assert_true(at(&v, 0, 3)->integer == 9007199254740993);
  assert_true(at(&v, 0, 4)->kind == VALUE_BOOLEAN);
  assert_int_equal(3, value_get_integer(at(&v, 0, 5), "n", 0));
  v = get_json(
      w, "/api/v1/tables/"
         "rates?where.currency=USD&where.currency=EUR&bigint=string&where.date.from=2026-01-02");
  assert_int_equal(4, value_get_integer(&v, "total", 0));
  assert_string_equal("9007199254740993", at(&v, 0, 3)->text.bytes);
  expect(w, "GET", "/api/v1/tables/rates?where.rat=1", bearer(w, w->last), NULL, 422, "COLUMN");
  expect(w, "GET", "/api/v1/tables/rates?order=rate;drop", bearer(w, w->last), NULL, 422, "COLUMN");
  expect(w, "GET", "/api/v1/tables/rates?where.rate=x'", bearer(w, w->last), NULL, 422, "PARAM");
}

static void a_download_is_never_a_formula(void **state) {
  WORLD;
  reply r = ask_admin(w, "GET", "/api/v1/tables/rates?format=csv&order=currency&limit=1", NULL);
  assert_non_null(strstr(r.head, "attachment; filename=\"rates.csv\""));
  assert_non_null(
      strstr(r.body, "currency,date,rate,big,open,extra\r\n'=1+1,2026-01-01,1.0,,,\r\n"));
  reply_free(&r);
}

static void sql_reads_and_does_nothing_else(void **state) {
  WORLD;
  reply r = ask_admin(w, "POST", "/api/v1/sql",
                      "{\"sql\":\"select :a as a, :today as t\",\"params\":{\"a\":5}}");
  assert_int_equal(200, r.status);
  value v = json_of(w, &r);
  assert_int_equal(5, at(&v, 0, 0)->integer);
  reply_free(&r);
  const char *key = bearer(w, w->last);
  expect(w, "POST", "/api/v1/sql", key, "{\"sql\":\"delete from rates\"}", 422, "SQL");
  expect(w, "POST", "/api/v1/sql", key, "{\"sql\":\"select * from secrets\"}", 403,
         "TABLE_REFUSED");
  expect(w, "POST", "/api/v1/sql", key, "{\"sql\":\"select * from dts_key\"}", 403,
         "TABLE_REFUSED");
  expect(w, "POST", "/api/v1/sql", key, "{}", 422, "PARAM");
  expect(w, "POST", "/api/v1/sql", key, "[1]", 400, "JSON");
  expect(w, "POST", "/api/v1/sql", key, "{", 400, "JSON");
  r = ask_admin(w, "POST", "/api/v1/sql",
                "{\"sql\":\"with recursive n(i) as (select 1 union all select i + 1 from n limit "
                "10500) select i from n\"}");
  v = json_of(w, &r);
  assert_int_equal(10000, count(&v, "rows"));
  assert_true(value_get_boolean(&v, "truncated", false));
  reply_free(&r);
}

static void every_place_answers(void **state) {
  WORLD;
  static const char *const paths[] = {"gaps",           "quarantine", "files",
                                      "schedule",       "routes",     "openapi.json",
                                      "alerts",         "settings",   "events?pipeline=none",
                                      "runs?format=csv"};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
    expect(w, "GET", arena_format(&w->memory, "/api/v1/%s", paths[i]), bearer(w, w->last), NULL,
           200, NULL);
  expect(w, "GET", "/api/v1/none", bearer(w, w->last), NULL, 404, NULL);
  expect(w, "PUT", "/api/v1/runs", bearer(w, w->last), NULL, 405, "METHOD");
  expect(w, "GET", "/healthz", NULL, NULL, 200, NULL);
  expect(w, "GET", "/readyz", NULL, NULL, 200, NULL);
}

/* ---- pages ---- */

static void a_page_has_typed_filters(void **state) {
  WORLD;
  value v = get_json(w, "/api/v1/pages/money");
  const value *filters = value_get(&v, "filters"), *charts = value_get(&v, "charts");
  assert_int_equal(3, filters->list.count);
  assert_int_equal(3, count(&filters->list.items[0], "choices"));
  assert_string_equal("date", value_get_text(&filters->list.items[1], "type", ""));
  assert_string_equal("a", value_get_text(&filters->list.items[2], "default", ""));
  assert_int_equal(5, charts->list.count);
  assert_int_equal(2, count(&charts->list.items[0], "filters"));
  assert_int_equal(2, count(&charts->list.items[3], "filters"));
}

/* `fill` ran, but wrote nothing that these charts read. */
static void a_chart_is_as_old_as_its_own_tables(void **state) {
  WORLD;
  for (int i = 0; i < 2; i++) {
    value v = get_json(w, arena_format(&w->memory, "/api/v1/pages/aside/charts/%d", i));
    const value *fresh = value_get(&v, "fresh");
    if (fresh && fresh->kind != VALUE_NULL) fail_msg("chart %d: %s", i, fresh->text.bytes);
    assert_int_equal(1, count(&v, "source"));
    assert_int_equal(0, count(&v, "rows"));
  }
}

static void a_chart_takes_its_filters(void **state) {
  WORLD;
  value v = get_json(w, "/api/v1/pages/money/charts/0?currency=USD&date.from=2026-01-02");
  assert_int_equal(2, count(&v, "rows"));
  assert_int_equal(1, count(&v, "source"));
  assert_non_null(value_get(&v, "fresh"));
  v = get_json(w, "/api/v1/pages/money/charts/0?currency=USD&currency=EUR");
  assert_int_equal(6, count(&v, "rows"));
  v = get_json(w, "/api/v1/pages/money/charts/1");
  assert_int_equal(3, count(&v, "rows"));
  assert_true(at(&v, 2, 1)->real == 2.5);
  v = get_json(w, "/api/v1/pages/money/charts/3?currency=USD&every=b");
  assert_int_equal(3, at(&v, 0, 0)->integer);
  v = get_json(w, "/api/v1/pages/money/charts/4");
  assert_int_equal(2, count(&v, "rows"));
  assert_int_equal(2, value_get(&v, "columns")->list.count);
  expect(w, "GET", "/api/v1/pages/money/charts/3?every=c", NULL, NULL, 422, "PARAM");
  expect(w, "GET", "/api/v1/pages/money/charts/3?currency=USD&currency=EUR", NULL, NULL, 422,
         "PARAM");
  expect(w, "GET", "/api/v1/pages/money/charts/9", NULL, NULL, 404, NULL);
}

static void two_rows_for_a_point_name_the_column(void **state) {
  WORLD;
  reply r = ask(w, "GET", "/api/v1/pages/money/charts/2", NULL, NULL);
  assert_int_equal(422, r.status);
  assert_non_null(strstr(r.body, "by = \\\"currency\\\""));
  reply_free(&r);
  expect(w, "GET", "/api/v1/pages/money/charts/2?currency=USD", NULL, NULL, 200, NULL);
}

/* ---- routes ---- */

static const char *presign(world *w, const char *body) {
  reply r = ask_admin(w, "POST", "/api/v1/uploads", body);
  assert_int_equal(201, r.status);
  value v = json_of(w, &r);
  reply_free(&r);
  return arena_text(&w->memory, value_get_text(&v, "url", ""));
}

static void a_file_goes_up_and_comes_down(void **state) {
  WORLD;
  const char *url = presign(w, "{\"name\":\"sales-1.csv\",\"size\":8}");
  reply r = ask(w, "PUT", url, NULL, "a,b\n1,2\n");
  if (r.status != 201) fail_msg("%s", r.head);
  value v = json_of(w, &r);
  assert_string_equal("sales", value_get_text(&v, "pipeline", ""));
  assert_int_equal(8, value_get_integer(&v, "size", 0));
  reply_free(&r);
  v = get_json(w, arena_format(&w->memory, "/api/v1/files/%lld/link",
                               (long long)value_get_integer(&v, "id", 0)));
  r = ask(w, "GET", value_get_text(&v, "url", ""), NULL, NULL);
  assert_int_equal(200, r.status);
  assert_string_equal("a,b\n1,2\n", r.body);
  assert_non_null(strstr(r.head, "Content-Disposition: attachment"));
  reply_free(&r);
}

static void an_upload_keeps_to_its_address(void **state) {
  WORLD;
  const char *url = presign(w, "{\"name\":\"sales-2.csv\",\"size\":4}");
  expect(w, "PUT", url, NULL, "12345", 413, "LIMIT_SIZE");
  expect(w, "PUT", arena_format(&w->memory, "%s0", url), NULL, "1", 403, "SIGNATURE");
  expect(w, "GET", url, NULL, NULL, 405, "METHOD");
  expect(w, "PUT", "/upload/sales-2.csv", NULL, "1", 403, "SIGNATURE");
  const char *key = bearer(w, server_session_key(w->server));
  expect(w, "POST", "/api/v1/uploads", key, "{\"name\":\"../x\"}", 422, "FILE_NAME");
  static const char *const sizes[] = {"-1", "1.5", "\"9\"", "1e30", "[]"};
  for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
    expect(w, "POST", "/api/v1/uploads", key,
           arena_format(&w->memory, "{\"name\":\"x\",\"size\":%s}", sizes[i]), 422, "PARAM");
  expect(w, "POST", "/api/v1/uploads", key, "{\"name\":\"x\",\"size\":99999999}", 413,
         "LIMIT_SIZE");
  url = presign(w, "{\"name\":\"nobody-wants-this.txt\"}");
  reply r = ask(w, "PUT", url, NULL, "x");
  if (r.status != 409) fail_msg("409 expected: %s", r.head);
  reply_free(&r);
}

/* ---- the dashboard ---- */

static void the_dashboard_is_served_with_its_policy(void **state) {
  WORLD;
  static const char *const places[] = {"/",       "/overview", "/pages/money",
                                       "/runs/1", "/api",      "/settings"};
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    reply r = ask(w, "GET", places[i], NULL, NULL);
    assert_int_equal(200, r.status);
    assert_string_equal(page_bytes, r.body);
    assert_non_null(strstr(r.head, "Content-Security-Policy: default-src 'self'; style-src 'self' "
                                   "'unsafe-inline'; img-src 'self' data:"));
    assert_non_null(strstr(r.head, "X-Content-Type-Options: nosniff"));
    reply_free(&r);
  }
  reply r = ask(w, "GET", "/assets/a-1.js", NULL, NULL);
  assert_non_null(strstr(r.head, "immutable"));
  reply_free(&r);
  expect(w, "GET", "/assets/none.js", NULL, NULL, 404, NULL);
  expect(w, "GET", "/elsewhere", NULL, NULL, 404, NULL);
}

/* OpenMetrics: a TYPE for each family, before its samples, none twice; EOF last. */
/* ---- events, the log live, the clock ---- */

static void events_are_taken_and_counted_once(void **state) {
  WORLD;
  const char *key = bearer(w, server_session_key(w->server));
  expect(w, "POST", "/api/v1/ingest/hooks", NULL, "{\"id\":\"1\"}", 401, "NO_KEY");
  expect(w, "POST", "/api/v1/ingest/none", key, "{\"id\":\"1\"}", 404, "PIPELINE");
  for (int round = 0; round < 2; round++) {
    reply r = ask(w, "POST", "/api/v1/ingest/hooks", key, "[{\"id\":\"1\"},{\"id\":\"2\"}]");
    assert_int_equal(202, r.status);
    value v = json_of(w, &r);
    assert_int_equal(2, value_get_integer(&v, round ? "duplicates" : "accepted", 0));
    reply_free(&r);
  }
  value v = get_json(w, "/api/v1/events?pipeline=hooks");
  assert_int_equal(2, count(value_get(&v, "last"), "rows"));
}

static void the_log_of_a_run_that_is_over_ends(void **state) {
  WORLD;
  const char *headers =
      arena_format(&w->memory, "%sAccept: text/event-stream\r\n", bearer(w, w->last));
  reply r = ask(w, "GET", "/api/v1/runs/1/log", headers, NULL);
  assert_non_null(strstr(r.head, "Content-Type: text/event-stream"));
  assert_non_null(strstr(r.body, "data: {\"at\":"));
  assert_non_null(strstr(r.body, "\"filled\""));
  reply_free(&r);
}

#define T(f) cmocka_unit_test(f)

int main(void) {
  const struct CMUnitTest tests[] = {T(keys_and_scopes_decide),
                                     T(a_key_is_shown_once_and_ends_when_revoked),
                                     T(a_change_by_cookie_comes_from_our_own_page),
                                     T(the_site_says_what_its_visitor_may_see),
                                     T(the_overview_counts_runs),
                                     T(the_next_time_is_that_of_the_words),
                                     T(a_run_is_shown_in_all_its_parts),
                                     T(tables_are_listed_and_private_ones_are_not),
                                     T(rows_are_filtered_sorted_and_counted),
                                     T(a_download_is_never_a_formula),
                                     T(sql_reads_and_does_nothing_else),
                                     T(every_place_answers),
                                     T(a_page_has_typed_filters),
                                     T(a_chart_takes_its_filters),
                                     T(a_chart_is_as_old_as_its_own_tables),
                                     T(two_rows_for_a_point_name_the_column),
                                     T(a_file_goes_up_and_comes_down),
                                     T(an_upload_keeps_to_its_address),
                                     T(the_dashboard_is_served_with_its_policy),
                                     T(starting_a_run_is_a_command),
                                     T(events_are_taken_and_counted_once),
                                     T(the_log_of_a_run_that_is_over_ends)};
  log_set_level(LOG_LEVEL_ERROR);
  return cmocka_run_group_tests(tests, world_open_filled, world_close);
}
