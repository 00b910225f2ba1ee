/* tables.h -- brings the store in line with a set: tables, roll-ups, views, and the rows that the project
 * brings (`rows = "data/x.csv"`), in one write.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_TABLES_H
#define DTS_FLOW_TABLES_H

#include "flow/kernel/parts.h"

/* Not yet in force: what the store remembers of private tables is added to the set. `then` is called
 * on the loop: 0, or -1 with an error whose `where` names the file at fault. */
void tables_ensure(kernel *k, registry *set, kernel_then *then, void *arg);

#endif
