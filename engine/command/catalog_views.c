/* catalog_views.c -- see catalog_views.h. The columns are the store's; only the words are kept here,
 * one for each name, whichever view it stands in.
 *
 * SPDX-License-Identifier: MIT */
#include "command/catalog_views.h"

#include <string.h>

typedef struct words {
  const char *name, *doc;
} words;

static const words views[] = {
    {"dts_runs", "each attempt at a job, with what became of it"},
    {"dts_jobs", "each job: what is queued, waits, runs or has ended"},
    {"dts_gaps", "dates of gaps pipelines that were asked for and are not there"},
    {"dts_quarantine", "inputs whose runs have failed for good"},
    {"dts_files", "files that were taken"},
    {"dts_refused", "events that were refused"},
    {"dts_stale", "roll-ups and kept views that could not be brought up to date"},
    {"dts_decisions", "what was released and dropped"},
    {0}};

static const words columns[] = {
    {"action", "release, drop"},
    {"at", "when, in UTC"},
    {"attempts", "how often it was tried"},
    {"date", "the day that is not there"},
    {"deferrals", "how often it was put off without a retry being used up"},
    {"ended", "when it ended, in UTC; null while it runs"},
    {"error", "what went wrong, in words"},
    {"id", "its number or name, as other commands take it"},
    {"input", "date, file, batch (of events) or params"},
    {"job", "the job that it belongs to"},
    {"key", "the series of the gaps pipeline"},
    {"line", "the line at fault"},
    {"message", "what is wrong with it"},
    {"name", "the file's name, or what else names it"},
    {"newer", "the job that is done with a newer content of the same file"},
    {"noun", "rollup or view"},
    {"path", "where in the event"},
    {"pipeline", "whose it is"},
    {"reason", "why, as whoever decided said"},
    {"rejected", "rows that were set aside"},
    {"retry_count", "how many retries are used up"},
    {"rows", "rows written"},
    {"run_at", "when it is due, in UTC"},
    {"seq", "a number that rises"},
    {"sha256", "of its content"},
    {"size", "in bytes"},
    {"started", "when it began, in UTC"},
    {"state", "how it stands, or ended"},
    {"trigger", "what started it: schedule, hand, files, event …"},
    {"version", "of the script"},
    {"who", "who decided: a person of this machine, or a key's name"},
    {0}};

static const char *doc_of(const words *all, const char *name) {
  for (; all->name; all++)
    if (strcmp(all->name, name) == 0) return all->doc;
  return NULL;
}

int catalog_view(engine *n, const char *name, arena *a, value *out, dts_error *e) {
  value result, list = value_list();
  const char *doc = doc_of(views, name);
  if (!doc) {
    const char *names[sizeof views / sizeof *views] = {0};
    for (size_t i = 0; views[i].name; i++) names[i] = views[i].name;
    error_fail(e, "TABLE", "the engine has no view '%s'", name);
    return error_hint(e, "did you mean '%s'?", error_nearest(name, names) ?: "dts_runs");
  }
  const char *sql = arena_format(a, "select * from %s limit 0", name);
  if (engine_sql(n, sql, NULL, 0, a, &result, e) < 0) return -1;
  const value *found = value_get(&result, "columns");
  for (size_t i = 0; i < found->list.count; i++) {
    value column = value_map();
    value_set(a, &column, "name", found->list.items[i]);
    value_set(a, &column, "doc", value_text(doc_of(columns, found->list.items[i].text.bytes)));
    value_add(a, &list, column);
  }
  *out = value_map();
  value_set(a, out, "name", value_text(name));
  value_set(a, out, "kind", value_text("view"));
  value_set(a, out, "doc", value_text(doc));
  value_set(a, out, "columns", list);
  return 0;
}
