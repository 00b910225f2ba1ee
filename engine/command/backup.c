/* backup.c -- dts backup [FILE]: store and objects in one tar file, while an engine serves.
 *
 * One idea: objects are never changed and the store names them, so they are copied first, then
 * the store as one snapshot, then the objects that came meanwhile: whatever the snapshot names is
 * there. The copy is checked before the file gets its name.
 *
 * SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "command/command.h"
#include "command/engine.h"
#include "command/screen.h"
#include "command/tar.h"
#include "store/backup.h"

enum { PATH_SIZE = 4300 };

typedef struct backing {
  const char *store, *objects, *target;
  char passing[PATH_SIZE], copy[PATH_SIZE]; /* of the tar file; of the store */
  FILE *out;
  char **names; /* of objects that are in, sorted once the first pass is over */
  size_t count, capacity, sorted;
  int64_t store_bytes, object_bytes;
} backing;

/* ---- objects ---- */

static int by_name(const void *a, const void *b) {
  char *const *first = a, *const *second = b;
  return strcmp(*first, *second);
}

static bool is_in(const backing *b, const char *name) {
  char *key = (char *)name;
  return b->sorted && bsearch(&key, b->names, b->sorted, sizeof *b->names, by_name);
}

static void note(backing *b, const char *name) {
  if (b->count == b->capacity) {
    b->capacity = b->capacity ? 2 * b->capacity : 1024;
    b->names = memory_grow(b->names, b->capacity * sizeof *b->names);
  }
  b->names[b->count++] = memory_text(name);
}

static int add_object(backing *b, const char *folder, const char *file, dts_error *e) {
  char name[640], path[PATH_SIZE];
  dts_error gone = {0};
  int64_t size = 0;
  if (strlen(folder) + strlen(file) > 80) return 0; /* no object's name */
  snprintf(name, sizeof name, "var/objects/%s/%s", folder, file);
  snprintf(path, sizeof path, "%s/%s/%s", b->objects, folder, file);
  if (is_in(b, name)) return 0;
  if (engine_stop_asked()) return engine_fail_stopped(e);
  if (tar_add(b->out, name, path, &size, &gone) == 0) {
    b->object_bytes += size;
    note(b, name);
    return 0;
  }
  if (strcmp(gone.code, "FILE_MISSING") == 0) return 0; /* retention took it meanwhile */
  *e = gone;
  return -1;
}

static int add_folder(backing *b, const char *folder, dts_error *e) {
  char path[PATH_SIZE];
  int rc = 0;
  snprintf(path, sizeof path, "%s/%s", b->objects, folder);
  DIR *d = opendir(path);
  for (struct dirent *entry; rc == 0 && d && (entry = readdir(d));)
    if (entry->d_name[0] != '.') rc = add_object(b, folder, entry->d_name, e);
  if (d) closedir(d);
  return rc;
}

/* Each ab/ of FOLDER/ab/REST; new/ holds what is not whole. */
static int add_objects(backing *b, dts_error *e) {
  DIR *d = opendir(b->objects);
  int rc = 0;
  for (struct dirent *entry; rc == 0 && d && (entry = readdir(d));)
    if (strlen(entry->d_name) == 2 && entry->d_name[0] != '.') rc = add_folder(b, entry->d_name, e);
  if (d) closedir(d);
  if (b->count) qsort(b->names, b->count, sizeof *b->names, by_name);
  b->sorted = b->count;
  return rc;
}

/* ---- the file ---- */

/* TARGET.part-PID and TARGET.store-PID of a backup that was killed: its process is no more. */
static bool is_left_over(const char *name, const char *base) {
  size_t size = strlen(base);
  if (strncmp(name, base, size) != 0) return false;
  long pid = 0;
  int end = 0;
  name += size;
  if (sscanf(name, ".part-%ld%n", &pid, &end) < 1 && sscanf(name, ".store-%ld%n", &pid, &end) < 1)
    return false;
  bool whole = !name[end] || strcmp(name + end, "-journal") == 0 ||
               strcmp(name + end, "-wal") == 0 || strcmp(name + end, "-shm") == 0;
  return whole && pid > 0 && kill((pid_t)pid, 0) < 0 && errno == ESRCH;
}

static void remove_left_over(const char *target) {
  const char *slash = strrchr(target, '/');
  char folder[PATH_SIZE];
  snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - target) + 1 : 1,
           slash ? target : ".");
  DIR *d = opendir(folder);
  for (struct dirent *entry; d && (entry = readdir(d));)
    if (is_left_over(entry->d_name, slash ? slash + 1 : target))
      unlinkat(dirfd(d), entry->d_name, 0);
  if (d) closedir(d);
}

