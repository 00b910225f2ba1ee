/* alert_message.c -- see alert_message.h. Of the rows the first ten are shown, and how many there
 * are.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/alerts/alert_message.h"

#include <string.h>

#include "format/date.h"
#include "format/json.h"

enum { SHOWN = 10, CELL = 200, SIZE = 1 << 20 };

static const char *rows_word(size_t count) { return count == 1 ? "row" : "rows"; }

const char *alert_message_subject(const alert_message *m, arena *a) {
  size_t count = m->rows->list.count;
  if (m->notice == NOTICE_RECOVERY)
    return arena_format(a, "[%s] %s: recovered", m->project, m->alert);
  return arena_format(a, "[%s] %s: %s (%zu %s)", m->project, m->alert,
                      m->notice == NOTICE_REMINDER ? "still firing" : "firing", count,
                      rows_word(count));
}

/* "2026-03-10 13:00 America/Sao_Paulo" */
static const char *wall(const alert_message *m, int64_t ms, arena *a) {
  char text[25];
  timestamp_write(zone_local(m->zone, ms), text);
  return arena_format(a, "%.10s %.5s %s", text, text + 11, zone_name(m->zone));
}

static const char *duration(int64_t ms, arena *a) {
  int64_t minutes = ms / 60000;
  if (minutes < 120) return arena_format(a, "%lld min", (long long)minutes);
  if (minutes < 48 * 60) return arena_format(a, "%lld h", (long long)(minutes / 60));
  return arena_format(a, "%lld days", (long long)(minutes / 1440));
}

static void add_cell(buffer *b, const value *v) {
  size_t from = b->size;
  if (v->kind == VALUE_TEXT)
    buffer_add(b, v->text.bytes, v->text.size > CELL ? CELL : v->text.size);
  else
    json_write(b, v);
  for (size_t i = from; i < b->size; i++)
    if (b->data[i] == '\n' || b->data[i] == '\r') b->data[i] = ' ';
}

/* "  column: value, column: value" */
static void add_row(buffer *b, const value *columns, const value *row) {
  for (size_t i = 0; i < row->list.count; i++) {
    buffer_add_text(b, i ? ", " : "  ");
    if (i < columns->list.count) add_cell(b, &columns->list.items[i]);
    buffer_add_text(b, ": ");
    add_cell(b, &row->list.items[i]);
  }
  buffer_add_char(b, '\n');
}

static const value *first_cell(const alert_message *m, const char *name, size_t size) {
  for (size_t i = 0; m->rows->list.count && i < m->columns->list.count; i++) {
    const value *column = &m->columns->list.items[i];
    bool same = column->kind == VALUE_TEXT && column->text.size == size &&
                !memcmp(column->text.bytes, name, size);
    if (same) return &m->rows->list.items[0].list.items[i];
  }
  return NULL;
}

/* The message with {column} filled in from the first row. */
static void add_message(buffer *b, const alert_message *m) {
  for (const char *at = m->message; *at;) {
    size_t size = *at == '{' ? strcspn(at + 1, "}") : 0;
    const value *cell = size ? first_cell(m, at + 1, size) : NULL;
    if (cell)
      add_cell(b, cell), at += size + 2;
    else
      buffer_add_char(b, *at++);
  }
}

static void add_rows(buffer *b, const alert_message *m) {
  size_t count = m->rows->list.count;
  buffer_add_format(b, "\n%zu %s%s\n", count, rows_word(count),
                    count > SHOWN ? ", the first ten:" : ":");
  for (size_t i = 0; i < count && i < SHOWN; i++) add_row(b, m->columns, &m->rows->list.items[i]);
}

const char *alert_message_text(const alert_message *m, arena *a) {
  buffer b;
  buffer_init(&b, SIZE);
  const char *since = wall(m, m->since, a), *took = duration(m->now - m->since, a);
  if (m->notice == NOTICE_RECOVERY) {
    buffer_add_format(&b, "The alert %s of %s is over: it was firing since %s (%s).\n", m->alert,
                      m->project, since, took);
  } else {
    buffer_add_format(&b, "The alert %s of %s %s since %s (%s).\n", m->alert, m->project,
                      m->notice == NOTICE_REMINDER ? "is still firing" : "is firing", since, took);
    if (m->message) buffer_add_char(&b, '\n'), add_message(&b, m), buffer_add_char(&b, '\n');
    add_rows(&b, m);
  }
  const char *text = arena_text(a, buffer_text(&b));
  buffer_free(&b);
  return text;
}

static const char *filled_message(const alert_message *m, arena *a) {
  buffer b;
  if (!m->message) return NULL;
  buffer_init(&b, SIZE);
  add_message(&b, m);
  const char *text = arena_text(a, buffer_text(&b));
  buffer_free(&b);
  return text;
}

const char *alert_message_json(const alert_message *m, arena *a) {
  value v = value_map(), rows = value_list();
  buffer b;
  for (size_t i = 0; i < m->rows->list.count && i < SHOWN; i++)
    value_add(a, &rows, m->rows->list.items[i]);
  value_set(a, &v, "project", value_text(m->project));
  value_set(a, &v, "alert", value_text(m->alert));
  value_set(a, &v, "state", value_text(alert_notice_text(m->notice)));
  value_set(a, &v, "since", timestamp_value(a, m->since));
  value_set(a, &v, "at", timestamp_value(a, m->now));
  value_set(a, &v, "message", value_text(filled_message(m, a)));
  value_set(a, &v, "count", value_integer((int64_t)m->rows->list.count));
  value_set(a, &v, "columns", *m->columns);
  value_set(a, &v, "rows", rows);
  value_set(a, &v, "text", value_text(alert_message_text(m, a)));
  buffer_init(&b, SIZE);
  json_write(&b, &v);
  const char *text = arena_text(a, buffer_text(&b));
  buffer_free(&b);
  return text;
}
