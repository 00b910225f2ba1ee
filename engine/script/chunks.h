/* chunks.h -- the engine's own Lua, compiled when dts-worker is built.
 *
 * The one idea: a state takes the modules that it uses out of bytes that are already there, so that
 * a fresh state costs what it uses. Only what was built into dts-worker is ever loaded as bytecode; a
 * project's texts never are.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_CHUNKS_H
#define DTS_SCRIPT_CHUNKS_H

#include <lua.h>
#include <stdbool.h>

/* Pushes the function of a module ("dts.table"); false, and nothing pushed, when there is none. */
bool chunks_push(lua_State *L, const char *name);

#endif
