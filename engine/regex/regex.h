/* regex.h -- regular expressions over UTF-8 that always come to an end: JSON Schema's `pattern`.
 *
 * Patterns are read as JavaScript reads them with the flag u (regex_ecma.c), and run by PCRE2 with a
 * limit on the work and the memory of one match: a pattern that backtracks without end is an error,
 * not a stuck run. A compiled regex is immutable and may be used by several threads at once; the
 * caller owns it (regex_free).
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_REGEX_REGEX_H
#define DTS_REGEX_REGEX_H

#include <stddef.h>

#include "base/error.h"

typedef struct regex regex;

/* NULL, with the place in the pattern (code REGEX). */
regex *regex_compile(const char *pattern, size_t size, dts_error *e);
void regex_free(regex *r); /* NULL is fine */

/* Searches the text: 1 found, 0 not, -1 error (not UTF-8: REGEX; too much work: LIMIT_REGEX). */
int regex_match(const regex *r, const char *text, size_t size, dts_error *e);

#endif
