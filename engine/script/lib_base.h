/* lib_base.h -- Lua's own functions where ours differ: limits pass through pcall, no finalizers, no
 * metatables that values share, and a loop over nothing says so.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_LIB_BASE_H
#define DTS_SCRIPT_LIB_BASE_H

#include <lua.h>

int base_ipairs(lua_State *L);
int base_pairs(lua_State *L);
int base_pcall(lua_State *L);
int base_xpcall(lua_State *L);
int base_setmetatable(lua_State *L);
int base_getmetatable(lua_State *L);
int base_open_coroutine(lua_State *L); /* pushes the library */

#endif
