/* jobs.c -- see jobs.h. Jobs as rows of dts_job, firings of dts_firing; attempts in attempts.c.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/jobs/jobs.h"

#include <stdio.h>
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

/* One list of the numeric columns of a job_state serves reading, inserting and updating. */
#define STATE_COLUMNS                                                                              \
  "state, once, retry_limit, attempts, retry_count, deferrals, handbacks, interruptions, "         \
  "worker_deaths, releases, epoch, run_at, lease_until, deadline, created, age_from, ended"
enum { STATE_COUNT = 17, TEXTS = 11 };

static void state_values(const job_state *s, value out[STATE_COUNT]) {
  const int64_t numbers[STATE_COUNT - 1] = {
      s->once,          s->limit,         s->attempts, s->retry_count, s->deferrals, s->handbacks,
      s->interruptions, s->worker_deaths, s->releases, s->epoch,       s->run_at,    s->lease_until,
      s->deadline,      s->created_at,    s->age_from, s->ended_at};
  out[0] = value_text(job_status_name(s->status));
  for (size_t i = 0; i < STATE_COUNT - 1; i++) out[i + 1] = value_integer(numbers[i]);
}

static void state_read(const value *v, job_state *s) {
  *s = (job_state){.once = v[1].integer != 0,
                   .limit = (int)v[2].integer,
                   .attempts = (int)v[3].integer,
                   .retry_count = (int)v[4].integer,
                   .deferrals = (int)v[5].integer,
                   .handbacks = (int)v[6].integer,
                   .interruptions = (int)v[7].integer,
                   .worker_deaths = (int)v[8].integer,
                   .releases = (int)v[9].integer,
                   .epoch = v[10].integer,
                   .run_at = v[11].integer,
                   .lease_until = v[12].integer,
                   .deadline = v[13].integer,
                   .created_at = v[14].integer,
                   .age_from = v[15].integer,
                   .ended_at = v[16].integer};
  job_status_read(v[0].text.bytes, &s->status);
}

/* ---- reading ---- */

typedef struct loading {
  arena *memory;
  job *out;
  bool found;
} loading;

static const char *text_of(arena *a, const value *v) {
  return v->kind == VALUE_TEXT ? arena_copy(a, v->text.bytes, v->text.size) : NULL;
}

static int load_row(void *arg, const store_header *header, const value *v, dts_error *e) {
  loading *l = arg;
  (void)header, (void)e;
  *l->out = (job){.id = v[0].integer,
                  .firing = v[1].integer,
                  .pipeline = text_of(l->memory, &v[2]),
                  .trigger = text_of(l->memory, &v[3]),
                  .kind = text_of(l->memory, &v[4]),
                  .name = text_of(l->memory, &v[5]),
                  .group = text_of(l->memory, &v[6]),
                  .key = text_of(l->memory, &v[7]),
                  .input = text_of(l->memory, &v[8]),
                  .cursor = text_of(l->memory, &v[9]),
                  .error = text_of(l->memory, &v[10])};
  value states[STATE_COUNT];
  memcpy(states, v + TEXTS, sizeof states);
  states[0] = value_text(text_of(l->memory, &v[TEXTS])); /* with its NUL */
  state_read(states, &l->out->state);
  l->found = true;
  return 0;
}

#define SELECT_JOB                                                                                 \
  "select id, firing, pipeline, trigger, kind, name, grp, key, input, cursor, "                    \
  "error, " STATE_COLUMNS " from dts_job "

int jobs_load(store_conn *c, int64_t id, arena *a, job *out, dts_error *e) {
  loading l = {a, out, false};
  value params[] = {value_integer(id)};
  if (store_select(c, SELECT_JOB "where id = ?1", params, 1, load_row, &l, e) < 0) return -1;
  return l.found ? 0 : error_fail(e, "JOB", "there is no job %lld", (long long)id);
}

/* ---- inserting ---- */

static int find_key(store_conn *c, const job_new *n, arena *a, job *out, bool *found,
                    dts_error *e) {
  loading l = {a, out, false};
  value params[] = {value_text(n->pipeline), value_text(n->key)};
  int rc =
      store_select(c, SELECT_JOB "where pipeline = ?1 and key = ?2", params, 2, load_row, &l, e);
  *found = l.found;
  return rc;
}

static int drop_key(store_conn *c, int64_t id, dts_error *e) { /* its window is over */
  value params[] = {value_integer(id)};
  return store_exec(c, "update dts_job set key = null where id = ?1", params, 1, e);
}

/* 1: that job has the key and is the same; 0: free now; -1. */
static int settle_key(store_conn *c, const job_new *n, int64_t now, int64_t *id, dts_error *e) {
  arena a = {0};
  job holder;
  bool found;
  int rc = find_key(c, n, &a, &holder, &found, e);
  if (rc == 0 && found) {
    bool same = strcmp(holder.input, n->input) == 0;
    *id = holder.id;
    switch (job_key_decide(&holder.state, same, now, JOB_KEY_WINDOW_MS)) {
    case JOB_KEY_NEW: rc = drop_key(c, holder.id, e); break;
    case JOB_KEY_SAME: rc = 1; break;
    case JOB_KEY_CONFLICT:
      rc = error_fail(e, "CONFLICT",
                      "key '%s' of pipeline '%s' was used for other parameters (job %lld)", n->key,
                      n->pipeline, (long long)holder.id);
      error_hint(e, "a key names one piece of work for 24 hours: give this one another key");
    }
  }
  arena_free(&a);
  return rc;
}

