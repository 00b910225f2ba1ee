/* control_sql.c -- the command `sql`: one SELECT of the project's owner, read beside everything
 * else.
 *
 *   sql {sql, params?, limit_rows?} -> {columns, types, rows, timezone}
 *
 * Whoever may open the control socket owns the project: private tables are no secret to them.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "flow/controls.h"
#include "flow/reader.h"

enum { LIMIT_MS = 60 * 1000 };

typedef struct reading {
  question *question;
  registry *set;
  value answer;
  int rc;
  dts_error error;
} reading;

static value private_tables(arena *a, const registry *set) {
  value list = value_list();
  for (size_t i = 0; i < set->table_count; i++)
    if (set->tables[i]->is_private) value_add(a, &list, value_text(set->tables[i]->name));
  return list;
}

static void sql_read(void *arg) {
  reading *r = arg;
  arena *a = &r->question->memory;
  kernel *k = r->question->kernel;
  const value *command = &r->question->command;
  value all = private_tables(a, r->set);
  reader_context x = {.set = r->set,
                      .store = kernel_store(k),
                      .now = loop_now(kernel_loop(k)),
                      .zone = r->set->zone,
                      .writes = &all};
  r->rc = reader_sql(&x, value_get_text(command, "sql", ""), value_get(command, "params"), LIMIT_MS,
                     value_get_integer(command, "limit_rows", 0), a, &r->answer, NULL, &r->error);
  if (r->rc == 0) value_set(a, &r->answer, "timezone", value_text(arena_text(a, r->set->timezone)));
}

static void sql_then(void *arg) {
  reading *r = arg;
  registry_release(r->set);
  if (r->rc < 0)
    question_fail(r->question, &r->error);
  else
    question_answer(r->question, r->answer);
  free(r);
}

void control_sql(kernel *k, question *q) {
  reading *r = memory_alloc(sizeof *r);
  *r = (reading){.question = q, .set = kernel_registry(k)};
  loop_defer(kernel_loop(k), sql_read, sql_then, r);
}
