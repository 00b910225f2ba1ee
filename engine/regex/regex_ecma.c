/* regex_ecma.c -- patterns as JavaScript reads them (ECMA-262, section 22.2.1, flag u) for PCRE2.
 *
 * Most of the two languages is the same. Where a sign means something else (\s, \v, \uXXXX, a dot,
 * \p{Letter}), it is spelt out; where PCRE2 knows more than ECMA-262 (\A, \Q, possessive repeats,
 * (?# and (*VERBS)), the pattern is refused rather than read differently than elsewhere.
 *
 * SPDX-License-Identifier: MIT */
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "regex/regex_parts.h"

typedef struct translator {
  buffer *out;
  const char *start, *at, *end;
  bool in_class;
  bool repeated; /* the last thing was a quantifier, so that a + behind it is no repeat */
  dts_error *error;
} translator;

/* WhiteSpace and LineTerminator; PCRE2's \s is the ASCII part. */
static const char spaces[] =
    "\\s\\x{a0}\\x{feff}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}";

/* All other characters. */
static const char others[] = "\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-"
                             "\\x{1fff}\\x{200b}-\\x{2027}"
                             "\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-"
                             "\\x{fefe}\\x{ff00}-\\x{10ffff}";

static const char *const categories[][2] = {
    {"Letter", "L"},
    {"Cased_Letter", "L&"},
    {"LC", "L&"},
    {"Uppercase_Letter", "Lu"},
    {"Lowercase_Letter", "Ll"},
    {"Titlecase_Letter", "Lt"},
    {"Modifier_Letter", "Lm"},
    {"Other_Letter", "Lo"},
    {"Mark", "M"},
    {"Nonspacing_Mark", "Mn"},
    {"Spacing_Mark", "Mc"},
    {"Enclosing_Mark", "Me"},
    {"Number", "N"},
    {"Decimal_Number", "Nd"},
    {"digit", "Nd"},
    {"Letter_Number", "Nl"},
    {"Other_Number", "No"},
    {"Punctuation", "P"},
    {"punct", "P"},
    {"Connector_Punctuation", "Pc"},
    {"Dash_Punctuation", "Pd"},
    {"Open_Punctuation", "Ps"},
    {"Close_Punctuation", "Pe"},
    {"Initial_Punctuation", "Pi"},
    {"Final_Punctuation", "Pf"},
    {"Other_Punctuation", "Po"},
    {"Symbol", "S"},
    {"Math_Symbol", "Sm"},
    {"Currency_Symbol", "Sc"},
    {"Modifier_Symbol", "Sk"},
    {"Other_Symbol", "So"},
    {"Separator", "Z"},
    {"Space_Separator", "Zs"},
    {"Line_Separator", "Zl"},
    {"Paragraph_Separator", "Zp"},
    {"Other", "C"},
    {"Control", "Cc"},
    {"cntrl", "Cc"},
    {"Format", "Cf"},
    {"Surrogate", "Cs"},
    {"Private_Use", "Co"},
    {"Unassigned", "Cn"},
};

static int refuse(const translator *t, const char *what) {
  char shown[TEXT_SHORT];
  return error_fail(t->error, "REGEX", "the pattern %s is wrong at character %zu: %s",
                    text_shorten(shown, t->start, (size_t)(t->end - t->start)),
                    text_utf8_length(t->start, (size_t)(t->at - t->start)) + 1, what);
}

/* `count` hexadecimal digits at t->at, or all of them up to a brace (count 0). -1: none. */
static int32_t take_hex(translator *t, int count) {
  int32_t code = 0;
  int taken = 0;
  for (; t->at < t->end && (!count || taken < count) && code < 0x110000; taken++, t->at++) {
    const char *digits = "0123456789abcdefABCDEF", *found = *t->at ? strchr(digits, *t->at) : NULL;
    if (!found) break;
    int32_t digit = (int32_t)(found - digits);
    code = code * 16 + (digit < 16 ? digit : digit - 6);
  }
  return taken && (!count || taken == count) ? code : -1;
}

static int put_code(translator *t, int32_t code) {
  if (code < 0 || code > 0x10FFFF || (code >= 0xD800 && code < 0xE000))
    return refuse(t, "expected the hexadecimal code of a character");
  return buffer_add_format(t->out, "\\x{%x}", (unsigned)code);
}

/* Behind \u: XXXX, a surrogate pair of them, or {X...}. */
static int take_unicode(translator *t) {
  if (t->at < t->end && *t->at == '{') {
    t->at++;
    int32_t code = take_hex(t, 0);
    if (t->at == t->end || *t->at++ != '}') return refuse(t, "expected } behind \\u{");
    return put_code(t, code);
  }
  int32_t code = take_hex(t, 4);
  bool pair = code >= 0xD800 && code < 0xDC00 && t->end - t->at > 2 && memcmp(t->at, "\\u", 2) == 0;
  if (!pair) return put_code(t, code);
  t->at += 2;
  int32_t low = take_hex(t, 4);
  if (low < 0xDC00 || low > 0xDFFF) return refuse(t, "expected the second half of a pair");
  return put_code(t, 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00));
}

static const char *short_category(const char *name, size_t size) {
  for (size_t i = 0; i < sizeof categories / sizeof *categories; i++)
    if (strlen(categories[i][0]) == size && memcmp(categories[i][0], name, size) == 0)
      return categories[i][1];
  return NULL;
}

