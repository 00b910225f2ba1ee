/* socket_client.c -- see socket.h; the asking side, and the address that both sides use.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flow/control/socket.h"
#include "flow/control/socket_path.h"
#include "wire/frame.h"
#include "wire/op.h"
#include "wire/pack.h"

struct socket_client {
  int fd;
  uint32_t calls;
  buffer room;
  arena memory;
  const char *listen;
};

/* ---- the address ---- */

int socket_path_open(const char *root, socket_path *out, dts_error *e) {
  char path[4096];
  snprintf(path, sizeof path, "%s/var", root);
  out->folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  if (out->folder < 0) return error_fail(e, "ENGINE_NONE", "no engine has run in %s yet", root);
  out->address = (struct sockaddr_un){.sun_family = AF_UNIX};
  snprintf(out->address.sun_path, sizeof out->address.sun_path, "/proc/self/fd/%d/" SOCKET_NAME,
           out->folder);
  return 0;
}

void socket_path_close(socket_path *at) { close(at->folder); }

/* ---- frames ---- */

static int send_value(socket_client *c, wire_op op, const value *v, dts_error *e) {
  buffer b;
  buffer_init(&b, FRAME_LIMIT);
  pack_value(&b, v);
  int rc = b.failed ? error_fail(e, "LIMIT_SIZE", "the command is larger than a frame may be")
                    : frame_send(c->fd, ++c->calls, (uint8_t)op, &b, -1, e);
  buffer_free(&b);
  return rc;
}

static int gone(int got, dts_error *e) {
  if (got == 0) error_fail(e, "ENGINE_GONE", "the engine ended before it answered");
  return error_hint(e, "see its log; `dts runs` tells what became of the run");
}

/* One frame: 1 an event, 0 the answer, -1 an error. */
static int take(socket_client *c, buffer *room, arena *a, value *said, int *op, dts_error *e) {
  frame in;
  int got = frame_receive(c->fd, room, &in, e);
  if (got <= 0) return gone(got, e);
  if (in.fd >= 0) close(in.fd);
  unpack u = {in.payload, in.payload + in.size};
  if (unpack_value(&u, a, said, e) < 0) return -1;
  *op = in.op;
  if (in.op == OP_ERROR) return unpack_error(said, e), -1;
  return in.op != OP_REPLY;
}

int socket_take(socket_client *c, kernel_event *event, void *arg, arena *a, value *answer,
                dts_error *e) {
  arena passing = {0};
  value said;
  int op = 0, more = take(c, &c->room, &passing, &said, &op, e);
  if (more == 1 && event) event(arg, op, &said);
  if (more == 0) *answer = value_copy(a, &said);
  arena_free(&passing);
  return more;
}

int socket_send(socket_client *c, const value *command, dts_error *e) {
  return send_value(c, OP_COMMAND, command, e);
}

/* ---- coming and going ---- */

static int reach(const char *root, dts_error *e) {
  socket_path at;
  if (socket_path_open(root, &at, e) < 0) return -1;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0 || connect(fd, (struct sockaddr *)&at.address, sizeof at.address) < 0) {
    error_fail(e, "ENGINE_NONE", "no engine runs in %s: %s", root, strerror(errno));
    if (fd >= 0) close(fd);
    fd = -1;
  }
  socket_path_close(&at);
  return fd;
}

static int greet(socket_client *c, dts_error *e) {
  arena a = {0};
  value hello = value_map(), answer;
  value_set(&a, &hello, "version", value_integer(WIRE_VERSION));
  int rc = send_value(c, OP_HELLO, &hello, e);
  if (rc == 0) rc = socket_take(c, NULL, NULL, &a, &answer, e);
  if (rc == 0) c->listen = arena_text(&c->memory, value_get_text(&answer, "listen", NULL));
  arena_free(&a);
  return rc;
}

socket_client *socket_connect(const char *root, dts_error *e) {
  int fd = reach(root, e);
  if (fd < 0) return NULL;
  socket_client *c = memory_alloc(sizeof *c);
  c->fd = fd;
  buffer_init(&c->room, FRAME_LIMIT);
  if (greet(c, e) == 0) return c;
  socket_leave(c);
  return NULL;
}

void socket_leave(socket_client *c) {
  if (!c) return;
  close(c->fd);
  buffer_free(&c->room);
  arena_free(&c->memory);
  free(c);
}

const char *socket_listen(const socket_client *c) { return c->listen; }
int socket_descriptor(const socket_client *c) { return c->fd; }
