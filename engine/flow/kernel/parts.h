/* parts.h -- what a kernel is made of, for the files of flow alone.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_PARTS_H
#define DTS_FLOW_PARTS_H

#include "flow/calls/http_cache.h"
#include "flow/kernel/kernel.h"
#include "flow/kernel/nursery.h"
#include "flow/runs/runner.h"
#include "net/fetch.h"

nursery *kernel_nursery(kernel *k);
runner *kernel_runner(kernel *k);
fetch *kernel_fetch(kernel *k);
http_cache *kernel_http_cache(kernel *k);
const kernel_options *kernel_opened_with(const kernel *k);
const registry *kernel_current(const kernel *k); /* loop's thread: the set in force, not held */
int64_t kernel_now(const kernel *k);
double kernel_chance(kernel *k);
void kernel_tell(kernel *k, int op, const value *event); /* everybody who listens */

/* Queues a write; `then` runs on the loop's thread after its commit (result 0) or undoing. */
typedef void kernel_then(void *arg, int result, const dts_error *e);
void kernel_write(kernel *k, store_work *work, kernel_then *then, void *arg);
bool kernel_is_writing(const kernel *k); /* writes whose `then` has not run yet */

/* A module or a file for a worker: the project's own first, then the shipped ones. The source is in `a`. */
int kernel_find_module(kernel *k, const char *name, arena *a, module *out, dts_error *e);
/* The value of {secret:NAME}; NULL when there is none. */
const char *kernel_secret(kernel *k, const char *name, arena *a);

/* A test's stand-in for the network: when set, OP_HTTP asks it instead of net/fetch, and it calls `done`
 * once with `done_arg`, as fetch would. */
typedef void kernel_network(void *arg, const value *request, const char *source, fetch_done *done,
                            void *done_arg);
void kernel_set_network(kernel *k, kernel_network *network, void *arg);
kernel_network *kernel_get_network(kernel *k, void **arg);

#endif
