/* markup_grid.c -- an HTML table as a grid (HTML Living Standard, section 4.9.12, "forming a table").
 *
 * Spans are filled with their cell's text. The names are those of the leading rows made of <th> alone, or
 * of the first row; texts of several header rows are joined. Rows of nested tables are not ours.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "markup/markup.h"

enum { MOST_COLUMNS = 1000, MOST_CELLS = 2000000 };

typedef struct row {
  const markup_node *node;
  const char **cells;
  size_t count;
  bool header; /* <th> alone, or inside of <thead> */
} row;

typedef struct table {
  const markup *m;
  arena *a;
  row *rows;
  size_t count, capacity, columns, cells;
} table;

static bool named(const markup_node *n, const char *name) {
  return text_equal_fold(markup_name(n), name);
}

static bool all_th(const markup_node *tr) {
  bool any = false;
  for (const markup_node *c = markup_child(tr); c; c = markup_next(c)) {
    if (named(c, "td")) return false;
    any = any || named(c, "th");
  }
  return any;
}

static void add_row(table *t, const markup_node *tr, bool in_head) {
  if (t->count == t->capacity) {
    size_t capacity = t->capacity ? 2 * t->capacity : 64;
    row *rows = arena_alloc(t->a, capacity * sizeof *rows);
    if (t->count) memcpy(rows, t->rows, t->count * sizeof *rows);
    t->rows = rows, t->capacity = capacity;
  }
  t->rows[t->count++] = (row){.node = tr, .header = in_head || all_th(tr)};
}

static void collect_rows(table *t, const markup_node *from, bool in_head) {
  for (const markup_node *n = markup_child(from); n; n = markup_next(n)) {
    if (named(n, "tr"))
      add_row(t, n, in_head);
    else if (named(n, "thead"))
      collect_rows(t, n, true);
    else if (named(n, "tbody") || named(n, "tfoot"))
      collect_rows(t, n, false);
  }
}

typedef struct span {
  long columns, rows;
} span;

static void read_span(void *arg, const char *name, const char *text) {
  span *s = arg;
  if (text_equal_fold(name, "colspan")) s->columns = strtol(text, NULL, 10);
  if (text_equal_fold(name, "rowspan")) s->rows = strtol(text, NULL, 10);
}

static const char *cell_text(table *t, const markup_node *cell) {
  buffer b;
  buffer_init(&b, 1024 * 1024);
  markup_text(t->m, cell, &b);
  const char *text = arena_copy(t->a, buffer_text(&b), b.size);
  buffer_free(&b);
  return text;
}

static int place(table *t, row *r, size_t column, const char *text, dts_error *e) {
  if (column >= MOST_COLUMNS || ++t->cells > MOST_CELLS)
    return error_fail(e, "MARKUP", "a table may have %d columns and %d cells", MOST_COLUMNS,
                      MOST_CELLS);
  if (!r->cells) r->cells = arena_alloc(t->a, MOST_COLUMNS * sizeof *r->cells);
  r->cells[column] = text;
  if (column >= r->count) r->count = column + 1;
  if (r->count > t->columns) t->columns = r->count;
  return 0;
}

static int place_cell(table *t, size_t y, size_t x, const markup_node *cell, size_t *width,
                      dts_error *e) {
  span s = {1, 1};
  markup_attributes(cell, read_span, &s);
  if (s.columns < 1 || s.columns > MOST_COLUMNS) s.columns = 1;
  size_t down = s.rows < 0 ? 1 : s.rows == 0 ? t->count - y : (size_t)s.rows; /* 0: to the end */
  if (down > t->count - y) down = t->count - y;
  const char *text = cell_text(t, cell);
  for (size_t i = 0; i < down; i++)
    for (size_t j = 0; j < (size_t)s.columns; j++)
      if (place(t, &t->rows[y + i], x + j, text, e) < 0) return -1;
  *width = (size_t)s.columns;
  return 0;
}

static int fill_row(table *t, size_t y, dts_error *e) {
  size_t x = 0, width;
  row *r = &t->rows[y];
  for (const markup_node *c = markup_child(r->node); c; c = markup_next(c)) {
    if (!named(c, "td") && !named(c, "th")) continue;
    while (x < r->count && r->cells[x]) x++;
    if (place_cell(t, y, x, c, &width, e) < 0) return -1;
    x += width;
  }
  return 0;
}

static const char *column_name(table *t, size_t headers, size_t column) {
  const char *name = "", *before = "";
  for (size_t y = 0; y < headers; y++) {
    const row *r = &t->rows[y];
    const char *text = column < r->count && r->cells[column] ? r->cells[column] : "";
    if (!text[0] || strcmp(text, before) == 0) continue;
    name = name[0] ? arena_format(t->a, "%s %s", name, text) : text;
    before = text;
  }
  return name[0] ? name : arena_format(t->a, "column_%zu", column + 1);
}

static void name_columns(table *t, size_t headers, markup_grid *out) {
  out->names = arena_alloc(t->a, (t->columns + 1) * sizeof *out->names);
  for (size_t i = 0; i < t->columns; i++) {
    out->names[i] = column_name(t, headers, i);
    for (size_t j = 0; j < i; j++)
      if (strcmp(out->names[i], out->names[j]) == 0) {
        out->names[i] = arena_format(t->a, "%s_%zu", out->names[i], i + 1);
        break;
      }
  }
}

int markup_grid_read(const markup *m, const markup_node *node, arena *a, markup_grid *out,
                     dts_error *e) {
  table t = {.m = m, .a = a};
  if (!named(node, "table"))
    return error_fail(e, "MARKUP", "a <table> expected, got <%s>", markup_name(node));
  collect_rows(&t, node, false);
  for (size_t y = 0; y < t.count; y++)
    if (fill_row(&t, y, e) < 0) return -1;
  size_t headers = 0;
  while (headers < t.count && t.rows[headers].header) headers++;
  if (!headers || headers == t.count) headers = t.count ? 1 : 0;
  *out = (markup_grid){.columns = t.columns, .rows = t.count - headers};
  name_columns(&t, headers, out);
  out->cells = arena_alloc(a, (out->rows + 1) * sizeof *out->cells);
  for (size_t y = 0; y < out->rows; y++) {
    row *r = &t.rows[headers + y];
    if (!r->cells) r->cells = arena_alloc(a, MOST_COLUMNS * sizeof *r->cells);
    out->cells[y] = r->cells;
  }
  return 0;
}
