/* csv.c -- the reader of csv.h, and fields written.
 *
 * Four states: before a field, in a plain one, in a quoted one, behind its closing quote. The
 * bytes of a row are gathered in one buffer, each field with a NUL behind; runs without a special
 * byte are copied whole. A row is complete at its line end, or at the end of all. Most lines need none
 * of that: without quotes but those around fields, whole in the input, they are split eight bytes at a
 * time.
 *
 * SPDX-License-Identifier: MIT */
#include "format/csv.h"

#include <endian.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/text.h"

enum state { BEFORE, PLAIN, QUOTED, BEHIND, BROKEN };

void csv_open(csv_reader *r, const csv_options *options) {
  *r = (csv_reader){.now = 1, .state = BEFORE};
  if (options) r->options = *options;
  csv_options *o = &r->options;
  if (!o->delimiter) o->delimiter = ',';
  if (!o->quote) o->quote = '"';
  if (!o->field_limit) o->field_limit = (size_t)1 << 20;
  if (!o->field_count) o->field_count = 4096;
  if (!o->row_limit) o->row_limit = (size_t)16 << 20;
  buffer_init(&r->input, SIZE_MAX / 2);
  buffer_init(&r->text, SIZE_MAX / 2);
}

void csv_close(csv_reader *r) {
  buffer_free(&r->input);
  buffer_free(&r->text);
  free(r->fields);
  r->fields = NULL;
  r->state = BROKEN;
}

int csv_feed(csv_reader *r, const char *bytes, size_t size, bool last) {
  buffer_drop(&r->input, r->taken);
  r->taken = 0;
  r->last = r->last || last;
  return buffer_add(&r->input, bytes, size);
}

static csv_status fail(csv_reader *r, uint64_t line, dts_error *e, const char *problem,
                       const char *hint) {
  char shown[TEXT_SHORT];
  size_t size = r->text.size - r->field_start;
  const char *field = size ? r->text.data + r->field_start : "";
  r->state = BROKEN;
  error_fail(e, "CSV", "line %llu, field %zu %s: %s", (unsigned long long)line, r->count + 1,
             text_shorten(shown, field, size), problem);
  error_hint(e, "%s", hint);
  return CSV_ERROR;
}

static csv_status fail_limit(csv_reader *r, dts_error *e) {
  const csv_options *o = &r->options;
  bool field = r->text.size - r->field_start > o->field_limit;
  char problem[64];
  if (r->text.failed) return fail(r, r->now, e, "no memory for this row", "");
  snprintf(problem, sizeof problem, "the %s is larger than %zu bytes", field ? "field" : "row",
           field ? o->field_limit : o->row_limit);
  return fail(r, field && r->state == QUOTED ? r->quote_line : r->line, e, problem,
              "look for a quote that is never closed, or another delimiter");
}

static bool within_limits(const csv_reader *r) {
  return !r->text.failed && r->text.size - r->field_start <= r->options.field_limit &&
         r->text.size <= r->options.row_limit;
}

/* 0, or -1 when the row has too many fields. */
static int end_field(csv_reader *r) {
  if (r->count == r->options.field_count) return -1;
  if (r->count == r->capacity) {
    r->capacity = r->capacity ? 2 * r->capacity : 16;
    r->fields = memory_grow(r->fields, r->capacity * sizeof *r->fields);
  }
  r->fields[r->count++] = (csv_field){NULL, r->text.size - r->field_start, r->quoted};
  buffer_add_char(&r->text, '\0');
  r->field_start = r->text.size;
  r->quoted = false;
  r->state = BEFORE;
  return 0;
}

static void begin_row(csv_reader *r) {
  buffer_clear(&r->text);
  r->count = r->field_start = 0;
  r->quoted = r->row_open = false;
}

