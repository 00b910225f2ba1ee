/* world.h -- a small project with a real engine, worker and server, and a client that speaks plain
 * bytes.
 *
 * SPDX-License-Identifier: MIT */
#ifndef TEST_SERVE_WORLD_H
#define TEST_SERVE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <libgen.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "flow/kernel/keys.h"
#include "format/json.h"
#include "serve/server.h"

typedef struct world {
  char root[64], worker[512];
  kernel *kernel;
  server *server;
  pthread_t thread;
  bool stopped;
  arena memory;
  char last[64]; /* a key with scope read only */
} world;

typedef struct reply {
  int status;
  buffer all;
  const char *head, *body;
  size_t size;
} reply;

static const char SCRIPT[] =
    "local dts = require 'dts'\n"
    "dts.table { name = 'rates', key = { 'currency', 'date' }, columns = { 'currency text', 'date "
    "date', 'rate real',\n"
    "  'big integer', 'open boolean', 'extra json' } }\n"
    "dts.table { name = 'secrets', private = true, key = { 'id' }, columns = { 'id text' } }\n"
    "dts.view { name = 'latest', sql = 'select currency, max(date) as date from rates group by "
    "currency' }\n"
    "dts.pipeline { name = 'fill', run = function(ctx)\n"
    "  for day = 1, 3 do for _, c in ipairs { 'USD', 'EUR' } do\n"
    "    ctx:put('rates', { currency = c, date = ('2026-01-%02d'):format(day), rate = day + 0.5, "
    "big = 9007199254740993,\n"
    "      open = day > 1, extra = { n = day } }) end end\n"
    "  ctx:put('rates', { currency = '=1+1', date = '2026-01-01', rate = 1 }) print('filled') end "
    "}\n"
    "dts.pipeline { name = 'more', run = function(ctx)\n"
    "  ctx:put('rates', { currency = 'GBP', date = '2026-01-09', rate = 9 }) end }\n"
    "dts.pipeline { name = 'yearly', schedule = '0 6 1 1 *', gaps = { table = 'rates', keys = { "
    "'USD' }, since = '2999-01-01' }, recheck = '*/5 * * * *', run = function(ctx, span) end }\n"
    "dts.pipeline { name = 'sales', files = 'incoming/sales-*.csv', run = function(ctx, file) for "
    "row in file:rows() do end end }\n"
    "dts.route { 'GET /api/rates/{currency}', from = 'rates', order = 'date', public = true, "
    "params = { limit = 'integer = 100' } }\n"
    "dts.route { 'GET /api/days', sql = 'select date, count(*) as n from rates where :from is null "
    "or date >= :from group by date order by date',\n"
    "  params = { from = 'date?' } }\n"
    "dts.route { 'GET /api/few', from = 'rates', limit = 2, public = true, params = { limit = "
    "'integer?' } }\n"
    "dts.route { 'GET /api/said', public = true, params = { c = 'text', every = { 'a', 'b' } }, "
    "sql = \"select '{c}' as said, '{every}' as every, :c as bound\" }\n"
    "dts.route { 'GET /api/where', public = true, params = { w = 'json' }, run = function(req)\n"
    "  return dts.query('rates', { big = req.w }) end }\n"
    "dts.route { 'GET /api/back', public = true, params = { to = 'text' }, run = function(req)\n"
    "  return dts.reply { status = 302, headers = { Location = req.to, ['Content-Type'] = req.to } "
    "} "
    "end }\n"
    "dts.route { 'GET /api/hello/{name}', public = true, run = function(req) if req.name == "
    "'nobody' then return nil end\n"
    "  return { hello = req.name, key = req.key and req.key.name } end }\n"
    "dts.route { 'GET /api/query', public = true, run = function(req) return dts.query('rates', { "
    "currency = 'USD' }, { order = '-date', limit = 2 }) end }\n"
    "dts.pipeline { name = 'hooks', ingest = { id = 'id' }, run = function(ctx, events) end }\n"
    "dts.route { 'GET /api/clock', public = true, sql = 'select :now as now' }\n"
    "dts.route { 'GET /api/teapot', public = true, run = function(req) return dts.reply { status = "
    "418, text = 'short', headers = { ['x-own'] = 'yes' } } end }\n"
    "dts.route { 'GET /api/peek', public = true, run = function(req) return dts.query('secrets') "
    "end }\n"
    "dts.dashboard { name = 'money', title = 'Money', public = true, filters = { 'currency', "
    "'date', { 'every', choices = { 'a', 'b' } } },\n"
    "  { 'line', title = 'Rate', from = 'rates', x = 'date', y = 'rate', by = 'currency' },\n"
    "  { 'bar', title = 'Mean', from = 'rates', x = 'currency', y = 'avg(rate)' },\n"
    "  { 'line', title = 'Wrong', from = 'rates', x = 'date', y = 'rate' },\n"
    "  { 'number', sql = \"select count(*) as n, '{every}' as e from rates where :currency is null "
    "or currency = :currency\", y = 'n' },\n"
    "  { 'table', from = 'rates', columns = { 'currency', 'rate' }, order = '-rate', where = { "
    "currency = { 'USD', 'EUR' } }, limit = 2 } }\n"
    "dts.dashboard { name = 'inner', { 'table', from = 'rates' } }\n";

