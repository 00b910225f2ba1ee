/* explain.c -- dts explain NAME: the schedule, limits and permissions in force, and where each
 * comes from.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "command/command.h"
#include "command/engine.h"
#include "command/faults.h"
#include "command/sheet.h"

static const char *const names[] = {"", "name", "value", "from", NULL};

/* The group is named on its first row only. */
static void print(arena *a, const value *answer) {
  const value *all = value_get(answer, "settings");
  const char *before = "", *summary = value_get_text(answer, "summary", NULL);
  value sheet = sheet_open(a, names);
  for (size_t i = 0; all && i < all->list.count; i++) {
    const value *s = &all->list.items[i];
    const char *group = value_get_text(s, "group", "");
    value cells[] = {value_text(strcmp(group, before) == 0 ? NULL : group),
                     value_text(value_get_text(s, "name", "")),
                     value_text(value_get_text(s, "value", NULL)),
                     value_text(value_get_text(s, "from", ""))};
    sheet_add(a, &sheet, cells);
    before = group;
  }
  printf("%s, of %s, version %s\n", value_get_text(answer, "pipeline", ""),
         value_get_text(answer, "file", ""), value_get_text(answer, "version", ""));
  if (summary) printf("%s\n", summary);
  putchar('\n');
  sheet_print(stdout, &sheet, NULL, NULL);
}

static int run(const given *g, dts_error *e) { return faults_show(g, "explain", print, e); }

COMMAND(explain) = {
    .name = "explain",
    .words = "NAME",
    .summary = "Show a pipeline's schedule, limits and permissions, and where each comes from.",
    .least = 1,
    .most = 1,
    .run = run};
