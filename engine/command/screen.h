/* screen.h -- what people see: widths, tables, times, one line that is rewritten.
 *
 * One idea: a terminal has a width and perhaps colours; anything else (a file, a pipe) gets whole
 * lines without either. NO_COLOR and CLICOLOR_FORCE are honoured; --color sets one of them. Widths
 * count columns of the screen, not bytes.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_SCREEN_H
#define DTS_COMMAND_SCREEN_H

#include <stdbool.h>
#include <stdio.h>

#include "base/buffer.h"
#include "format/value.h"
#include "format/zone.h"

typedef struct screen {
  FILE *out;
  size_t width; /* 0: not a terminal, lines are never cut */
  bool colour;
  bool wrap;                /* cells that are too wide go on below instead of being cut */
  const char *const *spare; /* columns that a narrow table can do without, in this order; or NULL */
} screen;

screen screen_of(FILE *out);

/* Columns of a text as it is shown: what could drive a terminal (control characters, broken bytes,
 * directional overrides) stands as \n, \x1B or \u202E. */
size_t screen_width(const char *text, size_t size);
/* Adds `text`, shown like that and cut to `width` columns ("…" at the cut), padded with blanks to
 * it when `pad`. */
void screen_fit(buffer *b, const char *text, size_t size, size_t width, bool pad);
/* How many bytes of `text` to show in `width` columns, up to a blank where there is one; at least
 * one character. */
size_t screen_take(const char *text, size_t size, size_t width);
/* Adds a text of several lines: those after the first begin with `indent` blanks. */
void screen_lines(buffer *b, const char *text, size_t size, size_t indent);
void screen_say(const screen *s, const char *text); /* writes one, without a newline behind */

/* {columns, types?, rows} as aligned columns under their names, numbers to the right; timestamps
 * are shown in `z`, which the first of their columns names (NULL: as they are). Where the screen
 * is narrower times get short, then spare columns go (a line at the foot names them and the zone),
 * then the widest texts give way. */
void screen_table(const screen *s, const value *result, const zone *z);
/* The same as [{column: value} ..], and that as JSON. */
value screen_list(const value *result, arena *a);
void screen_objects(FILE *out, const value *result);
void screen_json(FILE *out, const value *v);
void screen_csv(FILE *out, const value *result); /* RFC 4180 */

/* "2026-03-10 10:31:00" in the zone. */
void screen_time(int64_t ms, const zone *z, char out[32]);
/* "1 row", "1,234 rows". */
void screen_count(buffer *b, int64_t count, const char *noun);

#endif
