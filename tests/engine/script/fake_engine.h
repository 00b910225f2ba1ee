/* fake_engine.h -- an engine for tests: a real nursery, real caged workers, and answers from the
 * test.
 *
 * The program under test is linked into the test, with engine Lua of the test's own (fake_main.h):
 * a `run` evaluates the script and calls the function that it returns with `kernel`, start and `rows`.
 *
 * SPDX-License-Identifier: MIT */
#ifndef TEST_SCRIPT_FAKE_ENGINE_H
#define TEST_SCRIPT_FAKE_ENGINE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/embed.h"
#include "script/nursery.h"
#include "wire/frame.h"
#include "wire/op.h"
#include "wire/pack.h"

#define FAKE_FILE(name, text)                                                                      \
  { name, text, text + sizeof text - 1 }
static const char fake_main[] =
    "local kernel = require 'dts.kernel'\n"
    "local M = {}\n"
    "function M.load(start) kernel.evaluate(start.file, start.source) end\n"
    "function M.config(start) return kernel.evaluate(start.file, start.source) end\n"
    "function M.run(start)\n"
    "  kernel.evaluate(start.file, start.source)(kernel, start, require 'dts.rows')\n"
    "end\n"
    "local handler\n"
    "function M.serve(start) handler = kernel.evaluate(start.file, start.source) end\n"
    "function M.request(message)\n"
    "  if not handler then M.serve(kernel.start()) end\n"
    "  return handler(message, kernel)\n"
    "end\n"
    "return M\n";
static const char fake_dts[] =
    "local kernel = require 'dts.kernel'\n"
    "return {\n"
    "  box = {},\n"
    "  table = function(t) t.noun = 'table' return kernel.declare(t) end,\n"
    "  fail = function(text) kernel.raise { code = 'TEST', message = text, hint = 'none' } end,\n"
    "  call = function(op, args) local answer = kernel.call(op, args) return answer end,\n"
    "}\n";
const embed_file embed_lua[] = {
    FAKE_FILE("dts/main.lua", fake_main), FAKE_FILE("dts/init.lua", fake_dts), {NULL, NULL, NULL}};

typedef struct talk talk;
/* Answers one question: talk_reply() or talk_fail() now or with a later one. */
typedef void (*talk_answer)(talk *t, const frame *in, const value *arguments);

typedef struct engine {
  pid_t nursery;
  int socket;
  uint32_t calls;
  buffer room, out;
} engine;

struct talk {
  engine *engine;
  int socket;
  pid_t pid;
  arena arena;
  buffer room, out;
  talk_answer answer;
  value rows, stages, logs; /* one-way frames, as they came */
  size_t row_count;
  bool counting;  /* rows are counted, not kept */
  uint8_t end_op; /* OP_DONE, OP_FAILED or 0 */
  value end;
  int status, signal; /* how the process ended, */
  int64_t cpu_ms;
  const char *where; /* and at which line, if it was ended from outside */
  void *test;
};

/* ── The nursery ── */

static inline int engine_open(void **state) {
  int pair[2];
  engine *e = calloc(1, sizeof *e);
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) return -1;
  e->nursery = fork();
  if (e->nursery == 0) {
    close(pair[0]);
    _exit(nursery_run(pair[1]));
  }
  close(pair[1]);
  e->socket = pair[0];
  buffer_init(&e->room, FRAME_LIMIT);
  buffer_init(&e->out, FRAME_LIMIT);
  *state = e;
  return 0;
}

static inline int engine_close(void **state) {
  engine *e = *state;
  int status = -1;
  close(e->socket);
  waitpid(e->nursery, &status, 0);
  buffer_free(&e->room);
  buffer_free(&e->out);
  free(e);
  return status == 0 ? 0 : -1;
}

static inline void read_map(arena *a, const frame *in, value *v) {
  unpack u = {in->payload, in->payload + in->size};
  assert_int_equal(unpack_value(&u, a, v, NULL), 0);
}

static inline void put_number(buffer *b, const char *name, int64_t n) {
  pack_text(b, name, strlen(name));
  pack_integer(b, n);
}

static inline void put_words(buffer *b, const char *name, const char *text) {
  pack_text(b, name, strlen(name));
  pack_text(b, text, strlen(text));
}

