/* logs.c -- dts logs RUN [--follow]: what a run has said.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "command/command.h"
#include "command/engine.h"
#include "command/report.h"
#include "format/json.h"
#include "format/zone.h"

enum { POLL_MS = 300 };

static const char log_sql[] =
    "select seq, at, level, message from dts_log where run = :run and seq > :after order by seq";
static const char run_sql[] = "select r.state, d.error, r.pipeline, r.started, r.ended, r.rows, "
                              "r.rejected, r.job from dts_runs "
                              "r join dts_run d on d.id = r.id where r.id = :run";
static const char note_sql[] =
    "select line, reason, row from dts_note where job = (select job from dts_run where id = :run) "
    "order by seq";

typedef struct reader {
  engine *engine;
  int64_t run, after;
  int64_t rejected;
  bool running, silent; /* silent: no line so far */
} reader;

static void print_line(const value *row, const zone *z) {
  char time[32];
  buffer b;
  screen_time(row->list.items[1].integer, z, time);
  const value *message = &row->list.items[3];
  buffer_init(&b, 16 * 1024 * 1024);
  screen_lines(&b, message->text.bytes, message->text.size, 26);
  printf("%s %-5s %s\n", time, row->list.items[2].text.bytes, buffer_text(&b));
  buffer_free(&b);
}

static value params_of(const reader *r, arena *a) {
  value params = value_map();
  value_set(a, &params, "run", value_integer(r->run));
  value_set(a, &params, "after", value_integer(r->after));
  return params;
}

static int read_state(reader *r, arena *a, value *error, dts_error *e) {
  value params = params_of(r, a), result;
  if (engine_sql(r->engine, run_sql, &params, 0, a, &result, e) < 0) return -1;
  const value *rows = value_get(&result, "rows");
  if (!rows->list.count) {
    error_fail(e, "RUN", "there is no run %lld", (long long)r->run);
    return error_hint(e, "`dts runs` lists them");
  }
  const value *row = rows->list.items[0].list.items;
  r->running = value_is(&row[0], "running");
  r->rejected = row[6].kind == VALUE_INTEGER ? row[6].integer : 0;
  *error = row[1];
  return 0;
}

/* ---- rows set aside ---- */

static int print_notes(const reader *r, bool all, arena *a, dts_error *e) {
  value params = value_map(), result;
  buffer b;
  if (!r->rejected) return 0;
  buffer_init(&b, 256);
  screen_count(&b, r->rejected, "row");
  printf("%s set aside%s\n", buffer_text(&b), all ? ":" : "; --notes lists them");
  buffer_free(&b);
  if (!all) return 0;
  value_set(a, &params, "run", value_integer(r->run));
  if (engine_sql(r->engine, note_sql, &params, 0, a, &result, e) < 0) return -1;
  screen s = screen_of(stdout);
  screen_table(&s, &result, NULL);
  return 0;
}

/* ---- for programs ---- */

static void set_rows(arena *a, value *out, const char *name, const value *result) {
  const value *names = value_get(result, "columns"), *rows = value_get(result, "rows");
  value list = value_list();
  for (size_t i = 0; i < rows->list.count; i++) {
    value row = value_map();
    for (size_t k = 0; k < names->list.count; k++)
      value_set(a, &row, names->list.items[k].text.bytes, rows->list.items[i].list.items[k]);
    value_add(a, &list, row);
  }
  value_set(a, out, name, list);
}

