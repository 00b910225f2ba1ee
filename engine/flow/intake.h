/* intake.h -- files that arrive: which pipeline wants them, one job for each name and content.
 *
 * One idea: a file becomes an object first, then a row of dts_file and a job in one write; whoever comes
 * with the same name and content again gets the row that is there. Files come by upload (the command
 * `file`) or into the folders of the patterns, where they are left in place.
 *
 * All of it belongs to the loop's thread.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_INTAKE_H
#define DTS_FLOW_INTAKE_H

#include "flow/kernel.h"

typedef struct intake intake;

intake *intake_open(kernel *k);
void intake_start(intake *t); /* watches the patterns' folders, and looks at what lies there already */
void intake_close(intake *t); /* once the kernel is at rest; NULL is fine */
bool intake_idle(const intake *t); /* nothing is being taken */

/* The one pipeline that wants a file of this base name; `folder` (relative to the project, or NULL: an
 * upload) must be its pattern's. NULL: FILE_NAME 422, NO_PIPELINE 409, AMBIGUOUS 409. */
const pipeline *intake_match(const registry *set, const char *folder, const char *name, dts_error *e);

typedef struct intake_file {
  const char *pipeline, *name, *object; /* object: its name, which is the SHA-256 */
  int64_t size;
  int limit; /* of the job: the pipeline's retry */
} intake_file;

/* Inside a write: row and job, or those that are there. *id is dts_file's. */
int intake_insert(store_conn *c, const intake_file *f, int64_t now, int64_t *id, int64_t *job,
                  bool *fresh, dts_error *e);

#endif
