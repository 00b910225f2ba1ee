/* task.h -- many calls at once: functions that run as coroutines, each until its next call.
 *
 * kernel.tasks keeps a group of tasks and resumes those whose answers have come. Inside a task
 * another group may run: its owner sleeps until one of its own tasks is ready. A group's userdata
 * is closed (__close) however kernel.tasks ends, and closes its tasks' coroutines with it.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_TASK_H
#define DTS_SCRIPT_TASK_H

#include "script/script.h"

typedef struct group group;

struct task { /* a userdata; its user value is the thread */
  lua_State *L;
  group *group;
  lua_Integer index; /* of its item */
  uint32_t call;     /* the answer that it waits for; 0: none */
  int arguments;     /* on L's stack, for the next resume */
  bool ready;
};

int task_run_all(lua_State *L); /* kernel.tasks(list, concurrency, fn) -> results */

/* The running coroutine is a task's own, and may be suspended here. */
bool task_may_yield(lua_State *L);
void task_push(lua_State *L, task *t); /* pushes its userdata */
/* Moves `count` values from L's top to the task, which goes on with them. */
void task_wake(lua_State *L, task *t, int count);

#endif
