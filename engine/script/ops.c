/* ops.c -- see ops.h.
 *
 * SPDX-License-Identifier: MIT */
#include <stddef.h>
#include <string.h>

#include "script/ops.h"

static const op_name names[] = {
    {"stage", OP_STAGE, false, true, false},
    {"log", OP_LOG, false, false, false},
    {"progress", OP_PROGRESS, false, false, false},
    {"module", OP_MODULE, true, false, false},
    {"file", OP_FILE, true, false, false},
    {"http", OP_HTTP, true, false, false},
    {"query", OP_QUERY, true, false, true},
    {"lookup", OP_LOOKUP, true, false, false},
    {"step", OP_STEP, true, true, false},
    {"step_end", OP_STEP_END, true, true, false},
    {"step_fail", OP_STEP_FAIL, true, true, false},
    {"checkpoint", OP_CHECKPOINT, true, true, false},
    {"archived", OP_ARCHIVED, true, false, false},
    {"object", OP_OBJECT, true, false, false},
    {"sleep", OP_SLEEP, true, true, false},
    {"now", OP_NOW, true, false, false},
    {"random", OP_RANDOM, true, false, false},
    {"zone", OP_ZONE, true, false, false},
    {"enqueue", OP_ENQUEUE, true, false, false},
    {"test_open", OP_TEST_OPEN, true, false, false},
    {"test", OP_TEST, true, false, true},
};

const op_name *ops_find(const char *name) {
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(names[i].name, name) == 0) return &names[i];
  return NULL;
}
