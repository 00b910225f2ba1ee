/* put.h -- ctx:put's hot path: rows checked and packed by position, sent in large frames.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_PUT_H
#define DTS_SCRIPT_PUT_H

#include <lua.h>

int put_rows(lua_State *L);       /* kernel.put(table, rows, also?, step?) -> count */
int put_check(lua_State *L);      /* kernel.check(table, row) -> row */
int put_flush(lua_State *L);      /* kernel.flush() */
void put_flush_all(lua_State *L); /* sends whatever is buffered, for every table */

#endif
