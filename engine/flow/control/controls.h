/* controls.h -- the functions behind control.c's table; each lives in control_NAME.c.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_CONTROLS_H
#define DTS_FLOW_CONTROLS_H

#include "flow/control/control.h"

control_fn control_run;                     /* control_run.c */
control_fn control_enqueue, control_cancel; /* control_enqueue.c */
void control_run_stop(kernel *k);           /* cancels what runs by hand alone left open */
void control_run_close(kernel *k);          /* forgets runs that nobody waits for any more */
control_fn control_ingest, control_file;    /* control_ingest.c, control_file.c */
control_fn control_release, control_drop;   /* control_release.c, control_drop.c */
control_fn control_plan;                    /* control_plan.c */
control_fn control_next;                    /* control_next.c */
control_fn control_check, control_status, control_reload;         /* control_status.c */
control_fn control_request;                                       /* warm.c */
control_fn control_key_add, control_key_list, control_key_revoke; /* control_key.c */
control_fn control_sql;                                           /* control_sql.c */
control_fn control_place, control_backfill;  /* control_place.c, control_backfill.c */
control_fn control_catalog, control_explain; /* control_catalog.c, control_explain.c */

#endif
