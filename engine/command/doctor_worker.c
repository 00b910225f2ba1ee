/* doctor_worker.c -- a worker is started in a project of its own, and looked at from outside while
 * it runs: the kernel says whether the cage holds.
 *
 * SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "command/doctor.h"
#include "wire/op.h"

enum { STATUS = 8192, DEEP = 4 };

static const char script_text[] =
    "local dts = require 'dts'\n"
    "dts.pipeline { name = 'doctor', run = function(ctx) dts.log('here') ctx:sleep('0s') end }\n";

typedef struct looking {
  int caged, loose; /* workers with and without both marks */
  bool here;
} looking;

/* One field of /proc/PID/status as a number; -1 when it is not there. */
static long field(const char *status, const char *name) {
  const char *at = strstr(status, name);
  return at ? strtol(at + strlen(name), NULL, 10) : -1;
}

static bool read_status(long pid, char *out) {
  char path[64];
  snprintf(path, sizeof path, "/proc/%ld/status", pid);
  FILE *in = fopen(path, "r");
  size_t size = in ? fread(out, 1, STATUS - 1, in) : 0;
  out[size] = 0;
  if (in) fclose(in);
  return size > 0;
}

static bool is_below(long pid, long root) {
  char status[STATUS];
  for (int i = 0; i < DEEP && pid > 1; i++) {
    if (!read_status(pid, status)) return false;
    pid = field(status, "PPid:");
    if (pid == root) return true;
  }
  return false;
}

/* The nursery is our child, its workers are grandchildren: those are to be closed in. */
static void look_around(looking *l) {
  char status[STATUS];
  DIR *proc = opendir("/proc");
  for (struct dirent *entry; proc && (entry = readdir(proc));) {
    long pid = strtol(entry->d_name, NULL, 10);
    if (pid <= 0 || !is_below(pid, (long)getpid()) || !read_status(pid, status)) continue;
    if (field(status, "PPid:") == (long)getpid()) continue;
    bool closed = field(status, "Seccomp:") == 2 && field(status, "NoNewPrivs:") == 1;
    l->caged += closed;
    l->loose += !closed;
  }
  if (proc) closedir(proc);
}

static void on_event(void *arg, int op, const value *event) {
  looking *l = arg;
  (void)event;
  if (op != OP_LOG || l->here) return;
  l->here = true;
  look_around(l);
}

static int try_run(const char *folder, looking *l, int64_t *ms, dts_error *e) {
  arena a = {0};
  value order = engine_command(&a, "run"), answer;
  kernel_options o = {.root = folder, .file = "doctor.lua"};
  int64_t began = clock_monotonic_ms();
  engine *n = engine_open_with(&o, e);
  value_set(&a, &order, "target", value_text("doctor"));
  int rc = n ? engine_ask(n, &order, on_event, l, &a, &answer, e) : -1;
  *ms = clock_monotonic_ms() - began;
  engine_close(n);
  arena_free(&a);
  return rc;
}

static void remove_all(const char *folder) {
  static const char *const names[] = {
      "doctor.lua",      "var/dts.db",      "var/dts.db-wal", "var/dts.db-shm",
      "var/dts.db.lock", "var/objects/new", "var/objects",    "var"};
  char path[512];
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, names[i]);
    remove(path);
  }
  rmdir(folder);
}

void doctor_worker(doctor *d) {
  char folder[256], path[300];
  const char *base = getenv("TMPDIR");
  looking l = {0};
  dts_error e = {0};
  int64_t ms = 0;
  snprintf(folder, sizeof folder, "%.200s/dts-doctor-XXXXXX", base ? base : "/tmp");
  if (!mkdtemp(folder))
    return doctor_say(d, FAIL, "worker", "no folder can be made for a trial", "check TMPDIR");
  snprintf(path, sizeof path, "%s/doctor.lua", folder);
  int rc = file_write_atomic(path, script_text, strlen(script_text), 0600, &e);
  if (rc == 0) rc = try_run(folder, &l, &ms, &e);
  remove_all(folder);
  if (rc < 0 || !l.here)
    return doctor_say(d, FAIL, "worker", e.message[0] ? e.message : "a trial run did not begin",
                      "dts-worker must lie beside dts; the system must allow seccomp");
  doctor_say(d, PASS, "worker", arena_format(&d->memory, "a trial run took %lld ms", (long long)ms),
             NULL);
  if (l.loose || !l.caged)
    return doctor_say(d, FAIL, "cage",
                      "a worker ran without seccomp or with the right to gain some",
                      "the system must allow seccomp filters and no_new_privs");
  doctor_say(d, PASS, "cage", "the trial's worker was closed in: seccomp, no new privileges", NULL);
}
