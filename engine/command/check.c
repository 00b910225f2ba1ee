/* check.c -- dts check [DIR]: loads everything and says what is wrong. Nothing runs.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "command/engine.h"
#include "command/place.h"
#include "command/report.h"

static void print_counts(const value *counts, bool faulty) {
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
  if (b.size)
    printf("%s\n", buffer_text(&b));
  else if (!faulty)
    puts("nothing is declared: put a script into pipelines/");
  buffer_free(&b);
}

/* pipeline, trigger, file: the names that other commands take. */
static void print_pipelines(const screen *s, const value *pipelines, arena *a) {
  static const char *const names[] = {"pipeline", "trigger", "file"};
  value result = value_map(), columns = value_list(), rows = value_list();
  if (!pipelines || !pipelines->list.count) return;
  for (size_t i = 0; i < 3; i++) value_add(a, &columns, value_text(names[i]));
  for (size_t i = 0; i < pipelines->list.count; i++) {
    const value *p = &pipelines->list.items[i];
    value row = value_list();
    value_add(a, &row, value_text(value_get_text(p, "name", "?")));
    value_add(a, &row, value_text(value_get_text(p, "trigger", "")));
    value_add(a, &row, value_text(value_get_text(p, "file", "")));
    value_add(a, &rows, row);
  }
  value_set(a, &result, "columns", columns);
  value_set(a, &result, "rows", rows);
  putchar('\n');
  screen_table(s, &result, NULL);
}

/* The file of a fault: one script may have several. */
static size_t file_size(const value *fault, const char **file) {
  *file = value_get_text(fault, "file", NULL);
  if (*file) return strlen(*file);
  *file = value_get_text(fault, "where", "");
  return strcspn(*file, ":");
}

static size_t count_files(const value *faults) {
  size_t count = 0;
  for (size_t i = 0; i < faults->list.count; i++) {
    const char *file, *other;
    size_t size = file_size(&faults->list.items[i], &file), k = 0;
    while (k < i &&
           !(file_size(&faults->list.items[k], &other) == size && memcmp(file, other, size) == 0))
      k++;
    if (k == i) count++;
  }
  return count;
}

static void print_faults(const value *faults) {
  buffer b;
  size_t files = count_files(faults);
  buffer_init(&b, 256);
  screen_count(&b, (int64_t)faults->list.count, "fault");
  buffer_add_text(&b, " in ");
  screen_count(&b, (int64_t)files, "file");
  printf("%s\n", buffer_text(&b));
  buffer_free(&b);
}

/* No faults: absent secrets, alerts that can tell nobody, what keeps the project from moving to
 * another store. */
static void print_notes(const value *notes) {
  for (size_t i = 0; notes && i < notes->list.count; i++) {
    const value *n = &notes->list.items[i];
    printf("%snote: %s: %s\n      %s\n", i ? "" : "\n", value_get_text(n, "where", "?"),
           value_get_text(n, "message", ""), value_get_text(n, "hint", ""));
  }
}

static void print(const value *answer, const char *root, arena *a) {
  screen s = screen_of(stdout);
  const value *faults = value_get(answer, "faults");
  size_t count = faults ? faults->list.count : 0;
  for (size_t i = 0; i < count; i++) {
    report_value(&s, &faults->list.items[i], root);
    putchar('\n');
  }
  print_counts(value_get(answer, "counts"), count > 0);
  if (count) print_faults(faults);
  print_pipelines(&s, value_get(answer, "pipelines"), a);
  print_notes(value_get(answer, "notes"));
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
      print(&answer, root, &a);
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
