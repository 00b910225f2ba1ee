/* dry.c -- see dry.h: the copy, and the engine on it. dry_changes.c compares.
 *
 * SPDX-License-Identifier: MIT */
#include "command/dry.h"

#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/file.h"
#include "command/dry_parts.h"
#include "store/backup.h"

#define PREFIX "dry-"

/* ---- folders ---- */

/* Copies that a killed dry run left. */
static void remove_stale(const char *var) {
  arena a = {0};
  DIR *d = opendir(var);
  for (struct dirent *entry; d && (entry = readdir(d));) {
    if (strncmp(entry->d_name, PREFIX, strlen(PREFIX)) != 0) continue;
    long pid = strtol(entry->d_name + strlen(PREFIX), NULL, 10);
    if (pid > 0 && kill((pid_t)pid, 0) < 0 && errno == ESRCH)
      file_remove_folder(arena_format(&a, "%s/%s", var, entry->d_name));
  }
  if (d) closedir(d);
  arena_free(&a);
}

/* The objects are there by links: they are read, and what is new is written beside them. */
static int link_objects(dry *d, const char *from, dts_error *e) {
  arena a = {0};
  DIR *outer = opendir(from);
  int rc = 0;
  for (struct dirent *entry; outer && rc == 0 && (entry = readdir(outer));) {
    if (strlen(entry->d_name) != 2 || entry->d_name[0] == '.') continue;
    const char *folder = arena_format(&a, "%s/objects/%s", d->folder, entry->d_name);
    DIR *inner = opendir(arena_format(&a, "%s/%s", from, entry->d_name));
    if (inner) rc = file_make_folder(folder, 0700, e);
    for (struct dirent *one; inner && rc == 0 && (one = readdir(inner));) {
      arena path = {0};
      if (one->d_name[0] != '.' &&
          symlink(arena_format(&path, "%s/%s/%s", from, entry->d_name, one->d_name),
                  arena_format(&path, "%s/%s", folder, one->d_name)) < 0)
        rc = error_fail(e, "FILE", "cannot link an object into %s: %s", folder, strerror(errno));
      arena_free(&path);
    }
    if (inner) closedir(inner);
  }
  if (outer) closedir(outer);
  arena_free(&a);
  return rc;
}

/* ---- the copy ---- */

static int check_room(const char *store_path, const char *var, dts_error *e) {
  struct stat s;
  struct statvfs fs;
  if (stat(store_path, &s) < 0 || statvfs(var, &fs) < 0) return 0;
  if ((uint64_t)s.st_size < (uint64_t)fs.f_bavail * fs.f_frsize) return 0;
  error_fail(e, "DISK_FULL", "a dry run works on a copy of the store, and %.1f GB are not free",
             (double)s.st_size / 1e9);
  return error_hint(e, "make room on the disk of %s", var);
}

static int find_place(dry *d, const char *root, const char **store_path, const char **objects_path,
                      dts_error *e) {
  value place = engine_command(&d->memory, "place"), where;
  engine *n = engine_peek(root, e);
  int rc = n ? engine_ask(n, &place, NULL, NULL, &d->memory, &where, e) : -1;
  engine_close(n);
  if (rc < 0) return -1;
  *store_path = value_get_text(&where, "store", "");
  *objects_path = value_get_text(&where, "objects", "");
  return 0;
}

static int make_copy(dry *d, const char *root, dts_error *e) {
  const char *store_path, *objects_path;
  const char *var = arena_format(&d->memory, "%s/var", root);
  if (find_place(d, root, &store_path, &objects_path, e) < 0) return -1;
  remove_stale(var);
  d->folder = arena_format(&d->memory, "%s/" PREFIX "%d", var, (int)getpid());
  d->store = arena_format(&d->memory, "%s/dts.db", d->folder);
  if (check_room(store_path, var, e) < 0 || file_make_folder(d->folder, 0700, e) < 0) return -1;
  if (link_objects(d, objects_path, e) < 0) return -1;
  return file_exists(store_path) ? store_backup(store_path, d->store, engine_stop_asked, e) : 0;
}

dry *dry_open(const char *root, dts_error *e) {
  dry *d = memory_alloc(sizeof *d);
  d->root = arena_text(&d->memory, root);
  if (make_copy(d, d->root, e) == 0) return d;
  dry_close(d);
  return NULL;
}

void dry_close(dry *d) {
  if (!d) return;
  if (d->folder) file_remove_folder(d->folder);
  arena_free(&d->memory);
  free(d);
}

engine *dry_engine(dry *d, const char *file, dts_error *e) {
  arena *a = &d->memory;
  value config = value_map();
  value_set(a, &config, "store", value_text(arena_format(a, "sqlite:%s", d->store)));
  value_set(a, &config, "objects", value_text(arena_format(a, "file:%s/objects", d->folder)));
  d->laid_over = value_map();
  value_set(a, &d->laid_over, "config", config);
  kernel_options o = {.root = d->root, .file = file, .laid_over = &d->laid_over};
  engine *n = engine_open_with(&o, e);
  if (!n || dry_watch(d, n, e) == 0) return n;
  engine_close(n);
  return NULL;
}
