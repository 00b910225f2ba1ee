/* sheet.h -- a small table that a command makes by itself, for screen_table and screen_objects.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_COMMAND_SHEET_H
#define DTS_COMMAND_SHEET_H

#include <stdio.h>

#include "format/value.h"

/* {columns, rows}; `names` ends with NULL and is borrowed. */
value sheet_open(arena *a, const char *const *names);
void sheet_add(arena *a, value *sheet, const value *cells); /* as many as there are names */
/* A row from a map: the fields of the columns' names; a list becomes "a, b". */
void sheet_add_map(arena *a, value *sheet, const value *map);
/* `timezone` NULL: times as they are; `spare`: see screen.h. */
void sheet_print(FILE *out, const value *sheet, const char *timezone, const char *const *spare);

#endif
