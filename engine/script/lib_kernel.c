/* lib_kernel.c -- Lua: local kernel = require "dts.kernel"   (engine Lua only; README.md describes
 * it)
 *
 * What a run asks of the engine, and what the Lua side needs from C. Only thin functions here; the
 * work is done in call.c, put.c, task.c, loader.c and fault.c.
 *
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>

#include "base/arena.h"
#include "base/text.h"
#include "script/body.h"
#include "script/call.h"
#include "script/convert.h"
#include "script/fault.h"
#include "script/libs.h"
#include "script/loader.h"
#include "script/loop.h"
#include "script/put.h"
#include "script/task.h"

#define DECLARED "dts.declared"

static int kernel_start(lua_State *L) {
  loop_push_start(L);
  return 1;
}

static int kernel_tables(lua_State *L) {
  loop_push_start(L);
  if (!lua_istable(L, -1) || lua_getfield(L, -1, "tables") != LUA_TTABLE) lua_newtable(L);
  return 1;
}

static int kernel_where(lua_State *L) {
  lua_Debug place;
  if (!fault_frame(L, &place)) return lua_pushnil(L), lua_pushnil(L), 2;
  lua_pushstring(L, place.source + 1);
  lua_pushinteger(L, place.currentline);
  return 2;
}

static int kernel_declared(lua_State *L) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, DECLARED);
  convert_mark_list(L, -1);
  return 1;
}

static int kernel_declare(lua_State *L) {
  lua_Debug place;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  if (lua_getfield(L, 1, "file") == LUA_TNIL && fault_frame(L, &place)) {
    lua_pushstring(L, place.source + 1);
    lua_setfield(L, 1, "file");
    lua_pushinteger(L, place.currentline);
    lua_setfield(L, 1, "line");
  }
  kernel_declared(L);
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  lua_settop(L, 1);
  return 1;
}

/* ── Errors ── */

/* The table at 1 becomes an error value of its own, with every field that it has. */
static int kernel_error(lua_State *L) {
  dts_error e;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  fault_read(L, 1, &e);
  fault_push(L, &e);
  for (lua_pushnil(L); lua_next(L, 1);) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, 2);
  }
  return 1;
}

static int kernel_raise(lua_State *L) {
  if (!fault_is(L, 1)) kernel_error(L);
  return fault_rethrow(L);
}

static int kernel_is_error(lua_State *L) {
  lua_pushboolean(L, fault_is(L, 1));
  return 1;
}

static int kernel_nearest(lua_State *L) {
  arena a = {0};
  const char *word = luaL_checkstring(L, 1);
  luaL_checktype(L, 2, LUA_TTABLE);
  lua_settop(L, 2);
  size_t count = lua_rawlen(L, 2), kept = 0;
  const char **names = arena_alloc(&a, (count + 1) * sizeof *names);
  for (size_t i = 1; i <= count; i++, lua_settop(L, 2))
    if (lua_rawgeti(L, 2, (lua_Integer)i) == LUA_TSTRING) names[kept++] = lua_tostring(L, -1);
  const char *nearest = error_nearest(word, names);
  arena_free(&a);
  lua_pushstring(L, nearest); /* the list keeps it alive; NULL pushes nil */
  return 1;
}

static int kernel_shorten(lua_State *L) {
  char out[TEXT_SHORT];
  size_t size;
  switch (lua_type(L, 1)) {
  case LUA_TSTRING: {
    const char *text = lua_tolstring(L, 1, &size);
    lua_pushstring(L, text_shorten(out, text, size));
    break;
  }
  case LUA_TNUMBER:
  case LUA_TBOOLEAN: luaL_tolstring(L, 1, NULL); break;
  default:
    if (convert_is_null(L, 1))
      lua_pushliteral(L, "nothing");
    else
      lua_pushfstring(L, "a %s", luaL_typename(L, 1));
  }
  return 1;
}

/* ── Values ── */

static int kernel_body(lua_State *L) {
  luaL_checkstring(L, 1);
  body_push_text(L, 1);
  return 1;
}

static int kernel_list(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  convert_mark_list(L, 1);
  lua_settop(L, 1);
  return 1;
}

int luaopen_dts_kernel(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"answer_with", call_answer_with},
      {"body", kernel_body},
      {"call", call_ask},
      {"check", put_check},
      {"declare", kernel_declare},
      {"declared", kernel_declared},
      {"error", kernel_error},
      {"evaluate", loader_evaluate},
      {"flush", put_flush},
      {"is_error", kernel_is_error},
      {"list", kernel_list},
      {"nearest", kernel_nearest},
      {"put", put_rows},
      {"raise", kernel_raise},
      {"send", call_send},
      {"shorten", kernel_shorten},
      {"start", kernel_start},
      {"tables", kernel_tables},
      {"tasks", task_run_all},
      {"where", kernel_where},
      {NULL, NULL},
  };
  luaL_newlib(L, functions);
  convert_push_null(L);
  lua_setfield(L, -2, "null");
  return 1;
}
