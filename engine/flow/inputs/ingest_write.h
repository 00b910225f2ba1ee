/* ingest_write.h -- events in the store: kept, bundled into jobs, forgotten.
 *
 * One idea: rows of dts_event whose job is null wait to be bundled; 0 is the job of those that
 * are done and stay a while for people to see. A bundle is at most `batch` events or 4 MB. These
 * are works (store.h); they may be repeated, and leave their results in their argument.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_INGEST_WRITE_H
#define DTS_FLOW_INGEST_WRITE_H

#include "flow/inputs/ingest_read.h"
#include "store/store.h"

enum { INGEST_BUNDLE_BYTES = 4 * 1024 * 1024, INGEST_SHOWN = 20, INGEST_REFUSALS = 100000 };

typedef struct ingest_target {  /* what of a pipeline matters here; texts outlive the work */
  const char *pipeline, *group; /* group may be NULL */
  const char *day;              /* today in its zone */
  size_t batch;
  int retry;
  int64_t window_ms;
} ingest_target;

typedef struct ingest_write {
  ingest_target to;
  int64_t now;
  ingest_batch *batch;
  bool at_once;       /* what does not fill a bundle is one as well */
  const char *object; /* the raw body's, to be archived; or NULL */
  const char *type;   /* its content type, or NULL */
  size_t size;
  char hand[INGEST_ID_BYTES + 1]; /* where the last request stopped forgetting ids; "": the first */
  char stopped[INGEST_ID_BYTES + 1];               /* results: where this one did */
  size_t accepted, duplicates, loose, loose_bytes; /* loose: not bundled yet */
} ingest_write;

int ingest_write_work(store_conn *c, void *ingest_write, dts_error *e);

typedef struct ingest_bundle {
  ingest_target to;
  int64_t now;
  bool all;                        /* also what does not fill a bundle */
  size_t jobs, loose, loose_bytes; /* results */
} ingest_bundle;

int ingest_bundle_work(store_conn *c, void *ingest_bundle, dts_error *e);

/* Pipelines that have events without a job, as texts in `a`. */
int ingest_unbundled(store_conn *c, arena *a, value *pipelines, dts_error *e);

/* A batch is done: job `id` of pipeline `of`: its events go, but for the pipeline's newest. */
int ingest_done(store_conn *c, const char *of, int64_t id, dts_error *e);

#endif
