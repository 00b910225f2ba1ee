/* runs.c -- dts runs: the history, newest first.
 *
 * SPDX-License-Identifier: MIT */
#include "command/listing.h"
#include "core/job.h"

static const char *const spare[] = {"version", "ended", "trigger", "rows", NULL};
static const char sql[] =
    "select id, pipeline, trigger, state, started, ended, rows, error, version from dts_runs "
    "where (:pipeline is null or pipeline = :pipeline) and (:state is null or state = :state) "
    "order by id desc limit :limit";

static const listing runs = {sql, "no run is known", spare};

static int run(const given *g, dts_error *e) {
  const char *states[JOB_ATTEMPT_CANCELLED + 2] = {"running"};
  for (int i = JOB_ATTEMPT_DONE; i <= JOB_ATTEMPT_CANCELLED; i++)
    states[i] = job_outcome_name((job_outcome)i);
  return listing_of_pipeline(g, &runs, states, e);
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
