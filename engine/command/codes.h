/* codes.h -- what each error code means and what to do about it: `dts help CODE`.
 *
 * One idea: one row for each code that the engine can raise; a test looks through engine/ for codes
 * without a row.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_CODES_H
#define DTS_COMMAND_CODES_H

#include <stddef.h>

#include "base/error.h"

typedef struct code_help {
  const char *code, *meaning, *remedy;
} code_help;

const code_help *codes_find(const char *code);     /* in any case; NULL when there is none */
const code_help *codes_at(size_t i);               /* in the alphabet's order; NULL past the end */
int codes_unknown(const char *code, dts_error *e); /* USAGE, with the nearest */

#endif
