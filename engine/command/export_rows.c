/* export_rows.c -- rows as lines of text: CSV (RFC 4180) and NDJSON.
 *
 * One idea: a line is composed whole and then written, so that what is too large is said instead.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "command/export_parts.h"
#include "format/json.h"

static int write_line(exporting *x, dts_error *e) {
  if (x->row.failed) return error_fail(e, "LIMIT_SIZE", "a row is larger than 300 MB");
  return export_write(x, x->row.data, x->row.size, e);
}

static int nothing(exporting *x, dts_error *e) {
  (void)x, (void)e;
  return 0;
}

/* ---- CSV ---- */

static bool needs_quotes(const char *text, size_t size) {
  return memchr(text, ',', size) || memchr(text, '"', size) || memchr(text, '\n', size) ||
         memchr(text, '\r', size);
}

static void add_quoted(buffer *b, const char *text, size_t size) {
  buffer_add_char(b, '"');
  for (size_t i = 0; i < size; i++) {
    if (text[i] == '"') buffer_add_char(b, '"');
    buffer_add_char(b, text[i]);
  }
  buffer_add_char(b, '"');
}

/* An empty text is "" and a null is nothing, so that the two can be told apart. */
static void add_field(buffer *b, const value *v) {
  if (v->kind == VALUE_NULL) return;
  if (v->kind != VALUE_TEXT)
    json_write(b, v);
  else if (!v->text.size || needs_quotes(v->text.bytes, v->text.size))
    add_quoted(b, v->text.bytes, v->text.size);
  else
    buffer_add(b, v->text.bytes, v->text.size);
}

static int write_names(exporting *x, dts_error *e) {
  buffer_clear(&x->row);
  for (size_t i = 0; i < x->columns.list.count; i++) {
    if (i) buffer_add_char(&x->row, ',');
    add_field(&x->row, value_get(&x->columns.list.items[i], "name"));
  }
  buffer_add_text(&x->row, "\r\n");
  return write_line(x, e);
}

static int write_fields(exporting *x, const value *row, dts_error *e) {
  buffer_clear(&x->row);
  for (size_t i = 0; i < x->columns.list.count; i++) {
    if (i) buffer_add_char(&x->row, ',');
    add_field(&x->row, &row[i]);
  }
  buffer_add_text(&x->row, "\r\n");
  return write_line(x, e);
}

const export_form export_csv = {
    .name = "csv", .begin = write_names, .row = write_fields, .end = nothing};

/* ---- NDJSON ---- */

static void add_pair(buffer *b, const value *column, const value *v) {
  const value *name = value_get(column, "name");
  json_write_text(b, name->text.bytes, name->text.size);
  buffer_add_char(b, ':');
  if (v->kind == VALUE_TEXT && value_is(value_get(column, "type"), "json"))
    buffer_add(b, v->text.bytes, v->text.size); /* as it is kept: valid JSON */
  else
    json_write(b, v);
}

static int write_object(exporting *x, const value *row, dts_error *e) {
  buffer_clear(&x->row);
  buffer_add_char(&x->row, '{');
  for (size_t i = 0; i < x->columns.list.count; i++) {
    if (i) buffer_add_char(&x->row, ',');
    add_pair(&x->row, &x->columns.list.items[i], &row[i]);
  }
  buffer_add_text(&x->row, "}\n");
  return write_line(x, e);
}

const export_form export_ndjson = {
    .name = "ndjson", .begin = nothing, .row = write_object, .end = nothing};
