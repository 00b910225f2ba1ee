/* hostile_worker.h -- a nursery and workers in an attacker's hands: a pipeline's file says which frames its
 * worker sends, byte for byte, and which answers must come.
 *
 * A file is JSON: {"declare": [declarations], "load": [FRAME ..], "say": {PIPELINE or "serve": [FRAME ..]}}.
 * FRAME is {op, call?, args? or hex?, fd?, times?, wait? or want?: the code of the reply, "" for no
 * error}, or {"mute": true}: no OP_DONE at the end. What is under "serve" follows each OP_REQUEST.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_TESTS_FLOW_HOSTILE_WORKER_H
#define DTS_TESTS_FLOW_HOSTILE_WORKER_H

#include "flow/kernel_help.h"

#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "wire/frame.h"
#include "wire/op.h"
#include "wire/pack.h"

enum { SOCKET = 3 };

/* ---- the worker ---- */

static inline void say_value(int socket, uint32_t id, wire_op op, const value *args, int fd) {
  buffer b;
  dts_error e;
  buffer_init(&b, FRAME_LIMIT);
  if (args) pack_value(&b, args);
  if (frame_send(socket, id, (uint8_t)op, &b, fd, &e) < 0) _exit(3);
  buffer_free(&b);
}

static inline void say_bytes(int socket, const value *one, const char *hex) {
  buffer b;
  dts_error e;
  buffer_init(&b, FRAME_LIMIT);
  for (; hex[0] && hex[1]; hex += 2) {
    char pair[3] = {hex[0], hex[1], 0};
    buffer_add_char(&b, (char)strtol(pair, NULL, 16));
  }
  if (value_get_boolean(one, "naked", false)) { /* not even a frame */
    if (send(socket, b.data, b.size, MSG_NOSIGNAL) < 0) _exit(3);
  } else {
    uint32_t id = (uint32_t)value_get_integer(one, "call", 0);
    if (frame_send(socket, id, (uint8_t)value_get_integer(one, "op", 0), &b, -1, &e) < 0) _exit(3);
  }
  buffer_free(&b);
}

/* `want`: the code of the error that must come, "" for an answer; anything else fails the run, and says so. */
static inline void check(int socket, const frame *in, const char *want) {
  arena a = {0};
  value said, failed = value_map();
  dts_error e = {0};
  unpack u = {in->payload, in->payload + in->size};
  if (unpack_value(&u, &a, &said, &e) == 0 && in->op == OP_ERROR) unpack_error(&said, &e);
  if (strcmp(e.code, want) != 0) {
    value_set(&a, &failed, "code", value_text(arena_format(&a, "GOT_%s", e.code)));
    value_set(&a, &failed, "message", value_text(e.message));
    say_value(socket, 0, OP_FAILED, &failed, -1);
    _exit(0);
  }
  arena_free(&a);
}

static inline void await(int socket, uint32_t id, const char *want) {
  buffer room;
  dts_error e;
  frame in = {0};
  buffer_init(&room, FRAME_LIMIT);
  do {
    if (frame_receive(socket, &room, &in, &e) <= 0) _exit(4);
    if (in.fd >= 0) close(in.fd);
  } while (in.call != id || in.op > OP_ERROR);
  if (want) check(socket, &in, want);
  buffer_free(&room);
}

static inline void say(int socket, const value *one) {
  const char *hex = value_get_text(one, "hex", NULL);
  int fd = value_get_boolean(one, "fd", false) ? memfd_create("x", MFD_CLOEXEC) : -1;
  uint32_t id = (uint32_t)value_get_integer(one, "call", 0);
  for (int64_t i = value_get_integer(one, "times", 1); i > 0; i--)
    if (hex)
      say_bytes(socket, one, hex);
    else
      say_value(socket, id, (wire_op)value_get_integer(one, "op", 0), value_get(one, "args"), fd);
  if (value_get_boolean(one, "wait", false) || value_get(one, "want"))
    await(socket, id, value_get_text(one, "want", NULL));
}

