/* schema_value.c -- keywords about one value alone: its type, its number, its text.
 *
 * 1.0 is an integer, and lengths count characters, as JSON Schema has it.
 *
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/text.h"
#include "format/json.h"
#include "format/schema_parts.h"

static const char *const types[] = {"null",   "boolean", "integer", "number",
                                    "string", "array",   "object"};
enum {
  NULLS = 1,
  BOOLEANS = 2,
  INTEGERS = 4,
  NUMBERS = 8,
  STRINGS = 16,
  ARRAYS = 32,
  OBJECTS = 64
};

static unsigned type_named(const value *name) {
  for (unsigned i = 0; i < 7; i++)
    if (value_is(name, types[i])) return 1u << i;
  return 0;
}

static unsigned type_of(const value *v) {
  switch (v->kind) {
  case VALUE_NULL: return NULLS;
  case VALUE_BOOLEAN: return BOOLEANS;
  case VALUE_INTEGER: return INTEGERS | NUMBERS;
  case VALUE_REAL: return v->real == floor(v->real) ? INTEGERS | NUMBERS : NUMBERS;
  case VALUE_TEXT: return STRINGS;
  case VALUE_LIST: return ARRAYS;
  default: return OBJECTS;
  }
}

int schema_make_type(compiler *c, const value *setting, check *k) {
  bool list = setting->kind == VALUE_LIST;
  size_t count = list ? setting->list.count : 1;
  for (size_t i = 0; i < count; i++) {
    unsigned type = type_named(list ? &setting->list.items[i] : setting);
    if (!type) return schema_refuse(c, k, "null, boolean, integer, number, string, array, object");
    k->most |= type;
  }
  return 0;
}

static const char *words_of(unsigned wanted, char out[96]) {
  size_t used = 0;
  out[0] = '\0';
  for (unsigned i = 0; i < 7; i++) {
    if (!(wanted >> i & 1)) continue;
    if (used) memcpy(out + used, " or ", 4), used += 4;
    memcpy(out + used, types[i], strlen(types[i]) + 1);
    used += strlen(types[i]);
  }
  return out;
}

bool schema_run_type(run *r, const check *k, const value *v, seen *s) {
  (void)s;
  char words[96];
  if (type_of(v) & k->most) return true;
  return schema_fault_add(r, v, "expected %s", words_of((unsigned)k->most, words));
}

int schema_make_const(compiler *c, const value *setting, check *k) {
  (void)c, (void)setting, (void)k;
  return 0;
}

bool schema_run_const(run *r, const check *k, const value *v, seen *s) {
  (void)s;
  char shown[120];
  if (value_equal(v, k->setting)) return true;
  return schema_fault_add(r, v, "expected %s", json_shorten(shown, sizeof shown, k->setting));
}

int schema_make_enum(compiler *c, const value *setting, check *k) {
  return setting->kind == VALUE_LIST ? 0 : schema_refuse(c, k, "a list of values");
}

bool schema_run_enum(run *r, const check *k, const value *v, seen *s) {
  (void)s;
  char shown[200];
  for (size_t i = 0; i < k->setting->list.count; i++)
    if (value_equal(v, &k->setting->list.items[i])) return true;
  return schema_fault_add(r, v, "expected one of %s",
                          json_shorten(shown, sizeof shown, k->setting));
}

static bool is_number(const value *v) { return v->kind == VALUE_INTEGER || v->kind == VALUE_REAL; }

static double real_of(const value *v) {
  return v->kind == VALUE_INTEGER ? (double)v->integer : v->real;
}

int schema_make_number(compiler *c, const value *setting, check *k) {
  return is_number(setting) ? 0 : schema_refuse(c, k, "a number");
}

/* -1, 0 or 1; whole numbers are compared with all their digits. */
static int compare(const value *a, const value *b) {
  if (a->kind == VALUE_INTEGER && b->kind == VALUE_INTEGER)
    return (a->integer > b->integer) - (a->integer < b->integer);
  long double x = a->kind == VALUE_INTEGER ? (long double)a->integer : (long double)a->real;
  long double y = b->kind == VALUE_INTEGER ? (long double)b->integer : (long double)b->real;
  return (x > y) - (x < y);
}

