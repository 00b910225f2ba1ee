/* libs.h -- the modules that C gives to Lua, by name.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_LIBS_H
#define DTS_SCRIPT_LIBS_H

#include <lua.h>
#include <stdbool.h>

void libs_open(lua_State *L, bool spec);   /* globals, require; in a spec worker all of Lua's own */
lua_CFunction libs_find(const char *name); /* NULL: no such module */
struct zone *libs_zone(lua_State *L, int index); /* of an open one; NULL: it is none */

int luaopen_dts_digest(lua_State *L);
int luaopen_dts_json(lua_State *L);
int luaopen_dts_kernel(lua_State *L);
int luaopen_dts_markup(lua_State *L);
int luaopen_dts_place(lua_State *L);
int luaopen_dts_rows(lua_State *L);
int luaopen_dts_schema(lua_State *L);
int luaopen_dts_time(lua_State *L);
int luaopen_dts_zone(lua_State *L);

#endif
