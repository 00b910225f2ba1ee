/* http_test.c -- requests of real runs to a source on loopback: retries, conditions, archives, secrets,
 * permissions, shared replies, stand-ins.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/kernel_help.h"

#include "flow/http_server.h"

#define TABLE "dts.table { name = 't', key = { 'id' }, columns = { 'id integer', 'v text' } }\n"

/* %s stands for the server's address. */
static bench *with_server(const server *s, const char *text) {
  bench *b = bench_new();
  b->options.serving = true;
  buffer out;
  buffer_init(&out, 1 << 16);
  for (const char *at = text; *at; at++) {
    if (strncmp(at, "URL", 3) == 0)
      buffer_add_text(&out, s->url), at += 2;
    else
      buffer_add_char(&out, *at);
  }
  bench_script(b, "x", buffer_text(&out));
  buffer_free(&out);
  return b;
}

static bench *open_with(const server *s, const char *text) {
  bench *b = with_server(s, text);
  bench_open(b);
  bench_faults(b);
  return b;
}

/* ---- retries ---- */

static void fail_twice(const asked *a) {
  if (a->number < 3)
    server_say(a, 503, "", "busy");
  else
    server_say(a, 200, "Content-Type: application/json\r\n", "{\"n\":7}");
}

static void a_busy_source_is_asked_again(void **state) {
  (void)state;
  server s;
  server_open(&s, fail_twice);
  bench *b = open_with(&s, TABLE "local src = dts.source { name = 'src', url = 'URL' }\n"
                                 "dts.pipeline { name = 'p', run = function(ctx)\n"
                                 "  local res = src:get('/a', { query = { q = 'x y' } })\n"
                                 "  ctx:put('t', { id = res:json().n, v = res.url })\n"
                                 "end }\n");
  assert_string_equal(bench_run(b, "p"), "done");
  bench_contains(bench_text(b, "select id, v from t"), "7|http://127.0.0.1:");
  bench_expect(b, "select method, status, tries from dts_request", "GET|200|3\n");
  bench_expect(b, "select requests from dts_run", "1\n");
  bench_contains(s.last, "GET /a?q=x%20y HTTP/1.1");
  bench_close(b);
  server_close(&s);
}

static void refuse(const asked *a) {
  server_say(a,
             strstr(a->text, "/missing") ? 404
             : strstr(a->text, "/later") ? 429
                                         : 400,
             strstr(a->text, "/later") ? "Retry-After: 3000\r\n" : "", "no");
}

static void statuses_become_errors(void **state) {
  (void)state;
  server s;
  server_open(&s, refuse);
  bench *b = open_with(&s, TABLE
                       "local src = dts.source { name = 'src', url = 'URL' }\n"
                       "dts.pipeline { name = 'bad', run = function() src:get('/bad') end }\n"
                       "dts.pipeline { name = 'post', run = function() src:post('/bad', { json = { "
                       "a = 1 } }) end }\n"
                       "dts.pipeline { name = 'later', run = function() src:get('/later') end }\n"
                       "dts.pipeline { name = 'fine', run = function(ctx)\n"
                       "  ctx:put('t', { id = src:get('/missing', { accept = { 404 } }).status })\n"
                       "end }\n");
  bench_ask(b, "{\"name\":\"enqueue\",\"pipeline\":\"bad\"}");
  bench_settle(b);
  bench_expect(b, "select state, retry_count from dts_job",
               "quarantined|1\n"); /* the same answer the next time */
  bench_contains(bench_text(b, "select error from dts_quarantine"), "answered 400");
  bench_contains(bench_run_error(b, "post"), "HTTP_STATUS: POST http://127.0.0.1");
  assert_string_equal(bench_run(b, "fine"), "done");
  bench_expect(b, "select id from t", "404\n");
  bench_ask(b, "{\"name\":\"enqueue\",\"pipeline\":\"later\"}");
  bench_settle(b);
  bench_expect(b,
               "select state, retry_count, deferrals, run_at - created > 2900000 from dts_job "
               "where pipeline = 'later'",
               "waiting|0|1|1\n");
  bench_invariants(b);
  bench_close(b);
  server_close(&s);
}

/* ---- what the errors say ---- */

