/* ingest_read.h -- the body of a request as events: one, a JSON array, or a line each (NDJSON).
 *
 * One idea: pure, and each event for itself: what is wrong with one is a refusal with its line
 * (in an array its place, from 1) and path, and the others go on. Events are slices of the body,
 * byte for byte.
 *
 * A batch owns what it points to but the body's bytes; ingest_batch_free.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_INGEST_READ_H
#define DTS_FLOW_INGEST_READ_H

#include "base/error.h"
#include "format/schema.h"
#include "format/value.h"

enum { INGEST_EVENT_BYTES = 1024 * 1024, INGEST_ID_BYTES = 512 };

typedef struct ingest_event {
  const char *id, *type; /* type may be NULL */
  const char *time;      /* canonical timestamp; the present instant when the event names none */
  const char *json;      /* in the body */
  size_t size;
  int64_t job; /* for the writer: 0 not bundled yet, -1 a duplicate */
} ingest_event;

typedef struct ingest_refusal {
  int64_t line;
  const char *path, *message;
  const char *json; /* in the body */
  size_t size;
} ingest_refusal;

typedef struct ingest_batch {
  arena memory;
  ingest_event *events;
  ingest_refusal *refused;
  size_t count, refused_count, capacity, refused_capacity;
} ingest_batch;

/* Asked of each event ({type, data} are the pipeline's e.type and e.data): 0 good, 1 refused with
 * *fault, -1 the whole request fails. */
typedef int ingest_check(void *arg, const char *type, const value *data, schema_fault *fault,
                         dts_error *e);

typedef struct ingest_rules {
  const value *declared; /* the pipeline's ingest map: id, type, time */
  const value *headers;  /* {name: value}, or NULL */
  const char *type;      /* given with the request, instead of the declared one; or NULL */
  int64_t now;
  ingest_check *check; /* or NULL */
  void *check_arg;
} ingest_rules;

/* `out` must be zeroes; free it whatever comes back. */
int ingest_read(const ingest_rules *rules, const char *body, size_t size, ingest_batch *out,
                dts_error *e);
void ingest_batch_free(ingest_batch *b);

/* In any case; NULL when absent. */
const char *ingest_header(const value *headers, const char *name);
/* "data.a.b" or "a.b" below `data`; NULL when absent or null. */
const value *ingest_field(const value *data, const char *path);

#endif
