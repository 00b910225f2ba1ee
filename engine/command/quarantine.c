/* quarantine.c -- dts quarantine list|show|release|drop: inputs whose runs have failed for good.
 *
 * SPDX-License-Identifier: MIT */
#include <pwd.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "command/listing.h"
#include "command/quarantine_show.h"
#include "command/screen.h"
#include "format/json.h"

enum { FILE_LIMIT = 64 * 1024 * 1024 };

static const char list_sql[] =
    "select id, pipeline, input, name, line, error, attempts, retry_count, at from dts_quarantine "
    "where :pipeline is null or pipeline = :pipeline order by at, length(id), id";
static const char note_sql[] =
    "select 'job-' || n.job as id, j.pipeline, j.kind as input, j.name, j.state, n.line, n.reason, "
    "n.row from dts_note n join dts_job j on j.id = n.job where :pipeline is null or j.pipeline = "
    ":pipeline order by n.job, n.seq";
static const char decision_sql[] =
    "select at, action, id, who, reason from dts_decisions where :pipeline is null or id like "
    "'date-' || :pipeline || '/%' or id in (select 'job-' || j.id from dts_job j where j.pipeline "
    "= "
    ":pipeline) order by seq";

static const char *const spare[] = {"retry_count", "attempts", "input", "state", "pipeline", NULL};
static const listing inputs = {list_sql, "nothing is in quarantine", spare},
                     notes = {note_sql, "no row is set aside", spare},
                     decisions = {decision_sql, "nothing was released or dropped", NULL};

static int list(engine *n, const given *g, dts_error *e) {
  arena a = {0};
  value params = value_map();
  value_set(&a, &params, "pipeline", value_text(given_text(g, "pipeline", NULL)));
  int rc = listing_check_pipeline(n, given_text(g, "pipeline", NULL), e);
  if (rc == 0)
    rc = listing_print(n, g,
                       given_has(g, "notes")       ? &notes
                       : given_has(g, "decisions") ? &decisions
                                                   : &inputs,
                       &params, e);
  bool held = !g->json && !given_has(g, "notes") && !given_has(g, "decisions");
  if (rc == 0 && held) fputs(quarantine_newer(n, g, NULL, &a), stdout);
  arena_free(&a);
  return rc;
}

/* ---- release and drop ---- */

/* 12 is job-12, as `dts jobs` shows it. */
static value ids_of(arena *a, const given *g) {
  value ids = value_list();
  for (size_t i = 1; i < g->word_count; i++) {
    const char *word = g->words[i];
    bool number = *word && !word[strspn(word, "0123456789")];
    value_add(a, &ids, value_text(number ? arena_format(a, "job-%s", word) : word));
  }
  return ids;
}

static int print_count(const given *g, const value *answer, const char *verb) {
  int64_t count = value_get_integer(answer, "count", 0);
  buffer b;
  if (g->json) return screen_json(stdout, answer), 0;
  if (!count) return puts("nothing in quarantine is meant by that: dts quarantine list"), 0;
  buffer_init(&b, 256);
  screen_count(&b, count, "input");
  printf("%s %s\n", buffer_text(&b), verb);
  buffer_free(&b);
  return 0;
}

/* The file's content, and its name for the audit. */
static int add_with(const given *g, arena *a, value *order, dts_error *e) {
  const char *path = given_text(g, "with", NULL), *why = given_text(g, "reason", NULL);
  buffer b;
  if (!path) return 0;
  buffer_init(&b, FILE_LIMIT);
  int rc = file_read(path, FILE_LIMIT, &b, e);
  if (rc == 0)
    value_set(a, order, "with", value_bytes(arena_copy(a, buffer_text(&b), b.size), b.size));
  const char *told = arena_format(a, "%s%swith %s", why ? why : "", why ? "; " : "", path);
  value_set(a, order, "reason", value_text(told));
  buffer_free(&b);
  return rc;
}

static const char dates_sql[] =
    "select distinct pipeline from dts_quarantine where input = 'date' and ((%s\n)) and "
    "(:id is null or id = :id) and (:pipeline is null or pipeline = :pipeline)";

/* Adds the pipelines of the dates that are meant: dates have no job that waits, a recheck takes
 * them. Faults of --where are left to the release itself. */
static void add_dates(engine *n, const given *g, const char *id, arena *a, value *pipelines) {
  value params = value_map(), result;
  const char *sql = arena_format(a, dates_sql, given_text(g, "where", "true"));
  value_set(a, &params, "id", value_text(id));
  value_set(a, &params, "pipeline", value_text(given_text(g, "pipeline", NULL)));
  if (engine_sql(n, sql, &params, 0, a, &result, NULL) < 0) return;
  const value *rows = value_get(&result, "rows");
  for (size_t i = 0; rows && i < rows->list.count; i++) {
    const value *name = &rows->list.items[i].list.items[0];
    bool known = false;
    for (size_t k = 0; k < pipelines->list.count; k++)
      known = known || value_equal(&pipelines->list.items[k], name);
    if (!known) value_add(a, pipelines, *name);
  }
}

