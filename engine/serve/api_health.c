/* api_health.c -- is the engine alive, is it ready, and its numbers.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>
#include <sys/statvfs.h>

#include "serve/access.h"
#include "serve/metrics.h"

/* Roll-ups and kept views that keep old rows; a store that does not answer is no fault of theirs. */
static void add_stale(api_call *c, buffer *b) {
  gathered g = {.memory = c->memory};
  dts_error ignored;
  if (result_gather(c->store, &g, "select noun, name from dts_stale order by 1, 2", NULL, 0,
                    &ignored) < 0)
    return;
  for (size_t i = 0; i < g.rows.list.count; i++)
    buffer_add_format(b, "stale: %s '%s' keeps its old rows\n",
                      value_get_text(&g.rows.list.items[i], "noun", "?"),
                      value_get_text(&g.rows.list.items[i], "name", "?"));
}

/* Alive, also with scripts at fault: their places are told, and no more, since anybody may ask. */
static int alive(api_call *c, dts_error *e) {
  value faults = kernel_faults(c->kernel, c->memory);
  buffer *b = &c->rp->body;
  (void)e;
  c->rp->status = 200;
  c->rp->type = "text/plain; charset=utf-8";
  buffer_add_text(b, "ok\n");
  for (size_t i = 0; i < faults.list.count; i++) {
    const value *f = &faults.list.items[i];
    const char *good = value_get_text(f, "in_service", NULL);
    buffer_add_format(b, "fault: %s, %s\n", value_get_text(f, "where", "?"),
                      good ? "its last good version is in service" : "it was never loaded");
  }
  add_stale(c, b);
  return b->failed ? -1 : 0;
}

/* Ready: the store answers and the loop does. */
static int ready(api_call *c, dts_error *e) {
  gathered g = {.memory = c->memory};
  value command = value_map(), answer;
  value_set(c->memory, &command, "name", value_text("status"));
  int rc = result_gather(c->store, &g, "select 1 as n", NULL, 0, e);
  if (rc == 0) rc = call_ask(c, &command, &answer, e);
  if (rc < 0 && e) e->status = 503;
  return rc < 0 ? -1 : alive(c, e);
}

/* One gauge or counter for each row {label, n}. */
static int add_rows(api_call *c, const char *name, metric_type type, const char *label,
                    const char *help, const char *sql, dts_error *e) {
  gathered g = {.memory = c->memory};
  buffer *b = &c->rp->body;
  if (result_gather(c->store, &g, sql, NULL, 0, e) < 0) return -1;
  metrics_family(b, name, type, help);
  for (size_t i = 0; i < g.rows.list.count; i++) {
    const value *row = &g.rows.list.items[i];
    const char *labels[] = {label, value_get_text(row, "label", ""), "pipeline",
                            value_get_text(row, "pipeline", ""), NULL};
    if (!value_get(row, "pipeline")) labels[2] = NULL;
    metrics_sample(b, name, type, (double)value_get_integer(row, "n", 0), labels);
  }
  return 0;
}

static void one(buffer *b, const char *name, metric_type type, double number, const char *help) {
  metrics_family(b, name, type, help);
  metrics_sample(b, name, type, number, NULL);
}

static void add_requests(api_call *c, buffer *b) {
  static const char *const classes[] = {"stream", "1xx", "2xx", "3xx", "4xx", "5xx"};
  server_counts n = server_count(c->server);
  metrics_family(b, "dts_http_requests", METRIC_COUNTER, "Requests answered, by class of status.");
  for (size_t i = 0; i < 6; i++) {
    const char *labels[] = {"class", classes[i], NULL};
    metrics_sample(b, "dts_http_requests", METRIC_COUNTER, (double)n.requests[i], labels);
  }
  one(b, "dts_http_active", METRIC_GAUGE, n.active, "Requests under way.");
  one(b, "dts_http_streams", METRIC_GAUGE, stream_hub_count(server_hub(c->server)),
      "Event streams open.");
}

static void add_engine(api_call *c, buffer *b) {
  uint64_t hits, misses;
  struct statvfs disk;
  const char *labels[] = {"version", DTS_VERSION, NULL};
  metrics_family(b, "dts", METRIC_INFO, "The engine.");
  metrics_sample(b, "dts", METRIC_INFO, 1, labels);
  one(b, "dts_start_time_seconds", METRIC_GAUGE, (double)server_started(c->server) / 1000,
      "When it began.");
  size_t size = cache_size(server_cache(c->server), &hits, &misses);
  one(b, "dts_cache_bytes", METRIC_GAUGE, (double)size, "Replies kept in memory.");
  one(b, "dts_cache_hits", METRIC_COUNTER, (double)hits, "Replies taken from memory.");
  one(b, "dts_cache_misses", METRIC_COUNTER, (double)misses, "Replies made anew.");
  if (statvfs(kernel_root(c->kernel), &disk) == 0)
    one(b, "dts_disk_free_bytes", METRIC_GAUGE, (double)disk.f_bavail * (double)disk.f_frsize,
        "Free space where the project is.");
}

static int metrics(api_call *c, dts_error *e) {
  buffer *b = &c->rp->body;
  bool scraped_here =
      !http_header(c->rq, "x-forwarded-for") && strncmp(c->rq->peer, "127.", 4) == 0;
  if (!scraped_here && call_need(c, KEY_READ, e) < 0) return -1;
  add_engine(c, b);
  add_requests(c, b);
  if (add_rows(
          c, "dts_runs", METRIC_COUNTER, "state", "Runs that have ended or are under way.",
          "select pipeline, state as label, count(*) as n from dts_run group by 1, 2 order by 1, 2",
          e) < 0 ||
      add_rows(c, "dts_jobs", METRIC_GAUGE, "state", "Jobs by state.",
               "select state as label, count(*) as n from dts_job group by 1 order by 1", e) < 0 ||
      add_rows(c, "dts_gap_dates", METRIC_GAUGE, "state", "Dates of gap pipelines by state.",
               "select pipeline, state as label, count(*) as n from dts_gaps group by 1, 2 order "
               "by 1, 2",
               e) < 0)
    return -1;
  metrics_end(b);
  c->rp->status = 200;
  c->rp->type = "application/openmetrics-text; version=1.0.0; charset=utf-8";
  return 0;
}

const api_route api_health[] = {{"GET", "/healthz", 0, alive},
                                {"GET", "/readyz", 0, ready},
                                {"GET", "/metrics", 0, metrics},
                                {0}};
