/* screen_table.c -- results as tables, JSON and CSV. See screen.h.
 *
 * A table that is wider than the terminal gives way in this order: times get short and their zone
 * moves to the foot; columns of which the command can do without go, while long texts have less than
 * LEAST; then the widest text is cut, and numbers and times only when nothing else is left.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/clock.h"
#include "command/screen.h"
#include "format/date.h"
#include "format/json.h"

enum { GAP = 2, NARROWEST = 6, LEAST = 32, TEXT_LIMIT = 64 * 1024 * 1024 };

typedef struct cell {
  const char *text;
  size_t size;
  bool number, time;
} cell;

static bool is_instant(const value *v, int64_t *ms) {
  return v->kind == VALUE_TEXT && v->text.size == 24 && timestamp_read(v->text.bytes, 24, ms) == 0;
}

/* Short: 10:31:00 for today, 2026-03-09 10:31 for another day. */
static cell time_cell(arena *a, int64_t ms, const zone *z, bool brief) {
  char shown[32], today[32];
  screen_time(ms, z, shown);
  screen_time(clock_now_ms(), z, today);
  bool same = strncmp(shown, today, 10) == 0;
  if (brief && !same) shown[16] = 0;
  const char *text = arena_text(a, brief && same ? shown + 11 : shown);
  return (cell){text, strlen(text), false, true};
}

static cell cell_of(arena *a, const value *v, const zone *z, bool brief) {
  int64_t ms;
  if (v->kind == VALUE_NULL) return (cell){"", 0, false, false};
  if (v->kind == VALUE_TEXT && z && is_instant(v, &ms)) return time_cell(a, ms, z, brief);
  if (v->kind == VALUE_TEXT) return (cell){v->text.bytes, v->text.size, false, false};
  buffer b;
  buffer_init(&b, TEXT_LIMIT);
  json_write(&b, v);
  cell c = {arena_copy(a, b.data ? b.data : "", b.size), b.size,
            v->kind == VALUE_INTEGER || v->kind == VALUE_REAL, false};
  buffer_free(&b);
  return c;
}

typedef struct grid {
  size_t columns, rows;
  cell *cells; /* the first row holds the names */
  size_t *widths, *least;
  bool *right, *fixed; /* numbers; numbers and times */
} grid;

static void measure(grid *g) {
  for (size_t i = 0; i < (g->rows + 1) * g->columns; i++) {
    size_t column = i % g->columns, width = screen_width(g->cells[i].text, g->cells[i].size);
    if (width > g->widths[column]) g->widths[column] = width;
    if (i < g->columns) continue;
    g->right[column] = g->right[column] || g->cells[i].number;
    g->fixed[column] = g->right[column] || g->fixed[column] || g->cells[i].time;
  }
}

/* The zone of the times stands once, behind the name of the first column that shows any. */
static void name_zone(arena *a, grid *g, const zone *z) {
  for (size_t i = 0; i < g->columns; i++)
    for (size_t r = 1; r <= g->rows; r++) {
      if (!g->cells[r * g->columns + i].time) continue;
      const char *name = arena_format(a, "%s (%s)", g->cells[i].text, zone_name(z));
      g->cells[i] = (cell){name, strlen(name), false, false};
      return;
    }
}

static grid make_grid(arena *a, const value *result, const zone *z, bool brief) {
  const value *names = value_get(result, "columns"), *rows = value_get(result, "rows");
  grid g = {.columns = names ? names->list.count : 0, .rows = rows ? rows->list.count : 0};
  g.cells = arena_alloc(a, (g.rows + 1) * g.columns * sizeof *g.cells + 1);
  g.widths = arena_alloc(a, g.columns * sizeof *g.widths + 1);
  g.least = arena_alloc(a, g.columns * sizeof *g.least + 1);
  g.right = arena_alloc(a, g.columns * sizeof *g.right + 1);
  g.fixed = arena_alloc(a, g.columns * sizeof *g.fixed + 1);
  for (size_t i = 0; i < g.columns; i++)
    g.cells[i] = cell_of(a, &names->list.items[i], NULL, false);
  for (size_t r = 0; r < g.rows; r++)
    for (size_t i = 0; i < g.columns && i < rows->list.items[r].list.count; i++)
      g.cells[(r + 1) * g.columns + i] = cell_of(a, &rows->list.items[r].list.items[i], z, brief);
  if (z && !brief) name_zone(a, &g, z);
  if (g.columns) measure(&g);
  return g;
}

