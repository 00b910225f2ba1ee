/* firing.c -- what a firing writes: its row, its jobs, and the end that lets others follow (scheduler.h,
 * finish.h).
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "flow/runs/finish.h"
#include "flow/gaps/gaps.h"
#include "flow/jobs/descent.h"
#include "flow/jobs/scheduler.h"
#include "format/date.h"
#include "format/json.h"

enum { PARAMS_LIMIT = 1024 * 1024 };
#define LONGEST_DELAY_MS ((int64_t)36525 * 24 * 3600 * 1000) /* a worker may ask for any */

/* ---- parameters ---- */

static const value *declared_params(const pipeline *p) {
  static const value none = {.kind = VALUE_LIST};
  const value *list = value_get(p->declared, "params");
  return list && list->kind == VALUE_LIST ? list : &none;
}

static int unknown_param(const pipeline *p, const value *list, const char *name, dts_error *e) {
  const char *names[65] = {NULL};
  for (size_t i = 0; i < list->list.count && i < 64; i++)
    names[i] = value_get_text(&list->list.items[i], "name", "");
  const char *nearest = error_nearest(name, names);
  error_fail(e, "PARAM", "pipeline '%s' has no parameter '%s'", p->name, name);
  return nearest ? error_hint(e, "did you mean '%s'?", nearest) : -1;
}

static bool is_choice(const value *param, const value *given) {
  const value *choices = value_get(param, "choices");
  if (!choices) return true;
  for (size_t i = 0; i < choices->list.count; i++)
    if (value_equal(&choices->list.items[i], given)) return true;
  return false;
}

static int wrong_choice(const value *param, const value *given, dts_error *e) {
  const value *choices = value_get(param, "choices");
  char shown[80], one[80], all[600] = "";
  for (size_t i = 0, n = 0; i < choices->list.count && n < sizeof all - 100; i++) {
    json_shorten(one, sizeof one, &choices->list.items[i]);
    n += (size_t)snprintf(all + n, sizeof all - n, "%s%s", i ? ", " : "", one);
  }
  json_shorten(shown, sizeof shown, given);
  return error_fail(e, "PARAM", "parameter '%s': one of %s expected, got %s",
                    value_get_text(param, "name", ""), all, shown);
}

/* A value from a command line is text: it is read as the parameter's type. */
static int convert(const value *param, arena *a, value *v, dts_error *e) {
  const char *type = value_get_text(param, "type", "text"),
             *name = value_get_text(param, "name", "");
  column_type column;
  if (!is_choice(param, v)) return wrong_choice(param, v, e);
  if (column_type_read(type, &column) < 0) return 0;
  table_column c = {.name = name, .doc = "", .type = column};
  table t = {.name = "params", .count = 1, .columns = &c};
  char given[80];
  json_shorten(given, sizeof given, v);
  if (table_check(&t, 0, a, v, e) == 0) return 0;
  return error_fail(e, "PARAM", "parameter '%s': %s expected, got %s", name, type, given);
}

int scheduler_params(const pipeline *p, const value *given, arena *a, const char **json,
                     dts_error *e) {
  const value *list = declared_params(p);
  value all = value_map();
  for (size_t i = 0; given && given->kind == VALUE_MAP && i < given->map.count; i++) {
    const char *name =
        arena_copy(a, given->map.pairs[i].key.text.bytes, given->map.pairs[i].key.text.size);
    if (!registry_find(list, name)) return unknown_param(p, list, name, e);
  }
  for (size_t i = 0; i < list->list.count; i++) {
    const value *param = &list->list.items[i];
    const char *name = value_get_text(param, "name", "");
    const value *chosen = value_get(given, name), *otherwise = value_get(param, "default");
    value v = chosen ? value_copy(a, chosen) : otherwise ? *otherwise : value_null();
    if (v.kind == VALUE_NULL && value_get_boolean(param, "required", false)) {
      error_fail(e, "PARAM", "pipeline '%s' needs parameter '%s'", p->name, name);
      return error_hint(e, "give it with --param %s=VALUE", name);
    }
    if (v.kind != VALUE_NULL && convert(param, a, &v, e) < 0) return -1;
    if (v.kind != VALUE_NULL) value_set(a, &all, name, v);
  }
  buffer b;
  buffer_init(&b, PARAMS_LIMIT);
  int rc = json_write_exact(&b, &all);
  *json = arena_text(a, buffer_text(&b));
  buffer_free(&b);
  return rc < 0 ? error_fail(e, "PARAM",
                             "the parameters are larger than 1 MB, or one is no UTF-8 text")
                : 0;
}

/* ---- firing ---- */

static int count_open(store_conn *c, const char *pipeline_name, int64_t *open, dts_error *e) {
  arena a = {0};
  value v, params[] = {value_text(pipeline_name)};
  int rc = store_get(c, "select count(*) from dts_firing where pipeline = ?1 and state = 'open'",
                     params, 1, &a, &v, e);
  *open = v.kind == VALUE_INTEGER ? v.integer : 0;
  arena_free(&a);
  return rc;
}

