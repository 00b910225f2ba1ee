/* lib_base.c -- Lua: ipairs, pairs, pcall, xpcall, setmetatable, getmetatable.
 *
 * pcall and xpcall are Lua's, but a limit that was hit, a cancelled and a fenced run go through
 * them. ipairs and pairs are Lua's too, but refuse at once, by their own names, what Lua's refuse in
 * the first turn as "for iterator".
 *
 * SPDX-License-Identifier: MIT */
#include "script/lib_base.h"

#include <lauxlib.h>

#include "script/convert.h"
#include "script/fault.h"
#include "script/limit.h"

/* ── Loops ── */

static void refuse_loop(lua_State *L, const char *name) {
  dts_error e;
  luaL_checkany(L, 1);
  error_fail(&e, "SCRIPT", "bad argument #1 to '%s' (table expected, got %s)", name,
             convert_type(L, 1));
  if (lua_isnil(L, 1))
    error_hint(&e,
               "a field or a variable that is not there is nil: look at what came, or write "
               "%s(x or {})",
               name);
  fault_raise(L, &e);
}

static int take_item(lua_State *L) {
  lua_Integer i = luaL_checkinteger(L, 2) + 1;
  lua_pushinteger(L, i);
  return lua_geti(L, 1, i) == LUA_TNIL ? 1 : 2;
}

int base_ipairs(lua_State *L) {
  if (!lua_istable(L, 1) && luaL_getmetafield(L, 1, "__index") == LUA_TNIL)
    refuse_loop(L, "ipairs");
  lua_settop(L, 1);
  lua_pushcfunction(L, take_item);
  lua_insert(L, 1);
  lua_pushinteger(L, 0);
  return 3;
}

static int take_pair(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 2);
  if (lua_next(L, 1)) return 2;
  lua_pushnil(L);
  return 1;
}

static int give_pairs(lua_State *L, int status, lua_KContext context) {
  (void)L, (void)status, (void)context;
  return 3;
}

int base_pairs(lua_State *L) {
  luaL_checkany(L, 1);
  if (luaL_getmetafield(L, 1, "__pairs") != LUA_TNIL) {
    lua_pushvalue(L, 1);
    lua_callk(L, 1, 3, 0, give_pairs);
    return 3;
  }
  if (!lua_istable(L, 1)) refuse_loop(L, "pairs");
  lua_pushcfunction(L, take_pair);
  lua_pushvalue(L, 1);
  lua_pushnil(L);
  return 3;
}

/* ── Calls ── */

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
