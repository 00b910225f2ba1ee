/* run.c -- dts run FILE|NAME: one run now, told while it goes, and a summary.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "command/command.h"
#include "command/dry.h"
#include "command/engine.h"
#include "command/left.h"
#include "command/faults.h"
#include "command/place.h"
#include "command/progress.h"
#include "command/report.h"
#include "command/tape.h"
#include "format/date.h"
#include "format/duration.h"
#include "format/json.h"

enum { ERRORS_SHOWN = 3 };

typedef struct target {
  const char *root, *name, *file; /* file: below root, or NULL when a pipeline was named */
  bool only;                      /* this file alone is the project */
} target;

static bool is_file_name(const char *word) {
  size_t size = strlen(word);
  return size > 4 && strcmp(word + size - 4, ".lua") == 0;
}

static int find_target(const char *word, arena *a, target *t, dts_error *e) {
  *t = (target){.name = word};
  if (!is_file_name(word)) return (t->root = place_project(".", a, e)) ? 0 : -1;
  t->root = place_script(word, a, &t->file, &t->only, e);
  if (!t->root) return -1;
  t->name = t->file;
  t->only = t->only || strncmp(t->file, "pipelines/", 10) != 0;
  return 0;
}

/* ---- the summary ---- */

typedef struct tally { /* of one pipeline */
  const char *name;
  int64_t done, failed, deferred, slept, other, rows, rejected, requests;
  const char *version;
} tally;

static tally *tally_of(tally *all, size_t *count, const char *name) {
  for (size_t i = 0; i < *count; i++)
    if (strcmp(all[i].name, name) == 0) return &all[i];
  all[*count] = (tally){.name = name};
  return &all[(*count)++];
}

static void add_up(const value *runs, tally *all, size_t *count) {
  for (size_t i = 0; i < runs->list.count; i++) {
    const value *r = &runs->list.items[i];
    tally *t = tally_of(all, count, value_get_text(r, "pipeline", "?"));
    const char *state = value_get_text(r, "state", "");
    ++*(strcmp(state, "done") == 0       ? &t->done
        : strcmp(state, "failed") == 0   ? &t->failed
        : strcmp(state, "deferred") == 0 ? &t->deferred
        : strcmp(state, "slept") == 0    ? &t->slept
                                         : &t->other);
    t->rows += value_get_integer(r, "rows", 0);
    t->rejected += value_get_integer(r, "rejected", 0);
    t->requests += value_get_integer(r, "requests", 0);
  }
}

static void add_versions(engine *n, const value *runs, arena *a, tally *all, size_t count) {
  for (size_t i = 0; i < count; i++) {
    value params = value_map(), result;
    for (size_t r = 0; r < runs->list.count; r++) {
      const value *one = &runs->list.items[r], *id = value_get(one, "id"); /* none: never begun */
      if (id && strcmp(value_get_text(one, "pipeline", ""), all[i].name) == 0)
        value_set(a, &params, "id", *id);
    }
    if (!params.map.count) continue;
    if (engine_sql(n, "select version from dts_runs where id = :id", &params, 0, a, &result, NULL) <
        0)
      continue;
    const value *rows = value_get(&result, "rows");
    if (!rows || !rows->list.count || rows->list.items[0].list.items[0].kind != VALUE_TEXT)
      continue;
    all[i].version = rows->list.items[0].list.items[0].text.bytes;
  }
}

static void add_state(buffer *b, int64_t count, const char *state, bool *first) {
  if (!count) return;
  buffer_add_text(b, *first ? " " : ", ");
  *first = false;
  screen_count(b, count, "run");
  buffer_add_format(b, " %s", state);
}

static const char *text_left(const value *left, const char *name) {
  for (size_t i = 0; i < left->list.count; i++)
    if (value_is(value_get(&left->list.items[i], "pipeline"), name))
      return value_get_text(&left->list.items[i], "text", "");
  return "";
}

static bool has_run(const tally *all, size_t count, const char *name) {
  for (size_t i = 0; i < count; i++)
    if (strcmp(all[i].name, name) == 0) return true;
  return false;
}

