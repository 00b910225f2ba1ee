/* fault.h -- the one error value as Lua sees it.
 *
 * A table with a metatable: code, message, hint, where, retryable, retry_after (seconds), status,
 * permanent, traceback; tostring is "FILE:LINE: message [CODE]". `where` is the innermost frame of
 * the analyst's own code: chunks named "@dts/..." are ours and passed over; without such a frame it
 * is the script's file. Functions that raise own no memory of their own while they do.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_FAULT_H
#define DTS_SCRIPT_FAULT_H

#include <lua.h>

#include "base/buffer.h"
#include "base/error.h"

void fault_open(lua_State *L); /* makes the metatable, once */

void fault_push(lua_State *L, const dts_error *e);
int fault_raise(lua_State *L, const dts_error *e); /* fills `where` in when it is empty */
int fault_fail(lua_State *L, const char *code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
int fault_rethrow(lua_State *L); /* raises the value on top, `where` filled in when empty */

bool fault_is(lua_State *L, int index);
bool fault_is_final(lua_State *L, int index); /* LIMIT_..., CANCELLED, FENCED: pcall lets it pass */

/* Any value on top of L, made the error value with where and traceback: as a handler for
 * lua_pcall, and with the frames of `failed`, a coroutine whose stack still stands. */
int fault_handler(lua_State *L);
void fault_handle(lua_State *L, lua_State *failed);
void fault_read(lua_State *L, int index, dts_error *e);
void fault_pack(lua_State *L, int index, buffer *b); /* as OP_FAILED and OP_ERROR carry it */

/* "FILE:LINE" of the analyst's innermost frame, looking outward through coroutines; the script's
 * file, or "", when there is none. Allocates nothing. */
void fault_where(lua_State *L, char out[256]);
bool fault_frame(lua_State *L, lua_Debug *frame); /* that frame, in L and those that resumed it */

#endif
