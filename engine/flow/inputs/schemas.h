/* schemas.h -- the JSON Schemas below a project's schemas/ folder, ready for checking.
 *
 * One idea: all files form one set, so that a $ref by $id finds its document wherever it lies; a
 * file without $id is named by its path below schemas/. What is in force changes whole: when a
 * changed folder holds a file that is no schema, the set as it was stays, and the log says so.
 *
 * Any thread. A set is counted: whoever takes one gives it back.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_SCHEMAS_H
#define DTS_FLOW_SCHEMAS_H

#include "format/schema.h"

typedef struct schemas schemas;
typedef struct schemas_set schemas_set;

/* `look_ms`: the folder is looked at again when the last look is older. Nothing is read yet. */
schemas *schemas_open(const char *root, int64_t look_ms);
void schemas_close(schemas *s); /* NULL is fine */

schemas_set *schemas_take(schemas *s); /* never NULL */
void schemas_give(schemas_set *set);   /* NULL is fine */

/* 1: *out is the schema of this file ("schemas/star/created.schema.json"), 0: there is no such
 * file, -1: it is there, but cannot be used (SCHEMA, status 503). */
int schemas_find(schemas_set *set, const char *path, const schema **out, dts_error *e);

#endif
