/* lib_json.h -- JSON tokens as Lua values, for whoever reads records out of a document.
 *
 * The reader and the buffer are userdata that free themselves; the bytes read must outlive the reader
 * (anchor them). Faults of the text are raised as JSON, with `origin` ("" for none) in brackets.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_LIB_JSON_H
#define DTS_SCRIPT_LIB_JSON_H

#include <lua.h>

#include "base/buffer.h"
#include "format/json.h"

json_reader *json_push_reader(lua_State *L, const char *bytes, size_t size);
buffer *json_push_buffer(lua_State *L, size_t limit);
/* Pushes the value that begins with `token`; JSON null is nil. */
void json_push_value(lua_State *L, json_reader *r, json_token token, bool nulls,
                     const char *origin);
int json_raise(lua_State *L, const json_reader *r, const char *origin);

#endif
