/* api_runs.c -- runs: the list, one in all its parts, its log (also live), and starting one.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "format/json.h"
#include "serve/events.h"
#include "serve/stream.h"

static int list(api_call *c, dts_error *e) {
  static const char *const types[] = {"integer",   "text",    "text",    "text", "timestamp",
                                      "timestamp", "integer", "integer", "text", "text"};
  value params = value_map();
  value_set(c->memory, &params, "pipeline", value_text(call_param(c, "pipeline")));
  value_set(c->memory, &params, "state", value_text(call_param(c, "state")));
  value_set(c->memory, &params, "limit", value_integer(call_integer(c, "limit", 100, 10000)));
  value_set(c->memory, &params, "job", value_integer(call_integer(c, "job", 0, INT64_MAX)));
  return call_table(
      c,
      "select id, pipeline, trigger, state, started, ended, rows, rejected, error, version "
      "from dts_runs "
      "where (:pipeline is null or pipeline = :pipeline) and (:state is null or state = :state) "
      "and (:job = 0 or job = :job) order by id desc limit :limit",
      &params, types, "runs", e);
}

/* ---- one run ---- */

static int read_id(const api_call *c, value *id, dts_error *e) {
  const char *text = c->args[0];
  bool number = *text && strlen(text) <= 18 && strspn(text, "0123456789") == strlen(text);
  if (!number) return call_not_found(e, "run", text);
  *id = value_integer(strtoll(text, NULL, 10));
  return 0;
}

static value null_or(const value *v) { return v ? *v : value_null(); }

static void set_stamp(api_call *c, value *row, const char *name) {
  value_set(c->memory, row, name, call_stamp_or_null(c, value_get(row, name)));
}

/* Rows of a query with their `started` and `ended` as texts, put into the run under a name. */
static int add_rows(api_call *c, value *run, const char *name, const char *sql, value id,
                    dts_error *e) {
  gathered g = {.memory = c->memory};
  if (result_gather(c->store, &g, sql, &id, 1, e) < 0) return -1;
  for (size_t i = 0; i < g.rows.list.count; i++) {
    value *row = &g.rows.list.items[i];
    if (value_get(row, "started")) set_stamp(c, row, "started");
    if (strcmp(name, "attempts") == 0) set_stamp(c, row, "ended");
  }
  value_set(c->memory, run, name, g.rows);
  return 0;
}

static int add_parts(api_call *c, value *run, value id, value job, dts_error *e) {
  if (add_rows(c, run, "steps",
               "select name, started, ended - started as ms, attempts, state from dts_step where "
               "job = ?1 "
               "order by started",
               job, e) < 0 ||
      add_rows(c, run, "requests",
               "select method, url, status, at as started, ms, tries as attempts from dts_request "
               "where run = ?1 "
               "order by seq",
               id, e) < 0)
    return -1;
  if (add_rows(c, run, "rejections",
               "select line, reason, row from dts_note where job = ?1 order by seq limit 100", job,
               e) < 0)
    return -1;
  return add_rows(c, run, "attempts",
                  "select id, epoch, started, ended, outcome, rows, (select q.status from "
                  "dts_request q where q.run = dts_run.id order by q.seq desc limit 1) as http, "
                  "message as error from dts_run where job = ?1 order by epoch",
                  job, e);
}

static value error_of(api_call *c, const value *text) {
  value error;
  if (!text || text->kind != VALUE_TEXT) return value_null();
  bool fine = json_read(c->memory, text->text.bytes, text->text.size, &error, NULL) == 0;
  return fine ? error : value_null();
}

static int one(api_call *c, dts_error *e) {
  value id;
  gathered g = {.memory = c->memory};
  if (read_id(c, &id, e) < 0) return -1;
  if (result_gather(c->store, &g,
                    "select id, pipeline, trigger, state, started, ended, rows, (select count(*) "
                    "from dts_note "
                    "n where n.job = dts_run.job) as rejected, version, job, (select j.state from "
                    "dts_job j where j.id = dts_run.job) as job_state, (select j.run_at from "
                    "dts_job j where j.id = dts_run.job and j.state in ('queued', 'waiting')) as "
                    "next_try, error from dts_run where id = ?1",
                    &id, 1, e) < 0)
    return -1;
  if (!g.rows.list.count) return call_not_found(e, "run", c->args[0]);
  value *run = &g.rows.list.items[0];
  value job = null_or(value_get(run, "job"));
  set_stamp(c, run, "started");
  set_stamp(c, run, "ended");
  set_stamp(c, run, "next_try");
  value error = error_of(c, value_get(run, "error"));
  value_set(c->memory, run, "error", error);
  if (add_parts(c, run, id, job, e) < 0) return -1;
  http_reply_json(c->rp, run);
  return 0;
}

/* ---- the log ---- */

static int read_log(api_call *c, value id, value *lines, dts_error *e) {
  gathered g = {.memory = c->memory};
  if (result_gather(c->store, &g,
                    "select at, level, message from dts_log where run = ?1 order by seq", &id, 1,
                    e) < 0)
    return -1;
  for (size_t i = 0; i < g.rows.list.count; i++) set_stamp(c, &g.rows.list.items[i], "at");
  *lines = g.rows;
  return 0;
}

static bool is_running(api_call *c, value id) {
  value state = value_null();
  gathered g = {.memory = c->memory};
  if (result_gather(c->store, &g, "select state from dts_run where id = ?1", &id, 1, NULL) == 0 &&
      g.rows.list.count)
    state = null_or(value_get(&g.rows.list.items[0], "state"));
  return value_is(&state, "running");
}

/* Listening begins before the lines on disk are read, so none is missed; one that comes both ways
 * is sent once. */
static int live_log(api_call *c, value id, dts_error *e) {
  value lines;
  stream *s = stream_open(server_hub(c->server), id.integer, e);
  if (!s) return -1;
  bool running = is_running(c, id);
  int rc = read_log(c, id, &lines, e);
  if (rc == 0) events_log(c, s, &lines, running);
  stream_close(s);
  return rc;
}

static int log_lines(api_call *c, dts_error *e) {
  value id, lines;
  if (read_id(c, &id, e) < 0) return -1;
  if (http_accepts(c->rq, "accept", "text/event-stream")) return live_log(c, id, e);
  if (read_log(c, id, &lines, e) < 0) return -1;
  http_reply_json(c->rp, &lines);
  return 0;
}

/* ---- starting ---- */

static int start(api_call *c, dts_error *e) {
  value body, command = value_map(), answer, v = value_map();
  if (http_json(c->rq, &body, e) < 0) return -1;
  const value *params = value_get(&body, "params");
  value_set(c->memory, &command, "name", value_text("enqueue"));
  value_set(c->memory, &command, "pipeline", value_text(value_get_text(&body, "pipeline", "")));
  value_set(c->memory, &command, "trigger", value_text("hand"));
  if (params) value_set(c->memory, &command, "params", *params);
  if (call_ask(c, &command, &answer, e) < 0) return -1;
  value_set(c->memory, &v, "id", null_or(value_get(&answer, "id")));
  c->rp->status = 202;
  http_reply_json(c->rp, &v);
  return 0;
}

const api_route api_runs[] = {{"GET", "/api/v1/runs", KEY_READ, list},
                              {"GET", "/api/v1/runs/{id}", KEY_READ, one},
                              {"GET", "/api/v1/runs/{id}/log", KEY_READ, log_lines},
                              {"POST", "/api/v1/runs", KEY_WRITE, start},
                              {0}};
