/* ops.h -- the operations by the names that Lua uses: op.h's, in lower case, without OP_.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_OPS_H
#define DTS_SCRIPT_OPS_H

#include <stdbool.h>

#include "wire/op.h"

typedef struct op_name {
  const char *name;
  wire_op op;
  bool question; /* else one-way */
  bool flushes;  /* its answer could depend on the rows put before it */
  bool named;    /* its rows come as tables by column name */
} op_name;

const op_name *ops_find(const char *name); /* NULL: no such operation */

#endif
