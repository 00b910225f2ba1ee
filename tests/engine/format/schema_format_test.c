/* schema_format_test.c -- what each `format` takes and refuses under draft 07.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>

#include "format/json.h"
#include "format/schema.h"

static const struct {
  const char *format, *text;
  bool fits;
} cases[] = {
    {"date-time", "2024-02-29T23:59:60Z", true},
    {"date-time", "2024-02-29T12:59:60Z", false},
    {"date-time", "1998-12-31T15:59:60.123-08:00", true},
    {"date-time", "2024-01-01 00:00:00+01", true},
    {"date-time", "2024-01-01T00:00:00", false},
    {"date-time", "2024-01-01", false},
    {"date-time", "1704067200", false},
    {"date", "2023-02-29", false},
    {"date", "2024-13-01", false},
    {"time", "08:30:06.283185Z", true},
    {"time", "24:00:00Z", false},
    {"duration", "P4DT12H30M5S", true},
    {"duration", "P", false},
    {"duration", "P1DT", false},
    {"email", "joe.bloggs+x@example.com", true},
    {"email", ".test@example.com", false},
    {"email", "2962", false},
    {"hostname", "www.example.com", true},
    {"hostname", "-bad.com", false},
    {"ipv4", "192.168.0.1", true},
    {"ipv4", "256.0.0.1", false},
    {"ipv4", "01.2.3.4", false},
    {"ipv4", "127.0.0.0.1", false},
    {"ipv6", "::1", true},
    {"ipv6", "::", true},
    {"ipv6", "1:2:3:4:5:6:7:8", true},
    {"ipv6", "1:2:3:4:5:6:7", false},
    {"ipv6", "1::2::3", false},
    {"ipv6", "::ffff:192.168.0.1", true},
    {"ipv6", "1:2:3:4:5:6:7::", true},
    {"ipv6", "12345::", false},
    {"ipv6", ":2:3:4:5:6:7:8", false},
    {"uri", "http://foo.bar/?baz=qux#quux", true},
    {"uri", "urn:oasis:names", true},
    {"uri", "//foo.bar/", false},
    {"uri", "http:// shouldfail.com", false},
    {"uri", "http://[2001:db8::7]/c=GB", true},
    {"uri", "abc", false},
    {"uri", "http://example.com/\xC3\xA9", false},
    {"uri-reference", "/abc?x#y", true},
    {"uri-reference", "", true},
    {"uri-reference", "\\\\WINDOWS\\x", false},
    {"uri-template", "https://api.example.com/users{/id}{?a,b*}", true},
    {"uri-template", "http://example.com/{x", false},
    {"uuid", "2eb8aa08-aa98-11ea-b4aa-73b441d16380", true},
    {"uuid", "2eb8aa08aa9811eab4aa73b441d16380", false},
    {"regex", "^a(b|c)$", true},
    {"regex", "^(abc]", false},
    {"json-pointer", "/foo/bar~0/baz~1/%a", true},
    {"json-pointer", "/foo/bar~", false},
    {"relative-json-pointer", "/a", false},
    {"relative-json-pointer", "0#", true},
};

static schema *compile(schema_set *set, arena *a, const char *format) {
  dts_error e = {0};
  value document;
  const char *text = arena_format(
      a, "{\"$schema\":\"http://json-schema.org/draft-07/schema#\",\"format\":\"%s\"}", format);
  assert_int_equal(json_read(a, text, strlen(text), &document, &e), 0);
  assert_int_equal(schema_add(set, format, &document, &e), 0);
  schema *s = schema_compile(set, format, &e);
  if (!s) fail_msg("%s: %s", format, e.message);
  return s;
}

static void knows_formats(void **state) {
  (void)state;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    arena a = {0};
    schema_set *set = schema_set_open();
    schema *s = compile(set, &a, cases[i].format);
    value v = value_text(cases[i].text);
    if ((schema_check(s, &v, NULL) == 0) != cases[i].fits)
      fail_msg("%s on %s", cases[i].format, cases[i].text);
    schema_free(s);
    schema_set_close(set);
    arena_free(&a);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(knows_formats),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
