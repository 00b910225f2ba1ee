/* control.h -- the commands of a kernel: one row in control.c, one function in control_NAME.c.
 *
 *   run       {target (pipeline or file), params?} -> {firings, pipelines [names], jobs, runs [..],
 *             rows, state "done" | "failed"}
 *   enqueue   {pipeline, params?, key?, delay_ms?, group?, trigger?} -> {id}
 *   ingest    {pipeline, body (bytes), headers {}, type?} -> {accepted, duplicates, refused [{line, path, message}]}
 *   file      {file (its name), object, size} an upload that is whole -> {id, job, pipeline, fresh}
 *   release   {ids [..]} or {pipeline?, where?}, {reason?, with?} -> {count}
 *   drop      {ids [..]}, {reason} -> {count}
 *   plan      {pipeline} -> {series [{key, from, to, wanted, present, missing, held,
 *             quarantined, spans ["from/to"]}], holders [job ids]}
 *   next      {pipeline?, count} -> [{pipeline, trigger, at_ms, utc, local, timezone, jitter_ms?, note?}]
 *   check     {} -> {faults [..], counts {}}
 *   request   {route, req {}} -> OP_REQUEST's answer (op.h): a handler's reply from a warm worker
 *   status    {} -> {running [..], queued, waiting}
 *   catalog, explain, backfill, place: see their files
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_CONTROL_H
#define DTS_FLOW_CONTROL_H

#include "flow/kernel/kernel.h"

typedef struct question { /* a command under way; answer it once with one of the two below */
  kernel *kernel;
  arena memory; /* lives until the answer; `command` is in it */
  value command;
  kernel_event *event;
  kernel_answer *answer;
  void *arg;
} question;

void question_answer(question *q, value answer); /* frees the question */
void question_fail(question *q, const dts_error *e);

typedef void control_fn(kernel *k, question *q);

#endif
