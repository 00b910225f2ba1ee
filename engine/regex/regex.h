/* regex.h -- regular expressions over UTF-8 that always come to an end.
 *
 * PCRE2 with a limit on the work and the memory of one match: a pattern that backtracks without end
 * is an error, not a stuck run. A compiled regex is immutable and may be used by several threads at
 * once; the caller owns it (regex_free).
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_REGEX_REGEX_H
#define DTS_REGEX_REGEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

typedef struct regex regex;

enum {
  REGEX_CASELESS = 1,  /* i */
  REGEX_MULTILINE = 2, /* ^ and $ at every line */
  REGEX_DOTALL = 4,    /* . matches line ends */
  REGEX_EXTENDED = 8,  /* white space and # comments in the pattern */
  REGEX_ECMA = 16,     /* as in JavaScript with the flag u: JSON Schema's `pattern` */
  REGEX_TRUSTED = 32   /* every text is UTF-8 and `from` at a character: the caller has checked */
};

typedef struct regex_span {
  size_t start, end; /* bytes; both REGEX_UNSET for a group that took no part */
} regex_span;
#define REGEX_UNSET ((size_t)-1)

/* NULL, with the place in the pattern (code REGEX). */
regex *regex_compile(const char *pattern, size_t size, unsigned flags, dts_error *e);
void regex_free(regex *r); /* NULL is fine */

size_t regex_group_count(const regex *r);                   /* without the whole match */
const char *regex_group_name(const regex *r, size_t group); /* 1..count; NULL: no name */

/* Searches from byte `from`: 1 found, 0 not, -1 error (not UTF-8: REGEX; too much work:
 * LIMIT_REGEX). spans (may be NULL) gets the whole match and the first count - 1 groups. */
int regex_match(const regex *r, const char *text, size_t size, size_t from, regex_span *spans,
                size_t count, dts_error *e);

#endif
