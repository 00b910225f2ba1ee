/* rows_csv.h -- the rows of a CSV body, field by field, for whoever takes them: a Lua table for each
 * (rows_csv.c) or a frame of packed rows without tables between (put_csv.c).
 *
 * The one idea: the reader knows header, types, nulls and what to do with a bad row; a sink knows where
 * a value goes. An iterator of rows.csv owns all of it, as three upvalues.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_ROWS_CSV_H
#define DTS_SCRIPT_ROWS_CSV_H

#include <lua.h>

#include "script/rows_cell.h"
#include "script/shape.h"

typedef struct csv_rows csv_rows; /* the reader */

typedef struct csv_target { /* one field of the file */
  bool wanted;
  bool required; /* the table takes no row without it */
  shape_type type;
  int name;   /* its place in the list of our names */
  int column; /* the sink's own; -1 until it says otherwise */
} csv_target;

typedef struct csv_source { /* an iterator's parts: the reader, and stack indices */
  csv_rows *rows;
  int names, shape;
} csv_source;

typedef struct csv_sink {
  void (*begin)(lua_State *L, void *data, const csv_source *from, size_t fields);
  /* A field that is not null; may leave things on the stack. False: it does not fit. */
  bool (*cell)(lua_State *L, void *data, const csv_source *from, csv_target *t, const char *text,
               size_t size);
  void *data;
} csv_sink;

/* When the value at index is a CSV iterator: pushes what `from` names. Otherwise pushes nothing. */
bool csv_source_open(lua_State *L, int index, csv_source *from);
/* The next good row goes into the sink: its line, or 0 at the end. Raises CSV, ROWS, ENCODING. What a
 * sink left on the stack for a row that turned out bad is taken away. */
lua_Integer csv_source_next(lua_State *L, const csv_source *from, const csv_sink *sink);
lua_Integer csv_source_line(const csv_source *from); /* where the present row begins */
const cell_rule *csv_source_rule(const csv_source *from);
void csv_forget_columns(const csv_source *from); /* each target's column is -1 again */
/* Pushes a field's value; false, with nothing pushed, when it does not fit. */
bool csv_push_cell(lua_State *L, const cell_rule *rule, shape_type type, const char *text,
                   size_t size);

#endif
