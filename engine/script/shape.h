/* shape.h -- a table's columns as put needs them: in order, with types, and what is buffered for
 * it.
 *
 * A shape is a userdata made from the table's declaration the first time it is put to and kept
 * until the state is closed. Column names point into Lua strings that its user value keeps; a short
 * string is one object however often it is made, so that its address tells a name from another.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_SHAPE_H
#define DTS_SCRIPT_SHAPE_H

#include <lua.h>

#include "base/buffer.h"
#include "base/error.h"

typedef enum shape_type {
  SHAPE_TEXT,
  SHAPE_INTEGER,
  SHAPE_REAL,
  SHAPE_BOOLEAN,
  SHAPE_DATE,
  SHAPE_TIMESTAMP,
  SHAPE_JSON
} shape_type;

typedef struct shape_column {
  const char *name;
  const void *id; /* of the name's Lua string */
  shape_type type;
  bool required; /* not null, and without a default */
  bool key;
  size_t at, size; /* put.c: this column's value in `cells`, when it was packed for `row` */
  uint64_t row;
  int then; /* the column that Lua gave behind this one in the row before */
} shape_column;

struct shape {
  struct shape *next; /* of the script's shapes */
  const char *name;
  buffer rows;    /* an OP_ROWS payload, open at its end; empty when nothing is buffered */
  size_t whole;   /* bytes of it up to the end of the last whole row */
  int64_t held;   /* rows of it */
  char step[128]; /* the step that these rows belong to, or "" */
  buffer cells;   /* the present row's values, packed as they are met */
  uint64_t row;   /* its number: cells of another are not its own */
  int first;      /* the column that Lua gave first in the row before */
  int count;
  shape_column columns[];
};

/* The shape of the named table, pushed too, so that it stays. Raises TABLE_UNKNOWN,
 * TABLE_REFUSED. */
struct shape *shape_find(lua_State *L, const char *name);
/* The column whose name is the value at index; `guess` is tried first. -1: none. */
int shape_column_find(lua_State *L, const struct shape *s, int index, int guess);

/* Packs the Lua value at index for one column into b; 0, or -1 and an error COLUMN whose message
 * begins with the column's name. nil and null are packed as null. */
int shape_pack(lua_State *L, const shape_column *c, int index, buffer *b, dts_error *e);

#endif
