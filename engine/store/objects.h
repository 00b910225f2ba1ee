/* objects.h -- raw bytes kept outside the tables: archived snapshots, uploaded files.
 *
 * Content-addressed: an object's name is the SHA-256 of its plain bytes, so writing one twice is
 * harmless and nothing is ever overwritten. Snapshots are kept zstd-compressed. A file is written
 * under a temporary name, synced and renamed: what has a name is whole and on disk.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_STORE_OBJECTS_H
#define DTS_STORE_OBJECTS_H

#include "base/buffer.h"
#include "base/error.h"

typedef struct objects objects;

/* "file:FOLDER". */
objects *objects_open(const char *url, dts_error *e);
void objects_close(objects *o);
/* Keeps bytes; `name` receives 64 hex digits. Any thread. */
int objects_put(objects *o, const void *bytes, size_t size, char name[65], dts_error *e);
/* Keeps the bytes of an open descriptor, uncompressed (uploads); the size is returned in *size. */
int objects_put_file(objects *o, int fd, char name[65], int64_t *size, dts_error *e);
/* A descriptor open for reading at offset 0 on the plain bytes (a sealed memory file when they are
 * kept compressed). The caller closes it. */
int objects_get(objects *o, const char *name, int *fd, int64_t *size, dts_error *e);
bool objects_has(objects *o, const char *name);

/* Names whose bytes were last put before some time, in order; free(names) is the caller's. */
typedef struct objects_names {
  char (*names)[65];
  size_t count, capacity;
} objects_names;
/* Those that begin with the hexadecimal digit `first` (0 to 15), put last before `before` (ms UTC). */
int objects_old(objects *o, int first, int64_t before, objects_names *out, dts_error *e);
/* Removes what no put has named since `before`; a younger one stays. 0 either way. */
int objects_delete(objects *o, const char *name, int64_t before, dts_error *e);

#endif
