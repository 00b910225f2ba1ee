/* quarantine_show.h -- dts quarantine show ID: one input, each attempt at it, and what persons have
 * decided; also when it lies in quarantine no more.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_QUARANTINE_SHOW_H
#define DTS_COMMAND_QUARANTINE_SHOW_H

#include "command/command.h"
#include "command/engine.h"

int quarantine_show(engine *n, const given *g, dts_error *e);
/* Line `number` of an object in `folder`, and its neighbours; nothing when it is not there. */
void quarantine_print_lines(const char *folder, const char *object, int64_t number);

/* Which of the inputs that are meant (by words, --where, --pipeline) have come again since with
 * another content, and well: a sentence each, or "". In the arena. */
const char *quarantine_newer(engine *n, const given *g, const value *ids, arena *a);

#endif