static void fail_in_words(const asked *a) {
  if (strstr(a->text, "/page"))
    server_say(a, 500, "Content-Type: text/html\r\n",
               "<html><head>\n<title>Out of\torder</title></head></html>");
  else if (strstr(a->text, "/echo"))
    server_say(a, 400, "Content-Type: text/plain\r\n", a->text);
  else if (strstr(a->text, "/bytes"))
    server_say(a, 400, "Content-Type: application/octet-stream\r\n", "abc");
  else
    server_say(a, 404, "Content-Type: application/problem+json\r\n",
               "{\"title\": \"no such series\", \"more\": \"0123456789 0123456789 0123456789 "
               "0123456789 0123456789 0123456789 0123456789 0123456789\"}");
}

static void errors_show_the_first_words_of_the_answer(void **state) {
  (void)state;
  server s;
  server_open(&s, fail_in_words);
  bench *b = with_server(
      &s, "local src = dts.source { name = 'src', url = 'URL', headers = { Authorization = "
          "'Bearer {secret:KEY}' } }\n"
          "for name, path in pairs { page = '/page', echo = '/echo', bytes = '/bytes', "
          "problem = '/v1/x?q=1' } do\n"
          "  dts.pipeline { name = name, run = function() src:get(path) end }\n"
          "end\n");
  bench_write(b, "secrets/KEY", "sesame-4711-open\n");
  bench_open(b);
  bench_faults(b);
  bench_contains(bench_run_error(b, "page"), "/page answered 500 (4 tries): Out of order");
  bench_contains(bench_text(b, "select error ->> 'hint' from dts_run order by id desc limit 1"),
                 "the source itself failed");
  bench_contains(bench_run_error(b, "problem"),
                 " answered 404: {\"title\": \"no such series\", \"more\": \"0123456789 ");
  bench_contains(bench_text(b, "select error ->> 'hint' from dts_run order by id desc limit 1"),
                 "is the path right? If 404 is an answer here, say accept = { 404 }");
  const char *echo = bench_run_error(b, "echo");
  bench_contains(echo, "/echo answered 400");
  assert_null(strstr(echo, "sesame"));
  bench_contains(echo, "Bearer ****");
  assert_null(strstr(bench_run_error(b, "bytes"), "abc"));
  bench_close(b);
  server_close(&s);
}

static void a_source_that_is_down_is_named_with_its_path(void **state) {
  (void)state;
  server s;
  server_open(&s, refuse);
  bench *b = with_server(
      &s, "local src = dts.source { name = 'src', url = 'URL' }\n"
          "dts.pipeline { name = 'p', run = function() src:get('/v1/a', { query = { key = 'hush' "
          "} }) end }\n");
  bench_open(b);
  bench_faults(b);
  server_close(&s);
  const char *error = bench_run_error(b, "p");
  bench_contains(error, "HTTP_NETWORK: GET http://127.0.0.1:");
  bench_contains(error, "/v1/a: ");
  assert_null(strstr(error, "hush"));
  bench_contains(bench_text(b, "select error ->> 'hint' from dts_run order by id desc limit 1"),
                 "is this its address? A run by hand is not tried again, others are");
  bench_close(b);
}

/* ---- conditions ---- */

static void with_etag(const asked *a) {
  if (strcasestr(a->text, "If-None-Match: \"v1\""))
    server_say(a, 304, "ETag: \"v1\"\r\nX-Now: 2\r\n", "");
  else
    server_say(a, 200, "ETag: \"v1\"\r\nContent-Type: application/json\r\n", "{\"n\":1}");
}

static void an_unchanged_reply_comes_from_what_was_kept(void **state) {
  (void)state;
  server s;
  server_open(&s, with_etag);
  bench *b = open_with(
      &s,
      "dts.table { name = 'seen', columns = { 'unchanged boolean', 'n integer', 'type text', "
      "'status integer' } }\n"
      "local src = dts.source { name = 'src', url = 'URL' }\n"
      "local function read(ctx)\n"
      "  local res = src:get('/a')\n"
      "  ctx:put('seen', { unchanged = res.unchanged, n = res:json().n, type = "
      "res.headers['content-type'], status = res.status })\n"
      "end\n"
      "dts.pipeline { name = 'p', run = read }\n"
      "dts.pipeline { name = 'fails', run = function(ctx) read(ctx) error('on purpose') end }\n");
  assert_string_equal(bench_run(b, "fails"), "failed");
  bench_expect(b, "select count(*) from dts_validator",
               "0\n"); /* a validator commits with its run */
  for (int i = 0; i < 3; i++) assert_string_equal(bench_run(b, "p"), "done");
  bench_expect(
      b, "select unchanged, n, type, status from seen order by rowid",
      "false|1|application/json|200\ntrue|1|application/json|200\ntrue|1|application/json|200\n");
  assert_int_equal(atomic_load(&s.requests), 4);
  bench_close(b);
  server_close(&s);
}

