/* convert_value.c -- trees of engine values (JSON, CSV, schemas) as Lua values, and back.
 *
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>

#include "script/convert.h"
#include "script/fault.h"

static void push(lua_State *L, const value *v, bool in_list);

static void push_items(lua_State *L, const value *v) {
  lua_createtable(L, (int)v->list.count, 0);
  for (size_t i = 0; i < v->list.count; i++) {
    push(L, &v->list.items[i], true);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  if (!v->list.count) convert_mark_list(L, -1);
}

static void push_pairs(lua_State *L, const value *v) {
  lua_createtable(L, 0, (int)v->map.count);
  for (size_t i = 0; i < v->map.count; i++) {
    push(L, &v->map.pairs[i].key, false);
    push(L, &v->map.pairs[i].item, false);
    lua_rawset(L, -3);
  }
}

static void push(lua_State *L, const value *v, bool in_list) {
  luaL_checkstack(L, 4, "a deep value");
  switch (v->kind) {
  case VALUE_BOOLEAN: lua_pushboolean(L, v->boolean); break;
  case VALUE_INTEGER: lua_pushinteger(L, v->integer); break;
  case VALUE_REAL: lua_pushnumber(L, v->real); break;
  case VALUE_TEXT: lua_pushlstring(L, v->text.bytes, v->text.size); break;
  case VALUE_LIST: push_items(L, v); break;
  case VALUE_MAP: push_pairs(L, v); break;
  case VALUE_NULL:
    if (in_list)
      convert_push_null(L);
    else
      lua_pushnil(L);
  }
}

void convert_push(lua_State *L, const value *v) { push(L, v, false); }

static value text_at(lua_State *L, int index, arena *a) {
  size_t size;
  const char *text = lua_tolstring(L, index, &size);
  return value_bytes(arena_copy(a, text, size), size);
}

static int buffer_gc(lua_State *L) { return buffer_free(lua_touserdata(L, 1)), 0; }

static void push_buffer_metatable(lua_State *L) {
  if (!luaL_newmetatable(L, "dts.buffer")) return;
  lua_pushcfunction(L, buffer_gc);
  lua_setfield(L, -2, "__gc");
}

/* The rules for tables are convert_pack's, so a table goes through its bytes. */
static void read_table(lua_State *L, int index, arena *a, value *out) {
  buffer *b = lua_newuserdatauv(L, sizeof *b, 0); /* freed by the metatable's __gc */
  buffer_init(b, (size_t)64 * 1024 * 1024);
  push_buffer_metatable(L);
  lua_setmetatable(L, -2);
  convert_pack(L, index, b, NULL);
  unpack u = {b->data, b->data + b->size};
  dts_error e;
  int bad = unpack_value(&u, a, out, &e);
  buffer_free(b);
  lua_pop(L, 1);
  if (bad < 0) fault_raise(L, &e);
}

void convert_value(lua_State *L, int index, arena *a, value *out) {
  index = lua_absindex(L, index);
  switch (lua_type(L, index)) {
  case LUA_TBOOLEAN: *out = value_boolean(lua_toboolean(L, index)); break;
  case LUA_TNUMBER:
    *out = lua_isinteger(L, index) ? value_integer(lua_tointeger(L, index))
                                   : value_real(lua_tonumber(L, index));
    break;
  case LUA_TSTRING: *out = text_at(L, index, a); break;
  case LUA_TTABLE: read_table(L, index, a, out); break;
  default:
    if (!convert_is_null(L, index))
      fault_fail(L, "VALUE", "a %s has no place in plain data", luaL_typename(L, index));
    *out = value_null();
  }
}
