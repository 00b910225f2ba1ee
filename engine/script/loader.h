/* loader.h -- where code comes from: the engine's own Lua, and the project's, which comes as
 * frames.
 *
 * Text chunks only. Engine Lua is compiled in ("dts", "dts.table" ...; chunk names "@dts/..."); a
 * project file has a chunk name "@FILE" and an environment of its own that falls back on the safe
 * globals. A required module is loaded once; its source is kept for loader_forget.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_LOADER_H
#define DTS_SCRIPT_LOADER_H

#include <stdbool.h>
#include <lua.h>

void loader_open(lua_State *L);    /* `require` of the engine's Lua */
int loader_evaluate(lua_State *L); /* kernel.evaluate(file, source) -> ... */
void loader_forget(
    lua_State *L);             /* every module, the engine's too: each is run anew when asked for */
int loader_load(lua_State *L); /* load(text, name?, mode?, env?): a project file's own */
int loader_search(lua_State *L);  /* a searcher for package.searchers, in a spec worker */
int loader_require(lua_State *L); /* require(name) of project files */
void loader_push_engine(lua_State *L, const char *name); /* pushes an engine module */
/* The engine modules that nearly every script uses, before they are asked for: in the nursery, so that its
 * children share them, and between two requests. */
void loader_preload(lua_State *L);
bool loader_push_main(lua_State *L); /* pushes dts.main, whatever it is; true: a table */

#endif
