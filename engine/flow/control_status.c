/* control_status.c -- the commands `status`, `check` and `reload`.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "flow/controls.h"
#include "flow/kernel_parts.h"

void control_status(kernel *k, question *q) {
  value v = value_map();
  value_set(&q->memory, &v, "running", runner_status(k->runner, &q->memory));
  question_answer(q, v);
}

static value counts_of(arena *a, const registry *set) {
  value v = value_map();
  value_set(a, &v, "scripts", value_integer((int64_t)set->script_count));
  value_set(a, &v, "tables", value_integer((int64_t)set->table_count));
  value_set(a, &v, "sources", value_integer((int64_t)set->source_count));
  value_set(a, &v, "pipelines", value_integer((int64_t)set->pipeline_count));
  value_set(a, &v, "routes", value_integer((int64_t)set->route_count));
  value_set(a, &v, "rollups", value_integer((int64_t)set->rollups.list.count));
  value_set(a, &v, "views", value_integer((int64_t)set->views.list.count));
  value_set(a, &v, "dashboards", value_integer((int64_t)set->dashboards.list.count));
  value_set(a, &v, "alerts", value_integer((int64_t)set->alerts.list.count));
  return v;
}

void control_check(kernel *k, question *q) {
  value v = value_map();
  registry *set = kernel_registry(k);
  value_set(&q->memory, &v, "faults", kernel_faults(k, &q->memory));
  value_set(&q->memory, &v, "counts", counts_of(&q->memory, set));
  registry_release(set);
  question_answer(q, v);
}

static void reloaded(void *arg) {
  question *q = arg;
  control_check(q->kernel, q);
}

void control_reload(kernel *k, question *q) { project_reload(k->project, reloaded, q); }
