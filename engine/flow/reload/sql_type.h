/* sql_type.h -- the type of one SQL expression over a table's columns, without a store.
 *
 * One idea: a roll-up's table is made before anything runs, so the types of its columns are read
 * from the text. The whole text must be one expression: what reads other tables, looks at other
 * rows or ends early is refused, so the text may stand inside the engine's own SQL.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_SQL_TYPE_H
#define DTS_FLOW_SQL_TYPE_H

#include "store/table.h"

enum { SQL_TYPE_UNKNOWN = -1, SQL_TYPE_NULL = -2 };

typedef struct sql_expression {
  int type;        /* column_type, or one of the two above */
  bool aggregates; /* calls an aggregate */
} sql_expression;

/* `measure`: aggregates are allowed, and columns must stand inside them, but for `grouped` ones
 * (NULL-terminated). Otherwise aggregates are refused. */
int sql_type_read(const table *t, const char *sql, bool measure, const char *const *grouped,
                  sql_expression *out, dts_error *e);

#endif
