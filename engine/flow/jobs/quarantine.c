/* quarantine.c -- see quarantine.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/jobs/quarantine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/gap.h"
#include "flow/jobs/jobs.h"
#include "flow/jobs/scheduler.h"
#include "format/json.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))
enum { IDS = 100000, IDS_BYTES = 64 << 20, SELECT_MS = 10000 };

static int with_status(dts_error *e, int status) {
  if (e) e->status = status;
  return -1;
}

/* ---- which ---- */

typedef struct finding {
  arena *memory;
  value *ids;
} finding;

static int add_id(void *arg, const store_header *header, const value *row, dts_error *e) {
  finding *f = arg;
  (void)header, (void)e;
  value_add(f->memory, f->ids, value_copy(f->memory, &row[0]));
  return 0;
}

/* One condition and no more: what balances inside one pair of parentheses cannot leave two. */
static int check_where(store_conn *c, const char *where, arena *a, dts_error *e) {
  dts_error inner;
  value unbound;
  const char *sql = arena_format(a, "select (%s\n) from dts_quarantine", where);
  int rc = store_check(c, sql, a, NULL, NULL, &unbound, &inner);
  if (rc == 0 && !unbound.list.count) return 0;
  if (rc == 0) error_fail(&inner, "WHERE", "it has a parameter, and nothing gives it a value");
  error_fail(e, "WHERE", "'%.200s' is no condition: %.500s", where, inner.message);
  error_hint(e, "the columns are id, pipeline, input, name, line, error, attempts, retry_count, at "
                "and newer");
  return with_status(e, 422);
}

static int find_where(store_conn *c, const char *of, const char *where, arena *a, value *ids,
                      dts_error *e) {
  value params = value_map();
  finding f = {a, ids};
  if (check_where(c, where, a, e) < 0) return -1;
  value_set(a, &params, "dts_pipeline", value_text(of));
  const char *sql =
      arena_format(a,
                   "select id from dts_quarantine where (:dts_pipeline is null or pipeline = "
                   ":dts_pipeline) and ((%s\n))",
                   where);
  store_sql query = {.sql = sql, .params = &params, .limit_ms = SELECT_MS, .limit_rows = IDS};
  return store_query(c, &query, a, NULL, NULL, add_id, &f, e);
}

/* As given, but for what was named twice. */
static int take_once(store_conn *c, const value *given, arena *a, value *ids, dts_error *e) {
  finding f = {a, ids};
  buffer b;
  buffer_init(&b, IDS_BYTES);
  json_write(&b, given);
  value params[] = {value_text(arena_text(a, buffer_text(&b)))};
  buffer_free(&b);
  return store_select(c, "select value from json_each(?1) group by value order by min(key)", params,
                      1, add_id, &f, e);
}

int quarantine_find(store_conn *c, const value *command, arena *a, value *ids, dts_error *e) {
  const value *given = value_get(command, "ids");
  const char *of = value_get_text(command, "pipeline", NULL);
  const char *where = value_get_text(command, "where", NULL);
  *ids = value_list();
  if (given && given->kind == VALUE_LIST && given->list.count)
    return take_once(c, given, a, ids, e);
  if (of || where) return find_where(c, of, where ? where : "1 = 1", a, ids, e);
  error_fail(e, "QUARANTINE", "nothing says which inputs are meant");
  error_hint(e,
             "give ids as `dts quarantine list` shows them, a pipeline, or a condition (--where)");
  return with_status(e, 422);
}

/* ---- dates ---- */

typedef struct date_row {
  const char *pipeline, *series, *day;
  gap_state state;
  bool found;
} date_row;

static int read_date(void *arg, const store_header *header, const value *row, dts_error *e) {
  date_row *d = arg;
  char state[32];
  (void)header;
  snprintf(state, sizeof state, "%.*s", (int)row[0].text.size, row[0].text.bytes);
  d->state = (gap_state){.held = row[1].integer != 0,
                         .attempts = (int)row[2].integer,
                         .retry_count = (int)row[3].integer,
                         .releases = (int)row[4].integer};
  d->found = true;
  return gap_status_read(state, &d->state.status) < 0
             ? error_fail(e, "STORE", "a date has state '%s'", state)
             : 0;
}

