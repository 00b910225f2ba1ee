/* runs.c -- dts runs: the history, newest first.
 *
 * SPDX-License-Identifier: MIT */
#include "command/listing.h"

static const char sql[] =
    "select id, pipeline, trigger, state, started, ended, rows, error, version from dts_runs "
    "where (:pipeline is null or pipeline = :pipeline) and (:state is null or state = :state) "
    "order by id desc limit :limit";

static int run(const given *g, dts_error *e) {
  arena a = {0};
  int64_t limit;
  if (given_integer(g, "limit", 20, &limit, e) < 0) return -1;
  value params = value_map();
  value_set(&a, &params, "pipeline", value_text(given_text(g, "pipeline", NULL)));
  value_set(&a, &params, "state", value_text(given_text(g, "state", NULL)));
  value_set(&a, &params, "limit", value_integer(limit));
  engine *n = engine_here(&a, e);
  int rc = n ? listing_print(n, g, sql, &params, "no run is known", e) : -1;
  engine_close(n);
  arena_free(&a);
  return rc;
}

static const command_option options[] = {
    {"pipeline", "NAME", "of this pipeline alone"},
    {"state", "STATE",
     "running, done, failed, deferred, slept, handed back, interrupted, cancelled"},
    {"limit", "N", "at most so many (20)"},
    {0}};

COMMAND(runs) = {.name = "runs",
                 .words = "",
                 .summary = "List runs, the newest first.",
                 .options = options,
                 .run = run};
