/* finish_input.c -- see finish_input.h. What failed keeps its events and its payload: a person
 * may give them to the script again.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/runs/finish_input.h"

#include <string.h>

#include "flow/inputs/ingest_write.h"

/* The notes of this run stand; those of other runs of the file, by hand
 * too, are answered by it. */
static int drop_notes(store_conn *c, const job *j, dts_error *e) {
  value params[] = {value_integer(j->id), value_text(j->pipeline), value_text(j->name)};
  return store_exec(
      c,
      "delete from dts_note where job in (select id from dts_job where kind = 'file' and pipeline "
      "= ?2 and name = ?3 and id <> ?1)",
      params, 3, e);
}

int finish_input(store_conn *c, run *r, const job *j, run_ending how, const char *error_json,
                 int64_t now, dts_error *e) {
  (void)r, (void)error_json, (void)now;
  bool is_file = strcmp(j->kind, "file") == 0, is_batch = strcmp(j->kind, "batch") == 0;
  if (is_file) store_touch(c, "dts_file"); /* the view dts_files shows its job's state */
  if (how != RUN_DONE) return 0;
  if (is_batch) return ingest_done(c, j->pipeline, j->id, e);
  return is_file ? drop_notes(c, j, e) : 0;
}
