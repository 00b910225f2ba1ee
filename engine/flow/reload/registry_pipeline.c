/* registry_pipeline.c -- reads pipelines and their gaps out of a set's declarations.
 *
 * SPDX-License-Identifier: MIT */
#include <limits.h>
#include <string.h>

#include "core/permit.h"
#include "flow/gaps/gaps_parts.h"
#include "flow/reload/registry_parts.h"
#include "format/date.h"

/* Defaults of `limits`, in scripting.md's order. */
enum {
  TIME_MS = 5 * 60 * 1000,
  CPU_MS = 60 * 1000,
  MEMORY = 256 * 1024 * 1024,
  ROWS = 2000000,
  JOBS = 100000,
  REQUESTS = 10000,
  LOG_BYTES = 10 * 1024 * 1024
};

static trigger trigger_of(const char *text) {
  static const struct {
    const char *text;
    trigger trigger;
  } rows[] = {{"schedule", TRIGGER_SCHEDULE}, {"every", TRIGGER_SCHEDULE},
              {"gaps", TRIGGER_GAPS},         {"files", TRIGGER_FILES},
              {"ingest", TRIGGER_INGEST},     {"after", TRIGGER_AFTER}};
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
    if (strcmp(rows[i].text, text) == 0) return rows[i].trigger;
  return TRIGGER_HAND;
}

static int read_cron(const value *d, const char *field, cron *out, bool *has, dts_error *e) {
  const char *text = value_get_text(d, field, NULL);
  *has = text != NULL;
  if (!text) return 0;
  if (cron_read(text, out, e) < 0) return registry_fail(e, d);
  if (cron_ever(out)) return 0;
  error_fail(e, "CRON", "%s: '%s' never comes: no month that it names has such a day", field, text);
  error_hint(e, "for the last day of a month run on day 1, and look at the day before");
  return registry_fail(e, d);
}

static value join_lists(arena *a, const value *first, const value *second) {
  value list = value_list();
  for (size_t i = 0; i < first->list.count; i++) value_add(a, &list, first->list.items[i]);
  for (size_t i = 0; i < second->list.count; i++) value_add(a, &list, second->list.items[i]);
  return list;
}

static const value *keep(arena *a, value v) {
  value *kept = arena_alloc(a, sizeof *kept);
  *kept = v;
  return kept;
}

/* ---- calendars and series ---- */

static int read_dates(arena *a, const value *list, int32_t **out, dts_error *e) {
  *out = arena_alloc(a, list->list.count * sizeof **out);
  for (size_t i = 0; i < list->list.count; i++) {
    const value *v = &list->list.items[i];
    if (v->kind != VALUE_TEXT || date_read(v->text.bytes, v->text.size, &(*out)[i]) < 0)
      return error_fail(e, "DATE", "a calendar's list holds %s: a date YYYY-MM-DD was expected",
                        v->kind == VALUE_TEXT ? v->text.bytes : value_kind_name(v));
  }
  return 0;
}

static calendar *read_calendar(arena *a, const value *given, dts_error *e) {
  if (!given || given->kind == VALUE_TEXT)
    return calendar_make(given ? given->text.bytes : "daily", NULL, 0, NULL, 0, e);
  const value *closed = value_get_list(given, "closed"), *open = value_get_list(given, "open");
  int32_t *closed_dates, *open_dates;
  if (read_dates(a, closed, &closed_dates, e) < 0 || read_dates(a, open, &open_dates, e) < 0)
    return NULL;
  return calendar_make(value_get_text(given, "name", "daily"), closed_dates, closed->list.count,
                       open_dates, open->list.count, e);
}

static int read_day(const value *map, const char *field, int32_t otherwise, int32_t *out,
                    dts_error *e) {
  const char *text = value_get_text(map, field, NULL);
  *out = otherwise;
  if (!text || date_read(text, strlen(text), out) == 0) return 0;
  return error_fail(e, "DATE", "gaps.%s is '%s': a date YYYY-MM-DD was expected", field, text);
}

