/* script.h -- one worker's state: a Lua state, its socket to the engine, its limits.
 *
 * The one idea: everything that a run needs hangs on one `script`, which every Lua thread of the
 * state finds by script_of(). A script owns its Lua state and its buffers; the socket belongs to
 * the process. In a caged worker the state has the safe base alone; in a spec worker all of Lua's
 * libraries.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_SCRIPT_H
#define DTS_SCRIPT_SCRIPT_H

#include <lua.h>
#include <stdbool.h>

#include "base/buffer.h"
#include "base/error.h"
#include "script/pool.h"

typedef struct task task;   /* task.h */
typedef struct shape shape; /* shape.h */

/* The coroutines that run inside each other, innermost first; each lives on the C stack of the
 * function that resumed it. */
typedef struct running {
  lua_State *L;
  struct running *outer;
} running;

typedef struct script {
  lua_State *L; /* the main thread */
  running main;
  running *volatile now; /* read by the CPU limit's signal handler */
  int socket;            /* to the engine; -1: none */
  bool spec;             /* a spec worker: uncaged, every library */
  pool pool;             /* where the state's small blocks are */
  struct script *kept;   /* as it was at script_keep, or NULL */
  uint32_t last_call;
  buffer in, out; /* the last frame received · the one being made */
  task *task;     /* the task whose turn it is, or NULL */
  shape *shapes;  /* tables that have been put to */
  int64_t batch;  /* rows of a frame at most; 0: by its bytes alone */
  size_t memory_used, memory_peak, memory_limit; /* bytes of the Lua state; 0: no limit */
  int64_t cpu_ms;                                /* for messages; 0: no limit */
  volatile int ticks;                            /* of the CPU limit's timer since it was reached */
  int64_t log_limit, log_used; /* bytes; 0: no limit. Past it, lines are dropped */
  bool stays;                  /* after this run the process takes another one, in a state as new */
  char refused_at[256];        /* the line at which memory was last refused */
  char file[256];              /* the script's name: where an error is when no frame tells */
  dts_error limit;             /* code set: this limit was hit, and is how the run ends */
} script;

script *script_open(bool spec); /* NULL without memory */
void script_close(script *s);   /* NULL is fine */
/* What script_renew comes back to: a state that has run nothing of a project's. */
void script_keep(script *s);
/* A state as new, in the same process: nothing of the one before is left but the socket and the room
 * of the buffers. False without memory; the script can then only be closed. */
bool script_renew(script *s);
script *script_of(lua_State *L);

/* lua_resume with `now` kept. Results are on co's stack. */
int script_resume(lua_State *L, lua_State *co, int arguments, int *results);
int script_reset(lua_State *L, lua_State *co); /* lua_resetthread, the same way */

#endif
