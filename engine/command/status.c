/* status.c -- dts status: is an engine there, and what do the books say.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "command/listing.h"
#include "command/screen.h"
#include "format/date.h"

static const char sql[] =
    "select pipeline, sum(state = 'leased') as running, sum(state = 'queued') as queued, "
    "sum(state = 'waiting') as waiting, sum(state = 'failed') as failed, "
    "sum(state = 'quarantined') as quarantined, sum(state = 'done') as done "
    "from dts_jobs group by pipeline order by pipeline";

static const listing jobs = {sql, "no job is known", NULL};

static const char untold_sql[] = "select name as alert, error from dts_alert_fault order by name";

static const char stale_sql[] = "select noun, name, error from dts_stale order by 1, 2";

/* Jobs whose last run was put off: by their source, or because the disk was full. */
static const char deferred_sql[] =
    "select j.pipeline, count(*) as jobs, min(j.run_at) as run_at, max(r.message) as error from "
    "dts_jobs j join dts_run r on r.job = j.id and r.epoch = j.attempts and r.outcome = 'deferred' "
    "where j.state = 'waiting' group by j.pipeline order by j.pipeline";

static int print_deferred(engine *n, dts_error *e) {
  arena a = {0};
  value result;
  char time[32];
  int64_t ms = 0;
  int rc = engine_sql(n, deferred_sql, NULL, 0, &a, &result, e);
  const value *rows = rc == 0 ? value_get(&result, "rows") : NULL;
  zone *z = rows ? zone_open(value_get_text(&result, "timezone", "UTC"), NULL) : NULL;
  for (size_t i = 0; rows && i < rows->list.count; i++) {
    const value *row = rows->list.items[i].list.items;
    timestamp_read(row[2].text.bytes, row[2].text.size, &ms);
    screen_time(ms, z, time);
    printf("\n%s: %lld job%s deferred, until %s (%s) at the earliest; no retry is used up\n  %s\n",
           row[0].text.bytes, (long long)row[1].integer, row[1].integer == 1 ? "" : "s", time,
           zone_name(z), row[3].text.bytes);
  }
  zone_close(z);
  arena_free(&a);
  return rc;
}

/* Roll-ups and kept views that could not be brought up to date. */
static int print_stale(engine *n, dts_error *e) {
  arena a = {0};
  value result;
  int rc = engine_sql(n, stale_sql, NULL, 0, &a, &result, e);
  const value *rows = rc == 0 ? value_get(&result, "rows") : NULL;
  for (size_t i = 0; rows && i < rows->list.count; i++) {
    const value *row = rows->list.items[i].list.items;
    printf("\n%s '%s' keeps its old rows\n  %s\n", row[0].text.bytes, row[1].text.bytes,
           row[2].text.bytes);
  }
  arena_free(&a);
  return rc;
}

static int read_list(engine *n, const char *name, arena *a, value *out, dts_error *e) {
  value order = engine_command(a, "status"), answer;
  if (engine_ask(n, &order, NULL, NULL, a, &answer, e) < 0) return -1;
  const value *list = value_get(&answer, name);
  *out = list ? *list : value_list();
  return 0;
}

static bool is_named(const value *cannot, const char *alert) {
  for (size_t i = 0; i < cannot->list.count; i++)
    if (value_is(value_get(&cannot->list.items[i], "alert"), alert)) return true;
  return false;
}

/* Alerts that could tell nobody, and those that failed to when it was last tried. */
static int print_alerts(engine *n, dts_error *e) {
  arena a = {0};
  value cannot = value_list(), result;
  int rc = read_list(n, "alerts", &a, &cannot, e);
  for (size_t i = 0; i < cannot.list.count; i++)
    printf("\n%s\n", value_get_text(&cannot.list.items[i], "message", "?"));
  if (rc == 0) rc = engine_sql(n, untold_sql, NULL, 0, &a, &result, e);
  const value *rows = rc == 0 ? value_get(&result, "rows") : NULL;
  for (size_t i = 0; rows && i < rows->list.count; i++) {
    const value *row = rows->list.items[i].list.items;
    if (!is_named(&cannot, row[0].text.bytes))
      printf("\nalert '%s': %s\n", row[0].text.bytes, row[1].text.bytes);
  }
  arena_free(&a);
  return rc;
}

/* Scripts whose last edit did not load, each with what is in service instead. */
static int print_faults(engine *n, dts_error *e) {
  arena a = {0};
  value faults = value_list();
  int rc = read_list(n, "faults", &a, &faults, e);
  for (size_t i = 0; i < faults.list.count; i++) {
    const value *f = &faults.list.items[i];
    printf("\n%s: %s\n  %s\n", value_get_text(f, "where", "?"), value_get_text(f, "message", "?"),
           value_get_text(f, "in_service", NULL) ? "its last good version stays in service"
                                                 : "it was never loaded");
  }
  if (faults.list.count) putchar('\n');
  arena_free(&a);
  return rc;
}

static int add_rows(engine *n, const char *name, const char *query, arena *a, value *v,
                    dts_error *e) {
  value result;
  if (engine_sql(n, query, NULL, 0, a, &result, e) < 0) return -1;
  value_set(a, v, name, screen_list(&result, a));
  return 0;
}

/* The same for programs: one object. */
static int print_json(engine *n, arena *a, dts_error *e) {
  value v = value_map(), faults, alerts;
  if (read_list(n, "faults", a, &faults, e) < 0 || read_list(n, "alerts", a, &alerts, e) < 0)
    return -1;
  value_set(a, &v, "root", value_text(engine_root(n)));
  value_set(a, &v, "running", value_boolean(engine_is_remote(n)));
  value_set(a, &v, "faults", faults);
  value_set(a, &v, "alerts", alerts);
  if (add_rows(n, "stale", stale_sql, a, &v, e) < 0 || add_rows(n, "jobs", sql, a, &v, e) < 0 ||
      add_rows(n, "deferred", deferred_sql, a, &v, e) < 0 ||
      add_rows(n, "untold", untold_sql, a, &v, e) < 0)
    return -1;
  screen_json(stdout, &v);
  return 0;
}

static int print_text(engine *n, const given *g, dts_error *e) {
  printf("%s: %s\n", engine_root(n),
         engine_is_remote(n) ? "an engine is running" : "no engine is running");
  if (print_faults(n, e) < 0) return -1;
  if (listing_print(n, g, &jobs, NULL, e) < 0) return -1;
  if (print_deferred(n, e) < 0) return -1;
  if (print_stale(n, e) < 0) return -1;
  return print_alerts(n, e);
}

static int run(const given *g, dts_error *e) {
  arena a = {0};
  engine *n = engine_here(&a, e);
  int rc = -1;
  if (n) rc = g->json ? print_json(n, &a, e) : print_text(n, g, e);
  engine_close(n);
  arena_free(&a);
  return rc;
}

COMMAND(status) = {
    .name = "status",
    .words = "",
    .summary = "Is an engine running here, which scripts are at fault, and what do jobs do.",
    .run = run};