int jobs_insert(store_conn *c, const job_new *n, int64_t now, int64_t *id, bool *fresh,
                dts_error *e) {
  *fresh = false;
  int held = n->key ? settle_key(c, n, now, id, e) : 0;
  if (held) return held < 0 ? -1 : 0;
  job_state s = job_begin(now, n->run_at ? n->run_at : now, n->limit, n->once);
  value params[8 + STATE_COUNT] = {value_integer(n->firing), value_text(n->pipeline),
                                   value_text(n->trigger),   value_text(n->kind),
                                   value_text(n->name),      value_text(n->group),
                                   value_text(n->key),       value_text(n->input)};
  state_values(&s, params + 8);
  if (store_exec(c,
                 "insert into dts_job (firing, pipeline, trigger, kind, name, grp, key, "
                 "input, " STATE_COLUMNS ") values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, "
                 "?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25)",
                 params, COUNT(params), e) < 0)
    return -1;
  *id = store_last_id(c);
  *fresh = true;
  store_touch(c, "dts_job");
  return 0;
}

/* ---- stepping ---- */

static int refuse(job_verdict verdict, const job *j, const job_effects *fx, dts_error *e) {
  const char *code = verdict == JOB_FENCED    ? "FENCED"
                     : verdict == JOB_EXPIRED ? "EXPIRED"
                                              : "REFUSED";
  return error_fail(e, code, "job %lld is %s: %s", (long long)j->id,
                    job_status_name(j->state.status),
                    fx->error ? fx->error : job_verdict_name(verdict));
}

static int write_state(store_conn *c, const job *j, const job_state *out, dts_error *e) {
  value params[STATE_COUNT + 3];
  state_values(out, params);
  params[STATE_COUNT] = value_integer(j->id);
  params[STATE_COUNT + 1] = value_text(job_status_name(j->state.status));
  params[STATE_COUNT + 2] = value_integer(j->state.epoch);
  if (store_exec(
          c,
          "update dts_job set (" STATE_COLUMNS ") = (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, "
          "?11, ?12, ?13, ?14, ?15, ?16, ?17) where id = ?18 and state = ?19 and epoch = ?20",
          params, COUNT(params), e) < 0)
    return -1;
  if (store_changes(c) == 1) return store_touch(c, "dts_job"), 0;
  return error_fail(e, "FENCED", "job %lld was changed by another", (long long)j->id);
}

static int audit(store_conn *c, const job *j, const job_event *event, int64_t now, dts_error *e) {
  char subject[32];
  snprintf(subject, sizeof subject, "job-%lld", (long long)j->id);
  value params[] = {value_integer(now), value_text(job_event_name(event->kind)),
                    value_text(subject), value_text(event->person.reason), value_text(j->input)};
  return store_exec(c,
                    "insert into dts_audit (at, action, subject, reason, payload) values (?1, ?2, "
                    "?3, ?4, ?5)",
                    params, COUNT(params), e);
}

int jobs_step(store_conn *c, job *j, const job_event *event, int64_t now, double chance,
              job_effects *fx, dts_error *e) {
  job_state out;
  job_verdict verdict = job_step(&j->state, event, now, chance, &out, fx);
  if (verdict != JOB_OK) return refuse(verdict, j, fx, e);
  const char *broken = job_check(&out);
  if (broken) return error_fail(e, "INVARIANT", "job %lld: %s", (long long)j->id, broken);
  if (write_state(c, j, &out, e) < 0) return -1;
  if (fx->audit && audit(c, j, event, now, e) < 0) return -1;
  j->state = out;
  return 0;
}

int jobs_set_error(store_conn *c, int64_t id, const char *error_json, const char *reason,
                   dts_error *e) {
  value params[] = {value_text(error_json), value_text(reason), value_integer(id)};
  return store_exec(c,
                    "update dts_job set error = ?1, message = json_extract(?1, '$.message'), "
                    "input_line = json_extract(?1, '$.input_line'), reason = ?2 where id = ?3",
                    params, 3, e);
}

int jobs_set_cursor(store_conn *c, int64_t id, const char *cursor_json, dts_error *e) {
  value params[] = {value_text(cursor_json), value_integer(id)};
  return store_exec(c, "update dts_job set cursor = ?1 where id = ?2", params, 2, e);
}

/* ---- which job next ---- */

int jobs_tick(store_conn *c, int64_t now, dts_error *e) {
  /* job_step's TICK for many rows at once: waiting -> queued, nothing else changes */
  value params[] = {value_integer(now)};
  return store_exec(c,
                    "update dts_job set state = 'queued' where state = 'waiting' and run_at <= ?1",
                    params, 1, e);
}

