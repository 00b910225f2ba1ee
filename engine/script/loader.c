/* loader.c -- see loader.h. Registry tables: dts.chunks (functions of engine Lua, by name), dts.loaded
 * (modules, by name), dts.sources (FILE and text by name).
 *
 * SPDX-License-Identifier: MIT */
#include "script/loader.h"

#include <lauxlib.h>
#include <string.h>

#include "script/call.h"
#include "script/chunks.h"
#include "script/fault.h"
#include "script/globals.h"
#include "script/libs.h"

#define CHUNKS  "dts.chunks" /* a function is made of its bytes once in a state */
#define LOADED  "dts.loaded"
#define SOURCES "dts.sources"

static void push_registry(lua_State *L, const char *name) {
  luaL_getsubtable(L, LUA_REGISTRYINDEX, name);
}

/* ── Engine Lua ── */

/* Pushes the function that makes an engine module; false when there is none of that name. */
static bool push_engine_chunk(lua_State *L, const char *name) {
  lua_CFunction opener = libs_find(name);
  if (opener) return lua_pushcfunction(L, opener), true;
  push_registry(L, CHUNKS);
  bool found = lua_getfield(L, -1, name) != LUA_TNIL;
  if (!found) {
    lua_pop(L, 1);
    found = chunks_push(L, name);
    if (!found) return lua_pop(L, 1), false;
    lua_pushvalue(L, -1);
    lua_setfield(L, -3, name);
  }
  lua_remove(L, -2);
  return true;
}

int loader_search(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  if (push_engine_chunk(L, name)) return 1;
  lua_pushfstring(L, "no engine module '%s'", name);
  return 1;
}

/* ── Project files ── */

/* Compiles source under the chunk name "@FILE", in an environment of its own. */
static void push_project_chunk(lua_State *L, int source, const char *file) {
  size_t size;
  const char *text = luaL_checklstring(L, source, &size);
  if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0)
    text += 3, size -= 3; /* a byte order mark */
  lua_pushfstring(L, "@%s", file);
  if (luaL_loadbufferx(L, text, size, lua_tostring(L, -1), "t") != LUA_OK) lua_error(L);
  lua_remove(L, -2);
  if (script_of(L)->spec) return;
  globals_push_environment(L);
  lua_setupvalue(L, -2, 1);
}

int loader_evaluate(lua_State *L) {
  const char *file = luaL_checkstring(L, 1);
  luaL_checkstring(L, 2);
  lua_settop(L, 2);
  push_project_chunk(L, 2, file);
  lua_call(L, 0, LUA_MULTRET);
  return lua_gettop(L) - 2;
}

/* Pushes {file, source} of a module: asked of the engine once. */
static void push_source(lua_State *L, const char *name) {
  push_registry(L, SOURCES);
  if (lua_getfield(L, -1, name) == LUA_TTABLE) {
    lua_remove(L, -2);
    return;
  }
  lua_pop(L, 1);
  lua_pushcfunction(L, call_ask);
  lua_pushliteral(L, "module");
  lua_createtable(L, 0, 1);
  lua_pushstring(L, name);
  lua_setfield(L, -2, "name");
  lua_call(L, 2, 1);
  lua_pushvalue(L, -1);
  lua_setfield(L, -3, name);
  lua_remove(L, -2);
}

static void push_project_module(lua_State *L, const char *name) {
  push_source(L, name);
  lua_getfield(L, -1, "file");
  lua_getfield(L, -2, "source");
  if (!lua_isstring(L, -1) || !lua_isstring(L, -2))
    fault_fail(L, "MODULE", "the engine gave no source for module '%s'", name);
  push_project_chunk(L, lua_gettop(L), lua_tostring(L, -2));
}

void loader_forget(lua_State *L) {
  lua_pushnil(L);
  lua_setfield(L, LUA_REGISTRYINDEX, LOADED);
  globals_forget(L);
}

