/* backfill.c -- dts backfill NAME --from DATE --to DATE [--all]: queues a range of a gaps pipeline.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "command/command.h"
#include "command/engine.h"
#include "command/faults.h"
#include "command/screen.h"
#include "command/sheet.h"

static const char *const names[] = {"key", "from", "to", "dates", NULL};

static void print(const engine *n, const given *g, const value *answer, arena *a) {
  const value *spans = value_get(answer, "spans");
  int64_t left = value_get_integer(answer, "left_alone", 0);
  buffer b;
  buffer_init(&b, 4096);
  value sheet = sheet_open(a, names);
  for (size_t i = 0; spans && i < spans->list.count; i++)
    sheet_add_map(a, &sheet, &spans->list.items[i]);
  if (spans && spans->list.count) sheet_print(stdout, &sheet, NULL, NULL);
  screen_count(&b, value_get_integer(answer, "dates", 0), "date");
  buffer_add_text(&b, " queued in ");
  screen_count(&b, value_get_integer(answer, "jobs", 0), "job");
  if (left) buffer_add_text(&b, ", ");
  if (left) screen_count(&b, left, "date");
  if (left) buffer_add_text(&b, " left to a job under way, a recheck or quarantine");
  printf("%s\n", buffer_text(&b));
  bool queued = value_get_integer(answer, "jobs", 0) > 0;
  if (queued && !engine_is_remote(n)) puts("they run under dts serve");
  if (!queued && !left && !given_has(g, "all"))
    puts("no date is missing there; --all reads them again");
  buffer_free(&b);
}

static int check_range(const given *g, dts_error *e) {
  bool from = given_has(g, "from");
  if (from && given_has(g, "to")) return 0;
  error_fail(e, "USAGE", "--%s is needed: the %s day of the range", from ? "to" : "from",
             from ? "last" : "first");
  return error_hint(e, "dts backfill %s --from 2024-01-01 --to 2024-12-31", given_word(g, 0));
}

static int run(const given *g, dts_error *e) {
  arena a = {0};
  if (check_range(g, e) < 0) return -1;
  value order = engine_command(&a, "backfill"), answer;
  value_set(&a, &order, "from", value_text(given_text(g, "from", "")));
  value_set(&a, &order, "to", value_text(given_text(g, "to", "")));
  value_set(&a, &order, "pipeline", value_text(given_word(g, 0)));
  value_set(&a, &order, "all", value_boolean(given_has(g, "all")));
  engine *n = engine_here(&a, e);
  int rc = n ? faults_ask(n, &order, given_word(g, 0), &a, &answer, e) : -1;
  if (rc == 0 && g->json)
    screen_json(stdout, &answer);
  else if (rc == 0)
    print(n, g, &answer, &a);
  engine_close(n);
  arena_free(&a);
  return rc;
}

static const command_option options[] = {
    {"from", "DATE", "the first day, as YYYY-MM-DD"},
    {"to", "DATE", "the last day"},
    {"all", NULL, "also dates that are there: their rows are read again"},
    {0}};

COMMAND(backfill) = {
    .name = "backfill",
    .words = "NAME",
    .summary = "Queue a range of dates of a gaps pipeline: the missing ones, or all.",
    .details = "The pipeline's calendar, since, to and lag bound the range. Dates in quarantine "
               "are left there:\n`dts quarantine release` gives them back.",
    .least = 1,
    .most = 1,
    .options = options,
    .run = run};
