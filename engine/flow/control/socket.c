/* socket.c -- see socket.h; the engine's side. socket_client.c is the other.
 *
 * A command under way belongs to its peer's list; when the peer goes, the command stays with peer
 * NULL and its answer is dropped. A socket file that somebody removes is made again.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/control/socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "flow/control/socket_path.h"
#include "wire/frame.h"
#include "wire/op.h"
#include "wire/pack.h"

typedef struct peer peer;

typedef struct asked { /* a command under way */
  struct asked *next;
  control_socket *socket;
  peer *peer; /* NULL: it left */
  uint32_t call;
  arena memory;
} asked;

struct peer {
  peer *next;
  control_socket *socket;
  frame_link *link;
  bool greeted, broken;
};

struct control_socket {
  kernel *kernel;
  int fd, removals; /* removals: inotify on var/, or -1 */
  char *listen;
  peer *peers;
  asked *asked;
};

static void on_peer(void *arg, int fd, bool readable, bool writable);

/* ---- sending ---- */

static void watch_peer(peer *p) {
  bool pending = frame_link_pending(p->link) > 0;
  loop_watch(kernel_loop(p->socket->kernel), frame_link_socket(p->link), true, pending, on_peer, p);
}

/* A peer that cannot be written to is found broken when its socket is next looked at. */
static void send_frame(peer *p, uint32_t call, wire_op op, buffer *b) {
  if (frame_link_queue(p->link, call, (uint8_t)op, b, -1) < 0) p->broken = true;
  if (frame_link_write(p->link) < 0) p->broken = true;
  buffer_free(b);
  watch_peer(p);
}

static void send_value(peer *p, uint32_t call, wire_op op, const value *v) {
  buffer b;
  buffer_init(&b, FRAME_LIMIT);
  send_frame(p, call, pack_answer(&b, v) ? op : OP_ERROR, &b);
}

static void send_error(peer *p, uint32_t call, const dts_error *e) {
  buffer b;
  buffer_init(&b, FRAME_LIMIT);
  pack_error(&b, e);
  send_frame(p, call, OP_ERROR, &b);
}

/* ---- commands ---- */

static void forget_asked(asked *q) {
  asked **at = &q->socket->asked;
  while (*at && *at != q) at = &(*at)->next;
  if (*at) *at = q->next;
  arena_free(&q->memory);
  free(q);
}

static void on_event(void *arg, int op, const value *event) {
  asked *q = arg;
  bool known = op == OP_LOG || op == OP_PROGRESS || op == OP_RUN;
  if (q->peer && known) send_value(q->peer, q->call, (wire_op)op, event);
}

static void on_answer(void *arg, const value *answer, const dts_error *e) {
  static const value nothing = {.kind = VALUE_NULL};
  asked *q = arg;
  if (q->peer && e)
    send_error(q->peer, q->call, e);
  else if (q->peer)
    send_value(q->peer, q->call, OP_REPLY, answer ? answer : &nothing);
  if (q->socket)
    forget_asked(q);
  else
    arena_free(&q->memory), free(q); /* the socket was closed before the answer came */
}

static void start_command(peer *p, uint32_t call, const value *command) {
  control_socket *s = p->socket;
  asked *q = memory_alloc(sizeof *q);
  *q = (asked){.next = s->asked, .socket = s, .peer = p, .call = call};
  s->asked = q;
  value kept = value_copy(&q->memory, command);
  kernel_command(s->kernel, &kept, on_event, on_answer, q);
}

static void greet(peer *p, uint32_t call, const value *hello) {
  arena a = {0};
  dts_error e;
  int64_t version = value_get_integer(hello, "version", 0);
  if (version != WIRE_VERSION) {
    error_fail(&e, "VERSION", "this dts speaks version %lld, the running engine version %d",
               (long long)version, WIRE_VERSION);
    error_hint(&e, "use the dts that the engine was started with, or start the engine again");
    return send_error(p, call, &e);
  }
  value v = value_map();
  value_set(&a, &v, "version", value_integer(WIRE_VERSION));
  value_set(&a, &v, "pid", value_integer(getpid()));
  value_set(&a, &v, "listen", value_text(p->socket->listen));
  p->greeted = true;
  send_value(p, call, OP_REPLY, &v);
  arena_free(&a);
}

static void on_frame(peer *p, const frame *in) {
  arena a = {0};
  value said;
  dts_error e;
  unpack u = {in->payload, in->payload + in->size};
  if (in->fd >= 0) close(in->fd);
  if (unpack_value(&u, &a, &said, &e) < 0)
    send_error(p, in->call, &e);
  else if (in->op == OP_HELLO)
    greet(p, in->call, &said);
  else if (in->op == OP_COMMAND && p->greeted && in->call)
    start_command(p, in->call, &said);
  else
    p->broken = true;
  arena_free(&a);
}

/* ---- peers ---- */

static void drop_peer(peer *p) {
  control_socket *s = p->socket;
  peer **at = &s->peers;
  while (*at != p) at = &(*at)->next;
  *at = p->next;
  for (asked *q = s->asked; q; q = q->next)
    if (q->peer == p) q->peer = NULL;
  loop_watch(kernel_loop(s->kernel), frame_link_socket(p->link), false, false, NULL, NULL);
  frame_link_close(p->link);
  free(p);
}