/* Forks a worker; t->socket is the engine's end. */
static inline void talk_open(engine *e, talk *t, int64_t memory, int64_t cpu_ms) {
  int pair[2];
  frame in;
  value v;
  *t = (talk){.engine = e, .rows = value_list(), .stages = value_list(), .logs = value_list()};
  buffer_init(&t->room, FRAME_LIMIT);
  buffer_init(&t->out, FRAME_LIMIT);
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
  buffer_clear(&e->out);
  pack_map(&e->out, 2);
  put_number(&e->out, "memory", memory);
  put_number(&e->out, "cpu_ms", cpu_ms);
  assert_int_equal(frame_send(e->socket, ++e->calls, OP_FORK, &e->out, pair[1], NULL), 0);
  close(pair[1]);
  assert_int_equal(frame_receive(e->socket, &e->room, &in, NULL), 1);
  assert_int_equal(in.op, OP_REPLY);
  assert_int_equal(in.call, e->calls);
  assert_true(in.fd >= 0); /* the pidfd */
  close(in.fd);
  read_map(&t->arena, &in, &v);
  t->pid = (pid_t)value_get_integer(&v, "pid", 0);
  t->socket = pair[0];
}

/* Waits for OP_EXITED, then frees. */
static inline void talk_wait(talk *t) {
  frame in;
  value v;
  assert_int_equal(frame_receive(t->engine->socket, &t->engine->room, &in, NULL), 1);
  assert_int_equal(in.op, OP_EXITED);
  read_map(&t->arena, &in, &v);
  assert_int_equal(value_get_integer(&v, "pid", 0), t->pid);
  assert_true(value_get_integer(&v, "peak", 0) > 100000);
  t->status = (int)value_get_integer(&v, "status", -1);
  t->signal = (int)value_get_integer(&v, "signal", 0);
  t->cpu_ms = value_get_integer(&v, "cpu_ms", 0);
  t->where = value_get_text(&v, "where", "");
}

static inline void talk_close(talk *t) {
  close(t->socket);
  buffer_free(&t->room);
  buffer_free(&t->out);
  arena_free(&t->arena);
}

/* ── Frames ── */

static inline void talk_reply(talk *t, uint32_t call, int fd) { /* t->out holds the answer */
  assert_int_equal(frame_send(t->socket, call, OP_REPLY, &t->out, fd, NULL), 0);
}

static inline void talk_fail(talk *t, uint32_t call, const char *code, const char *message) {
  dts_error e;
  error_fail(&e, code, "%s", message);
  buffer_clear(&t->out);
  pack_error(&t->out, &e);
  assert_int_equal(frame_send(t->socket, call, OP_ERROR, &t->out, -1, NULL), 0);
}

typedef struct start_options {
  const char *mode, *file, *tables; /* tables: a function's packed bytes are made by put_tables */
  int64_t memory, cpu_ms;
  int fd;
  bool again; /* the worker may stay for another run */
} start_options;

static inline void put_column(buffer *b, const char *name, const char *type, bool not_null,
                              const char *otherwise) {
  pack_open_map(b);
  put_words(b, "name", name);
  put_words(b, "type", type);
  if (not_null) pack_text(b, "not_null", 8), pack_boolean(b, true);
  if (otherwise) put_words(b, "default", otherwise);
  pack_end(b);
}

/* pump: the manual's table. all: one column of each type. secret: may not be written. */
static inline void put_tables(buffer *b) {
  pack_text(b, "tables", 6);
  pack_map(b, 3);
  pack_text(b, "pump", 4);
  pack_map(b, 2);
  pack_text(b, "key", 3);
  pack_list(b, 2);
  pack_text(b, "station", 7), pack_text(b, "date", 4);
  pack_text(b, "columns", 7);
  pack_list(b, 5);
  put_column(b, "station", "text", false, NULL);
  put_column(b, "date", "date", false, NULL);
  put_column(b, "price", "real", true, NULL);
  put_column(b, "unit", "text", true, "'l'");
  put_column(b, "count", "integer", false, NULL);
  pack_text(b, "all", 3);
  pack_map(b, 1);
  pack_text(b, "columns", 7);
  pack_list(b, 7);
  static const char *const types[] = {"text", "integer",   "real", "boolean",
                                      "date", "timestamp", "json"};
  for (size_t i = 0; i < 7; i++) put_column(b, types[i], types[i], false, NULL);
  pack_text(b, "secret", 6);
  pack_map(b, 1);
  pack_text(b, "columns", 7);
  pack_list(b, 0);
  pack_text(b, "writes", 6);
  pack_list(b, 2);
  pack_text(b, "pump", 4), pack_text(b, "all", 3);
}