/* ---- a narrow terminal ---- */

static size_t total_of(const grid *g, const size_t *widths) {
  size_t total = g->columns ? (g->columns - 1) * GAP : 0;
  for (size_t i = 0; i < g->columns; i++) total += widths[i];
  return total;
}

/* Takes from the widest column that can give, one at a time, until all fit or none can. */
static void shrink(grid *g, size_t room) {
  while (total_of(g, g->widths) > room) {
    size_t widest = g->columns;
    for (size_t i = 0; i < g->columns; i++)
      if (g->widths[i] > g->least[i] && (widest == g->columns || g->widths[i] > g->widths[widest]))
        widest = i;
    if (widest == g->columns) return;
    g->widths[widest]--;
  }
}

static void set_least(grid *g, size_t least, bool all) {
  for (size_t i = 0; i < g->columns; i++)
    g->least[i] = (g->fixed[i] && !all) || g->widths[i] < least ? g->widths[i] : least;
}

static void give_up(grid *g, size_t column) {
  size_t kept = 0, count = (g->rows + 1) * g->columns;
  for (size_t i = 0; i < count; i++)
    if (i % g->columns != column) g->cells[kept++] = g->cells[i];
  for (size_t i = column; i + 1 < g->columns; i++) {
    g->widths[i] = g->widths[i + 1], g->least[i] = g->least[i + 1];
    g->right[i] = g->right[i + 1], g->fixed[i] = g->fixed[i + 1];
  }
  g->columns--;
}

/* Up to the longest word, so that cells which go on below break between words. */
static void keep_words(grid *g) {
  for (size_t i = 0; i < (g->rows + 1) * g->columns; i++) {
    const cell *c = &g->cells[i];
    size_t column = i % g->columns, from = 0;
    for (size_t k = 0; k <= c->size; k++) {
      if (k < c->size && c->text[k] != ' ') continue;
      size_t width = screen_width(c->text + from, k - from);
      if (width > g->least[column] && width <= g->widths[column]) g->least[column] = width;
      from = k + 1;
    }
  }
}

/* Adds what was given up to `foot`. */
static void fit(grid *g, const screen *s, buffer *foot) {
  const char *const *name = s->spare;
  set_least(g, LEAST, false);
  for (; name && *name && total_of(g, g->least) > s->width; name++)
    for (size_t i = 0; i < g->columns; i++) {
      if (strcmp(g->cells[i].text, *name) != 0) continue;
      give_up(g, i);
      if (**name) buffer_add_format(foot, "%s%s", foot->size ? ", " : "", *name);
      break;
    }
  shrink(g, s->width);
  set_least(g, NARROWEST, false);
  if (s->wrap) keep_words(g);
  shrink(g, s->width);
  set_least(g, NARROWEST, true);
  shrink(g, s->width);
}

static void print_foot(const screen *s, const grid *g, const char *gone, const zone *z) {
  bool timed = false;
  for (size_t i = 0; i < g->columns; i++) timed = timed || (g->fixed[i] && !g->right[i]);
  if (!timed && !*gone) return;
  fprintf(s->out, "%s%s%s%s%s%s%s\n", s->colour ? "\033[2m" : "", timed ? "times: " : "",
          timed ? zone_name(z) : "", timed && *gone ? "; " : "",
          *gone ? "left out at this width: " : "", gone, s->colour ? "\033[0m" : "");
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
    line[i] = (cell){text, shown, row[i].number, false};
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
  buffer b, gone;
  grid g = make_grid(&a, result, z, false);
  bool narrow = s->width && total_of(&g, g.widths) > s->width;
  buffer_init(&b, TEXT_LIMIT);
  buffer_init(&gone, TEXT_LIMIT);
  if (narrow) {
    g = make_grid(&a, result, z, true);
    fit(&g, s, &gone);
  }
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
  if (narrow) print_foot(s, &g, buffer_text(&gone), z);
  buffer_free(&gone);
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
  grid g = make_grid(&a, result, NULL, false);
  for (size_t i = 0; i < (g.rows + 1) * g.columns; i++) {
    if (i % g.columns) fputc(',', out);
    write_field(out, &g.cells[i]);
    if (i % g.columns == g.columns - 1) fputs("\r\n", out);
  }
  arena_free(&a);
}
