/* privates.c -- see privates.h. A mark is a row "private:NAME" of dts_meta, which no script's SQL reads.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/reload/privates.h"

static int set_mark(store_conn *c, const char *name, bool on, dts_error *e) {
  value param = value_text(name);
  return store_exec(c,
                    on ? "insert into dts_meta (name, data) values ('private:' || ?1, '')"
                       : "delete from dts_meta where name = 'private:' || ?1",
                    &param, 1, e);
}

static int mark_own(store_conn *c, const registry *set, const value *names, dts_error *e) {
  for (size_t i = 0; i < set->table_count; i++) {
    const table *t = set->tables[i];
    if (t->is_private == value_has(names, t->name)) continue;
    if (set_mark(c, t->name, t->is_private, e) < 0) return -1;
  }
  return 0;
}

int privates_ensure(store_conn *c, registry *set, dts_error *e) {
  arena a = {0};
  value names;
  const char *sql = "select substr(name, 9) from dts_meta where name like 'private:%'";
  int rc = store_list(c, sql, NULL, 0, &a, &names, e);
  if (rc == 0) rc = mark_own(c, set, &names, e);
  if (rc == 0) registry_remember(set, &names);
  arena_free(&a);
  return rc;
}
