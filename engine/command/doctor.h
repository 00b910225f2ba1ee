/* doctor.h -- what the files of `dts doctor` share: findings, and the folders of checks.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_DOCTOR_H
#define DTS_COMMAND_DOCTOR_H

#include "command/engine.h"

typedef enum verdict { PASS, WARN, FAIL } verdict;

typedef struct doctor {
  arena memory;
  const char *root;
  engine *engine; /* the running one, or a virtual one; NULL when neither opens */
  value place;    /* the command's answer; null when it could not be asked */
  value findings; /* [{check, verdict, message, hint?}] */
  bool served;    /* an engine runs */
  size_t warned, failed;
} doctor;

/* `hint` may be NULL. Texts are copied. */
void doctor_say(doctor *d, verdict v, const char *check, const char *message, const char *hint);

void doctor_files(doctor *d);  /* doctor_files.c: modes of var/ and secrets/, disk, stale things */
void doctor_store(doctor *d);  /* doctor_store.c: its pages, its lock, its last run */
void doctor_worker(doctor *d); /* doctor_worker.c: one starts, and is closed in */
void doctor_system(doctor *d); /* doctor_system.c: clock, time zones, address */

#endif
