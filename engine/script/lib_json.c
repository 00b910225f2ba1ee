/* lib_json.c -- Lua: local json = require "dts.json"   json.decode  json.encode
 *
 * The one idea: tokens go straight into Lua tables and tables straight into bytes, without a tree
 * between them. Integers stay integers. A null is absent in an object and kernel.null in an array; with
 * { nulls = true } it is kernel.null in both. Objects are written with their names sorted, so that one
 * value has one text (hashes and archives go by it). It must not know where a text came from.
 *
 * SPDX-License-Identifier: MIT */
#include <lauxlib.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "format/json.h"
#include "script/convert.h"
#include "script/fault.h"
#include "script/libs.h"
#include "script/lib_json.h"

#define WRITER "dts.json_writer"
enum { ENCODE_LIMIT = 256 * 1024 * 1024, DEPTH = JSON_DEPTH_USUAL };

/* ── Reading ── */

static const char *const decode_options[] = {"nulls", "duplicates", "depth", NULL};

static int refuse_option(lua_State *L, const char *name) {
  const char *nearest = error_nearest(name, decode_options);
  if (nearest)
    return fault_fail(L, "OPTION", "json.decode: unknown field '%s'; did you mean '%s'?", name,
                      nearest);
  return fault_fail(L, "OPTION",
                    "json.decode: unknown field '%s'; there are nulls, duplicates, depth", name);
}

/* The field on top, which is taken away. */
static void read_option(lua_State *L, const char *name, json_rules *rules) {
  int type = lua_type(L, -1);
  if (strcmp(name, "nulls") == 0) {
    if (type != LUA_TBOOLEAN)
      fault_fail(L, "OPTION", "json.decode: field 'nulls': true or false expected, got a %s",
                 luaL_typename(L, -1));
    rules->nulls = lua_toboolean(L, -1);
  } else if (strcmp(name, "duplicates") == 0) {
    const char *word = type == LUA_TSTRING ? lua_tostring(L, -1) : "";
    rules->unique = strcmp(word, "error") == 0;
    if (!rules->unique && strcmp(word, "last") != 0)
      fault_fail(L, "OPTION", "json.decode: field 'duplicates': \"last\" or \"error\" expected");
  } else if (strcmp(name, "depth") == 0) {
    rules->depth = lua_isinteger(L, -1) ? lua_tointeger(L, -1) : 0;
    if (rules->depth < 1 || rules->depth > JSON_DEPTH)
      fault_fail(L, "OPTION", "json.decode: field 'depth': a whole number from 1 to %d expected",
                 JSON_DEPTH);
  } else {
    refuse_option(L, name);
  }
  lua_pop(L, 1);
}

static void read_options(lua_State *L, int index, json_rules *rules) {
  if (lua_isnoneornil(L, index)) return;
  if (!lua_istable(L, index))
    fault_fail(L, "OPTION", "json.decode: options are a table such as { nulls = true }, got a %s",
               luaL_typename(L, index));
  for (lua_pushnil(L); lua_next(L, index);) {
    if (lua_type(L, -2) != LUA_TSTRING)
      fault_fail(L, "OPTION", "json.decode: options have names, as in { nulls = true }");
    read_option(L, lua_tostring(L, -2), rules);
  }
}

/* decode(text, { nulls =, duplicates =, depth = }?, origin?) */
static int json_decode(lua_State *L) {
  size_t size;
  json_rules rules = {.depth = JSON_DEPTH_USUAL};
  if (lua_type(L, 1) != LUA_TSTRING)
    return fault_fail(L, "JSON", "json.decode: a text expected, got %s%s",
                      lua_islightuserdata(L, 1) ? "" : "a ", convert_type(L, 1));
  const char *text = lua_tolstring(L, 1, &size);
  rules.origin = luaL_optstring(L, 3, "");
  read_options(L, 2, &rules);
  json_reader *r = json_push_reader(L, text, size);
  r->limit = (size_t)rules.depth;
  json_push_value(L, r, json_next(r), &rules);
  if (lua_isnil(L, -1)) lua_pop(L, 1), convert_push_null(L);
  if (json_next(r) != JSON_END) json_raise(L, r, rules.origin);
  json_close(r);
  return 1;
}

/* ── Writing ── */

static void write_value(lua_State *L, int index, buffer *b, int depth);

static void write_text(lua_State *L, int index, buffer *b) {
  char shown[TEXT_SHORT];
  size_t size;
  const char *text = lua_tolstring(L, index, &size);
  if (!text_is_utf8(text, size, NULL))
    fault_fail(L, "JSON", "json.encode: a text is not UTF-8: %s", text_shorten(shown, text, size));
  json_write_text(b, text, size);
}

