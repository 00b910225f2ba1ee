/* ingest_check.h -- is a request whom it says, and is an event what its schema says?
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_INGEST_CHECK_H
#define DTS_FLOW_INGEST_CHECK_H

#include "flow/inputs/ingest_read.h"
#include "flow/inputs/schemas.h"

/* HMAC-SHA-256 over the raw body, "sha256=" and 64 hex digits in the declared header, compared in
 * constant time. `secret` NULL: SECRET 503, nothing is let in; no or another signature: SIGNATURE
 * 401. */
int ingest_check_signature(const value *signature, const value *headers, const char *secret,
                           const char *body, size_t size, dts_error *e);

typedef struct ingest_schemas { /* an ingest_check's argument; zeroes but for the first two */
  schemas_set *set;
  const value *templates; /* "schemas/{type}/{data.action}.schema.json": the first that exists */
  char path[1024];        /* of `last` */
  const schema *last;
} ingest_schemas;

int ingest_check_schema(void *arg, const char *type, const value *data, schema_fault *fault,
                        dts_error *e);

#endif
