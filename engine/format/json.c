/* json.c -- the reader of json.h: tokens, and values made of them.
 *
 * A small state machine says what may come next; one bit for each open level says whether that
 * level is a map. Texts are scanned once for their end and copied only when they hold escapes.
 * Nothing is accepted that RFC 8259 does not have; of what it leaves open, broken UTF-8, lone
 * surrogates and numbers beyond a double are refused, since they could not be kept.
 *
 * SPDX-License-Identifier: MIT */
#include "format/json.h"

#include <endian.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"

/* Of a document that is too deep: json_fail words it. */
static const char DEEP[] = "no more levels of lists and maps";

enum state { VALUE, FIRST_ITEM, FIRST_KEY, COLON, AFTER, DONE, BROKEN };

void json_open(json_reader *r, const char *bytes, size_t size) {
  text_encoding mark;
  size_t bom = text_bom(bytes, size, &mark);
  memset(r, 0, offsetof(json_reader, maps)); /* the bits are set when a level is opened */
  r->start = bytes;
  r->at = bytes + (bom && mark == TEXT_UTF8 ? bom : 0);
  r->end = bytes + size;
  r->token = r->at;
  r->state = VALUE;
  r->expected = NULL;
  r->limit = JSON_DEPTH_USUAL;
  buffer_init(&r->scratch, SIZE_MAX / 2);
}

void json_close(json_reader *r) { buffer_free(&r->scratch); }

static json_token fail(json_reader *r, const char *at, const char *expected) {
  r->state = BROKEN;
  r->at = r->token = at;
  r->expected = expected;
  return JSON_ERROR;
}

static void skip_space(json_reader *r) {
  const char *at = r->at;
  while (at < r->end && (*at == ' ' || *at == '\n' || *at == '\r' || *at == '\t')) at++;
  r->at = at;
}

static bool in_map(const json_reader *r) {
  size_t level = r->depth - 1;
  return r->maps[level / 64] >> (level % 64) & 1;
}

static json_token open_level(json_reader *r, bool map) {
  if (r->depth >= r->limit) return fail(r, r->at, DEEP);
  uint64_t bit = (uint64_t)1 << (r->depth % 64), *word = &r->maps[r->depth / 64];
  *word = map ? *word | bit : *word & ~bit;
  r->depth++;
  r->at++;
  r->state = map ? FIRST_KEY : FIRST_ITEM;
  return map ? JSON_MAP : JSON_LIST;
}

static json_token close_level(json_reader *r) {
  bool map = in_map(r);
  r->depth--;
  r->at++;
  r->state = r->depth ? AFTER : DONE;
  return map ? JSON_MAP_END : JSON_LIST_END;
}

/* Value of four hexadecimal digits, or -1. */
static int32_t read_hex4(const char *at, const char *end) {
  int32_t code = 0;
  if (end - at < 4) return -1;
  for (int i = 0; i < 4; i++) {
    char c = at[i];
    int digit = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
    if (digit < 0) return -1;
    code = code * 16 + digit;
  }
  return code;
}

/* A \u escape, or a pair of them for a character past U+FFFF; `at` is behind the u. Gives the first
 * byte behind, or NULL. */
static const char *read_unicode(buffer *out, const char *at, const char *end) {
  char bytes[4];
  int32_t code = read_hex4(at, end);
  if (code < 0) return NULL;
  at += 4;
  if (code >= 0xD800 && code <= 0xDBFF) {
    bool second = end - at >= 6 && at[0] == '\\' && at[1] == 'u';
    int32_t low = second ? read_hex4(at + 2, end) : -1;
    if (low < 0xDC00 || low > 0xDFFF) return NULL;
    code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
    at += 6;
  }
  size_t size = text_utf8_put((uint32_t)code, bytes);
  if (!size) return NULL;
  buffer_add(out, bytes, size);
  return at;
}

static const char *read_escape(buffer *out, const char *at, const char *end) {
  static const char names[] = "\"\\/bfnrt", codes[] = "\"\\/\b\f\n\r\t";
  char name = *at++;
  if (name == 'u') return read_unicode(out, at, end);
  const char *found = name ? strchr(names, name) : NULL;
  if (!found) return NULL;
  buffer_add_char(out, codes[found - names]);
  return at;
}

static json_token unescape(json_reader *r, const char *at, const char *end) {
  buffer_clear(&r->scratch);
  while (at < end) {
    const char *mark = memchr(at, '\\', (size_t)(end - at));
    buffer_add(&r->scratch, at, (size_t)((mark ? mark : end) - at));
    if (!mark) break;
    at = read_escape(&r->scratch, mark + 1, end);
    if (at) continue;
    if (mark[1] != 'u') return fail(r, mark, "an escape such as \\n, \\\" or \\u00e9");
    return fail(r, mark, "\\u with four hexadecimal digits, surrogates in pairs");
  }
  if (r->scratch.failed) return fail(r, r->token, "a text that fits in memory");
  r->text = buffer_text(&r->scratch);
  r->size = r->scratch.size;
  r->escaped = true;
  return JSON_TEXT;
}

