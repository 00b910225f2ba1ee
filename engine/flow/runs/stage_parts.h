/* stage_parts.h -- the inside of a stage, for stage*.c alone.
 *
 * One idea: a log of frames as they came, and beside it an order in which to apply it. A group is a
 * stretch of rows of one table, each known by a reference of 16 bytes: where it lies in the log, and
 * the beginning of its key as a number. Puts to several tables in turn keep one group each; a verb
 * that is no put closes the groups before it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_STAGE_PARTS_H
#define DTS_FLOW_STAGE_PARTS_H

#include "base/buffer.h"
#include "flow/runs/stage.h"
#include "wire/pack.h"

enum { STAGE_HEAD = 5, STAGE_MEMORY = 8 * 1024 * 1024 }; /* an entry: its op, its size, payload */

/* Memory that grows; when it is large, a mapped file without a name, so that it can leave. */
typedef struct stage_room {
  void *at;
  size_t size;
  int fd; /* 0 while it is ordinary memory */
} stage_room;

int stage_room_grow(stage_room *r, size_t size, store *disk, dts_error *e);
void stage_room_free(stage_room *r);

typedef struct stage_ref {
  uint64_t prefix; /* orders as the first key column does, as far as 8 bytes go */
  uint64_t place;  /* in the log: a later put has a greater one */
} stage_ref;

typedef struct stage_group {
  struct stage_group *next; /* older ones first */
  const table *table;       /* NULL: entries that are no rows, `from` to `to` in the log */
  uint64_t from, to;
  stage_room refs;
  size_t count;
  value *left, *right; /* room for the columns up to the last of the key */
  size_t width;        /* how many these are */
  buffer last;         /* the row before, packed, when a frame ended behind it */
  bool has_last;
  bool unsorted, repeats; /* keys out of order; a key twice */
  bool unchecked;         /* some values are to be converted still */
} stage_group;

struct stage {
  const registry *set;
  store *disk;
  buffer bytes;     /* the log's end, in memory; */
  int fd;           /* its beginning, in a file, or -1 */
  uint64_t in_file; /* bytes there */
  size_t rows;
  stage_group *first, *last;
  size_t replaced;          /* by the last stage_apply */
  char first_replaced[256]; /* "table 't' (k 1)" */
};

int stage_spill(stage *s, dts_error *e); /* all that is in memory goes to the file */

/* stage_index.c: what an entry at `place` in the log brings. */
int stage_index_rows(stage *s, const char *payload, size_t size, uint64_t place, dts_error *e);
int stage_index_verb(stage *s, const char *payload, size_t size, uint64_t place, dts_error *e);
void stage_index_free(stage *s);
/* One row's values, texts borrowed; a json column's are packed in the arena, or skipped without one.
 * 1: the end of an open list of rows. */
int stage_read_row(const table *t, unpack *u, arena *a, value *row, dts_error *e);

/* stage_sort.c */
int stage_compare(const stage_group *g, const value *left, const value *right);
bool stage_read_key(const stage_group *g, const char *at, const char *end, value *row);
uint64_t stage_prefix(const value *v, size_t skip);
void stage_sort(stage_group *g, const char *base, const char *end);

#endif
