/* markup_grid.c -- an HTML table as a grid (HTML Living Standard, section 4.9.12, "forming a table").
 *
 * Spans are filled with their cell's text and end with their section; <tfoot> comes last wherever it
 * stands. The names are those of the leading rows of headings (<thead>, or <th> alone), texts of several
 * joined; where there are none, those of the first row, unless it begins with a heading of its own (a
 * table of keys and values). One cell across the whole width is a title, and names nothing. Rows of
 * nested tables are not ours.
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
  size_t count, capacity; /* places: used, and there to be used */
  int section;
  bool heads;     /* in <thead>, or <th> alone */
  bool head_then; /* <th> first, then <td>: a key and its values */
} row;

typedef struct table {
  const markup *m;
  arena *a;
  row *rows;
  size_t count, capacity, columns, cells;
  int section;
  bool has_head; /* a <thead>: nothing else is one */
} table;

static bool named(const markup_node *n, const char *name) {
  return text_equal_fold(markup_name(n), name);
}

static const char *cell_text(table *t, const markup_node *cell) {
  buffer b;
  buffer_init(&b, 1024 * 1024);
  markup_text(t->m, cell, &b);
  const char *text = arena_copy(t->a, buffer_text(&b), b.size);
  buffer_free(&b);
  return text;
}

/* ── Rows ── */

/* An empty <td> in the corner does not keep a row of <th> from being one of headings. */
static void look_at_cells(table *t, row *r) {
  bool any_th = false, first_th = false, any_td = false;
  for (const markup_node *c = markup_child(r->node); c; c = markup_next(c)) {
    bool th = named(c, "th");
    if (!th && (any_td || !named(c, "td") || !cell_text(t, c)[0])) continue;
    if (!any_th && !any_td) first_th = th;
    any_th = any_th || th;
    any_td = any_td || !th;
  }
  if (any_th && !any_td && !t->has_head) r->heads = true;
  r->head_then = first_th && any_td;
}

static void add_row(table *t, const markup_node *tr, bool in_head) {
  if (t->count == t->capacity) {
    size_t capacity = t->capacity ? 2 * t->capacity : 64;
    row *rows = arena_alloc(t->a, capacity * sizeof *rows);
    if (t->count) memcpy(rows, t->rows, t->count * sizeof *rows);
    t->rows = rows, t->capacity = capacity;
  }
  row *r = &t->rows[t->count++];
  *r = (row){.node = tr, .section = t->section, .heads = in_head};
  t->has_head = t->has_head || in_head;
}

static bool holds_no_rows(const markup_node *n) {
  return named(n, "caption") || named(n, "colgroup") || named(n, "table") || named(n, "td") ||
         named(n, "th");
}

/* Rows of <tfoot> when `foot`, all others when not. A <form> around rows is looked through. */
static void collect_rows(table *t, const markup_node *from, bool in_head, bool foot, bool taken) {
  for (const markup_node *n = markup_child(from); n; n = markup_next(n)) {
    bool section = named(n, "thead") || named(n, "tbody") || named(n, "tfoot");
    if (named(n, "tr")) {
      if (taken == foot) add_row(t, n, in_head);
    } else if (!holds_no_rows(n)) {
      if (section) t->section++;
      collect_rows(t, n, in_head || named(n, "thead"), foot, taken || named(n, "tfoot"));
      if (section) t->section++;
    }
  }
}

/* ── Cells ── */

typedef struct span {
  long columns, rows;
} span;

static void read_span(void *arg, const char *name, const char *text) {
  span *s = arg;
  if (text_equal_fold(name, "colspan")) s->columns = strtol(text, NULL, 10);
  if (text_equal_fold(name, "rowspan")) s->rows = strtol(text, NULL, 10);
}

static void widen(table *t, row *r, size_t least) {
  size_t capacity = r->capacity ? r->capacity : 8;
  while (capacity < least) capacity *= 2;
  if (capacity == r->capacity) return;
  const char **cells = arena_alloc(t->a, capacity * sizeof *cells);
  if (r->count) memcpy(cells, r->cells, r->count * sizeof *cells);
  r->cells = cells;
  r->capacity = capacity;
}

/* A place that a span from above has taken stays taken. */
static int place(table *t, row *r, size_t column, const char *text, dts_error *e) {
  if (column >= MOST_COLUMNS || ++t->cells > MOST_CELLS)
    return error_fail(e, "MARKUP", "a table may have %d columns and %d cells", MOST_COLUMNS,
                      MOST_CELLS);
  if (column >= r->count) {
    widen(t, r, column + 1);
    r->count = column + 1;
  }
  if (!r->cells[column]) r->cells[column] = text;
  if (r->count > t->columns) t->columns = r->count;
  return 0;
}

