/* objects.c -- see objects.h: FOLDER/ab/REST for uploads, FOLDER/ab/REST.zst for snapshots.
 *
 * New files are written in FOLDER/new under a random name. What a crash left there is removed when
 * the folder is opened, once it is an hour old. A name that exists already is synced again before
 * it is given out: another thread may have made it a moment ago.
 *
 * SPDX-License-Identifier: MIT */
#include "store/objects.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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
  if (strncmp(url, "s3://", 5) == 0) {
    error_fail(e, "OBJECT_URL", "objects \"%.200s\": S3 is not available in this version", url);
    return error_hint(e, "objects = \"file:var/objects\" in dts.lua"), NULL;
  }
  if (strncmp(url, "file:", 5) != 0 || !url[5] || strlen(url) > 4000) {
    error_fail(e, "OBJECT_URL", "objects \"%.200s\": file:FOLDER expected", url);
    return NULL;
  }
  snprintf(fresh, sizeof fresh, "%s/new", url + 5);
  if (file_make_folder(fresh, 0700, e) < 0) return NULL;
  remove_stale(fresh);
  objects *o = memory_alloc(sizeof *o);
  o->folder = memory_text(url + 5);
  return o;
}

void objects_close(objects *o) {
  if (!o) return;
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

static int write_all(int fd, const char *bytes, size_t size) {
  while (size) {
    ssize_t n = write(fd, bytes, size);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return -1;
    bytes += n;
    size -= (size_t)n;
  }
  return 0;
}

static int make_folder(const objects *o, const char *name, char folder[PATH_SIZE], dts_error *e) {
  snprintf(folder, PATH_SIZE, "%s/%.2s", o->folder, name);
  if (mkdir(folder, 0700) == 0) return sync_folder(o->folder, e);
  return errno == EEXIST ? 0 : fail("make", folder, e);
}

/* From a fresh, synced file to a name that stays. */
static int settle(const objects *o, const char *fresh, const char *name, const char *suffix,
                  dts_error *e) {
  char folder[PATH_SIZE], path[PATH_SIZE];
  if (make_folder(o, name, folder, e) < 0) return -1;
  path_of(o, name, suffix, path);
  if (rename(fresh, path) < 0) return fail("rename", path, e);
  return sync_folder(folder, e);
}

/* Ends what open_fresh began: closes the file, and removes it when it did not get its name. */
static int finish(const objects *o, int fd, const char *fresh, const char *name, const char *suffix,
                  int result, dts_error *e) {
  if (result == 0 && fsync(fd) < 0) result = fail("sync", fresh, e);
  close(fd);
  if (result == 0) result = settle(o, fresh, name, suffix, e);
  if (result < 0) unlink(fresh);
  return result;
}

static int keep_again(const objects *o, const char *name, dts_error *e) {
  char folder[PATH_SIZE];
  snprintf(folder, sizeof folder, "%s/%.2s", o->folder, name);
  return sync_folder(folder, e);
}

static int put_packed(const objects *o, const buffer *packed, const char *name, dts_error *e) {
  char fresh[PATH_SIZE];
  int fd = open_fresh(o, fresh, e);
  if (fd < 0) return -1;
  int result = write_all(fd, packed->data, packed->size) < 0 ? fail("write", fresh, e) : 0;
  return finish(o, fd, fresh, name, suffixes[1], result, e);
}

int objects_put(objects *o, const void *bytes, size_t size, char name[65], dts_error *e) {
  buffer packed;
  crypto_sha256_hex(bytes, size, name);
  if (objects_has(o, name)) return keep_again(o, name, e);
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
    if (n < 0 || write_all(to, block, (size_t)n) < 0) break;
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
  if (write_all(fd, b->data, b->size) == 0 && lseek(fd, 0, SEEK_SET) == 0 &&
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

int objects_delete(objects *o, const char *name, dts_error *e) {
  char path[PATH_SIZE];
  if (check_name(name, e) < 0) return -1;
  for (size_t i = 0; i < sizeof suffixes / sizeof suffixes[0]; i++) {
    path_of(o, name, suffixes[i], path);
    if (unlink(path) < 0 && errno != ENOENT) return fail("delete", path, e);
  }
  return 0;
}