typedef struct ids {
  int64_t *out;
  size_t count, room;
} ids;

static int add_id(void *arg, const store_header *header, const value *row, dts_error *e) {
  ids *list = arg;
  (void)header, (void)e;
  for (size_t i = 0; i < list->count; i++)
    if (list->out[i] == row[0].integer) return 0;
  if (list->count < list->room) list->out[list->count++] = row[0].integer;
  return 0;
}

/* May be leased: its firing and destination let it, it is the head of its group, and an earlier firing of
 * its schedule has ended. ?1 since, ?2 room, ?3 without, ?4 older. */
#define READY                                                                                      \
  "state = 'queued' and (firing >= ?1 or firing in (select value from json_each(?4))) and (?3 is " \
  "null or trigger = 'hand' or pipeline not in "                                                   \
  "(select value from json_each(?3))) and (grp is null or not exists (select 1 from dts_job o "    \
  "where o.pipeline = j.pipeline and o.grp = j.grp and o.id < j.id and o.state in ('waiting', "    \
  "'queued', 'leased'))) and not exists (select 1 from dts_firing f join dts_firing g on "         \
  "g.pipeline = f.pipeline and g.id < f.id where f.id = j.firing and f.fire_time is not null and " \
  "g.fire_time is not null and g.state = 'open')"

/* Who waits before a screen comes first; then the oldest of each pipeline, of the one that ran longest ago
 * before the others, so that a long queue of one holds no other back; then by age. */
static const char *const TURNS[] = {
    "select id from dts_job j indexed by dts_job_hand where trigger = 'hand' and " READY
    " order by run_at, id limit ?2",
    "with recursive lines(line) as ("
    "select min(pipeline) from dts_job indexed by dts_job_turn where state = 'queued' union all "
    "select (select min(pipeline) from dts_job indexed by dts_job_turn where state = 'queued' and "
    "pipeline > line) from lines where line is not null), "
    "heads(line, head) as materialized ("
    "select line, (select id from dts_job j indexed by dts_job_turn where pipeline = line "
    "and " READY " order by run_at, id limit 1) from lines where line is not null) "
    "select head from heads where head is not null "
    "order by coalesce((select max(id) from dts_run where pipeline = line), 0), head limit ?2",
    "select id from dts_job j where " READY " order by run_at, id limit ?2"};

int jobs_ready(store_conn *c, int64_t since, const char *older, const char *without, int64_t *out,
               size_t room, dts_error *e) {
  ids list = {out, 0, room};
  value params[] = {value_integer(since), value_integer((int64_t)room), value_text(without),
                    value_text(older)};
  for (size_t i = 0; i < sizeof TURNS / sizeof *TURNS && list.count < room; i++)
    if (store_select(c, TURNS[i], params, 4, add_id, &list, e) < 0) return -1;
  return (int)list.count;
}

int jobs_expired(store_conn *c, int64_t now, int64_t after, int64_t *out, size_t room,
                 dts_error *e) {
  ids list = {out, 0, room};
  value params[] = {value_integer(now), value_integer(after), value_integer((int64_t)room)};
  int rc = store_select(c,
                        "select id from dts_job where state = 'leased' and lease_until < ?1 and "
                        "id > ?2 order by id limit ?3",
                        params, 3, add_id, &list, e);
  return rc < 0 ? -1 : (int)list.count;
}

int64_t jobs_next_due(store_conn *c, dts_error *e) {
  arena a = {0};
  value v;
  int rc =
      store_get(c, "select min(run_at) from dts_job where state = 'waiting'", NULL, 0, &a, &v, e);
  arena_free(&a);
  return rc == 0 && v.kind == VALUE_INTEGER ? v.integer : INT64_MAX;
}

enum { RECOVER_AT_ONCE = 256 };

static int interrupt(store_conn *c, int64_t id, int64_t now, dts_error *e) {
  arena a = {0};
  job j;
  job_effects fx;
  int rc = jobs_load(c, id, &a, &j, e);
  job_event event = {.kind = JOB_INTERRUPTED, .epoch = rc == 0 ? j.state.epoch : 0};
  if (rc == 0) rc = jobs_step(c, &j, &event, now, 0, &fx, e);
  if (rc == 0) rc = jobs_close_run(c, &j, &fx, NULL, now, e);
  if (rc == 0 && fx.reason) rc = jobs_set_error(c, id, j.error, fx.reason, e);
  arena_free(&a);
  return rc;
}

int jobs_recover(store_conn *c, int64_t now, dts_error *e) {
  int64_t found[RECOVER_AT_ONCE];
  for (;;) {
    ids list = {found, 0, RECOVER_AT_ONCE};
    if (store_select(c, "select id from dts_job where state = 'leased' order by id limit 256", NULL,
                     0, add_id, &list, e) < 0)
      return -1;
    for (size_t i = 0; i < list.count; i++)
      if (interrupt(c, found[i], now, e) < 0) return -1;
    if (list.count < RECOVER_AT_ONCE) return 0;
  }
}