/* "PIPELINE/SERIES/DAY"; a series may hold slashes. */
static int split_date(const char *id, arena *a, date_row *d, dts_error *e) {
  const char *first = strchr(id, '/'), *last = strrchr(id, '/');
  if (!first || first == last) {
    error_fail(e, "NOT_FOUND",
               "'date-%s' is no id of a date: date-PIPELINE/SERIES/YYYY-MM-DD expected", id);
    return with_status(e, 404);
  }
  d->pipeline = arena_copy(a, id, (size_t)(first - id));
  d->series = arena_copy(a, first + 1, (size_t)(last - first - 1));
  d->day = last + 1;
  return 0;
}

static int load_date(store_conn *c, date_row *d, const registry *set, dts_error *e) {
  value params[] = {value_text(d->pipeline), value_text(d->series), value_text(d->day)};
  if (store_select(c,
                   "select state, held, attempts, retry_count, releases from dts_gap where "
                   "pipeline = ?1 and "
                   "series = ?2 and day = ?3",
                   params, COUNT(params), read_date, d, e) < 0)
    return -1;
  if (!d->found) {
    error_fail(e, "NOT_FOUND", "there is no date %s of '%s' in '%s'", d->day, d->series,
               d->pipeline);
    return with_status(e, 404);
  }
  const pipeline *p = set ? registry_pipeline(set, d->pipeline) : NULL;
  int least = d->state.retry_count > 0 ? d->state.retry_count - 1
                                       : 0; /* the limit may have been lowered since */
  d->state.limit = p && p->retry > least ? p->retry : least;
  return 0;
}

static int write_date(store_conn *c, const date_row *d, const quarantine_act *act, dts_error *e) {
  const gap_state *s = &d->state;
  value params[] = {value_text(gap_status_name(s->status)),
                    value_integer(s->retry_count),
                    value_integer(s->releases),
                    value_integer(act->now),
                    value_text(d->pipeline),
                    value_text(d->series),
                    value_text(d->day)};
  store_touch(c, "dts_gap");
  return store_exec(
      c,
      "update dts_gap set state = ?1, retry_count = ?2, releases = ?3, at = ?4 where pipeline = "
      "?5 and series = ?6 and day = ?7",
      params, COUNT(params), e);
}

static int audit(store_conn *c, const char *id, const quarantine_act *act, dts_error *e) {
  value params[] = {value_integer(act->now), value_text(act->release ? "release" : "drop"),
                    value_text(id), value_text(act->reason)};
  return store_exec(c,
                    "insert into dts_audit (at, action, subject, reason) values (?1, ?2, ?3, ?4)",
                    params, COUNT(params), e);
}

static int refuse_with(dts_error *e, const char *what) {
  error_fail(e, "REFUSED", "a corrected input cannot be given for %s", what);
  error_hint(e, "it can for a file, and for a job that was given params");
  return with_status(e, 409);
}

static int apply_date(store_conn *c, const char *id, const quarantine_act *act, arena *a,
                      dts_error *e) {
  date_row d = {0};
  gap_event event = {.kind = act->release ? GAP_RELEASE : GAP_DROP};
  const char *why;
  if (act->with) return refuse_with(e, "a date");
  if (split_date(id + strlen("date-"), a, &d, e) < 0 || load_date(c, &d, act->set, e) < 0)
    return -1;
  if (gap_step(&d.state, &event, &d.state, &why) != GAP_OK) {
    error_fail(e, "REFUSED", "%s: %s", id, why);
    return with_status(e, 409);
  }
  return write_date(c, &d, act, e) < 0 ? -1 : audit(c, id, act, e);
}

/* ---- jobs ---- */