/* The first byte from `at` that is a quote, a backslash or a control character, or that lies within
 * the last seven; bytes seen on the way are put into *high. Eight at once: a byte below n borrows into
 * its top bit when n is subtracted, and only bytes behind the first such one can borrow wrongly. */
static const char *skip_plain(const char *at, const char *end, uint64_t *high) {
  const uint64_t ones = UINT64_C(0x0101010101010101), tops = 0x80 * ones;
  for (uint64_t word; end - at >= 8; at += 8) {
    memcpy(&word, at, sizeof word);
    word = le64toh(word);
    uint64_t quote = (word ^ '"' * ones) - ones, slash = (word ^ '\\' * ones) - ones;
    uint64_t found = (quote | slash | (word - 0x20 * ones)) & ~word & tops;
    *high |= word;
    if (found) return at + __builtin_ctzll(found) / 8;
  }
  return at;
}

/* r->at is behind the opening quote. The end of the text is found first, then what was seen on the
 * way (bytes above ASCII, escapes) is dealt with. */
static json_token read_text(json_reader *r) {
  const char *at = r->at, *begin = at;
  uint64_t high = 0;
  bool escapes = false;
  for (;; at++) {
    at = skip_plain(at, r->end, &high);
    if (at == r->end) return fail(r, at, "'\"' to end the text");
    unsigned char c = (unsigned char)*at;
    if (c == '"') break;
    if (c < 0x20) return fail(r, at, "'\"' or an escape such as \\n for a control character");
    high |= c;
    if (c != '\\') continue;
    escapes = true;
    if (++at == r->end) return fail(r, at, "a character behind the \\");
  }
  size_t size = (size_t)(at - begin), fault;
  bool foreign = high & UINT64_C(0x8080808080808080);
  if (foreign && !text_is_utf8(begin, size, &fault)) return fail(r, begin + fault, "UTF-8");
  r->at = at + 1;
  r->escaped = false;
  r->text = begin;
  r->size = size;
  return escapes ? unescape(r, begin, at) : JSON_TEXT;
}

/* strtod in the C locale, which glibc needs no file and no memory for. */
static double slow_real(const char *bytes, size_t size) {
  char small[128], *copy = size < sizeof small ? small : memory_alloc(size + 1);
  memcpy(copy, bytes, size);
  copy[size] = '\0';
  locale_t c = newlocale(LC_ALL_MASK, "C", (locale_t)0);
  double x = strtod_l(copy, NULL, c);
  freelocale(c);
  if (copy != small) free(copy);
  return x;
}

typedef struct decimal {
  uint64_t digits;
  int scale; /* power of ten */
  bool fits; /* digits and scale hold all of it */
} decimal;

static const char *take_digits(decimal *d, const char *at, const char *end, int scale) {
  for (; at < end && *at >= '0' && *at <= '9'; at++) {
    if (d->digits > (UINT64_MAX - 9) / 10) d->fits = false;
    if (!d->fits) continue;
    d->digits = d->digits * 10 + (uint64_t)(*at - '0');
    d->scale += scale;
  }
  return at;
}

static void take_exponent(decimal *d, const char *at, const char *end) {
  bool minus = at < end && *at == '-';
  int exponent = 0;
  if (at < end && (*at == '-' || *at == '+')) at++;
  for (; at < end; at++)
    if (exponent < 10000) exponent = exponent * 10 + (*at - '0');
  d->scale += minus ? -exponent : exponent;
}

