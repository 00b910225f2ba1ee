/* loop.h -- a worker's life: OP_START, the script, its ending.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_LOOP_H
#define DTS_SCRIPT_LOOP_H

#include "script/script.h"

/* Reads OP_START from s->socket and does what it says. 0 when the engine was told how it ended,
 * 1 when there was nobody to tell. */
int loop_run(script *s);

void loop_push_start(lua_State *L); /* the OP_START map, or nil before there is one */

#endif
