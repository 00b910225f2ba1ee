/* control_explain.c -- the command `explain`: everything that is in force for one pipeline, and
 * where each value comes from.
 *
 *   explain {pipeline} -> {pipeline, file, line, settings [{group, name, value, from}]}
 *
 * The values are those that a run is started with (registry.h), not those that were written;
 * `from` compares them with the script's declaration and with dts.lua.
 *
 * SPDX-License-Identifier: MIT */
#include <inttypes.h>
#include <string.h>

#include "flow/control/control_value.h"
#include "flow/control/controls.h"
#include "flow/jobs/scheduler.h"
#include "flow/kernel/parts.h"
#include "format/date.h"
#include "format/duration.h"
#include "format/json.h"

typedef struct explaining {
  arena *memory;
  const registry *set;
  const pipeline *pipeline;
  const value *config;
  kernel *kernel;
  const char *group;
  value settings;
} explaining;

static void add(explaining *x, const char *name, const char *text, const char *from) {
  value v = value_map();
  if (!text) return;
  value_set(x->memory, &v, "group", value_text(x->group));
  value_set(x->memory, &v, "name", value_text(arena_text(x->memory, name)));
  value_set(x->memory, &v, "value", value_text(arena_text(x->memory, text)));
  value_set(x->memory, &v, "from", value_text(arena_text(x->memory, from)));
  value_add(x->memory, &x->settings, v);
}

static const char *length_text(arena *a, int64_t ms) {
  char text[32];
  duration_write(ms, text);
  return arena_text(a, text);
}

static const char *size_text(arena *a, int64_t bytes) {
  static const char *const units[] = {"bytes", "KB", "MB", "GB"};
  size_t unit = 0;
  while (unit < 3 && bytes >= 1024 && bytes % 1024 == 0) bytes /= 1024, unit++;
  return arena_format(a, "%" PRId64 " %s", bytes, units[unit]);
}

static const char *list_text(arena *a, const value *list) {
  buffer b;
  buffer_init(&b, 1 << 20);
  for (size_t i = 0; list && list->kind == VALUE_LIST && i < list->list.count; i++) {
    const value *v = &list->list.items[i];
    if (v->kind == VALUE_TEXT)
      buffer_add_format(&b, "%s%.*s", b.size ? ", " : "", (int)v->text.size, v->text.bytes);
  }
  const char *text = b.size ? arena_text(a, buffer_text(&b)) : NULL;
  buffer_free(&b);
  return text;
}

/* ---- when it runs ---- */

static void add_cron(explaining *x, const char *name, const cron *c, bool given) {
  const pipeline *p = x->pipeline;
  buffer words;
  buffer_init(&words, 4096);
  cron_words(c, NULL, &words);
  const char *text = value_get_text(p->declared, name, "0 */6 * * *");
  add(x, name, arena_format(x->memory, "%s (%s)", text, buffer_text(&words)),
      given ? "script" : "default");
  buffer_free(&words);
}

static void add_zone(explaining *x) {
  bool own = value_get(x->pipeline->declared, "timezone") != NULL;
  bool project = value_get(x->config, "timezone") != NULL;
  add(x, "timezone", x->pipeline->timezone, own ? "script" : project ? "dts.lua" : "default");
}

static const char *if_default(bool is) { return is ? "default" : "script"; }

static void add_when(explaining *x) {
  const pipeline *p = x->pipeline;
  const value *d = p->declared;
  bool timed = p->has_schedule || p->every_ms;
  x->group = "runs";
  add(x, "trigger",
      p->trigger == TRIGGER_HAND ? "by hand, by the API or enqueued" : p->trigger_text, "script");
  if (p->has_schedule) add_cron(x, "schedule", &p->schedule, true);
  if (p->has_recheck) add_cron(x, "recheck", &p->recheck, value_get(d, "recheck") != NULL);
  if (p->every_ms) add(x, "every", length_text(x->memory, p->every_ms), "script");
  add(x, "files", list_text(x->memory, value_get(d, "files")), "script");
  add(x, "after", list_text(x->memory, value_get(d, "after")), "script");
  if (value_get(d, "after")) {
    const char *on = value_get_text(d, "on", "success");
    add(x, "on", on, if_default(strcmp(on, "success") == 0));
  }
  add_zone(x);
  if (p->jitter_ms)
    add(x, "jitter",
        arena_format(x->memory, "%s, of which it waits %s", length_text(x->memory, p->jitter_ms),
                     length_text(x->memory, scheduler_jitter(p))),
        "script");
  if (timed) add(x, "missed", p->missed, if_default(strcmp(p->missed, "latest") == 0));
  if (timed) add(x, "overlap", p->overlap, if_default(strcmp(p->overlap, "skip") == 0));
  add(x, "group", value_get_text(d, "group", NULL), "script");
  add(x, "retry", arena_format(x->memory, "%d", p->retry), if_default(p->retry == 5));
}

