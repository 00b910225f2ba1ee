/* jobs.c -- dts jobs: what is queued, waits, runs or has ended, newest first; one job with its attempts; cancel.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "command/listing.h"
#include "command/screen.h"
#include "core/job.h"
#include "format/date.h"

static const char list_sql[] =
    "select id, pipeline, state, attempts, retry_count, deferrals, run_at, error from dts_jobs "
    "where (:pipeline is null or pipeline = :pipeline) and (:state is null or state = :state) "
    "order by id desc limit :limit";

/* One row for each lease: which run it was, how it ended, and what its last request was answered. */
static const char attempts_sql[] =
    "select a.epoch as attempt, r.id as run, coalesce(a.outcome, 'open') as outcome, r.started, "
    "r.ended, r.rows, (select q.status from dts_request q where q.run = r.id order by q.seq desc "
    "limit 1) as http, r.error from dts_run a join dts_runs r on r.id = a.id where a.job = :job "
    "order by a.epoch";

static const char *const spare[] = {"retry_count", "deferrals", "attempts", "ended", "rows", NULL};

static int list(const given *g, dts_error *e) {
  const char *states[JOB_CANCELLED + 2] = {0};
  bool all = !given_has(g, "pipeline") && !given_has(g, "state");
  for (int i = 0; i <= JOB_CANCELLED; i++) states[i] = job_status_name((job_status)i);
  listing jobs = {list_sql, all ? "no job is known" : "there is no such job", spare};
  return listing_of_pipeline(g, &jobs, states, e);
}

static int read_id(const given *g, long long *id, dts_error *e) {
  const char *word = given_word(g, 1);
  char rest;
  if (word && strncmp(word, "job-", 4) == 0) word += 4;
  if (word && sscanf(word, "%lld%c", id, &rest) == 1 && *id > 0) return 0;
  error_fail(e, "USAGE", "a job's number expected, got \"%s\"", word ? word : "");
  return error_hint(e, "`dts jobs` shows the numbers: dts jobs show 12");
}

static const char one_sql[] = "select pipeline, state, retry_count, deferrals, case when state = "
                              "'waiting' then run_at end as run_at from dts_jobs where id = :job";

/* "job 12 of load: waiting until 2026-03-10 12:00:00 (UTC); retry_count 1, deferrals 3" */
static void print_one(const value *answer, int64_t id) {
  const value *row = value_get(answer, "rows")->list.items[0].list.items;
  zone *z = zone_open(value_get_text(answer, "timezone", "UTC"), NULL);
  char time[32];
  int64_t ms;
  printf("job %lld of %s: %s", (long long)id, row[0].text.bytes, row[1].text.bytes);
  if (row[4].kind == VALUE_TEXT && timestamp_read(row[4].text.bytes, row[4].text.size, &ms) == 0) {
    screen_time(ms, z, time);
    printf(" until %s (%s)", time, zone_name(z));
  }
  printf("; retry_count %lld, deferrals %lld\n\n", (long long)row[2].integer,
         (long long)row[3].integer);
  zone_close(z);
}

static int show(engine *n, const given *g, int64_t id, arena *a, dts_error *e) {
  value params = value_map(), found;
  value_set(a, &params, "job", value_integer(id));
  if (engine_sql(n, one_sql, &params, 0, a, &found, e) < 0) return -1;
  if (!value_get(&found, "rows")->list.count)
    return error_fail(e, "JOB", "there is no job %lld", (long long)id);
  if (!g->json) print_one(&found, id);
  listing attempts = {attempts_sql, "it has not been tried yet", spare};
  return listing_print(n, g, &attempts, &params, e);
}

static int cancel(engine *n, const given *g, int64_t id, arena *a, dts_error *e) {
  value order = engine_command(a, "cancel"), answer;
  value_set(a, &order, "job", value_integer(id));
  if (engine_ask(n, &order, NULL, NULL, a, &answer, e) < 0) return -1;
  if (g->json)
    puts("{\"cancelled\":true}");
  else
    printf("job %lld is cancelled\n", (long long)id);
  return 0;
}

static int of_one(const given *g, dts_error *e) {
  arena a = {0};
  long long id = 0;
  bool shows = strcmp(given_word(g, 0), "show") == 0;
  int rc = 0;
  if (!shows && strcmp(given_word(g, 0), "cancel") != 0)
    rc = error_fail(e, "USAGE", "dts jobs knows show and cancel, not '%s'", given_word(g, 0));
  if (rc == 0) rc = read_id(g, &id, e);
  engine *n = rc == 0 ? engine_here(&a, e) : NULL;
  if (rc == 0 && !n) rc = -1;
  if (rc == 0) rc = (shows ? show : cancel)(n, g, id, &a, e);
  engine_close(n);
  arena_free(&a);
  return rc;
}

static int run(const given *g, dts_error *e) {
  return given_word(g, 0) ? of_one(g, e) : list(g, e);
}

static const command_option options[] = {
    {"pipeline", "NAME", "of this pipeline alone"},
    {"state", "STATE", "queued, waiting, leased, done, failed, quarantined, cancelled"},
    {"limit", "N", "at most so many (20)"},
    {0}};

COMMAND(jobs) = {
    .name = "jobs",
    .words = "[show|cancel ID]",
    .summary = "List jobs, the newest first; show one's attempts; cancel one.",
    .details = "show: when each attempt was, its run, its last HTTP status, its error.\n"
               "cancel: it does not run any more; a run under way is ended.",
    .most = 2,
    .options = options,
    .run = run};
