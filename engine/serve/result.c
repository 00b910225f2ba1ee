/* result.c -- see result.h.
 *
 * SPDX-License-Identifier: MIT */
#include "serve/result.h"

#include <string.h>

#include "flow/kernel/reader.h"
#include "format/csv.h"
#include "format/json.h"

enum { BODY_LIMIT = 128 << 20 };
enum { SEEN_INTEGER = 1, SEEN_REAL = 2, SEEN_TEXT = 4, SEEN_BOOLEAN = 8 };
#define BIG (1LL << 53)

void result_init(result *r, arena *memory, result_style style) {
  *r = (result){.memory = memory, .style = style};
  buffer_init(&r->body, BODY_LIMIT);
  r->columns = r->tables = value_list();
}

void result_free(result *r) { buffer_free(&r->body); }

/* ---- cells ---- */

static bool is_json(const value *v) {
  json_reader r;
  json_token t;
  json_open(&r, v->text.bytes, v->text.size);
  r.limit = JSON_DEPTH; /* it is our own */
  do t = json_next(&r);
  while (t != JSON_ERROR && t != JSON_END);
  json_close(&r);
  return t == JSON_END;
}

static void write_integer(result *r, int64_t n) {
  bool quoted = r->quote_big && (n > BIG || n < -BIG);
  if (quoted) buffer_add_char(&r->body, '"');
  json_write_integer(&r->body, n);
  if (quoted) buffer_add_char(&r->body, '"');
}

static void write_cell(result *r, const char *type, const value *v) {
  bool json = v->kind == VALUE_TEXT && strcmp(type, "json") == 0 && is_json(v);
  if (json)
    buffer_add(&r->body, v->text.bytes, v->text.size);
  else if (v->kind == VALUE_INTEGER && strcmp(type, "boolean") == 0)
    buffer_add_text(&r->body, v->integer ? "true" : "false");
  else if (v->kind == VALUE_INTEGER)
    write_integer(r, v->integer);
  else
    json_write(&r->body, v);
}

static void write_csv_cell(result *r, const char *type, const value *v) {
  buffer text;
  if (v->kind == VALUE_NULL) return;
  if (v->kind == VALUE_TEXT) {
    csv_write_field(&r->body, v->text.bytes, v->text.size, ',', true);
    return;
  }
  buffer_init(&text, 64);
  if (v->kind == VALUE_INTEGER && strcmp(type, "boolean") == 0)
    buffer_add_text(&text, v->integer ? "true" : "false");
  else
    json_write(&text, v);
  csv_write_field(&r->body, buffer_text(&text), text.size, ',', true);
  buffer_free(&text);
}

/* ---- rows ---- */

static unsigned char seen_of(const value *v) {
  switch (v->kind) {
  case VALUE_NULL: return 0;
  case VALUE_BOOLEAN: return SEEN_BOOLEAN;
  case VALUE_INTEGER: return SEEN_INTEGER;
  case VALUE_REAL: return SEEN_REAL;
  default: return SEEN_TEXT;
  }
}

static const char *type_of(const result *r, size_t i) {
  return value_get_text(&r->columns.list.items[i], "type", "any");
}

static void write_row(result *r, const store_header *header, const value *row) {
  static const char *const opening[] = {"[", "{", ""}, *const closing[] = {"]", "}", "\r\n"};
  if (r->rows && r->style != RESULT_CSV) buffer_add_char(&r->body, ',');
  buffer_add_text(&r->body, opening[r->style]);
  for (size_t i = 0; i < header->count; i++) {
    if (i) buffer_add_char(&r->body, ',');
    if (r->style == RESULT_OBJECTS) {
      json_write_text(&r->body, header->names[i], strlen(header->names[i]));
      buffer_add_char(&r->body, ':');
    }
    if (r->style == RESULT_CSV)
      write_csv_cell(r, type_of(r, i), &row[i]);
    else
      write_cell(r, type_of(r, i), &row[i]);
    r->seen[i] |= seen_of(&row[i]);
  }
  buffer_add_text(&r->body, closing[r->style]);
  r->rows++;
}

static int on_row(void *arg, const store_header *header, const value *row, dts_error *e) {
  result *r = arg;
  if (r->cut && (int64_t)r->rows == r->limit_rows) {
    r->truncated = true;
    return error_fail(e, "ENOUGH", "enough rows");
  }
  if (!r->seen) r->seen = arena_alloc(r->memory, header->count);
  write_row(r, header, row);
  if (!r->body.failed) return 0;
  error_fail(e, "LIMIT_SIZE", "the result is larger than %d MB", BODY_LIMIT >> 20);
  return error_hint(e, "ask for fewer rows or columns");
}

