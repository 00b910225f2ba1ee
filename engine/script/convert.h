/* convert.h -- Lua values to packed bytes, to `value`s, and back.
 *
 * Null inside a map is an absent key, inside a list it is kernel.null. A table marked as a list
 * (kernel.list), or one with [1], is a list; every other is a map with texts as keys. Failures
 * raise.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_CONVERT_H
#define DTS_SCRIPT_CONVERT_H

#include <lua.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "format/value.h"
#include "wire/pack.h"

/* The value at index, packed. A body with a descriptor is packed as null and its descriptor, still
 * the body's, stored in *fd (-1: none; NULL: refused). */
void convert_pack(lua_State *L, int index, buffer *b, int *fd);
/* Pushes the next whole value. With `named`, a map's "rows" that follow its "columns" come as one
 * table for each row, by column name. */
void convert_unpack(lua_State *L, unpack *u, bool named);

void convert_push(lua_State *L, const value *v);                   /* an engine value as Lua's */
void convert_value(lua_State *L, int index, arena *a, value *out); /* and back; texts are copied */

/* Once in a state: null's name and text are "null"; a script would see the engine's address otherwise. */
void convert_open(lua_State *L);
void convert_push_null(lua_State *L);
bool convert_is_null(lua_State *L, int index);     /* nil or kernel.null */
const char *convert_type(lua_State *L, int index); /* luaL_typename, and null is "null" */
void convert_mark_list(lua_State *L, int index);
bool convert_is_list(lua_State *L, int index); /* marked, or with [1] */

#endif