static inline void wait_for_end(int socket);

static inline void say_all(int socket, const value *list) {
  for (size_t i = 0; list && i < list->list.count; i++) {
    if (value_get(&list->list.items[i], "mute")) wait_for_end(socket);
    say(socket, &list->list.items[i]);
  }
}

static inline void wait_for_end(int socket) {
  buffer room;
  dts_error e;
  frame in;
  buffer_init(&room, FRAME_LIMIT);
  while (frame_receive(socket, &room, &in, &e) > 0) continue;
  _exit(0);
}

static inline void serve(int socket, const value *said) {
  buffer room;
  dts_error e;
  frame in;
  buffer_init(&room, FRAME_LIMIT);
  say_value(socket, 0, OP_DONE, &(value){.kind = VALUE_MAP}, -1);
  while (frame_receive(socket, &room, &in, &e) > 0)
    if (in.op == OP_REQUEST) say_all(socket, value_get(value_get(said, "say"), "serve"));
  _exit(0);
}

static inline void live(int socket) {
  arena a = {0};
  buffer room;
  dts_error e;
  frame in;
  value start, said, done = value_map();
  buffer_init(&room, FRAME_LIMIT);
  if (frame_receive(socket, &room, &in, &e) <= 0) _exit(5);
  unpack u = {in.payload, in.payload + in.size};
  if (unpack_value(&u, &a, &start, &e) < 0) _exit(6);
  const char *text = value_get_text(&start, "source", "{}");
  const char *mode = value_get_text(&start, "mode", "");
  if (json_read(&a, text, strlen(text), &said, &e) < 0) _exit(7);
  if (strcmp(mode, "serve") == 0) serve(socket, &said);
  if (strcmp(mode, "run") == 0) {
    say_all(socket, value_get(value_get(&said, "say"), value_get_text(&start, "pipeline", "")));
  } else {
    say_all(socket, value_get(&said, "load"));
    const value *declared = value_get(&said, "declare");
    if (declared) value_set(&a, &done, "declarations", *declared);
  }
  say_value(socket, 0, OP_DONE, &done, -1);
  _exit(0);
}

/* ---- the nursery ---- */

static inline void tell_exit(pid_t pid, int status) {
  arena a = {0};
  value v = value_map();
  value_set(&a, &v, "pid", value_integer(pid));
  if (WIFSIGNALED(status))
    value_set(&a, &v, "signal", value_integer(WTERMSIG(status)));
  else
    value_set(&a, &v, "status", value_integer(WEXITSTATUS(status)));
  say_value(SOCKET, 0, OP_EXITED, &v, -1);
  arena_free(&a);
}

static inline void fork_one(const frame *in) {
  arena a = {0};
  value v = value_map();
  pid_t pid = fork();
  if (pid == 0) {
    close(SOCKET);
    live(in->fd);
  }
  int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  value_set(&a, &v, "pid", value_integer(pid));
  say_value(SOCKET, in->call, OP_REPLY, &v, pidfd);
  close(pidfd);
  close(in->fd);
  arena_free(&a);
}

static inline int be_nursery(void) {
  buffer room;
  dts_error e;
  frame in;
  int status;
  buffer_init(&room, FRAME_LIMIT);
  for (;;) {
    struct timeval soon = {0, 5000};
    fd_set reads;
    FD_ZERO(&reads);
    FD_SET(SOCKET, &reads);
    if (select(SOCKET + 1, &reads, NULL, NULL, &soon) > 0) {
      if (frame_receive(SOCKET, &room, &in, &e) <= 0) _exit(0);
      fork_one(&in);
    }
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) tell_exit(pid, status);
  }
}

/* Is this process the nursery that the engine of a test has started? */
static inline bool is_nursery(int count) {
  struct stat info;
  return count == 1 && !environ[0] && fstat(SOCKET, &info) == 0 && S_ISSOCK(info.st_mode);
}

#endif
