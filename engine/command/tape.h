/* tape.h -- dts run --record FILE and --replay FILE.
 *
 * One idea: both belong to one run in this process: its requests are kept, or answered from what was
 * kept, with the clock where it stood then. Under a running `dts serve` neither is done.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_TAPE_H
#define DTS_COMMAND_TAPE_H

#include "command/engine.h"
#include "command/options.h"
#include "flow/trial/recording.h"
#include "flow/trial/replay.h"

typedef struct tape {
  const char *path;
  recording *recording; /* one of the two, or neither */
  replay *replay;
} tape;

/* As engine_open, with what the options say in place. */
engine *tape_open(tape *t, const given *g, const char *root, const char *file, const char *target,
                  dts_error *e);
int tape_save(tape *t, dts_error *e); /* before engine_close; says on standard error what it kept */
void tape_close(tape *t);             /* after engine_close */

#endif
