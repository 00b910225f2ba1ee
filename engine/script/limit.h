/* limit.h -- a run's memory and CPU limits, and how they end it.
 *
 * The CPU limit is a timer on CPU time: its signal's handler arms a hook on the coroutine that
 * runs, and the hook raises LIMIT_CPU at the running line, again and again, so that no pcall
 * swallows it. What does not come back to Lua within a second ends itself by SIGXCPU, and what
 * prevents that, by RLIMIT_CPU (cage.h). The memory limit is the allocator's cap. Whichever was
 * hit stays in script.limit: the run fails with it, whatever it
 * caught.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_LIMIT_H
#define DTS_SCRIPT_LIMIT_H

#include "script/script.h"

void limit_memory(script *s, int64_t bytes); /* 0: none */
void limit_cpu(script *s, int64_t ms);       /* from now on; 0: none. One script per process */

/* After a protected call: if `status` and the value on top tell of a limit, the value is
 * replaced by the limit's error and true returned; whoever caught it must raise it again. */
bool limit_caught(lua_State *L, int status);
void limit_arm(lua_State *L); /* once a limit was hit: the hook also on this coroutine */

#endif
