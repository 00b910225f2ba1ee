/* finish_input.h -- what becomes of an input when its attempt ends: events of a batch, notes of a
 * file.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_FINISH_INPUT_H
#define DTS_FLOW_FINISH_INPUT_H

#include "flow/runs/finish.h"

/* Inside the final write, after the staged effects: `j` is a file's or a batch's job in its new
 * state. */
int finish_input(store_conn *c, run *r, const job *j, run_ending how, const char *error_json,
                 int64_t now, dts_error *e);

#endif
