/* report.c -- see report.h.
 *
 * SPDX-License-Identifier: MIT */
#include "command/report.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "flow/jobs/excerpt.h"

enum { SOURCE_LIMIT = 1024 * 1024, REPORT_LIMIT = 64 * 1024 };

static int64_t line_of(const value *error) {
  const char *where = value_get_text(error, "where", ""), *colon = strrchr(where, ':');
  return value_get_integer(error, "line", colon ? strtoll(colon + 1, NULL, 10) : 0);
}

/* A message may quote what a source sent, and a script may hold anything: neither drives a
 * terminal. */
static void add_safe(buffer *out, const char *text, size_t size) {
  for (const char *at = text, *end = text + size, *tab; at < end; at = tab + 1) {
    tab = memchr(at, '\t', (size_t)(end - at));
    if (!tab) tab = end;
    screen_lines(out, at, (size_t)(tab - at), 0);
    if (tab < end) buffer_add_text(out, "  ");
  }
}

static void add_source(buffer *out, int64_t line, const char *text, size_t size) {
  buffer_add_format(out, "\n  %lld | ", (long long)line);
  add_safe(out, text, size);
  buffer_add_char(out, '\n');
}

static bool add_kept_line(buffer *out, const value *error, int64_t line) {
  const value *lines = value_get(error, "source");
  for (size_t i = 0; lines && lines->kind == VALUE_LIST && i < lines->list.count; i++) {
    const value *pair = &lines->list.items[i];
    if (pair->kind != VALUE_LIST || pair->list.count != 2 || pair->list.items[0].integer != line)
      continue;
    const value *text = &pair->list.items[1];
    add_source(out, line, text->text.bytes, text->text.size);
    return true;
  }
  return false;
}

static void add_file_line(buffer *out, const value *error, int64_t line, const char *root) {
  const char *where = value_get_text(error, "where", ""), *colon = strrchr(where, ':'), *text;
  buffer path, file;
  if (!colon || !root) return;
  buffer_init(&path, 8192);
  buffer_init(&file, SOURCE_LIMIT);
  buffer_add_format(&path, "%s/%.*s", root, (int)(colon - where), where);
  if (file_read(buffer_text(&path), SOURCE_LIMIT, &file, NULL) == 0) {
    size_t size = excerpt_line(buffer_text(&file), line, &text);
    if (size) add_source(out, line, text, size);
  }
  buffer_free(&path);
  buffer_free(&file);
}

void report_text(buffer *out, const value *error, const char *root, bool colour) {
  const char *where = value_get_text(error, "where", ""), *hint = value_get_text(error, "hint", "");
  const char *code = value_get_text(error, "code", "");
  int64_t line = line_of(error);
  if (where[0]) buffer_add_format(out, "%s: ", where);
  const char *message = value_get_text(error, "message", "?");
  if (colour) buffer_add_text(out, "\033[31m");
  add_safe(out, message, strlen(message));
  if (colour) buffer_add_text(out, "\033[0m");
  if (code[0]) buffer_add_format(out, " [%s]", code);
  buffer_add_char(out, '\n');
  if (line > 0 && !add_kept_line(out, error, line)) add_file_line(out, error, line, root);
  if (hint[0] || code[0]) buffer_add_char(out, '\n');
  if (hint[0]) buffer_add_text(out, "hint: ");
  if (hint[0]) add_safe(out, hint, strlen(hint));
  if (hint[0]) buffer_add_char(out, '\n');
  if (code[0]) buffer_add_format(out, "more: dts help %s\n", code);
}

void report_value(const screen *s, const value *error, const char *root) {
  buffer b;
  buffer_init(&b, REPORT_LIMIT);
  report_text(&b, error, root, s->colour);
  fwrite(buffer_text(&b), 1, b.size, s->out);
  buffer_free(&b);
}

value report_map(arena *a, const dts_error *e) {
  value v = value_map();
  value_set(a, &v, "code", value_text(arena_text(a, e->code)));
  value_set(a, &v, "message", value_text(arena_text(a, e->message)));
  if (e->hint[0]) value_set(a, &v, "hint", value_text(arena_text(a, e->hint)));
  if (e->where[0]) value_set(a, &v, "where", value_text(arena_text(a, e->where)));
  return v;
}

void report_error(const screen *s, const dts_error *e, const char *root) {
  arena a = {0};
  value v = report_map(&a, e);
  report_value(s, &v, root);
  arena_free(&a);
}
