/* regex.c -- see regex.h.
 *
 * PCRE2's interpreter, not its compiler to machine code: a caged worker may not make memory
 * executable. The limits live in a match context that nothing changes after compiling, which is
 * what lets threads share a regex.
 *
 * SPDX-License-Identifier: MIT */
#define PCRE2_CODE_UNIT_WIDTH 8
#include "regex/regex.h"

#include <pcre2.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/text.h"
#include "regex/regex_parts.h"

/* One match may take 1e6 steps (some 10 ms to 50 ms) and 32 MB. */
enum { STEPS = 1000 * 1000, HEAP_KIB = 32 * 1024, PATTERN_SIZE = 64 * 1024 };

struct regex {
  pcre2_code *code;
  pcre2_match_context *limits;
};

static pcre2_code *compile(const char *pattern, size_t size, dts_error *e) {
  const uint32_t options = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY |
                           PCRE2_ALLOW_EMPTY_CLASS | PCRE2_MATCH_UNSET_BACKREF;
  int number;
  size_t place, fault;
  char shown[TEXT_SHORT], words[128];
  if (size > PATTERN_SIZE || !text_is_utf8(pattern, size, &fault))
    return error_fail(e, "REGEX", "the pattern is not UTF-8 of at most 64 KB"), NULL;
  pcre2_code *code = pcre2_compile((PCRE2_SPTR)pattern, size, options, &number, &place, NULL);
  if (code) return code;
  pcre2_get_error_message(number, (PCRE2_UCHAR *)words, sizeof words);
  error_fail(e, "REGEX", "the pattern %s is wrong at character %zu: %s",
             text_shorten(shown, pattern, size),
             text_utf8_length(pattern, place < size ? place : size) + 1, words);
  return NULL;
}

static regex *make(pcre2_code *code) {
  regex *r = memory_alloc(sizeof *r);
  r->code = code;
  r->limits = pcre2_match_context_create(NULL);
  if (!r->limits) return regex_free(r), NULL;
  pcre2_set_match_limit(r->limits, STEPS);
  pcre2_set_heap_limit(r->limits, HEAP_KIB);
  return r;
}

regex *regex_compile(const char *pattern, size_t size, dts_error *e) {
  buffer translated;
  buffer_init(&translated, 16 * PATTERN_SIZE);
  pcre2_code *code = NULL;
  if (regex_from_ecma(&translated, pattern, size, e) == 0)
    code = compile(buffer_text(&translated), translated.size, e);
  buffer_free(&translated);
  if (!code) return NULL;
  regex *r = make(code);
  if (!r) error_fail(e, "REGEX", "no memory for a pattern");
  return r;
}

void regex_free(regex *r) {
  if (!r) return;
  pcre2_code_free(r->code);
  pcre2_match_context_free(r->limits);
  free(r);
}

static int fail(int status, dts_error *e) {
  char words[128];
  bool limit = status == PCRE2_ERROR_MATCHLIMIT || status == PCRE2_ERROR_HEAPLIMIT ||
               status == PCRE2_ERROR_DEPTHLIMIT;
  if (limit) {
    error_fail(e, "LIMIT_REGEX", "the pattern needs too many steps on this text");
    return error_hint(e, "nested repeats such as (a+)+ grow without bound: write them once");
  }
  pcre2_get_error_message(status, (PCRE2_UCHAR *)words, sizeof words);
  return error_fail(e, "REGEX", "the text cannot be searched: %s", words);
}

int regex_match(const regex *r, const char *text, size_t size, dts_error *e) {
  pcre2_match_data *data = pcre2_match_data_create_from_pattern(r->code, NULL);
  if (!data) return error_fail(e, "REGEX", "no memory for a search");
  int status = pcre2_match(r->code, (PCRE2_SPTR)(size ? text : ""), size, 0, 0, data, r->limits);
  pcre2_match_data_free(data);
  if (status == PCRE2_ERROR_NOMATCH) return 0;
  return status < 0 ? fail(status, e) : 1;
}
