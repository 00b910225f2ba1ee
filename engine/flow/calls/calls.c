/* calls.c -- which function answers which operation.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/calls/calls.h"

call_fn *call_find(wire_op op) {
  static const struct {
    wire_op op;
    call_fn *fn;
  } rows[] = {
      {OP_MODULE, call_module},
      {OP_FILE, call_file},
      {OP_HTTP, call_http},
      {OP_QUERY, call_query},
      {OP_LOOKUP, call_lookup},
      {OP_STEP, call_step},
      {OP_STEP_END, call_step_end},
      {OP_STEP_FAIL, call_step_fail},
      {OP_CHECKPOINT, call_checkpoint},
      {OP_SLEEP, call_sleep},
      {OP_ARCHIVED, call_archived},
      {OP_OBJECT, call_object},
      {OP_NOW, call_now},
      {OP_RANDOM, call_random},
      {OP_ZONE, call_zone},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (rows[i].op == op) return rows[i].fn;
  return NULL;
}