static const char *settle(const result *r, size_t i) {
  unsigned char seen = r->seen ? r->seen[i] : 0;
  if (seen == SEEN_INTEGER) return "integer";
  if (seen && !(seen & ~(SEEN_INTEGER | SEEN_REAL))) return "real";
  return seen == SEEN_BOOLEAN ? "boolean" : "text";
}

static void settle_types(result *r) {
  for (size_t i = 0; i < r->columns.list.count; i++) {
    value *column = &r->columns.list.items[i];
    const char *type = type_of(r, i);
    if (r->types)
      type = r->types[i];
    else if (strcmp(type, "any") == 0)
      type = settle(r, i);
    value_set(r->memory, column, "type", value_text(type));
  }
}

int result_select(store_conn *c, result *r, const char *sql, const value *params, dts_error *e) {
  static const value none = {.kind = VALUE_MAP};
  store_sql q = {sql, params ? params : &none, r->limit_ms, r->cut ? 0 : r->limit_rows};
  dts_error inner = {0};
  int rc = store_query(c, &q, r->memory, &r->columns, &r->tables, on_row, r, &inner);
  if (rc < 0 && !r->truncated) {
    if (e) *e = inner;
    return -1;
  }
  settle_types(r);
  return 0;
}

typedef struct reading {
  result *r;
  const char *sql;
  const value *params;
} reading;

static int read_work(store_conn *c, void *arg, dts_error *e) {
  const reading *x = arg;
  return result_select(c, x->r, x->sql, x->params, e);
}

int result_read(store *s, result *r, const char *sql, const value *params, dts_error *e) {
  reading x = {r, sql, params};
  return store_read(s, read_work, &x, e);
}

int result_check(const result *r, const registry *set, dts_error *e) {
  for (size_t i = 0; i < r->tables.list.count; i++) {
    const char *name = r->tables.list.items[i].text.bytes;
    if (!reader_is_inner(name) && !registry_is_private(set, name)) continue;
    error_fail(e, "TABLE_REFUSED", "table '%s' is private", name);
    error_hint(e, "no route, page or query of the API reads it");
    if (e) e->status = 403;
    return -1;
  }
  return 0;
}

/* ---- writing the whole ---- */

static int write_columns(buffer *out, const result *r) {
  buffer_add_char(out, '[');
  for (size_t i = 0; i < r->columns.list.count; i++) {
    const char *name = value_get_text(&r->columns.list.items[i], "name", "");
    buffer_add_text(out, i ? ",{\"name\":" : "{\"name\":");
    json_write_text(out, name, strlen(name));
    buffer_add_format(out, ",\"type\":\"%s\"}", type_of(r, i));
  }
  return buffer_add_char(out, ']');
}

int result_write(buffer *out, const result *r) {
  buffer_add_text(out, "\"columns\":");
  write_columns(out, r);
  buffer_add_text(out, ",\"rows\":[");
  buffer_add(out, r->body.data, r->body.size);
  return buffer_add_char(out, ']');
}

int result_write_csv(buffer *out, const result *r) {
  for (size_t i = 0; i < r->columns.list.count; i++) {
    const char *name = value_get_text(&r->columns.list.items[i], "name", "");
    if (i) buffer_add_char(out, ',');
    csv_write_field(out, name, strlen(name), ',', true);
  }
  buffer_add_text(out, "\r\n");
  return buffer_add(out, r->body.data, r->body.size);
}

/* ---- rows as values ---- */

typedef struct gathering {
  gathered *g;
  const char *sql;
  const value *params;
  size_t count;
} gathering;

int result_gather_row(void *arg, const store_header *header, const value *row, dts_error *e) {
  gathered *g = arg;
  value item = value_map();
  (void)e;
  for (size_t i = 0; i < header->count; i++)
    value_set(g->memory, &item, arena_text(g->memory, header->names[i]),
              value_copy(g->memory, &row[i]));
  value_add(g->memory, &g->rows, item);
  return 0;
}

static int gather_work(store_conn *c, void *arg, dts_error *e) {
  const gathering *x = arg;
  return store_select(c, x->sql, x->params, x->count, result_gather_row, x->g, e);
}

int result_gather(store *s, gathered *g, const char *sql, const value *params, size_t count,
                  dts_error *e) {
  gathering x = {g, sql, params, count};
  g->rows = value_list();
  return store_read(s, gather_work, &x, e);
}
