/* alert_builtin.c -- see alert_builtin.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/alerts/alert_builtin.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>

#include "format/date.h"

#define MINUTE (60 * 1000LL)
#define HOUR   (60 * MINUTE)
#define DAY    (24 * HOUR)

enum { DISK_PERCENT = 5 };
static const uint64_t DISK_BYTES = 1024ULL * 1024 * 1024;

/* Pipelines whose last attempt that ended by itself failed. */
static const char failed[] = "select r.pipeline, r.id as run, r.ended, r.error from dts_runs r "
                             "where r.id = (select max(l.id) "
                             "from dts_runs l where l.pipeline = r.pipeline and l.state in "
                             "('done', 'failed')) and r.state = "
                             "'failed' order by r.pipeline";

static const char quarantined[] = "select pipeline, count(*) as inputs, min(name) as first, "
                                  "max(at) as latest, max(error) as error "
                                  "from dts_quarantine group by pipeline order by pipeline";

/* ---- stale ---- */

typedef struct last {
  int64_t first_seen, done; /* 0: never */
} last;

static int read_last(void *arg, const store_header *header, const value *row, dts_error *e) {
  last *l = arg;
  (void)header, (void)e;
  if (row[0].kind == VALUE_INTEGER) l->first_seen = row[0].integer;
  if (row[1].kind == VALUE_INTEGER) l->done = row[1].integer;
  return 0;
}

typedef struct asking {
  const char *pipeline;
  last last;
} asking;

static int ask_last(store_conn *c, void *arg, dts_error *e) {
  asking *k = arg;
  value name = value_text(k->pipeline);
  return store_select(
      c,
      "select (select min(created) from dts_firing where pipeline = ?1), (select "
      "max(coalesce(fire_time, created)) from dts_firing where pipeline = ?1 and state != 'open')",
      &name, 1, read_last, &k->last, e);
}

static int64_t next_fire(const pipeline *p, int64_t after) {
  if (p->has_schedule) return cron_next(&p->schedule, p->zone, after);
  return p->every_ms ? after + p->every_ms : -1;
}

/* Two firings in a row must have been due, and none since ended. */
static bool is_stale(const pipeline *p, const last *l, int64_t now, int64_t *due) {
  int64_t from = l->done ? l->done : l->first_seen;
  if (!from || (*due = next_fire(p, from)) < 0) return false;
  int64_t second = next_fire(p, *due);
  return second > 0 && second < now;
}

static int stale(const reader_context *x, const char *root, arena *a, value *answer, dts_error *e) {
  value columns = value_list(), rows = value_list();
  const char *const names[] = {"pipeline", "last", "due"};
  (void)root;
  for (size_t i = 0; i < 3; i++) value_add(a, &columns, value_text(names[i]));
  for (size_t i = 0; i < x->set->pipeline_count; i++) {
    const pipeline *p = &x->set->pipelines[i];
    asking k = {.pipeline = p->name};
    int64_t due;
    if (!p->has_schedule && !p->every_ms) continue;
    if (store_read(x->store, ask_last, &k, e) < 0) return -1;
    if (!is_stale(p, &k.last, x->now, &due)) continue;
    value row = value_list();
    value_add(a, &row, value_text(p->name));
    value_add(a, &row, k.last.done ? timestamp_value(a, k.last.done) : value_null());
    value_add(a, &row, timestamp_value(a, due));
    value_add(a, &rows, row);
  }
  *answer = value_map();
  value_set(a, answer, "columns", columns);
  value_set(a, answer, "rows", rows);
  return 0;
}

/* ---- disk ---- */

static int disk(const reader_context *x, const char *root, arena *a, value *answer, dts_error *e) {
  value columns = value_list(), rows = value_list(), row = value_list();
  struct statvfs s;
  (void)x;
  if (statvfs(root, &s) < 0) return error_fail(e, "DISK", "%s: %s", root, strerror(errno));
  uint64_t free_bytes = (uint64_t)s.f_bavail * s.f_frsize, all = (uint64_t)s.f_blocks * s.f_frsize;
  value_add(a, &columns, value_text("free_mb"));
  value_add(a, &columns, value_text("percent"));
  uint64_t percent = all ? free_bytes * 100 / all : 100;
  value_add(a, &row, value_integer((int64_t)(free_bytes >> 20)));
  value_add(a, &row, value_integer((int64_t)percent));
  if (percent < DISK_PERCENT && free_bytes < 10 * DISK_BYTES)
    value_add(a, &rows, row);
  else if (free_bytes < DISK_BYTES)
    value_add(a, &rows, row);
  *answer = value_map();
  value_set(a, answer, "columns", columns);
  value_set(a, answer, "rows", rows);
  return 0;
}

/* ---- all ---- */

const alert_builtin *alert_builtins(size_t *count) {
  static const alert_builtin all[] = {
      {"failed", "The last run of these pipelines failed.", failed, NULL, 5 * MINUTE, 0, DAY},
      {"quarantined", "Inputs wait in quarantine: see `dts quarantine list`.", quarantined, NULL,
       5 * MINUTE, 0, DAY},
      {"stale", "These pipelines should have run by now, and have not.", NULL, stale, 5 * MINUTE,
       10 * MINUTE, DAY},
      {"disk", "The disk of the project is nearly full.", NULL, disk, 5 * MINUTE, 5 * MINUTE, DAY},
  };
  *count = sizeof all / sizeof *all;
  return all;
}