/* Behind \p or \P: {Letter}, {L}, {Script=Greek}, {sc=Greek}, {gc=L}, {General_Category=L}. */
static int take_property(translator *t, char letter) {
  if (t->at == t->end || *t->at != '{') return refuse(t, "expected { behind \\p");
  const char *name = t->at + 1, *close = memchr(name, '}', (size_t)(t->end - name));
  if (!close) return refuse(t, "expected } behind \\p{");
  const char *equals = memchr(name, '=', (size_t)(close - name));
  if (equals && (strncmp(name, "gc=", 3) == 0 || strncmp(name, "General_Category=", 17) == 0))
    name = equals + 1;
  const char *brief = short_category(name, (size_t)(close - name));
  t->at = close + 1;
  if (brief) return buffer_add_format(t->out, "\\%c{%s}", letter, brief);
  return buffer_add_format(t->out, "\\%c{%.*s}", letter, (int)(close - name), name);
}

static int take_group_name(translator *t) {
  const char *close = memchr(t->at, '>', (size_t)(t->end - t->at));
  if (t->at == t->end || *t->at != '<' || !close) return refuse(t, "expected <name> behind \\k");
  buffer_add_format(t->out, "\\k%.*s", (int)(close + 1 - t->at), t->at);
  t->at = close + 1;
  return 0;
}

static int take_control(translator *t) {
  char c = t->at < t->end ? *t->at : '\0';
  if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z')))
    return refuse(t, "expected a letter behind \\c");
  t->at++;
  return put_code(t, c & 31);
}

static int put_space(translator *t, bool negated) {
  const char *set = negated ? others : spaces;
  return buffer_add_format(t->out, t->in_class ? "%s" : "[%s]", set);
}

/* Letters and digits that mean the same to both are passed on; other signs stand for themselves. */
static int take_escape(translator *t) {
  if (t->at == t->end) return refuse(t, "nothing behind the \\");
  char c = *t->at++;
  switch (c) {
  case 's': return put_space(t, false);
  case 'S': return put_space(t, true);
  case 'v': return put_code(t, 0x0B);
  case 'u': return take_unicode(t);
  case 'x': return put_code(t, take_hex(t, 2));
  case 'c': return take_control(t);
  case 'k': return take_group_name(t);
  case 'p':
  case 'P': return take_property(t, c);
  case '0': return put_code(t, 0);
  default: break;
  }
  bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
  const char *known = t->in_class ? "dDwWbfnrt" : "dDwWbBfnrt";
  if (letter && !strchr(known, c)) return t->at--, refuse(t, "an escape that ECMA-262 has not");
  if ((unsigned char)c >= 0x80) return buffer_add_char(t->out, c);
  return buffer_add_format(t->out, "\\%c", c);
}

static int take_group(translator *t) {
  static const char *const known[] = {":", "=", "!", "<=", "<!"};
  const char *at = t->at; /* behind the parenthesis */
  buffer_add_char(t->out, '(');
  if (at < t->end && *at == '*') return refuse(t, "nothing to repeat");
  if (at == t->end || *at != '?') return 0;
  size_t left = (size_t)(t->end - at) - 1;
  for (size_t i = 0; i < 5; i++) {
    size_t size = strlen(known[i]);
    if (left < size || memcmp(at + 1, known[i], size) != 0) continue;
    t->at += 1 + size;
    return buffer_add_format(t->out, "?%s", known[i]);
  }
  if (left < 1 || at[1] != '<') return refuse(t, "a group that ECMA-262 has not");
  t->at += 2;
  return buffer_add_text(t->out, "?<");
}

static int take_class(translator *t, char c) {
  if (c == ']') t->in_class = false;
  if (c == '[') return buffer_add_text(t->out, "\\[");
  return buffer_add_char(t->out, c);
}

/* {2}, {2,} or {2,5} at t->at, which is behind the brace. */
static bool is_repeat(const translator *t) {
  const char *at = t->at;
  while (at < t->end && *at >= '0' && *at <= '9') at++;
  if (at == t->at) return false;
  if (at < t->end && *at == ',') at++;
  while (at < t->end && *at >= '0' && *at <= '9') at++;
  return at < t->end && *at == '}';
}

static int take_repeat(translator *t, char c) {
  if (t->repeated) return t->at--, refuse(t, "nothing to repeat");
  buffer_add_char(t->out, c);
  if (c == '{')
    while (t->out->data[t->out->size - 1] != '}') buffer_add_char(t->out, *t->at++);
  if (t->at < t->end && *t->at == '?') buffer_add_char(t->out, *t->at++);
  t->repeated = true;
  return 0;
}

static int take_one(translator *t) {
  char c = *t->at++;
  bool repeat = !t->in_class && (c == '*' || c == '+' || c == '?' || (c == '{' && is_repeat(t)));
  if (repeat) return take_repeat(t, c);
  t->repeated = false;
  if (c == '\\') return take_escape(t);
  if (t->in_class) return take_class(t, c);
  if (c == '(') return take_group(t);
  if (c == '.') return buffer_add_text(t->out, "[^\\n\\r\\x{2028}\\x{2029}]");
  if (c == '[') t->in_class = true;
  if (c == '[' && t->at < t->end && *t->at == '^') return t->at++, buffer_add_text(t->out, "[^");
  if (c == '{') return buffer_add_text(t->out, "\\{");
  return buffer_add_char(t->out, c);
}

int regex_from_ecma(buffer *out, const char *pattern, size_t size, dts_error *e) {
  translator t = {.out = out, .at = pattern, .error = e};
  t.start = pattern;
  t.end = pattern + size;
  while (t.at < t.end)
    if (take_one(&t) < 0) return out->failed ? refuse(&t, "the pattern is too long") : -1;
  return 0;
}
