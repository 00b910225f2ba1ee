/* intake_parts.h -- the intake's own structure, for intake*.c alone.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_INTAKE_PARTS_H
#define DTS_FLOW_INTAKE_PARTS_H

#include "flow/inputs/intake.h"

typedef struct folder_watch folder_watch; /* intake_folder.c */

struct intake {
  kernel *kernel;
  folder_watch *watch;
  size_t under_way;
  bool stopping;
};

bool intake_is_passing(const char *name); /* one that a copying program gives meanwhile */

folder_watch *folder_watch_open(intake *t);
void folder_watch_close(folder_watch *w); /* NULL is fine */
bool folder_watch_idle(const folder_watch *w);

#endif
