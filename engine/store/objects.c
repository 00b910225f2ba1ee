/* objects.c -- see objects.h: FOLDER/ab/REST for uploads, FOLDER/ab/REST.zst for snapshots.
 *
 * New files are written in FOLDER/new under a random name. What a crash left there is removed when
 * the folder is opened, once it is an hour old. A name that exists already is synced again before
 * it is given out: another thread may have made it a moment ago.
 *
 * The time of a file's last change is when its bytes were last put: a put of what is there renews
 * it. A name is given out, and an old one removed, under one lock, and age is looked at once more
 * inside it; so what a put has just named is young, and stays until its row is written.
 *
 * SPDX-License-Identifier: MIT */
#include "store/objects.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/random.h"
#include "crypto/crypto.h"
#include "pack/pack.h"

enum { NAME = 64, PATH_SIZE = 4200, BLOCK = 64 * 1024, STALE_S = 3600 };
#define LARGEST ((size_t)4 << 30)

struct objects {
  char *folder;
  pthread_mutex_t naming; /* giving a name out, or taking it away */
};

static const char *const suffixes[] = {"", ".zst"};

static int fail(const char *verb, const char *path, dts_error *e) {
  int number = errno;
  error_fail(e, number == ENOSPC ? "DISK_FULL" : "OBJECT", "cannot %s %.300s: %s", verb, path,
             strerror(number));
  if (e) e->retryable = number == ENOSPC;
  return -1;
}

/* ---- opening ---- */

static void remove_stale(const char *folder) {
  DIR *d = opendir(folder);
  struct dirent *entry;
  struct stat s;
  time_t before = (time_t)(clock_now_ms() / 1000) - STALE_S;
  while (d && (entry = readdir(d)))
    if (fstatat(dirfd(d), entry->d_name, &s, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(s.st_mode) &&
        s.st_mtime < before)
      unlinkat(dirfd(d), entry->d_name, 0);
  if (d) closedir(d);
}

objects *objects_open(const char *url, dts_error *e) {
  char fresh[PATH_SIZE];
  if (strncmp(url, "file:", 5) != 0 || !url[5] || strlen(url) > 4000) {
    error_fail(e, "OBJECT_URL", "objects \"%.200s\": file:FOLDER expected", url);
    return error_hint(e, "objects = \"file:var/objects\" in dts.lua"), NULL;
  }
  snprintf(fresh, sizeof fresh, "%s/new", url + 5);
  if (file_make_folder(fresh, 0700, e) < 0) return NULL;
  remove_stale(fresh);
  objects *o = memory_alloc(sizeof *o);
  o->folder = memory_text(url + 5);
  pthread_mutex_init(&o->naming, NULL);
  return o;
}

void objects_close(objects *o) {
  if (!o) return;
  pthread_mutex_destroy(&o->naming);
  free(o->folder);
  free(o);
}

/* ---- names ---- */

static bool is_name(const char *name) {
  return name && strlen(name) == NAME && strspn(name, "0123456789abcdef") == NAME;
}

static int check_name(const char *name, dts_error *e) {
  if (is_name(name)) return 0;
  return error_fail(e, "OBJECT", "object \"%.80s\": 64 hexadecimal digits expected",
                    name ? name : "");
}

static void path_of(const objects *o, const char *name, const char *suffix, char path[PATH_SIZE]) {
  snprintf(path, PATH_SIZE, "%s/%.2s/%s%s", o->folder, name, name + 2, suffix);
}

static bool exists(const objects *o, const char *name, const char *suffix) {
  char path[PATH_SIZE];
  path_of(o, name, suffix, path);
  return file_exists(path);
}

bool objects_has(objects *o, const char *name) {
  return is_name(name) && (exists(o, name, suffixes[0]) || exists(o, name, suffixes[1]));
}

/* ---- writing ---- */

static int sync_folder(const char *path, dts_error *e) {
  int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  int result = fd < 0 || fsync(fd) < 0 ? fail("sync", path, e) : 0;
  if (fd >= 0) close(fd);
  return result;
}

static int open_fresh(const objects *o, char path[PATH_SIZE], dts_error *e) {
  char id[37];
  random_uuid(id);
  snprintf(path, PATH_SIZE, "%s/new/%s", o->folder, id);
  int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  return fd < 0 ? fail("make", path, e) : fd;
}

static int make_folder(const objects *o, const char *name, char folder[PATH_SIZE], dts_error *e) {
  snprintf(folder, PATH_SIZE, "%s/%.2s", o->folder, name);
  if (mkdir(folder, 0700) == 0) return sync_folder(o->folder, e);
  return errno == EEXIST ? 0 : fail("make", folder, e);
}

/* From a fresh, synced file to a name that stays. */
static int settle(objects *o, const char *fresh, const char *name, const char *suffix,
                  dts_error *e) {
  char folder[PATH_SIZE], path[PATH_SIZE];
  if (make_folder(o, name, folder, e) < 0) return -1;
  path_of(o, name, suffix, path);
  pthread_mutex_lock(&o->naming);
  int result = rename(fresh, path) < 0 ? fail("rename", path, e) : 0;
  pthread_mutex_unlock(&o->naming);
  return result < 0 ? -1 : sync_folder(folder, e);
}

/* Ends what open_fresh began: closes the file, and removes it when it did not get its name. */
static int finish(objects *o, int fd, const char *fresh, const char *name, const char *suffix,
                  int result, dts_error *e) {
  if (result == 0 && fsync(fd) < 0) result = fail("sync", fresh, e);
  close(fd);
  if (result == 0) result = settle(o, fresh, name, suffix, e);
  if (result < 0) unlink(fresh);
  return result;
}

/* Is it there? Then it is young from now on. */
static bool renew(objects *o, const char *name) {
  char path[PATH_SIZE];
  bool found = false;
  pthread_mutex_lock(&o->naming);
  for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
    path_of(o, name, suffixes[i], path);
    if (utimensat(AT_FDCWD, path, NULL, 0) == 0) found = true;
  }
  pthread_mutex_unlock(&o->naming);
  return found;
}

