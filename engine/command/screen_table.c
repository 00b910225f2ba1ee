/* screen_table.c -- results as tables, JSON and CSV. See screen.h.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "command/screen.h"
#include "format/date.h"
#include "format/json.h"

enum { GAP = 2, NARROWEST = 6, TEXT_LIMIT = 64 * 1024 * 1024 };

typedef struct cell {
  const char *text;
  size_t size;
  bool number;
} cell;

static bool is_instant(const value *v, int64_t *ms) {
  return v->kind == VALUE_TEXT && v->text.size == 24 && timestamp_read(v->text.bytes, 24, ms) == 0;
}

static cell cell_of(arena *a, const value *v, const zone *z) {
  int64_t ms;
  char shown[32];
  if (v->kind == VALUE_NULL) return (cell){"", 0, false};
  if (v->kind == VALUE_TEXT) {
    if (!z || !is_instant(v, &ms)) return (cell){v->text.bytes, v->text.size, false};
    screen_time(ms, z, shown);
    return (cell){arena_text(a, shown), strlen(shown), false};
  }
  buffer b;
  buffer_init(&b, TEXT_LIMIT);
  json_write(&b, v);
  cell c = {arena_copy(a, b.data ? b.data : "", b.size), b.size,
            v->kind == VALUE_INTEGER || v->kind == VALUE_REAL};
  buffer_free(&b);
  return c;
}

typedef struct grid {
  size_t columns, rows;
  cell *cells; /* the first row holds the names */
  size_t *widths;
  bool *right;
} grid;

static void measure(grid *g) {
  for (size_t i = 0; i < (g->rows + 1) * g->columns; i++) {
    size_t column = i % g->columns, width = screen_width(g->cells[i].text, g->cells[i].size);
    if (width > g->widths[column]) g->widths[column] = width;
    if (i >= g->columns && g->cells[i].number) g->right[column] = true;
  }
}

/* The zone of the times stands once, behind the name of the first column that shows any. */
static void name_zone(arena *a, grid *g, const value *rows, const zone *z) {
  int64_t ms;
  for (size_t i = 0; i < g->columns; i++)
    for (size_t r = 0; r < g->rows; r++) {
      const value *row = &rows->list.items[r];
      if (i >= row->list.count || !is_instant(&row->list.items[i], &ms)) continue;
      const char *name = arena_format(a, "%s (%s)", g->cells[i].text, zone_name(z));
      g->cells[i] = (cell){name, strlen(name), false};
      return;
    }
}

static grid make_grid(arena *a, const value *result, const zone *z) {
  const value *names = value_get(result, "columns"), *rows = value_get(result, "rows");
  grid g = {names ? names->list.count : 0, rows ? rows->list.count : 0, NULL, NULL, NULL};
  g.cells = arena_alloc(a, (g.rows + 1) * g.columns * sizeof *g.cells + 1);
  g.widths = arena_alloc(a, g.columns * sizeof *g.widths + 1);
  g.right = arena_alloc(a, g.columns * sizeof *g.right + 1);
  for (size_t i = 0; i < g.columns; i++) g.cells[i] = cell_of(a, &names->list.items[i], NULL);
  for (size_t r = 0; r < g.rows; r++)
    for (size_t i = 0; i < g.columns && i < rows->list.items[r].list.count; i++)
      g.cells[(r + 1) * g.columns + i] = cell_of(a, &rows->list.items[r].list.items[i], z);
  if (z && rows) name_zone(a, &g, rows, z);
  if (g.columns) measure(&g);
  return g;
}

/* Takes from the widest column, one at a time, until all fit or none can give. */
static void shrink(grid *g, size_t room) {
  for (;;) {
    size_t total = 0, widest = 0;
    for (size_t i = 0; i < g->columns; i++) {
      total += g->widths[i] + (i ? GAP : 0);
      if (g->widths[i] > g->widths[widest]) widest = i;
    }
    if (total <= room || g->widths[widest] <= NARROWEST) return;
    g->widths[widest]--;
  }
}