bool schema_run_number(run *r, const check *k, const value *v, seen *s) {
  (void)s;
  char shown[40];
  if (!is_number(v)) return true;
  int order = compare(v, k->setting);
  bool least = strstr(k->keyword, "inimum") != NULL, exclusive = k->keyword[0] == 'e';
  if (least ? order > 0 : order < 0) return true;
  if (order == 0 && !exclusive) return true;
  return schema_fault_add(r, v, "expected a number %s%s %s",
                          least ? (exclusive ? "above" : "from") : (exclusive ? "below" : "up"),
                          !least && !exclusive ? " to" : "",
                          json_shorten(shown, sizeof shown, k->setting));
}

int schema_make_divisor(compiler *c, const value *setting, check *k) {
  return is_number(setting) && real_of(setting) > 0 ? 0 : schema_refuse(c, k, "a number above 0");
}

/* Decimal fractions are not exact: 0.0075 counts as a multiple of 0.0001, within the rounding that
 * reading both numbers and dividing them brings. */
static bool divides(double x, double m) {
  double q = x / m;
  if (isinf(q)) return fmod(x, m) == 0;
  return fabs(q - rint(q)) <= fabs(q) * 1e-15;
}

bool schema_run_divisor(run *r, const check *k, const value *v, seen *s) {
  (void)s;
  char shown[40];
  if (!is_number(v)) return true;
  bool whole = v->kind == VALUE_INTEGER && k->setting->kind == VALUE_INTEGER;
  if (whole ? v->integer % k->setting->integer == 0 : divides(real_of(v), real_of(k->setting)))
    return true;
  return schema_fault_add(r, v, "expected a multiple of %s",
                          json_shorten(shown, sizeof shown, k->setting));
}

int schema_make_count(compiler *c, const value *setting, check *k) {
  k->most = UINT64_MAX;
  return schema_read_count(c, k, setting,
                           strncmp(k->keyword, "min", 3) == 0 ? &k->least : &k->most);
}

bool schema_run_length(run *r, const check *k, const value *v, seen *s) {
  (void)s;
  if (v->kind != VALUE_TEXT) return true;
  size_t length = text_utf8_length(v->text.bytes, v->text.size);
  if (length < k->least)
    return schema_fault_add(r, v, "expected at least %" PRIu64 " characters", k->least);
  return length <= k->most ||
         schema_fault_add(r, v, "expected at most %" PRIu64 " characters", k->most);
}

int schema_make_pattern(compiler *c, const value *setting, check *k) {
  if (setting->kind != VALUE_TEXT) return schema_refuse(c, k, "a regular expression");
  k->pattern = schema_pattern(c, setting);
  return k->pattern ? 0 : -1;
}

bool schema_run_pattern(run *r, const check *k, const value *v, seen *s) {
  (void)s;
  char shown[TEXT_SHORT];
  dts_error e;
  if (v->kind != VALUE_TEXT) return true;
  int found = regex_match(k->pattern, v->text.bytes, v->text.size, &e);
  if (found == 1) return true;
  const char *text = text_shorten(shown, k->setting->text.bytes, k->setting->text.size);
  if (found < 0) return schema_fault_add(r, v, "pattern %s: %s", text, e.message);
  return schema_fault_add(r, v, "expected a text that matches the pattern %s", text);
}

int schema_make_format(compiler *c, const value *setting, check *k) {
  if (setting->kind != VALUE_TEXT) return schema_refuse(c, k, "the name of a format");
  k->format = schema_format_find(setting->text.bytes);
  if (!k->format)
    return schema_refuse(c, k, "a known format such as date-time, date, email, uri or uuid");
  const char *pattern = schema_format_pattern(k->format);
  value text = value_text(pattern);
  if (pattern) k->pattern = schema_pattern(c, &text);
  return !pattern || k->pattern ? 0 : -1;
}

bool schema_run_format(run *r, const check *k, const value *v, seen *s) {
  (void)s;
  if (v->kind != VALUE_TEXT) return true;
  if (schema_format_fits(k->format, k->pattern, v->text.bytes, v->text.size)) return true;
  return schema_fault_add(r, v, "expected %s", schema_format_words(k->format));
}
