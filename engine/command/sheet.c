/* sheet.c -- see sheet.h.
 *
 * SPDX-License-Identifier: MIT */
#include "command/sheet.h"

#include "command/screen.h"

enum { CELL = 1024 * 1024 };

value sheet_open(arena *a, const char *const *names) {
  value sheet = value_map(), columns = value_list();
  for (size_t i = 0; names[i]; i++) value_add(a, &columns, value_text(names[i]));
  value_set(a, &sheet, "columns", columns);
  value_set(a, &sheet, "rows", value_list());
  return sheet;
}

void sheet_add(arena *a, value *sheet, const value *cells) {
  value row = value_list(), *rows = (value *)value_get(sheet, "rows");
  size_t count = value_get(sheet, "columns")->list.count;
  for (size_t i = 0; i < count; i++) value_add(a, &row, cells[i]);
  value_add(a, rows, row);
}

static value joined(arena *a, const value *list) {
  buffer b;
  buffer_init(&b, CELL);
  for (size_t i = 0; i < list->list.count; i++) {
    const value *v = &list->list.items[i];
    if (v->kind != VALUE_TEXT) continue;
    if (b.size) buffer_add_text(&b, ", ");
    buffer_add(&b, v->text.bytes, v->text.size);
  }
  value text = value_text(arena_text(a, buffer_text(&b)));
  buffer_free(&b);
  return text;
}

void sheet_add_map(arena *a, value *sheet, const value *map) {
  const value *names = value_get(sheet, "columns");
  value *cells = arena_alloc(a, (names->list.count + 1) * sizeof *cells);
  for (size_t i = 0; i < names->list.count; i++) {
    const value *v = value_get(map, names->list.items[i].text.bytes);
    cells[i] = !v ? value_null() : v->kind == VALUE_LIST ? joined(a, v) : *v;
  }
  sheet_add(a, sheet, cells);
}

void sheet_print(FILE *out, const value *sheet, const char *timezone, const char *const *spare) {
  screen s = screen_of(out);
  s.wrap = true;
  s.spare = spare;
  zone *z = timezone ? zone_open(timezone, NULL) : NULL;
  screen_table(&s, sheet, z);
  zone_close(z);
}
