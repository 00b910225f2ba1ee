/* migrate.c -- dts migrate TABLE [--apply]: a table rebuilt under its changed declaration.
 *
 * One idea: the rebuilding is tried whole, checks and all, and undone unless --apply is given; so what
 * is shown is what would happen. The engine that serves the project must be stopped for it.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "command/command.h"
#include "command/engine.h"
#include "command/place.h"
#include "command/screen.h"

static int say_unknown(const char *name, kernel *k, dts_error *e) {
  registry *set = kernel_registry(k);
  const char **names = memory_alloc((set->table_count + 1) * sizeof *names);
  for (size_t i = 0; i < set->table_count; i++) names[i] = set->tables[i]->name;
  const char *near = error_nearest(name, names);
  error_fail(e, "TABLE", "no script declares a table '%s'", name);
  if (near) error_hint(e, "did you mean '%s'?", near);
  free(names);
  registry_release(set);
  return -1;
}

static void print_json(const kernel_migration *m) {
  arena a = {0};
  value out = value_map(), lines = value_list();
  const char *at = m->report.size ? m->report.data : "", *end;
  for (; (end = strchr(at, '\n')); at = end + 1)
    value_add(&a, &lines, value_bytes(arena_copy(&a, at, (size_t)(end - at)), (size_t)(end - at)));
  value_set(&a, &out, "table", value_text(m->table));
  value_set(&a, &out, "changes", lines);
  value_set(&a, &out, "applied", value_boolean(m->apply));
  screen_json(stdout, &out);
  arena_free(&a);
}

static void print_report(kernel_migration *m) {
  if (!m->report.size) {
    printf("%s is as it is declared: nothing to do\n", m->table);
    return;
  }
  fputs(buffer_text(&m->report), stdout);
  if (m->apply)
    printf("%s is rebuilt\n", m->table);
  else
    printf("nothing is changed yet: `dts migrate %s --apply` does it (`dts backup` first)\n",
           m->table);
}

/* The first script that did not load: the table may be in it. */
static int say_fault(kernel *k, dts_error *e) {
  arena a = {0};
  value faults = kernel_faults(k, &a);
  int rc = faults.list.count ? -1 : 0;
  if (rc < 0) {
    const value *first = &faults.list.items[0];
    error_fail(e, value_get_text(first, "code", "TABLE_CHANGED"), "%s",
               value_get_text(first, "message", "a script does not load"));
    error_hint(e, "%s", value_get_text(first, "hint", ""));
    snprintf(e->where, sizeof e->where, "%s:%lld", value_get_text(first, "file", "?"),
             (long long)value_get_integer(first, "line", 0));
  }
  arena_free(&a);
  return rc;
}

static int migrate(kernel_migration *m, const char *root, dts_error *e) {
  dts_error own = {0};
  kernel_options o = {.root = root, .migration = m};
  engine *n = engine_open_with(&o, &own);
  int rc = n ? say_fault(engine_kernel(n), &own) : -1;
  if (m->done && !m->apply) rc = 0; /* it was undone on purpose */
  if (rc == 0 && !m->done) rc = say_unknown(m->table, engine_kernel(n), &own);
  engine_close(n);
  if (rc < 0) *e = own;
  return rc;
}

static int run(const given *g, dts_error *e) {
  arena a = {0};
  kernel_migration m = {.table = given_word(g, 0), .apply = given_has(g, "apply")};
  const char *root = place_project(".", &a, e);
  buffer_init(&m.report, 1 << 20);
  int rc = root ? migrate(&m, root, e) : -1;
  if (rc == 0 && g->json)
    print_json(&m);
  else if (rc == 0)
    print_report(&m);
  buffer_free(&m.report);
  arena_free(&a);
  return rc;
}

static const command_option options[] = {{"apply", NULL, "do it; without this it is only shown"},
                                         {0}};

COMMAND(migrate) = {
    .name = "migrate",
    .words = "TABLE",
    .summary = "Rebuild a table whose declared type, key or check has changed.",
    .details =
        "Every row is copied through the checks of the new declaration; one that does not fit is\n"
        "named, and nothing changes. The project's engine must be stopped meanwhile.",
    .least = 1,
    .most = 1,
    .options = options,
    .run = run};