static void add_line(buffer *b, const grid *g, size_t row) {
  for (size_t i = 0; i < g->columns; i++) {
    const cell *c = &g->cells[row * g->columns + i];
    size_t width = g->widths[i], own = screen_width(c->text ? c->text : "", c->size);
    if (i) buffer_add_text(b, "  ");
    for (size_t n = own; g->right[i] && n < width; n++) buffer_add_char(b, ' ');
    screen_fit(b, c->text ? c->text : "", c->size, g->right[i] && own < width ? own : width,
               i + 1 < g->columns);
  }
  while (b->size && b->data[b->size - 1] == ' ') b->size--;
  buffer_add_char(b, '\n');
}

/* One row as lines: each cell gives as much as its column takes, and goes on in the next. */
static bool take_line(const grid *g, const cell *row, size_t *at, cell *line) {
  bool more = false;
  for (size_t i = 0; i < g->columns; i++) {
    const char *text = row[i].text ? row[i].text + at[i] : "";
    size_t left = row[i].size - at[i], size = screen_take(text, left, g->widths[i]), shown = size;
    while (shown && size < left && text[shown - 1] == ' ') shown--;
    line[i] = (cell){text, shown, row[i].number};
    at[i] += size;
    more = more || at[i] < row[i].size;
  }
  return more;
}

static void add_wrapped(buffer *b, const grid *g, size_t row, arena *a) {
  size_t *at = arena_alloc(a, g->columns * sizeof *at);
  grid part = *g;
  part.cells = arena_alloc(a, g->columns * sizeof *part.cells);
  for (bool more = true; more;) {
    more = take_line(g, &g->cells[row * g->columns], at, part.cells);
    add_line(b, &part, 0);
  }
}

void screen_table(const screen *s, const value *result, const zone *z) {
  arena a = {0};
  buffer b;
  grid g = make_grid(&a, result, z);
  buffer_init(&b, TEXT_LIMIT);
  if (s->width) shrink(&g, s->width);
  for (size_t row = 0; row <= g.rows && g.columns; row++) {
    arena passing = {0};
    buffer_clear(&b);
    if (row == 0 && s->colour) buffer_add_text(&b, "\033[1m");
    if (s->wrap && s->width)
      add_wrapped(&b, &g, row, &passing);
    else
      add_line(&b, &g, row);
    if (row == 0 && s->colour) buffer_add_text(&b, "\033[0m");
    fwrite(b.data, 1, b.size, s->out);
    arena_free(&passing);
  }
  buffer_free(&b);
  arena_free(&a);
}

void screen_json(FILE *out, const value *v) {
  buffer b;
  buffer_init(&b, (size_t)1 << 30);
  json_write_pretty(&b, v);
  fwrite(buffer_text(&b), 1, b.size, out);
  fputc('\n', out);
  buffer_free(&b);
}

value screen_list(const value *result, arena *a) {
  value list = value_list();
  const value *names = value_get(result, "columns"), *rows = value_get(result, "rows");
  for (size_t r = 0; rows && r < rows->list.count; r++) {
    value row = value_map();
    for (size_t i = 0; i < names->list.count; i++)
      value_set(a, &row, names->list.items[i].text.bytes, rows->list.items[r].list.items[i]);
    value_add(a, &list, row);
  }
  return list;
}

void screen_objects(FILE *out, const value *result) {
  arena a = {0};
  value list = screen_list(result, &a);
  screen_json(out, &list);
  arena_free(&a);
}

static void write_field(FILE *out, const cell *c) {
  bool quote = c->size && (memchr(c->text, ',', c->size) || memchr(c->text, '"', c->size) ||
                           memchr(c->text, '\n', c->size) || memchr(c->text, '\r', c->size));
  if (!quote) {
    fwrite(c->text ? c->text : "", 1, c->size, out);
    return;
  }
  fputc('"', out);
  for (size_t i = 0; i < c->size; i++) {
    if (c->text[i] == '"') fputc('"', out);
    fputc(c->text[i], out);
  }
  fputc('"', out);
}

void screen_csv(FILE *out, const value *result) {
  arena a = {0};
  grid g = make_grid(&a, result, NULL);
  for (size_t i = 0; i < (g.rows + 1) * g.columns; i++) {
    if (i % g.columns) fputc(',', out);
    write_field(out, &g.cells[i]);
    if (i % g.columns == g.columns - 1) fputs("\r\n", out);
  }
  arena_free(&a);
}