static int open_target(backing *b, dts_error *e) {
  if (access(b->target, F_OK) == 0) {
    error_fail(e, "BACKUP", "'%s' is there already", b->target);
    return error_hint(e, "give another name: a backup is never overwritten");
  }
  remove_left_over(b->target);
  snprintf(b->passing, sizeof b->passing, "%s.part-%d", b->target, (int)getpid());
  snprintf(b->copy, sizeof b->copy, "%s.store-%d", b->target, (int)getpid());
  int fd = open(b->passing, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  b->out = fd < 0 ? NULL : fdopen(fd, "wb");
  if (b->out) return 0;
  return error_fail(e, "FILE", "cannot make %.300s: %s", b->passing, strerror(errno));
}

static int fill(backing *b, dts_error *e) {
  if (add_objects(b, e) < 0 || store_backup(b->store, b->copy, engine_stop_asked, e) < 0) return -1;
  if (store_verify(b->copy, true, e) < 0) return -1;
  if (tar_add(b->out, "var/dts.db", b->copy, &b->store_bytes, e) < 0) return -1;
  if (add_objects(b, e) < 0 || tar_end(b->out, e) < 0) return -1;
  if (fsync(fileno(b->out)) == 0) return 0;
  return error_fail(e, "BACKUP", "the backup cannot be written: %s", strerror(errno));
}

static void remove_copy(const backing *b) {
  static const char *const parts[] = {"", "-wal", "-shm", "-journal"};
  char path[PATH_SIZE + 16];
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    snprintf(path, sizeof path, "%s%s", b->copy, parts[i]);
    unlink(path);
  }
}

static int make(backing *b, dts_error *e) {
  if (open_target(b, e) < 0) return -1;
  int rc = fill(b, e);
  fclose(b->out);
  if (rc == 0 && rename(b->passing, b->target) < 0)
    rc = error_fail(e, "FILE", "cannot make %.300s: %s", b->target, strerror(errno));
  if (rc < 0) unlink(b->passing);
  remove_copy(b);
  return rc;
}

/* ---- the command ---- */

static int find(backing *b, arena *a, dts_error *e) {
  value place = engine_command(a, "place"), where;
  engine *n = engine_here(a, e);
  int rc = n ? engine_ask(n, &place, NULL, NULL, a, &where, e) : -1;
  engine_close(n);
  if (rc < 0) return -1;
  b->store = value_get_text(&where, "store", "");
  b->objects = value_get_text(&where, "objects", "");
  return 0;
}

static const char *default_name(arena *a) {
  time_t now = time(NULL);
  struct tm at;
  char text[64];
  gmtime_r(&now, &at);
  strftime(text, sizeof text, "dts-backup-%Y%m%dT%H%M%SZ.tar", &at);
  return arena_text(a, text);
}

static void print(const given *g, const backing *b, arena *a) {
  value v = value_map();
  value_set(a, &v, "file", value_text(b->target));
  value_set(a, &v, "store_bytes", value_integer(b->store_bytes));
  value_set(a, &v, "objects", value_integer((int64_t)b->count));
  value_set(a, &v, "object_bytes", value_integer(b->object_bytes));
  if (g->json) {
    screen_json(stdout, &v);
    return;
  }
  buffer text;
  buffer_init(&text, 4096);
  screen_count(&text, (int64_t)b->count, "object");
  printf("%s: the store, %.1f MB, checked; %s, %.1f MB\n", b->target, (double)b->store_bytes / 1e6,
         buffer_text(&text), (double)b->object_bytes / 1e6);
  printf("to restore, with no engine running and var/ moved away:  tar -xf %s\n", b->target);
  buffer_free(&text);
}

static int run(const given *g, dts_error *e) {
  arena a = {0};
  backing b = {.target = given_word(g, 0) ? given_word(g, 0) : default_name(&a)};
  int rc = strlen(b.target) > 4000 ? error_fail(e, "USAGE", "the file's name is too long") : 0;
  if (rc == 0) rc = find(&b, &a, e);
  if (rc == 0) rc = make(&b, e);
  if (rc == 0) print(g, &b, &a);
  for (size_t i = 0; i < b.count; i++) free(b.names[i]);
  free(b.names);
  arena_free(&a);
  return rc;
}

COMMAND(backup) = {
    .name = "backup",
    .words = "[FILE]",
    .summary = "Copy store and objects into one tar file, also while an engine serves.",
    .details = "The store's copy is one snapshot and is checked before the file gets its name. "
               "Scripts and secrets\nare not in it. To restore: stop the engine, move var/ away, "
               "`tar -xf FILE` in the project's folder.",
    .most = 1,
    .run = run};