/* Pipelines asked for of which nothing ran: why. */
static void print_idle(const value *left, const tally *all, size_t count) {
  for (size_t i = 0; i < left->list.count; i++) {
    const char *name = value_get_text(&left->list.items[i], "pipeline", "?");
    const char *text = value_get_text(&left->list.items[i], "text", "");
    if (has_run(all, count, name)) continue;
    printf("%s: nothing to do: %s\n", name, *text ? text : "no date is missing");
  }
}

static void print_tally(const tally *t, const char *took, bool dry_run, const char *left) {
  buffer b;
  bool first = true;
  buffer_init(&b, 4096);
  buffer_add_format(&b, "%s:", t->name);
  add_state(&b, t->done, "done", &first);
  add_state(&b, t->failed, "failed", &first);
  add_state(&b, t->deferred, "deferred", &first);
  add_state(&b, t->slept, "put to sleep", &first);
  add_state(&b, t->other, "handed back or cancelled", &first);
  buffer_add_text(&b, ", ");
  screen_count(&b, t->rows, "row");
  buffer_add_text(&b, dry_run ? " put, " : " written, ");
  if (t->rejected) buffer_add_format(&b, "%lld set aside, ", (long long)t->rejected);
  screen_count(&b, t->requests, "request");
  buffer_add_format(&b, ", %s", took);
  if (t->version) buffer_add_format(&b, ", version %s", t->version);
  if (*left) buffer_add_format(&b, "; %s", left);
  printf("%s\n", buffer_text(&b));
  buffer_free(&b);
}

/* ---- jobs that are still to come ---- */

/* Of firings of this run, when it is over: put off by their source, or behind such a one. */
static const char waiting_sql[] =
    "select pipeline, count(*) as jobs, coalesce((select min(w.run_at) from dts_jobs w where "
    "w.pipeline = j.pipeline and w.state = 'waiting'), min(run_at)) as run_at from dts_jobs j "
    "where "
    "state in ('waiting', 'queued') and id in (select id from dts_job where firing >= :firing) "
    "group by pipeline order by pipeline";

static void print_waiting(engine *n, const value *answer, const char *name, arena *a) {
  value params = value_map(), result;
  const value *firings = value_get(answer, "firings");
  char time[32];
  int64_t ms = 0;
  if (engine_is_remote(n) || !firings || !firings->list.count) return;
  value_set(a, &params, "firing", firings->list.items[0]);
  if (engine_sql(n, waiting_sql, &params, 0, a, &result, NULL) < 0) return;
  const value *rows = value_get(&result, "rows");
  zone *z = zone_open(value_get_text(&result, "timezone", "UTC"), NULL);
  for (size_t i = 0; rows && i < rows->list.count; i++) {
    const value *row = rows->list.items[i].list.items;
    timestamp_read(row[2].text.bytes, row[2].text.size, &ms);
    screen_time(ms, z, time);
    printf("%s: %lld job%s still to come, not before %s (%s): under dts serve, or by dts run %s "
           "after that\n",
           row[0].text.bytes, (long long)row[1].integer, row[1].integer == 1 ? " is" : "s are",
           time, zone_name(z), name);
  }
  zone_close(z);
}

/* ---- errors of runs ---- */

static bool error_of(const value *run, arena *a, value *error) {
  const char *text = value_get_text(run, "error", NULL), *state = value_get_text(run, "state", "");
  return text && strcmp(state, "done") != 0 && json_read(a, text, strlen(text), error, NULL) == 0;
}

static void print_errors(const value *runs, arena *a, const char *root) {
  screen s = screen_of(stderr);
  size_t shown = 0, more = 0;
  value error;
  for (size_t i = 0; i < runs->list.count; i++) {
    if (!error_of(&runs->list.items[i], a, &error)) continue;
    if (shown == ERRORS_SHOWN)
      more++;
    else
      report_value(&s, &error, root), shown++, fputc('\n', stderr);
  }
  if (more) fprintf(stderr, "%zu more failed; `dts runs --state failed` lists them\n\n", more);
}

