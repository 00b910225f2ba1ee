/* put.c -- see put.h. Each table has its own buffer, so that a loop which puts to two tables in
 * turn still sends large frames; the order of rows within a table is kept.
 *
 * A row's values are packed in the order in which Lua gives them and then laid out by column: each is
 * touched once. Stack while rows are put: table's name, rows, also, step, shape, then one slot for each
 * column with what `also` says of it. An iterator may be a coroutine's and may ask the engine.
 *
 * SPDX-License-Identifier: MIT */
#include "script/put.h"

#include <lauxlib.h>
#include <stdio.h>
#include <string.h>

#include "script/call.h"
#include "script/convert.h"
#include "script/fault.h"
#include "script/put_parts.h"
#include "script/script.h"
#include "script/shape.h"
#include "wire/op.h"
#include "wire/pack.h"

enum {
  NAME = PUT_NAME,
  ROWS = PUT_ROWS,
  ALSO = PUT_ALSO,
  STEP = PUT_STEP,
  SHAPE = PUT_SHAPE,
  SLOTS = PUT_SLOTS,
  FLUSH_AT = 64 * 1024
};

/* ── The buffer ── */

static void flush(lua_State *L, shape *s) {
  if (!s->whole) return;
  s->rows.size = s->whole;
  pack_end(&s->rows);
  call_post(L, OP_ROWS, &s->rows, -1);
  buffer_clear(&s->rows);
  s->whole = 0;
  s->held = 0;
}

void put_flush_all(lua_State *L) {
  for (shape *s = script_of(L)->shapes; s; s = s->next) flush(L, s);
}

int put_flush(lua_State *L) {
  put_flush_all(L);
  return 0;
}

/* A row that failed half-way is dropped here: only `whole` bytes count. */
static void open_frame(shape *s) {
  s->rows.size = s->whole;
  if (s->whole) return;
  pack_map(&s->rows, s->step[0] ? 3 : 2);
  pack_text(&s->rows, "table", 5);
  pack_text(&s->rows, s->name, strlen(s->name));
  if (s->step[0]) {
    pack_text(&s->rows, "step", 4);
    pack_text(&s->rows, s->step, strlen(s->step));
  }
  pack_text(&s->rows, "rows", 4);
  pack_open_list(&s->rows);
}

static void choose_step(lua_State *L, shape *s) {
  const char *step = luaL_optstring(L, STEP, "");
  if (strlen(step) >= sizeof s->step)
    fault_fail(L, "STEP", "a step's name has at most %zu bytes", sizeof s->step - 1);
  if (strcmp(step, s->step) != 0) flush(L, s);
  snprintf(s->step, sizeof s->step, "%s", step);
}

/* ── One row ── */

static const char *say_place(char out[64], place p) {
  if (!p.row) return "the shared columns";
  if (p.line > 0)
    snprintf(out, 64, "row %lld, line %lld", (long long)p.row, (long long)p.line);
  else
    snprintf(out, 64, "row %lld", (long long)p.row);
  return out;
}

static int refuse_column(lua_State *L, shape *s, int key, const char *where) {
  dts_error e;
  char said[160] = "";
  if (lua_type(L, key) != LUA_TSTRING)
    return fault_fail(L, "COLUMN", "a row has column names as keys, not a %s (%s)",
                      luaL_typename(L, key), where);
  const char *word = lua_tostring(L, key), *names[256];
  int count = s->count < 255 ? s->count : 255;
  for (int i = 0; i < count; i++) names[i] = s->columns[i].name;
  names[count] = NULL;
  const char *nearest = error_nearest(word, names);
  if (nearest) snprintf(said, sizeof said, "; did you mean '%.120s'?", nearest);
  error_fail(&e, "COLUMN", "table '%s' has no column '%s' (%s)%s", s->name, word, where, said);
  if (!nearest)
    error_hint(&e, "declare it in the table's columns, or leave it out: "
                   ":rows { columns = { ours = \"theirs\" } } keeps the named ones alone");
  return fault_raise(L, &e);
}

