/* intake.h -- files that arrive: which pipeline wants them, one job for each content.
 *
 * One idea: a file becomes an object first, then a row of dts_file and a job in one write;
 * whoever brings a content again, under whatever name, gets the row that is there. Files come by
 * upload (the command `file`) or into the folders of the patterns (intake_folder.h), where they
 * are left in place.
 *
 * The loop's thread, but for the pure part and what runs inside a write.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_INTAKE_H
#define DTS_FLOW_INTAKE_H

#include "flow/kernel/kernel.h"

typedef struct intake intake;

intake *intake_open(kernel *k);
/* Watches the patterns' folders, and looks at what lies there already. */
void intake_start(intake *t);
void intake_stop(intake *t);       /* what waits stays where it is; what is under way ends */
void intake_close(intake *t);      /* once the kernel is at rest; NULL is fine */
bool intake_idle(const intake *t); /* nothing is being taken */

/* The one pipeline that wants a file of this base name; `folder` (relative to the project, or
 * NULL: an upload) must be its pattern's. NULL: FILE_NAME 422, NO_PIPELINE 409, AMBIGUOUS 409. */
const pipeline *intake_match(const registry *set, const char *folder, const char *name,
                             dts_error *e);
/* The folder of a pattern ("incoming/sales-*.csv" -> "incoming", "*.csv" -> ""), or -1 when it is
 * none of the project's: absolute, with "..", or with wildcards. */
int intake_folder_of(const char *pattern, char *out, size_t room);
/* Whether one name in one folder can match both patterns. */
bool intake_overlap(const char *one, const char *other);
/* Adds {where, message, hint, waiting} of each two pipelines with such patterns; `waiting`: how
 * many files of such names lie there. Reads the folders. */
void intake_notes(const registry *set, const char *root, arena *a, value *notes);

/* An upload, or a file of a folder, whose bytes are an object already. */
typedef struct intake_file {
  const char *name, *object; /* object: its name, which is the SHA-256 */
  int64_t size;
} intake_file;
typedef struct intake_taken {
  int64_t id, job;             /* id: of dts_file */
  const char *pipeline, *name; /* name: as it was taken first */
  bool fresh;                  /* false: was there already */
} intake_taken;
typedef void intake_then(void *arg, const intake_taken *taken, const dts_error *e);
void intake_take(intake *t, const char *folder, const intake_file *f, intake_then *then, void *arg);

#endif
