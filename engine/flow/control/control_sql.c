/* control_sql.c -- the command `sql`: one SELECT of the project's owner, read beside everything
 * else.
 *
 *   sql {sql, params?, all_bound?, limit_rows?} -> {columns, types, rows, timezone}
 *
 * With all_bound a parameter that neither params nor the clock gives is refused, not null.
 *
 * Whoever may open the control socket owns the project: private tables are no secret to them.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "flow/control/controls.h"
#include "flow/kernel/reader.h"

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
  for (size_t i = 0; i < set->privates.list.count; i++)
    value_add(a, &list, set->privates.list.items[i]);
  for (size_t i = 0; reader_inner[i]; i++) value_add(a, &list, value_text(reader_inner[i]));
  return list;
}

typedef struct binding {
  const char *sql;
  const value *params;
  arena *memory;
} binding;

static int check_bound(store_conn *c, void *arg, dts_error *e) {
  const binding *b = arg;
  value names;
  if (store_check(c, b->sql, b->memory, NULL, NULL, &names, e) < 0) return -1;
  for (size_t i = 0; i < names.list.count; i++) {
    const char *name = names.list.items[i].text.bytes;
    if (value_get(b->params, name)) continue;
    error_fail(e, "PARAM", "the SQL asks for :%s, and no value is given", name);
    return error_hint(e, "give it with --param %s=VALUE", name);
  }
  return 0;
}

static int check_params(const reading *r, const reader_context *x, const char *sql, dts_error *e) {
  arena *a = &r->question->memory;
  const value *command = &r->question->command;
  if (!value_get_boolean(command, "all_bound", false)) return 0;
  value params = reader_params(x, sql, value_get(command, "params"), a, NULL);
  binding b = {sql, &params, a};
  if (reader_check(sql, &params, e) < 0) return -1;
  return store_read(x->store, check_bound, &b, e);
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
  const char *sql = value_get_text(command, "sql", "");
  r->rc = check_params(r, &x, sql, &r->error);
  if (r->rc == 0)
    r->rc = reader_sql(&x, sql, value_get(command, "params"), LIMIT_MS,
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
