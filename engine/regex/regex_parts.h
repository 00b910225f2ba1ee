/* regex_parts.h -- what the files of this folder share.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_REGEX_PARTS_H
#define DTS_REGEX_PARTS_H

#include "base/buffer.h"
#include "base/error.h"

/* The PCRE2 pattern that means what the ECMA-262 one means, added to `out`. 0, or -1 (code REGEX)
 * for what ECMA-262 does not have. */
int regex_from_ecma(buffer *out, const char *pattern, size_t size, dts_error *e);

#endif
