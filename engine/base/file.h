/* file.h -- whole files: read at once up to a limit, replaced at once or not at all.
 *
 * A reader of a path given to file_write_atomic() sees the old bytes or the new ones, never a part,
 * also after a power cut. Nothing here keeps a file open.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_BASE_FILE_H
#define DTS_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buffer.h"
#include "base/error.h"

/* Adds a regular file's bytes to `out` (the caller's); a file above `limit` is refused: FILE,
 * or FILE_MISSING when there is no such file. On failure `out` is as it was. */
int file_read(const char *path, size_t limit, buffer *out, dts_error *e);

/* All of them to an open descriptor, over short writes and signals; -1 with errno. */
int file_write_all(int fd, const char *bytes, size_t size);

bool file_exists(const char *path); /* anything of that name: file, folder, socket */

/* A temporary file beside `path`, fsync, rename, fsync of the folder. No umask: `mode` is exact. */
int file_write_atomic(const char *path, const void *bytes, size_t size, mode_t mode, dts_error *e);

/* mkdir -p; folders that are there already keep their mode. */
int file_make_folder(const char *path, mode_t mode, dts_error *e);
void file_remove_folder(const char *path); /* and all in it, as far as possible; follows no link */

#endif
