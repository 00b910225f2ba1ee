/* lock.c -- one engine for each database: flock on DATABASE.lock, which names the holder, and a lock on
 * the database itself.
 *
 * DATABASE.lock stays when the lock goes: were it removed, two processes could lock two files of one
 * name. The second lock holds whatever the file is called (a link to it, another path) and when somebody
 * removes DATABASE.lock. It is of one byte, far beyond those that SQLite locks (fileformat2, "Locking");
 * closing its descriptor drops SQLite's own locks, so it is closed after all connections.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "store/conn.h"

enum { WORD = 16, SIGNATURE = 48, PAUSE_MS = 20, PATIENCE_MS = 2000 };

/* The word after the program's name, when it is one of small letters: "run" of `dts run quotes`. */
static void read_word(char word[WORD]) {
  char line[512] = {0};
  int fd = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
  ssize_t size = fd < 0 ? 0 : read(fd, line, sizeof line - 1);
  size_t at = strlen(line) + 1;
  if (fd >= 0) close(fd);
  const char *second = size > 0 && at < (size_t)size ? line + at : "";
  size_t length = strspn(second, "abcdefghijklmnopqrstuvwxyz");
  bool fits = length < WORD && !second[length];
  snprintf(word, WORD, "%s", fits ? second : "");
}

/* Whoever waits at a terminal ends by itself; a server is asked. */
static int hint_holder(const char *word, const char *pid, dts_error *e) {
  if (!*word || strcmp(word, "serve") == 0)
    return error_hint(e, "one engine writes a store: ask that one (dts status), or stop it first");
  return error_hint(e, "it is `dts %s`, pid %s: wait for it, or press Ctrl-C there", word, pid);
}

/* What the holder wrote: its process, and its command ("" when it is none). */
static const char *read_signature(int fd, char pid[SIGNATURE]) {
  memset(pid, 0, SIGNATURE);
  if (pread(fd, pid, SIGNATURE - 1, 0) < 0) *pid = '\0';
  char *line = strchr(pid, '\n'), *word = line ? line + 1 : pid + SIGNATURE - 1;
  word[strcspn(word, "\n")] = '\0';
  pid[strcspn(pid, "\n")] = '\0';
  return word;
}

static bool ends_by_itself(int fd) {
  char pid[SIGNATURE];
  const char *word = read_signature(fd, pid);
  return !*pid || (*word && strcmp(word, "serve") != 0);
}

/* Most commands hold the lock for some milliseconds: an engine that starts meanwhile is not turned
 * away by `dts status`. */
static int take_patiently(int fd) {
  const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
  for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited += PAUSE_MS) {
    if (waited >= PATIENCE_MS || !ends_by_itself(fd)) return -1;
    nanosleep(&pause, NULL);
  }
  return 0;
}

static int refuse(int fd, const char *database, dts_error *e) {
  char pid[SIGNATURE];
  const char *word = read_signature(fd, pid);
  long holder = atol(pid);
  bool elsewhere = holder > 0 && kill((pid_t)holder, 0) < 0 && errno == ESRCH;
  error_fail(e, "STORE_LOCKED", "%s is in use by another dts (process %s%s)", database,
             holder > 0 ? pid : "unknown", elsewhere ? " of another container or machine" : "");
  return hint_holder(word, pid, e);
}

static int sign(int fd) {
  char pid[SIGNATURE], word[WORD];
  read_word(word);
  int size = snprintf(pid, sizeof pid, "%ld\n%s%s", (long)getpid(), word, *word ? "\n" : "");
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
  if (take_patiently(fd) < 0)
    refuse(fd, database, e);
  else if (sign(fd) < 0)
    error_fail(e, "STORE_OPEN", "cannot write %s.lock: %s", database, strerror(errno));
  else
    return fd;
  close(fd);
  return -1;
}

int lock_file(const char *database, dts_error *e) {
  struct flock byte = {
      .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = INT64_MAX - 1, .l_len = 1};
  int fd = open(database, O_RDWR | O_CLOEXEC);
  if (fd < 0) return error_fail(e, "STORE_OPEN", "cannot open %s: %s", database, strerror(errno));
  if (fcntl(fd, F_OFD_SETLK, &byte) == 0 || (errno != EAGAIN && errno != EACCES)) return fd;
  close(fd);
  error_fail(e, "STORE_LOCKED", "%s is in use by another dts, under another name or path",
             database);
  return error_hint(e, "one engine writes a store: stop that one first, or copy its backup here");
}

void lock_release(int fd) {
  if (fd >= 0) close(fd);
}
