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
  uint32_t groups;
  bool trusted;
  const char **names; /* groups + 1 of them; into `code` */
};

static uint32_t options_of(unsigned flags) {
  uint32_t options = PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C;
  if (flags & REGEX_CASELESS) options |= PCRE2_CASELESS;
  if (flags & REGEX_MULTILINE) options |= PCRE2_MULTILINE;
  if (flags & REGEX_DOTALL) options |= PCRE2_DOTALL;
  if (flags & REGEX_EXTENDED) options |= PCRE2_EXTENDED;
  if (flags & REGEX_ECMA)
    options |= PCRE2_DOLLAR_ENDONLY | PCRE2_ALLOW_EMPTY_CLASS | PCRE2_MATCH_UNSET_BACKREF;
  return options;
}

static pcre2_code *compile(const char *pattern, size_t size, unsigned flags, dts_error *e) {
  int number;
  size_t place, fault;
  char shown[TEXT_SHORT], words[128];
  if (size > PATTERN_SIZE || !text_is_utf8(pattern, size, &fault))
    return error_fail(e, "REGEX", "the pattern is not UTF-8 of at most 64 KB"), NULL;
  pcre2_code *code =
      pcre2_compile((PCRE2_SPTR)pattern, size, options_of(flags), &number, &place, NULL);
  if (code) return code;
  pcre2_get_error_message(number, (PCRE2_UCHAR *)words, sizeof words);
  error_fail(e, "REGEX", "the pattern %s is wrong at character %zu: %s",
             text_shorten(shown, pattern, size),
             text_utf8_length(pattern, place < size ? place : size) + 1, words);
  return NULL;
}

static void read_names(regex *r) {
  uint32_t count = 0, width = 0;
  PCRE2_SPTR table = NULL;
  pcre2_pattern_info(r->code, PCRE2_INFO_NAMECOUNT, &count);
  pcre2_pattern_info(r->code, PCRE2_INFO_NAMEENTRYSIZE, &width);
  pcre2_pattern_info(r->code, PCRE2_INFO_NAMETABLE, &table);
  r->names = memory_alloc((r->groups + 1) * sizeof *r->names);
  for (uint32_t i = 0; i < count; i++, table += width) /* two bytes of number, then the name */
    r->names[table[0] << 8 | table[1]] = (const char *)table + 2;
}

static regex *make(pcre2_code *code, unsigned flags) {
  regex *r = memory_alloc(sizeof *r);
  r->code = code;
  r->trusted = flags & REGEX_TRUSTED;
  r->limits = pcre2_match_context_create(NULL);
  if (!r->limits) return regex_free(r), NULL;
  pcre2_set_match_limit(r->limits, STEPS);
  pcre2_set_heap_limit(r->limits, HEAP_KIB);
  pcre2_pattern_info(code, PCRE2_INFO_CAPTURECOUNT, &r->groups);
  read_names(r);
  return r;
}

regex *regex_compile(const char *pattern, size_t size, unsigned flags, dts_error *e) {
  buffer translated;
  buffer_init(&translated, 16 * PATTERN_SIZE);
  pcre2_code *code = NULL;
  if (!(flags & REGEX_ECMA))
    code = compile(pattern, size, flags, e);
  else if (regex_from_ecma(&translated, pattern, size, flags & REGEX_DOTALL, e) == 0)
    code = compile(buffer_text(&translated), translated.size, flags, e);
  buffer_free(&translated);
  if (!code) return NULL;
  regex *r = make(code, flags);
  if (!r) error_fail(e, "REGEX", "no memory for a pattern");
  return r;
}

void regex_free(regex *r) {
  if (!r) return;
  pcre2_code_free(r->code);
  pcre2_match_context_free(r->limits);
  free(r->names);
  free(r);
}

size_t regex_group_count(const regex *r) { return r->groups; }

const char *regex_group_name(const regex *r, size_t group) {
  return group <= r->groups ? r->names[group] : NULL;
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

static void copy_spans(const size_t *found, size_t known, regex_span *spans, size_t count) {
  for (size_t i = 0; i < count; i++) {
    bool set = i < known && found[2 * i] != PCRE2_UNSET;
    spans[i].start = set ? found[2 * i] : REGEX_UNSET;
    spans[i].end = set ? found[2 * i + 1] : REGEX_UNSET;
  }
}

int regex_match(const regex *r, const char *text, size_t size, size_t from, regex_span *spans,
                size_t count, dts_error *e) {
  if (from > size) return 0;
  pcre2_match_data *data = pcre2_match_data_create_from_pattern(r->code, NULL);
  if (!data) return error_fail(e, "REGEX", "no memory for a search");
  int status = pcre2_match(r->code, (PCRE2_SPTR)(size ? text : ""), size, from,
                           r->trusted ? PCRE2_NO_UTF_CHECK : 0, data, r->limits);
  if (status > 0 && spans)
    copy_spans(pcre2_get_ovector_pointer(data), (size_t)status, spans, count);
  pcre2_match_data_free(data);
  if (status == PCRE2_ERROR_NOMATCH) return 0;
  return status < 0 ? fail(status, e) : 1;
}