static int read_series(arena *a, const gap_plan *g, const value *row, series *out, dts_error *e) {
  const value *days = value_get(row, "calendar");
  out->with = value_get(row, "with");
  if (read_day(row, "since", g->since, &out->since, e) < 0) return -1;
  if (read_day(row, "to", g->to, &out->to, e) < 0) return -1;
  if (days && !(out->days = read_calendar(a, days, e))) return -1;
  return gaps_key(a, g, value_get(row, "key"), out, e);
}

static int read_all_series(arena *a, gap_plan *g, const value *gaps, dts_error *e) {
  static const value one = {.kind = VALUE_MAP};
  g->keys_sql = value_get_text(gaps, "keys_sql", NULL);
  if (g->keys_sql) return 0;
  const value *keys = value_get(gaps, "keys");
  size_t count = keys ? keys->list.count : 1;
  series *all = arena_alloc(a, count * sizeof *all);
  g->series = all;
  g->series_count = count; /* those not read yet are zeros, which may be freed */
  for (size_t i = 0; i < count; i++)
    if (read_series(a, g, keys ? &keys->list.items[i] : &one, &all[i], e) < 0) return -1;
  return gaps_keys_distinct(all, &g->series_count, false, e);
}

static const char *only_date(const table *t) {
  const char *found = NULL;
  for (size_t i = 0; i < t->key_count; i++) {
    const table_column *column = &t->columns[t->key[i]];
    if (column->type != COLUMN_DATE) continue;
    if (found) return NULL;
    found = column->name;
  }
  return found;
}

static int no_date(const table *t, dts_error *e) {
  error_fail(e, "GAPS", "the key of '%s' must hold exactly one date column", t->name);
  for (size_t i = 0; i < t->key_count; i++)
    if (t->columns[t->key[i]].type == COLUMN_TIMESTAMP)
      return error_hint(e,
                        "'%s' is a timestamp: gaps are looked for by day; give the table a date "
                        "column in its key",
                        t->columns[t->key[i]].name);
  return error_hint(e, "for example key = { \"name\", \"date\" } with the column \"date date\"");
}

static int fail_table(building *b, const char *name, dts_error *e) {
  const registry *set = b->set;
  const char **names = arena_alloc(b->memory, (set->table_count + 1) * sizeof *names);
  for (size_t i = 0; i < set->table_count; i++) names[i] = set->tables[i]->name;
  const char *nearest = error_nearest(name, names);
  error_fail(e, "TABLE", "gaps.table names '%s', which no script declares", name);
  return nearest ? error_hint(e, "did you mean '%s'?", nearest) : -1;
}

static int read_gaps(building *b, const value *gaps, gap_plan *g, dts_error *e) {
  const char *name = value_get_text(gaps, "table", "");
  g->into = registry_table(b->set, name);
  if (!g->into) return fail_table(b, name, e);
  if (!(g->date_column = only_date(g->into))) return no_date(g->into, e);
  g->complete = value_get_text(gaps, "complete", NULL);
  g->lag_days = (int32_t)value_get_integer(gaps, "lag_days", 1);
  g->refresh_days = (int32_t)value_get_integer(gaps, "refresh_days", 0);
  g->max_span_days = (int32_t)value_get_integer(gaps, "max_span_days", 0);
  g->bridge = (int32_t)value_get_integer(gaps, "bridge", 0);
  g->empty_ok = strcmp(value_get_text(gaps, "empty", "retry"), "ok") == 0;
  if (read_day(gaps, "since", 0, &g->since, e) < 0) return -1;
  if (read_day(gaps, "to", INT32_MAX, &g->to, e) < 0) return -1;
  if (!(g->days = read_calendar(b->memory, value_get(gaps, "calendar"), e))) return -1;
  g->calendar_name = calendar_name(g->days);
  return read_all_series(b->memory, g, gaps, e);
}

