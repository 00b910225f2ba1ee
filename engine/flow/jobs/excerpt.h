/* excerpt.h -- an error as JSON for the store: with the lines of the script around the one at fault.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_EXCERPT_H
#define DTS_FLOW_EXCERPT_H

#include "flow/reload/registry.h"

/* {code, message, hint?, where?, line?, input_line?, status?, retry_after_ms?, source? [[number, text]..],
 * traceback?}: `line` is the script's, `input_line` that of the file it read; free() it. */
char *excerpt_error(const dts_error *e, const script *s, const char *traceback);
/* The line `number` of a source; its size, 0 when there is none. */
size_t excerpt_line(const char *text, int64_t number, const char **line);

#endif
