/* markup_css.c -- CSS selectors as XPath (W3C Selectors Level 3, the part that scrapers use).
 *
 * A type or *, #id, .class, [attribute] with = ~= |= ^= $= *=, :first-child :last-child :nth-child(an+b)
 * :empty :not(…) :contains("text"), the combinators and lists. Prefixes of namespaces (g|Cube) are passed
 * over. Everything else is refused, never ignored.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "markup/markup.h"

typedef struct css {
  const char *all, *at;
  bool lower; /* names are folded, as HTML's parser has them */
  buffer *out;
  dts_error *e;
} css;

static int refuse(css *c) {
  if (!*c->at) return error_fail(c->e, "SELECTOR", "selector '%s' ends too early", c->all);
  return error_fail(c->e, "SELECTOR", "selector '%s' is not understood at '%s'", c->all, c->at);
}

static void skip_space(css *c) { c->at += strspn(c->at, " \t\r\n"); }

static size_t name_size(const char *at) {
  size_t n = 0;
  while ((at[n] >= 'a' && at[n] <= 'z') || (at[n] >= 'A' && at[n] <= 'Z') ||
         (at[n] >= '0' && at[n] <= '9') || at[n] == '-' || at[n] == '_' ||
         (unsigned char)at[n] >= 0x80)
    n++;
  return n;
}

static void add_name(css *c, size_t size) {
  for (size_t i = 0; i < size; i++) {
    char letter = c->at[i];
    if (c->lower && letter >= 'A' && letter <= 'Z') letter = (char)(letter - 'A' + 'a');
    buffer_add_char(c->out, letter);
  }
  c->at += size;
}

static int add_quoted(css *c, const char *text, size_t size) {
  char mark = memchr(text, '\'', size) ? '"' : '\'';
  if (mark == '"' && memchr(text, '"', size)) return refuse(c);
  buffer_add_char(c->out, mark);
  buffer_add(c->out, text, size);
  return buffer_add_char(c->out, mark);
}

/* .class and [a~=v]: one word of several. */
static int add_word_test(css *c, const char *attribute, size_t attribute_size, const char *word,
                         size_t size) {
  if (memchr(word, '\'', size)) return refuse(c);
  buffer_add_text(c->out, "[contains(concat(' ',normalize-space(@");
  buffer_add(c->out, attribute, attribute_size);
  buffer_add_text(c->out, "),' '),' ");
  buffer_add(c->out, word, size);
  return buffer_add_text(c->out, " ')]");
}

static int add_ends_with(css *c, const char *name, size_t name_length, const char *value,
                         size_t size) {
  buffer_add_format(c->out, "[substring(@%.*s,string-length(@%.*s)-%zu)=", (int)name_length, name,
                    (int)name_length, name, size ? size - 1 : 0);
  if (add_quoted(c, value, size) < 0) return -1;
  return buffer_add_char(c->out, ']');
}

static int add_function(css *c, const char *function, const char *name, size_t name_length,
                        const char *value, size_t size) {
  buffer_add_format(c->out, "[%s(@%.*s,", function, (int)name_length, name);
  if (add_quoted(c, value, size) < 0) return -1;
  return buffer_add_text(c->out, ")]");
}

static int add_comparison(css *c, char sign, const char *name, size_t name_length,
                          const char *value, size_t size) {
  if (!size && sign != '=') return buffer_add_text(c->out, "[false()]");
  switch (sign) {
  case '~': return add_word_test(c, name, name_length, value, size);
  case '^': return add_function(c, "starts-with", name, name_length, value, size);
  case '*': return add_function(c, "contains", name, name_length, value, size);
  case '$': return add_ends_with(c, name, name_length, value, size);
  case '|':
    buffer_add_format(c->out, "[@%.*s=", (int)name_length, name);
    if (add_quoted(c, value, size) < 0) return -1;
    buffer_add_format(c->out, " or starts-with(@%.*s,concat(", (int)name_length, name);
    if (add_quoted(c, value, size) < 0) return -1;
    return buffer_add_text(c->out, ",'-'))]");
  default:
    buffer_add_format(c->out, "[@%.*s=", (int)name_length, name);
    if (add_quoted(c, value, size) < 0) return -1;
    return buffer_add_char(c->out, ']');
  }
}

