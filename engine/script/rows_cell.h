/* rows_cell.h -- one field's text as a value of a column's type.
 *
 * Looser than what a table takes (shape_pack.c), because files are written by people and spreadsheets:
 * decimal marks, thousands marks, dates of a format. Never guesses: a number whose marks do not stand
 * where thousands do is no number. Pure; texts in the result borrow from the field or the scratch.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SCRIPT_ROWS_CELL_H
#define DTS_SCRIPT_ROWS_CELL_H

#include <stddef.h>

#include "base/error.h"
#include "format/value.h"
#include "script/shape.h"

enum { CELL_SCRATCH = 64, CELL_FORMATS = 8, CELL_HINT = 160 };

typedef struct cell_rule {
  char decimal; /* ',' or '.', and thousands marks are taken out; 0: '.', and there are none */
  /* date_parse's formats, tried in order, with a NULL behind; none: YYYY-MM-DD */
  const char *dates[CELL_FORMATS + 1];
  /* whose wall shows times without an offset; NULL: UTC for those of `dates`, others need one */
  const struct zone *zone;
} cell_rule;

/* 0, or -1 when the text does not fit. Not for SHAPE_JSON, which stays text. */
int cell_read(const cell_rule *rule, shape_type type, const char *text, size_t size,
              char scratch[CELL_SCRATCH], value *out);
/* In rows_cell_words.c. "a date like %d/%m/%Y": what would have fitted. Gives `out`. */
const char *cell_expected(const cell_rule *rule, shape_type type, char out[128]);
/* "decimal = \",\" would read it": the option under which a text that did not fit would; NULL: none. */
const char *cell_cure(const cell_rule *rule, shape_type type, const char *text, size_t size,
                      char out[CELL_HINT]);
/* What to write in the shape where nothing would. */
#define CELL_NO_CURE                                                                               \
  "a text that means nothing is named by null = { \"n/a\" }; bad = \"reject\" sets such rows "     \
  "aside"

#endif
