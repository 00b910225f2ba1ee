/* convert.c -- see convert.h. Null is a light userdata, the address of a constant: it compares
 * equal to itself, has no fields, and is the same in every coroutine.
 *
 * SPDX-License-Identifier: MIT */
#include "script/convert.h"

#include <lauxlib.h>
#include <string.h>

#include "script/body.h"
#include "script/fault.h"

#define LIST "dts.list"
enum { DEPTH = 128 };

static const char null_mark = 0;

void convert_push_null(lua_State *L) { lua_pushlightuserdata(L, (void *)(uintptr_t)&null_mark); }

bool convert_is_null(lua_State *L, int index) {
  int type = lua_type(L, index); /* asked once: put's hot path */
  return type <= LUA_TNIL || (type == LUA_TLIGHTUSERDATA && lua_touserdata(L, index) == &null_mark);
}

const char *convert_type(lua_State *L, int index) {
  return lua_islightuserdata(L, index) ? "null" : luaL_typename(L, index);
}

static int null_tostring(lua_State *L) {
  lua_pushliteral(L, "null");
  return 1;
}

/* All light userdata share one metatable; a script meets no other than null. */
void convert_open(lua_State *L) {
  convert_push_null(L);
  lua_createtable(L, 0, 3);
  lua_pushliteral(L, "null");
  lua_setfield(L, -2, "__name");
  lua_pushcfunction(L, null_tostring);
  lua_setfield(L, -2, "__tostring");
  lua_pushboolean(L, false);
  lua_setfield(L, -2, "__metatable");
  lua_setmetatable(L, -2);
  lua_pop(L, 1);
}

void convert_mark_list(lua_State *L, int index) {
  index = lua_absindex(L, index);
  luaL_newmetatable(L, LIST);
  lua_setmetatable(L, index);
}

bool convert_is_list(lua_State *L, int index) {
  if (lua_rawlen(L, index) > 0) return true;
  if (!lua_getmetatable(L, index)) return false;
  luaL_newmetatable(L, LIST);
  bool same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same;
}

/* The only keys of a list are 1 .. count. */
static lua_Integer check_list(lua_State *L, int index) {
  lua_Integer count = (lua_Integer)lua_rawlen(L, index), keys = 0;
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) keys++;
  if (keys != count)
    fault_fail(L, "VALUE", "a table is either a list without holes or has names: this one is both");
  return count;
}

static const char *check_key(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TSTRING)
    fault_fail(L, "VALUE", "a table that is kept or sent has texts as keys, not a %s",
               luaL_typename(L, index));
  return lua_tostring(L, index);
}

static void check_depth(lua_State *L, int depth) {
  if (depth > DEPTH)
    fault_fail(L, "VALUE", "a table lies more than %d tables deep (does it hold itself?)", DEPTH);
  luaL_checkstack(L, 8, "a deep table");
}

static int refuse(lua_State *L, int index) {
  return fault_fail(L, "VALUE",
                    "a %s cannot be kept or sent: only texts, numbers, booleans, tables",
                    luaL_typename(L, index));
}

/* ── To packed bytes ── */

static void pack_at(lua_State *L, int index, buffer *b, int *fd, int depth);

static void pack_table(lua_State *L, int index, buffer *b, int *fd, int depth) {
  check_depth(L, depth);
  if (convert_is_list(L, index)) {
    lua_Integer count = check_list(L, index);
    pack_list(b, (size_t)count);
    for (lua_Integer i = 1; i <= count; i++) {
      lua_rawgeti(L, index, i);
      pack_at(L, lua_gettop(L), b, fd, depth);
      lua_pop(L, 1);
    }
    return;
  }
  pack_open_map(b);
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    size_t size;
    check_key(L, -2);
    const char *key = lua_tolstring(L, -2, &size);
    pack_text(b, key, size);
    pack_at(L, lua_gettop(L), b, fd, depth);
  }
  pack_end(b);
}

static void pack_body(lua_State *L, int index, buffer *b, int *fd) {
  body *it = body_test(L, index);
  if (!it) refuse(L, index);
  if (it->fd < 0) {
    pack_text(b, it->bytes, it->size);
  } else {
    if (!fd || *fd >= 0) fault_fail(L, "VALUE", "only one large body can be sent at once");
    *fd = it->fd;
    pack_null(b);
  }
}

static void pack_at(lua_State *L, int index, buffer *b, int *fd, int depth) {
  size_t size;
  switch (lua_type(L, index)) {
  case LUA_TNIL: pack_null(b); break;
  case LUA_TBOOLEAN: pack_boolean(b, lua_toboolean(L, index)); break;
  case LUA_TNUMBER:
    if (lua_isinteger(L, index))
      pack_integer(b, lua_tointeger(L, index));
    else
      pack_real(b, lua_tonumber(L, index));
    break;
  case LUA_TSTRING: {
    const char *text = lua_tolstring(L, index, &size);
    pack_text(b, text, size);
    break;
  }
  case LUA_TTABLE: pack_table(L, index, b, fd, depth + 1); break;
  default:
    if (convert_is_null(L, index))
      pack_null(b);
    else
      pack_body(L, index, b, fd);
  }
}

void convert_pack(lua_State *L, int index, buffer *b, int *fd) {
  luaL_checkstack(L, 8, "a table");
  pack_at(L, lua_absindex(L, index), b, fd, 0);
  if (b->failed)
    fault_fail(L, "LIMIT_SIZE", "what is sent at once may have %zu MB", b->limit / (1024 * 1024));
}

