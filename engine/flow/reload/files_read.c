/* files_read.c -- see files_read.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/reload/files_read.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buffer.h"
#include "base/file.h"

enum { FILE_LIMIT = 64 * 1024 * 1024 };

static int stay_inside(const char *root, const char *path, char real[PATH_MAX], dts_error *e) {
  char joined[PATH_MAX], real_root[PATH_MAX];
  snprintf(joined, sizeof joined, "%s/%s", root, path);
  if (!realpath(root, real_root) || !realpath(joined, real))
    return error_fail(e, "FILE", "there is no file '%s' in the project", path);
  size_t size = strlen(real_root);
  bool inside = strncmp(real, real_root, size) == 0 && (real[size] == '/' || size == 1);
  return inside ? 0 : error_fail(e, "FILE", "'%s' leads out of the project", path);
}

int files_read(const char *root, const char *path, arena *a, const char **text, dts_error *e) {
  char real[PATH_MAX];
  buffer b;
  if (path[0] == '/' || strstr(path, ".."))
    return error_fail(e, "FILE", "'%s' is not a path inside the project", path);
  if (stay_inside(root, path, real, e) < 0) return -1;
  buffer_init(&b, FILE_LIMIT);
  int rc = file_read(real, FILE_LIMIT, &b, e);
  if (rc == 0 && b.size && memchr(b.data, 0, b.size))
    rc = error_fail(e, "FILE", "'%s' is no text: it holds a zero byte", path);
  if (rc == 0) *text = arena_copy(a, b.data, b.size);
  buffer_free(&b);
  return rc;
}

int files_read_data(const char *root, const char *path, arena *a, const char **text, dts_error *e) {
  static const char *const folders[] = {"schemas/", "data/", "specs/"};
  for (size_t i = 0; i < sizeof folders / sizeof *folders; i++)
    if (strncmp(path, folders[i], strlen(folders[i])) == 0)
      return files_read(root, path, a, text, e);
  return error_fail(e, "FILE", "'%s' is not below schemas/, data/ or specs/", path);
}

static int check_name(const char *name, dts_error *e) {
  size_t size = strlen(name);
  bool ok =
      size > 0 && size < 200 && name[0] != '.' && name[size - 1] != '.' && !strstr(name, "..");
  for (size_t i = 0; ok && i < size; i++)
    ok = isalnum((unsigned char)name[i]) || name[i] == '_' || name[i] == '.' || name[i] == '-';
  return ok ? 0
            : error_fail(e, "MODULE", "'%s' is not a module's name, such as connectors.bcb", name);
}

static const char *find_shipped(const embed_file *shipped, const char *file, arena *a) {
  for (; shipped && shipped->name; shipped++)
    if (strcmp(shipped->name, file) == 0)
      return arena_copy(a, shipped->bytes, (size_t)(shipped->end - shipped->bytes));
  return NULL;
}

static bool is_there(const char *root, const char *file) {
  char joined[PATH_MAX];
  struct stat s;
  snprintf(joined, sizeof joined, "%s/%s", root, file);
  return stat(joined, &s) == 0;
}

/* A project's own file comes before a shipped one, also when it cannot be read. */
int files_read_module(const char *root, const embed_file *shipped, const char *name, arena *a,
                      module *out, dts_error *e) {
  if (check_name(name, e) < 0) return -1;
  char *file = arena_format(a, "%s.lua", name);
  for (char *dot = file; dot < file + strlen(name); dot++)
    if (*dot == '.') *dot = '/';
  *out = (module){.name = arena_text(a, name), .file = file};
  if (files_read(root, file, a, &out->source, e) == 0) return 0;
  if (is_there(root, file)) return -1;
  out->shipped = true;
  if ((out->source = find_shipped(shipped, file, a))) return 0;
  error_fail(e, "MODULE",
             "module '%s' was not found: there is no %s in the project, and none is shipped", name,
             file);
  return -1;
}
