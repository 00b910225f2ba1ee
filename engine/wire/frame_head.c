/* frame_head.c -- see frame_head.h.
 *
 * SPDX-License-Identifier: MIT */
#include "wire/frame_head.h"

#include <string.h>
#include <unistd.h>

static void put_u32(char *out, uint32_t n) {
  for (int i = 0; i < 4; i++) out[i] = (char)(n >> (8 * i));
}

static uint32_t get_u32(const char *in) {
  uint32_t n = 0;
  for (int i = 0; i < 4; i++) n |= (uint32_t)(unsigned char)in[i] << (8 * i);
  return n;
}

void frame_head_write(char head[FRAME_HEAD], uint32_t size, uint32_t call, uint8_t op, bool fd) {
  put_u32(head, size);
  put_u32(head + 4, call);
  head[8] = (char)op;
  head[9] = fd ? FRAME_DESCRIPTOR : 0;
  head[10] = head[11] = 0;
}

int frame_head_read(const char head[FRAME_HEAD], frame *in) {
  in->size = get_u32(head);
  in->call = get_u32(head + 4);
  in->op = (uint8_t)head[8];
  bool announced = head[9] & FRAME_DESCRIPTOR;
  if (in->size > FRAME_LIMIT || (head[9] & ~FRAME_DESCRIPTOR) || head[10] || head[11]) return -1;
  return announced == (in->fd >= 0) ? 0 : -1;
}

void frame_control_put(struct msghdr *message, frame_control *control, int fd) {
  memset(control, 0, sizeof *control);
  message->msg_control = control->bytes;
  message->msg_controllen = sizeof control->bytes;
  struct cmsghdr *head = CMSG_FIRSTHDR(message);
  head->cmsg_level = SOL_SOCKET;
  head->cmsg_type = SCM_RIGHTS;
  head->cmsg_len = CMSG_LEN(sizeof fd);
  memcpy(CMSG_DATA(head), &fd, sizeof fd);
}

static void take(struct msghdr *message, int *fd) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS) continue;
    int came;
    for (size_t at = 0; CMSG_LEN(at + sizeof came) <= c->cmsg_len; at += sizeof came) {
      memcpy(&came, CMSG_DATA(c) + at, sizeof came);
      if (*fd < 0)
        *fd = came;
      else
        close(came);
    }
  }
}

ssize_t frame_receive_some(int socket, char *out, size_t size, int flags, int *fd) {
  struct iovec piece = {out, size};
  frame_control control;
  struct msghdr message = {.msg_iov = &piece, .msg_iovlen = 1};
  message.msg_control = control.bytes;
  message.msg_controllen = sizeof control.bytes;
  ssize_t n = recvmsg(socket, &message, flags | MSG_CMSG_CLOEXEC);
  if (n >= 0) take(&message, fd);
  return n;
}