static void write_list(lua_State *L, int index, buffer *b, int depth) {
  lua_Integer count = (lua_Integer)lua_rawlen(L, index), keys = 0;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) keys++;
  if (keys != count)
    fault_fail(L, "JSON",
               "json.encode: a table is either a list without holes or has names: this "
               "one is both");
  buffer_add_char(b, '[');
  for (lua_Integer i = 1; i <= count; i++) {
    if (i > 1) buffer_add_char(b, ',');
    lua_rawgeti(L, index, i);
    write_value(L, lua_gettop(L), b, depth);
    lua_pop(L, 1);
  }
  buffer_add_char(b, ']');
}

/* Pushes a sorted list of the names of the table at index. */
static lua_Integer push_names(lua_State *L, int index) {
  lua_Integer count = 0;
  lua_newtable(L);
  int list = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING)
      fault_fail(L, "JSON",
                 "json.encode: names are texts, not a %s (a list begins at 1 and has no holes)",
                 luaL_typename(L, -2));
    lua_pushvalue(L, -2);
    lua_rawseti(L, list, ++count);
  }
  lua_getglobal(L, "table");
  lua_getfield(L, -1, "sort");
  lua_remove(L, -2);
  lua_pushvalue(L, list);
  lua_call(L, 1, 0);
  return count;
}

static void write_map(lua_State *L, int index, buffer *b, int depth) {
  lua_Integer count = push_names(L, index);
  int names = lua_gettop(L);
  buffer_add_char(b, '{');
  for (lua_Integer i = 1; i <= count; i++) {
    if (i > 1) buffer_add_char(b, ',');
    lua_rawgeti(L, names, i);
    write_text(L, -1, b);
    buffer_add_char(b, ':');
    lua_rawget(L, index);
    write_value(L, lua_gettop(L), b, depth);
    lua_pop(L, 1);
  }
  buffer_add_char(b, '}');
  lua_settop(L, names - 1);
}

/* A table whose metatable has __plain (a query) is written as what that gives. */
static void write_table(lua_State *L, int index, buffer *b, int depth) {
  if (depth > DEPTH)
    fault_fail(L, "JSON",
               "json.encode: a table lies more than %d tables deep (does it hold itself?)", DEPTH);
  luaL_checkstack(L, 10, "a deep table");
  if (luaL_getmetafield(L, index, "__plain") != LUA_TNIL) {
    lua_pushvalue(L, index);
    lua_call(L, 1, 1);
    write_value(L, lua_gettop(L), b, depth + 1);
    lua_pop(L, 1);
  } else if (convert_is_list(L, index)) {
    write_list(L, index, b, depth + 1);
  } else {
    write_map(L, index, b, depth + 1);
  }
}

static void write_value(lua_State *L, int index, buffer *b, int depth) {
  switch (lua_type(L, index)) {
  case LUA_TBOOLEAN: buffer_add_text(b, lua_toboolean(L, index) ? "true" : "false"); break;
  case LUA_TNUMBER:
    if (lua_isinteger(L, index))
      json_write_integer(b, lua_tointeger(L, index));
    else if (isfinite(lua_tonumber(L, index)))
      json_write_real(b, lua_tonumber(L, index));
    else
      fault_fail(L, "JSON", "json.encode: JSON has no %s",
                 isnan(lua_tonumber(L, index)) ? "NaN (0/0)" : "infinity");
    break;
  case LUA_TSTRING: write_text(L, index, b); break;
  case LUA_TTABLE: write_table(L, index, b, depth); break;
  default:
    if (!convert_is_null(L, index))
      fault_fail(L, "JSON", "json.encode: a %s has no place in JSON", luaL_typename(L, index));
    buffer_add_text(b, "null");
  }
}

static int writer_gc(lua_State *L) {
  buffer_free(lua_touserdata(L, 1));
  return 0;
}

buffer *json_push_buffer(lua_State *L, size_t limit) {
  buffer *b = lua_newuserdatauv(L, sizeof *b, 0);
  buffer_init(b, limit);
  if (luaL_newmetatable(L, WRITER)) {
    lua_pushcfunction(L, writer_gc);
    lua_setfield(L, -2, "__gc");
  }
  lua_setmetatable(L, -2);
  return b;
}

static int json_encode(lua_State *L) {
  luaL_checkany(L, 1);
  lua_settop(L, 1);
  buffer *b = json_push_buffer(L, ENCODE_LIMIT);
  write_value(L, 1, b, 0);
  if (b->failed) return fault_fail(L, "LIMIT_SIZE", "a JSON text may have 256 MB");
  lua_pushlstring(L, b->size ? b->data : "", b->size);
  buffer_free(b);
  return 1;
}

int luaopen_dts_json(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"decode", json_decode},
      {"encode", json_encode},
      {NULL, NULL},
  };
  luaL_newlib(L, functions);
  return 1;
}
