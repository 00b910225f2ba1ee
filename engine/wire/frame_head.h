/* frame_head.h -- what both ends of frame.h share: a frame's head, and a descriptor that rides along.
 *
 * For frame.c and frame_link.c alone.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_WIRE_FRAME_HEAD_H
#define DTS_WIRE_FRAME_HEAD_H

#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "wire/frame.h"

typedef union frame_control {
  struct cmsghdr head;
  char bytes[CMSG_SPACE(sizeof(int))];
} frame_control;

void frame_head_write(char head[FRAME_HEAD], uint32_t size, uint32_t call, uint8_t op, bool fd);
/* Size, call and op of a head; -1 for one that cannot be, or that says a descriptor came and none
 * did (in->fd), or the other way round. */
int frame_head_read(const char head[FRAME_HEAD], frame *in);

void frame_control_put(struct msghdr *message, frame_control *control, int fd);
/* One recvmsg. A descriptor that came is stored in *fd; a second one is closed. */
ssize_t frame_receive_some(int socket, char *out, size_t size, int flags, int *fd);

#endif
