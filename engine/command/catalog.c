/* catalog.c -- dts catalog [TABLE]: tables, roll-ups and views; of one, its columns.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "command/command.h"
#include "command/engine.h"
#include "command/faults.h"
#include "command/screen.h"
#include "command/sheet.h"
#include "format/duration.h"

static const char *const overview[] = {"name",    "kind",    "key",        "rows",
                                       "changed", "columns", "written_by", NULL};
static const char *const spare[] = {"written_by", "kind", "columns", NULL};
static const char *const details[] = {"column", "type",          "key", "null",
                                      "rule",   "documentation", NULL};

static value column_names(arena *a, const value *entry) {
  const value *columns = value_get(entry, "columns");
  value list = value_list();
  for (size_t i = 0; columns && i < columns->list.count; i++)
    value_add(a, &list, *value_get(&columns->list.items[i], "name"));
  return list;
}

static void print_overview(const value *all, const char *timezone, arena *a) {
  value sheet = sheet_open(a, overview);
  for (size_t i = 0; i < all->list.count; i++) {
    value entry = value_copy(a, &all->list.items[i]);
    value_set(a, &entry, "columns", column_names(a, &all->list.items[i]));
    sheet_add_map(a, &sheet, &entry);
  }
  if (!all->list.count) {
    puts("no table is declared");
    return;
  }
  sheet_print(stdout, &sheet, timezone, spare);
}

static value rule_of(arena *a, const value *column) {
  const char *otherwise = value_get_text(column, "default", NULL),
             *check = value_get_text(column, "check", NULL);
  if (!otherwise && !check) return value_null();
  return value_text(arena_format(a, "%s%s%s%s%s%s", otherwise ? "default " : "",
                                 otherwise ? otherwise : "", otherwise && check ? ", " : "",
                                 check ? "check (" : "", check ? check : "", check ? ")" : ""));
}

static void print_columns(const value *entry, arena *a) {
  const value *columns = value_get(entry, "columns");
  value sheet = sheet_open(a, details);
  for (size_t i = 0; columns && i < columns->list.count; i++) {
    const value *column = &columns->list.items[i];
    value cells[] = {
        value_text(value_get_text(column, "name", "")),
        value_text(value_get_text(column, "type", "")),
        value_text(value_get_boolean(column, "key", false) ? "key" : NULL),
        value_text(value_get_boolean(column, "not_null", false) ? "no" : "may be null"),
        rule_of(a, column),
        value_text(value_get_text(column, "doc", NULL)),
    };
    sheet_add(a, &sheet, cells);
  }
  sheet_print(stdout, &sheet, NULL, NULL);
}

static void print_one(const value *entry, arena *a) {
  char time[32];
  buffer b;
  const char *from = value_get_text(entry, "from", NULL), *file = value_get_text(entry, "file", "");
  buffer_init(&b, 4096);
  if (value_get(entry, "rows"))
    screen_count(&b, value_get_integer(entry, "rows", 0), "row");
  else
    buffer_add_text(&b, "rows that take too long to count");
  printf("%s: %s of %s%s%s, %s", value_get_text(entry, "name", ""),
         value_get_text(entry, "kind", ""), file, from ? ", from " : "", from ? from : "",
         buffer_text(&b));
  if (value_get_boolean(entry, "private", false)) fputs(", private", stdout);
  int64_t keep = value_get_integer(entry, "keep_ms", 0);
  duration_write(keep, time);
  if (keep) printf(", kept for %s", time);
  puts("\n");
  print_columns(entry, a);
  buffer_free(&b);
}

static int run(const given *g, dts_error *e) {
  arena a = {0};
  value order = engine_command(&a, "catalog"), place = engine_command(&a, "place"), all, where;
  engine *n = engine_here(&a, e);
  if (given_word(g, 0)) value_set(&a, &order, "table", value_text(given_word(g, 0)));
  int rc = n ? faults_ask(n, &order, given_word(g, 0), &a, &all, e) : -1;
  if (rc == 0) rc = engine_ask(n, &place, NULL, NULL, &a, &where, e);
  if (rc == 0 && g->json)
    screen_json(stdout, &all);
  else if (rc == 0 && given_word(g, 0))
    print_one(&all.list.items[0], &a);
  else if (rc == 0)
    print_overview(&all, value_get_text(&where, "timezone", "UTC"), &a);
  engine_close(n);
  arena_free(&a);
  return rc;
}

COMMAND(catalog) = {
    .name = "catalog",
    .words = "[TABLE]",
    .summary = "List tables, roll-ups and views with their rows; of one, its columns.",
    .details = "`changed` is the end of the latest run that wrote rows, of the pipelines that may "
               "write the\ntable. --json prints columns, types and documentation of all of them.",
    .most = 1,
    .run = run};