int put_find_column(lua_State *L, shape *s, int key, int guess, place p) {
  char words[64];
  int column = shape_column_find(L, s, key, guess);
  return column < 0 ? refuse_column(L, s, lua_absindex(L, key), say_place(words, p)) : column;
}

static int refuse_value(lua_State *L, shape *s, dts_error *e, place p) {
  char words[64];
  size_t size = strlen(e->message);
  snprintf(e->message + size, sizeof e->message - size, " (%s of '%s')", say_place(words, p),
           s->name);
  return fault_raise(L, e);
}

/* What all rows share, into its slots; the others are nil. */
static void spread_shared(lua_State *L, shape *s) {
  lua_settop(L, SLOTS);
  lua_settop(L, SLOTS + s->count);
  if (lua_isnil(L, ALSO)) return;
  for (lua_pushnil(L); lua_next(L, ALSO);)
    lua_replace(L, SLOTS + 1 + put_find_column(L, s, -2, 0, (place){0}));
}

void put_begin_row(shape *s) {
  buffer_clear(&s->cells);
  s->row++;
}

void put_open_cell(shape *s, int column) { s->columns[column].at = s->cells.size; }

void put_close_cell(shape *s, int column) {
  shape_column *c = &s->columns[column];
  c->size = s->cells.size - c->at;
  c->row = s->row;
}

void put_cell(lua_State *L, shape *s, int column, int index, place p) {
  dts_error e;
  put_open_cell(s, column);
  if (shape_pack(L, &s->columns[column], index, &s->cells, &e) < 0) refuse_value(L, s, &e, p);
  put_close_cell(s, column);
}

static void put_cells(lua_State *L, shape *s, int index, place p) {
  int *guess = &s->first, top = lua_gettop(L);
  put_begin_row(s);
  for (lua_pushnil(L); lua_next(L, index); lua_settop(L, top + 1)) {
    int column = *guess = put_find_column(L, s, -2, *guess, p);
    put_cell(L, s, column, top + 2, p);
    guess = &s->columns[column].then;
  }
}

void put_end_row(lua_State *L, shape *s, place p) {
  char words[64];
  for (int i = 0; i < s->count; i++)
    if (s->columns[i].row != s->row) put_cell(L, s, i, SLOTS + 1 + i, p);
  open_frame(s);
  pack_list(&s->rows, (size_t)s->count);
  bool fits = !s->cells.failed && buffer_reserve(&s->rows, s->cells.size) == 0;
  for (int i = 0; fits && i < s->count; i++)
    buffer_add(&s->rows, s->cells.data + s->columns[i].at, s->columns[i].size);
  if (!fits || s->rows.failed) {
    s->rows.failed = s->cells.failed = false;
    fault_fail(L, "LIMIT_SIZE", "a row of '%s' is larger than a frame may be (%s)", s->name,
               say_place(words, p));
  }
  s->whole = s->rows.size;
  s->held++;
  int64_t batch = script_of(L)->batch;
  if (s->rows.size >= FLUSH_AT || (batch && s->held >= batch)) flush(L, s);
}

/* The row on top, which is taken away. */
static void put_row(lua_State *L, shape *s, lua_Integer row, lua_Integer line) {
  char words[64];
  place p = {row, line};
  int index = lua_gettop(L);
  if (!lua_istable(L, index))
    fault_fail(L, "COLUMN", "a row of '%s' is a table, got a %s (%s)", s->name,
               luaL_typename(L, index), say_place(words, p));
  put_cells(L, s, index, p);
  put_end_row(L, s, p);
  lua_settop(L, SLOTS + s->count);
}

/* ── Rows from a list, a row, an iterator ── */

static lua_Integer put_list(lua_State *L, shape *s) {
  lua_Integer i = 0;
  while (lua_rawgeti(L, ROWS, i + 1) != LUA_TNIL) put_row(L, s, ++i, 0);
  return i;
}

static int put_next(lua_State *L, int status, lua_KContext done);

