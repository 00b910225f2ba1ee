/* The parts that need no engine: addresses, signatures, names, parameters, replies, metrics.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "format/json.h"
#include "serve/access.h"
#include "serve/metrics.h"
#include "serve/params.h"

static arena memory;

static int clean(void **state) {
  (void)state;
  arena_free(&memory);
  return 0;
}

static int read_address(const char *path, const char *query, address *at) {
  dts_error e = {0};
  int rc = address_read(path, query, &memory, at, &e);
  if (rc < 0) assert_int_equal(400, e.status);
  return rc;
}

/* ---- addresses ---- */

static void an_encoded_slash_stays_in_its_segment(void **state) {
  address at;
  (void)state;
  assert_int_equal(0, read_address("/api/a%2Fb/c%252e", NULL, &at));
  assert_int_equal(3, at.count);
  assert_string_equal("a/b", at.segments[1]);
  assert_string_equal("c%2e", at.segments[2]); /* decoded once */
}

static void dots_nul_and_broken_escapes_are_refused(void **state) {
  static const char *const bad[] = {"/..", "/a/../b", "/%2e%2e/x", "/.",      "/a%00b",    "/%zz",
                                    "/%2", "/%ff",    "a",         "/%c0%af", "/%ed%a0%80"};
  address at;
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(-1, read_address(bad[i], NULL, &at));
}

static void queries_keep_order_and_repeats(void **state) {
  address at;
  (void)state;
  assert_int_equal(0, read_address("/", "a=1&a=2&b=x+y%26&c&=z", &at));
  assert_int_equal(5, at.pair_count);
  assert_string_equal("1", address_query(&at, "a"));
  assert_string_equal("2", at.pairs[1].text);
  assert_string_equal("x y&", address_query(&at, "b"));
  assert_string_equal("", address_query(&at, "c"));
  assert_null(address_query(&at, "d"));
}

static int match(const char *template, const char *path, pair *got, size_t *count) {
  address at;
  assert_int_equal(0, read_address(path, NULL, &at));
  return address_match(template, &at, &memory, got, 4, count);
}

static void templates_match_by_segment(void **state) {
  pair got[4];
  size_t n;
  (void)state;
  assert_true(match("/api/{owner}/{name}/trend", "/api/a/b%2Fc/trend", got, &n));
  assert_int_equal(2, n);
  assert_string_equal("owner", got[0].name);
  assert_string_equal("b/c", got[1].text);
  assert_true(match("/api/files/{path...}", "/api/files/a/b/c", got, &n));
  assert_string_equal("a/b/c", got[0].text);
  assert_false(match("/api/files/{path...}", "/api/files", got, &n));
  assert_false(match("/api/{a}", "/api/x/y", got, &n));
  assert_false(match("/api/{a}", "/api//", got, &n));
  assert_true(match("/api/runs/all", "/api/runs/all", got, &n) >
              match("/api/runs/{id}", "/api/runs/all", got, &n));
  assert_true(match("/api/{x}/all", "/api/runs/all", got, &n) <
              match("/api/runs/{id}", "/api/runs/all", got, &n));
  assert_true(match("/api/{x}", "/api/runs", got, &n) > match("/api/{x...}", "/api/runs", got, &n));
}

/* ---- signatures ---- */

static const unsigned char secret[PRESIGN_SECRET] = "0123456789abcdef0123456789abcde";

static int check(const char *method, const char *subject, const char *query, int64_t now,
                 dts_error *e) {
  address at;
  presigned what = {.method = method, .subject = subject};
  *e = (dts_error){0};
  assert_int_equal(0, read_address("/", query, &at));
  return presign_check(secret, &what, &at, now, &memory, e);
}

