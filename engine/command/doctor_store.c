/* doctor_store.c -- the database: its pages, who holds it, and whether its last run is in the past.
 *
 * SPDX-License-Identifier: MIT */
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "command/doctor.h"
#include "store/backup.h"

enum { AHEAD_MS = 60 * 1000 };

static const char *holder(arena *a, int fd) {
  char pid[24] = {0};
  ssize_t size = pread(fd, pid, sizeof pid - 1, 0);
  pid[strcspn(pid, "\n")] = 0;
  return arena_text(a, size > 0 && pid[0] ? pid : "unknown");
}

/* store/lock.c's lock, asked for; it is given back at once. */
static void check_lock(doctor *d, const char *path, bool served) {
  arena *a = &d->memory;
  int fd = open(arena_format(a, "%s.lock", path), O_RDONLY | O_CLOEXEC);
  bool held = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0;
  const char *pid = held ? holder(a, fd) : "";
  if (fd >= 0) close(fd);
  if (!held) return doctor_say(d, PASS, "lock", "nobody holds the store", NULL);
  if (served)
    return doctor_say(d, PASS, "lock", arena_format(a, "held by the engine, pid %s", pid), NULL);
  doctor_say(d, WARN, "lock", arena_format(a, "process %s holds the store and answers nobody", pid),
             "it may be a command under way; `dts serve` is refused until it ends");
}

static int last_start(store_conn *c, void *arg, dts_error *e) {
  arena a = {0};
  value v;
  int rc = store_get(c, "select max(started) from dts_run", NULL, 0, &a, &v, e);
  *(int64_t *)arg = rc == 0 && v.kind == VALUE_INTEGER ? v.integer : 0;
  arena_free(&a);
  return rc;
}

/* A clock that was set back lets schedules wait, and leases and ages come out wrong. */
static void check_past(doctor *d, const char *path) {
  arena *a = &d->memory;
  dts_error e;
  int64_t at = 0;
  store_options o = {.read_only = true, .readers = 1};
  store *s = store_open(arena_format(a, "sqlite:%s", path), &o, &e);
  int rc = s ? store_read(s, last_start, &at, &e) : -1;
  store_close(s);
  if (rc < 0) return doctor_say(d, FAIL, "store", e.message, e.hint[0] ? e.hint : NULL);
  if (at <= clock_now_ms() + AHEAD_MS) return;
  doctor_say(d, FAIL, "clock", "the store's last run began in the future",
             "set the machine's clock; firings in between would be missed or doubled");
}

void doctor_store(doctor *d) {
  dts_error e;
  const char *path = value_get_text(&d->place, "store", NULL);
  if (!path) path = arena_format(&d->memory, "%s/var/dts.db", d->root);
  if (!file_exists(path))
    return doctor_say(d, PASS, "store", "not made yet: the first run does it", NULL);
  if (store_verify(path, false, &e) < 0)
    doctor_say(d, FAIL, "store", e.message, e.hint);
  else
    doctor_say(d, PASS, "store", arena_format(&d->memory, "every page of %s is sound", path), NULL);
  check_lock(d, path, d->served);
  check_past(d, path);
}
