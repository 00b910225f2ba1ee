/* socket_test.c -- the control socket with a real kernel: commands, answers, errors, strangers.
 *
 * The kernel turns on its own thread; this one asks. The worker is the one beside this build.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "command/place.h"
#include "flow/control/socket.h"
#include "flow/control/socket_path.h"
#include "wire/frame.h"
#include "wire/op.h"

static const char lua[] = "local dts = require 'dts'\n"
                          "dts.table { name = 'ticks', key = { 'n' }, columns = { 'n integer' } }\n"
                          "dts.pipeline { name = 'ticks', run = function(ctx)\n"
                          "  dts.log('hello'); ctx:progress(1, 2); ctx:put('ticks', { n = 1 })\n"
                          "end }\n";

typedef struct home {
  char folder[64];
  arena memory;
  kernel *kernel;
  control_socket *socket;
  pthread_t thread;
} home;

static void *turn(void *arg) {
  loop_run(kernel_loop(((home *)arg)->kernel));
  return NULL;
}

static int set_up(void **state) {
  home *h = memory_alloc(sizeof *h);
  dts_error e;
  arena *a = &h->memory;
  char *beside = arena_text(a, place_worker(a)); /* BUILD/tests/dts-worker; it lies one folder up */
  *strrchr(beside, '/') = 0;
  const char *worker = arena_format(a, "%s/../dts-worker", beside);
  *state = h;
  strcpy(h->folder, "/tmp/dts-socket-XXXXXX");
  if (!mkdtemp(h->folder)) return -1;
  if (access(worker, X_OK) != 0) {
    print_message("skipped: build dts-worker first (%s)\n", worker);
    return 0;
  }
  const char *path = arena_format(a, "%s/pipelines/ticks.lua", h->folder);
  if (file_make_folder(arena_format(a, "%s/pipelines", h->folder), 0755, &e) < 0) return -1;
  if (file_write_atomic(path, lua, strlen(lua), 0644, &e) < 0) return -1;
  kernel_options o = {.root = h->folder, .worker = worker};
  h->kernel = kernel_open(&o, &e);
  if (!h->kernel) return print_error("%s\n", e.message), -1;
  h->socket = socket_open(h->kernel, "127.0.0.1:1", &e);
  return h->socket ? pthread_create(&h->thread, NULL, turn, h) : -1;
}

static int tear_down(void **state) {
  home *h = *state;
  char clean[128];
  if (h->kernel) {
    loop_stop(kernel_loop(h->kernel));
    pthread_join(h->thread, NULL);
    socket_close(h->socket);
    kernel_close(h->kernel);
  }
  snprintf(clean, sizeof clean, "rm -rf '%s'", h->folder);
  int rc = system(clean);
  arena_free(&h->memory);
  free(h);
  return rc;
}

static home *home_of(void **state) {
  home *h = *state;
  if (!h->kernel) skip();
  return h;
}

static value command_of(arena *a, const char *name) {
  value v = value_map();
  value_set(a, &v, "name", value_text(name));
  return v;
}

typedef struct events {
  int logs, progress, runs;
} events;

static void on_event(void *arg, int op, const value *event) {
  events *n = arg;
  n->logs += op == OP_LOG && value_is(value_get(event, "message"), "hello");
  n->progress += op == OP_PROGRESS && value_get_integer(event, "total", 0) == 2;
  n->runs += op == OP_RUN;
}

static void is_for_its_owner(void **state) {
  home *h = home_of(state);
  struct stat s;
  assert_int_equal(0, stat(arena_format(&h->memory, "%s/var/dts.sock", h->folder), &s));
  assert_true(S_ISSOCK(s.st_mode));
  assert_int_equal(0600, s.st_mode & 0777);
}

static int ask(socket_client *c, const value *order, kernel_event *event, void *arg, arena *a,
               value *answer, dts_error *e) {
  int more = socket_send(c, order, e) < 0 ? -1 : 1;
  while (more == 1) more = socket_take(c, event, arg, a, answer, e);
  return more;
}

static void carries_a_run(void **state) {
  home *h = home_of(state);
  arena a = {0};
  dts_error e;
  events seen = {0};
  value order = command_of(&a, "run"), answer;
  socket_client *c = socket_connect(h->folder, &e);
  assert_non_null(c);
  assert_string_equal("127.0.0.1:1", socket_listen(c));
  value_set(&a, &order, "target", value_text("ticks"));
  assert_int_equal(0, ask(c, &order, on_event, &seen, &a, &answer, &e));
  assert_string_equal("done", value_get_text(&answer, "state", ""));
  assert_int_equal(1, value_get_integer(&answer, "rows", 0));
  assert_int_equal(1, seen.logs);
  assert_int_equal(1, seen.progress);
  assert_int_equal(2, seen.runs); /* it began, it ended */
  order = command_of(&a, "sql");
  value_set(&a, &order, "sql", value_text("select n from ticks"));
  assert_int_equal(0, ask(c, &order, NULL, NULL, &a, &answer, &e)); /* the same connection */
  assert_int_equal(1, value_get(&answer, "rows")->list.count);
  socket_leave(c);
  arena_free(&a);
}