static void add_gaps(explaining *x) {
  const gap_plan *g = x->pipeline->gaps;
  arena *a = x->memory;
  bool ends = g && g->to != INT32_MAX;
  char since[11], to[16] = "today less lag";
  if (!g) return;
  x->group = "gaps";
  date_write(g->since, since);
  add(x, "table", g->into->name, "script");
  add(x, "complete", g->complete ? g->complete : "no column is null", if_default(!g->complete));
  add(x, "calendar", g->calendar_name,
      if_default(!value_get(value_get(x->pipeline->declared, "gaps"), "calendar")));
  add(x, "since", since, "script");
  if (ends) date_write(g->to, to);
  add(x, "to", to, if_default(!ends));
  add(x, "lag", arena_format(a, "%d d", g->lag_days), if_default(g->lag_days == 1));
  add(x, "refresh", arena_format(a, "%d d", g->refresh_days), if_default(g->refresh_days == 0));
  add(x, "max_span", g->max_span_days > 0 ? arena_format(a, "%d d", g->max_span_days) : "no limit",
      if_default(g->max_span_days <= 0));
  add(x, "bridge", arena_format(a, "%d", g->bridge), if_default(g->bridge == 0));
  add(x, "empty", g->empty_ok ? "ok" : "retry", if_default(!g->empty_ok));
  add(x, "batch", arena_format(a, "%d", x->pipeline->batch), if_default(x->pipeline->batch == 25));
  add(x, "keys", g->keys_sql ? g->keys_sql : arena_format(a, "%zu", g->series_count), "script");
}

static void add_ingest(explaining *x) {
  const value *g = value_get(x->pipeline->declared, "ingest");
  const value *signature = value_get(g, "signature");
  arena *a = x->memory;
  if (!g) return;
  x->group = "events";
  add(x, "id", value_get_text(g, "id", NULL), "script");
  add(x, "type", value_get_text(g, "type", NULL), "script");
  add(x, "schema", list_text(a, value_get(g, "schema")), "script");
  add(x, "signature", value_get_text(signature, "header", "none is asked for"),
      if_default(!signature));
  int64_t window = value_get_integer(g, "window_ms", 86400000);
  int64_t batch = value_get_integer(g, "batch", 1000), wait = value_get_integer(g, "wait_ms", 1000);
  add(x, "window", length_text(a, window), if_default(window == 86400000));
  add(x, "batch", arena_format(a, "%" PRId64, batch), if_default(batch == 1000));
  add(x, "wait", length_text(a, wait), if_default(wait == 1000));
}

static void add_params(explaining *x) {
  const value *list = value_get(x->pipeline->declared, "params");
  x->group = "params";
  for (size_t i = 0; list && i < list->list.count; i++) {
    const value *p = &list->list.items[i], *otherwise = value_get(p, "default");
    char shown[80];
    if (otherwise) json_shorten(shown, sizeof shown, otherwise);
    const char *how = otherwise ? arena_format(x->memory, " = %s", shown)
                      : value_get_boolean(p, "required", false) ? ", needed"
                                                                : ", may be left out";
    add(x, value_get_text(p, "name", "?"),
        arena_format(x->memory, "%s%s", value_get_text(p, "type", "text"), how), "script");
  }
}

/* ---- limits ---- */

static const char *limit_from(const explaining *x, const char *field) {
  if (value_get(value_get(x->pipeline->declared, "limits"), field)) return "script";
  return value_get(value_get(x->config, "limits"), field) ? "dts.lua" : "default";
}

static void add_limits(explaining *x) {
  const pipeline *p = x->pipeline;
  arena *a = x->memory;
  x->group = "limits";
  add(x, "time", length_text(a, p->time_ms), limit_from(x, "time_ms"));
  add(x, "cpu", length_text(a, p->cpu_ms), limit_from(x, "cpu_ms"));
  add(x, "memory", size_text(a, p->memory), limit_from(x, "memory"));
  add(x, "rows", arena_format(a, "%" PRId64, p->max_rows), limit_from(x, "rows"));
  add(x, "requests", arena_format(a, "%" PRId64, p->max_requests), limit_from(x, "requests"));
  add(x, "log", size_text(a, p->max_log), limit_from(x, "log"));
  add(x, "jobs", arena_format(a, "%" PRId64, p->max_jobs), limit_from(x, "jobs"));
}

/* ---- permissions ---- */

