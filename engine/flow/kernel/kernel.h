/* kernel.h -- the engine as others see it: open a project, ask it to do things, listen.
 *
 * One idea: everything that changes anything is a *command*, a map with a `name`, whoever asks: a
 * terminal over var/dts.sock, the web API, a spec. control.h lists them. Commands and their answers run
 * on the loop's thread; kernel_ask lets any other thread wait for one. What only reads may use the store
 * directly, with a set from kernel_registry.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_KERNEL_H
#define DTS_FLOW_KERNEL_H

#include "base/buffer.h"
#include "base/embed.h"
#include "base/error.h"
#include "flow/kernel/loop.h"
#include "flow/reload/registry.h"
#include "format/value.h"
#include "store/objects.h"
#include "store/store.h"

typedef struct kernel kernel;

/* A table to be rebuilt under its present declaration while the project is opened (dts migrate). */
typedef struct kernel_migration {
  const char *table;
  bool apply;    /* else it is tried, and undone */
  buffer report; /* what changes, a line each */
  bool done;     /* it would work, or did */
} kernel_migration;

typedef struct kernel_options {
  const char *root;          /* the project's folder */
  const char *file;          /* only this script (relative to root), or NULL: all of pipelines/ */
  const char *worker;        /* path of dts-worker */
  const char *environment;   /* of dts.lua's env table, or NULL */
  const embed_file *shipped; /* connectors compiled in, or NULL */
  bool serving;              /* fires schedules, watches files and scripts, delivers alerts */
  bool is_virtual;           /* a test's: store in memory, clock in its hands */
  int64_t now_ms;            /* the clock's first reading; 0, when not virtual: the present */
  bool replaying;            /* answers come from a recording: no secret is needed, none is used */
  kernel_migration *migration; /* or NULL */
  const value
      *laid_over; /* a test's: {config {..} over dts.lua, gaps {pipeline: {..}} over scripts} */
} kernel_options;

/* Opens the project: lock, store, nursery, dts.lua, every script. A script that fails to load is a
 * fault, not a failure (kernel_faults), unless `file` named it. */
kernel *kernel_open(const kernel_options *options, dts_error *e);
void kernel_close(kernel *k); /* ends workers (their jobs are handed back), closes the store */
loop *kernel_loop(kernel *k);
store *kernel_store(kernel *k);
objects *kernel_objects(kernel *k);
const char *kernel_root(const kernel *k);
/* What dts.lua says, the environment laid over; never NULL. */
const value *kernel_config(const kernel *k);

registry *kernel_registry(kernel *k); /* held: release it. Any thread. */
/* [{file, line, message, hint, since_ms}] of scripts whose last edit did not load. Any thread. */
value kernel_faults(kernel *k, arena *a);

/* An event while a command is under way, or anything that happened (kernel_listen): its op is OP_LOG
 * {run, level, message, at_ms}, OP_PROGRESS {run, done, total}, OP_RUN {id, pipeline, state, ..} or 0 for
 * {name "reload" "change" ..}. The value lives during the call. */
typedef void kernel_event(void *arg, int op, const value *event);
typedef void kernel_answer(void *arg, const value *answer, const dts_error *e); /* e NULL: fine */

/* Loop's thread: starts a command; `answer` is called once, perhaps before this returns. */
void kernel_command(kernel *k, const value *command, kernel_event *event, kernel_answer *answer,
                    void *arg);
/* Other threads: the same, waiting; the answer is copied into `a`. */
int kernel_ask(kernel *k, const value *command, arena *a, value *answer, dts_error *e);
/* Everything that happens, until unlisten. Callbacks run on the loop's thread. Any thread. */
uint64_t kernel_listen(kernel *k, kernel_event *event, void *arg);
void kernel_unlisten(kernel *k, uint64_t id); /* no call after it returns */

#endif
