/* file.c -- reading and replacing whole files.
 *
 * The temporary file stands in the target's own folder, because rename() only replaces atomically
 * within one file system.
 *
 * SPDX-License-Identifier: MIT */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/random.h"

static int fail(dts_error *e, const char *verb, const char *path, int number) {
  const char *code = number == ENOENT ? "FILE_MISSING" : "FILE";
  return error_fail(e, code, "cannot %s '%s': %s", verb, path, strerror(number));
}

static int too_large(dts_error *e, const char *path, size_t limit) {
  return error_fail(e, "FILE", "cannot read '%s': it is larger than %zu bytes", path, limit);
}

/* Reads to the end whatever fstat() said: files of /proc claim a size of 0, others may grow. */
static int read_open(int fd, const char *path, size_t limit, buffer *out, dts_error *e) {
  size_t before = out->size;
  for (;;) {
    char piece[16384];
    ssize_t n = read(fd, piece, sizeof piece);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail(e, "read", path, errno);
    if (n == 0) return 0;
    if ((size_t)n > limit - (out->size - before)) return too_large(e, path, limit);
    if (buffer_add(out, piece, (size_t)n) != 0) return fail(e, "read", path, ENOMEM);
  }
}

int file_read(const char *path, size_t limit, buffer *out, dts_error *e) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
  if (fd < 0) return fail(e, "read", path, errno);
  struct stat s;
  size_t before = out->size;
  bool failed = out->failed;
  int result;
  if (fstat(fd, &s) != 0)
    result = fail(e, "read", path, errno);
  else if (!S_ISREG(s.st_mode))
    result = error_fail(e, "FILE", "cannot read '%s': it is not a regular file", path);
  else
    result = read_open(fd, path, limit, out, e);
  if (result != 0) out->size = before, out->failed = failed;
  close(fd);
  return result;
}

bool file_exists(const char *path) {
  struct stat s;
  return stat(path, &s) == 0;
}

int file_write_all(int fd, const char *bytes, size_t size) {
  while (size > 0) {
    ssize_t n = write(fd, bytes, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    bytes += n;
    size -= (size_t)n;
  }
  return 0;
}

static int folder_sync(const char *path) {
  char folder[PATH_MAX];
  snprintf(folder, sizeof folder, "%s", path);
  char *slash = strrchr(folder, '/');
  if (!slash)
    snprintf(folder, sizeof folder, ".");
  else
    slash[slash == folder ? 1 : 0] = 0;
  int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return -1;
  int result = fsync(fd), number = errno;
  close(fd);
  errno = number;
  return result;
}

/* Fills a new file; 0, or -1 with errno and nothing left behind. */
static int write_new(const char *path, const void *bytes, size_t size, mode_t mode) {
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return -1;
  int result = file_write_all(fd, bytes, size);
  if (result == 0) result = fchmod(fd, mode);
  if (result == 0) result = fsync(fd);
  int number = errno;
  if (close(fd) != 0 && result == 0) result = -1, number = errno;
  if (result != 0) unlink(path);
  errno = number;
  return result;
}

int file_write_atomic(const char *path, const void *bytes, size_t size, mode_t mode, dts_error *e) {
  char temporary[PATH_MAX];
  int n = snprintf(temporary, sizeof temporary, "%s.%016llx.tmp", path,
                   (unsigned long long)random_u64());
  if (n < 0 || n >= PATH_MAX) return fail(e, "write", path, ENAMETOOLONG);
  if (write_new(temporary, bytes, size, mode) != 0) return fail(e, "write", path, errno);
  if (rename(temporary, path) != 0) {
    int number = errno;
    unlink(temporary);
    return fail(e, "write", path, number);
  }
  return folder_sync(path) == 0 ? 0 : fail(e, "write", path, errno);
}

static int make_one(const char *path, mode_t mode) {
  struct stat s;
  if (mkdir(path, mode) == 0) return 0;
  if (errno != EEXIST) return -1;
  if (stat(path, &s) != 0) return -1;
  return S_ISDIR(s.st_mode) ? 0 : (errno = ENOTDIR, -1);
}

int file_make_folder(const char *path, mode_t mode, dts_error *e) {
  char part[PATH_MAX];
  int n = snprintf(part, sizeof part, "%s", path);
  if (n <= 0 || n >= PATH_MAX) return fail(e, "make folder", path, n ? ENAMETOOLONG : EINVAL);
  for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
    *slash = 0;
    if (make_one(part, mode) != 0) return fail(e, "make folder", path, errno);
    *slash = '/';
  }
  return make_one(part, mode) == 0 ? 0 : fail(e, "make folder", path, errno);
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *at) {
  (void)s, (void)kind, (void)at;
  return remove(path);
}

void file_remove_folder(const char *path) { nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS); }