/* Tables that nothing wrote to. */
static const char ASIDE[] =
    "local dts = require 'dts'\n"
    "dts.table { name = 'quiet', key = { 'day' }, columns = { 'day date', 'n integer' } }\n"
    "dts.rollup { name = 'hush', from = 'quiet', time = 'day', every = { 'week' }, measures = { "
    "'sum(n) as n' } }\n"
    "dts.pipeline { name = 'whisper', run = function(ctx)\n"
    "  ctx:put('quiet', { day = '2026-01-05', n = 1 }) end }\n"
    "dts.dashboard { name = 'aside', { 'table', from = 'quiet' }, { 'table', from = 'hush_week' } "
    "}\n";

static void *world_loop(void *arg) {
  loop_run(kernel_loop(((world *)arg)->kernel));
  return NULL;
}

static bool world_find_worker(world *w) {
  char self[400] = "";
  ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
  if (n <= 0) return false;
  snprintf(w->worker, sizeof w->worker, "%s/../dts-worker", dirname(self));
  return access(w->worker, X_OK) == 0;
}

static int world_add_key(world *w) {
  key_added k = {.name = "reader", .scopes = KEY_READ, .now = 1};
  dts_error e;
  if (store_write(kernel_store(w->kernel), keys_add, &k, &e) < 0) return -1;
  snprintf(w->last, sizeof w->last, "%s", k.text);
  return 0;
}

static int world_fail(const char *what, const dts_error *e) {
  print_error("%s: %s (%s) %s\n", what, e->message, e->where, e->hint);
  return -1;
}

static const char page_bytes[] = "<!doctype html><title>t</title>", script_bytes[] = "let a";
static const embed_file web_files[] = {
    {"index.html", page_bytes, page_bytes + sizeof page_bytes - 1},
    {"assets/a-1.js", script_bytes, script_bytes + sizeof script_bytes - 1},
    {0}};

static int world_open(void **state) {
  world *w = calloc(1, sizeof *w);
  char path[128];
  dts_error e = {0};
  *state = w;
  strcpy(w->root, "/tmp/dts-serve-XXXXXX");
  if (!world_find_worker(w)) return print_message("SKIPPED: dts-worker is not built\n"), 0;
  if (!mkdtemp(w->root)) return -1;
  snprintf(path, sizeof path, "%s/pipelines", w->root);
  mkdir(path, 0700);
  snprintf(path, sizeof path, "%s/incoming", w->root);
  mkdir(path, 0700);
  snprintf(path, sizeof path, "%s/pipelines/all.lua", w->root);
  file_write_atomic(path, SCRIPT, sizeof SCRIPT - 1, 0600, NULL);
  snprintf(path, sizeof path, "%s/pipelines/aside.lua", w->root);
  file_write_atomic(path, ASIDE, sizeof ASIDE - 1, 0600, NULL);
  kernel_options o = {.root = w->root, .worker = w->worker, .serving = true};
  w->kernel = kernel_open(&o, &e);
  if (!w->kernel) return world_fail("kernel", &e);
  value faults = kernel_faults(w->kernel, &w->memory);
  for (size_t i = 0; i < faults.list.count; i++)
    print_error("fault: %s\n", value_get_text(&faults.list.items[i], "message", "?"));
  pthread_create(&w->thread, NULL, world_loop, w);
  server_options so = {.listen = "127.0.0.1:0", .web = web_files, .upload_limit = 1 << 20};
  w->server = server_open(w->kernel, &so, &e);
  if (!w->server) return world_fail("server", &e);
  return world_add_key(w);
}

