/* listing.h -- a query of this program's own, printed: what runs, jobs, quarantine and key lists
 * have in common.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_LISTING_H
#define DTS_COMMAND_LISTING_H

#include "command/command.h"
#include "command/engine.h"

typedef struct listing {
  const char *sql, *none;   /* what is said when there is no row */
  const char *const *spare; /* what a narrow terminal can do without: screen.h */
} listing;

/* Asks and prints: a table in the project's zone, or with --json a list of objects. 0, or -1. */
int listing_print(engine *n, const given *g, const listing *l, const value *params, dts_error *e);

/* A pipeline that is declared, or that the books know from earlier: 0, otherwise -1 and PIPELINE.
 * `name` may be NULL. */
int listing_check_pipeline(engine *n, const char *name, dts_error *e);
/* A query with :pipeline, :state and :limit from the options, `states` ending with NULL. */
int listing_of_pipeline(const given *g, const listing *l, const char *const *states, dts_error *e);

#endif
