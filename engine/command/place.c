/* place.c -- see place.h.
 *
 * SPDX-License-Identifier: MIT */
#include "command/place.h"

#include <dirent.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *cut_last(char *path) { /* "/a/b" to "/a"; the name behind */
  char *slash = strrchr(path, '/');
  if (slash == path) slash++; /* keeps the root's own */
  *slash = 0;
  return path;
}

static bool is_folder(const char *path) {
  struct stat s;
  return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

static bool is_project(const char *folder) {
  arena a = {0};
  bool found = access(arena_format(&a, "%s/dts.lua", folder), F_OK) == 0 ||
               is_folder(arena_format(&a, "%s/pipelines", folder));
  arena_free(&a);
  return found;
}

static const char *search(const char *from, arena *a) {
  char *folder = arena_text(a, from);
  while (!is_project(folder)) {
    if (strcmp(folder, "/") == 0) return NULL;
    cut_last(folder);
  }
  return folder;
}

const char *place_project(const char *from, arena *a, dts_error *e) {
  char real[PATH_MAX];
  if (!realpath(from, real) || !is_folder(real)) {
    error_fail(e, "PROJECT", "there is no folder '%s'", from);
    return NULL;
  }
  const char *found = search(real, a);
  if (found) return found;
  error_fail(e, "PROJECT", "no project in %s or above: neither dts.lua nor pipelines/ is there",
             real);
  error_hint(e, "`dts new NAME` makes one; `dts run FILE.lua` needs none");
  return NULL;
}

/* The nearest name of a script in the folder that the path names. */
static int fail_missing(const char *path, dts_error *e) {
  enum { NAMES = 256 };
  arena a = {0};
  const char *names[NAMES + 1] = {0}, *slash = strrchr(path, '/'), *nearest = NULL;
  const char *folder = slash ? arena_copy(&a, path, (size_t)(slash - path) + 1) : "";
  DIR *d = opendir(slash ? folder : ".");
  size_t count = 0;
  for (struct dirent *entry; d && count < NAMES && (entry = readdir(d));)
    if (strstr(entry->d_name, ".lua")) names[count++] = arena_text(&a, entry->d_name);
  if (d) closedir(d);
  if (count) nearest = error_nearest(slash ? slash + 1 : path, names);
  error_fail(e, "FILE_MISSING", "there is no file '%s'", path);
  if (nearest) error_hint(e, "did you mean '%s%s'?", folder, nearest);
  arena_free(&a);
  return -1;
}

const char *place_script(const char *path, arena *a, const char **file, bool *only, dts_error *e) {
  char real[PATH_MAX];
  struct stat s;
  if (!realpath(path, real) || stat(real, &s) < 0 || !S_ISREG(s.st_mode)) {
    fail_missing(path, e);
    return NULL;
  }
  const char *folder = cut_last(arena_text(a, real)), *root = search(folder, a);
  *only = !root;
  if (!root) root = folder;
  size_t size = strlen(root);
  *file = arena_text(a, real + size + (root[size - 1] != '/'));
  return root;
}

const char *place_worker(arena *a) {
  char program[PATH_MAX];
  ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);
  if (size < 0) return "dts-worker";
  program[size] = 0;
  return arena_format(a, "%s/dts-worker", cut_last(program));
}
