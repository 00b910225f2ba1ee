/* dry_parts.h -- what dry.c and dry_changes.c share.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_DRY_PARTS_H
#define DTS_COMMAND_DRY_PARTS_H

#include "command/dry.h"

struct dry {
  arena memory;
  const char *root, *folder, *store; /* folder: var/dry-PID; store: the copy in it */
  value laid_over;
};

int dry_watch(dry *d, engine *n, dts_error *e); /* makes the triggers */

#endif