static int run_sql(store_conn *c, const char *sql, int64_t id, dts_error *e) {
  value params[] = {value_integer(id)};
  return store_exec(c, sql, params, 1, e);
}

/* Another input: what was remembered of the old one's runs does not belong to it. */
static int set_input(store_conn *c, const job *j, const char *input, dts_error *e) {
  value params[] = {value_text(input), value_integer(j->id)};
  if (store_exec(c, "update dts_job set input = ?1, cursor = null where id = ?2", params,
                 COUNT(params), e) < 0)
    return -1;
  if (run_sql(c, "delete from dts_step where job = ?1", j->id, e) < 0) return -1;
  return run_sql(c, "delete from dts_note where job = ?1", j->id, e);
}

/* What a correction replaces still lies in its folder: it is not to be taken as new. */
static int keep_replaced(store_conn *c, int64_t id, dts_error *e) {
  return run_sql(c,
                 "insert into dts_replaced (sha256, file) select sha256, id from dts_file where "
                 "job = ?1 on conflict do nothing",
                 id, e);
}

static int set_file(store_conn *c, const job *j, const quarantine_act *act, dts_error *e) {
  value size = value_integer((int64_t)act->with_size), object = value_text(act->object), other;
  value params[] = {value_text(j->name), object, value_integer(j->id), size};
  if (store_get(c, "select id from dts_file where name = ?1 and sha256 = ?2 and job <> ?3", params,
                3, NULL, &other, e) < 0)
    return -1;
  if (other.kind == VALUE_INTEGER) {
    error_fail(e, "CONFLICT", "this content of '%s' was taken before, as file %lld", j->name,
               (long long)other.integer);
    error_hint(e, "drop this one, if that one was right");
    return with_status(e, 409);
  }
  if (keep_replaced(c, j->id, e) < 0) return -1;
  store_touch(c, "dts_file");
  return store_exec(c, "update dts_file set sha256 = ?2, size = ?4 where job = ?3 and name = ?1",
                    params, COUNT(params), e);
}

static int correct_file(store_conn *c, const job *j, const quarantine_act *act, arena *a,
                        dts_error *e) {
  value v = value_map();
  buffer b;
  buffer_init(&b, 4096);
  value_set(a, &v, "name", value_text(j->name));
  value_set(a, &v, "size", value_integer((int64_t)act->with_size));
  value_set(a, &v, "sha256", value_text(act->object));
  value_set(a, &v, "object", value_text(act->object));
  json_write(&b, &v);
  int rc = set_file(c, j, act, e);
  if (rc == 0) rc = set_input(c, j, buffer_text(&b), e);
  buffer_free(&b);
  return rc;
}

static int correct_params(store_conn *c, const job *j, const quarantine_act *act, arena *a,
                          dts_error *e) {
  value v;
  dts_error bad = {0};
  const char *input = arena_copy(a, act->with, act->with_size);
  const pipeline *p = act->set ? registry_pipeline(act->set, j->pipeline) : NULL;
  bool good = json_read(a, act->with, act->with_size, &v, &bad) == 0;
  if (good && v.kind == VALUE_MAP) {
    bool declared = p && strcmp(j->trigger, "after") != 0; /* what follows is told of a firing */
    if (declared && scheduler_params(p, &v, a, &input, e) < 0) return with_status(e, 422);
    return set_input(c, j, input, e);
  }
  error_fail(e, "PARAMS", "params are a JSON object%s%.300s", good ? "" : ": ", bad.message);
  return with_status(e, 422);
}

static int correct(store_conn *c, const job *j, const quarantine_act *act, arena *a, dts_error *e) {
  if (!act->with) return 0;
  if (strcmp(j->kind, "file") == 0 && act->object) return correct_file(c, j, act, a, e);
  if (strcmp(j->kind, "params") == 0) return correct_params(c, j, act, a, e);
  return refuse_with(e, strcmp(j->kind, "batch") == 0 ? "a batch of events" : "this job");
}

