/* next.c -- dts next [NAME] -n 10: when pipelines fire, in words, each in its own zone.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "command/command.h"
#include "command/engine.h"
#include "command/faults.h"
#include "command/screen.h"
#include "command/times.h"

enum { MOST = 10000 };

static int run(const given *g, dts_error *e) {
  arena a = {0};
  int64_t count;
  if (given_integer(g, "n", 10, &count, e) < 0) return -1;
  if (count > MOST)
    return error_fail(e, "USAGE", "-n: %d at most, got %lld", MOST, (long long)count);
  value order = engine_command(&a, "next"), answer;
  engine *n = engine_here(&a, e);
  if (given_word(g, 0)) value_set(&a, &order, "pipeline", value_text(given_word(g, 0)));
  value_set(&a, &order, "count", value_integer(count));
  int rc = n ? faults_ask(n, &order, given_word(g, 0), &a, &answer, e) : -1;
  if (rc == 0 && g->json)
    screen_json(stdout, &answer);
  else if (rc == 0)
    times_print(stdout, &answer);
  engine_close(n);
  arena_free(&a);
  return rc;
}

static const command_option options[] = {{"n", "COUNT", "how many (10)"}, {0}};

COMMAND(next) = {
    .name = "next",
    .words = "[NAME]",
    .summary = "Show when pipelines fire next, each in its own time zone and in UTC.",
    .details =
        "A firing that a change of the clock moves, whose time comes twice that day, or before\n"
        "which the clock changes is marked. Rechecks and `every` are shown as well.",
    .most = 1,
    .options = options,
    .run = run};