/* ── From packed bytes ── */

static bool push_next(lua_State *L, unpack *u, bool open, bool in_list, int depth);

static int size_hint(size_t count) { return count < 65536 ? (int)count : 65536; }

static void read_head(lua_State *L, unpack *u, value *v, bool *ended) {
  dts_error e;
  if (unpack_next(u, v, ended, &e) < 0) fault_raise(L, &e);
}

static void push_list(lua_State *L, unpack *u, size_t count, int depth) {
  bool open = count == UNPACK_OPEN;
  lua_createtable(L, open ? 0 : size_hint(count), 0);
  lua_Integer i = 1;
  for (; open || i <= (lua_Integer)count; i++) {
    if (!push_next(L, u, open, true, depth)) break;
    lua_rawseti(L, -2, i);
  }
  if (i == 1) convert_mark_list(L, -1);
}

/* Pushes the map's next key; false at its end. */
static bool push_key(lua_State *L, unpack *u, bool open) {
  value key;
  bool ended = false;
  read_head(L, u, &key, open ? &ended : NULL);
  if (ended) return false;
  if (key.kind != VALUE_TEXT) fault_fail(L, "WIRE", "a packed map's key is not a text");
  lua_pushlstring(L, key.text.bytes, key.text.size);
  return true;
}

static void push_map(lua_State *L, unpack *u, size_t count, int depth) {
  bool open = count == UNPACK_OPEN;
  lua_createtable(L, 0, open ? 0 : size_hint(count));
  for (size_t i = 0; (open || i < count) && push_key(L, u, open); i++) {
    push_next(L, u, false, false, depth);
    lua_rawset(L, -3);
  }
}

static void push_scalar(lua_State *L, const value *v, bool in_list) {
  switch (v->kind) {
  case VALUE_BOOLEAN: lua_pushboolean(L, v->boolean); break;
  case VALUE_INTEGER: lua_pushinteger(L, v->integer); break;
  case VALUE_REAL: lua_pushnumber(L, v->real); break;
  case VALUE_TEXT: lua_pushlstring(L, v->text.bytes, v->text.size); break;
  default:
    if (in_list)
      convert_push_null(L);
    else
      lua_pushnil(L);
  }
}

/* False, and nothing pushed, at the end mark of an open list. */
static bool push_next(lua_State *L, unpack *u, bool open, bool in_list, int depth) {
  value v;
  bool ended = false;
  check_depth(L, depth);
  read_head(L, u, &v, open ? &ended : NULL);
  if (ended) return false;
  if (v.kind == VALUE_LIST)
    push_list(L, u, v.list.count, depth + 1);
  else if (v.kind == VALUE_MAP)
    push_map(L, u, v.map.count, depth + 1);
  else
    push_scalar(L, &v, in_list);
  return true;
}

/* One row: its values under the names in the list at `columns`. False at an open list's end. */
static bool push_row(lua_State *L, unpack *u, int columns, bool open) {
  value head;
  bool ended = false;
  read_head(L, u, &head, open ? &ended : NULL);
  if (ended) return false;
  lua_Integer count = (lua_Integer)lua_rawlen(L, columns);
  if (head.kind != VALUE_LIST || head.list.count != (size_t)count)
    fault_fail(L, "WIRE", "a row does not have one value for each column");
  lua_createtable(L, 0, (int)count);
  for (lua_Integer i = 1; i <= count; i++) {
    lua_rawgeti(L, columns, i);
    push_next(L, u, false, false, 2);
    lua_rawset(L, -3);
  }
  return true;
}

static void push_rows(lua_State *L, unpack *u, int columns) {
  value head;
  read_head(L, u, &head, NULL);
  if (head.kind != VALUE_LIST) fault_fail(L, "WIRE", "rows are not a list");
  size_t count = head.list.count;
  bool open = count == UNPACK_OPEN;
  lua_createtable(L, open ? 0 : size_hint(count), 0);
  lua_Integer i = 1;
  for (; (open || i <= (lua_Integer)count) && push_row(L, u, columns, open); i++)
    lua_rawseti(L, -2, i);
  if (i == 1) convert_mark_list(L, -1);
}

static bool key_is(lua_State *L, const char *name) {
  return strcmp(lua_tostring(L, -1), name) == 0;
}

static void push_named(lua_State *L, unpack *u, size_t count) {
  bool open = count == UNPACK_OPEN;
  int columns = 0, top = lua_gettop(L) + 2;
  lua_pushnil(L); /* the place of the columns */
  lua_newtable(L);
  for (size_t i = 0; (open || i < count) && push_key(L, u, open); i++) {
    bool is_columns = key_is(L, "columns");
    if (columns && key_is(L, "rows"))
      push_rows(L, u, columns);
    else
      push_next(L, u, false, false, 1);
    if (is_columns && lua_istable(L, -1)) {
      columns = top - 1;
      lua_pushvalue(L, -1);
      lua_replace(L, columns);
    }
    lua_rawset(L, -3);
  }
  lua_remove(L, top - 1);
}

void convert_unpack(lua_State *L, unpack *u, bool named) {
  luaL_checkstack(L, 12, "an answer");
  unpack ahead = *u;
  value head;
  if (named) read_head(L, &ahead, &head, NULL);
  if (named && head.kind == VALUE_MAP) {
    *u = ahead;
    push_named(L, u, head.map.count);
    return;
  }
  push_next(L, u, false, false, 0);
}
