/* lib_schema.c -- Lua: local schema = require "dts.schema"   (engine Lua only; validate.lua uses it)
 *
 * compile({ { uri =, document = (JSON text) } ... }, uri) -> schema; check(schema, value) -> true, or nil,
 * path and message of the first fault. The set of documents lives as long as the schema.
 *
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>

#include "format/json.h"
#include "format/schema.h"
#include "script/convert.h"
#include "script/fault.h"
#include "script/libs.h"
#include "script/rows.h"

#define COMPILED "dts.schema"
#define ARENA    "dts.arena"

typedef struct compiled {
  schema_set *set;
  schema *schema;
} compiled;

static int compiled_gc(lua_State *L) {
  compiled *c = luaL_checkudata(L, 1, COMPILED);
  if (c->schema) schema_free(c->schema);
  schema_set_close(c->set);
  *c = (compiled){0};
  return 0;
}

static int arena_gc(lua_State *L) {
  arena_free(lua_touserdata(L, 1));
  return 0;
}

static arena *push_arena(lua_State *L) {
  arena *a = lua_newuserdatauv(L, sizeof *a, 0);
  *a = (arena){0};
  rows_set_gc(L, ARENA, arena_gc);
  return a;
}

/* The document { uri, document } on top. */
static void add_document(lua_State *L, compiled *c, arena *a) {
  dts_error e;
  value document;
  size_t size;
  lua_getfield(L, -1, "uri");
  lua_getfield(L, -2, "document");
  const char *uri = luaL_checkstring(L, -2), *text = luaL_checklstring(L, -1, &size);
  if (json_read(a, text, size, &document, &e) < 0)
    fault_fail(L, "SCHEMA", "%s is not JSON: %s", uri, e.message);
  if (schema_add(c->set, uri, &document, &e) < 0) fault_raise(L, &e);
  lua_pop(L, 2);
}

static int schema_compile_all(lua_State *L) {
  dts_error e;
  luaL_checktype(L, 1, LUA_TTABLE);
  const char *uri = luaL_checkstring(L, 2);
  lua_settop(L, 2);
  compiled *c = lua_newuserdatauv(L, sizeof *c, 0);
  *c = (compiled){0};
  rows_set_gc(L, COMPILED, compiled_gc);
  c->set = schema_set_open();
  arena *a = push_arena(L);
  for (lua_Integer i = 1; lua_rawgeti(L, 1, i) != LUA_TNIL; i++, lua_pop(L, 1))
    add_document(L, c, a);
  c->schema = schema_compile(c->set, uri, &e);
  arena_free(a);
  if (!c->schema) return fault_raise(L, &e);
  lua_settop(L, 3);
  return 1;
}

static int schema_check_value(lua_State *L) {
  compiled *c = luaL_checkudata(L, 1, COMPILED);
  schema_fault fault = {0};
  value v;
  lua_settop(L, 2);
  arena *a = push_arena(L);
  convert_value(L, 2, a, &v);
  int bad = schema_check(c->schema, &v, &fault);
  arena_free(a);
  if (!bad) return lua_pushboolean(L, true), 1;
  lua_pushnil(L);
  lua_pushstring(L, fault.path);
  lua_pushstring(L, fault.message);
  return 3;
}

int luaopen_dts_schema(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"check", schema_check_value},
      {"compile", schema_compile_all},
      {NULL, NULL},
  };
  luaL_newlib(L, functions);
  return 1;
}
