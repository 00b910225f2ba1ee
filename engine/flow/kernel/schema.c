/* schema.c -- the engine's own tables, and the views that people and scripts ask.
 *
 * Base tables are singular (dts_run), the documented views plural (dts_runs). Instants are integers, ms
 * UTC, in the tables and timestamps in the views. SQL is what SQLite and PostgreSQL share, but for the
 * two date expressions in STAMP.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/kernel/schema.h"

#include <inttypes.h>
#include <stdio.h>

#define STAMP(column)                                                                              \
  "strftime('%Y-%m-%dT%H:%M:%S', " column " / 1000, 'unixepoch') || "                              \
  "printf('.%03dZ', " column " % 1000)"

static const char *const statements[] = {
    "create table if not exists dts_meta (name text primary key, data text) without rowid, strict",
    "create table if not exists dts_firing (id integer primary key autoincrement, pipeline text "
    "not null, "
    "trigger text not null, fire_time integer, created integer not null, window_from integer, "
    "day text, state text not null, jobs integer not null default 0, failed integer not null "
    "default 0, unique (pipeline, trigger, fire_time)) strict",
    "drop index if exists dts_firing_open",
    "create index if not exists dts_firing_last on dts_firing (pipeline, state, failed, "
    "coalesce(fire_time, created))",
    "create table if not exists dts_job (id integer primary key autoincrement, firing integer not "
    "null, pipeline "
    "text not null, trigger text not null, kind text not null, name text, grp text, key text, "
    "input "
    "text not null, cursor text, error text, message text, input_line integer, reason text, state "
    "text not null, once integer not null, "
    "retry_limit integer not null, attempts integer not null, retry_count integer not null, "
    "deferrals "
    "integer not null, handbacks integer not null, interruptions integer not null, worker_deaths "
    "integer not null, releases integer not null, epoch integer not null, run_at integer not null, "
    "lease_until integer not null, deadline integer not null, created integer not null, age_from "
    "integer not null, ended integer not null) strict",
    "create index if not exists dts_job_due on dts_job (state, run_at)",
    "create index if not exists dts_job_turn on dts_job (pipeline, run_at) where state = 'queued'",
    "create index if not exists dts_job_hand on dts_job (run_at) where trigger = 'hand' and state "
    "= 'queued'",
    "create index if not exists dts_job_firing on dts_job (firing)",
    "create index if not exists dts_job_open on dts_job (firing) where state in ('waiting', "
    "'queued', 'leased')",
    "create index if not exists dts_job_group on dts_job (pipeline, grp, id) where grp is not null "
    "and state in ('waiting', 'queued', 'leased')",
    "create index if not exists dts_job_file on dts_job (pipeline, name) where kind = 'file'",
    "create unique index if not exists dts_job_key on dts_job (pipeline, key) where key is not "
    "null",
    "create table if not exists dts_run (id integer primary key autoincrement, job integer not "
    "null, epoch "
    "integer not null, pipeline text not null, trigger text not null, state text not null, outcome "
    "text, started integer not null, ended integer, rows integer not null default 0, requests "
    "integer not null default 0, error text, message text, version text, peak integer, unique "
    "(job, "
    "epoch)) "
    "strict",
    "create index if not exists dts_run_pipeline on dts_run (pipeline, id)",
    "create table if not exists dts_descent (firing integer primary key, origin integer not null, "
    "jobs integer not null) strict",
    "create table if not exists dts_log (run integer not null, seq integer not null, at integer "
    "not null, level text not null, message text not null, primary key (run, seq)) without rowid, "
    "strict",
    "create table if not exists dts_request (run integer not null, seq integer not null, at "
    "integer "
    "not null, method text not null, url text not null, status integer, ms integer not null, tries "
    "integer not null, primary key (run, seq)) without rowid, strict",
    "create table if not exists dts_step (job integer not null, name text not null, state text not "
    "null, attempts integer not null, started integer not null, ended integer, result text, due "
    "integer, primary key (job, name)) without rowid, strict",
    "create table if not exists dts_gap (pipeline text not null, series text not null, day text "
    "not "
    "null, state text not null, attempts integer not null default 0, retry_count integer not null "
    "default 0, releases integer not null default 0, held integer not null default 0, job integer, "
    "error text, message text, at integer not null, primary key (pipeline, series, day)) "
    "without rowid, strict",
    "create index if not exists dts_gap_job on dts_gap (job) where held = 1",
    "create table if not exists dts_gap_gone (pipeline text not null, series text not null, "
    "primary key (pipeline, series)) without rowid, strict",
    "create table if not exists dts_file (id integer primary key autoincrement, name text not "
    "null, size integer "
    "not null, sha256 text not null, pipeline text, job integer, at integer not null, unique "
    "(name, "
    "sha256)) strict",
    "create index if not exists dts_file_content on dts_file (sha256)",
    "create table if not exists dts_replaced (sha256 text not null, file integer not null, primary "
    "key (sha256, file)) without rowid, strict",
    "create table if not exists dts_archive (id integer primary key autoincrement, source text not "
    "null, day text "
    "not null, at integer not null, object text not null, size integer not null, type text, meta "
    "text, run integer) strict",
    "create index if not exists dts_archive_source on dts_archive (source, day, id)",
    "create table if not exists dts_event (seq integer primary key, pipeline text not null, id "
    "text, "
    "type text, at integer not null, time text, data text not null, job integer) strict",
    "create index if not exists dts_event_job on dts_event (job, pipeline)",
    "create table if not exists dts_event_count (pipeline text not null, minute integer not null, "
    "accepted "
    "integer not null, duplicates integer not null, refused integer not null, primary key "
    "(pipeline, "
    "minute)) without rowid, strict",
    "create table if not exists dts_seen (pipeline text not null, id text not null, at integer not "
    "null, primary key (pipeline, id)) without rowid, strict",
    "create table if not exists dts_refusal (seq integer primary key, pipeline text not null, at "
    "integer not null, line integer, path text, message text not null, payload text) strict",
    "create table if not exists dts_note (job integer not null, seq integer not null, line "
    "integer, "
    "reason text not null, row text not null, primary key (job, seq)) without rowid, strict",
    "create table if not exists dts_validator (source text not null, url text not null, etag text, "
    "modified text, object text not null, status integer not null, headers text, at integer not "
    "null, "
    "primary key (source, url)) without rowid, strict",
    "create table if not exists dts_key (name text primary key, hash text not null unique, scopes "
    "text not null, created integer not null) without rowid, strict",
    "create table if not exists dts_key_use (name text primary key, used integer not null) without "
    "rowid, strict",
    "create table if not exists dts_alert (name text primary key, state text not null, since "
    "integer "
    "not null, told integer, rows text) without rowid, strict",
    "create table if not exists dts_alert_fault (name text primary key, at integer not null, error "
    "text not null) without rowid, strict",
    "create table if not exists dts_audit (id integer primary key, at integer not null, action "
    "text "
    "not null, subject text not null, reason text, payload text) strict",
    "create table if not exists dts_audit_who (audit integer primary key, who text not null) "
    "strict",
    "create table if not exists dts_rolled (rollup text primary key, version text not null) "
    "without "
    "rowid, strict",

    "drop view if exists dts_runs",
    "create view dts_runs as select id, pipeline, trigger, state, " STAMP(
        "started") " as started, " STAMP("ended") " as ended, rows, (select count(*) from dts_note "
                                                  "n where n.job = dts_run.job) as "
                                                  "rejected, message as error, version, job from "
                                                  "dts_run",
    "drop view if exists dts_jobs",
    "create view dts_jobs as select id, pipeline, state, attempts, retry_count, deferrals, " STAMP(
        "run_at") " as run_at, message as error from dts_job",
    "drop view if exists dts_gaps",
    "create view dts_gaps as select pipeline, series as key, day as date, case when state in "
    "('open', 'retrying') and exists (select 1 from dts_gap_gone g where g.pipeline = "
    "dts_gap.pipeline and g.series = dts_gap.series) then 'dropped' else state end as state, "
    "attempts, retry_count, message as error, " STAMP("at") " as at from dts_gap",
    "drop view if exists dts_quarantine",
    "create view dts_quarantine as select 'job-' || id as id, pipeline, kind as input, name, "
    "input_line "
    "as line, coalesce(message, reason) as error, attempts, retry_count, " STAMP(
        "max(created, ended)") " as at, case when kind = 'file' then (select 'job-' || max(n.job) "
                               "from dts_file o join dts_file n on n.name = o.name and n.pipeline "
                               "= o.pipeline and n.id > o.id join dts_job d on d.id = n.job and "
                               "d.state = 'done' where o.name = dts_job.name and o.job = "
                               "dts_job.id) end as newer from dts_job where state = 'quarantined' "
                               "union all select "
                               "'date-' || pipeline "
                               "|| '/' || series || '/' || day, pipeline, 'date', series || case "
                               "series when '' then '' else ' ' end || "
                               "day, null, message, "
                               "attempts, retry_count, " STAMP(
                                   "at") ", null from dts_gap where state = 'quarantined'",
    "drop view if exists dts_files",
    "create view dts_files as select f.id, f.name, f.size, f.sha256, f.pipeline, j.state, (select "
    "sum(rows) "
    "from dts_run r where r.job = f.job) as rows, (select count(*) from dts_note n where n.job = "
    "f.job) as rejected, " STAMP("f.at") " as at, j.message as error from dts_file f left join "
                                         "dts_job j on j.id = f.job",
    "drop view if exists dts_decisions",
    "create view dts_decisions as select id as seq, " STAMP(
        "at") " as at, action, subject as id, (select who from dts_audit_who w where w.audit = "
              "dts_audit.id) as who, reason from dts_audit",
    "drop view if exists dts_stale",
    "create view dts_stale as select substr(noun, 1, instr(noun, ' ') - 1) as noun, substr(noun, "
    "instr(noun, ' ') + 1) as name, error from (select substr(rollup, 7) as noun, version as error "
    "from dts_rolled where rollup like 'stale %')",
    "drop view if exists dts_refused",
    "create view dts_refused as select seq as id, pipeline, " STAMP(
        "at") " as at, line, path, message "
              "from dts_refusal",
};

/* The tables above, as a number: it moves with each change that an older store must be led through. */
#define SCHEMA_VERSION "1"

