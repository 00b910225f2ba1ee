/* rollup_text.h -- the pieces that a roll-up's statements are made of; for rollup_sql.c and
 * rollup_notes.c alone.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_ROLLUP_TEXT_H
#define DTS_FLOW_ROLLUP_TEXT_H

#include "flow/rollups/rollup_sql.h"
#include "flow/reload/sql_lex.h"

typedef struct rollup_text { /* SQL in the making */
  buffer b;
  const rollup *r;
  arena *a;
} rollup_text;

rollup_text rollup_text_open(const rollup *r, arena *a);
const char *rollup_text_close(rollup_text *t); /* the SQL, in the arena */

void rollup_add(rollup_text *t, const char *sql);
void rollup_add_name(rollup_text *t, const char *name);
void rollup_add_notes(rollup_text *t); /* the table's name */
/* dts_k0, dts_k1, .. each with what stands before and behind it. */
void rollup_add_keys(rollup_text *t, const char *before, const char *behind);
void rollup_add_where(rollup_text *t); /* " and (..)" or nothing */
/* dts_period(what, 'kind', zone) */
void rollup_add_period(rollup_text *t, const char *what, const char *kind, const char *zone);
/* The bucket of a row whose columns stand behind `prefix`. */
void rollup_add_bucket(rollup_text *t, const char *prefix);
/* A user's expression with its columns as those of `prefix` (new. or old.). */
void rollup_add_prefixed(rollup_text *t, const char *expr, const char *prefix);

const char *rollup_quoted(rollup_text *t, const char *prefix, const char *name);
bool rollup_is_short(const char *period); /* below a day */
/* The column that a token names, or NULL. */
const table_column *rollup_find_column(const table *t, const sql_token *token, arena *a);

#endif
