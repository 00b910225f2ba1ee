/* replay.h -- a recording (recording.h) in place of the network.
 *
 * One idea: a request is answered by the first exchange with its method, address and body that has not
 * answered yet; the last of them answers for good. What is not there is an error that names the nearest
 * that is. Secrets in a request are taken out before it is looked for, as they were when it was kept.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_REPLAY_H
#define DTS_FLOW_REPLAY_H

#include "flow/kernel/kernel.h"
#include "net/fetch.h"

typedef struct replay replay;

/* The file, checked; NULL with code RECORDING or FILE_MISSING. `root`: the project, whose secrets stay secret. */
replay *replay_open(const char *path, const char *root, dts_error *e);
void replay_close(replay *r);             /* NULL is fine */
int64_t replay_now(const replay *r);      /* the clock when it was made */
void replay_attach(replay *r, kernel *k); /* the kernel asks it from now on, and no network */

/* Fills in a reply whose body buffer is initialised: 0, or -1 with what was recorded as an error, or
 * RECORDING. Texts live in `a`. */
int replay_answer(replay *r, const value *request, arena *a, fetch_reply *reply, dts_error *e);

#endif
