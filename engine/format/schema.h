/* schema.h -- JSON Schema, drafts 07 and 2020-12, over values.
 *
 * Documents go into a set by their URI or $id; a compiled schema is a graph of them with every
 * reference resolved. A keyword that asserts something and is not known here is refused when
 * compiling, never ignored. The set copies what it is given and owns it; a compiled schema borrows
 * from its set (close the set last), is immutable, and may be used by several threads.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FORMAT_SCHEMA_H
#define DTS_FORMAT_SCHEMA_H

#include "base/error.h"
#include "format/value.h"

typedef struct schema_set schema_set;
typedef struct schema schema;

typedef struct schema_fault {
  char path[256];    /* JSON pointer of the value at fault; "" is the whole */
  char message[512]; /* for an analyst: the value and what was expected */
} schema_fault;

schema_set *schema_set_open(void);
void schema_set_close(schema_set *set); /* NULL is fine; compiled schemas must be freed before */

/* `uri` names the document when it has no $id, and besides it otherwise (a relative $id is resolved
 * against it); NULL: only the $id. The dialect is that of $schema, 2020-12 without one; it is
 * looked at when compiling. 0, or -1 (code SCHEMA): not a schema, or a name already taken. */
int schema_add(schema_set *set, const char *uri, const value *document, dts_error *e);

/* NULL (code SCHEMA): nothing of that name, a reference to nothing, a keyword that is not known or
 * is used wrongly. `uri` may carry a fragment. Not from two threads on one set. */
schema *schema_compile(schema_set *set, const char *uri, dts_error *e);
void schema_free(schema *s); /* NULL is fine */

/* 0, or -1 with the first fault (may be NULL). `format` is asserted under draft 07 only. */
int schema_check(const schema *s, const value *v, schema_fault *fault);

#endif
