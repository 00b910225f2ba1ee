/* lib_json.h -- JSON tokens as Lua values, for whoever reads records out of a document.
 *
 * The reader and the buffer are userdata that free themselves; the bytes read must outlive the reader
 * (anchor them). Faults of the text are raised as JSON, with the origin ("" for none) in brackets.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_LIB_JSON_H
#define DTS_SCRIPT_LIB_JSON_H

#include <lua.h>

#include "base/buffer.h"
#include "format/json.h"

typedef struct json_rules {
  const char *origin; /* "GET https://..." or "" */
  bool nulls;         /* null in an object is kernel.null, not absent */
  bool unique;        /* a key that is there twice is refused; otherwise the last one stays */
  lua_Integer depth;
} json_rules;

json_reader *json_push_reader(lua_State *L, const char *bytes, size_t size);
buffer *json_push_buffer(lua_State *L, size_t limit);
/* Pushes the value that begins with `token`; JSON null is nil. */
void json_push_value(lua_State *L, json_reader *r, json_token token, const json_rules *rules);
int json_raise(lua_State *L, const json_reader *r, const char *origin);

#endif
