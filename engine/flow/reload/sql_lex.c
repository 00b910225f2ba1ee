/* sql_lex.c -- see sql_lex.h. What cannot be a token of SQL is a symbol of one character.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/reload/sql_lex.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static bool is_word(char c) {
  return isalnum((unsigned char)c) || c == '_' || c == '$' || (c & 0x80);
}

static const char *skip(const char *at) {
  for (;;) {
    while (isspace((unsigned char)*at)) at++;
    if (at[0] == '-' && at[1] == '-') {
      at += strcspn(at, "\n");
    } else if (at[0] == '/' && at[1] == '*') {
      const char *end = strstr(at + 2, "*/");
      at = end ? end + 2 : at + strlen(at);
    } else {
      return at;
    }
  }
}

/* Behind the closing quote, which is doubled inside; at the end when there is none. */
static size_t quoted(const char *at) {
  size_t i = 1;
  for (; at[i]; i++) {
    if (at[i] != at[0]) continue;
    if (at[i + 1] != at[0]) return i + 1;
    i++;
  }
  return i;
}

static size_t number(const char *at) {
  size_t i = 0;
  while (is_word(at[i]) || at[i] == '.' ||
         ((at[i] == '+' || at[i] == '-') && i && (at[i - 1] == 'e' || at[i - 1] == 'E')))
    i++;
  return i;
}

static size_t word(const char *at) {
  size_t i = 0;
  while (is_word(at[i])) i++;
  return i;
}

static size_t symbol(const char *at) {
  static const char *const longest[] = {
      "->>", "->", "||", "<=", ">=", "<>", "!=", "==", "<<", ">>"};
  for (size_t i = 0; i < sizeof longest / sizeof *longest; i++)
    if (strncmp(at, longest[i], strlen(longest[i])) == 0) return strlen(longest[i]);
  return 1;
}

/* {name} and nothing else. */
static size_t choice(const char *at) {
  size_t size = at[0] == '{' ? word(at + 1) : 0;
  return size && at[1 + size] == '}' ? size + 2 : 0;
}

sql_token sql_next(const char **at) {
  const char *p = skip(*at);
  sql_token t = {SQL_SYMBOL, p, 0};
  bool digit = isdigit((unsigned char)p[0]) || (p[0] == '.' && isdigit((unsigned char)p[1]));
  if (!*p)
    t.kind = SQL_END;
  else if (*p == '\'')
    t.kind = SQL_STRING, t.size = quoted(p);
  else if (*p == '"')
    t.kind = SQL_QUOTED, t.size = quoted(p);
  else if (digit)
    t.kind = SQL_NUMBER, t.size = number(p);
  else if (is_word(*p))
    t.kind = SQL_WORD, t.size = word(p);
  else if (*p == ':' && is_word(p[1]))
    t.kind = SQL_PARAMETER, t.size = 1 + word(p + 1);
  else if ((t.size = choice(p)))
    t.kind = SQL_CHOICE;
  else
    t.size = symbol(p);
  *at = p + t.size;
  return t;
}

sql_token sql_peek(const char *at) { return sql_next(&at); }

bool sql_is(const sql_token *t, const char *word_) {
  return (t->kind == SQL_WORD || t->kind == SQL_SYMBOL) && strlen(word_) == t->size &&
         strncasecmp(t->at, word_, t->size) == 0;
}

const char *sql_name(const sql_token *t, arena *a) {
  switch (t->kind) {
  case SQL_WORD: return arena_copy(a, t->at, t->size);
  case SQL_PARAMETER: return arena_copy(a, t->at + 1, t->size - 1);
  case SQL_CHOICE: return arena_copy(a, t->at + 1, t->size - 2);
  case SQL_QUOTED: break;
  default: return NULL;
  }
  char *name = arena_copy(a, t->at, t->size);
  size_t size = 0;
  for (size_t i = 1; i + 1 < t->size; i++) {
    name[size++] = t->at[i];
    if (t->at[i] == '"') i++;
  }
  name[size] = '\0';
  return name;
}

static void add_quoted(buffer *b, const char *text, char quote) {
  buffer_add_char(b, quote);
  for (; *text; text++) {
    if (*text == quote) buffer_add_char(b, quote);
    buffer_add_char(b, *text);
  }
  buffer_add_char(b, quote);
}

void sql_quote(buffer *b, const char *name) { add_quoted(b, name, '"'); }
void sql_quote_text(buffer *b, const char *text) { add_quoted(b, text, '\''); }