static void carries_errors(void **state) {
  home *h = home_of(state);
  arena a = {0};
  dts_error e;
  value order = command_of(&a, "run"), answer;
  socket_client *c = socket_connect(h->folder, &e);
  value_set(&a, &order, "target", value_text("tikcs"));
  assert_int_equal(-1, ask(c, &order, NULL, NULL, &a, &answer, &e));
  assert_string_equal("PIPELINE", e.code);
  order = command_of(&a, "rnu");
  assert_int_equal(-1, ask(c, &order, NULL, NULL, &a, &answer, &e));
  assert_string_equal("COMMAND", e.code);
  assert_string_equal("did you mean 'run'?", e.hint);
  socket_leave(c);
  arena_free(&a);
}

static int connect_raw(const char *folder) {
  socket_path at;
  assert_int_equal(0, socket_path_open(folder, &at, NULL));
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  assert_int_equal(0, connect(fd, (struct sockaddr *)&at.address, sizeof at.address));
  socket_path_close(&at);
  return fd;
}

static void drops_strangers(void **state) {
  home *h = home_of(state);
  char byte;
  int fd = connect_raw(h->folder);
  assert_int_equal(18, write(fd, "GET / HTTP/1.0\r\n\r\n", 18));
  assert_true(read(fd, &byte, 1) <= 0);
  close(fd);
  fd = connect_raw(h->folder); /* a command before the greeting */
  buffer b;
  dts_error e;
  buffer_init(&b, 64);
  buffer_add_char(&b, 0x07); /* an empty map */
  buffer_add_char(&b, 0x00);
  assert_int_equal(0, frame_send(fd, 1, OP_COMMAND, &b, -1, &e));
  assert_true(read(fd, &byte, 1) <= 0);
  close(fd);
  buffer_free(&b);
}

static void refuses_another_version(void **state) {
  home *h = home_of(state);
  static const char hello[] = {0x07, 0x01, (char)0x87, 'v', 'e',      'r',
                               's',  'i',  'o',        'n', 0x20 + 95};
  arena a = {0};
  buffer b, room;
  frame in;
  dts_error e;
  int fd = connect_raw(h->folder);
  buffer_init(&b, 64);
  buffer_init(&room, FRAME_LIMIT);
  buffer_add(&b, hello, sizeof hello);
  assert_int_equal(0, frame_send(fd, 1, OP_HELLO, &b, -1, &e));
  assert_int_equal(1, frame_receive(fd, &room, &in, &e));
  assert_int_equal(OP_ERROR, in.op);
  assert_non_null(memmem(in.payload, in.size, "VERSION", 7));
  close(fd);
  buffer_free(&b);
  buffer_free(&room);
  arena_free(&a);
}

/* Until nothing is queued or runs, twice in a row: what nobody waits for any more ends as well. */
static void wait_for_rest(socket_client *c) {
  dts_error e;
  for (int i = 0, rested = 0; i < 500 && rested < 2; i++) {
    arena a = {0};
    value order = command_of(&a, "sql"), answer;
    value_set(&a, &order, "sql",
              value_text("select id from dts_jobs where state in ('queued', 'leased', 'waiting')"));
    assert_int_equal(0, ask(c, &order, NULL, NULL, &a, &answer, &e));
    rested = value_get(&answer, "rows")->list.count ? 0 : rested + 1;
    arena_free(&a);
    usleep(20000);
  }
}

static void survives_who_leaves(void **state) {
  home *h = home_of(state);
  arena a = {0};
  dts_error e;
  value order = command_of(&a, "run");
  value_set(&a, &order, "target", value_text("ticks"));
  for (int i = 0; i < 5; i++) { /* asks and goes, before the answer */
    socket_client *c = socket_connect(h->folder, &e);
    assert_non_null(c);
    assert_int_equal(0, socket_send(c, &order, &e));
    socket_leave(c);
  }
  value answer;
  socket_client *c = socket_connect(h->folder, &e);
  assert_non_null(c);
  assert_int_equal(0, ask(c, &order, NULL, NULL, &a, &answer, &e));
  assert_string_equal("done", value_get_text(&answer, "state", ""));
  wait_for_rest(c);
  socket_leave(c);
  arena_free(&a);
}

static void says_when_nobody_is_there(void **state) {
  (void)state;
  dts_error e;
  assert_null(socket_connect("/nonexistent", &e));
  assert_string_equal("ENGINE_NONE", e.code);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(is_for_its_owner),         cmocka_unit_test(carries_a_run),
      cmocka_unit_test(carries_errors),           cmocka_unit_test(drops_strangers),
      cmocka_unit_test(refuses_another_version),  cmocka_unit_test(survives_who_leaves),
      cmocka_unit_test(says_when_nobody_is_there)};
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
