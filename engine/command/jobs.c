/* jobs.c -- dts jobs: what is queued, waits, runs or has ended, newest first.
 *
 * SPDX-License-Identifier: MIT */
#include "command/listing.h"

static const char sql[] =
    "select id, pipeline, state, attempts, retry_count, deferrals, run_at, error from dts_jobs "
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
  int rc = n ? listing_print(n, g, sql, &params, "no job is known", e) : -1;
  engine_close(n);
  arena_free(&a);
  return rc;
}

static const command_option options[] = {
    {"pipeline", "NAME", "of this pipeline alone"},
    {"state", "STATE", "queued, waiting, leased, done, failed, quarantined, cancelled"},
    {"limit", "N", "at most so many (20)"},
    {0}};

COMMAND(jobs) = {.name = "jobs",
                 .words = "",
                 .summary = "List jobs, the newest first.",
                 .options = options,
                 .run = run};
