/* call_query.c -- OP_QUERY and OP_LOOKUP: what scripts read of the store. The reading itself is in
 * reader.c, which routes use too; here it is put on a pool thread and checked against `private`.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "flow/calls/calls.h"
#include "flow/kernel/parts.h"
#include "flow/kernel/reader.h"

typedef struct querying {
  call *call;
  value answer;
  int rc;
  dts_error error;
} querying;

/* A query does not outlive its run for long. */
static int64_t time_left(const run *r) {
  int64_t left = r->began + r->pipeline->time_ms - loop_elapsed(kernel_loop(r->kernel));
  return left > 1 ? left : 1;
}

static reader_context context_of(const run *r) {
  return (reader_context){.set = r->set,
                          .store = kernel_store(r->kernel),
                          .now = loop_now(kernel_loop(r->kernel)),
                          .zone = r->pipeline->zone,
                          .limit_ms = time_left(r),
                          .writes = r->pipeline->tables};
}

static void query_work(void *arg) {
  querying *q = arg;
  reader_context x = context_of(q->call->run);
  call *c = q->call;
  q->rc = c->op == OP_LOOKUP ? reader_lookup(&x, &c->args, &c->memory, &q->answer, &q->error)
                             : reader_query(&x, &c->args, &c->memory, &q->answer, &q->error);
}

static void query_then(void *arg) {
  querying *q = arg;
  if (q->rc < 0)
    call_fail(q->call, &q->error);
  else
    call_answer(q->call, q->answer);
  free(q);
}

void call_query(call *c) {
  querying *q = memory_alloc(sizeof *q);
  q->call = c;
  loop_defer(kernel_loop(c->run->kernel), query_work, query_then, q);
}

void call_lookup(call *c) { call_query(c); }
