/* api_quarantine.c -- inputs set aside: the list, one with its payload, releasing, dropping.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "flow/jobs/quarantine.h"
#include "serve/call.h"

enum { PAYLOAD = 64 << 10 };

static int list(api_call *c, dts_error *e) {
  static const char *const types[] = {"text", "text",    "text",    "text",     "integer",
                                      "text", "integer", "integer", "timestamp"};
  value params = value_map();
  value_set(c->memory, &params, "pipeline", value_text(call_param(c, "pipeline")));
  return call_table(
      c,
      "select id, pipeline, input, name, line, error, attempts, retry_count, at from "
      "dts_quarantine where :pipeline is null or pipeline = :pipeline order by at desc, id "
      "limit 10000",
      &params, types, "quarantine", e);
}

/* ---- one ---- */

static value payload_text(const char *bytes, size_t size) {
  while (size && !text_is_utf8(bytes, size, NULL) && size > PAYLOAD - 4)
    size--; /* cut in a character */
  bool fine = text_is_utf8(bytes, size, NULL) && !memchr(bytes, 0, size);
  return fine ? value_bytes(bytes, size) : value_null();
}

static void read_object(api_call *c, const char *name, value *payload, bool *cut) {
  int fd;
  int64_t size;
  if (objects_get(kernel_objects(c->kernel), name, &fd, &size, NULL) < 0) return;
  char *bytes = arena_alloc(c->memory, PAYLOAD + 1);
  ssize_t got = read(fd, bytes, PAYLOAD);
  close(fd);
  *cut = size > PAYLOAD;
  if (got >= 0) *payload = payload_text(bytes, (size_t)got);
}

static const value *first(const gathered *g) {
  return g->rows.list.count ? &g->rows.list.items[0] : NULL;
}

static int job_payload(api_call *c, value id, value *payload, bool *cut, dts_error *e) {
  gathered g = {.memory = c->memory};
  if (result_gather(
          c->store, &g,
          "select j.input, f.sha256, (select group_concat(data, char(10)) from dts_event e where "
          "e.job = j.id) as events from dts_job j left join dts_file f on f.job = j.id where j.id "
          "= ?1",
          &id, 1, e) < 0)
    return -1;
  const value *row = first(&g);
  if (!row) return call_not_found(e, "input", c->args[0]);
  const char *object = value_get_text(row, "sha256", NULL);
  const value *text = value_get(row, "events") ? value_get(row, "events") : value_get(row, "input");
  if (object) return read_object(c, object, payload, cut), 0;
  if (!text || text->kind != VALUE_TEXT) return 0;
  *cut = text->text.size > PAYLOAD;
  *payload = payload_text(text->text.bytes, *cut ? PAYLOAD : text->text.size);
  return 0;
}

static int gather(api_call *c, const char *sql, value *out, dts_error *e) {
  gathered g = {.memory = c->memory};
  int rc = result_gather(c->store, &g, sql, NULL, 0, e);
  *out = g.rows;
  return rc;
}

/* The newest attempt first; `at` is when it ended. */
static int history(api_call *c, const char *id, value *out, dts_error *e) {
  const char *sql = quarantine_attempts_sql(id, c->memory);
  if (!sql) return call_not_found(e, "input", id);
  return gather(
      c,
      arena_format(c->memory,
                   "select coalesce(ended, started) as at, run, outcome, http, error from "
                   "(%s) order by attempt desc",
                   sql),
      out, e);
}

/* "date-PIPELINE/SERIES/DAY": the day is the last part, the pipeline the first. */
static int date_payload(api_call *c, const char *id, value *payload, dts_error *e) {
  const char *slash = strchr(id, '/'), *last = strrchr(id, '/');
  if (!slash || last == slash) return call_not_found(e, "input", c->args[0]);
  *payload =
      value_text(arena_format(c->memory, "%.*s %s", (int)(last - slash - 1), slash + 1, last + 1));
  return 0;
}

static int one(api_call *c, dts_error *e) {
  value v = value_map(), payload = value_null(), past, decisions;
  const char *id = c->args[0];
  bool cut = false;
  int rc = -1;
  if (strncmp(id, "job-", 4) == 0)
    rc = job_payload(c, value_integer(strtoll(id + 4, NULL, 10)), &payload, &cut, e);
  else if (strncmp(id, "date-", 5) == 0)
    rc = date_payload(c, id + 5, &payload, e);
  else
    return call_not_found(e, "input", id);
  if (rc < 0 || history(c, id, &past, e) < 0) return -1;
  if (gather(c, quarantine_decisions_sql(id, c->memory), &decisions, e) < 0) return -1;
  value_set(c->memory, &v, "id", value_text(id));
  value_set(c->memory, &v, "payload", payload);
  value_set(c->memory, &v, "truncated", value_boolean(cut));
  value_set(c->memory, &v, "history", past);
  value_set(c->memory, &v, "decisions", decisions);
  http_reply_json(c->rp, &v);
  return 0;
}

/* ---- deciding ---- */

/* {"ids"}, or {"where"} and {"pipeline"}. */
static int add_choice(api_call *c, const value *body, value *command, dts_error *e) {
  static const char *const fields[] = {"where", "pipeline", "reason"};
  const value *ids = value_get(body, "ids");
  bool named = ids && ids->kind == VALUE_LIST && ids->list.count;
  bool chosen = value_get_text(body, "where", NULL) || value_get_text(body, "pipeline", NULL);
  if (named == chosen) {
    error_fail(e, "PARAM", "ids: a list of ids from GET /api/v1/quarantine is expected");
    return error_hint(e, "or where (SQL over its columns), pipeline, or both");
  }
  if (named) value_set(c->memory, command, "ids", *ids);
  for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
    const value *given = value_get(body, fields[i]);
    if (given && given->kind == VALUE_TEXT) value_set(c->memory, command, fields[i], *given);
  }
  return 0;
}

static int decide(api_call *c, const char *verb, dts_error *e) {
  value body, command = value_map(), answer;
  if (http_json(c->rq, &body, e) < 0) return -1;
  value_set(c->memory, &command, "name", value_text(verb));
  if (add_choice(c, &body, &command, e) < 0) return -1;
  value_set(c->memory, &command, "by", value_text(c->who.name));
  if (call_ask(c, &command, &answer, e) < 0) return -1;
  http_reply_json(c->rp, &answer);
  return 0;
}

static int release_some(api_call *c, dts_error *e) { return decide(c, "release", e); }
static int drop_some(api_call *c, dts_error *e) { return decide(c, "drop", e); }

const api_route api_quarantine[] = {{"GET", "/api/v1/quarantine", KEY_READ, list},
                                    {"GET", "/api/v1/quarantine/{id}", KEY_READ, one},
                                    {"POST", "/api/v1/quarantine/release", KEY_WRITE, release_some},
                                    {"POST", "/api/v1/quarantine/drop", KEY_WRITE, drop_some},
                                    {0}};
