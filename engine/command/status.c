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

static int run(const given *g, dts_error *e) {
  arena a = {0};
  engine *n = engine_here(&a, e);
  bool served = n && engine_is_remote(n);
  if (n && !g->json)
    printf("%s: %s\n", engine_root(n), served ? "an engine is running" : "no engine is running");
  int rc = n ? listing_print(n, g, sql, NULL, "no job is known", e) : -1;
  if (rc == 0 && !g->json) rc = print_stale(n, e);
  engine_close(n);
  arena_free(&a);
  return rc;
}

COMMAND(status) = {.name = "status",
                   .words = "",
                   .summary = "Is an engine running here, and how many jobs are in which state.",
                   .run = run};
