/* jobs.c -- dts jobs: what is queued, waits, runs or has ended, newest first.
 *
 * SPDX-License-Identifier: MIT */
#include "command/listing.h"
#include "core/job.h"

static const char sql[] =
    "select id, pipeline, state, attempts, retry_count, deferrals, run_at, error from dts_jobs "
    "where (:pipeline is null or pipeline = :pipeline) and (:state is null or state = :state) "
    "order by id desc limit :limit";

static int run(const given *g, dts_error *e) {
  const char *states[JOB_CANCELLED + 2] = {0};
  for (int i = 0; i <= JOB_CANCELLED; i++) states[i] = job_status_name((job_status)i);
  return listing_of_pipeline(g, sql, states, "no job is known", e);
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