static void a_signature_covers_every_part(void **state) {
  presigned what = {"PUT", "a.csv", 100, 5000};
  char *query = arena_text(&memory, presign_query(secret, &what, &memory));
  dts_error e;
  (void)state;
  assert_int_equal(0, check("PUT", "a.csv", query, 4999, &e));
  assert_int_equal(-1, check("PUT", "a.csv", query, 5000, &e));
  assert_string_equal("EXPIRED", e.code);
  assert_int_equal(-1, check("GET", "a.csv", query, 4999, &e));
  assert_string_equal("SIGNATURE", e.code);
  assert_int_equal(-1, check("PUT", "b.csv", query, 4999, &e));
  for (size_t i = 0; query[i]; i++) { /* any character changed anywhere */
    char kept = query[i];
    query[i] = kept == '1' ? '2' : '1';
    assert_int_equal(-1, check("PUT", "a.csv", query, 4999, &e));
    query[i] = kept;
  }
  assert_int_equal(-1, check("PUT", "a.csv", arena_format(&memory, "%s&x=1", query), 4999, &e));
  assert_int_equal(-1, check("PUT", "a.csv", "expires=9999", 1, &e));
  assert_int_equal(403, e.status);
}

static void a_size_cannot_be_dropped_or_added(void **state) {
  presigned open = {"PUT", "a.csv", -1, 5000}, sized = {"PUT", "a.csv", 5, 5000};
  const char *query = presign_query(secret, &open, &memory);
  dts_error e;
  (void)state;
  assert_int_equal(0, check("PUT", "a.csv", query, 1, &e));
  assert_int_equal(-1, check("PUT", "a.csv", arena_format(&memory, "size=5&%s", query), 1, &e));
  char *without = arena_text(&memory, presign_query(secret, &sized, &memory));
  char *at = strstr(without, "size=5&");
  memmove(at, at + 7, strlen(at + 7) + 1);
  assert_int_equal(-1, check("PUT", "a.csv", without, 1, &e));
}

static void file_names_are_held_to_one_folder(void **state) {
  static const char *const bad[] = {"",     "a/b",  "..",    "a..b", ".hidden",
                                    "a\nb", "a\\b", "a\x7f", "\xff"};
  (void)state;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    assert_int_equal(-1, presign_name_check(bad[i], NULL));
  assert_int_equal(0, presign_name_check("sales-2026 é.csv", NULL));
}

static void the_secret_is_made_once(void **state) {
  char folder[] = "/tmp/dts-secret-XXXXXX";
  unsigned char one[PRESIGN_SECRET], two[PRESIGN_SECRET];
  (void)state;
  assert_non_null(mkdtemp(folder));
  const char *path = arena_format(&memory, "%s/secret", folder);
  assert_int_equal(0, presign_secret(path, one, NULL));
  assert_int_equal(0, presign_secret(path, two, NULL));
  assert_memory_equal(one, two, PRESIGN_SECRET);
  unlink(path);
  rmdir(folder);
}

/* ---- parameters ---- */

static const char PARAMS[] =
    "[{\"name\":\"every\",\"type\":\"choice\",\"choices\":[\"week\",\"month\"]},{\"name\":\"from\","
    "\"type\":\"date\"},"
    "{\"name\":\"limit\",\"type\":\"integer\",\"default\":10},{\"name\":\"on\",\"type\":"
    "\"boolean\"},"
    "{\"name\":\"x\",\"type\":\"real\"},{\"name\":\"at\",\"type\":\"timestamp\"},{\"name\":\"who\","
    "\"type\":\"text\",\"required\":true}]";

static int read_params(const char *query, value *out, dts_error *e) {
  address at;
  value declared;
  *e = (dts_error){0};
  assert_int_equal(0, json_read(&memory, PARAMS, strlen(PARAMS), &declared, NULL));
  assert_int_equal(0, read_address("/", query, &at));
  return params_read(&declared, &at, NULL, 0, &memory, out, e);
}

static void parameters_get_types_and_defaults(void **state) {
  value v;
  dts_error e;
  (void)state;
  assert_int_equal(
      0, read_params("who=me&from=2026-02-28&on=true&x=3&at=2026-01-01T00:00:00%2B01:00", &v, &e));
  assert_string_equal("week", value_get_text(&v, "every", ""));
  assert_int_equal(10, value_get_integer(&v, "limit", 0));
  assert_true(value_get_boolean(&v, "on", false));
  assert_true(value_get(&v, "x")->kind == VALUE_REAL);
  assert_string_equal("2025-12-31T23:00:00.000Z", value_get_text(&v, "at", ""));
  assert_int_equal(0, read_params("who=me&from=", &v, &e));
  assert_null(value_get(&v, "from"));
}