static void print_next(engine *n, const value *name, arena *a) {
  value order = engine_command(a, "next"), firings;
  char time[32];
  value_set(a, &order, "pipeline", *name);
  value_set(a, &order, "trigger", value_text("recheck"));
  value_set(a, &order, "count", value_integer(1));
  if (engine_ask(n, &order, NULL, NULL, a, &firings, NULL) < 0) return;
  for (size_t i = 0; i < firings.list.count; i++) {
    const value *f = &firings.list.items[i];
    const char *zone_name_ = value_get_text(f, "timezone", "UTC");
    zone *z = zone_open(zone_name_, NULL);
    screen_time(value_get_integer(f, "at_ms", 0), z, time);
    zone_close(z);
    printf("%s: the next recheck, at %.16s %s, takes its dates; now: dts run %s\n",
           name->text.bytes, time, zone_name_, name->text.bytes);
    return;
  }
  printf("%s: it has no recheck; its dates are taken by: dts run %s\n", name->text.bytes,
         name->text.bytes);
}

/* For the audit: who sits at this terminal. */
static const char *user_name(void) {
  const struct passwd *p = getpwuid(getuid());
  return p ? p->pw_name : getenv("USER");
}

/* Which inputs are meant: ids, or --where and --pipeline. */
static int add_choice(const given *g, const char *verb, arena *a, value *order, dts_error *e) {
  const char *where = given_text(g, "where", NULL), *of = given_text(g, "pipeline", NULL);
  bool named = g->word_count > 1;
  if (named == (where || of))
    return error_fail(e, "USAGE", "name what to %s: either ids, or --where and --pipeline", verb);
  if (named) value_set(a, order, "ids", ids_of(a, g));
  if (where) value_set(a, order, "where", value_text(where));
  if (of) value_set(a, order, "pipeline", value_text(of));
  value_set(a, order, "by", value_text(user_name()));
  value_set(a, order, "reason", value_text(given_text(g, "reason", NULL)));
  return 0;
}

static int release(engine *n, const given *g, dts_error *e) {
  arena a = {0};
  value dates = value_list();
  value order = engine_command(&a, "release"), answer;
  int rc = listing_check_pipeline(n, given_text(g, "pipeline", NULL), e);
  if (rc == 0) rc = add_choice(g, "release", &a, &order, e);
  for (size_t i = 1; rc == 0 && i < g->word_count; i++) add_dates(n, g, g->words[i], &a, &dates);
  if (rc == 0 && g->word_count < 2) add_dates(n, g, NULL, &a, &dates);
  bool old = rc == 0 && !g->json && !given_has(g, "with"); /* asked while they lie there */
  const char *newer = old ? quarantine_newer(n, g, value_get(&order, "ids"), &a) : "";
  if (rc == 0) rc = add_with(g, &a, &order, e);
  if (rc == 0) rc = engine_ask(n, &order, NULL, NULL, &a, &answer, e);
  if (rc == 0)
    print_count(g, &answer,
                engine_is_remote(n) ? "released" : "released; they run under dts serve");
  if (rc == 0) fputs(newer, stdout);
  for (size_t i = 0; rc == 0 && !g->json && i < dates.list.count; i++)
    print_next(n, &dates.list.items[i], &a);
  arena_free(&a);
  return rc;
}

static int drop(engine *n, const given *g, dts_error *e) {
  arena a = {0};
  value order = engine_command(&a, "drop"), answer;
  const char *reason = given_text(g, "reason", NULL);
  int rc = listing_check_pipeline(n, given_text(g, "pipeline", NULL), e);
  if (rc == 0) rc = add_choice(g, "drop", &a, &order, e);
  if (rc == 0 && (!reason || !*reason)) {
    rc = error_fail(e, "USAGE", "say why with --reason TEXT; it is kept in the audit");
    error_hint(e, "for example --reason \"sent twice\"; dts quarantine list --decisions shows it");
  }
  if (rc == 0) rc = engine_ask(n, &order, NULL, NULL, &a, &answer, e);
  if (rc == 0) print_count(g, &answer, "dropped");
  arena_free(&a);
  return rc;
}

/* ---- the command ---- */

static const char *const verbs[] = {"list", "show", "release", "drop", NULL};
static engine_verb *const functions[] = {list, quarantine_show, release, drop};

static int run(const given *g, dts_error *e) {
  int verb = given_choice(g, 0, verbs, e);
  if (verb < 0) return -1;
  if (verb == 1 && g->word_count != 2)
    return error_fail(e, "USAGE", "one id expected: dts quarantine show ID");
  return engine_do(functions[verb], g, e);
}

static const command_option options[] = {
    {"pipeline", "NAME", "of this pipeline alone"},
    {"notes", NULL, "list: the rows set aside, also of inputs that are done"},
    {"decisions", NULL, "list: what was released and dropped, when, by whom and why"},
    {"where", "SQL", "release, drop: a condition on dts_quarantine's columns"},
    {"with", "FILE", "release: a corrected file in place of the one that failed"},
    {"reason", "TEXT", "why; it is kept. drop needs one"},
    {0}};

COMMAND(quarantine) = {
    .name = "quarantine",
    .words = "list|show|release|drop [ID...]",
    .summary = "See, give back or drop inputs whose runs have failed for good.",
    .details = "Fix the script or the file, then: dts quarantine release --where \"...\"",
    .least = 1,
    .most = SIZE_MAX,
    .options = options,
    .run = run};
