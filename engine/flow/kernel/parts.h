/* parts.h -- what a kernel is made of, for the files of flow alone.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_PARTS_H
#define DTS_FLOW_PARTS_H

#include "flow/calls/http_book.h"
#include "flow/calls/http_cache.h"
#include "flow/kernel/kernel.h"
#include "flow/kernel/nursery.h"
#include "flow/runs/runner.h"
#include "net/fetch.h"

nursery *kernel_nursery(kernel *k);
runner *kernel_runner(kernel *k);
fetch *kernel_fetch(kernel *k);
http_cache *kernel_http_cache(kernel *k);
http_book *kernel_http_book(kernel *k);
const kernel_options *kernel_opened_with(const kernel *k);
const registry *kernel_current(const kernel *k); /* loop's thread: the set in force, not held */
void kernel_set_config(kernel *k, const value *config); /* copies it; loop's thread */
int64_t kernel_now(const kernel *k);
void kernel_clock_set(kernel *k); /* the wall's clock was set, or the machine slept */
double kernel_chance(kernel *k);
void kernel_tell(kernel *k, int op, const value *event); /* everybody who listens */

/* Queues a write; `then` runs on the loop's thread after its commit (result 0) or undoing. */
typedef void kernel_then(void *arg, int result, const dts_error *e);
void kernel_write(kernel *k, store_work *work, kernel_then *then, void *arg);

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

/* One request of a run and what its script was given: after redirects and tries, from a cache too, and with
 * the kept body for a 304. Nothing in it outlives the call. */
typedef struct kernel_exchange {
  int64_t run;
  size_t ordinal;       /* of the request in its run, as the script asked */
  const value *request; /* as for a stand-in: no secrets */
  const char *source;
  const fetch_reply *reply; /* body: in `body`, or `fd`; NULL with an error */
  const value *headers;
  int fd;
  bool unchanged;
  const dts_error *error;
} kernel_exchange;
typedef void kernel_recorder(void *arg, const kernel_exchange *x);
void kernel_set_recorder(kernel *k, kernel_recorder *recorder, void *arg); /* NULL: nobody */
bool kernel_records(const kernel *k);
void kernel_record(kernel *k, const kernel_exchange *x);

#endif
