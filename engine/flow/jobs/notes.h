/* notes.h -- the rows that the runs of a job set aside, said in one sentence.
 *
 * One idea: what is set aside is never silent; its count goes wherever the count of rows goes.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_NOTES_H
#define DTS_FLOW_NOTES_H

#include "store/store.h"

/* How many, and the sentence with the first three: "2 rows set aside: line 3: ...; line 5: ...", a
 * line only where its reason does not name it.
 * `*said` is in the arena, NULL when there are none. Inside a read or a write. */
int notes_say(store_conn *c, int64_t job, arena *a, int64_t *count, const char **said,
              dts_error *e);

#endif
