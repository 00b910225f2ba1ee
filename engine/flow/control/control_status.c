/* control_status.c -- the commands `status`, `check` and `reload`.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "flow/alerts/alert_reach.h"
#include "flow/control/control_value.h"
#include "flow/control/controls.h"
#include "flow/kernel/kernel_parts.h"
#include "flow/reload/sqlcheck.h"

void control_status(kernel *k, question *q) {
  value v = value_map();
  value_set(&q->memory, &v, "running", runner_status(k->runner, &q->memory));
  value_set(&q->memory, &v, "faults", kernel_faults(k, &q->memory));
  registry *set = kernel_registry(k);
  value untold = value_list();
  alert_notes(k, set, &q->memory, &untold);
  registry_release(set);
  value_set(&q->memory, &v, "alerts", untold);
  question_answer(q, v);
}

/* As declared: roll-ups and kept views have tables of their own, which are counted as theirs. */
static int64_t count_tables(const registry *set) {
  int64_t count = 0;
  for (size_t i = 0; i < set->script_count; i++) {
    const value *all = &set->scripts[i]->declarations;
    for (size_t n = 0; n < all->list.count; n++)
      count += value_is(value_get(&all->list.items[n], "noun"), "table");
  }
  return count;
}

static value counts_of(arena *a, const registry *set) {
  value v = value_map();
  value_set(a, &v, "scripts", value_integer((int64_t)set->script_count));
  value_set(a, &v, "tables", value_integer(count_tables(set)));
  value_set(a, &v, "sources", value_integer((int64_t)set->source_count));
  value_set(a, &v, "pipelines", value_integer((int64_t)set->pipeline_count));
  value_set(a, &v, "routes", value_integer((int64_t)set->route_count));
  value_set(a, &v, "rollups", value_integer((int64_t)set->rollups.list.count));
  value_set(a, &v, "views", value_integer((int64_t)set->views.list.count));
  value_set(a, &v, "dashboards", value_integer((int64_t)set->dashboards.list.count));
  value_set(a, &v, "alerts", value_integer((int64_t)set->alerts.list.count));
  return v;
}

static value pipelines_of(arena *a, const registry *set) {
  value list = value_list();
  for (size_t i = 0; i < set->pipeline_count; i++) {
    const pipeline *p = &set->pipelines[i];
    value v = value_map();
    value_set(a, &v, "name", value_text(arena_text(a, p->name)));
    value_set(a, &v, "trigger", value_text(arena_text(a, p->trigger_text)));
    value_set(a, &v, "file", value_text(arena_text(a, p->file)));
    value_add(a, &list, v);
  }
  return list;
}

typedef struct checking {
  question *question;
  registry *set;
  value faults, notes;
  int rc;
  dts_error error;
} checking;

static void check_work(void *arg) {
  checking *c = arg;
  question *q = c->question;
  c->rc = sqlcheck_set(c->set, true, &q->memory, &c->faults, &c->error);
  sqlcheck_portable(c->set, &q->memory, &c->notes);
  intake_notes(c->set, kernel_root(q->kernel), &q->memory, &c->notes);
  if (c->rc == 0)
    sqlcheck_project(c->set, kernel_config(q->kernel), kernel_root(q->kernel), &q->memory,
                     &c->faults);
}

static void check_then(void *arg) {
  checking *c = arg;
  question *q = c->question;
  value v = value_map();
  control_secret_notes(q->kernel, c->set, &q->memory, &c->notes);
  alert_notes(q->kernel, c->set, &q->memory, &c->notes);
  value_set(&q->memory, &v, "faults", c->faults);
  value_set(&q->memory, &v, "notes", c->notes);
  value_set(&q->memory, &v, "counts", counts_of(&q->memory, c->set));
  value_set(&q->memory, &v, "pipelines", pipelines_of(&q->memory, c->set));
  registry_release(c->set);
  if (c->rc < 0)
    question_fail(q, &c->error);
  else
    question_answer(q, v);
  free(c);
}

/* The faults of loading, and then those of every SQL, prepared against tables made for that alone. */
void control_check(kernel *k, question *q) {
  checking *c = memory_alloc(sizeof *c);
  *c = (checking){.question = q, .set = kernel_registry(k), .faults = kernel_faults(k, &q->memory)};
  c->notes = value_list();
  loop_defer(k->loop, check_work, check_then, c);
}

static void reloaded(void *arg) {
  question *q = arg;
  control_check(q->kernel, q);
}

void control_reload(kernel *k, question *q) { project_reload(k->project, reloaded, q); }
