/* libs.c -- see libs.h. A new lib_NAME.c adds its row here and its prototype to libs.h.
 *
 * SPDX-License-Identifier: MIT */
#include "script/libs.h"

#include <lauxlib.h>
#include <lua-cjson.h>
#include <lualib.h>
#include <string.h>

#include "script/convert.h"
#include "script/globals.h"
#include "script/loader.h"

/* lua-cjson 2.1.0 crashes on deep input once its depth has been raised, and its encoder recurses
 * as deep as it is told: neither can be set. */
static int open_cjson(lua_State *L) {
  luaopen_cjson(L);
  lua_pushnil(L);
  lua_setfield(L, -2, "decode_max_depth");
  lua_pushnil(L);
  lua_setfield(L, -2, "encode_max_depth");
  lua_pushnil(L);
  lua_setfield(L, -2, "new");
  return 1;
}

static const luaL_Reg modules[] = {
    {"dts.digest", luaopen_dts_digest},
    {"dts.json", luaopen_dts_json},
    {"dts.kernel", luaopen_dts_kernel},
    {"dts.markup", luaopen_dts_markup},
    {"dts.place", luaopen_dts_place},
    {"dts.rows", luaopen_dts_rows},
    {"dts.schema", luaopen_dts_schema},
    {"dts.time", luaopen_dts_time},
    {"dts.zone", luaopen_dts_zone},
    {"cjson", open_cjson},
    {NULL, NULL},
};

lua_CFunction libs_find(const char *name) {
  for (const luaL_Reg *m = modules; m->name; m++)
    if (strcmp(m->name, name) == 0) return m->func;
  return NULL;
}

/* The searchers of package.searchers: ours stands before those that look for files. */
static void add_searcher(lua_State *L) {
  lua_getglobal(L, "table");
  lua_getfield(L, -1, "insert");
  lua_getglobal(L, "package");
  lua_getfield(L, -1, "searchers");
  lua_remove(L, -2);
  lua_pushinteger(L, 2);
  lua_pushcfunction(L, loader_search);
  lua_call(L, 3, 0);
  lua_pop(L, 1);
}

void libs_open(lua_State *L, bool spec) {
  convert_open(L);
  if (spec)
    luaL_openlibs(L);
  else
    globals_open(L);
  loader_open(L);
  if (spec) add_searcher(L);
}