/* ---- archives ---- */

static void say_number(const asked *a) {
  char text[32];
  snprintf(text, sizeof text, "body %d", a->number);
  server_say(a, 200, "Content-Type: text/plain\r\n", text);
}

static void archives_are_kept_with_their_run(void **state) {
  (void)state;
  server s;
  server_open(&s, say_number);
  bench *b = open_with(
      &s,
      TABLE "local src = dts.source { name = 'src', url = 'URL' }\n"
            "dts.pipeline { name = 'p', run = function(ctx)\n"
            "  src:get('/a', { archive = 'raw/a', meta = { page = 1 } })\n"
            "  ctx:archive('raw/b', 'own bytes')\n"
            "end }\n"
            "dts.pipeline { name = 'fails', run = function() src:get('/a', { archive = 'raw/a' }) "
            "error('no') end }\n"
            "dts.pipeline { name = 'again', run = function(ctx)\n"
            "  for body in dts.archive('raw/a') do ctx:put('t', { id = body.meta.page, v = "
            "body:text() }) end\n"
            "  for body in dts.archive('raw/b') do ctx:put('t', { id = 2, v = body:text() }) end\n"
            "end }\n");
  assert_string_equal(bench_run(b, "fails"), "failed");
  bench_expect(b, "select count(*) from dts_archive", "0\n");
  assert_string_equal(bench_run(b, "p"), "done");
  bench_expect(b, "select source, size, type from dts_archive order by source",
               "raw/a|6|text/plain\nraw/b|9|null\n");
  assert_string_equal(bench_run(b, "again"), "done");
  bench_expect(b, "select id, v from t order by id", "1|body 2\n2|own bytes\n");
  bench_close(b);
  server_close(&s);
}

/* ---- replies in flight while rows commit: none is lost ---- */

static void say_slowly(const asked *a) {
  usleep((useconds_t)(a->number % 7) * 3000);
  server_say(a, 200, "", "x");
}

static void replies_that_come_during_a_commit_are_kept(void **state) {
  (void)state;
  server s;
  server_open(&s, say_slowly);
  bench *b = open_with(
      &s, "dts.table { name = 'q', key = { 'day' }, columns = { 'day date', 'v integer' } }\n"
          "local src = dts.source { name = 'src', url = 'URL' }\n"
          "dts.pipeline { name = 'p', schedule = '0 0 1 1 *', batch = 1, gaps = { table = 'q', "
          "since = '2026-01-01', to = '2026-03-01' },\n"
          "  run = function(ctx, span)\n"
          "    dts.each(span.dates, { concurrency = 8 }, function(day)\n"
          "      src:get('/' .. day, { archive = 'raw' })\n"
          "      ctx:put('q', { day = day, v = 1 })\n"
          "    end)\n"
          "  end }\n");
  assert_string_equal(bench_run(b, "p"), "done");
  bench_expect(b, "select count(*) from q", "60\n");
  bench_expect(b, "select count(*) from dts_archive", "60\n");
  bench_expect(b, "select rows, requests from dts_run", "60|60\n");
  assert_true(atomic_load(&s.most) > 1 && atomic_load(&s.most) <= 8);
  bench_close(b);
  server_close(&s);
}

/* ---- secrets ---- */

static void say_what_was_asked(const asked *a) {
  server_say(a, strstr(a->text, "/bad") ? 401 : 200, "", "fine");
}

static bool file_holds(const char *path, const char *text) {
  buffer b;
  buffer_init(&b, (size_t)1 << 28);
  bool holds =
      file_read(path, (size_t)1 << 28, &b, NULL) == 0 && memmem(b.data, b.size, text, strlen(text));
  buffer_free(&b);
  return holds;
}

