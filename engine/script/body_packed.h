/* body_packed.h -- a gzip or zstd body, read as what is in it (private to body.c).
 *
 * A body's `packed` is owned by it. Reading raises PACK where the bytes are damaged or end too early.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_BODY_PACKED_H
#define DTS_SCRIPT_BODY_PACKED_H

#include "script/body.h"

size_t packed_read(lua_State *L, body *b, void *out, size_t size); /* as body_read */
void packed_close(packed *p);                                      /* NULL: nothing */

int body_unpacked(lua_State *L); /* Lua: body:unpacked(), the body itself when it is not packed */

#endif
