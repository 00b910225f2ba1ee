/* sqlcheck_text.h -- one SQL looked at: for sqlcheck.c alone.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_SQLCHECK_TEXT_H
#define DTS_FLOW_SQLCHECK_TEXT_H

#include "flow/reload/registry.h"
#include "store/store.h"

typedef enum sqlcheck_takes { /* where the SQL at hand may declare a name for itself */
                              SQLCHECK_NOTHING,
                              SQLCHECK_PARAMS,
                              SQLCHECK_FILTERS
} sqlcheck_takes;

typedef struct sqlcheck {
  const registry *set;
  store *store;
  store_conn *conn;
  arena *memory;
  value *faults;
  const char *part; /* of the declaration looked at: "chart 2 'Title'", or NULL */
  sqlcheck_takes takes;
  bool thorough; /* also what a set in force may lack */
  bool composed; /* the SQL at hand is put together here: its lines are nobody's */
} sqlcheck;

typedef struct sqlcheck_names { /* parameters and filters that the SQL may name */
  size_t count;
  const char **names;
  const value **choices; /* NULL: none, so {name} cannot stand for it */
} sqlcheck_names;

void sqlcheck_name(sqlcheck *k, sqlcheck_names *names, const char *name, const value *choices);
/* `declared` (may be NULL when the error says where) stands at file and line. */
void sqlcheck_fault(sqlcheck *k, const value *declared, const dts_error *e);
/* Prepares the SQL with every choice put in; adds at most one fault. */
void sqlcheck_text(sqlcheck *k, const value *declared, const char *sql,
                   const sqlcheck_names *names);
/* {name} in an alert's message stands for a column of its query, which is right. */
void sqlcheck_message(sqlcheck *k, const value *declared, const char *sql, const char *message);
/* Names the chart :name or {name}, or a column of that name? For right SQL. */
bool sqlcheck_takes_filter(sqlcheck *k, const value *chart, const sqlcheck_names *names,
                           const char *name);
/* date('now') and its like: true when there was a fault. */
bool sqlcheck_words(sqlcheck *k, const value *declared, const char *sql);

#endif
