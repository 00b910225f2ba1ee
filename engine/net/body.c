/* body.c -- see body.h.
 *
 * SPDX-License-Identifier: MIT */
#include "net/body.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/file.h"
#include "net/mask.h"

void body_open(body *b, int64_t limit) {
  *b = (body){.fd = -1, .limit = limit};
  buffer_init(&b->small, BODY_SMALL);
}

void body_free(body *b) {
  buffer_free(&b->small);
  if (b->fd >= 0) close(b->fd);
  body_open(b, b->limit);
}

static int body_write(body *b, const char *bytes, size_t size) {
  if (file_write_all(b->fd, bytes, size) < 0) return b->fault = errno, -1;
  return 0;
}

/* Moves to a memory file when memory is no longer the place. */
static int body_spill(body *b) {
  b->fd = memfd_create("dts-body", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (b->fd < 0) return b->fault = errno, -1;
  int rc = body_write(b, b->small.data, b->small.size);
  buffer_free(&b->small);
  return rc;
}

int body_add(body *b, const void *bytes, size_t size) {
  if ((int64_t)size > b->limit - b->size) return b->too_large = true, -1;
  b->size += (int64_t)size;
  if (b->fd < 0 && b->size <= BODY_SMALL)
    return buffer_add(&b->small, bytes, size) < 0 ? b->fault = ENOMEM, -1 : 0;
  if (b->fd < 0 && body_spill(b) < 0) return -1;
  return body_write(b, bytes, size);
}

int body_mask(body *b, const value *secrets) {
  if (!mask_needed(secrets)) return 0;
  if (b->fd < 0) return mask_bytes(b->small.data, b->small.size, secrets), 0;
  size_t size = (size_t)b->size;
  char *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, b->fd, 0);
  if (bytes == MAP_FAILED) return b->fault = errno, -1;
  mask_bytes(bytes, size, secrets);
  munmap(bytes, size);
  return 0;
}

int body_take(body *b, fetch_reply *reply) {
  int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  if (b->fd >= 0 && (fcntl(b->fd, F_ADD_SEALS, seals) < 0 || lseek(b->fd, 0, SEEK_SET) < 0))
    return b->fault = errno, -1;
  reply->body = b->small;
  reply->body_fd = b->fd;
  reply->body_size = b->size;
  body_open(b, b->limit);
  return 0;
}
