/* sql.c -- dts sql "select ..."
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>

#include "command/command.h"
#include "command/engine.h"
#include "command/screen.h"

enum { SHOWN = 1000 }; /* rows on a terminal, unless --limit says otherwise */

static void print(const given *g, value *result, int64_t limit) {
  screen s = screen_of(stdout);
  value *rows = (value *)value_get(result, "rows");
  size_t count = rows ? rows->list.count : 0;
  if (given_has(g, "csv")) return screen_csv(stdout, result);
  if (g->json) return screen_objects(stdout, result);
  if (rows && count > (size_t)limit) rows->list.count = (size_t)limit;
  screen_table(&s, result, NULL);
  if (count > (size_t)limit)
    fprintf(stderr, "the first %lld rows; --limit N shows more\n", (long long)limit);
}

static int ask(engine *n, const char *sql, const value *params, arena *a, value *result,
               dts_error *e) {
  value order = engine_command(a, "sql");
  value_set(a, &order, "sql", value_text(sql));
  value_set(a, &order, "params", *params);
  value_set(a, &order, "all_bound", value_boolean(true));
  return engine_ask(n, &order, NULL, NULL, a, result, e);
}

static int run(const given *g, dts_error *e) {
  arena a = {0};
  int64_t limit;
  value result, params;
  bool all = g->json || given_has(g, "csv");
  if (given_integer(g, "limit", all ? INT32_MAX : SHOWN, &limit, e) < 0) return -1;
  if (given_params(g, &a, &params, e) < 0) return -1;
  engine *n = engine_here(&a, e);
  int rc = n ? ask(n, given_word(g, 0), &params, &a, &result, e) : -1;
  if (rc == 0) print(g, &result, limit);
  engine_close(n);
  arena_free(&a);
  return rc < 0 ? -1 : EXIT_FINE;
}

static const command_option options[] = {
    {"param", "NAME=VALUE", "the value of :NAME in the SQL; may be repeated"},
    {"csv", NULL, "print CSV"},
    {"limit", "N", "at most so many rows (1000 on a terminal)"},
    {0}};

COMMAND(sql) = {
    .name = "sql",
    .words = "\"SELECT ...\"",
    .summary = "Ask the project's store; nothing is changed.",
    .details =
        "The engine's own views can be asked as well: dts_runs, dts_jobs, dts_gaps, "
        "dts_quarantine,\n"
        "dts_files, dts_refused. :now, :today and :today_minus_3d come from the project's clock.",
    .least = 1,
    .most = 1,
    .options = options,
    .run = run};