static int keep_again(const objects *o, const char *name, dts_error *e) {
  char folder[PATH_SIZE];
  snprintf(folder, sizeof folder, "%s/%.2s", o->folder, name);
  return sync_folder(folder, e);
}

static int put_packed(objects *o, const buffer *packed, const char *name, dts_error *e) {
  char fresh[PATH_SIZE];
  int fd = open_fresh(o, fresh, e);
  if (fd < 0) return -1;
  int result = file_write_all(fd, packed->data, packed->size) < 0 ? fail("write", fresh, e) : 0;
  return finish(o, fd, fresh, name, suffixes[1], result, e);
}

int objects_put(objects *o, const void *bytes, size_t size, char name[65], dts_error *e) {
  buffer packed;
  crypto_sha256_hex(bytes, size, name);
  if (renew(o, name)) return keep_again(o, name, e);
  buffer_init(&packed, LARGEST);
  int result = pack_zstd(&packed, bytes, size, 0, e);
  if (result == 0) result = put_packed(o, &packed, name, e);
  buffer_free(&packed);
  return result;
}

/* Copies and hashes at once; the descriptor's own offset is left alone. */
static int copy(int from, int to, crypto_hash *hash, int64_t *size, dts_error *e) {
  char *block = memory_alloc(BLOCK);
  ssize_t n;
  *size = 0;
  while ((n = pread(from, block, BLOCK, *size)) != 0) {
    if (n < 0 && errno == EINTR) continue;
    if (n < 0 || file_write_all(to, block, (size_t)n) < 0) break;
    crypto_sha256_add(hash, block, (size_t)n);
    *size += n;
  }
  free(block);
  return n == 0 ? 0 : fail("copy", "an uploaded file", e);
}

int objects_put_file(objects *o, int from, char name[65], int64_t *size, dts_error *e) {
  char fresh[PATH_SIZE];
  unsigned char digest[CRYPTO_SHA256];
  int fd = open_fresh(o, fresh, e);
  if (fd < 0) return -1;
  crypto_hash *hash = crypto_sha256_open();
  int result = copy(from, fd, hash, size, e);
  crypto_sha256_finish(hash, digest);
  crypto_hex(digest, sizeof digest, name);
  return finish(o, fd, fresh, name, suffixes[0], result, e);
}

/* ---- reading ---- */

