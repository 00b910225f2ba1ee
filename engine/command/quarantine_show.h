/* quarantine_show.h -- dts quarantine show ID: one input, each attempt at it, and what persons have
 * decided; also when it lies in quarantine no more.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_QUARANTINE_SHOW_H
#define DTS_COMMAND_QUARANTINE_SHOW_H

#include "command/command.h"
#include "command/engine.h"

int quarantine_show(engine *n, const given *g, dts_error *e);

#endif
