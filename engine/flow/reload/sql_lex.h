/* sql_lex.h -- the words of a piece of SQL, as far as the engine must understand what users write.
 *
 * One idea: blanks and comments are passed over, and everything else is one of eight kinds, so that
 * names are never looked for inside a text or a comment. Tokens point into the SQL.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_SQL_LEX_H
#define DTS_FLOW_SQL_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/buffer.h"

typedef enum sql_kind {
  SQL_END,
  SQL_WORD,   /* name or keyword */
  SQL_QUOTED, /* "name" */
  SQL_STRING, /* 'text' */
  SQL_NUMBER,
  SQL_PARAMETER, /* :name */
  SQL_CHOICE,    /* {name} */
  SQL_SYMBOL     /* an operator or a parenthesis, the longest that fits */
} sql_kind;

typedef struct sql_token {
  sql_kind kind;
  const char *at;
  size_t size;
} sql_token;

sql_token sql_next(const char **at); /* moves on; SQL_END again and again at the end */
sql_token sql_peek(const char *at);
bool sql_is(const sql_token *t, const char *word); /* a word (in any case) or a symbol */
/* The name that a word, a quoted name, a parameter or a choice stands for; NULL for other kinds. */
const char *sql_name(const sql_token *t, arena *a);
void sql_quote(buffer *b, const char *name);      /* "name" */
void sql_quote_text(buffer *b, const char *text); /* 'text' */

#endif