/* ---- pipelines ---- */

static void read_limits(pipeline *p, const value *config) {
  const value *own = value_get(p->declared, "limits"), *all = value_get(config, "limits");
#define LIMIT(field, otherwise)                                                                    \
  value_get_integer(own, field, value_get_integer(all, field, otherwise))
  p->time_ms = LIMIT("time_ms", TIME_MS);
  p->cpu_ms = LIMIT("cpu_ms", CPU_MS);
  p->memory = LIMIT("memory", MEMORY);
  p->max_rows = LIMIT("rows", ROWS);
  p->max_requests = LIMIT("requests", REQUESTS);
  p->max_log = LIMIT("log", LOG_BYTES);
  p->max_jobs = LIMIT("jobs", JOBS);
#undef LIMIT
}

static int read_permits(building *b, pipeline *p, dts_error *e) {
  const value *d = p->declared, *allow = value_get(d, "allow"), *gaps = value_get(d, "gaps");
  value tables =
      join_lists(b->memory, value_get_list(d, "tables"), value_get_list(allow, "tables"));
  const value *into = value_get(gaps, "table");
  if (into) value_add(b->memory, &tables, *into);
  p->tables = keep(b->memory, tables);
  p->sources = keep(b->memory, join_lists(b->memory, value_get_list(d, "sources"),
                                          value_get_list(allow, "sources")));
  p->hosts = value_get_list(allow, "hosts");
  return permit_patterns_check(p->hosts, e) < 0 ? registry_fail(e, d) : 0;
}

static int read_when(building *b, pipeline *p, dts_error *e) {
  const value *d = p->declared;
  p->trigger_text = value_get_text(d, "trigger", "hand");
  p->trigger = trigger_of(p->trigger_text);
  p->every_ms = value_get_integer(d, "every_ms", 0);
  p->jitter_ms = value_get_integer(d, "jitter_ms", 0);
  p->missed = value_get_text(d, "missed", "latest");
  p->overlap = value_get_text(d, "overlap", "skip");
  p->timezone = value_get_text(d, "timezone", b->set->timezone);
  if (read_cron(d, "schedule", &p->schedule, &p->has_schedule, e) < 0) return -1;
  if (read_cron(d, "recheck", &p->recheck, &p->has_recheck, e) < 0) return -1;
  if (p->trigger == TRIGGER_GAPS && !p->has_recheck) {
    cron_read("0 */6 * * *", &p->recheck, NULL);
    p->has_recheck = true;
  }
  p->zone = zone_open(p->timezone, e);
  return p->zone ? 0 : registry_fail(e, d);
}

static int read_pipeline(building *b, const value *d, pipeline *p, dts_error *e) {
  *p = (pipeline){.declared = d,
                  .name = value_get_text(d, "name", ""),
                  .file = value_get_text(d, "file", ""),
                  .script = registry_script_of(b, d),
                  .retry = (int)value_get_integer(d, "retry", 5),
                  .batch = (int)value_get_integer(d, "batch", 25)};
  if (!p->script) return error_fail(e, "SCRIPT", "no script declares pipeline '%s'", p->name);
  read_limits(p, b->config);
  if (read_permits(b, p, e) < 0) return -1;
  if (read_when(b, p, e) < 0) return -1;
  const value *gaps = value_get(d, "gaps");
  if (p->trigger != TRIGGER_GAPS || !gaps) return 0;
  gap_plan *g = arena_alloc(b->memory, sizeof *g);
  p->gaps = g;
  return read_gaps(b, gaps, g, e) < 0 ? registry_fail(e, d) : 0;
}

