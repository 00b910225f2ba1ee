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

static int run(const given *g, dts_error *e) {
  arena a = {0};
  engine *n = engine_here(&a, e);
  bool served = n && engine_is_remote(n);
  if (n && !g->json)
    printf("%s: %s\n", engine_root(n), served ? "an engine is running" : "no engine is running");
  int rc = n ? listing_print(n, g, sql, NULL, "no job is known", e) : -1;
  engine_close(n);
  arena_free(&a);
  return rc;
}

COMMAND(status) = {.name = "status",
                   .words = "",
                   .summary = "Is an engine running here, and how many jobs are in which state.",
                   .run = run};
