/* sqlcheck_project.c -- see sqlcheck_project in sqlcheck.h: what a set asks of the project around
 * it. A set in force may lack these (an alert is seen in the dashboard all the same, a schema may
 * come later), so only `dts check` asks.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "flow/reload/sqlcheck.h"
#include "flow/reload/sqlcheck_text.h"

static bool has_items(const value *list) {
  return list && list->kind == VALUE_LIST && list->list.count;
}

static void check_alert(sqlcheck *k, const value *config, const value *declared) {
  dts_error e = {0};
  if (has_items(value_get(declared, "to"))) return;
  if (has_items(value_get(value_get(config, "alerts"), "to"))) return;
  error_fail(&e, "ALERT", "alert '%s' tells nobody: it has no `to`, and dts.lua no default",
             value_get_text(declared, "name", "?"));
  error_hint(&e, "write to = \"mailto:NAME@HOST\" here, or alerts = { to = ... } in dts.lua");
  sqlcheck_fault(k, declared, &e);
}

/* A name with {placeholders} depends on the event. */
static void check_schema(sqlcheck *k, const char *root, const pipeline *p, const char *file) {
  dts_error e = {0};
  if (strchr(file, '{') || access(arena_format(k->memory, "%s/%s", root, file), R_OK) == 0) return;
  error_fail(&e, "SCHEMA", "pipeline '%s': there is no schema file %s", p->name, file);
  error_hint(&e, "its name counts from the project's folder, for example schemas/NAME.json");
  sqlcheck_fault(k, p->declared, &e);
}

static void check_ingest(sqlcheck *k, const char *root, const pipeline *p) {
  const value *files = value_get(value_get(p->declared, "ingest"), "schema");
  for (size_t i = 0; has_items(files) && i < files->list.count; i++)
    if (files->list.items[i].kind == VALUE_TEXT)
      check_schema(k, root, p, files->list.items[i].text.bytes);
}

void sqlcheck_project(const registry *set, const value *config, const char *root, arena *a,
                      value *faults) {
  sqlcheck k = {.set = set, .memory = a, .faults = faults};
  for (size_t i = 0; i < set->alerts.list.count; i++)
    check_alert(&k, config, &set->alerts.list.items[i]);
  for (size_t i = 0; i < set->pipeline_count; i++) check_ingest(&k, root, &set->pipelines[i]);
}
