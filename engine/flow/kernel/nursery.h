/* nursery.h -- caged worker processes, as the engine holds them.
 *
 * One idea: the engine never forks itself. It execs dts-worker once (again if it dies) and asks it to
 * fork a run onto one end of a socket pair; the other end is a `worker` here. A worker ends once, with
 * the reason, after all it sent has been handed over. Everything runs on the loop's thread.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_NURSERY_H
#define DTS_FLOW_NURSERY_H

#include "base/error.h"
#include "flow/kernel/loop.h"
#include "wire/frame.h"
#include "wire/op.h"

typedef struct nursery nursery;
typedef struct worker worker;

typedef struct worker_limits {
  int64_t time_ms;        /* 0: none; the engine's timer and SIGKILL */
  int64_t cpu_ms, memory; /* cpu_ms 0: set by each OP_REQUEST */
} worker_limits;

typedef struct worker_end {
  int status, signal; /* as waited for */
  int64_t cpu_ms, peak;
  char where[256]; /* "FILE:LINE" as the worker left it behind, or ""; not to be trusted */
  bool timed_out;  /* the engine killed it at its time limit */
  bool starved;    /* it gave up with no memory left within its limit */
  bool lost;       /* the nursery went away and took it along */
} worker_end;

typedef struct worker_owner {                      /* who is told; `arg` comes back */
  void (*frame)(void *arg, const frame *in);       /* the callee owns in->fd */
  void (*ended)(void *arg, const worker_end *end); /* the worker is gone when this returns */
  void *arg;
} worker_owner;

nursery *nursery_open(loop *l, const char *program, dts_error *e);
void nursery_close(nursery *n); /* kills all workers without telling their owners */
worker *nursery_fork(nursery *n, const worker_limits *limits, const worker_owner *owner,
                     dts_error *e);
bool nursery_is_well(const nursery *n); /* false: it has ended, and starts again after a while */

/* Takes `fd` (or -1). */
/* False: there is no room for it among what the worker has not read yet, and it is killed. */
bool worker_send(worker *w, uint32_t call, wire_op op, const buffer *payload, int fd);
void worker_pause(worker *w, bool paused);      /* back-pressure: reads nothing while paused */
void worker_expire(worker *w, int64_t time_ms); /* sets the time limit anew; 0: none */
void worker_kill(worker *w);
void worker_give(worker *w, const worker_owner *owner); /* from now on this one is told */
bool worker_is_well(const worker *w); /* its process lives and listens, as far as is known */

#endif
