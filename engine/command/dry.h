/* dry.h -- dts run --dry-run: the run is real, its store is a copy.
 *
 * One idea: the project's database is copied as one snapshot into var/dry-PID, an engine of this
 * process runs on the copy, and triggers there keep what each row was before it was first touched.
 * So whatever a run does (checkpoints, steps, batches, what follows it) shows as the difference
 * that it makes, and removing the folder takes all of it back: rows, cursor, validators, archives,
 * jobs. Requests to sources are made.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_DRY_H
#define DTS_COMMAND_DRY_H

#include "command/engine.h"

typedef struct dry dry;

dry *dry_open(const char *root, dts_error *e); /* makes the copy */
/* The engine on the copy; `file` as in engine_open. Its tables are watched from here on. */
engine *dry_engine(dry *d, const char *file, dts_error *e);
/* [{table, added, changed, unchanged, removed, examples [{key {}, was "added" .., columns [{column,
 * old, new}]}]}] of the tables that the run touched, in the order of their names. */
int dry_changes(dry *d, engine *n, arena *a, value *out, dts_error *e);
void dry_print(const value *changes); /* to standard output, for people */
void dry_close(dry *d);               /* removes the copy; NULL is fine */

#endif
