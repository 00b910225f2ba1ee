/* shape.c -- see shape.h.
 *
 * SPDX-License-Identifier: MIT */
#include "script/shape.h"

#include <lauxlib.h>
#include <string.h>

#include "base/arena.h"
#include "script/fault.h"
#include "script/loop.h"
#include "script/script.h"
#include "wire/frame.h"

#define SHAPE  "dts.shape"
#define SHAPES "dts.shapes"

static const char *const type_names[] = {"text", "integer",   "real", "boolean",
                                         "date", "timestamp", "json", NULL};

static int shape_gc(lua_State *L) {
  shape *s = lua_touserdata(L, 1);
  buffer_free(&s->rows);
  buffer_free(&s->cells);
  return 0;
}

/* The list of texts at index has this name. */
static bool list_has(lua_State *L, int index, const char *name) {
  bool has = false;
  for (lua_Integer i = 1, count = (lua_Integer)lua_rawlen(L, index); !has && i <= count; i++) {
    has = lua_rawgeti(L, index, i) == LUA_TSTRING && strcmp(lua_tostring(L, -1), name) == 0;
    lua_pop(L, 1);
  }
  return has;
}

static shape_type read_type(const char *name) {
  for (int i = 0; type_names[i]; i++)
    if (name && strcmp(type_names[i], name) == 0) return (shape_type)i;
  return SHAPE_JSON;
}

/* The column map is on top; `key` is the index of the table's key list, or of nil. */
static void read_column(lua_State *L, shape_column *c, int key) {
  int map = lua_gettop(L);
  lua_getfield(L, map, "type");
  c->type = read_type(lua_tostring(L, -1));
  lua_getfield(L, map, "default");
  bool otherwise = !lua_isnil(L, -1);
  lua_getfield(L, map, "not_null");
  c->required = lua_toboolean(L, -1) && !otherwise;
  c->key = lua_istable(L, key) && list_has(L, key, c->name);
  c->required = c->required || c->key;
  lua_settop(L, map);
}

/* Columns and key of the declaration on top; the shape lies under it. */
static void read_columns(lua_State *L, shape *s) {
  int declaration = lua_gettop(L);
  lua_getfield(L, declaration, "key");
  lua_getfield(L, declaration, "columns");
  lua_createtable(L, s->count, 0); /* keeps the names */
  for (int i = 0; i < s->count; i++) {
    lua_rawgeti(L, declaration + 2, i + 1);
    lua_getfield(L, -1, "name");
    s->columns[i].name = lua_tostring(L, -1);
    s->columns[i].id = lua_topointer(L, -1);
    lua_rawseti(L, declaration + 3, i + 1);
    read_column(L, &s->columns[i], declaration + 1);
    lua_pop(L, 1);
  }
  lua_setiuservalue(L, declaration - 1, 1);
  lua_settop(L, declaration);
}

/* From the declaration on top, in whose place it leaves the shape. */
static void make_shape(lua_State *L, const char *name) {
  script *owner = script_of(L);
  lua_getfield(L, -1, "columns");
  int count = lua_istable(L, -1) ? (int)lua_rawlen(L, -1) : 0;
  lua_pop(L, 1);
  shape *s = lua_newuserdatauv(L, sizeof *s + (size_t)count * sizeof *s->columns, 2);
  memset(s, 0, sizeof *s + (size_t)count * sizeof *s->columns);
  s->count = count;
  buffer_init(&s->rows, FRAME_LIMIT);
  buffer_init(&s->cells, FRAME_LIMIT);
  if (luaL_newmetatable(L, SHAPE)) lua_pushcfunction(L, shape_gc), lua_setfield(L, -2, "__gc");
  lua_setmetatable(L, -2);
  s->name = lua_pushstring(L, name);
  lua_setiuservalue(L, -2, 2);
  lua_insert(L, -2);
  read_columns(L, s);
  lua_pop(L, 1);
  s->next = owner->shapes;
  owner->shapes = s;
}

/* The nearest key of the table at index. */
static const char *nearest_key(lua_State *L, int index, const char *word, arena *a) {
  size_t count = 0;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) count++;
  const char **names = arena_alloc(a, (count + 1) * sizeof *names);
  count = 0;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1))
    if (lua_type(L, -2) == LUA_TSTRING) names[count++] = lua_tostring(L, -2);
  return error_nearest(word, names);
}

static int refuse_unknown(lua_State *L, const char *name) {
  dts_error e;
  arena a = {0};
  error_fail(&e, "TABLE_UNKNOWN", "there is no table '%s'", name);
  const char *nearest = lua_istable(L, -1) ? nearest_key(L, lua_gettop(L), name, &a) : NULL;
  if (nearest)
    error_fail(&e, "TABLE_UNKNOWN", "there is no table '%s'; did you mean '%s'?", name, nearest);
  arena_free(&a);
  return fault_raise(L, &e);
}

static void check_writes(lua_State *L, int start, const char *name) {
  lua_getfield(L, start, "writes");
  if (lua_istable(L, -1) && !list_has(L, lua_gettop(L), name)) {
    dts_error e;
    error_fail(&e, "TABLE_REFUSED", "this pipeline may not write table '%s'", name);
    error_hint(&e, "name it in the pipeline: allow = { tables = { \"%s\" } }", name);
    fault_raise(L, &e);
  }
  lua_pop(L, 1);
}

/* Pushes the named declaration, when this run may write it. */
static void push_declaration(lua_State *L, const char *name) {
  loop_push_start(L);
  if (!lua_istable(L, -1)) refuse_unknown(L, name);
  lua_getfield(L, -1, "tables");
  if (!lua_istable(L, -1)) refuse_unknown(L, name);
  lua_getfield(L, -1, name);
  if (!lua_istable(L, -1)) lua_pop(L, 1), refuse_unknown(L, name);
  check_writes(L, -3, name);
  lua_replace(L, -3);
  lua_pop(L, 1);
}

shape *shape_find(lua_State *L, const char *name) {
  luaL_checkstack(L, 12, "a table");
  luaL_getsubtable(L, LUA_REGISTRYINDEX, SHAPES);
  if (lua_getfield(L, -1, name) == LUA_TNIL) {
    lua_pop(L, 1);
    push_declaration(L, name);
    make_shape(L, name);
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, name);
  }
  lua_remove(L, -2);
  return lua_touserdata(L, -1);
}

int shape_column_find(lua_State *L, const shape *s, int index, int guess) {
  const void *id = lua_topointer(L, index);
  if (guess < s->count && s->columns[guess].id == id) return guess;
  for (int i = 0; i < s->count; i++)
    if (s->columns[i].id == id) return i;
  if (lua_type(L, index) != LUA_TSTRING) return -1;
  const char *name = lua_tostring(L, index);
  for (int i = 0; i < s->count; i++)
    if (strcmp(s->columns[i].name, name) == 0) return i; /* long names are not interned */
  return -1;
}
