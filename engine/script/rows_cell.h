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

enum { CELL_SCRATCH = 64, CELL_FORMATS = 8 };

typedef struct cell_rule {
  char decimal; /* ',' or '.', and thousands marks are taken out; 0: '.', and there are none */
  /* date_parse's formats, tried in order, with a NULL behind; none: YYYY-MM-DD */
  const char *dates[CELL_FORMATS + 1];
  const struct zone *zone; /* whose wall shows times without an offset; NULL: UTC */
} cell_rule;

/* 0, or -1 when the text does not fit. Not for SHAPE_JSON, which stays text. */
int cell_read(const cell_rule *rule, shape_type type, const char *text, size_t size,
              char scratch[CELL_SCRATCH], value *out);
/* "a date like %d/%m/%Y": what would have fitted. Gives `out`. */
const char *cell_expected(const cell_rule *rule, shape_type type, char out[128]);
/* What to write in the shape where the text did not fit. */
const char *cell_hint(const cell_rule *rule, shape_type type, const char *text, size_t size);

#endif
