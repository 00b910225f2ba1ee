/* frame.h -- frames on a Unix stream socket: how the engine, the nursery, workers and commands talk.
 *
 * A frame is  u32 size of the payload · u32 call · u8 operation · u8 flags · 2 bytes of zero · payload,
 * little-endian; the payload is one packed value (pack.h). Call 0 is one-way; a reply carries the call
 * of its question. With FRAME_DESCRIPTOR one descriptor rides along (SCM_RIGHTS) on the header's first
 * byte. Sizes past FRAME_LIMIT end the connection: nothing here trusts the other side.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_WIRE_FRAME_H
#define DTS_WIRE_FRAME_H

#include "base/buffer.h"
#include "base/error.h"

enum { FRAME_HEAD = 12, FRAME_LIMIT = 64 * 1024 * 1024, FRAME_DESCRIPTOR = 1 };

typedef struct frame {
  uint32_t call;
  uint8_t op; /* wire_op, op.h */
  int fd;     /* -1, or a descriptor that the receiver owns */
  const char *payload;
  size_t size;
} frame;

/* Blocking, for the worker's and a command's side. `fd` -1: none; it is not closed.
 * 0, or -1 with code WIRE (the other side is gone, or a signal's handler asked to stop). */
int frame_send(int socket, uint32_t call, uint8_t op, const buffer *payload, int fd, dts_error *e);
/* Fills `in` with the next frame; its payload lives in `room` until the next call on that buffer.
 * 1: a frame; 0: closed in good order between two frames; -1: broken. */
int frame_receive(int socket, buffer *room, frame *in, dts_error *e);

/* Non-blocking, for the engine's loop: one end keeps what is half read and half written. */
typedef struct frame_link frame_link;
frame_link *frame_link_open(int socket); /* takes the socket, makes it non-blocking */
void frame_link_close(frame_link *l);
int frame_link_socket(const frame_link *l);
/* `fd` (or -1) is duplicated: the caller keeps its own. The payload may be NULL for an empty one. */
int frame_link_queue(frame_link *l, uint32_t call, uint8_t op, const buffer *payload, int fd);
size_t frame_link_pending(const frame_link *l); /* bytes queued and not yet written */
int frame_link_write(frame_link *l);            /* 0: all or all that fits is written; -1: broken */
/* As frame_receive, but 2: nothing whole yet. The payload lives until the next call on the link. */
int frame_link_read(frame_link *l, frame *in, dts_error *e);

#endif