static int check_version(store_conn *c, dts_error *e) {
  arena a = {0};
  value found, params[] = {value_text(SCHEMA_VERSION)};
  int rc = store_exec(
      c, "insert into dts_meta (name, data) values ('schema', ?1) on conflict do nothing", params,
      1, e);
  if (rc == 0)
    rc = store_get(c, "select data from dts_meta where name = 'schema'", NULL, 0, &a, &found, e);
  if (rc == 0 && !value_is(&found, SCHEMA_VERSION)) {
    rc = error_fail(e, "STORE_VERSION",
                    "this store is of version %s, and this dts knows version " SCHEMA_VERSION,
                    found.kind == VALUE_TEXT ? found.text.bytes : "?");
    error_hint(e, "open it with the dts that wrote it, or install a newer one");
  }
  arena_free(&a);
  return rc;
}

enum { STATEMENTS = sizeof statements / sizeof *statements };

/* FNV-1a (64 bits) over all statements: a store made by the same ones needs none of them. */
static void print_of_statements(char out[17]) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (size_t i = 0; i < STATEMENTS; i++)
    for (const char *c = statements[i]; *c; c++) hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
  snprintf(out, 17, "%016" PRIx64, hash);
}

static int create_all(store_conn *c, void *arg, dts_error *e) {
  value params[] = {value_text(arg)};
  if (store_exec(c, statements[0], NULL, 0, e) < 0 || check_version(c, e) < 0) return -1;
  for (size_t i = 0; i < STATEMENTS; i++)
    if (store_exec(c, statements[i], NULL, 0, e) < 0) return -1;
  return store_exec(
      c,
      "insert into dts_meta (name, data) values ('statements', ?1) on conflict (name) "
      "do update set data = excluded.data",
      params, 1, e);
}

typedef struct made_by {
  const char *print;
  bool same;
} made_by;

/* A new store has no such table yet: that is no failure. */
static int read_print(store_conn *c, void *arg, dts_error *e) {
  made_by *m = arg;
  arena a = {0};
  value found;
  dts_error none;
  (void)e;
  int rc = store_get(c, "select data from dts_meta where name = 'statements'", NULL, 0, &a, &found,
                     &none);
  m->same = rc == 0 && value_is(&found, m->print);
  arena_free(&a);
  return 0;
}

int schema_create(store *s, dts_error *e) {
  char print[17];
  print_of_statements(print);
  made_by m = {.print = print};
  if (store_read(s, read_print, &m, e) < 0) return -1;
  return m.same ? 0 : store_write(s, create_all, print, e);
}
