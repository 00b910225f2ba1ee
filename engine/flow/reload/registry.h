/* registry.h -- what the project's scripts declare, as one immutable set.
 *
 * One idea: a reload makes a new set and swaps it whole; whoever works with a set holds it and is not
 * disturbed. A script is loaded once for each content (its file with all modules) and shared by the
 * sets that contain it. All declarations are values as wire/declarations.md describes them; what the
 * engine uses often is also here as a struct, pointing into them.
 *
 * Ownership: a set and its scripts are counted; registry_hold / registry_release from any thread. All
 * pointers below live as long as the set.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_FLOW_REGISTRY_H
#define DTS_FLOW_REGISTRY_H

#include "base/arena.h"
#include "base/error.h"
#include "format/calendar.h"
#include "format/cron.h"
#include "format/schema.h"
#include "format/value.h"
#include "format/zone.h"
#include "store/table.h"

typedef struct module { /* a source text that a script was made of */
  const char *name;     /* as required: "connectors.bcb"; of a data file, its path */
  const char *file;     /* "connectors/bcb.lua", "data/holidays.csv" */
  const char *source;
  bool shipped; /* compiled into the program */
} module;

typedef struct script {
  const char *file; /* relative to the project: "pipelines/fuel/quotes.lua" */
  const char *source;
  char version[17]; /* 16 hex digits: of the file with its modules */
  size_t module_count;
  const module *modules;
  value declarations; /* list of maps */
} script;

script *script_make(const char *file, const char *text, const value *declarations,
                    const module *modules, size_t module_count); /* copies everything */
script *script_hold(script *s);
void script_release(script *s); /* NULL is fine */

typedef enum trigger {
  TRIGGER_HAND,
  TRIGGER_SCHEDULE, /* cron or every */
  TRIGGER_GAPS,
  TRIGGER_FILES,
  TRIGGER_INGEST,
  TRIGGER_AFTER
} trigger;

typedef struct series { /* one key of a gaps pipeline */
  const char *label;    /* what `dts plan` prints: the key's only column, or all as JSON */
  value key;            /* {column: value} without the date, in the table's order */
  const value *with;    /* map, or NULL */
  const value *given;   /* span.key: the only column's value, or `key`; NULL: the date alone */
  const calendar *days; /* NULL: the plan's */
  int32_t since, to;    /* `to` INT32_MAX: until today less the lag */
} series;

typedef struct gap_plan {
  const table *into;
  const char *date_column, *complete; /* complete: SQL or NULL */
  const char *keys_sql;               /* or NULL: then `series` */
  const char *calendar_name;
  int32_t since, to, lag_days, refresh_days, max_span_days, bridge;
  bool empty_ok;
  calendar *days;
  size_t series_count;
  const series *series;
} gap_plan;

typedef struct pipeline {
  const char *name, *file;
  script *script;
  const value *declared;
  trigger trigger;
  const char *trigger_text; /* "schedule", "gaps" ... as in dts_runs */
  cron schedule, recheck;
  bool has_schedule, has_recheck;
  int64_t every_ms, jitter_ms;
  zone *zone;
  const char *timezone;
  const char *missed, *overlap;
  int retry, batch;
  const gap_plan *gaps; /* TRIGGER_GAPS only */
  int64_t time_ms, cpu_ms, memory, max_rows, max_requests, max_log, max_jobs;
  const value *tables, *sources, *hosts; /* lists of names it may write, use, reach; never NULL */
} pipeline;

typedef struct source {
  const char *name, *url; /* the stand-in's when dts.lua names one */
  const value *headers;   /* or NULL */
  const value *query;     /* the same: sent with each request */
  int64_t rate_count, rate_ms, timeout_ms, connect_ms, stall_ms, largest;
  int concurrency;
} source;

typedef struct route {
  const char *name, *method, *path;
  script *script;
  const value *declared;
  bool is_public, handler;
} route;

typedef struct registry {
  size_t script_count, table_count, source_count, pipeline_count, route_count;
  script **scripts;
  const table **tables; /* roll-ups' tables and kept views' as well */
  source *sources;
  pipeline *pipelines;
  route *routes;
  value rollups, views, dashboards, alerts; /* lists of declarations */
  value privates;                           /* names that the store remembers as private */
  const char *timezone;                     /* the project's */
  zone *zone;
} registry;

/* Makes a set of scripts (which it holds), checked against each other: names unique for each noun, what is
 * named exists, schedules, calendars and zones are right. NULL on failure; `where` names the file and line.
 * `config` is dts.lua's table, or an empty map. */
registry *registry_make(script *const *scripts, size_t count, const value *config, dts_error *e);
registry *registry_hold(registry *r);
void registry_release(registry *r); /* NULL is fine */

const pipeline *registry_pipeline(const registry *r, const char *name); /* or NULL */
const table *registry_table(const registry *r, const char *name);
/* Declared so; or not declared, and remembered so by the store. */
bool registry_is_private(const registry *r, const char *table);
void registry_remember(registry *r, const value *privates); /* before it is in force; copies */
const source *registry_source(const registry *r, const char *name);
const value *registry_find(const value *declarations, const char *name);
/* The roll-up that one of whose tables this is, or NULL. */
const value *registry_rollup_of(const registry *r, const char *table_name);
const script *registry_script(const registry *r, const char *file);
/* Adds where it is declared, if nothing better is known. Always -1. */
int registry_fail(dts_error *e, const value *declared);
/* Fills in an error for an unknown name, with the nearest right one. Always -1. */
int registry_unknown_pipeline(const registry *r, const char *name, dts_error *e);

#endif
