/* times.h -- the answer of the command `next` for people.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_TIMES_H
#define DTS_COMMAND_TIMES_H

#include <stdio.h>

#include "format/value.h"

/* One line for each firing: pipeline, local time, zone, how long from now, the schedule in words,
 * and what is odd about this one. */
void times_print(FILE *out, const value *firings);

#endif
