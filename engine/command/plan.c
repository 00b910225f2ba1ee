/* plan.c -- dts plan NAME: which dates are wanted, there and missing, and the spans that would be
 * fetched.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "command/command.h"
#include "command/engine.h"
#include "command/screen.h"

static value spans_text(arena *a, const value *spans) {
  buffer b;
  buffer_init(&b, 1 << 20);
  for (size_t i = 0; spans && i < spans->list.count; i++)
    buffer_add_format(&b, "%s%s", i ? " " : "", spans->list.items[i].text.bytes);
  value v = value_text(arena_text(a, buffer_text(&b)));
  buffer_free(&b);
  return v;
}

static value table_of(arena *a, const value *all) {
  static const char *const names[] = {"key", "from", "to", "wanted", "present", "missing", NULL};
  value result = value_map(), columns = value_list(), rows = value_list();
  for (size_t i = 0; names[i]; i++) value_add(a, &columns, value_text(names[i]));
  value_add(a, &columns, value_text("spans"));
  for (size_t r = 0; r < all->list.count; r++) {
    value row = value_list();
    for (size_t i = 0; names[i]; i++) {
      const value *v = value_get(&all->list.items[r], names[i]);
      value_add(a, &row, v ? *v : value_null());
    }
    value_add(a, &row, spans_text(a, value_get(&all->list.items[r], "spans")));
    value_add(a, &rows, row);
  }
  value_set(a, &result, "columns", columns);
  value_set(a, &result, "rows", rows);
  return result;
}

static void print(arena *a, const value *answer) {
  static const value none = {.kind = VALUE_LIST};
  screen s = screen_of(stdout);
  const value *all = value_get(answer, "series");
  int64_t missing = 0, spans = 0;
  buffer b;
  if (!all) all = &none;
  value result = table_of(a, all);
  screen_table(&s, &result, NULL);
  for (size_t i = 0; i < all->list.count; i++) {
    const value *found = value_get(&all->list.items[i], "spans");
    missing += value_get_integer(&all->list.items[i], "missing", 0);
    spans += found ? (int64_t)found->list.count : 0;
  }
  buffer_init(&b, 4096);
  screen_count(&b, missing, "missing date");
  buffer_add_text(&b, " in ");
  screen_count(&b, spans, "span");
  printf("%s, by the calendar %s\n", buffer_text(&b), value_get_text(answer, "calendar", "daily"));
  buffer_free(&b);
}

static int run(const given *g, dts_error *e) {
  arena a = {0};
  value order = engine_command(&a, "plan"), answer;
  engine *n = engine_here(&a, e);
  value_set(&a, &order, "pipeline", value_text(given_word(g, 0)));
  int rc = n ? engine_ask(n, &order, NULL, NULL, &a, &answer, e) : -1;
  if (rc == 0 && g->json)
    screen_json(stdout, &answer);
  else if (rc == 0)
    print(&a, &answer);
  engine_close(n);
  arena_free(&a);
  return rc;
}

COMMAND(plan) = {.name = "plan",
                 .words = "NAME",
                 .summary = "Show what a gaps pipeline would fetch; no request is made.",
                 .least = 1,
                 .most = 1,
                 .run = run};
