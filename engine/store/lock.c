/* lock.c -- one engine for each database: flock on DATABASE.lock, which names the holder.
 *
 * The file stays when the lock goes: were it removed, two processes could lock two files of one
 * name.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "store/conn.h"

static int refuse(int fd, const char *database, dts_error *e) {
  char pid[24] = {0};
  ssize_t size = pread(fd, pid, sizeof pid - 1, 0);
  pid[strcspn(pid, "\n")] = '\0';
  long holder = size > 0 ? atol(pid) : 0;
  bool elsewhere = holder > 0 && kill((pid_t)holder, 0) < 0 && errno == ESRCH;
  error_fail(e, "STORE_LOCKED", "%s is in use by another dts (process %s%s)", database,
             holder > 0 ? pid : "unknown", elsewhere ? " of another container or machine" : "");
  return error_hint(e, "one engine writes a store: ask that one (dts status), or stop it first");
}

static int sign(int fd) {
  char pid[24];
  int size = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
  return ftruncate(fd, 0) < 0 || pwrite(fd, pid, (size_t)size, 0) != size ? -1 : 0;
}

int lock_take(const char *database, dts_error *e) {
  size_t size = strlen(database) + sizeof ".lock";
  char *path = memory_alloc(size);
  snprintf(path, size, "%s.lock", database);
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) error_fail(e, "STORE_OPEN", "cannot open %s: %s", path, strerror(errno));
  free(path);
  if (fd < 0) return -1;
  if (flock(fd, LOCK_EX | LOCK_NB) < 0)
    refuse(fd, database, e);
  else if (sign(fd) < 0)
    error_fail(e, "STORE_OPEN", "cannot write %s.lock: %s", database, strerror(errno));
  else
    return fd;
  close(fd);
  return -1;
}

void lock_release(int fd) {
  if (fd >= 0) close(fd);
}
