/* ingest.h -- events that come in: taken, checked, kept, bundled into jobs.
 *
 * One idea: an event that was accepted is a row of dts_event, on disk before the answer; a
 * batcher gives rows without a job to jobs of kind "batch", so what a crash leaves behind is
 * found and bundled later. Requests are parsed and checked on a pool thread (ingest_read.h,
 * schemas.h) and written by one work each (ingest_write.h), which shares its commit with whatever
 * else waits.
 *
 * All of it belongs to the loop's thread. A request under way holds its own set.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_INGEST_H
#define DTS_FLOW_INGEST_H

#include "flow/kernel/kernel.h"

typedef struct ingest ingest;

ingest *ingest_open(kernel *k);
/* Bundles what an earlier life of the engine left without a job, or a time without the pipeline. */
void ingest_start(ingest *g);
void ingest_close(ingest *g);      /* once the kernel is at rest; NULL is fine */
bool ingest_idle(const ingest *g); /* no request and no bundling is under way; a timer may be set */

typedef struct ingest_request { /* texts are read until `then` was called */
  const char *pipeline, *type;  /* type: instead of the declared one; or NULL */
  const char *body;
  size_t size;
  const value *headers; /* {name: value}; names in any case; or NULL */
} ingest_request;

/* `answer` is {accepted, duplicates, refused [{line, path, message}]} and lives during the call;
 * on failure nothing was kept: PIPELINE 404, SIGNATURE 401, SECRET 503, SCHEMA 503, LIMIT_BODY
 * 413. Called once, perhaps before this returns. */
typedef void ingest_then(void *arg, const value *answer, const dts_error *e);
void ingest_take(ingest *g, const ingest_request *request, ingest_then *then, void *arg);

#endif