bool json_exact_real(uint64_t digits, int scale, double *out) {
  static const double powers[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                  1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                  1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
  if (digits > (uint64_t)1 << 53 || scale < -22 || scale > 22) return false;
  double x = (double)digits;
  *out = scale < 0 ? x / powers[-scale] : x * powers[scale];
  return true;
}

double json_parse_real(const char *bytes, size_t size) {
  double x;
  const char *at = bytes, *end = bytes + size;
  decimal d = {.fits = true};
  bool minus = at < end && *at == '-';
  at = take_digits(&d, at + minus, end, 0);
  if (at < end && *at == '.') at = take_digits(&d, at + 1, end, -1);
  if (at < end && (*at == 'e' || *at == 'E')) take_exponent(&d, at + 1, end);
  if (!d.fits || !json_exact_real(d.digits, d.scale, &x)) return slow_real(bytes, size);
  return minus ? -x : x;
}

static bool is_digit(const char *at, const char *end) {
  return at < end && *at >= '0' && *at <= '9';
}

static json_token finish_real(json_reader *r, const char *at) {
  r->real = json_parse_real(r->token, (size_t)(at - r->token));
  if (isinf(r->real)) return fail(r, r->token, "a number that fits a double (up to 1.8e308)");
  r->at = at;
  return JSON_REAL;
}

static json_token read_fraction(json_reader *r, const char *at) {
  if (at < r->end && *at == '.') {
    if (!is_digit(++at, r->end)) return fail(r, at, "a digit behind the decimal point");
    while (is_digit(at, r->end)) at++;
  }
  if (at < r->end && (*at == 'e' || *at == 'E')) {
    at++;
    if (at < r->end && (*at == '+' || *at == '-')) at++;
    if (!is_digit(at, r->end)) return fail(r, at, "a digit of the exponent");
    while (is_digit(at, r->end)) at++;
  }
  return finish_real(r, at);
}

static json_token read_number(json_reader *r) {
  const char *at = r->at;
  bool minus = *at == '-', fits = true;
  uint64_t n = 0, most = (uint64_t)INT64_MAX + minus;
  at += minus;
  if (!is_digit(at, r->end)) return fail(r, at, "a digit");
  if (*at == '0' && is_digit(at + 1, r->end)) return fail(r, at, "a number without leading zeros");
  for (; is_digit(at, r->end); at++) {
    uint64_t digit = (uint64_t)(*at - '0');
    fits = fits && n <= (most - digit) / 10;
    if (fits) n = n * 10 + digit;
  }
  bool whole = at == r->end || (*at != '.' && *at != 'e' && *at != 'E');
  if (!whole) return read_fraction(r, at);
  if (!fits) return finish_real(r, at);
  r->integer = (int64_t)(minus ? 0 - n : n);
  r->at = at;
  return JSON_INTEGER;
}

static json_token read_word(json_reader *r, const char *word, json_token token) {
  size_t size = strlen(word);
  if ((size_t)(r->end - r->at) < size || memcmp(r->at, word, size) != 0)
    return fail(r, r->at, "a value");
  r->at += size;
  return token;
}

static json_token read_value(json_reader *r) {
  if (r->at == r->end) return fail(r, r->at, "a value");
  char c = *r->at;
  if (c == '{' || c == '[') return open_level(r, c == '{');
  r->state = r->depth ? AFTER : DONE;
  switch (c) {
  case '"': r->at++; return read_text(r);
  case 't': return read_word(r, "true", JSON_TRUE);
  case 'f': return read_word(r, "false", JSON_FALSE);
  case 'n': return read_word(r, "null", JSON_NULL);
  default:
    if (c == '-' || (c >= '0' && c <= '9')) return read_number(r);
    return fail(r, r->at, "a value");
  }
}

static json_token read_key(json_reader *r, const char *expected) {
  if (r->at == r->end || *r->at != '"') return fail(r, r->at, expected);
  r->at++;
  r->state = COLON;
  return read_text(r) == JSON_ERROR ? JSON_ERROR : JSON_KEY;
}

static json_token read_after(json_reader *r) {
  bool map = in_map(r);
  if (r->at < r->end && *r->at == (map ? '}' : ']')) return close_level(r);
  if (r->at == r->end || *r->at != ',') return fail(r, r->at, map ? "',' or '}'" : "',' or ']'");
  r->at++;
  skip_space(r);
  r->token = r->at;
  return map ? read_key(r, "a key in double quotes") : read_value(r);
}

json_token json_next(json_reader *r) {
  if (r->state == BROKEN) return JSON_ERROR;
  skip_space(r);
  r->token = r->at;
  char c = r->at < r->end ? *r->at : '\0';
  switch (r->state) {
  case FIRST_ITEM: return c == ']' ? close_level(r) : read_value(r);
  case FIRST_KEY: return c == '}' ? close_level(r) : read_key(r, "a key in double quotes or '}'");
  case AFTER: return read_after(r);
  case DONE: return r->at == r->end ? JSON_END : fail(r, r->at, "nothing behind the value");
  case COLON:
    if (c != ':') return fail(r, r->at, "':'");
    r->at++;
    skip_space(r);
    r->token = r->at;
    return read_value(r);
  default: return read_value(r);
  }
}

static void describe_byte(const json_reader *r, char out[40]) {
  unsigned char c = r->at < r->end ? (unsigned char)*r->at : 0;
  if (r->at == r->end)
    snprintf(out, 40, "the end of the document");
  else if (c < 0x20 || c == 0x7F)
    snprintf(out, 40, "control character \\u%04x", (unsigned)c);
  else if (c < 0x80)
    snprintf(out, 40, "'%c'", c);
  else
    snprintf(out, 40, "byte 0x%02X", (unsigned)c);
}

void json_place(const json_reader *r, const char *place, size_t *line, size_t *column) {
  *line = *column = 1;
  for (const char *at = r->start; at < place; at++) {
    if (*at == '\n')
      ++*line, *column = 1;
    else if (((unsigned char)*at & 0xC0) != 0x80)
      ++*column;
  }
}

int json_fail(const json_reader *r, dts_error *e) {
  if (r->state != BROKEN) return -1;
  size_t line, column;
  char got[40];
  json_place(r, r->at, &line, &column);
  if (r->expected == DEEP)
    return error_fail(e, "JSON",
                      "line %zu, column %zu: lists and maps lie more than %zu levels deep", line,
                      column, r->limit);
  describe_byte(r, got);
  return error_fail(e, "JSON", "line %zu, column %zu: expected %s, got %s", line, column,
                    r->expected, got);
}