static void add_writes(explaining *x) {
  const value *d = x->pipeline->declared, *tables = x->pipeline->tables;
  const value *allowed = value_get(value_get(d, "allow"), "tables");
  x->group = "may write";
  for (size_t i = 0; i < tables->list.count; i++) {
    const char *name =
        arena_copy(x->memory, tables->list.items[i].text.bytes, tables->list.items[i].text.size);
    const table *t = registry_table(x->set, name);
    const char *from = value_has(value_get(d, "tables"), name) ? "declared in the script's file"
                       : value_has(allowed, name)              ? "allow.tables"
                                                               : "gaps.table";
    bool again = false;
    for (size_t k = 0; k < i; k++) again = again || value_is(&tables->list.items[k], name);
    if (!again) add(x, name, t ? t->file : "", from);
  }
  if (!tables->list.count) add(x, "nothing", "", "default");
}

static void add_reads(explaining *x) {
  size_t hidden = 0;
  x->group = "may read";
  add(x, "every table", "", "default");
  for (size_t i = 0; i < x->set->table_count; i++) {
    const table *t = x->set->tables[i];
    if (!t->is_private || value_has(x->pipeline->tables, t->name)) continue;
    if (!hidden++) x->group = "may not read";
    add(x, t->name, t->file, "private");
  }
}

static void add_source(explaining *x, const char *name) {
  const source *s = registry_source(x->set, name);
  const value *d = x->pipeline->declared, *stand_ins = value_get(x->config, "sources");
  bool own = value_has(value_get(d, "sources"), name);
  if (!s) return;
  buffer b;
  buffer_init(&b, 64 * 1024);
  buffer_add_text(&b, s->url);
  if (s->rate_count)
    buffer_add_format(&b, ", %" PRId64 " in %s", s->rate_count, length_text(x->memory, s->rate_ms));
  buffer_add_format(&b, ", %d at once", s->concurrency ? s->concurrency : 8);
  value secrets = value_list();
  if (s->headers) control_secrets(x->kernel, x->memory, s->headers, "", &secrets);
  for (size_t i = 0; i < secrets.list.count; i++) {
    const value *one = &secrets.list.items[i];
    buffer_add_format(&b, ", secret %s%s", value_get_text(one, "name", ""),
                      value_get_boolean(one, "present", false) ? "" : " (absent)");
  }
  add(x, name, buffer_text(&b),
      value_get(stand_ins, name) ? "dts.lua sources"
      : own                      ? "declared in the script's files"
                                 : "allow.sources");
  buffer_free(&b);
}

static void add_reaches(explaining *x) {
  const pipeline *p = x->pipeline;
  const value *ceiling = value_get(value_get(x->config, "allow"), "hosts");
  x->group = "may reach";
  for (size_t i = 0; i < p->sources->list.count; i++)
    add_source(x, arena_copy(x->memory, p->sources->list.items[i].text.bytes,
                             p->sources->list.items[i].text.size));
  for (size_t i = 0; i < p->hosts->list.count; i++)
    add(x,
        arena_copy(x->memory, p->hosts->list.items[i].text.bytes,
                   p->hosts->list.items[i].text.size),
        "any path, by dts.http", "allow.hosts");
  if (!p->sources->list.count && !p->hosts->list.count) add(x, "no host", "", "default");
  if (ceiling)
    add(x, "of these only", list_text(x->memory, ceiling) ? list_text(x->memory, ceiling) : "none",
        "dts.lua allow.hosts");
}

void control_explain(kernel *k, question *q) {
  dts_error e;
  const char *name = value_get_text(&q->command, "pipeline", "");
  registry *set = kernel_registry(k);
  explaining x = {.memory = &q->memory, .set = set, .config = kernel_config(k), .kernel = k};
  x.settings = value_list();
  x.pipeline = registry_pipeline(set, name);
  if (!x.pipeline) {
    registry_unknown_pipeline(set, name, &e);
    registry_release(set);
    return question_fail(q, &e);
  }
  add_when(&x);
  add_gaps(&x);
  add_ingest(&x);
  add_params(&x);
  add_limits(&x);
  add_writes(&x);
  add_reads(&x);
  add_reaches(&x);
  value v = value_map();
  value_set(&q->memory, &v, "pipeline", value_text(name));
  value_set(&q->memory, &v, "file", value_text(arena_text(&q->memory, x.pipeline->file)));
  value_set(&q->memory, &v, "version",
            value_text(arena_text(&q->memory, x.pipeline->script->version)));
  value_set(
      &q->memory, &v, "summary",
      value_text(arena_text(&q->memory, value_get_text(x.pipeline->declared, "summary", NULL))));
  value_set(&q->memory, &v, "settings", x.settings);
  registry_release(set);
  question_answer(q, v);
}
