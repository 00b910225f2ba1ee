/* stage_verbs.c -- the effects of a run but for puts: update delete reject enqueue archive validator.
 *
 * A new effect is one function and one row below.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/runs/stage_verbs.h"

#include <stdio.h>
#include <string.h>

#include "flow/jobs/scheduler.h"
#include "format/json.h"

#define COUNT(array) (sizeof(array) / sizeof *(array))

static const table *table_named(const stage_context *x, const value *effect, dts_error *e) {
  const char *name = value_get_text(effect, "table", "?");
  const table *t = registry_table(x->set, name);
  if (!t) error_fail(e, "TABLE", "there is no table named '%s'", name);
  return t;
}

static int apply_update(store_conn *c, const stage_context *x, const value *effect, dts_error *e) {
  const table *t = table_named(x, effect, e);
  const value *row = value_get(effect, "row");
  return t && row ? store_update(c, t, row, e) : -1;
}

static int apply_delete(store_conn *c, const stage_context *x, const value *effect, dts_error *e) {
  static const value all = {.kind = VALUE_MAP};
  const table *t = table_named(x, effect, e);
  const value *where = value_get(effect, "where");
  return t ? store_delete(c, t, where ? where : &all, e) : -1;
}

/* JSON of a value, as a text value in the arena; null stays null. */
static value as_json(arena *a, const value *v) {
  if (!v || v->kind == VALUE_NULL) return value_null();
  buffer b;
  buffer_init(&b, FRAME_BYTES);
  value text =
      json_write(&b, v) == 0 ? value_bytes(arena_copy(a, b.data, b.size), b.size) : value_null();
  buffer_free(&b);
  return text;
}

static int apply_reject(store_conn *c, const stage_context *x, const value *effect, dts_error *e) {
  arena a = {0};
  value row = as_json(&a, value_get(effect, "row"));
  int64_t line = value_get_integer(effect, "line", 0);
  value params[] = {value_integer(x->job), line ? value_integer(line) : value_null(),
                    value_text(value_get_text(effect, "reason", "rejected")),
                    row.kind == VALUE_NULL ? value_text("null") : row};
  int rc = store_exec(c,
                      "insert into dts_note (job, seq, line, reason, row) values (?1, (select "
                      "coalesce(max(seq), 0) + 1 from dts_note where job = ?1), ?2, ?3, ?4)",
                      params, COUNT(params), e);
  arena_free(&a);
  return rc;
}

static int apply_enqueue(store_conn *c, const stage_context *x, const value *effect, dts_error *e) {
  int64_t id;
  enqueued q = {.pipeline = value_get_text(effect, "pipeline", "?"),
                .trigger = "enqueue",
                .key = value_get_text(effect, "key", NULL),
                .group = value_get_text(effect, "group", NULL),
                .params = value_get(effect, "params"),
                .delay_ms = value_get_integer(effect, "delay_ms", 0),
                .by = x->job,
                .most = x->pipeline->max_jobs};
  return scheduler_enqueue(c, x->set, &q, x->now, &id, e);
}

static int apply_archive(store_conn *c, const stage_context *x, const value *effect, dts_error *e) {
  arena a = {0};
  value params[] = {value_text(value_get_text(effect, "source", "?")),
                    value_text(x->day),
                    value_integer(x->now),
                    value_text(value_get_text(effect, "object", "")),
                    value_integer(value_get_integer(effect, "size", 0)),
                    value_text(value_get_text(effect, "type", NULL)),
                    as_json(&a, value_get(effect, "meta")),
                    value_integer(x->run)};
  int rc =
      store_exec(c,
                 "insert into dts_archive (source, day, at, object, size, type, meta, run) values "
                 "(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                 params, COUNT(params), e);
  arena_free(&a);
  return rc;
}

static int apply_validator(store_conn *c, const stage_context *x, const value *effect,
                           dts_error *e) {
  arena a = {0};
  value params[] = {value_text(value_get_text(effect, "source", "")),
                    value_text(value_get_text(effect, "url", "")),
                    value_text(value_get_text(effect, "etag", NULL)),
                    value_text(value_get_text(effect, "modified", NULL)),
                    value_text(value_get_text(effect, "object", "")),
                    value_integer(value_get_integer(effect, "status", 200)),
                    as_json(&a, value_get(effect, "headers")),
                    value_integer(x->now)};
  int rc =
      store_exec(c,
                 "insert into dts_validator (source, url, etag, modified, object, status, headers, "
                 "at) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) on conflict (source, url) do update "
                 "set etag = ?3, modified = ?4, object = ?5, status = ?6, headers = ?7, at = ?8",
                 params, COUNT(params), e);
  arena_free(&a);
  return rc;
}

int stage_verb_apply(store_conn *c, const stage_context *context, const value *effect,
                     dts_error *e) {
  static const struct {
    const char *verb;
    int (*apply)(store_conn *, const stage_context *, const value *, dts_error *);
  } verbs[] = {{"update", apply_update},   {"delete", apply_delete},
               {"reject", apply_reject},   {"enqueue", apply_enqueue},
               {"archive", apply_archive}, {"validator", apply_validator}};
  const char *verb = value_get_text(effect, "verb", "");
  for (size_t i = 0; i < COUNT(verbs); i++)
    if (strcmp(verb, verbs[i].verb) == 0) return verbs[i].apply(c, context, effect, e);
  return error_fail(e, "WIRE", "an effect '%s' is not known", verb);
}