static int check_after(building *b, const pipeline *p, dts_error *e) {
  const value *after = value_get_list(p->declared, "after");
  for (size_t i = 0; i < after->list.count; i++) {
    const value *name = &after->list.items[i];
    if (name->kind == VALUE_TEXT && registry_pipeline(b->set, name->text.bytes)) continue;
    registry_unknown_pipeline(b->set, name->kind == VALUE_TEXT ? name->text.bytes : "?", e);
    return registry_fail(e, p->declared);
  }
  return 0;
}

/* Whether every pipeline that p follows is placed: one without `after` always is. */
static bool follows_placed(const building *b, const pipeline *p, const bool *placed) {
  const value *after = value_get_list(p->declared, "after");
  for (size_t i = 0; i < after->list.count; i++)
    if (!placed[registry_pipeline(b->set, after->list.items[i].text.bytes) - b->set->pipelines])
      return false;
  return true;
}

/* The first that p follows and that has no place. */
static const pipeline *followed_by(const building *b, const pipeline *p, const bool *placed) {
  const value *after = value_get_list(p->declared, "after");
  for (size_t i = 0; i < after->list.count; i++) {
    const pipeline *other = registry_pipeline(b->set, after->list.items[i].text.bytes);
    if (!placed[other - b->set->pipelines]) return other;
  }
  return p;
}

/* Each without a place follows one without: whoever goes on long enough is in the circle. */
static int fail_circle(const building *b, const bool *placed, dts_error *e) {
  const pipeline *p = b->set->pipelines;
  buffer text;
  while (placed[p - b->set->pipelines]) p++;
  for (size_t i = 0; i < b->set->pipeline_count; i++) p = followed_by(b, p, placed);
  buffer_init(&text, 600);
  const pipeline *other = p;
  do {
    other = followed_by(b, other, placed);
    buffer_add_format(&text, " after '%s'", other->name);
  } while (other != p);
  error_fail(e, "PIPELINE", "pipelines follow each other in a circle, for ever: '%s'%s", p->name,
             buffer_text(&text));
  buffer_free(&text);
  error_hint(e, "give one of them a schedule in the place of `after`");
  return registry_fail(e, p->declared);
}

static int check_circles(building *b, dts_error *e) {
  size_t total = b->set->pipeline_count, count = 0;
  bool *placed = arena_alloc(b->memory, total + 1);
  for (size_t before = total + 1; count < total && count != before;) {
    before = count;
    for (size_t i = 0; i < total; i++)
      if (!placed[i] && follows_placed(b, &b->set->pipelines[i], placed)) placed[i] = true, count++;
  }
  return count == total ? 0 : fail_circle(b, placed, e);
}

static int check_tables(building *b, const pipeline *p, dts_error *e) {
  for (size_t i = 0; i < p->tables->list.count; i++) {
    const char *name = p->tables->list.items[i].text.bytes;
    if (registry_table(b->set, name)) continue;
    error_fail(e, "TABLE", "pipeline '%s' may write '%s', which no script declares", p->name, name);
    return registry_fail(e, p->declared);
  }
  return 0;
}

int registry_read_pipelines(building *b, dts_error *e) {
  const value *list = &b->nouns[2];
  b->set->pipelines = arena_alloc(b->memory, list->list.count * sizeof(pipeline));
  for (size_t i = 0; i < list->list.count; i++) {
    pipeline *p = &b->set->pipelines[b->set->pipeline_count++];
    if (read_pipeline(b, &list->list.items[i], p, e) < 0) return -1;
  }
  for (size_t i = 0; i < b->set->pipeline_count; i++) {
    const pipeline *p = &b->set->pipelines[i];
    if (check_after(b, p, e) < 0 || check_tables(b, p, e) < 0) return -1;
  }
  return check_circles(b, e);
}

void registry_free_pipeline(pipeline *p) {
  zone_close(p->zone);
  if (!p->gaps) return;
  calendar_free(p->gaps->days);
  for (size_t i = 0; i < p->gaps->series_count; i++) calendar_free(p->gaps->series[i].days);
}