/* ── require ── */

/* While a module loads its place holds false, so that a circle is seen. */
static int require_module(lua_State *L, bool engine) {
  const char *name = luaL_checkstring(L, 1);
  bool ours = strcmp(name, "dts") == 0 || strncmp(name, "dts.", 4) == 0;
  if (ours && name[3] && !engine)
    return fault_fail(L, "MODULE", "'%s' is the engine's own: require \"dts\" gives all of it",
                      name);
  lua_settop(L, 1);
  push_registry(L, LOADED);
  if (lua_getfield(L, 2, name) == LUA_TBOOLEAN && !lua_toboolean(L, -1))
    return fault_fail(L, "MODULE", "module '%s' requires itself, directly or through others", name);
  if (!lua_isnil(L, -1)) return 1;
  if (!push_engine_chunk(L, name)) {
    if (ours) return fault_fail(L, "MODULE", "there is no module '%s'", name);
    push_project_module(L, name);
  }
  lua_pushboolean(L, false);
  lua_setfield(L, 2, name);
  lua_pushvalue(L, 1);
  lua_call(L, 1, 1);
  if (lua_isnil(L, -1)) lua_pushboolean(L, true), lua_replace(L, -2);
  lua_pushvalue(L, -1);
  lua_setfield(L, 2, name);
  return 1;
}

static int require_engine(lua_State *L) { return require_module(L, true); }

int loader_require(lua_State *L) { return require_module(L, false); }

void loader_push_engine(lua_State *L, const char *name) {
  if (script_of(L)->spec)
    lua_getglobal(L, "require");
  else
    lua_pushcfunction(L, require_engine);
  lua_pushstring(L, name);
  lua_call(L, 1, 1);
}

bool loader_push_main(lua_State *L) {
  loader_push_engine(L, "dts.main");
  return lua_istable(L, -1);
}

static int load_module(lua_State *L) {
  loader_push_engine(L, lua_tostring(L, 1));
  return 0;
}

void loader_preload(lua_State *L) {
  static const char *const modules[] = {"dts.main",   "dts",        "dts.pipeline", "dts.table",
                                        "dts.column", "dts.source", "dts.query",    "dts.http",
                                        "dts.log",    "dts.route",  "dts.request",  NULL};
  for (const char *const *name = modules; *name; name++) {
    lua_pushcfunction(L, load_module);
    lua_pushstring(L, *name);
    if (lua_pcall(L, 1, 0, 0) != LUA_OK) lua_pop(L, 1); /* it says so to the script that needs it */
  }
}

/* ── load ── */

static const char *read_piece(lua_State *L, void *data, size_t *size) {
  (void)data;
  lua_pushvalue(L, 1);
  lua_call(L, 0, 1);
  lua_replace(L, 5); /* keeps the piece alive */
  if (lua_isnil(L, 5)) return NULL;
  if (lua_type(L, 5) != LUA_TSTRING) luaL_error(L, "load: the function must give texts");
  return lua_tolstring(L, 5, size);
}

int loader_load(lua_State *L) {
  size_t size;
  bool has_environment = lua_gettop(L) >= 4;
  lua_settop(L, 5);
  const char *text = lua_tolstring(L, 1, &size);
  const char *name = luaL_optstring(L, 2, text ? text : "=(load)");
  int status =
      text ? luaL_loadbufferx(L, text, size, name, "t") : lua_load(L, read_piece, NULL, name, "t");
  if (status != LUA_OK) {
    lua_pushnil(L);
    lua_insert(L, -2);
    return 2;
  }
  if (has_environment)
    lua_pushvalue(L, 4);
  else
    globals_push_environment(L);
  if (!lua_setupvalue(L, -2, 1)) lua_pop(L, 1);
  return 1;
}

void loader_open(lua_State *L) {
  if (script_of(L)->spec) return;
  lua_pushcfunction(L, require_engine);
  lua_setglobal(L, "require");
}