/* The value behind an = : quoted, or a name. */
static int take_value(css *c, const char **value, size_t *size) {
  skip_space(c);
  if (*c->at == '"' || *c->at == '\'') {
    const char *end = strchr(c->at + 1, *c->at);
    if (!end) return refuse(c);
    *value = c->at + 1;
    *size = (size_t)(end - *value);
    c->at = end + 1;
    return 0;
  }
  *value = c->at;
  *size = name_size(c->at);
  c->at += *size;
  return *size ? 0 : refuse(c);
}

static int add_attribute(css *c) {
  c->at++;
  skip_space(c);
  const char *name = c->at, *value = "";
  size_t length = name_size(name), size = 0;
  if (!length) return refuse(c);
  c->at += length;
  skip_space(c);
  if (*c->at == ']') {
    c->at++;
    return buffer_add_format(c->out, "[@%.*s]", (int)length, name);
  }
  char sign = *c->at;
  if (sign != '=' && (!sign || !strchr("~|^$*", sign) || c->at[1] != '=')) return refuse(c);
  c->at += sign == '=' ? 1 : 2;
  if (take_value(c, &value, &size) < 0) return -1;
  skip_space(c);
  if (*c->at++ != ']') return c->at--, refuse(c);
  return add_comparison(c, sign, name, length, value, size);
}

static int add_compound(css *c);

/* "odd", "even", "3", "2n", "-n+3", "2n + 1" as a and b of an+b (section 6.6.5.1). */
static int read_nth(css *c, long *a, long *b) {
  bool odd = strncmp(c->at, "odd", 3) == 0, even = strncmp(c->at, "even", 4) == 0;
  *a = odd || even ? 2 : 0, *b = odd;
  if (odd || even) return c->at += odd ? 3 : 4, 0;
  char *end;
  long n = strtol(c->at, &end, 10), sign = *c->at == '-' ? -1 : 1;
  bool digits = end != c->at;
  if (!digits) end = (char *)(uintptr_t)c->at + (*c->at == '-' || *c->at == '+');
  if (n > 1000000 || n < -1000000) return refuse(c);
  if (*end != 'n') return digits ? (c->at = end, *b = n, 0) : refuse(c);
  *a = digits ? n : sign;
  c->at = end + 1;
  skip_space(c);
  if (*c->at != '+' && *c->at != '-') return 0;
  sign = *c->at++ == '-' ? -1 : 1;
  skip_space(c);
  n = strtol(c->at, &end, 10);
  if (*c->at < '0' || *c->at > '9' || n > 1000000) return refuse(c);
  c->at = end;
  return *b = sign * n, 0;
}

static int add_nth(css *c) {
  static const char PLACE[] = "(count(preceding-sibling::*)+1)";
  long a, b;
  skip_space(c);
  if (read_nth(c, &a, &b) < 0) return -1;
  if (a)
    buffer_add_format(c->out, "[(%s - %ld) mod %ld=0 and (%s - %ld) div %ld>=0]", PLACE, b, a,
                      PLACE, b, a);
  else
    buffer_add_format(c->out, "[%s=%ld]", PLACE, b);
  skip_space(c);
  if (*c->at != ')') return refuse(c);
  c->at++;
  return 0;
}

static int add_contains(css *c) {
  const char *text = c->at + 1;
  char mark = *c->at;
  const char *end = mark == '"' || mark == '\'' ? strchr(text, mark) : NULL;
  if (!end || end[1] != ')') return refuse(c);
  buffer_add_text(c->out, "[contains(.,");
  if (add_quoted(c, text, (size_t)(end - text)) < 0) return -1;
  c->at = end + 2;
  return buffer_add_text(c->out, ")]");
}

static int add_not(css *c) {
  buffer_add_text(c->out, "[not(self::");
  skip_space(c);
  if (add_compound(c) < 0) return -1;
  skip_space(c);
  if (*c->at != ')') return refuse(c);
  c->at++;
  return buffer_add_text(c->out, ")]");
}