static int last_window(store_conn *c, const char *pipeline_name, int64_t *from, dts_error *e) {
  arena a = {0};
  value v, params[] = {value_text(pipeline_name)};
  int rc = store_get(
      c,
      "select max(coalesce(fire_time, created)) from dts_firing where pipeline = ?1 and state = "
      "'ended' and failed = 0",
      params, 1, &a, &v, e);
  *from = v.kind == VALUE_INTEGER ? v.integer : 0;
  arena_free(&a);
  return rc;
}

static int queue_one(store_conn *c, const pipeline *p, const fire *f, int64_t firing_id,
                     int64_t now, size_t *jobs, dts_error *e) {
  arena a = {0};
  int64_t id;
  bool fresh;
  const char *params = f->params;
  if (f->file) params = f->input;
  int rc = params ? 0 : scheduler_params(p, NULL, &a, &params, e);
  job_new n = {.firing = firing_id,
               .pipeline = p->name,
               .trigger = f->trigger,
               .kind = f->file ? "file" : "params",
               .name = f->file,
               .input = params,
               .limit = p->retry,
               .once = f->once,
               .group = value_get_text(p->declared, "group", NULL)};
  if (rc == 0) rc = jobs_insert(c, &n, now, &id, &fresh, e);
  if (rc == 0) ++*jobs;
  arena_free(&a);
  return rc;
}

static int queue_spans(store_conn *c, const pipeline *p, const fire *f, int64_t firing_id,
                       int64_t now, size_t *jobs, dts_error *e) {
  arena a = {0};
  gaps_look found;
  bool by_hand = f->once || strcmp(f->trigger, "hand") == 0;
  gaps_which which = by_hand                              ? GAPS_ALL
                     : strcmp(f->trigger, "recheck") == 0 ? GAPS_TRIED
                                                          : GAPS_NEW;
  int rc = gaps_look_at(c, p, which, NULL, now, &a, &found, e);
  firing of = {.id = firing_id, .trigger = f->trigger};
  if (rc == 0) rc = gaps_queue(c, p, &found, &of, now, jobs, e);
  arena_free(&a);
  return rc;
}

int64_t scheduler_jitter(const pipeline *p) {
  uint64_t hash = 14695981039346656037u; /* FNV-1a, its high bits mixed into the low ones */
  for (const char *c = p->name; *c; c++) hash = (hash ^ (unsigned char)*c) * 1099511628211u;
  hash ^= hash >> 32;
  return p->jitter_ms > 0 ? (int64_t)(hash % (uint64_t)p->jitter_ms) : 0;
}

/* The jobs of a scheduled firing wait for their pipeline's place within `jitter`. */
static int spread(store_conn *c, const pipeline *p, const fire *f, int64_t firing_id, int64_t now,
                  dts_error *e) {
  int64_t jitter = f->fire_time ? scheduler_jitter(p) : 0;
  value params[] = {value_integer(now + jitter), value_integer(firing_id)};
  if (jitter == 0) return 0;
  return store_exec(c,
                    "update dts_job set state = 'waiting', run_at = ?1 where firing = ?2 and state "
                    "= 'queued'",
                    params, 2, e);
}

int scheduler_fire(store_conn *c, const registry *set, const fire *f, int64_t now, int64_t *id,
                   size_t *jobs, dts_error *e) {
  const pipeline *p = registry_pipeline(set, f->pipeline);
  size_t queued = 0;
  int64_t open = 0;
  *id = 0;
  if (!p) return registry_unknown_pipeline(set, f->pipeline, e);
  bool skip = f->fire_time && !f->waits && strcmp(p->overlap, "skip") == 0;
  if (skip && count_open(c, p->name, &open, e) < 0) return -1;
  if (open) return 0;
  char day[11];
  date_write(zone_date(p->zone, f->fire_time ? f->fire_time : now), day);
  firing row = {.pipeline = p->name, .trigger = f->trigger, .fire_time = f->fire_time, .day = day};
  if (last_window(c, p->name, &row.window_from, e) < 0 || jobs_fire(c, &row, now, e) < 0) return -1;
  *id = row.id;
  if (!row.id) return 0;
  if (f->after && descent_follows(c, f->after, row.id, e) < 0) return -1;
  if (f->by && descent_enqueued(c, f->by, f->most, row.id, e) < 0) return -1;
  int rc = p->gaps ? queue_spans(c, p, f, row.id, now, &queued, e)
                   : queue_one(c, p, f, row.id, now, &queued, e);
  value params[] = {value_integer((int64_t)queued), value_integer(row.id)};
  if (rc == 0) rc = spread(c, p, f, row.id, now, e);
  if (rc == 0) rc = store_exec(c, "update dts_firing set jobs = ?1 where id = ?2", params, 2, e);
  if (jobs) *jobs = queued;
  return rc < 0 ? -1 : queued ? 0 : finish_firing(c, set, row.id, p->name, now, NULL, e);
}

