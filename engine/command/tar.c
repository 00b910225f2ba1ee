/* tar.c -- see tar.h. IEEE Std 1003.1, pax, "ustar Interchange Format".
 *
 * SPDX-License-Identifier: MIT */
#include "command/tar.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 512, COPY = 256 * 1024, NAME = 100 };

static int fail_write(dts_error *e) {
  const char *code = errno == ENOSPC ? "DISK_FULL" : "BACKUP";
  return error_fail(e, code, "the backup cannot be written: %s", strerror(errno));
}

static void put_size(char *at, int64_t size) {
  if (size < (int64_t)1 << 33) {
    snprintf(at, 12, "%011llo", (unsigned long long)size);
    return;
  }
  for (int i = 11; i > 0; i--, size >>= 8) at[i] = (char)(size & 0xFF);
  at[0] = (char)0x80;
}

static void make_head(char head[BLOCK], const char *name, const struct stat *s) {
  unsigned sum = 0;
  memset(head, 0, BLOCK);
  memcpy(head, name, strnlen(name, NAME));
  memcpy(head + 100, "0000600", 8);
  memcpy(head + 108, "0000000", 8);
  memcpy(head + 116, "0000000", 8);
  put_size(head + 124, s->st_size);
  snprintf(head + 136, 12, "%011llo", (unsigned long long)s->st_mtime);
  memset(head + 148, ' ', 8);
  head[156] = '0';
  memcpy(head + 257,
         "ustar\0"
         "00",
         8);
  for (int i = 0; i < BLOCK; i++) sum += (unsigned char)head[i];
  snprintf(head + 148, 8, "%06o", sum);
}

static int copy_bytes(FILE *out, int fd, int64_t size, const char *path, dts_error *e) {
  char room[COPY];
  for (int64_t left = size; left > 0;) {
    ssize_t got = read(fd, room, left < COPY ? (size_t)left : COPY);
    if (got <= 0) return error_fail(e, "BACKUP", "%.300s changed while it was copied", path);
    if (fwrite(room, 1, (size_t)got, out) != (size_t)got) return fail_write(e);
    left -= got;
  }
  size_t rest = (size_t)(size % BLOCK);
  memset(room, 0, BLOCK);
  if (rest && fwrite(room, 1, BLOCK - rest, out) != BLOCK - rest) return fail_write(e);
  return 0;
}

int tar_add(FILE *out, const char *name, const char *path, int64_t *size, dts_error *e) {
  char head[BLOCK];
  struct stat s;
  if (strlen(name) > NAME) return error_fail(e, "BACKUP", "the name '%.120s' is too long", name);
  int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
  if (fd < 0 || fstat(fd, &s) < 0) {
    error_fail(e, errno == ENOENT ? "FILE_MISSING" : "BACKUP", "cannot read %.300s: %s", path,
               strerror(errno));
    if (fd >= 0) close(fd);
    return -1;
  }
  make_head(head, name, &s);
  if (fwrite(head, 1, BLOCK, out) != BLOCK) rc = fail_write(e);
  if (rc == 0) rc = copy_bytes(out, fd, s.st_size, path, e);
  close(fd);
  if (size) *size = s.st_size;
  return rc;
}

int tar_end(FILE *out, dts_error *e) {
  static const char empty[2 * BLOCK];
  if (fwrite(empty, 1, sizeof empty, out) != sizeof empty || fflush(out) != 0) return fail_write(e);
  return 0;
}