/* A row is given unless its line was blank. */
static bool finish_row(csv_reader *r) {
  bool blank = r->count == 1 && !r->fields[0].size && !r->fields[0].quoted;
  if (blank && !r->options.keep_blank) return begin_row(r), false;
  const char *at = r->text.data;
  for (size_t i = 0; i < r->count; i++) {
    r->fields[i].bytes = at;
    at += r->fields[i].size + 1;
  }
  r->row++;
  r->row_open = false;
  return true;
}

/* Bytes from `at` that mean nothing but themselves. */
static size_t plain_run(const csv_reader *r, const char *at, const char *end) {
  const char *start = at, delimiter = r->options.delimiter;
  const char quote = r->options.no_quotes ? '\n' : r->options.quote;
  while (at < end && *at != delimiter && *at != quote && *at != '\n' && *at != '\r') at++;
  return (size_t)(at - start);
}

static size_t quoted_run(csv_reader *r, const char *at, const char *end) {
  const char *start = at;
  for (; at < end && *at != r->options.quote; at++) {
    if (*at == '\r' || (*at == '\n' && !r->after_quoted_cr)) r->now++;
    r->after_quoted_cr = *at == '\r';
  }
  return (size_t)(at - start);
}

typedef enum step { GO_ON, ROW_ENDS, FAILED } step;

static step end_line(csv_reader *r, char c, dts_error *e) {
  if (end_field(r) < 0)
    return fail(r, r->line, e, "too many fields in the row", "is the delimiter right?"), FAILED;
  r->now++;
  r->after_cr = c == '\r';
  return finish_row(r) ? ROW_ENDS : GO_ON;
}

/* One byte that is not part of a run. */
static step take(csv_reader *r, char c, dts_error *e) {
  const csv_options *o = &r->options;
  bool quote = c == o->quote && !o->no_quotes;
  if (r->state == QUOTED) return r->state = BEHIND, GO_ON; /* runs end at the quote only */
  if (c == '\n' || c == '\r') return end_line(r, c, e);
  if (c == o->delimiter && end_field(r) == 0) return r->row_open = true, GO_ON;
  if (c == o->delimiter)
    return fail(r, r->line, e, "too many fields in the row", "is the delimiter right?"), FAILED;
  if (r->state == BEHIND && quote) { /* a doubled quote stands for one */
    buffer_add_char(&r->text, c);
    return r->state = QUOTED, GO_ON;
  }
  if (r->state == BEHIND)
    return fail(r, r->now, e, "text behind the closing quote",
                "a quote inside a quoted field must be doubled"),
           FAILED;
  if (r->state == PLAIN)
    return fail(r, r->now, e, "a quote inside a field that does not begin with one",
                "quote the whole field and double the quotes in it, or read without quotes"),
           FAILED;
  r->state = QUOTED;
  r->quoted = r->row_open = true;
  r->quote_line = r->now;
  r->after_quoted_cr = false;
  return GO_ON;
}

static void take_run(csv_reader *r, const char *at, const char *end) {
  size_t run = r->state == QUOTED   ? quoted_run(r, at, end)
               : r->state == BEHIND ? 0
                                    : plain_run(r, at, end);
  if (!run) return;
  if (r->state == BEFORE) r->state = PLAIN;
  r->row_open = true;
  size_t room = r->options.field_limit + 1; /* one byte too many is enough to see it */
  buffer_add(&r->text, at, run < room ? run : room);
  r->taken += run;
}

/* The top bit of each byte of `word` that is `c`, exactly (Warren, Hacker's Delight, 6-1). */
static uint64_t bytes_that_are(uint64_t word, char c) {
  const uint64_t ones = UINT64_C(0x0101010101010101), rest = 0x7F * ones;
  uint64_t x = word ^ (unsigned char)c * ones;
  return ~(((x & rest) + rest) | x | rest);
}

/* Where the next byte lies that is more than itself. */
static uint64_t marks_in(const csv_options *o, const char *at) {
  uint64_t word;
  memcpy(&word, at, sizeof word);
  word = le64toh(word);
  uint64_t found =
      bytes_that_are(word, o->delimiter) | bytes_that_are(word, '\n') | bytes_that_are(word, '\r');
  return o->no_quotes ? found : found | bytes_that_are(word, o->quote);
}

