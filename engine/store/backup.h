/* backup.h -- a whole copy of a database while an engine writes to it, and whether one is sound.
 *
 * One idea: both open connections of their own, so they need neither the engine nor its lock. The
 * copy is one snapshot: what had committed when it began, and nothing of what came later.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_STORE_BACKUP_H
#define DTS_STORE_BACKUP_H

#include <stdbool.h>

#include "base/error.h"

/* Copies the database at `path` to the new file `to` (mode 0600), synced. On failure `to` is
 * removed. `stop` (may be NULL) is asked now and then: true ends it. 0, or -1: BACKUP, DISK_FULL,
 * INTERRUPTED. */
int store_backup(const char *path, const char *to, bool (*stop)(void), dts_error *e);
/* Reads every page; `thorough` also compares each index with its table. 0, or -1: STORE_BROKEN
 * with what is wrong first. */
int store_verify(const char *path, bool thorough, dts_error *e);

#endif
