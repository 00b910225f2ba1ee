/* globals.h -- the safe base: what a script finds without requiring it.
 *
 * One table holds Lua's own functions less those that reach outside the run; every project file has
 * an empty environment that falls back on copies of Lua's libraries and then on that table.
 * Writing a global and reading an unknown one are
 * errors.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_GLOBALS_H
#define DTS_SCRIPT_GLOBALS_H

#include <lua.h>

void globals_open(lua_State *L);             /* a caged worker's; loader_open adds require */
void globals_push_environment(lua_State *L); /* a new, empty one */
void globals_forget(lua_State *L);           /* what scripts changed in the copies they share */

#endif