/* One object: the run, its error, its lines, and the rows that it set aside. */
static int print_json(reader *r, dts_error *e) {
  static const char *const names[] = {"state", "error", "pipeline", "started",
                                      "ended", "rows",  "rejected", "job"};
  arena a = {0};
  value params = value_map(), run_row, lines, notes, out = value_map(), error;
  value_set(&a, &params, "run", value_integer(r->run));
  value_set(&a, &params, "after", value_integer(-1));
  int rc = engine_sql(r->engine, run_sql, &params, 0, &a, &run_row, e);
  if (rc == 0) rc = engine_sql(r->engine, log_sql, &params, 0, &a, &lines, e);
  if (rc == 0) rc = engine_sql(r->engine, note_sql, &params, 0, &a, &notes, e);
  if (rc == 0) {
    const value *cells = value_get(&run_row, "rows")->list.items[0].list.items;
    value_set(&a, &out, "run", value_integer(r->run));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
      value_set(&a, &out, names[i], cells[i]);
    if (cells[1].kind == VALUE_TEXT &&
        json_read(&a, cells[1].text.bytes, cells[1].text.size, &error, NULL) == 0)
      value_set(&a, &out, "error", error);
    set_rows(&a, &out, "log", &lines);
    set_rows(&a, &out, "set_aside", &notes);
    screen_json(stdout, &out);
  }
  arena_free(&a);
  return rc;
}

/* The last word of a run that has ended: its error, or that there was none to be said. */
static void print_end(const reader *r, const value *error, arena *a) {
  screen s = screen_of(stdout);
  value read;
  if (error->kind == VALUE_TEXT &&
      json_read(a, error->text.bytes, error->text.size, &read, NULL) == 0) {
    if (!r->silent) putchar('\n');
    report_value(&s, &read, engine_root(r->engine));
  } else if (r->silent) {
    puts("nothing was logged");
  }
}

static int print_new(reader *r, const given *g, dts_error *e) {
  arena a = {0};
  value params = params_of(r, &a), result, error = value_null();
  int rc = read_state(r, &a, &error, e); /* before the lines, so that none is missed at the end */
  if (rc == 0) rc = engine_sql(r->engine, log_sql, &params, 0, &a, &result, e);
  const value *rows = rc == 0 ? value_get(&result, "rows") : NULL;
  zone *z = rows ? zone_open(value_get_text(&result, "timezone", "UTC"), NULL) : NULL;
  for (size_t i = 0; rows && i < rows->list.count; i++) {
    if (!g->json) print_line(&rows->list.items[i], z);
    r->after = rows->list.items[i].list.items[0].integer;
    r->silent = false;
  }
  if (rows && !g->json && !r->running) print_end(r, &error, &a);
  if (rows && !g->json && !r->running) rc = print_notes(r, given_has(g, "notes"), &a, e);
  fflush(stdout);
  zone_close(z);
  arena_free(&a);
  return rc;
}

static int read_number(const char *word, int64_t *out, dts_error *e) {
  char *end;
  errno = 0;
  *out = strtoll(word, &end, 10);
  if (*word && !*end && !errno && *out > 0) return 0;
  return error_fail(e, "USAGE", "the number of a run expected, got \"%s\"", word);
}

static int run(const given *g, dts_error *e) {
  arena a = {0};
  reader r = {.after = -1, .silent = true};
  if (read_number(given_word(g, 0), &r.run, e) < 0) return -1;
  r.engine = engine_here(&a, e);
  int rc = r.engine ? print_new(&r, g, e) : -1;
  while (rc == 0 && r.running && given_has(g, "follow") && engine_is_remote(r.engine)) {
    struct timespec pause = {0, POLL_MS * 1000000L};
    if (nanosleep(&pause, NULL) == 0) rc = print_new(&r, g, e);
  }
  if (rc == 0 && g->json) rc = print_json(&r, e);
  engine_close(r.engine);
  arena_free(&a);
  return rc;
}

static const command_option options[] = {{"follow", NULL, "go on until the run ends"},
                                         {"notes", NULL, "list the rows that it set aside"},
                                         {0}};

COMMAND(logs) = {
    .name = "logs",
    .words = "RUN",
    .summary = "Print what a run has logged, its error, and the rows that it set aside.",
    .least = 1,
    .most = 1,
    .options = options,
    .run = run};
