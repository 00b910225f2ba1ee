/* listing.h -- a query of this program's own, printed: what runs, quarantine and key lists have in
 * common.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_LISTING_H
#define DTS_COMMAND_LISTING_H

#include "command/command.h"
#include "command/engine.h"

/* Asks and prints: a table in the project's zone, or with --json a list of objects. `none` is said
 * when there is no row. 0, or -1. */
int listing_print(engine *n, const given *g, const char *sql, const value *params, const char *none,
                  dts_error *e);

#endif
