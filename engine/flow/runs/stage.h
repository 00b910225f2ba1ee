/* stage.h -- what a run wants written, kept until it may be.
 *
 * One idea: frames are kept as they came, in memory to 8 MB and then in an unlinked file on the
 * store's disk, and applied in one transaction. They are checked, and their keys looked at, as they
 * come. Puts that stand together are applied sorted by table and key, stably, so that of two puts of
 * one key the later wins; every other verb is applied in its place.
 *
 * A stage belongs to one run and is used by one thread at a time: what the writer applies has been taken,
 * so that the run may go on staging.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_STAGE_H
#define DTS_FLOW_STAGE_H

#include "flow/reload/registry.h"
#include "store/store.h"
#include "wire/op.h"

typedef struct stage stage;

typedef struct stage_context { /* what the effects are applied with */
  const registry *set;
  const pipeline *pipeline;
  int64_t job, run, now;
  const char *day; /* of the run, for archives */
} stage_context;

/* `set` is what its rows are checked against; a file, when one is needed, lies beside `disk`. Both
 * outlive it. */
stage *stage_open(const registry *set, store *disk);
void stage_free(stage *s); /* NULL is fine */
/* Keeps one OP_ROWS or OP_STAGE frame's payload, checked. DISK_FULL or LIMIT_STAGE when the disk
 * refuses; after a failure the stage is only to be cleared. */
int stage_add(stage *s, wire_op op, const char *payload, size_t size, dts_error *e);
int stage_add_value(stage *s, const value *effect, dts_error *e); /* OP_STAGE of the engine's own */
size_t stage_rows(const stage *s);                                /* rows put or updated so far */
void stage_clear(stage *s);
stage *
stage_take(stage *s); /* a stage of its own with all that `s` held; `s` is empty and goes on */
int stage_apply(stage *s, store_conn *c, const stage_context *context, dts_error *e);
/* How many rows were not written since a later one of the stage had their key and other values, and the
 * first one's table and key in words, which the stage owns. */
size_t stage_replaced(const stage *s, const char **first);

#endif
