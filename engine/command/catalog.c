/* catalog.c -- dts catalog [TABLE]: tables, roll-ups and views; of one, its columns.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "command/catalog_views.h"
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

static int print_view(engine *n, const given *g, arena *a, dts_error *e) {
  static const char *const names[] = {"column", "documentation", NULL};
  value entry, all = value_list(), sheet = sheet_open(a, names);
  if (catalog_view(n, given_word(g, 0), a, &entry, e) < 0) return -1;
  value_add(a, &all, entry);
  if (g->json) return screen_json(stdout, &all), 0;
  printf("%s: a view of the engine: %s\n\n", given_word(g, 0), value_get_text(&entry, "doc", ""));
  const value *columns = value_get(&entry, "columns");
  for (size_t i = 0; i < columns->list.count; i++) {
    const value *column = &columns->list.items[i];
    const value cells[] = {*value_get(column, "name"), *value_get(column, "doc")};
    sheet_add(a, &sheet, cells);
  }
  sheet_print(stdout, &sheet, NULL, NULL);
  return 0;
}

static int list(engine *n, const given *g, arena *a, dts_error *e) {
  value order = engine_command(a, "catalog"), place = engine_command(a, "place"), all, where;
  if (given_word(g, 0)) value_set(a, &order, "table", value_text(given_word(g, 0)));
  if (faults_ask(n, &order, given_word(g, 0), a, &all, e) < 0) return -1;
  if (engine_ask(n, &place, NULL, NULL, a, &where, e) < 0) return -1;
  if (g->json)
    screen_json(stdout, &all);
  else if (given_word(g, 0))
    print_one(&all.list.items[0], a);
  else
    print_overview(&all, value_get_text(&where, "timezone", "UTC"), a);
  return 0;
}

static int run(const given *g, dts_error *e) {
  arena a = {0};
  const char *name = given_word(g, 0);
  bool own = name && strncmp(name, "dts_", 4) == 0; /* no table may begin so */
  engine *n = engine_here(&a, e);
  int rc = n ? (own ? print_view : list)(n, g, &a, e) : -1;
  engine_close(n);
  arena_free(&a);
  return rc;
}

COMMAND(catalog) = {
    .name = "catalog",
    .words = "[TABLE]",
    .summary = "List tables, roll-ups and views with their rows; of one, its columns.",
    .details =
        "`changed` is the end of the latest run that wrote rows, of the pipelines that may "
        "write the\ntable. --json prints columns, types and documentation of all of them. The "
        "engine's own\n"
        "views have their columns here as well: dts_runs, dts_jobs, dts_gaps, dts_quarantine,\n"
        "dts_files, dts_refused, dts_stale, dts_decisions.",
    .most = 1,
    .run = run};
