/* status.c -- dts status: is an engine there, and what do the books say.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "command/listing.h"
#include "command/screen.h"

static const char sql[] =
    "select pipeline, sum(state = 'leased') as running, sum(state = 'queued') as queued, "
    "sum(state = 'waiting') as waiting, sum(state = 'failed') as failed, "
    "sum(state = 'quarantined') as quarantined, sum(state = 'done') as done "
    "from dts_jobs group by pipeline order by pipeline";

/* Roll-ups and kept views that could not be brought up to date. */
static int print_stale(engine *n, dts_error *e) {
  arena a = {0};
  value result;
  int rc = engine_sql(n, "select noun, name, error from dts_stale order by 1, 2", NULL, 0, &a,
                      &result, e);
  const value *rows = rc == 0 ? value_get(&result, "rows") : NULL;
  for (size_t i = 0; rows && i < rows->list.count; i++) {
    const value *row = rows->list.items[i].list.items;
    printf("\n%s '%s' keeps its old rows\n  %s\n", row[0].text.bytes, row[1].text.bytes,
           row[2].text.bytes);
  }
  arena_free(&a);
  return rc;
}

/* Scripts whose last edit did not load, each with what is in service instead. */
static int print_faults(engine *n, dts_error *e) {
  arena a = {0};
  value order = engine_command(&a, "status"), answer;
  int rc = engine_ask(n, &order, NULL, NULL, &a, &answer, e);
  const value *faults = rc == 0 ? value_get(&answer, "faults") : NULL;
  for (size_t i = 0; faults && i < faults->list.count; i++) {
    const value *f = &faults->list.items[i];
    printf("\n%s: %s\n  %s\n", value_get_text(f, "where", "?"), value_get_text(f, "message", "?"),
           value_get_text(f, "in_service", NULL) ? "its last good version stays in service"
                                                 : "it was never loaded");
  }
  if (faults && faults->list.count) putchar('\n');
  arena_free(&a);
  return rc;
}

static int run(const given *g, dts_error *e) {
  arena a = {0};
  engine *n = engine_here(&a, e);
  bool served = n && engine_is_remote(n);
  if (n && !g->json)
    printf("%s: %s\n", engine_root(n), served ? "an engine is running" : "no engine is running");
  if (n && !g->json && print_faults(n, e) < 0) return engine_close(n), arena_free(&a), -1;
  int rc = n ? listing_print(n, g, sql, NULL, "no job is known", e) : -1;
  if (rc == 0 && !g->json) rc = print_stale(n, e);
  engine_close(n);
  arena_free(&a);
  return rc;
}

COMMAND(status) = {
    .name = "status",
    .words = "",
    .summary = "Is an engine running here, which scripts are at fault, and what do jobs do.",
    .run = run};
