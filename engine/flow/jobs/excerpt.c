/* excerpt.c -- see excerpt.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/jobs/excerpt.h"

#include <stdlib.h>
#include <string.h>

#include "format/json.h"

enum { AROUND = 1, ERROR_BYTES = 256 * 1024 };

size_t excerpt_line(const char *text, int64_t number, const char **line) {
  for (; number > 1 && text; number--) {
    text = strchr(text, '\n');
    if (text) text++;
  }
  *line = text;
  return text && number == 1 ? strcspn(text, "\r\n") : 0;
}

static const char *source_of(const script *s, const char *file, size_t size) {
  if (strlen(s->file) == size && memcmp(s->file, file, size) == 0) return s->source;
  for (size_t i = 0; i < s->module_count; i++)
    if (strlen(s->modules[i].file) == size && memcmp(s->modules[i].file, file, size) == 0)
      return s->modules[i].source;
  return NULL;
}

static value excerpt(arena *a, const dts_error *e, const script *s, int64_t *number) {
  value lines = value_list();
  const char *colon = strrchr(e->where, ':');
  *number = colon ? strtoll(colon + 1, NULL, 10) : 0;
  const char *text = *number > 0 && s ? source_of(s, e->where, (size_t)(colon - e->where)) : NULL;
  for (int64_t n = *number - AROUND; text && n <= *number + AROUND; n++) {
    const char *line;
    size_t size = n > 0 ? excerpt_line(text, n, &line) : 0;
    if (!size) continue;
    value pair = value_list();
    value_add(a, &pair, value_integer(n));
    value_add(a, &pair, value_bytes(line, size));
    value_add(a, &lines, pair);
  }
  return lines;
}

static int64_t number_after(const char *text, const char *mark) {
  const char *found = NULL;
  for (const char *at = strstr(text, mark); at; at = strstr(at + 1, mark)) found = at;
  return found ? strtoll(found + strlen(mark), NULL, 10) : 0;
}

/* Which line of what was read is at fault, as the readers of rows say it: "... (line 500 of
 * prices.csv)", "line 500, field 3: ...", "... row 499, line 500". 0: they name none. */
static int64_t input_line(const dts_error *e) {
  static const char *const codes[] = {"ROWS", "CSV", "JSON", "COLUMN", "TABLE", "ENCODING"};
  bool read = false;
  for (size_t i = 0; i < sizeof codes / sizeof *codes; i++) read |= strcmp(e->code, codes[i]) == 0;
  if (!read) return 0;
  if (strncmp(e->message, "line ", 5) == 0) return strtoll(e->message + 5, NULL, 10);
  int64_t line = number_after(e->message, "(line ");
  return line > 0 ? line : number_after(e->message, ", line ");
}

char *excerpt_error(const dts_error *e, const script *s, const char *traceback) {
  arena a = {0};
  int64_t line;
  value v = value_map(), lines = excerpt(&a, e, s, &line);
  value_set(&a, &v, "code", value_text(e->code));
  value_set(&a, &v, "message", value_text(e->message));
  if (e->hint[0]) value_set(&a, &v, "hint", value_text(e->hint));
  if (e->where[0]) value_set(&a, &v, "where", value_text(e->where));
  if (line > 0) value_set(&a, &v, "line", value_integer(line));
  int64_t input = input_line(e);
  if (input > 0) value_set(&a, &v, "input_line", value_integer(input));
  if (e->status) value_set(&a, &v, "status", value_integer(e->status));
  if (e->retry_after_ms) value_set(&a, &v, "retry_after_ms", value_integer(e->retry_after_ms));
  if (lines.list.count) value_set(&a, &v, "source", lines);
  if (traceback) value_set(&a, &v, "traceback", value_text(traceback));
  buffer b;
  buffer_init(&b, ERROR_BYTES);
  json_write(&b, &v);
  char *text = memory_text(buffer_text(&b));
  buffer_free(&b);
  arena_free(&a);
  return text;
}
