/* doctor_files.c -- modes of what nobody else may read, room on the disk, what a crash left behind.
 *
 * SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/file.h"
#include "command/doctor.h"
#include "flow/control/socket.h"

#define FEW  ((uint64_t)100 << 20)
#define SOME ((uint64_t)1 << 30)

/* ---- modes ---- */

static void check_mode(doctor *d, const char *name, bool fatal, size_t *open) {
  arena *a = &d->memory;
  struct stat s;
  const char *path = arena_format(a, "%s/%s", d->root, name);
  if (stat(path, &s) < 0 || !(s.st_mode & 077)) return;
  ++*open;
  doctor_say(d, fatal ? FAIL : WARN, "modes",
             arena_format(a, "others may read %s (mode %o)%s", name, s.st_mode & 0777,
                          fatal ? ", so it is not used" : ""),
             arena_format(a, "chmod %s %s", S_ISDIR(s.st_mode) ? "700" : "600", name));
}

static void check_modes(doctor *d) {
  size_t open = 0;
  arena *a = &d->memory;
  DIR *secrets = opendir(arena_format(a, "%s/secrets", d->root));
  check_mode(d, "var/dts.db", false, &open);
  for (struct dirent *entry; secrets && (entry = readdir(secrets));)
    if (entry->d_name[0] != '.')
      check_mode(d, arena_format(a, "secrets/%s", entry->d_name), true, &open);
  if (secrets) closedir(secrets);
  if (!open) doctor_say(d, PASS, "modes", "store and secrets are their owner's alone", NULL);
}

/* ---- the disk ---- */

static void check_disk(doctor *d) {
  struct statvfs fs;
  arena *a = &d->memory;
  const char *var = arena_format(a, "%s/var", d->root);
  if (statvfs(file_exists(var) ? var : d->root, &fs) < 0)
    return doctor_say(d, FAIL, "disk", arena_format(a, "cannot be looked at: %s", strerror(errno)),
                      "check that the project's folder is mounted");
  uint64_t room = (uint64_t)fs.f_bavail * fs.f_frsize;
  const char *text = arena_format(a, "%.1f GB are free", (double)room / 1e9);
  if (room >= SOME) return doctor_say(d, PASS, "disk", text, NULL);
  doctor_say(d, room < FEW ? FAIL : WARN, "disk", text,
             "make room: a full disk refuses rows, and nothing that was acknowledged is lost");
}

/* ---- left behind ---- */

static void check_socket(doctor *d, size_t *found) {
  dts_error e = {0};
  arena *a = &d->memory;
  if (!file_exists(arena_format(a, "%s/var/dts.sock", d->root))) return;
  socket_client *c = socket_connect(d->root, &e);
  socket_leave(c);
  if (c) return;
  ++*found;
  doctor_say(d, WARN, "leftover", "var/dts.sock is there and no engine answers",
             "the next `dts serve` replaces it; if one should be running, see its log");
}

static void check_copies(doctor *d, size_t *found) {
  arena *a = &d->memory;
  DIR *var = opendir(arena_format(a, "%s/var", d->root));
  for (struct dirent *entry; var && (entry = readdir(var));) {
    if (strncmp(entry->d_name, "dry-", 4) != 0) continue;
    long pid = strtol(entry->d_name + 4, NULL, 10);
    if (pid <= 0 || kill((pid_t)pid, 0) == 0 || errno != ESRCH) continue;
    ++*found;
    doctor_say(d, WARN, "leftover", arena_format(a, "var/%s was left by a dry run", entry->d_name),
               "the next `dts run --dry-run` removes it");
  }
  if (var) closedir(var);
}

void doctor_files(doctor *d) {
  size_t found = 0;
  check_modes(d);
  check_disk(d);
  check_socket(d, &found);
  check_copies(d, &found);
  if (!found) doctor_say(d, PASS, "leftover", "nothing was left behind by a crash", NULL);
}
