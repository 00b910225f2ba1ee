/* sql_functions.c -- see sql_functions.h. A function that may stand in a roll-up is one row here.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/reload/sql_functions.h"

#include <strings.h>

#include "store/table.h"

static const sql_function functions[] = {
    {"count", COLUMN_INTEGER, true},
    {"sum", AS_NUMBER, true},
    {"total", COLUMN_REAL, true},
    {"avg", COLUMN_REAL, true},
    {"first", AS_FIRST, true},
    {"last", AS_FIRST, true},
    {"change", AS_NUMBER, true},
    {"median", COLUMN_REAL, true},
    {"quantile", COLUMN_REAL, true},
    {"stddev", COLUMN_REAL, true},
    {"corr", COLUMN_REAL, true},
    {"slope", COLUMN_REAL, true},
    {"min", AS_ALL, true},
    {"max", AS_ALL, true},
    {"abs", AS_NUMBER, false},
    {"round", COLUMN_REAL, false},
    {"coalesce", AS_ALL, false},
    {"ifnull", AS_ALL, false},
    {"nullif", AS_FIRST, false},
    {"iif", AS_ALL, false},
    {"length", COLUMN_INTEGER, false},
    {"instr", COLUMN_INTEGER, false},
    {"sign", COLUMN_INTEGER, false},
    {"lower", COLUMN_TEXT, false},
    {"upper", COLUMN_TEXT, false},
    {"trim", COLUMN_TEXT, false},
    {"ltrim", COLUMN_TEXT, false},
    {"rtrim", COLUMN_TEXT, false},
    {"substr", COLUMN_TEXT, false},
    {"replace", COLUMN_TEXT, false},
    {"printf", COLUMN_TEXT, false},
    {"format", COLUMN_TEXT, false},
    {"hex", COLUMN_TEXT, false},
    {"strftime", COLUMN_TEXT, false},
    {"date", COLUMN_DATE, false},
    {"add_days", AS_FIRST, false},
    {"add_minutes", COLUMN_TIMESTAMP, false},
    {"days_between", COLUMN_INTEGER, false},
    {"year", COLUMN_INTEGER, false},
    {"month", COLUMN_INTEGER, false},
    {"week", COLUMN_INTEGER, false},
    {"weekday", COLUMN_INTEGER, false},
    {"floor", COLUMN_REAL, false},
    {"ceil", COLUMN_REAL, false},
    {"sqrt", COLUMN_REAL, false},
    {"exp", COLUMN_REAL, false},
    {"ln", COLUMN_REAL, false},
    {"log", COLUMN_REAL, false},
    {"pow", COLUMN_REAL, false},
    {"power", COLUMN_REAL, false},
};

const sql_function *sql_function_find(const char *name) {
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
    if (strcasecmp(functions[i].name, name) == 0) return &functions[i];
  return NULL;
}

int sql_function_unknown(const char *sql, const char *name, dts_error *e) {
  enum { COUNT = sizeof functions / sizeof *functions };
  const char *names[COUNT + 1];
  for (size_t i = 0; i < COUNT; i++) names[i] = functions[i].name;
  names[COUNT] = NULL;
  const char *near = error_nearest(name, names);
  error_fail(e, "SQL", "'%.200s': a roll-up cannot use the function '%.60s'", sql, name);
  if (near) return error_hint(e, "did you mean '%s'?", near);
  return error_hint(e, "compute it in the pipeline, or in a view over the roll-up");
}
