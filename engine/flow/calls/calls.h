/* calls.h -- the operations a run may ask for: one function each, in call_*.c; calls.c is the table.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_CALLS_H
#define DTS_FLOW_CALLS_H

#include "flow/runs/run.h"

call_fn call_module, call_file;                   /* call_module.c */
call_fn call_http;                                /* call_http.c */
call_fn call_query, call_lookup;                  /* call_query.c */
call_fn call_step, call_step_end, call_step_fail; /* call_step.c */
call_fn call_checkpoint, call_sleep;              /* call_checkpoint.c */
call_fn call_archived, call_object;               /* call_archive.c */
call_fn call_now, call_random, call_zone;         /* call_now.c */

/* Calls `then`, which answers, after a while; not at all once the worker has gone (call_wait.c). */
void call_wait(call *c, int64_t ms, void (*then)(call *c));
void call_wait_drop(run *r);

#endif