static bool take(css *c, const char *word) {
  size_t size = strlen(word);
  if (strncmp(c->at, word, size) != 0 || (word[size - 1] != '(' && name_size(c->at + size)))
    return false;
  c->at += size;
  return true;
}

static int add_pseudo(css *c) {
  if (take(c, ":first-child")) return buffer_add_text(c->out, "[not(preceding-sibling::*)]");
  if (take(c, ":last-child")) return buffer_add_text(c->out, "[not(following-sibling::*)]");
  if (take(c, ":empty")) return buffer_add_text(c->out, "[not(node())]");
  if (take(c, ":nth-child(")) return add_nth(c);
  if (take(c, ":not(")) return add_not(c);
  if (take(c, ":contains(")) return add_contains(c);
  return refuse(c);
}

static int add_id_or_class(css *c) {
  char sign = *c->at++;
  const char *name = c->at;
  size_t size = name_size(name);
  if (!size) return c->at--, refuse(c);
  c->at += size;
  if (sign == '.') return add_word_test(c, "class", 5, name, size);
  return buffer_add_format(c->out, "[@id='%.*s']", (int)size, name);
}

/* "g|Cube", and in XML also "g:Cube" as the document itself writes it, unless it is a pseudo-class. */
static size_t prefix_size(const css *c) {
  static const char *const PSEUDO[] = {
      "first-child",  "last-child", "only-child", "nth-child", "first-of-type",
      "last-of-type", "empty",      "not",        "contains",  "root",
      "hover",        "focus",      "active",     "visited",   "link",
      "checked",      NULL};
  size_t size = name_size(c->at);
  if (!c->at[size]) return 0;
  const char *name = c->at + size + 1;
  size_t after = name_size(name);
  if (c->at[size] == '|' && *name != '=') return size + 1;
  if (c->lower || !size || c->at[size] != ':' || !after || name[after] == '(') return 0;
  for (const char *const *p = PSEUDO; *p; p++)
    if (strlen(*p) == after && strncmp(name, *p, after) == 0) return 0;
  return size + 1;
}

static int add_compound(css *c) {
  c->at += prefix_size(c);
  size_t size = name_size(c->at);
  const char *start = c->at;
  if (size)
    add_name(c, size);
  else
    buffer_add_char(c->out, '*');
  if (*c->at == '*' && !size) c->at++;
  while (*c->at && strchr("#.[:", *c->at)) {
    int bad = *c->at == '[' ? add_attribute(c) : *c->at == ':' ? add_pseudo(c) : add_id_or_class(c);
    if (bad < 0) return -1;
  }
  return c->at == start ? refuse(c) : 0;
}

/* What joins two compounds; '\0' at the end of the selector, ',' before the next of the list. */
static char take_combinator(css *c) {
  bool space = *c->at && strchr(" \t\r\n", *c->at);
  skip_space(c);
  char sign = *c->at;
  if (!sign || sign == ',') return sign;
  if (strchr(">+~", sign)) {
    c->at++;
    skip_space(c);
    return sign;
  }
  return space ? ' ' : '?';
}

static int add_selector(css *c, char *ended) {
  buffer_add_text(c->out, "descendant::");
  for (;;) {
    if (add_compound(c) < 0) return -1;
    switch (*ended = take_combinator(c)) {
    case '\0':
    case ',': return 0;
    case ' ': buffer_add_text(c->out, "/descendant::"); break;
    case '>': buffer_add_text(c->out, "/"); break;
    case '+': buffer_add_text(c->out, "/following-sibling::*[1]/self::"); break;
    case '~': buffer_add_text(c->out, "/following-sibling::"); break;
    default: return refuse(c);
    }
  }
}

int markup_css(const char *selector, bool lower, buffer *out, dts_error *e) {
  css c = {selector, selector, lower, out, e};
  char ended = ',';
  for (bool first = true; ended == ','; first = false) {
    if (!first) c.at++, buffer_add_text(out, " | ");
    skip_space(&c);
    if (add_selector(&c, &ended) < 0) return -1;
  }
  return out->failed ? error_fail(e, "SELECTOR", "the selector is too long") : 0;
}
