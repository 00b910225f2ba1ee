/* rows.h -- what the readers of records share; lib_rows.c names them for Lua.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_ROWS_H
#define DTS_SCRIPT_ROWS_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "format/json.h"
#include "script/rows_cell.h"

int rows_csv(lua_State *L);    /* csv(body, shape) -> iterator of (row, line) */
int rows_json(lua_State *L);   /* json(body, at?, encoding?, origin) -> iterator of records */
int rows_ndjson(lua_State *L); /* ndjson(body, encoding?, origin) -> iterator of (record, line) */
int rows_lines(lua_State *L);  /* lines(body, encoding?, origin) -> iterator of (text, line) */

shape_type rows_type(const char *name); /* NULL and unknown: text */
/* decimal and dates of the shape at index, which keeps the texts alive. */
void rows_read_rule(lua_State *L, int index, cell_rule *rule);
/* False, nothing pushed: no JSON. */
bool rows_push_json(lua_State *L, const char *text, size_t size);
/* The value that begins with t as a record: what is no object or list is given as { value = it }. */
void rows_push_record(lua_State *L, json_reader *json, json_token t, const char *origin);
void rows_set_gc(lua_State *L, const char *type, lua_CFunction gc); /* of the userdata on top */

#endif
