/* plan.c -- dts plan NAME: which dates are wanted, there and missing, and the spans that would be
 * fetched.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "command/engine.h"
#include "command/left.h"
#include "command/faults.h"
#include "command/screen.h"
#include "format/date.h"

enum { SHOWN = 6 }; /* spans of a key; --json has all */

static const value *list_of(const value *map, const char *name) {
  static const value none = {.kind = VALUE_LIST};
  const value *found = value_get(map, name);
  return found ? found : &none;
}

static value spans_text(arena *a, const value *spans) {
  buffer b;
  buffer_init(&b, 1 << 16);
  for (size_t i = 0; i < spans->list.count && i < SHOWN; i++)
    buffer_add_format(&b, "%s%s", i ? " " : "", spans->list.items[i].text.bytes);
  if (spans->list.count > SHOWN) buffer_add_format(&b, " and %zu more", spans->list.count - SHOWN);
  value v = value_text(arena_text(a, buffer_text(&b)));
  buffer_free(&b);
  return v;
}

static int64_t sum(const value *all, const char *name) {
  int64_t n = 0;
  for (size_t i = 0; i < all->list.count; i++) n += value_get_integer(&all->list.items[i], name, 0);
  return n;
}

/* Columns that say nothing anywhere are left out: most plans have no date absent or set aside. */
static bool is_shown(const value *all, const char *name) {
  bool rare =
      strcmp(name, "again") == 0 || strcmp(name, "absent") == 0 || strcmp(name, "aside") == 0;
  return !rare || sum(all, name) > 0;
}

static value table_of(arena *a, const value *all) {
  static const char *const names[] = {"key",   "from",   "to",    "wanted",   "present", "missing",
                                      "again", "absent", "aside", "requests", NULL};
  value result = value_map(), columns = value_list(), rows = value_list();
  for (size_t i = 0; names[i]; i++)
    if (is_shown(all, names[i])) value_add(a, &columns, value_text(names[i]));
  value_add(a, &columns, value_text("spans"));
  for (size_t r = 0; r < all->list.count; r++) {
    value row = value_list();
    for (size_t i = 0; names[i]; i++) {
      const value *v = value_get(&all->list.items[r], names[i]);
      if (is_shown(all, names[i])) value_add(a, &row, v ? *v : value_null());
    }
    value_add(a, &row, spans_text(a, list_of(&all->list.items[r], "spans")));
    value_add(a, &rows, row);
  }
  value_set(a, &result, "columns", columns);
  value_set(a, &result, "rows", rows);
  return result;
}

static bool one_calendar(const value *all) {
  for (size_t i = 1; i < all->list.count; i++)
    if (strcmp(value_get_text(&all->list.items[i], "calendar", ""),
               value_get_text(&all->list.items[0], "calendar", "")) != 0)
      return false;
  return true;
}

static void print_sum(arena *a, const value *answer, const value *all) {
  const char *name = value_get_text(answer, "calendar", "daily");
  const char *aside = left_aside(answer, a);
  int64_t again = sum(all, "again");
  buffer b;
  buffer_init(&b, 4096);
  if (all->list.count) name = value_get_text(&all->list.items[0], "calendar", name);
  screen_count(&b, sum(all, "missing"), "missing date");
  if (again) buffer_add_text(&b, " and ");
  if (again) screen_count(&b, again, "date");
  if (again) buffer_add_text(&b, " to be read again");
  buffer_add_text(&b, " in ");
  screen_count(&b, sum(all, "requests"), "span");
  if (one_calendar(all))
    buffer_add_format(&b, ", by the calendar %s", name);
  else
    buffer_add_text(&b, ", by each key's calendar");
  if (*aside) buffer_add_format(&b, "; %s", aside);
  printf("%s\n", buffer_text(&b));
  buffer_free(&b);
}

/* Rows that no expected date stands for: most often the calendar is not the series' own. */
static void print_strays(const value *all) {
  buffer b;
  for (size_t i = 0; i < all->list.count; i++) {
    const value *one = &all->list.items[i];
    int64_t strays = value_get_integer(one, "strays", 0);
    int32_t day = 0;
    if (!strays || date_read(value_get_text(one, "first_stray", ""), 10, &day) < 0) continue;
    buffer_init(&b, 4096);
    screen_count(&b, strays, "row");
    buffer_add_format(&b, " of %s on days that the calendar %s does not expect, the first on ",
                      value_get_text(one, "key", ""), value_get_text(one, "calendar", ""));
    date_format(day, -1, "%F, a %A", &b);
    printf("%s\n", buffer_text(&b));
    buffer_free(&b);
  }
}

static void print(arena *a, const value *answer) {
  static const char *const spare[] = {"to", "from", "present", "wanted", NULL};
  screen s = screen_of(stdout);
  s.spare = spare;
  const value *all = list_of(answer, "series");
  value result = table_of(a, all);
  screen_table(&s, &result, NULL);
  print_sum(a, answer, all);
  print_strays(all);
}

static int run(const given *g, dts_error *e) { return faults_show(g, "plan", print, e); }

COMMAND(plan) = {.name = "plan",
                 .words = "NAME",
                 .summary = "Show what a gaps pipeline would fetch; no request is made.",
                 .least = 1,
                 .most = 1,
                 .run = run};
