/* quarantine.h -- inputs that a person decides about: released, with a correction perhaps, or
 * dropped.
 *
 * One idea: the decisions are core/job.h's and core/gap.h's; all of one command is one
 * transaction, and an id that does not lie in quarantine undoes it. Ids are those of the view
 * dts_quarantine: "job-12", "date-PIPELINE/SERIES/DAY". A file's job that is done and has notes
 * may be released too: its input is given to the script again, by a new job.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_QUARANTINE_H
#define DTS_FLOW_QUARANTINE_H

#include "flow/reload/registry.h"
#include "store/store.h"

/* Ids for {ids [..]} or {pipeline?, where?} (`where`: SQL over the columns of dts_quarantine,
 * checked). QUARANTINE when neither says which. Reads only. */
int quarantine_find(store_conn *c, const value *command, arena *a, value *ids, dts_error *e);

typedef struct quarantine_act {
  bool release;       /* or drop */
  const char *reason; /* may be NULL for a release */
  const char *by;     /* who decides, as told; may be NULL */
  const char *with;   /* the corrected input's text, or NULL; of a file it is `object` */
  size_t with_size;
  const char *object;
  int64_t now;
  const registry *set;
} quarantine_act;

/* Inside a write. NOT_FOUND 404, REFUSED 409, CONFLICT 409. */
int quarantine_apply(store_conn *c, const char *id, const quarantine_act *act, dts_error *e);

/* SQL without parameters for each attempt at an input, the first one first: attempt, run, outcome,
 * started, ended, rows, http (of its last request), error. A date's are the runs whose span held
 * it. NULL for what is no id. */
const char *quarantine_attempts_sql(const char *id, arena *a);
/* What persons have decided about it: at, action, who, reason. */
const char *quarantine_decisions_sql(const char *id, arena *a);

#endif
