/* sql_portable.h -- what of a piece of SQL is SQLite's alone, and what both stores understand.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_SQL_PORTABLE_H
#define DTS_FLOW_SQL_PORTABLE_H

#include <stddef.h>

typedef struct sql_difference {
  const char *what;   /* its name: a constant */
  const char *advice; /* what to write instead: a constant */
} sql_difference;

/* Finds up to `most` differences, each once; gives how many. Tells by the words alone, so what only
 * types decide stays unseen. */
size_t sql_portable(const char *sql, sql_difference *out, size_t most);

#endif