static void a_wrong_parameter_is_named_with_its_reason(void **state) {
  static const struct {
    const char *query, *message;
  } cases[] = {
      {"who=a&every=day", "every: one of week month expected, got \"day\""},
      {"who=a&from=2026-02-30", "from: a date (YYYY-MM-DD) expected, got \"2026-02-30\""},
      {"who=a&limit=1.5", "limit: an integer expected, got \"1.5\""},
      {"who=a&limit=1;drop", "limit: an integer expected, got \"1;drop\""},
      {"who=a&on=1", "on: true or false expected, got \"1\""},
      {"limit=1", "who: this parameter is required"},
      {"who=a&limi=1", "limi: this route has no such parameter"},
  };
  value v;
  dts_error e;
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(-1, read_params(cases[i].query, &v, &e));
    assert_string_equal(cases[i].message, e.message);
    assert_int_equal(422, e.status);
  }
  assert_string_equal("did you mean 'limit'?", e.hint);
}

/* ---- HTTP ---- */

static int check_request(http_request *rq, dts_error *e) {
  *e = (dts_error){0};
  rq->memory = &memory;
  if (!rq->method) rq->method = "GET";
  rq->path = "/";
  return http_check(rq, e);
}

static void what_two_readers_could_read_differently_is_refused(void **state) {
  static const struct {
    pair headers[3];
    int status;
  } cases[] = {
      {{{"Host", "a"}, {"Content-Length", "1"}, {"Transfer-Encoding", "chunked"}}, 400},
      {{{"Host", "a"}, {"Content-Length", "1"}, {"content-length", "1"}}, 400},
      {{{"Host", "a"}, {"Content-Length", "+1"}}, 400},
      {{{"Host", "a"}, {"Content-Length", "1, 1"}}, 400},
      {{{"Host", "a"}, {"Content-Length", ""}}, 400},
      {{{"Host", "a"}, {"Content-Length", "99999999999999999999"}}, 400},
      {{{"Host", "a"}, {"Transfer-Encoding", "chunked"}}, 411},
      {{{"Host", "a"}, {"host", "b"}}, 400},
      {{{"Accept", "a"}}, 400},
      {{{"Host", "a"}, {"X Y", "b"}}, 400},
      {{{"Host", "a"}, {"X", "a\x01"}}, 400},
  };
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    http_request rq = {0};
    dts_error e;
    while (rq.header_count < 3 && cases[i].headers[rq.header_count].name) {
      rq.headers[rq.header_count] = cases[i].headers[rq.header_count];
      rq.header_count++;
    }
    assert_int_equal(-1, check_request(&rq, &e));
    assert_int_equal(cases[i].status, e.status);
  }
}

static void sixty_four_headers_are_too_many(void **state) {
  http_request rq = {.headers = {{"Host", "a"}}};
  dts_error e;
  (void)state;
  for (rq.header_count = 1; rq.header_count < 63; rq.header_count++)
    rq.headers[rq.header_count] = (pair){"X", "y"};
  assert_int_equal(0, check_request(&rq, &e));
  rq.headers[rq.header_count++] = (pair){"X", "y"};
  assert_int_equal(-1, check_request(&rq, &e));
  assert_int_equal(431, e.status);
}

static int two_bytes_then_nothing(void *arg, void *out, size_t size) {
  int *left = arg;
  if (!*left) return 0;
  (*left)--;
  memset(out, 'a', size < 2 ? size : 2);
  return size < 2 ? (int)size : 2;
}

static void a_body_that_stops_early_is_no_body(void **state) {
  int pieces = 2;
  http_request rq = {.length = 5, .wire = {&pieces, two_bytes_then_nothing, NULL}};
  buffer b;
  dts_error e = {0};
  (void)state;
  assert_int_equal(-1, http_body(&rq, 100, &b, &e));
  assert_int_equal(400, e.status);
  buffer_free(&b);
  rq = (http_request){.length = 5, .wire = {&pieces, two_bytes_then_nothing, NULL}};
  assert_int_equal(-1, http_body(&rq, 4, &b, &e));
  assert_int_equal(413, e.status);
  buffer_free(&b);
}

