/* attempts.c -- the rows around a job: its attempts (dts_run) and the firing that it belongs to (jobs.h).
 *
 * SPDX-License-Identifier: MIT */
#include "flow/jobs/jobs.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

int jobs_open_run(store_conn *c, const job *j, const char *version, int64_t now, int64_t *run,
                  dts_error *e) {
  value params[] = {value_integer(j->id),    value_integer(j->state.epoch),
                    value_text(j->pipeline), value_text(j->trigger),
                    value_integer(now),      value_text(version)};
  if (store_exec(
          c,
          "insert into dts_run (job, epoch, pipeline, trigger, state, started, version) values "
          "(?1, ?2, ?3, ?4, 'running', ?5, ?6)",
          params, COUNT(params), e) < 0)
    return -1;
  *run = store_last_id(c);
  store_touch(c, "dts_run");
  return 0;
}

int jobs_close_run(store_conn *c, const job *j, const job_effects *fx, const char *error_json,
                   int64_t now, dts_error *e) {
  if (!fx->close_attempt) return 0;
  const char *outcome = job_outcome_name(fx->outcome);
  value params[] = {value_text(outcome), value_integer(now), value_text(error_json),
                    value_integer(j->id), value_integer(j->state.epoch)};
  if (store_exec(c,
                 "update dts_run set state = ?1, outcome = ?1, ended = ?2, error = ?3, message = "
                 "json_extract(?3, '$.message') where job = ?4 "
                 "and epoch = ?5",
                 params, COUNT(params), e) < 0)
    return -1;
  store_touch(c, "dts_run");
  return 0;
}

int jobs_fire(store_conn *c, firing *f, int64_t now, dts_error *e) {
  value params[] = {value_text(f->pipeline),
                    value_text(f->trigger),
                    f->fire_time ? value_integer(f->fire_time) : value_null(),
                    value_integer(now),
                    f->window_from ? value_integer(f->window_from) : value_null(),
                    value_text(f->day)};
  if (store_exec(c,
                 "insert into dts_firing (pipeline, trigger, fire_time, created, window_from, day, "
                 "state) values (?1, ?2, ?3, ?4, ?5, ?6, 'open') on conflict do nothing",
                 params, COUNT(params), e) < 0)
    return -1;
  f->id = store_changes(c) ? store_last_id(c) : 0;
  return 0;
}

static int count(store_conn *c, const char *sql, int64_t id, int64_t *out, dts_error *e) {
  arena a = {0};
  value v, params[] = {value_integer(id)};
  int rc = store_get(c, sql, params, 1, &a, &v, e);
  *out = v.kind == VALUE_INTEGER ? v.integer : 0;
  arena_free(&a);
  return rc;
}

int jobs_close_firing(store_conn *c, int64_t id, bool *closed, int64_t *failed, dts_error *e) {
  int64_t open = 0;
  *closed = false;
  if (!id) return 0;
  if (count(c,
            "select exists (select 1 from dts_job where firing = ?1 and state in ('waiting', "
            "'queued', 'leased'))",
            id, &open, e) < 0)
    return -1;
  if (open) return 0;
  if (count(c, "select count(*) from dts_job where firing = ?1 and state <> 'done'", id, failed,
            e) < 0)
    return -1;
  value params[] = {value_integer(*failed), value_integer(id)};
  if (store_exec(
          c, "update dts_firing set state = 'ended', failed = ?1 where id = ?2 and state = 'open'",
          params, 2, e) < 0)
    return -1;
  *closed = store_changes(c) == 1;
  return 0;
}

typedef struct found_firing {
  arena *memory;
  firing *out;
} found_firing;

static int read_firing(void *arg, const store_header *header, const value *row, dts_error *e) {
  found_firing *f = arg;
  (void)header, (void)e;
  f->out->fire_time = row[0].integer;
  f->out->window_from = row[1].kind == VALUE_INTEGER ? row[1].integer : 0;
  if (row[2].kind == VALUE_TEXT)
    f->out->day = arena_copy(f->memory, row[2].text.bytes, row[2].text.size);
  return 0;
}

int jobs_firing(store_conn *c, int64_t id, arena *a, firing *out, dts_error *e) {
  found_firing f = {a, out};
  value params[] = {value_integer(id)};
  *out = (firing){.id = id};
  return store_select(
      c, "select coalesce(fire_time, created), window_from, day from dts_firing where id = ?1",
      params, 1, read_firing, &f, e);
}
