/* http_names_test.c -- where names lead, with a resolver in the test's hands: local names open local
 * addresses, public names and redirects do not, nothing opens a metadata service. And what a
 * remembered reply belongs to.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/kernel_help.h"

#include <dlfcn.h>
#include <netdb.h>

#include "flow/http_server.h"

/* Stands before the C library's, for curl too. */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **out) {
  static const char *const known[][2] = {{"db.lan", "127.0.0.1"},
                                         {"warehouse.example.org", "127.0.0.1"},
                                         {"inside.example.org", "10.9.8.7"},
                                         {"mapped.example.org", "::ffff:127.0.0.1"},
                                         {"metadata.lan", "169.254.169.254"},
                                         {"metadata.internal", "fd00:ec2::254"}};
  typedef int resolver(const char *, const char *, const struct addrinfo *, struct addrinfo **);
  resolver *real;
  void *found = dlsym(RTLD_NEXT, "getaddrinfo");
  memcpy(&real, &found, sizeof real);
  for (size_t i = 0; name && i < sizeof known / sizeof *known; i++)
    if (strcmp(known[i][0], name) == 0) name = known[i][1];
  return real(name, service, hints, out);
}

/* %NAME stands for a host with the server's port. */
static bench *with_hosts(const server *s, const char *config, const char *text) {
  bench *b = bench_new();
  b->options.serving = true;
  char port[16];
  snprintf(port, sizeof port, "%d", s->port);
  for (int file = 0; file < 2; file++) {
    buffer out;
    buffer_init(&out, 1 << 16);
    for (const char *at = file ? text : config; *at; at++)
      if (strncmp(at, "PORT", 4) == 0)
        buffer_add_text(&out, port), at += 3;
      else
        buffer_add_char(&out, *at);
    if (file)
      bench_script(b, "x", buffer_text(&out));
    else if (out.size)
      bench_write(b, "dts.lua", buffer_text(&out));
    buffer_free(&out);
  }
  bench_open(b);
  bench_faults(b);
  return b;
}

static void say_fine(const asked *a) {
  if (strstr(a->text, "GET /away"))
    server_say(a, 302, "Location: http://warehouse.example.org:1/\r\n", "");
  else
    server_say(a, 200, "", "fine");
}

#define GETS(name, url)                                                                            \
  "dts.source { name = '" name "', url = '" url "' }\n"                                            \
  "dts.pipeline { name = '" name "', allow = { sources = { '" name                                 \
  "' }, hosts = { '*.example.org:1' } }, run = function() dts.http.get('" url "')"                 \
  " end }\n"

static void a_name_opens_a_local_address_only_when_nobody_outside_answers_for_it(void **state) {
  (void)state;
  server s;
  server_open(&s, say_fine);
  bench *b = with_hosts(&s, "",
                        GETS("local", "http://db.lan:PORT")
                            GETS("public", "http://warehouse.example.org:PORT")
                                GETS("inside", "http://inside.example.org:PORT")
                                    GETS("mapped", "http://mapped.example.org:PORT")
                                        GETS("redirect", "http://127.0.0.1:PORT/away"));
  assert_string_equal(bench_run(b, "local"), "done");
  assert_int_equal(atomic_load(&s.requests), 1);
  bench_contains(bench_run_error(b, "public"), "not public (loopback)");
  bench_contains(bench_text(b, "select error ->> 'hint' from dts_run order by id desc limit 1"),
                 "sources in dts.lua");
  bench_contains(bench_run_error(b, "inside"), "not public (private)");
  bench_contains(bench_run_error(b, "mapped"), "not public (loopback)");
  assert_int_equal(atomic_load(&s.requests), 1);
  bench_contains(bench_run_error(b, "redirect"), "not public (loopback)");
  assert_int_equal(atomic_load(&s.requests), 2);
  bench_close(b);
  server_close(&s);
}

