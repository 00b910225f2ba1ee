/* sql_functions.h -- the SQL functions that may stand in a roll-up, and what they give.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_SQL_FUNCTIONS_H
#define DTS_FLOW_SQL_FUNCTIONS_H

#include "base/error.h"

/* What a function gives: a column_type, or one of these. */
enum { AS_FIRST = 100, AS_NUMBER, AS_ALL };

typedef struct sql_function {
  const char *name;
  int type;
  bool aggregate;
} sql_function;

const sql_function *sql_function_find(const char *name);                   /* or NULL */
int sql_function_unknown(const char *sql, const char *name, dts_error *e); /* -1 */

#endif