static bool has_notes(store_conn *c, int64_t id) {
  value n, params[] = {value_integer(id)};
  return store_get(c, "select count(*) from dts_note where job = ?1", params, 1, NULL, &n, NULL) ==
             0 &&
         n.integer > 0;
}

/* Done is never left: the file's next run is another job, and its notes begin anew. */
static int run_again(store_conn *c, const job *j, const quarantine_act *act, const char *id,
                     dts_error *e) {
  int64_t again;
  bool fresh;
  firing f = {.pipeline = j->pipeline, .trigger = "release"};
  if (jobs_fire(c, &f, act->now, e) < 0) return -1;
  job_new n = {.firing = f.id,
               .pipeline = j->pipeline,
               .trigger = "release",
               .kind = j->kind,
               .name = j->name,
               .group = j->group,
               .input = j->input,
               .limit = j->state.limit};
  if (jobs_insert(c, &n, act->now, &again, &fresh, e) < 0) return -1;
  value params[] = {value_integer(again), value_integer(j->id)};
  if (store_exec(c, "update dts_file set job = ?1 where job = ?2", params, COUNT(params), e) < 0)
    return -1;
  if (run_sql(c, "delete from dts_note where job = ?1", j->id, e) < 0) return -1;
  store_touch(c, "dts_file");
  return audit(c, id, act, e);
}

static void hint_state(const job *j, dts_error *e) {
  long long id = (long long)j->id;
  if (job_is_open(j->state.status))
    error_hint(e,
               "it is still to run, or runs: `dts jobs show %lld`; `dts jobs cancel %lld` ends it",
               id, id);
  else
    error_hint(e, "`dts quarantine show job-%lld` tells who decided what, if anybody did", id);
}

static int step_job(store_conn *c, job *j, const quarantine_act *act, dts_error *e) {
  job_effects fx;
  job_event event = {.kind = act->release ? JOB_RELEASE : JOB_DROP};
  event.person.permitted = true;
  event.person.reason = act->reason;
  if (jobs_step(c, j, &event, act->now, 0, &fx, e) == 0) return 0;
  hint_state(j, e);
  return with_status(e, 409);
}

static int apply_job(store_conn *c, const char *id, const quarantine_act *act, arena *a,
                     dts_error *e) {
  job j;
  char *end;
  int64_t number = strtoll(id + strlen("job-"), &end, 10);
  if (*end || jobs_load(c, number, a, &j, e) < 0) {
    error_fail(e, "NOT_FOUND", "there is no job '%s'", id);
    return with_status(e, 404);
  }
  bool again =
      act->release && !act->with && j.state.status == JOB_DONE && strcmp(j.kind, "file") == 0;
  if (again && has_notes(c, j.id)) return run_again(c, &j, act, id, e);
  return step_job(c, &j, act, e) < 0 ? -1 : correct(c, &j, act, a, e);
}

/* Behind the row that audit, or the job's own step, has just written. */
static int remember_who(store_conn *c, const char *id, const char *by, dts_error *e) {
  value params[] = {value_text(id), value_text(by)};
  if (!by || !*by) return 0;
  return store_exec(
      c,
      "insert into dts_audit_who (audit, who) select max(id), ?2 from dts_audit where "
      "subject = ?1 having max(id) is not null on conflict (audit) do nothing",
      params, COUNT(params), e);
}

int quarantine_apply(store_conn *c, const char *id, const quarantine_act *act, dts_error *e) {
  arena a = {0};
  int rc;
  if (strncmp(id, "job-", 4) == 0)
    rc = apply_job(c, id, act, &a, e);
  else if (strncmp(id, "date-", 5) == 0)
    rc = apply_date(c, id, act, &a, e);
  else {
    rc = error_fail(e, "NOT_FOUND",
                    "'%.100s' is no id of an input: job-12 or date-PIPELINE/SERIES/DAY expected",
                    id);
    with_status(e, 404);
  }
  if (rc == 0) rc = remember_who(c, id, act->by, e);
  arena_free(&a);
  return rc;
}
