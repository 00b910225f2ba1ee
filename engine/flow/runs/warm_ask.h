/* warm_ask.h -- what a handler asks while it answers: sources and the clock at once, the store on a pool thread,
 * so that the loop goes on however long a reading takes.
 *
 * The asker fills in the first group and owns nothing of it afterwards. `then` is called on the loop, and
 * the reading is freed behind it; by then the worker that asked may be gone.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_WARM_ASK_H
#define DTS_FLOW_WARM_ASK_H

#include "flow/kernel/kernel.h"
#include "flow/reload/registry.h"
#include "wire/op.h"

typedef struct warm_read {
  kernel *kernel;
  uint64_t server;        /* the worker's serial, */
  uint32_t call, request; /* its question, and the request that it answers */
  wire_op op;
  int64_t limit_ms;

  registry *set; /* held */
  arena memory;
  value args, answer, tables; /* tables: names of those it has read */
  int64_t now;
  int rc;
  dts_error error;
} warm_read;

typedef void warm_read_then(const warm_read *r);

void warm_read_start(const warm_read *asked, registry *set, const value *args,
                     warm_read_then *then);

int warm_ask_source(kernel *k, const script *of, wire_op op, const value *args, arena *a,
                    value *out, dts_error *e);
void warm_ask_clock(kernel *k, const registry *set, wire_op op, arena *a, value *out);

#endif