static void a_secret_is_on_the_wire_alone(void **state) {
  (void)state;
  static const char secret[] = "sesame-4711-open";
  server s;
  char path[128];
  server_open(&s, say_what_was_asked);
  bench *b = with_server(
      &s, TABLE "local src = dts.source { name = 'src', url = 'URL/v6/{secret:KEY}', headers = { "
                "Authorization = "
                "'Bearer {secret:KEY}', ['X-Other'] = '{secret?:NONE}' } }\n"
                "dts.pipeline { name = 'p', run = function(ctx)\n"
                "  local res = src:get('/a', { archive = 'raw' })\n"
                "  ctx:put('t', { id = 1, v = res.url .. tostring(res.headers) })\n"
                "  dts.log('asked', res.url)\n"
                "  src:get('/bad')\n"
                "end }\n"
                "local none = dts.source { name = 'none', url = 'URL', headers = { Authorization = "
                "'{secret:NONE}' } }\n"
                "dts.pipeline { name = 'lacks', run = function(ctx) none:get('/a') end }\n");
  bench_write(b, "secrets/KEY", "sesame-4711-open\n");
  bench_open(b);
  bench_faults(b);
  bench_contains(bench_run_error(b, "p"), "/v6/{secret:KEY}/bad answered 401");
  bench_expect(b, "select count(*) from dts_request", "2\n");
  bench_contains(s.last, "GET /v6/sesame-4711-open/bad HTTP");
  bench_contains(s.last, "Authorization: Bearer sesame-4711-open\r\n");
  assert_null(strcasestr(s.last, "X-Other"));
  bench_contains(bench_run_error(b, "lacks"),
                 "SECRET: header 'Authorization' needs secret NONE, which is not set");
  bench_contains(bench_text(b, "select error ->> 'hint' from dts_run where pipeline = 'lacks'"),
                 "DTS_SECRET_NONE");
  assert_int_equal(atomic_load(&s.requests), 2);
  bench_stop(b);
  for (const char *const *end = (const char *const[]){"", "-wal", NULL}; *end; end++) {
    snprintf(path, sizeof path, "%s/var/dts.db%s", b->folder, *end);
    assert_false(file_holds(path, secret));
  }
  bench_close(b);
  server_close(&s);
}

static void a_script_s_own_text_is_no_secret(void **state) {
  (void)state;
  server s;
  server_open(&s, say_what_was_asked);
  bench *b = with_server(
      &s, "dts.pipeline { name = 'p', allow = { hosts = { '127.0.0.1' } }, run = function()\n"
          "  dts.http.get('URL/a', { headers = { Authorization = '{secret:KEY}' } })\n"
          "end }\n");
  bench_write(b, "secrets/KEY", "sesame\n");
  bench_open(b);
  bench_contains(bench_run_error(b, "p"), "OPTION: ");
  assert_int_equal(atomic_load(&s.requests), 0); /* a declared source's alone are filled in */
  bench_close(b);
  server_close(&s);
}

/* ---- permission ---- */

static void only_named_hosts_are_reached(void **state) {
  (void)state;
  server s;
  char text[512];
  server_open(&s, say_what_was_asked);
  bench *b = bench_new();
  b->options.serving = true;
  snprintf(text, sizeof text, "dts.source { name = 'theirs', url = '%s' }\n", s.url);
  bench_script(b, "other", text);
  snprintf(text, sizeof text,
           "dts.pipeline { name = 'host', run = function() dts.http.get('%s/a') end }\n"
           "dts.pipeline { name = 'allowed', allow = { hosts = { '127.0.0.1:%d' } }, run = "
           "function() dts.http.get('%s/a') end }\n"
           "dts.pipeline { name = 'secret', allow = { hosts = { '169.254.169.254' } }, run = "
           "function() dts.http.get('http://169.254.169.254/') end }\n",
           s.url, s.port, s.url);
  bench_script(b, "x", text);
  bench_open(b);
  bench_faults(b);
  bench_contains(bench_run_error(b, "host"), "HOST_REFUSED: ");
  bench_contains(bench_text(b, "select error ->> 'hint' from dts_run order by id desc limit 1"),
                 "allow = { hosts");
  assert_int_equal(atomic_load(&s.requests), 0);
  assert_string_equal(bench_run(b, "allowed"), "done");
  assert_int_equal(atomic_load(&s.requests), 1);
  bench_close(b);

  b = with_server(&s, "dts.pipeline { name = 'p', allow = { hosts = { '127.0.0.1' } }, run = "
                      "function() dts.http.get('URL/a') end }\n");
  bench_write(
      b, "dts.lua",
      "return { allow = { hosts = { 'example.org' } } }\n"); /* a ceiling that no script exceeds */
  bench_open(b);
  bench_contains(bench_run_error(b, "p"), "HOST_REFUSED: ");
  assert_int_equal(atomic_load(&s.requests), 1);
  bench_close(b);
  server_close(&s);
}

