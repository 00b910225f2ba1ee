/* sqlcheck.h -- every SQL of a set prepared against its own tables, for `dts check` and `dts
 * serve`.
 *
 * The set's tables, roll-ups and views are made in a throw-away store in memory, so nothing of the
 * project's own store is touched. Blocks; any thread but a writer's.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_SQLCHECK_H
#define DTS_FLOW_SQLCHECK_H

#include "flow/reload/registry.h"

/* `thorough`, for `dts check`: also names in an alert's message that its query does not have.
 * Adds a map {file, line, where, code, message, hint} to the list `faults` for each fault. 0 when
 * the set could be looked at, faults or not. */
int sqlcheck_set(const registry *set, bool thorough, arena *a, value *faults, dts_error *e);
/* The same for alerts that tell nobody and missing schema files: for `dts check` alone. */
void sqlcheck_project(const registry *set, const value *config, const char *root, arena *a,
                      value *faults);

/* Adds a map {where, message, hint} for what one store alone understands. No fault: SQLite runs it.
 */
void sqlcheck_portable(const registry *set, arena *a, value *notes);

#endif