/* Rows from y on that a span may cover: as many as it asks for (0: all), within the section. */
static size_t rows_down(const table *t, size_t y, long asked) {
  size_t end = y + 1, most = asked < 0 ? 1 : asked == 0 ? t->count : (size_t)asked;
  while (end < t->count && end - y < most && t->rows[end].section == t->rows[y].section) end++;
  return end - y;
}

static int place_cell(table *t, size_t y, size_t x, const markup_node *cell, size_t *width,
                      dts_error *e) {
  span s = {1, 1};
  markup_attributes(cell, read_span, &s);
  if (s.columns < 1 || s.columns > MOST_COLUMNS) s.columns = 1;
  size_t down = rows_down(t, y, s.rows);
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

/* ── Names ── */

static bool is_empty(const row *r) {
  for (size_t x = 0; x < r->count; x++)
    if (r->cells[x] && r->cells[x][0]) return false;
  return true;
}

/* One cell, as wide as the table. */
static bool is_title(const table *t, const row *r) {
  if (t->columns < 2 || r->count < t->columns) return false;
  for (size_t x = 1; x < t->columns; x++)
    if (r->cells[x] != r->cells[0]) return false;
  return true;
}

static const char *column_name(table *t, size_t from, size_t to, size_t column) {
  const char *name = "", *before = "";
  for (size_t y = from; y < to; y++) {
    const row *r = &t->rows[y];
    const char *text = column < r->count && r->cells[column] ? r->cells[column] : "";
    if (!text[0] || strcmp(text, before) == 0 || is_title(t, r)) continue;
    name = name[0] ? arena_format(t->a, "%s %s", name, text) : text;
    before = text;
  }
  return name[0] ? name : arena_format(t->a, "column_%zu", column + 1);
}

static void name_columns(table *t, size_t from, size_t to, markup_grid *out) {
  out->names = arena_alloc(t->a, (t->columns + 1) * sizeof *out->names);
  for (size_t i = 0; i < t->columns; i++) {
    out->names[i] = column_name(t, from, to, i);
    for (size_t j = 0; j < i; j++)
      if (strcmp(out->names[i], out->names[j]) == 0) {
        out->names[i] = arena_format(t->a, "%s_%zu", out->names[i], i + 1);
        break;
      }
  }
}

static bool is_before(const table *t, const row *r) { return is_empty(r) || is_title(t, r); }

/* Where the rows begin; the names stand in those from *from on. A table of nothing but cells across the
 * whole width has no titles: these are its rows. */
static size_t count_headers(table *t, bool unnamed, size_t *from) {
  size_t y = 0, heads = 0;
  for (; y < t->count && (t->rows[y].heads || is_before(t, &t->rows[y])); y++)
    heads += t->rows[y].heads && !is_before(t, &t->rows[y]);
  *from = 0;
  if (heads) return y;
  if (y == t->count) return 0;
  *from = y;
  return unnamed || t->rows[y].head_then ? y : y + 1;
}

static void copy_rows(table *t, size_t headers, markup_grid *out) {
  out->rows = 0;
  out->cells = arena_alloc(t->a, (t->count + 1) * sizeof *out->cells);
  out->nodes = arena_alloc(t->a, (t->count + 1) * sizeof *out->nodes);
  for (size_t y = headers; y < t->count; y++) {
    row *r = &t->rows[y];
    if (is_empty(r)) continue;
    widen(t, r, t->columns);
    out->nodes[out->rows] = r->node;
    out->cells[out->rows++] = r->cells;
  }
}

int markup_grid_read(const markup *m, const markup_node *node, bool unnamed, arena *a,
                     markup_grid *out, dts_error *e) {
  table t = {.m = m, .a = a};
  size_t from;
  if (!named(node, "table"))
    return error_fail(e, "MARKUP", "a <table> expected, got <%s>", markup_name(node));
  collect_rows(&t, node, false, false, false);
  collect_rows(&t, node, false, true, false);
  for (size_t y = 0; y < t.count; y++) {
    look_at_cells(&t, &t.rows[y]);
    if (fill_row(&t, y, e) < 0) return -1;
  }
  size_t headers = count_headers(&t, unnamed, &from);
  *out = (markup_grid){.columns = t.columns};
  name_columns(&t, from, headers, out);
  copy_rows(&t, headers, out);
  return 0;
}
