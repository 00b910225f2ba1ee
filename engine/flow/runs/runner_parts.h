/* runner_parts.h -- the runner's own structure, for runner.c, leases.c and destinations.c alone.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_RUNNER_PARTS_H
#define DTS_FLOW_RUNNER_PARTS_H

#include "flow/kernel/parts.h"
#include "flow/runs/runner.h"
#include "flow/runs/spare.h"

struct runner {
  kernel *kernel;
  size_t places;
  run *runs;
  spares *spares;
  int64_t since; /* only jobs of firings from here on are leased, */
  char *older;   /* and of these, or NULL */
  bool leasing, again, stopping;
  int64_t usual_ms; /* what runs took of late, sixteenfold */
  loop_timer *due, *beat, *patience, *mended;
  struct asker *askers; /* destinations.c */
  int64_t beaten;       /* loop_elapsed of the last heartbeat */
  bool starved;         /* which could not be written: the store had no room */
};

void leases_keep(runner *r); /* heartbeats and the reaper, while runs are open */
void leases_drop(runner *r);

/* A run has ended: whether its pipeline asks its sources at all. */
void destinations_learn(runner *r, const run *n);
void destinations_close(runner *r);
/* Names of pipelines all of whose sources lie behind open breakers, as a JSON list in `a`, or NULL; looks
 * at the queue again when the first of them may be tried. */
const char *destinations_broken(runner *r, const registry *set, arena *a);

#endif
