/* tar.h -- a tar file written from front to back (POSIX ustar; sizes past 8 GB in base 256, as GNU
 * tar and libarchive read them).
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_TAR_H
#define DTS_COMMAND_TAR_H

#include <stdint.h>
#include <stdio.h>

#include "base/error.h"

/* Adds the file at `path` under `name` (at most 100 bytes), mode 0600. *size (may be NULL) receives
 * its bytes. A file that is gone is FILE_MISSING, and nothing was written. */
int tar_add(FILE *out, const char *name, const char *path, int64_t *size, dts_error *e);
int tar_end(FILE *out, dts_error *e); /* two empty blocks */

#endif
