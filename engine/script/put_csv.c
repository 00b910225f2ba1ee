/* put_csv.c -- ctx:put(table, file:rows { ... }) when the file is CSV: from field to frame.
 *
 * The one idea: where a field's type is its column's type, the value that is read is the value that is
 * packed; every other case takes the way by a Lua value, so that both ways refuse the same with the
 * same words. It must give the rows that the loop over the iterator would give.
 *
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <string.h>

#include "script/put_parts.h"
#include "script/rows_csv.h"
#include "wire/pack.h"

enum { BETWEEN_LOOKS = 1024 };

typedef struct csv_put {
  struct shape *shape;
  place at;
  int guess; /* columns usually stand in the file's order */
} csv_put;

static void begin(lua_State *L, void *data, const csv_source *from, size_t fields) {
  csv_put *p = data;
  (void)L, (void)fields;
  p->at.line = csv_source_line(from);
  put_begin_row(p->shape);
}

static void find_column(lua_State *L, csv_put *p, const csv_source *from, csv_target *t) {
  lua_rawgeti(L, from->names, t->name);
  t->column = put_find_column(L, p->shape, lua_gettop(L), p->guess, p->at);
  p->guess = t->column + 1;
  lua_pop(L, 1);
}

static bool pack_scalar(buffer *b, const value *v) {
  switch (v->kind) {
  case VALUE_INTEGER: pack_integer(b, v->integer); return true;
  case VALUE_REAL: pack_real(b, v->real); return true;
  case VALUE_BOOLEAN: pack_boolean(b, v->boolean); return true;
  case VALUE_TEXT: pack_text(b, v->text.bytes, v->text.size); return true;
  default: return false;
  }
}

/* A field of its column's own type, as it is; a text was decoded, so it is UTF-8. */
static bool put_same(csv_put *p, const csv_source *from, const csv_target *t, const char *text,
                     size_t size) {
  char scratch[CELL_SCRATCH];
  value v;
  if (cell_read(csv_source_rule(from), t->type, text, size, scratch, &v) < 0) return false;
  put_open_cell(p->shape, t->column);
  pack_scalar(&p->shape->cells, &v);
  put_close_cell(p->shape, t->column);
  return true;
}

static bool cell(lua_State *L, void *data, const csv_source *from, csv_target *t, const char *text,
                 size_t size) {
  csv_put *p = data;
  if (t->column < 0) find_column(L, p, from, t);
  bool same = t->type == p->shape->columns[t->column].type && t->type != SHAPE_JSON;
  if (same && !(t->type == SHAPE_TEXT && memchr(text, '\0', size)))
    return put_same(p, from, t, text, size);
  if (!csv_push_cell(L, csv_source_rule(from), t->type, text, size)) return false;
  put_cell(L, p->shape, t->column, lua_gettop(L), p->at);
  lua_pop(L, 1);
  return true;
}

/* The limit of processor time is a hook between instructions of Lua: there are none here. */
static void look_at_limits(lua_State *L) {
  lua_Hook hook = lua_gethook(L);
  if (hook) hook(L, NULL);
}

lua_Integer put_csv(lua_State *L, struct shape *s) {
  csv_source from;
  csv_put p = {.shape = s};
  csv_sink sink = {begin, cell, &p};
  if (!csv_source_open(L, PUT_ROWS, &from)) return -1;
  csv_forget_columns(&from);
  for (p.at.row = 1; csv_source_next(L, &from, &sink); p.at.row++) {
    put_end_row(L, s, p.at);
    if (p.at.row % BETWEEN_LOOKS == 0) look_at_limits(L);
  }
  return p.at.row - 1;
}