static inline void talk_start(talk *t, const char *source, start_options o) {
  buffer *b = &t->out;
  buffer_clear(b);
  pack_open_map(b);
  put_words(b, "mode", o.mode ? o.mode : "run");
  put_words(b, "file", o.file ? o.file : "pipelines/x.lua");
  put_words(b, "source", source);
  if (o.again) pack_text(b, "again", 5), pack_boolean(b, true);
  pack_text(b, "limits", 6);
  pack_map(b, 2);
  put_number(b, "memory", o.memory);
  put_number(b, "cpu_ms", o.cpu_ms);
  put_tables(b);
  pack_end(b);
  assert_int_equal(frame_send(t->socket, 0, OP_START, b, o.fd ? o.fd : -1, NULL), 0);
}

static inline void take_rows(talk *t, const value *v) {
  const value *rows = value_get(v, "rows");
  assert_non_null(rows);
  t->row_count += rows->list.count;
  if (!t->counting) value_add(&t->arena, &t->rows, *v);
}

/* Counts the rows of a frame without a tree: 16 MB of a million rows need no arena. */
static inline void count_rows(talk *t, const frame *in) {
  unpack u = {in->payload, in->payload + in->size};
  value v;
  bool ended = false;
  assert_int_equal(unpack_next(&u, &v, NULL, NULL), 0);
  for (size_t pairs = v.map.count; pairs > 1; pairs--) unpack_skip(&u, NULL), unpack_skip(&u, NULL);
  unpack_skip(&u, NULL);
  assert_int_equal(unpack_next(&u, &v, NULL, NULL), 0);
  while (unpack_next(&u, &v, &ended, NULL) == 0 && !ended) {
    t->row_count++;
    for (size_t i = v.list.count; i > 0; i--) unpack_skip(&u, NULL);
  }
  assert_true(u.at == u.end);
}

static inline bool take_frame(talk *t, const frame *in) {
  value v;
  if (in->op == OP_ROWS && t->counting) return count_rows(t, in), true;
  read_map(&t->arena, in, &v);
  switch (in->op) {
  case OP_DONE:
  case OP_FAILED: t->end_op = in->op, t->end = v; return false;
  case OP_REPLY:
  case OP_ERROR: t->end_op = in->op, t->end = v; return false;
  case OP_ROWS: take_rows(t, &v); break;
  case OP_STAGE: value_add(&t->arena, &t->stages, v); break;
  case OP_LOG: value_add(&t->arena, &t->logs, v); break;
  default: assert_non_null(t->answer); t->answer(t, in, &v);
  }
  return true;
}

/* Serves the run until it ends or its socket closes. */
static inline void talk_listen(talk *t) {
  frame in;
  t->end_op = 0;
  while (frame_receive(t->socket, &t->room, &in, NULL) == 1) {
    bool more = take_frame(t, &in);
    if (in.fd >= 0) close(in.fd);
    if (!more) return;
  }
}

/* A whole run of a script. */
static inline void talk_run(void **state, talk *t, talk_answer answer, const char *source) {
  talk_open(*state, t, 0, 0);
  t->answer = answer;
  talk_start(t, source, (start_options){0});
  talk_listen(t);
  talk_wait(t);
}

static inline void done(const talk *t) {
  if (t->end_op == OP_FAILED) print_error("%s\n", value_get_text(&t->end, "message", "?"));
  assert_int_equal(t->end_op, OP_DONE);
  assert_int_equal(t->status, 0);
}

static inline void failed(const talk *t, const char *code, const char *where, const char *message) {
  assert_int_equal(t->end_op, OP_FAILED);
  assert_string_equal(value_get_text(&t->end, "message", ""), message);
  assert_string_equal(value_get_text(&t->end, "code", ""), code);
  assert_string_equal(value_get_text(&t->end, "where", ""), where);
}

#endif
