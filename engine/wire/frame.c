/* frame.c -- whole frames over a blocking socket: the worker's, the nursery's and a command's side.
 *
 * SPDX-License-Identifier: MIT */
#include "wire/frame.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "wire/frame_head.h"

enum { TOGETHER = 4096 }; /* bytes of a payload that go with its head, in one call */

static int send_some(int socket, const char *bytes, size_t size, int fd) {
  struct iovec piece = {(void *)(uintptr_t)bytes, size};
  frame_control control;
  struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
  if (fd >= 0) frame_control_put(&message, &control, fd);
  for (;;) {
    ssize_t sent = sendmsg(socket, &message, MSG_NOSIGNAL);
    if (sent >= 0) return (int)(sent > INT32_MAX ? INT32_MAX : sent);
    if (errno != EINTR) return -1;
  }
}

static int send_all(int socket, const char *bytes, size_t size, int fd) {
  while (size) {
    int sent = send_some(socket, bytes, size < FRAME_LIMIT ? size : FRAME_LIMIT, fd);
    if (sent < 0) return -1;
    bytes += sent;
    size -= (size_t)sent;
    fd = -1; /* it went with the first byte */
  }
  return 0;
}

int frame_send(int socket, uint32_t call, uint8_t op, const buffer *payload, int fd, dts_error *e) {
  size_t size = payload ? payload->size : 0;
  if (size > FRAME_LIMIT || (payload && payload->failed))
    return error_fail(e, "WIRE", "a message of %zu bytes is larger than the %d that fit a frame",
                      size, FRAME_LIMIT);
  char start[FRAME_HEAD + TOGETHER];
  size_t first = size < TOGETHER ? size : TOGETHER;
  frame_head_write(start, (uint32_t)size, call, op, fd >= 0);
  if (first) memcpy(start + FRAME_HEAD, payload->data, first);
  if (send_all(socket, start, FRAME_HEAD + first, fd) < 0 ||
      (size > first && send_all(socket, payload->data + first, size - first, -1) < 0))
    return error_fail(e, "WIRE", "the other side is gone: %s", strerror(errno));
  return 0;
}

/* Bytes read (fewer than `size` only at the end of the stream), or -1. */
static ssize_t receive_all(int socket, char *out, size_t size, int *fd) {
  size_t got = 0;
  while (got < size) {
    ssize_t n = frame_receive_some(socket, out + got, size - got, 0, fd);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    if (n == 0) break;
    got += (size_t)n;
  }
  return (ssize_t)got;
}

static int fail(dts_error *e, int *fd, const char *what) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
  return error_fail(e, "WIRE", "%s", what);
}

static int receive_payload(int socket, buffer *room, frame *in, dts_error *e) {
  buffer_clear(room);
  if (buffer_reserve(room, in->size) < 0) return fail(e, &in->fd, "a frame is larger than allowed");
  ssize_t got = receive_all(socket, room->data, in->size, &in->fd);
  if (got != (ssize_t)in->size) return fail(e, &in->fd, "the connection broke inside a frame");
  room->size = in->size;
  in->payload = buffer_text(room);
  return 1;
}

int frame_receive(int socket, buffer *room, frame *in, dts_error *e) {
  char head[FRAME_HEAD];
  *in = (frame){.fd = -1};
  ssize_t got = receive_all(socket, head, sizeof head, &in->fd);
  if (got == 0) return 0;
  if (got < 0) return fail(e, &in->fd, strerror(errno));
  if (got != FRAME_HEAD) return fail(e, &in->fd, "the connection broke inside a frame");
  if (frame_head_read(head, in) < 0) return fail(e, &in->fd, "what came is not a frame");
  return receive_payload(socket, room, in, e);
}
