/* put_parts.h -- what put.c and put_csv.c share: how a row's cells become a row of a frame.
 *
 * A row is begun (put_begin_row), given a value for some of its columns, each at the end of the shape's
 * cells (put_open_cell, then put_close_cell), and ended: what was not given is what all rows share.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_PUT_PARTS_H
#define DTS_SCRIPT_PUT_PARTS_H

#include <lua.h>

#include "script/shape.h"

/* The stack while rows are put: arguments, the shape, a slot for each column's shared value. */
enum { PUT_NAME = 1, PUT_ROWS, PUT_ALSO, PUT_STEP, PUT_SHAPE, PUT_SLOTS = PUT_SHAPE };

/* Where a row stands, for messages: made into words only when one is needed. */
typedef struct place {
  lua_Integer row, line; /* row 0: the shared columns */
} place;

struct shape;
/* The column named by the value at `key`; raises COLUMN when the table has none of that name. */
int put_find_column(lua_State *L, struct shape *s, int key, int guess, place p);
void put_begin_row(struct shape *s);
void put_open_cell(struct shape *s, int column);
void put_close_cell(struct shape *s, int column);
void put_cell(lua_State *L, struct shape *s, int column, int index, place p); /* a Lua value */
void put_end_row(lua_State *L, struct shape *s, place p);

/* When the rows are an iterator of rows.csv: packs its fields as they are read, no Lua table between.
 * How many rows, or -1: they are something else. */
lua_Integer put_csv(lua_State *L, struct shape *s);

#endif
