/* descent.c -- see descent.h. dts_descent names each firing's origin; the origin's own row counts.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/jobs/descent.h"

static int find_origin(store_conn *c, int64_t by, int64_t *origin, dts_error *e) {
  arena a = {0};
  value v, params[] = {value_integer(by)};
  int rc = store_get(c,
                     "select coalesce(d.origin, j.firing) from dts_job j left join dts_descent d "
                     "on d.firing = j.firing where j.id = ?1",
                     params, 1, &a, &v, e);
  *origin = v.kind == VALUE_INTEGER ? v.integer : 0;
  arena_free(&a);
  return rc;
}

static int add_job(store_conn *c, int64_t origin, int64_t *all, dts_error *e) {
  arena a = {0};
  value v, params[] = {value_integer(origin)};
  int rc = store_exec(c,
                      "insert into dts_descent (firing, origin, jobs) values (?1, ?1, 1) on "
                      "conflict (firing) do update set jobs = dts_descent.jobs + 1",
                      params, 1, e);
  if (rc == 0)
    rc = store_get(c, "select jobs from dts_descent where firing = ?1", params, 1, &a, &v, e);
  *all = rc == 0 && v.kind == VALUE_INTEGER ? v.integer : 0;
  arena_free(&a);
  return rc;
}

int descent_enqueued(store_conn *c, int64_t by, int64_t most, int64_t firing, dts_error *e) {
  int64_t origin, all;
  if (find_origin(c, by, &origin, e) < 0) return -1;
  if (!origin) return 0;
  if (add_job(c, origin, &all, e) < 0) return -1;
  if (all > most) {
    error_fail(e, "LIMIT_JOBS", "more than %lld jobs were enqueued that come of one firing (%lld)",
               (long long)most, (long long)origin);
    return error_hint(e, "does a pipeline enqueue itself for ever? What is to go on has a "
                         "schedule; else raise limits = { jobs = ... }");
  }
  value params[] = {value_integer(firing), value_integer(origin)};
  return store_exec(c,
                    "insert into dts_descent (firing, origin, jobs) values (?1, ?2, 0) on conflict "
                    "(firing) do nothing",
                    params, 2, e);
}

int descent_follows(store_conn *c, int64_t before, int64_t firing, dts_error *e) {
  value params[] = {value_integer(before), value_integer(firing)};
  return store_exec(c,
                    "insert into dts_descent (firing, origin, jobs) select ?2, origin, 0 from "
                    "dts_descent where firing = ?1",
                    params, 2, e);
}
