/* json_write.c -- values as JSON.
 *
 * What is written reads back equal: integers with all their digits, doubles with as few digits as
 * bring the same double back. Texts are passed through as they are (UTF-8), only quotes,
 * backslashes and control characters become escapes; a byte that is no UTF-8 becomes U+FFFD, or the
 * whole could not be read by anybody. A number that JSON does not have is an error,
 * never null.
 *
 * SPDX-License-Identifier: MIT */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "format/json.h"

static int write_escape(buffer *b, unsigned char c) {
  static const char from[] = "\"\\\b\f\n\r\t", to[] = "\"\\bfnrt";
  const char *found = strchr(from, c);
  if (!c || !found) return buffer_add_format(b, "\\u%04x", (unsigned)c);
  char escape[2] = {'\\', to[found - from]};
  return buffer_add(b, escape, 2);
}

int json_write_text(buffer *b, const char *bytes, size_t size) {
  size_t from = 0;
  buffer_add_char(b, '"');
  for (size_t i = 0, taken; i < size; i += taken) {
    unsigned char c = (unsigned char)bytes[i];
    bool cut;
    taken = c < 0x80 ? 1 : text_utf8_take(bytes + i, size - i, &cut);
    if (taken && c >= 0x20 && c != '"' && c != '\\') continue;
    buffer_add(b, bytes + from, i - from);
    if (taken)
      write_escape(b, c);
    else
      buffer_add_text(b, "\xEF\xBF\xBD"), taken = 1;
    from = i + taken;
  }
  if (size > from) buffer_add(b, bytes + from, size - from);
  return buffer_add_char(b, '"');
}

int json_write_integer(buffer *b, int64_t n) {
  char digits[24], *at = digits + sizeof digits;
  uint64_t rest = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
  do *--at = (char)('0' + rest % 10);
  while (rest /= 10);
  if (n < 0) *--at = '-';
  return buffer_add(b, at, (size_t)(digits + sizeof digits - at));
}

/* printf writes the decimal point of the locale, which may be a comma or several bytes. */
static size_t plain_point(char *digits) {
  char *to = digits;
  bool point = false;
  for (const char *from = digits; *from; from++) {
    bool kept = strchr("0123456789+-e", *from) != NULL;
    if (kept) *to++ = *from;
    if (!kept && !point) *to++ = '.', point = true;
  }
  *to = '\0';
  return (size_t)(to - digits);
}

int json_write_real(buffer *b, double x) {
  char digits[48];
  size_t size = 0;
  if (!isfinite(x)) return -1;
  int precision = fabs(x) < DBL_MIN ? 1 : 15; /* below, doubles have fewer digits than 15 */
  for (; precision <= 17; precision++) {
    snprintf(digits, sizeof digits, "%.*g", precision, x);
    size = plain_point(digits);
    if (json_parse_real(digits, size) == x) break;
  }
  buffer_add(b, digits, size);
  return strpbrk(digits, ".e") ? (b->failed ? -1 : 0) : buffer_add_text(b, ".0");
}

/* indent < 0: no white space at all. */
static int write_value(buffer *b, const value *v, int indent, int depth);

static void start_line(buffer *b, int indent, int depth) {
  if (indent < 0) return;
  buffer_add_char(b, '\n');
  for (int i = 0; i < indent * depth; i++) buffer_add_char(b, ' ');
}

static int write_list(buffer *b, const value *v, int indent, int depth) {
  buffer_add_char(b, '[');
  for (size_t i = 0; i < v->list.count; i++) {
    if (i) buffer_add_char(b, ',');
    start_line(b, indent, depth + 1);
    if (write_value(b, &v->list.items[i], indent, depth + 1) < 0) return -1;
  }
  if (v->list.count) start_line(b, indent, depth);
  return buffer_add_char(b, ']');
}

static int write_map(buffer *b, const value *v, int indent, int depth) {
  buffer_add_char(b, '{');
  for (size_t i = 0; i < v->map.count; i++) {
    const value_pair *pair = &v->map.pairs[i];
    if (i) buffer_add_char(b, ',');
    start_line(b, indent, depth + 1);
    json_write_text(b, pair->key.text.bytes, pair->key.text.size);
    buffer_add(b, ": ", indent < 0 ? 1 : 2);
    if (write_value(b, &pair->item, indent, depth + 1) < 0) return -1;
  }
  if (v->map.count) start_line(b, indent, depth);
  return buffer_add_char(b, '}');
}

static int write_value(buffer *b, const value *v, int indent, int depth) {
  bool level = v->kind == VALUE_LIST || v->kind == VALUE_MAP;
  if (level && depth >= JSON_DEPTH) return -1;
  switch (v->kind) {
  case VALUE_NULL: return buffer_add(b, "null", 4);
  case VALUE_BOOLEAN: return buffer_add_text(b, v->boolean ? "true" : "false");
  case VALUE_INTEGER: return json_write_integer(b, v->integer);
  case VALUE_REAL: return json_write_real(b, v->real);
  case VALUE_TEXT: return json_write_text(b, v->text.bytes, v->text.size);
  case VALUE_LIST: return write_list(b, v, indent, depth);
  case VALUE_MAP: return write_map(b, v, indent, depth);
  }
  return -1;
}

int json_write(buffer *b, const value *v) {
  return write_value(b, v, -1, 0) < 0 || b->failed ? -1 : 0;
}

static bool is_text(const value *v, int depth) {
  if (v->kind == VALUE_TEXT) return text_is_utf8(v->text.bytes, v->text.size, NULL);
  bool whole = depth < JSON_DEPTH;
  if (v->kind == VALUE_LIST)
    for (size_t i = 0; whole && i < v->list.count; i++)
      whole = is_text(&v->list.items[i], depth + 1);
  if (v->kind == VALUE_MAP)
    for (size_t i = 0; whole && i < v->map.count; i++)
      whole = is_text(&v->map.pairs[i].key, depth + 1) && is_text(&v->map.pairs[i].item, depth + 1);
  return whole;
}

int json_write_exact(buffer *b, const value *v) { return is_text(v, 0) ? json_write(b, v) : -1; }

int json_write_pretty(buffer *b, const value *v) {
  return write_value(b, v, 2, 0) < 0 || b->failed ? -1 : 0;
}

/* A buffer that is full after `size` bytes cuts the value short without writing all of it. */
static const char *shorten_level(char *out, size_t size, const value *v) {
  buffer b;
  buffer_init(&b, size > 4 ? size - 4 : 0);
  bool whole = json_write(&b, v) == 0;
  size_t kept = b.size, fault;
  if (kept && !text_is_utf8(b.data, kept, &fault)) kept = fault;
  if (whole)
    snprintf(out, size, "%.*s", (int)kept, b.data ? b.data : "");
  else
    snprintf(out, size, "%.*s...", (int)kept, b.data ? b.data : "");
  buffer_free(&b);
  return out;
}

const char *json_shorten(char *out, size_t size, const value *v) {
  char text[TEXT_SHORT];
  if (v->kind == VALUE_LIST || v->kind == VALUE_MAP) return shorten_level(out, size, v);
  if (v->kind == VALUE_REAL && !isfinite(v->real))
    snprintf(out, size, "%s", isnan(v->real) ? "NaN" : v->real < 0 ? "-infinity" : "infinity");
  else if (v->kind != VALUE_TEXT)
    return shorten_level(out, size, v);
  else
    snprintf(out, size, "%s", text_shorten(text, v->text.bytes, v->text.size));
  return out;
}
