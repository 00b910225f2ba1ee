/* lib_base.c -- Lua: pcall, xpcall, setmetatable, getmetatable.
 *
 * pcall and xpcall are Lua's, but a limit that was hit, a cancelled and a fenced run go through
 * them.
 *
 * SPDX-License-Identifier: MIT */
#include "script/lib_base.h"

#include <lauxlib.h>

#include "script/limit.h"

/* Stack: true (and, under xpcall, the function) below `skip`, then results or the error. */
static int finish(lua_State *L, int status, lua_KContext skip) {
  if (status == LUA_OK || status == LUA_YIELD) return lua_gettop(L) - (int)skip;
  if (limit_caught(L, status)) return lua_error(L);
  lua_pushboolean(L, false);
  lua_pushvalue(L, -2);
  return 2;
}

int base_pcall(lua_State *L) {
  luaL_checkany(L, 1);
  lua_pushboolean(L, true);
  lua_insert(L, 1);
  return finish(L, lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, 0, finish), 0);
}

int base_xpcall(lua_State *L) {
  int count = lua_gettop(L);
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_pushboolean(L, true);
  lua_pushvalue(L, 1);
  lua_rotate(L, 3, 2); /* f, handler, true, f, arguments */
  return finish(L, lua_pcallk(L, count - 2, LUA_MULTRET, 2, 2, finish), 2);
}

/* A text's metatable, a handle's and those of our own values are shared by all that holds one: to a
 * script they are closed (false), as if each had a __metatable. */
static bool is_shared(lua_State *L) {
  if (lua_type(L, 1) != LUA_TTABLE) return true;
  lua_pushliteral(L, "__name"); /* luaL_newmetatable has set it */
  bool shared = lua_rawget(L, -2) == LUA_TSTRING && lua_rawget(L, LUA_REGISTRYINDEX) != LUA_TNIL &&
                lua_rawequal(L, 2, -1);
  lua_settop(L, 2);
  return shared;
}

int base_getmetatable(lua_State *L) {
  luaL_checkany(L, 1);
  lua_settop(L, 1);
  if (!lua_getmetatable(L, 1)) return lua_pushnil(L), 1;
  if (is_shared(L)) return lua_pushboolean(L, false), 1;
  luaL_getmetafield(L, 1, "__metatable");
  return 1;
}

int base_setmetatable(lua_State *L) {
  int type = lua_type(L, 2);
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL)
    return luaL_error(L, "cannot change a protected metatable");
  if (type == LUA_TTABLE) {
    lua_pushliteral(L, "__gc");
    if (lua_rawget(L, 2) != LUA_TNIL)
      return luaL_error(L, "__gc is not available to scripts: use a local with <close>");
  }
  lua_settop(L, 2);
  lua_setmetatable(L, 1);
  return 1;
}
