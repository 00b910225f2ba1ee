/* api_overview.c -- is everything well: four numbers, what is stale, and a row for each pipeline.
 *
 * Counts of all pipelines come from a few grouped queries, put together by name.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "flow/jobs/scheduler.h"
#include "format/date.h"
#include "format/duration.h"
#include "serve/words.h"

static const value *row_of(const gathered *g, const char *name) {
  for (size_t i = 0; i < g->rows.list.count; i++) {
    const value *found = value_get(&g->rows.list.items[i], "pipeline");
    if (found && value_is(found, name)) return &g->rows.list.items[i];
  }
  return NULL;
}

typedef struct counts {
  gathered today, gaps, held, strip;
} counts;

static int64_t day_start(const api_call *c) {
  return zone_instant(c->set->zone, (int64_t)zone_date(c->set->zone, c->now) * DATE_DAY_MS);
}

static int read_counts(api_call *c, counts *n, dts_error *e) {
  value since = value_integer(day_start(c));
  *n = (counts){{c->memory, {0}}, {c->memory, {0}}, {c->memory, {0}}, {c->memory, {0}}};
  if (result_gather(
          c->store, &n->today,
          "select pipeline, count(*) as runs, sum(state = 'failed') as failed, sum(rows) as rows "
          "from dts_run where started >= ?1 group by pipeline",
          &since, 1, e) < 0 ||
      result_gather(
          c->store, &n->gaps,
          "select pipeline, count(*) as n from dts_gaps where state in ('open', 'retrying') "
          "group by pipeline",
          NULL, 0, e) < 0 ||
      result_gather(c->store, &n->held,
                    "select pipeline, count(*) as n from dts_quarantine group by pipeline", NULL, 0,
                    e) < 0)
    return -1;
  return result_gather(
      c->store, &n->strip,
      "select pipeline, id, state, ended - started as ms from (select *, row_number() "
      "over (partition by pipeline order by id desc) as k from dts_run) where k <= 30 "
      "order by id",
      NULL, 0, e);
}

static value strip_of(api_call *c, const counts *n, const char *name) {
  value list = value_list();
  for (size_t i = 0; i < n->strip.rows.list.count; i++) {
    const value *row = &n->strip.rows.list.items[i], *ms = value_get(row, "ms");
    if (!value_is(value_get(row, "pipeline"), name)) continue;
    value run = value_map();
    value_set(c->memory, &run, "id", *value_get(row, "id"));
    value_set(c->memory, &run, "state", *value_get(row, "state"));
    value_set(c->memory, &run, "ms", ms ? *ms : value_null());
    value_add(c->memory, &list, run);
  }
  return list;
}

static value fault_of(const value *faults, const char *file) {
  for (size_t i = 0; i < faults->list.count; i++)
    if (strcmp(value_get_text(&faults->list.items[i], "file", ""), file) == 0)
      return faults->list.items[i];
  return value_null();
}

static value time_or_null(api_call *c, int64_t at) {
  return at < 0 ? value_null() : value_text(call_stamp(c, at));
}

/* `next` is what the words of `trigger` speak of; the recheck of gaps has a time of its own. */
static void add_times(api_call *c, const pipeline *p, value *v) {
  bool clocked = p->has_schedule || p->every_ms;
  int64_t next = clocked ? scheduler_next(p, c->now) : -1;
  int64_t recheck = p->has_recheck ? cron_next(&p->recheck, p->zone, c->now) : -1;
  value_set(c->memory, v, "next", time_or_null(c, next));
  value_set(c->memory, v, "recheck", time_or_null(c, recheck));
}

static value pipeline_of(api_call *c, const pipeline *p, const counts *n, const value *faults) {
  static const char *const kinds[] = {"hand", "schedule", "gaps", "files", "ingest", "after"};
  value v = value_map();
  const value *today = row_of(&n->today, p->name), *gaps = row_of(&n->gaps, p->name);
  const value *held = row_of(&n->held, p->name);
  value_set(c->memory, &v, "name", value_text(p->name));
  value_set(c->memory, &v, "file", value_text(p->file));
  value_set(c->memory, &v, "kind", value_text(kinds[p->trigger]));
  value_set(c->memory, &v, "trigger", value_text(words_trigger(p, c->memory)));
  add_times(c, p, &v);
  value_set(c->memory, &v, "runs", strip_of(c, n, p->name));
  value_set(c->memory, &v, "rows_today", value_integer(value_get_integer(today, "rows", 0)));
  value_set(c->memory, &v, "gaps", value_integer(value_get_integer(gaps, "n", 0)));
  value_set(c->memory, &v, "quarantined", value_integer(value_get_integer(held, "n", 0)));
  value_set(c->memory, &v, "fault", fault_of(faults, p->file));
  return v;
}

static int64_t sum_of(const value *list, const char *column) {
  int64_t n = 0;
  for (size_t i = 0; i < list->list.count; i++)
    n += value_get_integer(&list->list.items[i], column, 0);
  return n;
}

/* Roll-ups and kept views that could not be brought up to date. */
static int read_stale(api_call *c, value *out, dts_error *e) {
  gathered g = {.memory = c->memory};
  int rc = result_gather(c->store, &g, "select noun, name, error from dts_stale order by 1, 2",
                         NULL, 0, e);
  *out = g.rows.kind == VALUE_LIST ? g.rows : value_list();
  return rc < 0 ? -1 : 0;
}

static int oldest_waiting(api_call *c, value *out, dts_error *e) {
  gathered g = {.memory = c->memory};
  if (result_gather(c->store, &g,
                    "select min(run_at) as at from dts_job where state in ('queued', 'waiting') "
                    "and run_at <= ?1",
                    &(value){.kind = VALUE_INTEGER, .integer = c->now}, 1, e) < 0)
    return -1;
  const value *at = g.rows.list.count ? value_get(&g.rows.list.items[0], "at") : NULL;
  *out = at ? value_integer(c->now - at->integer) : value_null();
  return 0;
}

static int overview(api_call *c, dts_error *e) {
  counts n;
  value v = value_map(), list = value_list(), waiting, stale;
  value faults = kernel_faults(c->kernel, c->memory);
  if (read_counts(c, &n, e) < 0 || oldest_waiting(c, &waiting, e) < 0) return -1;
  if (read_stale(c, &stale, e) < 0) return -1;
  for (size_t i = 0; i < c->set->pipeline_count; i++)
    value_add(c->memory, &list, pipeline_of(c, &c->set->pipelines[i], &n, &faults));
  value_set(c->memory, &v, "runs_today", value_integer(sum_of(&n.today.rows, "runs")));
  value_set(c->memory, &v, "failed_today", value_integer(sum_of(&n.today.rows, "failed")));
  value_set(c->memory, &v, "open_gaps", value_integer(sum_of(&list, "gaps")));
  value_set(c->memory, &v, "oldest_waiting_ms", waiting);
  value_set(c->memory, &v, "stale", stale);
  value_set(c->memory, &v, "pipelines", list);
  http_reply_json(c->rp, &v);
  return 0;
}

const api_route api_overview[] = {{"GET", "/api/v1/overview", KEY_READ, overview}, {0}};