/* ---- sharing ---- */

static void say_late(const asked *a) {
  usleep(100 * 1000);
  say_number(a);
}

static void a_cached_reply_is_asked_for_once(void **state) {
  (void)state;
  server s;
  server_open(&s, say_late);
  bench *b = open_with(&s, "dts.table { name = 'seen', columns = { 'v text' } }\n"
                           "local src = dts.source { name = 'src', url = 'URL' }\n"
                           "local function read(ctx)\n"
                           "  dts.each({ 1, 2, 3, 4, 5 }, { concurrency = 5 }, function() "
                           "ctx:put('seen', { v = src:get('/a', { cache = '1h' }):text() }) end)\n"
                           "end\n"
                           "dts.pipeline { name = 'a', run = read }\n"
                           "dts.pipeline { name = 'b', run = read }\n");
  bench_ask(b, "{\"name\":\"enqueue\",\"pipeline\":\"a\"}");
  bench_ask(b, "{\"name\":\"enqueue\",\"pipeline\":\"b\"}");
  bench_settle(b);
  bench_expect(b, "select v, count(*) from seen", "body 1|10\n");
  assert_int_equal(atomic_load(&s.requests), 1); /* ten askers in two runs, at once */
  bench_run(b, "a");
  assert_int_equal(atomic_load(&s.requests), 1);
  bench_close(b);
  server_close(&s);
}

static void never_say(const asked *a) {
  char byte;
  while (recv(a->fd, &byte, 1, 0) > 0) {
  }
}

static void an_engine_stops_with_requests_in_flight(void **state) {
  (void)state;
  server s;
  server_open(&s, never_say);
  bench *b =
      open_with(&s, "local src = dts.source { name = 'src', url = 'URL' }\n"
                    "dts.pipeline { name = 'p', run = function()\n"
                    "  dts.each({ 1, 2, 3 }, function() src:get('/a', { cache = '1h' }) end)\n"
                    "end }\n");
  bench_ask(b, "{\"name\":\"enqueue\",\"pipeline\":\"p\"}");
  for (int i = 0; !atomic_load(&s.requests) && i < 200; i++) bench_wait(b, 20);
  assert_int_equal(atomic_load(&s.requests), 1);
  bench_stop(b);
  bench_close(b);
  server_close(&s);
}

/* ---- stand-ins ---- */

static void a_stand_in_takes_a_source_s_place(void **state) {
  (void)state;
  server s;
  char text[256];
  server_open(&s, say_number);
  bench *b = bench_new();
  b->options.serving = true;
  bench_script(b, "x",
               TABLE
               "local src = dts.source { name = 'far', url = 'https://example.invalid/base' }\n"
               "dts.pipeline { name = 'p', run = function(ctx) ctx:put('t', { id = 1, v = "
               "src:get('/a'):text() }) end }\n");
  snprintf(text, sizeof text, "return { sources = { far = '%s/base' } }\n", s.url);
  bench_write(b, "dts.lua", text);
  bench_open(b);
  bench_faults(b);
  assert_string_equal(bench_run(b, "p"), "done");
  bench_expect(b, "select v from t", "body 1\n");
  bench_contains(s.last, "GET /base/a HTTP/1.1");
  bench_close(b);
  server_close(&s);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_busy_source_is_asked_again),
      cmocka_unit_test(statuses_become_errors),
      cmocka_unit_test(errors_show_the_first_words_of_the_answer),
      cmocka_unit_test(a_source_that_is_down_is_named_with_its_path),
      cmocka_unit_test(an_unchanged_reply_comes_from_what_was_kept),
      cmocka_unit_test(archives_are_kept_with_their_run),
      cmocka_unit_test(replies_that_come_during_a_commit_are_kept),
      cmocka_unit_test(a_secret_is_on_the_wire_alone),
      cmocka_unit_test(a_script_s_own_text_is_no_secret),
      cmocka_unit_test(only_named_hosts_are_reached),
      cmocka_unit_test(a_cached_reply_is_asked_for_once),
      cmocka_unit_test(an_engine_stops_with_requests_in_flight),
      cmocka_unit_test(a_stand_in_takes_a_source_s_place),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