static void on_peer(void *arg, int fd, bool readable, bool writable) {
  peer *p = arg;
  frame in;
  dts_error e;
  int got = 2;
  (void)fd;
  if (writable && frame_link_write(p->link) < 0) p->broken = true;
  while (readable && !p->broken && (got = frame_link_read(p->link, &in, &e)) == 1) on_frame(p, &in);
  if (p->broken || got <= 0)
    drop_peer(p);
  else
    watch_peer(p);
}

static void on_connection(void *arg, int fd, bool readable, bool writable) {
  control_socket *s = arg;
  (void)readable, (void)writable;
  int taken = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (taken < 0) return;
  peer *p = memory_alloc(sizeof *p);
  *p = (peer){.next = s->peers, .socket = s, .link = frame_link_open(taken)};
  s->peers = p;
  watch_peer(p);
}

/* ---- opening ---- */

/* The mode of the file is that of the descriptor at the moment of bind(2), so nobody else can
 * connect in between. */
static int bind_socket(const char *root, dts_error *e) {
  socket_path at;
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0 || socket_path_open(root, &at, e) < 0) {
    if (fd >= 0) return close(fd), -1;
    return error_fail(e, "LISTEN", "no control socket: %s", strerror(errno));
  }
  unlinkat(at.folder, SOCKET_NAME, 0);
  fchmod(fd, 0600);
  bool ok = bind(fd, (struct sockaddr *)&at.address, sizeof at.address) == 0 && listen(fd, 16) == 0;
  if (!ok) error_fail(e, "LISTEN", "no control socket in var/: %s", strerror(errno));
  socket_path_close(&at);
  if (ok) return fd;
  close(fd);
  return -1;
}

static bool is_bound(const control_socket *s) {
  socket_path at;
  struct stat there;
  if (socket_path_open(kernel_root(s->kernel), &at, NULL) < 0)
    return true; /* var/ itself is gone */
  bool found = fstatat(at.folder, SOCKET_NAME, &there, AT_SYMLINK_NOFOLLOW) == 0;
  socket_path_close(&at);
  return found;
}

static void bind_again(control_socket *s) {
  dts_error e;
  int fd = bind_socket(kernel_root(s->kernel), &e);
  if (fd < 0) return log_warn("commands do not reach this engine any more: %s", e.message);
  loop_watch(kernel_loop(s->kernel), s->fd, false, false, NULL, NULL);
  close(s->fd);
  s->fd = fd;
  loop_watch(kernel_loop(s->kernel), fd, true, false, on_connection, s);
  log_warn("var/" SOCKET_NAME " was removed: it is there again");
}

static void on_removal(void *arg, int fd, bool readable, bool writable) {
  control_socket *s = arg;
  _Alignas(struct inotify_event) char events[4096];
  (void)readable, (void)writable;
  while (read(fd, events, sizeof events) > 0) continue;
  if (!is_bound(s)) bind_again(s);
}

/* Without a watch left in the system all goes on; only a removal is not noticed. */
static void watch_removals(control_socket *s) {
  socket_path at;
  char path[64];
  if (socket_path_open(kernel_root(s->kernel), &at, NULL) < 0) return;
  snprintf(path, sizeof path, "/proc/self/fd/%d", at.folder);
  int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  bool ok = fd >= 0 && inotify_add_watch(fd, path, IN_DELETE | IN_MOVED_FROM | IN_ONLYDIR) >= 0;
  socket_path_close(&at);
  if (!ok && fd >= 0) close(fd);
  if (!ok) return;
  s->removals = fd;
  loop_watch(kernel_loop(s->kernel), fd, true, false, on_removal, s);
}

control_socket *socket_open(kernel *k, const char *address, dts_error *e) {
  int fd = bind_socket(kernel_root(k), e);
  if (fd < 0) return NULL;
  control_socket *s = memory_alloc(sizeof *s);
  *s = (control_socket){.kernel = k, .fd = fd, .removals = -1};
  s->listen = address ? memory_text(address) : NULL;
  loop_watch(kernel_loop(k), fd, true, false, on_connection, s);
  watch_removals(s);
  return s;
}

static void unlink_socket(const control_socket *s) {
  socket_path at;
  if (socket_path_open(kernel_root(s->kernel), &at, NULL) < 0) return;
  unlinkat(at.folder, SOCKET_NAME, 0);
  socket_path_close(&at);
}

void socket_close(control_socket *s) {
  if (!s) return;
  if (s->removals >= 0) {
    loop_watch(kernel_loop(s->kernel), s->removals, false, false, NULL, NULL);
    close(s->removals);
  }
  unlink_socket(s);
  loop_watch(kernel_loop(s->kernel), s->fd, false, false, NULL, NULL);
  close(s->fd);
  while (s->peers) drop_peer(s->peers);
  for (asked *q = s->asked; q; q = q->next) q->socket = NULL;
  free(s->listen);
  free(s);
}
