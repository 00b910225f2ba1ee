/* lib_place.c -- Lua: local place = require "dts.place"   place.line(fn) -> line   place.file(fn) -> file
 *
 * Where a function was written, which scripts themselves cannot ask.
 *
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>

#include "script/libs.h"

static void look(lua_State *L, lua_Debug *place) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_pushvalue(L, 1);
  lua_getinfo(L, ">S", place);
}

static int place_line(lua_State *L) {
  lua_Debug place;
  look(L, &place);
  lua_pushinteger(L, place.linedefined > 0 ? place.linedefined : 0);
  return 1;
}

static int place_file(lua_State *L) {
  lua_Debug place;
  look(L, &place);
  lua_pushstring(L, place.source[0] == '@' ? place.source + 1 : place.source);
  return 1;
}

int luaopen_dts_place(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"file", place_file},
      {"line", place_line},
      {NULL, NULL},
  };
  luaL_newlib(L, functions);
  return 1;
}