static int world_close(void **state) {
  world *w = *state;
  if (w->kernel) {
    loop_stop(kernel_loop(w->kernel));
    pthread_join(w->thread, NULL);
    server_close(w->server);
    kernel_close(w->kernel);
    file_remove_folder(w->root);
  }
  arena_free(&w->memory);
  free(w);
  return 0;
}

#define WORLD                                                                                      \
  world *w = *state;                                                                               \
  if (!w->server) skip()

/* ---- the client ---- */

static int dial(const world *w) {
  struct sockaddr_in at = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)server_port(w->server))};
  struct timeval limit = {20, 0};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
  if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0) return fd;
  close(fd);
  return -1;
}

static void reply_free(reply *r) { buffer_free(&r->all); }

static void reply_split(reply *r) {
  const char *text = buffer_text(&r->all), *gap = strstr(text, "\r\n\r\n");
  r->head = text;
  r->status = strncmp(text, "HTTP/1.1 ", 9) == 0 ? atoi(text + 9) : 0;
  r->body = gap ? gap + 4 : "";
  r->size = gap ? r->all.size - (size_t)(gap + 4 - text) : 0;
}

/* Sends the bytes as they are, reads until the other side closes. */
static reply send_raw(const world *w, const char *bytes, size_t size) {
  reply r = {0};
  char piece[65536];
  int fd = dial(w);
  buffer_init(&r.all, 64 << 20);
  assert_true(fd >= 0);
  while (size) {
    ssize_t sent = send(fd, bytes, size, MSG_NOSIGNAL);
    if (sent <= 0) break;
    bytes += sent;
    size -= (size_t)sent;
  }
  shutdown(fd, SHUT_WR);
  for (ssize_t n; (n = recv(fd, piece, sizeof piece, 0)) > 0;) buffer_add(&r.all, piece, (size_t)n);
  close(fd);
  reply_split(&r);
  return r;
}

static reply ask(const world *w, const char *method, const char *path, const char *headers,
                 const char *body) {
  buffer b;
  buffer_init(&b, 64 << 20);
  buffer_add_format(&b, "%s %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s", method,
                    path, headers ? headers : "");
  if (body) buffer_add_format(&b, "Content-Length: %zu\r\n", strlen(body));
  buffer_add_format(&b, "\r\n%s", body ? body : "");
  reply r = send_raw(w, b.data, b.size);
  buffer_free(&b);
  return r;
}

static __attribute__((unused)) const char *bearer(world *w, const char *key) {
  return arena_format(&w->memory, "Authorization: Bearer %s\r\n", key);
}

static __attribute__((unused)) reply ask_admin(world *w, const char *method, const char *path,
                                               const char *body) {
  return ask(w, method, path, bearer(w, server_session_key(w->server)), body);
}

static __attribute__((unused)) value json_of(world *w, const reply *r) {
  value v = value_null();
  dts_error e = {0};
  if (json_read(&w->memory, r->body, r->size, &v, &e) < 0)
    fail_msg("no JSON: %s\n%s", e.message, r->head);
  return v;
}

static __attribute__((unused)) value get_json(world *w, const char *path) {
  reply r = ask_admin(w, "GET", path, NULL);
  if (r.status != 200) fail_msg("%s: %s", path, r.head);
  value v = json_of(w, &r);
  reply_free(&r);
  return v;
}

static __attribute__((unused)) void expect(world *w, const char *method, const char *path,
                                           const char *headers, const char *body, int status,
                                           const char *code) {
  reply r = ask(w, method, path, headers, body);
  if (r.status != status) fail_msg("%s %s: %d expected, got %s", method, path, status, r.head);
  if (code && !strstr(r.body, arena_format(&w->memory, "\"code\":\"%s\"", code)))
    fail_msg("%s %s: code %s expected, got %s", method, path, code, r.body);
  reply_free(&r);
}

/* Runs a pipeline by hand and waits for its end. */
static __attribute__((unused)) void run_pipeline(world *w, const char *name) {
  value command = value_map(), answer;
  dts_error e = {0};
  value_set(&w->memory, &command, "name", value_text("run"));
  value_set(&w->memory, &command, "target", value_text(name));
  if (kernel_ask(w->kernel, &command, &w->memory, &answer, &e) < 0)
    fail_msg("%s: %s", name, e.message);
  assert_string_equal("done", value_get_text(&answer, "state", "?"));
}

static __attribute__((unused)) int world_open_filled(void **state) {
  if (world_open(state) < 0) return -1;
  world *w = *state;
  if (w->server) run_pipeline(w, "fill");
  return 0;
}

#endif