static void print_json(value *answer, arena *a, const tally *all, size_t count, int64_t took,
                       const value *left, const value *changes) {
  value *runs = (value *)value_get(answer, "runs"), versions = value_map(), error;
  for (size_t i = 0; i < runs->list.count; i++)
    if (error_of(&runs->list.items[i], a, &error))
      *(value *)value_get(&runs->list.items[i], "error") = error;
  for (size_t i = 0; i < count; i++)
    value_set(a, &versions, all[i].name, value_text(all[i].version));
  value_set(a, answer, "versions", versions);
  value_set(a, answer, "ms", value_integer(took));
  value_set(a, answer, "dates", *left);
  if (changes) value_set(a, answer, "changes", *changes);
  screen_json(stdout, answer);
}

static int summarise(engine *n, const given *g, const target *t, value *answer, int64_t took,
                     const value *changes, arena *a) {
  const value *runs = value_get(answer, "runs");
  tally *all = arena_alloc(a, (runs->list.count + 1) * sizeof *all);
  size_t count = 0;
  char time[32];
  add_up(runs, all, &count);
  add_versions(n, runs, a, all, count);
  value left = left_after(n, answer, a);
  duration_write(took, time);
  if (g->json) {
    print_json(answer, a, all, count, took, &left, changes);
  } else {
    print_errors(runs, a, t->root);
    for (size_t i = 0; i < count; i++)
      print_tally(&all[i], time, changes, text_left(&left, all[i].name));
    print_idle(&left, all, count);
    if (!changes) print_waiting(n, answer, t->name, a);
    if (!count && !left.list.count) printf("%s: nothing to do\n", t->name);
    if (changes) dry_print(changes);
    if (changes) puts("a dry run: nothing of this was kept");
  }
  return strcmp(value_get_text(answer, "state", ""), "done") == 0 ? EXIT_FINE : EXIT_FAILED;
}

/* ---- running ---- */

static bool is_declared(const value *answer, const target *t) {
  const value *all = value_get(answer, "pipelines");
  for (size_t i = 0; all && i < all->list.count; i++)
    if (value_is(value_get(&all->list.items[i], t->file ? "file" : "name"), t->name)) return true;
  return false;
}

/* A fault of the file that is asked for, or that hides the pipeline; others are only mentioned. */
static int check_faults(engine *n, const target *t, arena *a, dts_error *e) {
  value order = engine_command(a, "check"), answer;
  if (engine_ask(n, &order, NULL, NULL, a, &answer, e) < 0) return -1;
  if (!is_declared(&answer, t) && engine_is_remote(n)) { /* saved just now, not looked at yet */
    order = engine_command(a, "reload");
    if (engine_ask(n, &order, NULL, NULL, a, &answer, e) < 0) return -1;
  }
  bool known = t->file || is_declared(&answer, t);
  const faults_target f = {.root = t->root, .name = known ? NULL : t->name, .file = t->file};
  return faults_tell(value_get(&answer, "faults"), &f, e);
}

/* The engine reads it by itself, as large as it is; it may stand in another folder than we do. */
static int add_file(const given *g, arena *a, value *order, dts_error *e) {
  const char *path = given_text(g, "file", NULL);
  struct stat info;
  if (!path) return 0;
  char *whole = realpath(path, NULL);
  if (!whole || stat(whole, &info) < 0 || !S_ISREG(info.st_mode)) {
    const char *code = !whole && errno == ENOENT ? "FILE_MISSING" : "FILE";
    const char *why = whole ? "it is not a regular file" : strerror(errno);
    free(whole);
    return error_fail(e, code, "cannot read '%s': %s", path, why);
  }
  const char *slash = strrchr(path, '/');
  value_set(a, order, "file", value_text(slash ? slash + 1 : path));
  value_set(a, order, "path", value_text(arena_text(a, whole)));
  free(whole);
  return 0;
}

