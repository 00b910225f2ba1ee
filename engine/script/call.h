/* call.h -- questions to the engine and its answers.
 *
 * A call sends one frame. Directly in the coroutine of a task (task.h) it yields, so that other
 * tasks go on; anywhere else it waits, and hands answers that come for others to their tasks. The
 * registry's table "dts.expected" says who waits for which call: a task, or true for a wait.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_CALL_H
#define DTS_SCRIPT_CALL_H

#include "script/script.h"
#include "wire/frame.h"

int call_ask(lua_State *L);         /* kernel.call(op, args?) -> answer */
int call_send(lua_State *L);        /* kernel.send(op, args) */
int call_answer_with(lua_State *L); /* kernel.answer_with(fn) */

/* Sends `payload`, one-way; raises ENGINE_GONE. */
void call_post(lua_State *L, uint8_t op, const buffer *payload, int fd);
/* Waits for one frame and gives it to whom it belongs. */
void call_pump(lua_State *L);
void call_forget(lua_State *L, uint32_t call); /* its answer will be dropped */

#endif