/* ---- one job ---- */

int scheduler_check_enqueue(const registry *set, const enqueued *q, arena *a, const char **params,
                            dts_error *e) {
  const pipeline *p = registry_pipeline(set, q->pipeline);
  if (!p) return registry_unknown_pipeline(set, q->pipeline, e);
  if (p->trigger == TRIGGER_FILES || p->trigger == TRIGGER_INGEST) {
    error_fail(e, "ENQUEUE", "pipeline '%s' runs on %s and cannot be enqueued", p->name,
               p->trigger == TRIGGER_FILES ? "files" : "events");
    return error_hint(e, "let a function of both do the work, and enqueue a pipeline without `%s`",
                      p->trigger_text);
  }
  return scheduler_params(p, q->params, a, params, e);
}

static int insert_one(store_conn *c, const pipeline *p, const enqueued *q, const char *params,
                      int64_t now, int64_t *id, dts_error *e) {
  bool fresh;
  char day[11];
  int64_t delay = q->delay_ms < LONGEST_DELAY_MS ? q->delay_ms : LONGEST_DELAY_MS;
  date_write(zone_date(p->zone, now), day);
  firing row = {.pipeline = p->name, .trigger = q->trigger, .day = day};
  if (last_window(c, p->name, &row.window_from, e) < 0 || jobs_fire(c, &row, now, e) < 0) return -1;
  job_new n = {.firing = row.id,
               .pipeline = p->name,
               .trigger = q->trigger,
               .kind = "params",
               .input = params,
               .key = q->key,
               .group = q->group ? q->group : value_get_text(p->declared, "group", NULL),
               .limit = p->retry,
               .run_at = delay > 0 ? now + delay : 0};
  if (jobs_insert(c, &n, now, id, &fresh, e) < 0) return -1;
  if (fresh && q->by && descent_enqueued(c, q->by, q->most, row.id, e) < 0) return -1;
  value done[] = {value_integer(row.id)};
  return store_exec(c,
                    fresh ? "update dts_firing set jobs = 1 where id = ?1"
                          : "delete from dts_firing where id = ?1",
                    done, 1, e);
}

int scheduler_enqueue(store_conn *c, const registry *set, const enqueued *q, int64_t now,
                      int64_t *id, dts_error *e) {
  arena a = {0};
  const char *params;
  int rc = scheduler_check_enqueue(set, q, &a, &params, e);
  const pipeline *p = registry_pipeline(set, q->pipeline);
  fire f = {.pipeline = q->pipeline, .trigger = q->trigger, .by = q->by, .most = q->most};
  if (rc == 0)
    rc = p->gaps ? scheduler_fire(c, set, &f, now, id, NULL, e)
                 : insert_one(c, p, q, params, now, id, e);
  arena_free(&a);
  return rc;
}

/* ---- the end of a firing ---- */

static bool follows(const pipeline *p, const char *name, bool failed) {
  const value *after = value_get(p->declared, "after");
  bool on_end = strcmp(value_get_text(p->declared, "on", "success"), "end") == 0;
  return (!failed || on_end) && value_has(after, name);
}

/* What a follower is told of the firing: counts. */
static int follower_input(store_conn *c, int64_t firing_id, const char *name, int64_t failed,
                          arena *a, const char **json, dts_error *e) {
  value rows, params[] = {value_integer(firing_id)};
  if (store_get(c,
                "select coalesce(sum(r.rows), 0) from dts_run r join dts_job j on j.id = r.job "
                "where j.firing = ?1",
                params, 1, a, &rows, e) < 0)
    return -1;
  *json = arena_format(a, "{\"pipeline\":\"%s\",\"firing\":%lld,\"failed\":%lld,\"rows\":%lld}",
                       name, (long long)firing_id, (long long)failed,
                       (long long)(rows.kind == VALUE_INTEGER ? rows.integer : 0));
  return 0;
}

int finish_firing(store_conn *c, const registry *set, int64_t firing_id, const char *name,
                  int64_t now, bool *told, dts_error *e) {
  bool closed;
  int64_t failed = 0, id;
  if (jobs_close_firing(c, firing_id, &closed, &failed, e) < 0) return -1;
  if (told) *told = closed;
  for (size_t i = 0; closed && i < set->pipeline_count; i++) {
    const pipeline *p = &set->pipelines[i];
    if (!follows(p, name, failed > 0)) continue;
    arena a = {0};
    const char *json = NULL;
    int rc = follower_input(c, firing_id, name, failed, &a, &json, e);
    fire f = {.pipeline = p->name, .trigger = "after", .params = json, .after = firing_id};
    if (rc == 0) rc = scheduler_fire(c, set, &f, now, &id, NULL, e);
    arena_free(&a);
    if (rc < 0) return -1;
  }
  return 0;
}