static void who_runs_the_engine_may_name_more(void **state) {
  (void)state;
  server s;
  server_open(&s, say_fine);
  bench *b =
      with_hosts(&s, "return { sources = { src = 'http://warehouse.example.org:PORT' } }\n",
                 "local src = dts.source { name = 'src', url = 'https://warehouse.example.org' }\n"
                 "dts.pipeline { name = 'p', run = function() src:get('/') end }\n");
  assert_string_equal(bench_run(b, "p"), "done");
  assert_int_equal(atomic_load(&s.requests), 1);
  bench_close(b);
  server_close(&s);
}

static void no_name_opens_a_metadata_service(void **state) {
  (void)state;
  server s;
  server_open(&s, say_fine);
  bench *b = with_hosts(&s, "",
                        GETS("four", "http://metadata.lan:PORT")
                            GETS("six", "http://metadata.internal:PORT"));
  bench_contains(bench_run_error(b, "four"), "not public (metadata service)");
  bench_contains(bench_run_error(b, "six"), "not public (metadata service)");
  assert_int_equal(atomic_load(&s.requests), 0);
  bench_close(b);
  server_close(&s);
}

/* ---- what a remembered reply belongs to ---- */

static void by_accept(const asked *a) {
  bool json = strstr(a->text, "Accept: application/json");
  if (strcasestr(a->text, "If-Modified-Since:") && !strstr(a->text, "Mon, 01"))
    server_say(a, 304, "", "");
  else if (strstr(a->text, "GET /secret"))
    server_say(a, 200, "ETag: \"s\"\r\nCache-Control: private, No-Store\r\n", "kept nowhere");
  else if (strstr(a->text, "GET /any"))
    server_say(a, 200, "ETag: \"s\"\r\nVary: *\r\n", "kept nowhere");
  else
    server_say(a, 200, "Last-Modified: Thu, 01 Jan 2026 00:00:00 GMT\r\n", json ? "json" : "text");
}

static void a_kept_reply_answers_its_own_request_alone(void **state) {
  (void)state;
  server s;
  server_open(&s, by_accept);
  bench *b = with_hosts(
      &s, "",
      "dts.table { name = 'seen', columns = { 'what text', 'v text', 'status integer', 'same "
      "boolean' } }\n"
      "local src = dts.source { name = 'src', url = 'http://127.0.0.1:PORT' }\n"
      "dts.pipeline { name = 'p', run = function(ctx)\n"
      "  local function ask(what, path, headers)\n"
      "    local res = src:get(path, { headers = headers })\n"
      "    ctx:put('seen', { what = what, v = res:text(), status = res.status, same = "
      "res.unchanged })\n"
      "  end\n"
      "  ask('text', '/a')\n"
      "  ask('json', '/a', { Accept = 'application/json' })\n"
      "  ask('own', '/a', { ['If-Modified-Since'] = 'Fri, 02 Jan 2026 00:00:00 GMT' })\n"
      "  ask('secret', '/secret')\n"
      "  ask('any', '/any')\n"
      "end }\n");
  for (int i = 0; i < 2; i++) assert_string_equal(bench_run(b, "p"), "done");
  bench_expect(b, "select what, v, status, same from seen order by rowid",
               "text|text|200|false\njson|json|200|false\nown||304|false\n"
               "secret|kept nowhere|200|false\nany|kept nowhere|200|false\n"
               "text|text|200|true\njson|json|200|true\nown||304|false\n"
               "secret|kept nowhere|200|false\nany|kept nowhere|200|false\n");
  bench_expect(b, "select count(*) from dts_validator", "2\n");
  bench_close(b);
  server_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_name_opens_a_local_address_only_when_nobody_outside_answers_for_it),
      cmocka_unit_test(who_runs_the_engine_may_name_more),
      cmocka_unit_test(no_name_opens_a_metadata_service),
      cmocka_unit_test(a_kept_reply_answers_its_own_request_alone),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
