/* alert_builtin.h -- the alerts that the engine brings: failed, quarantined, stale, disk. They
 * answer as reader_sql does: {columns, rows}. A declared alert of the same name takes their place.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_ALERT_BUILTIN_H
#define DTS_FLOW_ALERT_BUILTIN_H

#include "flow/kernel/reader.h"

typedef struct alert_builtin {
  const char *name, *message;
  const char *when; /* SQL, or NULL: then ask */
  int (*ask)(const reader_context *x, const char *root, arena *a, value *answer, dts_error *e);
  int64_t every_ms, hold_ms, remind_ms;
} alert_builtin;

const alert_builtin *alert_builtins(size_t *count);

#endif