static int ask(engine *n, const given *g, const target *t, arena *a, value *answer, int64_t *took,
               dts_error *e) {
  progress p = {.screen = screen_of(stderr)};
  value order = engine_command(a, "run"), params;
  if (given_params(g, a, &params, e) < 0 || check_faults(n, t, a, e) < 0) return -1;
  value_set(a, &order, "target", value_text(t->name));
  if (params.map.count) value_set(a, &order, "params", params);
  if (add_file(g, a, &order, e) < 0) return -1;
  int64_t started = clock_monotonic_ms();
  int rc = engine_ask(n, &order, progress_event, &p, a, answer, e);
  *took = clock_monotonic_ms() - started;
  progress_clear(&p);
  return rc;
}

/* With the project's own root. */
static int fail_here(const target *t, const dts_error *e, bool json) {
  screen s = screen_of(stderr);
  if (json || !e->where[0]) return -1;
  report_error(&s, e, t->root);
  return strcmp(e->code, "INTERRUPTED") == 0 ? EXIT_INTERRUPTED : EXIT_FAILED;
}

typedef struct places { /* where it runs: here or in the engine, on the store or on a copy */
  engine *engine;
  tape tape;
  dry *dry;
} places;

static int open_dry(places *p, const given *g, const target *t, const char *file, dts_error *e) {
  if (given_has(g, "record") || given_has(g, "replay")) {
    error_fail(e, "USAGE", "--dry-run goes with neither --record nor --replay");
    return error_hint(e, "a replay makes no request; its specs have a store of their own");
  }
  p->dry = dry_open(t->root, e);
  p->engine = p->dry ? dry_engine(p->dry, file, e) : NULL;
  return p->engine ? 0 : -1;
}

static int open_places(places *p, const given *g, const target *t, dts_error *e) {
  const char *file = t->only ? t->file : NULL;
  if (given_has(g, "dry-run")) return open_dry(p, g, t, file, e);
  p->engine = tape_open(&p->tape, g, t->root, file, t->name, e);
  return p->engine ? 0 : -1;
}

static void close_places(places *p) {
  engine_close(p->engine);
  tape_close(&p->tape);
  dry_close(p->dry);
}

static int run(const given *g, dts_error *e) {
  arena a = {0};
  target t = {0};
  places p = {0};
  value answer, changes;
  int64_t took;
  int status = find_target(given_word(g, 0), &a, &t, e);
  if (status == 0) status = open_places(&p, g, &t, e);
  if (status == 0) status = ask(p.engine, g, &t, &a, &answer, &took, e);
  if (status < 0 && p.dry && strcmp(e->code, "INTERRUPTED") == 0)
    error_hint(e, "nothing of this was kept");
  if (tape_save(&p.tape, status < 0 ? NULL : e) < 0) status = -1;
  if (status == 0 && p.dry) status = dry_changes(p.dry, p.engine, &a, &changes, e);
  if (status == 0)
    status = summarise(p.engine, g, &t, &answer, took, p.dry ? &changes : NULL, &a);
  else if (t.root)
    status = fail_here(&t, e, g->json);
  close_places(&p);
  arena_free(&a);
  return status;
}

static const command_option options[] = {
    {"param", "NAME=VALUE", "a parameter that the pipeline declares; may be repeated"},
    {"dry-run", NULL, "run on a copy of the store, show what would change, keep nothing"},
    {"record", "FILE", "keep each exchange with a source in this file, without secrets"},
    {"replay", "FILE", "answer from a recording, with its clock; nothing leaves this machine"},
    {"file", "PATH", "for a pipeline that takes files: run it on this one, by hand"},
    {0}};

COMMAND(run) = {
    .name = "run",
    .words = "FILE|NAME",
    .summary = "Run a pipeline, or those of a script, once and now.",
    .details = "Under a running `dts serve` the engine there runs it, and its log and progress are "
               "shown here.\n"
               "By hand nothing is retried. Exit status: 0 done, 1 failed, 2 used wrongly.",
    .least = 1,
    .most = 1,
    .options = options,
    .run = run};
