/* report.h -- errors as people read them: what, the line of the script, what to do, where to read
 * more.
 *
 *   pipelines/fuel/quotes.lua:14: api.bcb.gov.br answered 429 and asks to wait 60 s [HTTP_LATER]
 *
 *     14 |     ctx:put("quotes", bcb.series(span.with.code, span.from, span.to))
 *
 *   hint: this run is queued again at 10:31; no retry is used up
 *   more: dts help HTTP_LATER
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_REPORT_H
#define DTS_COMMAND_REPORT_H

#include "command/screen.h"

/* `error`: a map as excerpt_error makes it {code, message, hint?, where?, line?, source?}. The
 * line is taken from `source`, otherwise from the file itself below `root` (or NULL). */
void report_text(buffer *out, const value *error, const char *root, bool colour);
void report_value(const screen *s, const value *error, const char *root);
void report_error(const screen *s, const dts_error *e, const char *root);
value report_map(arena *a, const dts_error *e); /* the error as a map, for --json */

#endif
