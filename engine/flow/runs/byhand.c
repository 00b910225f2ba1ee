/* byhand.c -- see byhand.h. Jobs that a run has queued for others (ctx:enqueue) stay: they are somebody's
 * work, and committed with the run's rows.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/runs/byhand.h"

enum { AT_ONCE = 256 };

typedef struct left {
  int64_t ids[AT_ONCE];
  size_t count;
} left;

static int add_left(void *arg, const store_header *header, const value *row, dts_error *e) {
  left *l = arg;
  (void)header, (void)e;
  if (l->count < AT_ONCE) l->ids[l->count++] = row[0].integer;
  return 0;
}

static int free_dates(store_conn *c, int64_t job_id, dts_error *e) { /* as they were */
  value params[] = {value_integer(job_id)};
  store_touch(c, "dts_gap");
  return store_exec(c, "update dts_gap set held = 0 where job = ?1 and held = 1", params, 1, e);
}

static int end_one(store_conn *c, int64_t id, int64_t now, dts_error *e) {
  arena a = {0};
  job j;
  job_effects fx;
  job_event event = {.kind = JOB_CANCEL};
  bool closed;
  int64_t failed;
  int rc = jobs_load(c, id, &a, &j, e);
  if (rc == 0) rc = jobs_step(c, &j, &event, now, 0, &fx, e);
  if (rc == 0)
    rc = jobs_set_error(c, id, j.error, "its run by hand was interrupted; run it again", e);
  if (rc == 0) rc = free_dates(c, id, e);
  if (rc == 0) rc = jobs_close_firing(c, j.firing, &closed, &failed, e);
  arena_free(&a);
  return rc;
}

static int end_all(store_conn *c, const char *sql, value given, int64_t now, dts_error *e) {
  for (;;) {
    left l = {.count = 0};
    if (store_select(c, sql, &given, 1, add_left, &l, e) < 0) return -1;
    for (size_t i = 0; i < l.count; i++)
      if (end_one(c, l.ids[i], now, e) < 0) return -1;
    if (l.count < AT_ONCE) return 0;
  }
}

#define OPEN "select id from dts_job where state in ('waiting', 'queued') and once = 1 and "

int byhand_end(store_conn *c, int64_t since, int64_t now, dts_error *e) {
  return end_all(c, OPEN "firing >= ?1 order by id limit 256", value_integer(since), now, e);
}

int byhand_end_left(store_conn *c, const char *pipeline_name, int64_t now, dts_error *e) {
  return end_all(c, OPEN "trigger = 'hand' and pipeline = ?1 order by id limit 256",
                 value_text(pipeline_name), now, e);
}