/* Splits at the delimiter that lies `offset` bytes into the line; false: one field too many. */
static bool split(csv_reader *r, size_t offset, bool quoted) {
  if (r->count == r->capacity) {
    r->capacity = r->capacity ? 2 * r->capacity : 16;
    r->fields = memory_grow(r->fields, r->capacity * sizeof *r->fields);
  }
  size_t size = offset - r->field_start;
  if (r->count == r->options.field_count || size > r->options.field_limit) return false;
  r->fields[r->count++] = (csv_field){NULL, size, quoted};
  r->field_start = offset + 1;
  return true;
}

/* Whether a field may begin or end with the quote that lies there: then nothing stands on its outer
 * side but a delimiter or the end of the line. */
static bool is_outer(const csv_reader *r, const char *line, size_t left, size_t quote, bool open) {
  if (!open) return quote == r->field_start;
  char c = quote + 1 < left ? line[quote + 1] : '\0';
  return c == r->options.delimiter || c == '\n' || c == '\r';
}

/* Splits a line up to its end, whose offset it gives; 0: it is not simple. A field keeps its quotes. */
static size_t split_line(csv_reader *r, const char *line, size_t left) {
  bool open = false, quoted = false;
  for (size_t from = 0; from + 8 <= left; from += 8) {
    for (uint64_t marks = marks_in(&r->options, line + from); marks; marks &= marks - 1) {
      size_t offset = from + (size_t)__builtin_ctzll(marks) / 8;
      char c = line[offset];
      bool delimiter = c == r->options.delimiter, end = c == '\n' || c == '\r';
      if (!delimiter && !end) {
        if (!is_outer(r, line, left, offset, open)) return 0;
        quoted = true;
        open = !open;
      } else if (!open) {
        if (!split(r, offset, quoted)) return 0;
        if (end) return offset;
        quoted = false;
      } else if (end) {
        return 0;
      }
    }
  }
  return 0;
}

/* The usual case at once: a line whose quotes stand around whole fields and nowhere else, within the
 * limits, that lies whole in the input and not at its very end. False, and nothing has happened: byte
 * by byte, then. */
static bool take_line(csv_reader *r) {
  const char *line = r->input.data + r->taken;
  size_t size = split_line(r, line, r->input.size - r->taken);
  if (!size || size > r->options.row_limit || buffer_reserve(&r->text, size + 1) < 0)
    return begin_row(r), false;
  buffer_add(&r->text, line, size);
  buffer_add_char(&r->text, '\0');
  char *at = r->text.data;
  for (size_t i = 0; i < r->count; i++) {
    csv_field *f = &r->fields[i];
    char *next = at + f->size + 1;
    if (f->quoted) at++, f->size -= 2;
    f->bytes = at;
    at[f->size] = '\0';
    at = next;
  }
  r->taken += size + 1;
  r->now++;
  r->row++;
  r->after_cr = line[size] == '\r';
  r->field_start = 0;
  return true;
}

/* What is left when the input has ended. */
static csv_status finish(csv_reader *r, dts_error *e) {
  if (!r->last) return CSV_MORE;
  if (r->state == QUOTED)
    return fail(r, r->quote_line, e, "the quote that opens the field is never closed",
                "close it, or double the quotes inside the field");
  if (!r->row_open && r->state == BEFORE) return CSV_END;
  if (end_field(r) < 0)
    return fail(r, r->line, e, "too many fields in the row", "is the delimiter right?");
  return finish_row(r) ? CSV_ROW : CSV_END;
}

/* False when more bytes are needed to tell. */
static bool skip_mark(csv_reader *r) {
  static const char mark[] = "\xEF\xBB\xBF";
  if (r->begun || r->options.keep_bom) return true;
  size_t size = r->input.size < 3 ? r->input.size : 3;
  bool same = size && memcmp(r->input.data, mark, size) == 0;
  if (size < 3 && (same || !size) && !r->last) return false;
  if (same && size == 3) r->taken = 3;
  return r->begun = true;
}

