/* finish.c -- see finish.h. Each kind of input has its own part in the final write.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/runs/finish.h"

#include <stdlib.h>
#include <string.h>

#include "flow/runs/finish_input.h"
#include "flow/gaps/gaps.h"

/* They served their job. */
static int drop_steps(store_conn *c, const job *j, dts_error *e) {
  value params[] = {value_integer(j->id)};
  return store_exec(c, "update dts_step set result = null where job = ?1", params, 1, e);
}

/* As they were, for the next look. */
static int free_dates(store_conn *c, int64_t job_id, dts_error *e) {
  value params[] = {value_integer(job_id)};
  return store_exec(c, "update dts_gap set held = 0 where job = ?1 and held = 1", params, 1, e);
}

int finish_inside(store_conn *c, run *r, const job *j, run_ending how, const char *error_json,
                  int64_t now, dts_error *e) {
  bool over = !job_is_open(j->state.status);
  bool is_span = strcmp(j->kind, "span") == 0 && r->pipeline->gaps;
  gaps_end end = {j->id, how == RUN_DONE, r->permanent, error_json};
  if (over && is_span && r->put_off && free_dates(c, j->id, e) < 0) return -1;
  if (over && is_span && !r->put_off && gaps_ended(c, r->pipeline, &end, now, e) < 0) return -1;
  if (finish_input(c, r, j, how, error_json, now, e) < 0) return -1;
  return job_is_over(j->state.status) ? drop_steps(c, j, e) : 0;
}

/* ---- without a run ---- */

static int end_dates(store_conn *c, const registry *set, const char *pipeline_name, int64_t job_id,
                     int64_t now, dts_error *e) {
  const gaps_end end = {job_id, false, false, "{\"message\":\"its job ended without a run\"}"};
  const pipeline *p = registry_pipeline(set, pipeline_name);
  if (p && p->gaps) return gaps_ended(c, p, &end, now, e);
  return free_dates(c, job_id, e);
}

int finish_alone(store_conn *c, const registry *set, const job *j, int64_t now, bool *closed,
                 dts_error *e) {
  if (closed) *closed = false;
  if (job_is_open(j->state.status)) return 0;
  if (strcmp(j->kind, "span") == 0 && end_dates(c, set, j->pipeline, j->id, now, e) < 0) return -1;
  if (job_is_over(j->state.status) && drop_steps(c, j, e) < 0) return -1;
  return finish_firing(c, set, j->firing, j->pipeline, now, closed, e);
}

typedef struct stranded {
  arena memory;
  struct {
    int64_t id;
    const char *pipeline;
  } * rows;
  size_t count, capacity;
} stranded;

static int add_stranded(void *arg, const store_header *header, const value *row, dts_error *e) {
  stranded *s = arg;
  (void)header, (void)e;
  if (s->count == s->capacity) {
    s->capacity = s->capacity ? 2 * s->capacity : 64;
    s->rows = memory_grow(s->rows, s->capacity * sizeof *s->rows);
  }
  s->rows[s->count].id = row[0].integer;
  s->rows[s->count++].pipeline = arena_copy(&s->memory, row[1].text.bytes, row[1].text.size);
  return 0;
}

int finish_stranded(store_conn *c, const registry *set, int64_t now, dts_error *e) {
  static const char held[] =
      "select distinct job, pipeline from dts_gap g where held = 1 and not exists (select 1 "
      "from dts_job j where j.id = g.job and j.state in ('waiting', 'queued', 'leased'))";
  static const char open[] =
      "select id, pipeline from dts_firing f where state = 'open' and not exists (select 1 "
      "from dts_job j where j.firing = f.id and j.state in ('waiting', 'queued', 'leased'))";
  stranded dates = {0}, firings = {0};
  int rc = store_select(c, held, NULL, 0, add_stranded, &dates, e);
  for (size_t i = 0; rc == 0 && i < dates.count; i++)
    rc = end_dates(c, set, dates.rows[i].pipeline, dates.rows[i].id, now, e);
  if (rc == 0) rc = store_select(c, open, NULL, 0, add_stranded, &firings, e);
  for (size_t i = 0; rc == 0 && i < firings.count; i++)
    rc = finish_firing(c, set, firings.rows[i].id, firings.rows[i].pipeline, now, NULL, e);
  arena_free(&dates.memory);
  arena_free(&firings.memory);
  free(dates.rows);
  free(firings.rows);
  return rc;
}
