/* frame_link.c -- frames over a non-blocking socket: the engine's side. Nothing here waits.
 *
 * Reading fills one frame at a time and never takes bytes of the next, so that a descriptor always
 * belongs to the frame in hand. Writing keeps one buffer of bytes; a descriptor remembers where in
 * it its frame begins and leaves with the first byte from there.
 *
 * SPDX-License-Identifier: MIT */
#include "wire/frame_head.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/arena.h"

typedef struct riding {
  size_t at; /* offset in `out` of the frame's first byte */
  int fd;
} riding;

struct frame_link {
  int socket;
  buffer out, in;
  size_t sent; /* of out: bytes already written */
  riding *riders;
  size_t rider_count, rider_first;
  char head[FRAME_HEAD];
  size_t head_size;
  bool have_head, broken;
  bool unheard; /* nobody reads there any more; what was said before is still to be read here */
  frame next;
};

/* Bytes that may wait in a link; a worker that does not read has its frames refused. */
#define LINK_LIMIT ((size_t)256 * 1024 * 1024)

frame_link *frame_link_open(int socket) {
  frame_link *l = memory_alloc(sizeof *l);
  l->socket = socket;
  l->next.fd = -1;
  buffer_init(&l->out, LINK_LIMIT);
  buffer_init(&l->in, FRAME_LIMIT);
  int flags = fcntl(socket, F_GETFL);
  fcntl(socket, F_SETFL, flags | O_NONBLOCK);
  return l;
}

void frame_link_close(frame_link *l) {
  if (!l) return;
  for (size_t i = l->rider_first; i < l->rider_count; i++) close(l->riders[i].fd);
  if (l->next.fd >= 0) close(l->next.fd);
  close(l->socket);
  buffer_free(&l->out);
  buffer_free(&l->in);
  free(l->riders);
  free(l);
}

int frame_link_socket(const frame_link *l) { return l->socket; }
size_t frame_link_pending(const frame_link *l) { return l->out.size - l->sent; }

/* ── Writing ── */

/* The descriptor is duplicated, so that the caller keeps its own whenever the frame leaves. */
static int add_rider(frame_link *l, int fd) {
  int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);
  if (copy < 0) return -1;
  l->riders = memory_grow(l->riders, (l->rider_count + 1) * sizeof *l->riders);
  l->riders[l->rider_count++] = (riding){l->out.size, copy};
  return 0;
}

int frame_link_queue(frame_link *l, uint32_t call, uint8_t op, const buffer *payload, int fd) {
  size_t size = payload ? payload->size : 0;
  if (l->broken || size > FRAME_LIMIT || (payload && payload->failed)) return -1;
  if (l->unheard) return 0;
  if (l->out.size + FRAME_HEAD + size > LINK_LIMIT) return -1;
  if (buffer_reserve(&l->out, FRAME_HEAD + size) < 0) return -1;
  if (fd >= 0 && add_rider(l, fd) < 0) return -1;
  char head[FRAME_HEAD];
  frame_head_write(head, (uint32_t)size, call, op, fd >= 0);
  buffer_add(&l->out, head, sizeof head);
  if (size) buffer_add(&l->out, payload->data, size);
  return 0;
}

/* One sendmsg, up to the next frame that has a descriptor. */
static ssize_t write_piece(frame_link *l) {
  struct iovec piece = {l->out.data + l->sent, l->out.size - l->sent};
  struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
  frame_control control;
  size_t next = l->rider_first;
  if (next < l->rider_count && l->riders[next].at == l->sent)
    frame_control_put(&message, &control, l->riders[next++].fd);
  if (next < l->rider_count) piece.iov_len = l->riders[next].at - l->sent;
  ssize_t sent = sendmsg(l->socket, &message, MSG_NOSIGNAL);
  if (sent > 0 && message.msg_control) close(l->riders[l->rider_first++].fd);
  return sent;
}

/* What has been written is forgotten once it is the larger half, so that moving stays cheap. */
static void forget_sent(frame_link *l) {
  if (l->sent < l->out.size && l->sent < l->out.size / 2) return;
  for (size_t i = l->rider_first; i < l->rider_count; i++) {
    l->riders[i - l->rider_first] = l->riders[i];
    l->riders[i - l->rider_first].at -= l->sent;
  }
  l->rider_count -= l->rider_first;
  l->rider_first = 0;
  buffer_drop(&l->out, l->sent);
  l->sent = 0;
}

/* That the other side is gone is told by reading, after its last words. */
static void forget_all(frame_link *l) {
  while (l->rider_first < l->rider_count) close(l->riders[l->rider_first++].fd);
  l->rider_first = l->rider_count = 0;
  l->sent = 0;
  buffer_clear(&l->out);
  l->unheard = true;
}

int frame_link_write(frame_link *l) {
  while (l->sent < l->out.size && !l->broken) {
    ssize_t sent = write_piece(l);
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) break;
    if (sent < 0)
      forget_all(l);
    else
      l->sent += (size_t)sent;
  }
  forget_sent(l);
  return l->broken ? -1 : 0;
}

/* ── Reading ── */

enum { WHOLE = 1, CLOSED = 0, BROKEN = -1, PART = 2 };

/* WHOLE when `size` bytes are there, counted in *have. */
static int fill(frame_link *l, char *out, size_t size, size_t *have) {
  while (*have < size) {
    ssize_t n = frame_receive_some(l->socket, out + *have, size - *have, MSG_DONTWAIT, &l->next.fd);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errno == EAGAIN || errno == EWOULDBLOCK ? PART : BROKEN;
    if (n == 0) return CLOSED;
    *have += (size_t)n;
  }
  return WHOLE;
}

static int break_link(frame_link *l, dts_error *e, const char *what) {
  l->broken = true;
  return error_fail(e, "WIRE", "%s", what);
}

static int read_head(frame_link *l, dts_error *e) {
  int got = fill(l, l->head, FRAME_HEAD, &l->head_size);
  if (got == CLOSED && l->head_size == 0) return CLOSED;
  if (got == CLOSED) return break_link(l, e, "the connection broke inside a frame");
  if (got == BROKEN) return break_link(l, e, strerror(errno));
  if (got == PART) return PART;
  if (frame_head_read(l->head, &l->next) < 0) return break_link(l, e, "what came is not a frame");
  l->have_head = true;
  buffer_clear(&l->in);
  return WHOLE;
}

/* Room grows as bytes come, a megabyte ahead at most: a head alone costs its sender more than
 * us. */
static int read_payload(frame_link *l, dts_error *e) {
  while (l->in.size < l->next.size) {
    size_t wanted = l->next.size - l->in.size, step = wanted < 1048576 ? wanted : 1048576;
    if (buffer_reserve(&l->in, step) < 0) return break_link(l, e, "out of memory");
    size_t have = 0;
    int got = fill(l, l->in.data + l->in.size, step, &have);
    l->in.size += have;
    if (got == CLOSED) return break_link(l, e, "the connection broke inside a frame");
    if (got == BROKEN) return break_link(l, e, strerror(errno));
    if (got == PART) return PART;
  }
  return WHOLE;
}

int frame_link_read(frame_link *l, frame *in, dts_error *e) {
  if (l->broken) return error_fail(e, "WIRE", "the connection is broken");
  int got = l->have_head ? WHOLE : read_head(l, e);
  if (got == WHOLE) got = read_payload(l, e);
  if (got != WHOLE) return got;
  l->next.payload = buffer_text(&l->in);
  *in = l->next;
  l->next = (frame){.fd = -1};
  l->have_head = false;
  l->head_size = 0;
  return WHOLE;
}