static int sealed_memory(const buffer *b, dts_error *e) {
  int seals = F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL;
  int fd = memfd_create("object", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  if (fd < 0) return fail("make", "a memory file", e);
  if (file_write_all(fd, b->data, b->size) == 0 && lseek(fd, 0, SEEK_SET) == 0 &&
      fcntl(fd, F_ADD_SEALS, seals) == 0)
    return fd;
  fail("fill", "a memory file", e);
  close(fd);
  return -1;
}

/* The bytes must be those that gave the name: a damaged disk is noticed here. */
static int unpack(const char *path, const char *name, buffer *plain, dts_error *e) {
  char digest[CRYPTO_SHA256_HEX];
  buffer packed;
  buffer_init(&packed, LARGEST);
  int result = file_read(path, LARGEST, &packed, e);
  if (result == 0) result = pack_unzstd(plain, packed.data, packed.size, LARGEST, e);
  buffer_free(&packed);
  if (result < 0) return -1;
  crypto_sha256_hex(plain->data, plain->size, digest);
  if (strcmp(digest, name) == 0) return 0;
  return error_fail(e, "OBJECT", "object %s is damaged on disk: its bytes have another hash", name);
}

static int get_packed(objects *o, const char *name, int *fd, int64_t *size, dts_error *e) {
  char path[PATH_SIZE];
  buffer plain;
  path_of(o, name, suffixes[1], path);
  if (!file_exists(path)) return error_fail(e, "OBJECT_MISSING", "there is no object %s", name);
  buffer_init(&plain, LARGEST);
  int result = unpack(path, name, &plain, e);
  if (result == 0) *fd = sealed_memory(&plain, e);
  if (result == 0 && *fd < 0) result = -1;
  *size = (int64_t)plain.size;
  buffer_free(&plain);
  return result;
}

int objects_get(objects *o, const char *name, int *fd, int64_t *size, dts_error *e) {
  char path[PATH_SIZE];
  struct stat s;
  if (check_name(name, e) < 0) return -1;
  path_of(o, name, suffixes[0], path);
  *fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (*fd < 0 && errno == ENOENT) return get_packed(o, name, fd, size, e);
  if (*fd < 0) return fail("open", path, e);
  if (fstat(*fd, &s) == 0) return *size = s.st_size, 0;
  fail("look at", path, e);
  close(*fd);
  return -1;
}

/* ---- what is old ---- */

/* A link is none of ours: a dry run reads another folder's objects through some. */
static bool is_old(int folder, const char *file, int64_t before) {
  struct stat s;
  return fstatat(folder, file, &s, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(s.st_mode) &&
         (int64_t)s.st_mtim.tv_sec * 1000 + s.st_mtim.tv_nsec / 1000000 < before;
}

static void add_name(objects_names *out, const char *folder, const char *file) {
  char name[NAME + 8];
  snprintf(name, sizeof name, "%.2s%.*s", folder, NAME - 2, file);
  if (!is_name(name) || (file[NAME - 2] && strcmp(file + NAME - 2, suffixes[1]) != 0)) return;
  if (out->count == out->capacity) {
    out->capacity = out->capacity ? 2 * out->capacity : 256;
    out->names = memory_grow(out->names, out->capacity * sizeof *out->names);
  }
  memcpy(out->names[out->count++], name, NAME + 1);
}

static int add_old(objects *o, int both, int64_t before, objects_names *out, dts_error *e) {
  char path[PATH_SIZE], folder[3];
  snprintf(folder, sizeof folder, "%02x", (unsigned)both & 0xff);
  snprintf(path, sizeof path, "%s/%s", o->folder, folder);
  DIR *d = opendir(path);
  if (!d) return errno == ENOENT ? 0 : fail("read", path, e);
  for (struct dirent *entry; (entry = readdir(d));)
    if (is_old(dirfd(d), entry->d_name, before)) add_name(out, folder, entry->d_name);
  closedir(d);
  return 0;
}

static int by_name(const void *a, const void *b) { return strcmp(a, b); }

int objects_old(objects *o, int first, int64_t before, objects_names *out, dts_error *e) {
  *out = (objects_names){0};
  int rc = 0;
  for (int second = 0; rc == 0 && second < 16; second++)
    rc = add_old(o, first * 16 + second, before, out, e);
  if (out->count) qsort(out->names, out->count, sizeof *out->names, by_name);
  return rc;
}

int objects_delete(objects *o, const char *name, int64_t before, dts_error *e) {
  char path[PATH_SIZE];
  int result = 0;
  if (check_name(name, e) < 0) return -1;
  pthread_mutex_lock(&o->naming);
  for (size_t i = 0; result == 0 && i < sizeof suffixes / sizeof suffixes[0]; i++) {
    path_of(o, name, suffixes[i], path);
    if (is_old(AT_FDCWD, path, before) && unlink(path) < 0 && errno != ENOENT)
      result = fail("delete", path, e);
  }
  pthread_mutex_unlock(&o->naming);
  return result;
}
