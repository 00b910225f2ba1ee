/* select.h -- a SELECT put together from a table (or a query) and what visitors ask of it.
 *
 * One idea: names are checked against the columns that the base really has and then quoted; values
 * are always parameters, made from text by the column's type. {name} is a choice, put in
 * beforehand.
 *
 * Ownership: selection_free; everything else lives in the arena.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_SERVE_SELECT_H
#define DTS_SERVE_SELECT_H

#include "serve/call.h"

typedef struct selection {
  arena *memory;
  const char *base; /* "name" quoted, or (SQL) */
  value columns;    /* [{name, type}] of the base */
  value parameters; /* names that the base binds itself */
  value params;     /* values for them and for the conditions */
  buffer where, sql;
  size_t made; /* parameters of our own: :f1 .. */
} selection;

/* Columns, tables and named parameters of a statement; each out may be NULL. */
int select_check(store *s, const char *sql, arena *a, value *columns, value *parameters,
                 dts_error *e);
/* `choices` {name: text} put in for {name}. */
const char *select_choices(const char *text, const value *choices, arena *a);
const char *select_quote(const char *name, arena *a); /* "name" */

void selection_init(selection *x);
void selection_free(selection *x);
int selection_begin(selection *x, store *s, arena *memory, const char *base, dts_error *e);
const char *selection_type(const selection *x, const char *column); /* NULL: no such column */
int selection_unknown(const selection *x, const char *column, dts_error *e);
bool selection_binds(const selection *x, const char *name);

/* Conditions. A value of the column's type from text: PARAM (422) when it is none. */
int selection_value(const selection *x, const char *column, const char *text, value *out,
                    dts_error *e);
int selection_filter(selection *x, const char *column, const char *operator, value v, dts_error *e);
/* All pairs of the query named `name` (any of), with NAME.from and NAME.to. */
int selection_filter_query(selection *x, const char *column, const address *at, const char *name,
                           dts_error *e);
/* Map as in dts.query, or SQL. */
int selection_where(selection *x, const value *where, dts_error *e);

/* The statement: columns (NULL: all), then order and whatever follows is appended to `sql`. */
int selection_columns(selection *x, const value *names, dts_error *e);
int selection_order(selection *x, const value *order, dts_error *e); /* "-date", or a list */
const char *selection_from(const selection *x);                      /* "from base where .." */

#endif