static int put_iterator(lua_State *L, lua_KContext done) {
  shape *s = lua_touserdata(L, SHAPE);
  for (;;) {
    lua_settop(L, SLOTS + s->count);
    lua_pushvalue(L, ROWS);
    lua_callk(L, 0, 2, done, put_next);
    if (lua_isnil(L, -2)) break;
    lua_Integer line = lua_tointeger(L, -1);
    lua_pop(L, 1);
    choose_step(L, s); /* the iterator may have put rows of its own */
    put_row(L, s, ++done, line);
  }
  lua_pushinteger(L, done);
  return 1;
}

/* Where a suspended iterator goes on: its two values are on top. */
static int put_next(lua_State *L, int status, lua_KContext done) {
  (void)status;
  shape *s = lua_touserdata(L, SHAPE);
  if (lua_isnil(L, -2)) return lua_pushinteger(L, done), 1;
  lua_Integer line = lua_tointeger(L, -1);
  lua_pop(L, 1);
  choose_step(L, s);
  put_row(L, s, done + 1, line);
  return put_iterator(L, done + 1);
}

static bool is_iterator(lua_State *L, int index) {
  if (lua_isfunction(L, index)) return true;
  if (luaL_getmetafield(L, index, "__call") == LUA_TNIL) return false;
  lua_pop(L, 1);
  return true;
}

/* A table without [1] is one row, unless it is empty: no rows. */
static bool is_one_row(lua_State *L, int index) {
  if (lua_rawlen(L, index) > 0) return false;
  lua_pushnil(L);
  if (!lua_next(L, index)) return false;
  lua_pop(L, 2);
  return true;
}

int put_rows(lua_State *L) {
  const char *name = luaL_checkstring(L, NAME);
  lua_settop(L, STEP);
  if (!lua_isnil(L, ALSO)) luaL_checktype(L, ALSO, LUA_TTABLE);
  shape *s = shape_find(L, name);
  luaL_checkstack(L, s->count + 12, "a table with very many columns");
  choose_step(L, s);
  spread_shared(L, s);
  lua_Integer given = put_csv(L, s);
  if (given >= 0) return lua_pushinteger(L, given), 1;
  if (is_iterator(L, ROWS)) return put_iterator(L, 0);
  if (!lua_istable(L, ROWS))
    return fault_fail(L, "COLUMN", "rows for '%s': a row, a list or an iterator expected, got a %s",
                      name, luaL_typename(L, ROWS));
  lua_Integer count = 1;
  if (is_one_row(L, ROWS))
    lua_pushvalue(L, ROWS), put_row(L, s, 1, 0);
  else
    count = put_list(L, s);
  lua_pushinteger(L, count);
  return 1;
}

/* ── Part of a row ── */

/* The canonical form of the value on top, by way of its packed bytes. */
static void make_canonical(lua_State *L, shape *s, const shape_column *c) {
  script *owner = script_of(L);
  dts_error e;
  buffer_clear(&owner->out);
  if (shape_pack(L, c, lua_gettop(L), &owner->out, &e) < 0) {
    size_t size = strlen(e.message);
    snprintf(e.message + size, sizeof e.message - size, " (of '%s')", s->name);
    fault_raise(L, &e);
  }
  unpack u = {owner->out.data, owner->out.data + owner->out.size};
  lua_pop(L, 1);
  convert_unpack(L, &u, false);
  if (lua_isnil(L, -1)) lua_pop(L, 1), convert_push_null(L);
}

/* The row's checked columns are on top. */
static void check_key_given(lua_State *L, const shape *s) {
  for (int i = 0; i < s->count; i++) {
    if (!s->columns[i].key) continue;
    if (lua_getfield(L, -1, s->columns[i].name) == LUA_TNIL)
      fault_fail(L, "COLUMN", "an update of table '%s' names its whole key: '%s' is missing",
                 s->name, s->columns[i].name);
    lua_pop(L, 1);
  }
}

int put_check(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  shape *s = shape_find(L, name);
  lua_newtable(L);
  for (lua_pushnil(L); lua_next(L, 2);) {
    int column = shape_column_find(L, s, -2, 0);
    if (column < 0) refuse_column(L, s, lua_absindex(L, -2), "update");
    make_canonical(L, s, &s->columns[column]);
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, 4);
  }
  check_key_given(L, s);
  return 1;
}
