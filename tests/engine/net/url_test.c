/* url_test.c -- joining, queries and hosts.
 *
 * SPDX-License-Identifier: MIT */
#include "net/loop.h"
#include "net/url.h"

static void joined(const char *base, const char *path, const value *query, const char *wanted) {
  buffer out;
  dts_error e = {0};
  buffer_init(&out, 4096);
  if (url_join(base, path, query, &out, &e) < 0) fail_msg("%s + %s: %s", base, path, e.message);
  assert_string_equal(buffer_text(&out), wanted);
  buffer_free(&out);
}

static void refused(const char *base, const char *path, const value *query, const char *message) {
  buffer out;
  dts_error e = {0};
  buffer_init(&out, 4096);
  assert_int_equal(url_join(base, path, query, &out, &e), -1);
  assert_string_equal(e.code, "HTTP_REQUEST");
  assert_string_equal(e.message, message);
  buffer_free(&out);
}

static void test_join_puts_a_path_behind_the_base(void **state) {
  (void)state;
  joined("https://api.github.com", "/search", NULL, "https://api.github.com/search");
  joined("https://www.ecb.europa.eu/stats/eurofxref", "/daily.xml", NULL,
         "https://www.ecb.europa.eu/stats/eurofxref/daily.xml");
  joined("https://h/v1/", "/a", NULL, "https://h/v1/a");
  joined("https://h/v1", "a", NULL, "https://h/v1/a");
  joined("https://h/v1/", "a", NULL, "https://h/v1/a");
  joined("https://h", "", NULL, "https://h/");
  joined("https://h/v1", "?x=1", NULL, "https://h/v1?x=1");
  joined("https://h/v1?key=k", "/a?x=1", NULL, "https://h/v1/a?x=1&key=k");
  joined("https://h/v1#part", "/a#part", NULL, "https://h/v1/a");
  joined("https://h", "/a b/ção", NULL, "https://h/a%20b/%C3%A7%C3%A3o");
  joined("https://h", "/a%2Fb", NULL, "https://h/a%2Fb");
  joined("https://h/v1", "//evil.example/x", NULL, "https://h/v1//evil.example/x");
  joined("https://h/v1", "https://other.example/next?page=2", NULL,
         "https://other.example/next?page=2");
}

static void test_query_is_percent_encoded(void **state) {
  (void)state;
  arena a = {0};
  value list = value_list(), query = value_map();
  value_add(&a, &list, value_text("x"));
  value_add(&a, &list, value_integer(-2));
  value_set(&a, &query, "q", value_text("topic:data & more/é+~-._"));
  value_set(&a, &query, "per page", value_integer(100));
  value_set(&a, &query, "id", list);
  value_set(&a, &query, "gone", value_null());
  value_set(&a, &query, "yes", value_boolean(true));
  value_set(&a, &query, "half", value_real(0.5));
  value_set(&a, &query, "huge", value_real(1e300));
  joined("https://h", "/s", &query,
         "https://h/s?q=topic%3Adata%20%26%20more%2F%C3%A9%2B~-._&per%20page=100&id=x&id=-2"
         "&yes=true&half=0.5&huge=1e%2B300");
  joined("https://h", "/s?a=1", &list, "https://h/s?a=1");
  value_set(&a, &query, "deep", value_map());
  refused("https://h", "/s", &query,
          "query 'deep' has a map; expected text, a number, a boolean or a list of these");
  arena_free(&a);
}

static void test_bad_addresses_are_refused_without_their_secrets(void **state) {
  (void)state;
  refused("file:///etc/passwd", "", NULL,
          "address \"file:///etc/passwd\" cannot be used: unknown scheme; expected "
          "https://host/path");
  refused("https://user:hunter2@h:99999/x", "?token=s3cret", NULL,
          "address \"https://h:99999/x\" cannot be used: Port number was not a decimal number "
          "between 0 and 65535; expected https://host/path");
  refused("nonsense here", "", NULL,
          "address \"nonsense%20here\" cannot be used: Bad scheme; expected "
          "https://host/path");
}

static void host_is(const char *url, const char *wanted) {
  char name[300];
  dts_error e = {0};
  if (url_host(url, name, sizeof name, &e) < 0) fail_msg("%s: %s", url, e.message);
  assert_string_equal(name, wanted);
}

static void test_host_is_lower_case_with_a_port_that_is_not_the_usual(void **state) {
  (void)state;
  host_is("https://API.GitHub.com/x", "api.github.com");
  host_is("https://api.github.com:443/", "api.github.com");
  host_is("http://h:443/", "h:443");
  host_is("http://h.:8080/", "h:8080");
  host_is("http://user:pw@h/", "h");
  host_is("http://[2001:DB8::1]:81/", "[2001:db8::1]:81");
  host_is("http://2130706433/", "127.0.0.1"); /* as curl will read it */
  host_is("http://0x7f.1/", "127.0.0.1");
  host_is("https://m\xc3\xbcller.example/", "xn--mller-kva.example");
  host_is("http://m%C3%BCller.example/", "xn--mller-kva.example");
  host_is("http://\xef\xbc\x91\xef\xbc\x92\xef\xbc\x97.0.0.1/", "127.0.0.1"); /* full width */
  host_is("smtp://mail.example.org:587", "mail.example.org:587");
  char small[4];
  assert_int_equal(url_host("https://example.org", small, sizeof small, NULL), -1);
}

static void resolved(const char *from, const char *location, const char *wanted) {
  buffer out;
  dts_error e = {0};
  buffer_init(&out, 4096);
  if (url_resolve(from, location, &out, &e) < 0) fail_msg("%s: %s", location, e.message);
  assert_string_equal(buffer_text(&out), wanted);
  buffer_free(&out);
}

static void test_locations_are_resolved(void **state) {
  (void)state;
  resolved("https://h/a/b?x=1", "c", "https://h/a/c");
  resolved("https://h/a/b", "/c?y=2#z", "https://h/c?y=2");
  resolved("https://h/a", "//other/x", "https://other/x");
  resolved("https://h/a", "http://u:p@other/x", "http://other/x");
}

static void test_origins(void **state) {
  (void)state;
  static const struct {
    const char *from, *to;
    bool same;
  } cases[] = {{"https://h/a", "https://H:443/b", true}, {"http://h/", "https://h/", true},
               {"https://h/", "http://h/", false},       {"https://h/", "https://h:444/", false},
               {"http://h:8080/", "https://h/", false},  {"https://h/", "https://h.evil/", false},
               {"https://a.h/", "https://b.h/", false}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    url_place from, to;
    assert_int_equal(url_place_read(cases[i].from, &from, NULL), 0);
    assert_int_equal(url_place_read(cases[i].to, &to, NULL), 0);
    if (url_same_origin(&from, &to) != cases[i].same) fail_msg("%s %s", cases[i].from, cases[i].to);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_join_puts_a_path_behind_the_base),
      cmocka_unit_test(test_query_is_percent_encoded),
      cmocka_unit_test(test_bad_addresses_are_refused_without_their_secrets),
      cmocka_unit_test(test_host_is_lower_case_with_a_port_that_is_not_the_usual),
      cmocka_unit_test(test_locations_are_resolved),
      cmocka_unit_test(test_origins),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