/* The second half of a CRLF, which may come with the next piece. */
static bool skip_feed(csv_reader *r) {
  if (!r->after_cr || r->taken == r->input.size) return false;
  r->after_cr = false;
  if (r->input.data[r->taken] != '\n') return false;
  r->taken++;
  return true;
}

/* Titles above the rows: lines as they are, quotes and all. False when more bytes are needed. */
static bool skip_lines(csv_reader *r) {
  while (r->options.skip) {
    skip_feed(r);
    const char *at = r->input.data + r->taken;
    size_t left = r->input.size - r->taken, size = 0;
    while (size < left && at[size] != '\n' && at[size] != '\r') size++;
    r->taken += size + (size < left);
    if (size == left) return false;
    r->after_cr = at[size] == '\r';
    r->now++;
    r->options.skip--;
  }
  return true;
}

csv_status csv_next(csv_reader *r, const csv_field **fields, size_t *count, dts_error *e) {
  if (r->state == BROKEN) return CSV_ERROR;
  if (!skip_mark(r)) return CSV_MORE;
  if (!skip_lines(r)) return r->last ? CSV_END : CSV_MORE;
  if (!r->row_open && r->state == BEFORE) {
    begin_row(r);
    skip_feed(r);
    r->line = r->now;
    if (take_line(r)) return *fields = r->fields, *count = r->count, CSV_ROW;
  }
  step next = GO_ON;
  while (next == GO_ON && r->taken < r->input.size) {
    if (skip_feed(r)) continue;
    const char *at = r->input.data + r->taken, *end = r->input.data + r->input.size;
    if (!r->row_open && r->state == BEFORE) r->line = r->now;
    take_run(r, at, end);
    if (!within_limits(r)) return fail_limit(r, e);
    if (r->taken < r->input.size) next = take(r, r->input.data[r->taken++], e);
  }
  if (next == FAILED) return CSV_ERROR;
  csv_status status = next == ROW_ENDS ? CSV_ROW : finish(r, e);
  if (status == CSV_ROW) *fields = r->fields, *count = r->count;
  return status;
}

/* -1.5, +3e10, -12,5: what a sheet takes for a number and may begin with a sign. */
static bool is_number(const char *at, const char *end) {
  bool digits = false;
  if (at < end && (*at == '-' || *at == '+')) at++;
  for (; at < end && ((*at >= '0' && *at <= '9') || *at == '.' || *at == ','); at++)
    digits = digits || (*at >= '0' && *at <= '9');
  if (digits && at < end && (*at == 'e' || *at == 'E')) {
    at++;
    if (at < end && (*at == '-' || *at == '+')) at++;
    digits = at < end;
    while (at < end && *at >= '0' && *at <= '9') at++;
  }
  return digits && at == end;
}

/* The list of OWASP's "CSV Injection". */
static bool runs_as_formula(const char *bytes, size_t size) {
  return size && memchr("=+-@\t\r", bytes[0], 6) && !is_number(bytes, bytes + size);
}

int csv_write_field(buffer *b, const char *bytes, size_t size, char delimiter, bool guard_formula) {
  bool guard = guard_formula && runs_as_formula(bytes, size), quote = false;
  for (size_t i = 0; i < size && !quote; i++) {
    char c = bytes[i];
    quote = c == delimiter || c == '"' || c == '\n' || c == '\r';
  }
  if (quote) buffer_add_char(b, '"');
  if (guard) buffer_add_char(b, '\'');
  for (size_t from = 0; from < size;) {
    const char *found = memchr(bytes + from, '"', size - from);
    size_t to = found ? (size_t)(found - bytes) + 1 : size;
    buffer_add(b, bytes + from, to - from);
    if (found) buffer_add_char(b, '"');
    from = to;
  }
  if (quote) buffer_add_char(b, '"');
  return b->failed ? -1 : 0;
}