static void a_header_never_begins_a_second_line(void **state) {
  http_reply rp = {.status = 200, .type = "text/plain"};
  buffer b;
  (void)state;
  buffer_init(&b, 8192);
  http_set(&rp, "X-Own", "a\r\nSet-Cookie: b");
  http_head(&rp, 3, 0, &b);
  assert_null(strstr(buffer_text(&b), "Set-Cookie"));
  assert_non_null(strstr(buffer_text(&b), "X-Own: a\r\n"));
  assert_non_null(strstr(buffer_text(&b), "default-src 'self'"));
  assert_null(strstr(buffer_text(&b), "Access-Control"));
  buffer_free(&b);
}

static void gzip_is_for_those_who_take_it(void **state) {
  static const struct {
    const char *accept;
    bool fine;
  } cases[] = {{"gzip", true},         {"br, GZIP;q=0.5", true},
               {"gzip;q=0", false},    {"gzip;q=0.0, br", false},
               {"xgzip", false},       {"", false},
               {"deflate, gzip", true}};
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    http_request rq = {.header_count = 1, .headers = {{"Accept-Encoding", cases[i].accept}}};
    assert_int_equal(cases[i].fine, http_accepts(&rq, "accept-encoding", "gzip"));
  }
}

static void hosts_that_are_not_ours_do_not_fit(void **state) {
  value hosts = value_list();
  (void)state;
  value_add(&memory, &hosts, value_text("data.example.org"));
  assert_true(access_host_fits("localhost:8080", true, NULL));
  assert_true(access_host_fits("127.0.0.1", true, NULL));
  assert_true(access_host_fits("[::1]:80", true, NULL));
  assert_true(access_host_fits("a.localhost:1", true, NULL));
  assert_false(access_host_fits("evil.example", true, NULL));
  assert_false(access_host_fits("evil.example#.localhost", true, NULL));
  assert_false(access_host_fits("127.0.0.1.evil.example", true, NULL));
  assert_false(access_host_fits("localhost:80x", true, NULL));
  assert_false(access_host_fits("", true, NULL));
  assert_false(access_host_fits("[::1", true, NULL));
  assert_true(access_host_fits("evil.example", false, NULL)); /* on a network, unless named */
  assert_true(access_host_fits("DATA.example.org:443", false, &hosts));
  assert_false(access_host_fits("evil.example", false, &hosts));
}

/* ---- metrics ---- */

static void metrics_are_openmetrics(void **state) {
  const char *labels[] = {"path", "C:\\\"x\"\n", NULL};
  buffer b;
  (void)state;
  buffer_init(&b, 8192);
  metrics_family(&b, "dts_runs", METRIC_COUNTER, "Runs \\ all");
  metrics_sample(&b, "dts_runs", METRIC_COUNTER, 3, labels);
  metrics_family(&b, "dts", METRIC_INFO, "i");
  metrics_sample(&b, "dts", METRIC_INFO, 1, NULL);
  metrics_end(&b);
  assert_string_equal("# TYPE dts_runs counter\n# HELP dts_runs Runs \\\\ all\n"
                      "dts_runs_total{path=\"C:\\\\\\\"x\\\"\\n\"} 3.0\n"
                      "# TYPE dts info\n# HELP dts i\ndts_info 1.0\n# EOF\n",
                      buffer_text(&b));
  buffer_free(&b);
}

#define T(f) cmocka_unit_test_teardown(f, clean)

int main(void) {
  const struct CMUnitTest tests[] = {T(an_encoded_slash_stays_in_its_segment),
                                     T(dots_nul_and_broken_escapes_are_refused),
                                     T(queries_keep_order_and_repeats),
                                     T(templates_match_by_segment),
                                     T(a_signature_covers_every_part),
                                     T(a_size_cannot_be_dropped_or_added),
                                     T(file_names_are_held_to_one_folder),
                                     T(the_secret_is_made_once),
                                     T(parameters_get_types_and_defaults),
                                     T(a_wrong_parameter_is_named_with_its_reason),
                                     T(what_two_readers_could_read_differently_is_refused),
                                     T(sixty_four_headers_are_too_many),
                                     T(a_body_that_stops_early_is_no_body),
                                     T(a_header_never_begins_a_second_line),
                                     T(gzip_is_for_those_who_take_it),
                                     T(hosts_that_are_not_ours_do_not_fit),
                                     T(metrics_are_openmetrics)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
