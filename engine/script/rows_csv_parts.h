/* rows_csv_parts.h -- what the two files of the CSV reader share; for rows_csv*.c alone.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_ROWS_CSV_PARTS_H
#define DTS_SCRIPT_ROWS_CSV_PARTS_H

#include "base/arena.h"
#include "format/csv.h"
#include "script/rows_csv.h"
#include "script/rows_feed.h"

/* Words of a shape by their first letter; 0: not said, which is fail. */
enum { BAD_REJECT = 'r', BAD_NULL = 'n', RAGGED_PAD = 'p', RAGGED_CUT = 'c' };

struct csv_rows {
  feed feed;
  csv_reader csv;
  cell_rule rule;
  char bad, ragged;
  bool has_header, open;
  bool numbered; /* no names: neither in the file nor given */
  bool typed;    /* for a table, whose texts hold no NUL */
  bool nul_seen; /* somewhere in the file so far */
  int cured;     /* messages of rows set aside that were looked at for a cure */
  arena memory;  /* of what follows */
  const char **nulls;
  size_t null_count, target_count;
  csv_target *targets;
  const char **theirs; /* the file's names */
};
typedef csv_rows reader;

const char *csv_trim(const csv_field *f, size_t *size); /* without blanks around it */
void csv_feed_more(lua_State *L, reader *r);
void csv_read_header(lua_State *L, const csv_source *from, const csv_field *fields, size_t count);
void csv_number_columns(lua_State *L, const csv_source *from, size_t count);
void csv_given_header(lua_State *L, const csv_source *from);
/* At the end: raises COLUMN when the shape wants a header (`headed`) and none came. */
void csv_check_header(lua_State *L, const csv_source *from);

#endif
