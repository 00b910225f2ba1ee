/* export_parts.h -- a form in which `dts export` writes rows: CSV, NDJSON, Parquet.
 *
 * One idea: a form is begun when the columns are known, given each row, and ended when all were
 * there; none of it is called when the rows cannot be read. Private to command/export*.c.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_EXPORT_PARTS_H
#define DTS_COMMAND_EXPORT_PARTS_H

#include <stdio.h>

#include "format/parquet.h"
#include "store/store.h"

typedef struct exporting exporting;

typedef struct export_form {
  const char *name;
  bool typed, binary; /* wants each column's type before the first row; nothing for a terminal */
  int (*begin)(exporting *x, dts_error *e);
  int (*row)(exporting *x, const value *row, dts_error *e);
  int (*end)(exporting *x, dts_error *e);
} export_form;

struct exporting {
  const export_form *form;
  FILE *out;
  const char *sql;
  const value *entry; /* of the catalog: kind, columns */
  int64_t rows;
  buffer row;
  arena memory;
  value columns;    /* [{name, type}] of what is read */
  parquet *parquet; /* that form's own */
};

extern const export_form export_csv, export_ndjson, export_parquet;

int export_write(exporting *x, const void *bytes, size_t size, dts_error *e);

#endif
