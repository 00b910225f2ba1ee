/* ending.h -- how a run ends, and the one write that says so.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_ENDING_H
#define DTS_FLOW_ENDING_H

#include "flow/runs/finish.h"
#include "flow/runs/run.h"

void ending_frame(run *r, const frame *in);        /* any frame of its worker */
void ending_worker(run *r, const worker_end *end); /* its worker is gone */
void run_tell(run *r, const char *state);          /* OP_RUN to everybody */

#endif
