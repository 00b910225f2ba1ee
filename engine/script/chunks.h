/* chunks.h -- the engine's own Lua, compiled once in the nursery and shared by all states after it.
 *
 * The one idea: a state takes the modules that it uses out of bytes that are already there, so that
 * a fresh state costs what it uses. Only texts that were compiled into dts-worker are ever loaded
 * as bytecode; a project's never are.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_CHUNKS_H
#define DTS_SCRIPT_CHUNKS_H

#include <lua.h>
#include <stdbool.h>

typedef struct chunks chunks;

chunks *chunks_open(lua_State *L); /* compiles all of them; NULL when one has an error */
void chunks_close(chunks *c);      /* NULL is fine */
/* Pushes the function of a module ("dts.table"); false, and nothing pushed, when there is none. */
bool chunks_push(lua_State *L, const chunks *c, const char *name);

#endif
