/* check.c -- dts check [DIR]: loads everything and says what is wrong. Nothing runs.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "command/command.h"
#include "command/engine.h"
#include "command/place.h"
#include "command/report.h"

static void print_counts(const value *counts) {
  buffer b;
  buffer_init(&b, 4096);
  for (size_t i = 0; counts && i < counts->map.count; i++) {
    const value *name = &counts->map.pairs[i].key, *n = &counts->map.pairs[i].item;
    if (!n->integer) continue;
    if (b.size) buffer_add_text(&b, ", ");
    char noun[32]; /* "pipelines" without its s: screen_count adds it */
    snprintf(noun, sizeof noun, "%.*s", (int)name->text.size - 1, name->text.bytes);
    screen_count(&b, n->integer, noun);
  }
  printf("%s\n", b.size ? buffer_text(&b) : "nothing is declared: put a script into pipelines/");
  buffer_free(&b);
}

static void print(const value *answer, const char *root) {
  screen s = screen_of(stdout);
  const value *faults = value_get(answer, "faults");
  size_t count = faults ? faults->list.count : 0;
  for (size_t i = 0; i < count; i++) {
    report_value(&s, &faults->list.items[i], root);
    putchar('\n');
  }
  print_counts(value_get(answer, "counts"));
  if (count) printf("%zu script%s at fault\n", count, count == 1 ? "" : "s");
}

static int run(const given *g, dts_error *e) {
  arena a = {0};
  value order = engine_command(&a, "check"), answer;
  const char *root = place_project(given_word(g, 0) ? given_word(g, 0) : ".", &a, e);
  engine *n = root ? engine_open(root, NULL, e) : NULL;
  int status = n ? engine_ask(n, &order, NULL, NULL, &a, &answer, e) : -1;
  if (status == 0) {
    const value *faults = value_get(&answer, "faults");
    if (g->json)
      screen_json(stdout, &answer);
    else
      print(&answer, root);
    status = faults && faults->list.count ? EXIT_FAILED : EXIT_FINE;
  }
  engine_close(n);
  arena_free(&a);
  return status;
}

COMMAND(check) = {
    .name = "check",
    .words = "[DIR]",
    .summary = "Load every script and check SQL, schedules and permissions; nothing runs.",
    .most = 1,
    .run = run};
