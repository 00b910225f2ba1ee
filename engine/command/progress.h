/* progress.h -- what a run tells while it is under way: log lines, and on a terminal one line that
 * is rewritten with rows, requests and runs done.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_PROGRESS_H
#define DTS_COMMAND_PROGRESS_H

#include "command/screen.h"

typedef struct progress {
  screen screen; /* standard error */
  int64_t rows, requests, started, ended, done, total;
  int64_t rows_now, requests_now; /* of runs that have not ended */
  int64_t began;                  /* clock_monotonic_ms of the first event */
  int64_t runs[256]; /* ids of the runs of this command; logs of others are not shown */
  size_t run_count;
  bool shown; /* a progress line stands on the screen */
} progress;

void progress_event(void *arg, int op, const value *event); /* a kernel_event; arg: the progress */
void progress_clear(progress *p);

#endif
