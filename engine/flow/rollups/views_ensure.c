/* views_ensure.c -- declared views made in the store, and kept ones filled (views.h).
 *
 * dts_rolled has a row "view NAME" for each: its version is "plain", or for a kept view the hash of
 * its SQL. A kept view's rows are read as a user's query, under its limits, and written beside it.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>

#include "base/log.h"
#include "crypto/crypto.h"
#include "flow/reload/sql_lex.h"
#include "flow/rollups/rollups_parts.h"
#include "flow/rollups/views.h"
#include "store/table.h"

enum { KEEP_MS = 30000, KEEP_ROWS = 1000000, NAMES = 1 << 16 };

static const char *name_of(const value *v) { return value_get_text(v, "name", "?"); }
static bool is_kept(const value *v) { return value_get_boolean(v, "keep", false); }
static const char *sql_of(const value *v) { return value_get_text(v, "sql", ""); }

static const char *view_of(const value *v, arena *a) {
  return arena_format(a, "dts_view.%s", name_of(v));
}

/* "before "name" behind" as one statement */
static int run_on(store_conn *c, const char *before, const char *name, const char *behind,
                  dts_error *e) {
  buffer b;
  buffer_init(&b, NAMES);
  buffer_add_text(&b, before);
  sql_quote(&b, name);
  buffer_add_text(&b, behind);
  int rc = store_exec(c, buffer_text(&b), NULL, 0, e);
  buffer_free(&b);
  return rc;
}

static int remember(store_conn *c, const char *name, const char *version, arena *a, dts_error *e) {
  value row[] = {value_text(arena_format(a, "view %s", name)), value_text(version)};
  return store_exec(
      c,
      "insert into dts_rolled (rollup, version) values (?1, ?2) on conflict (rollup) do "
      "update set version = ?2",
      row, 2, e);
}

static int known_version(store_conn *c, const char *name, arena *a, value *version, dts_error *e) {
  value key = value_text(arena_format(a, "view %s", name));
  return store_get(c, "select version from dts_rolled where rollup = ?1", &key, 1, a, version, e);
}

/* ---- dropping ---- */

static int drop_table(store_conn *c, const char *name, dts_error *e) {
  value key = value_text(name);
  if (run_on(c, "drop table if exists ", name, "", e) < 0) return -1;
  store_touch(c, name);
  return store_exec(c, "delete from dts_columns where table_name = ?1", &key, 1, e);
}

/* What it was: a view of its name, or a table and the view that filled it. */
static int drop_old(store_conn *c, const char *name, const char *version, arena *a, dts_error *e) {
  value key = value_text(arena_format(a, "view %s", name));
  int rc;
  if (strcmp(version, "plain") == 0) {
    rc = store_view_drop(c, name, e);
  } else {
    rc = store_view_drop(c, arena_format(a, "dts_view.%s", name), e);
    if (rc == 0) rc = drop_table(c, name, e);
  }
  if (rc == 0) rc = rollups_stale(c, "view", name, NULL, e);
  return rc < 0 ? -1 : store_exec(c, "delete from dts_rolled where rollup = ?1", &key, 1, e);
}

typedef struct known {
  arena memory;
  value list; /* [[name, version]] */
} known;

static int add_known(void *arg, const store_header *header, const value *row, dts_error *e) {
  known *k = arg;
  value pair = value_list();
  (void)e;
  for (size_t i = 0; i < header->count; i++)
    value_add(&k->memory, &pair, value_copy(&k->memory, &row[i]));
  value_add(&k->memory, &k->list, pair);
  return 0;
}

int views_prune(store_conn *c, const registry *set, dts_error *e) {
  known k = {.list = value_list()};
  int rc = store_select(
      c, "select substr(rollup, 6), version from dts_rolled where rollup like 'view %'", NULL, 0,
      add_known, &k, e);
  for (size_t i = 0; rc == 0 && i < k.list.list.count; i++) {
    const value *pair = k.list.list.items[i].list.items;
    if (!registry_find(&set->views, pair[0].text.bytes))
      rc = drop_old(c, pair[0].text.bytes, pair[1].text.bytes, &k.memory, e);
  }
  arena_free(&k.memory);
  return rc;
}

/* ---- filling a kept view ---- */

typedef struct filling {
  store_conn *conn;
  const char *insert;
  size_t rows;
} filling;

static int fill_row(void *arg, const store_header *header, const value *row, dts_error *e) {
  filling *f = arg;
  f->rows++;
  return store_exec(f->conn, f->insert, row, header->count, e);
}

static const char *insert_sql(const value *view, size_t columns, arena *a) {
  buffer b;
  buffer_init(&b, NAMES);
  buffer_add_text(&b, "insert into ");
  sql_quote(&b, name_of(view));
  for (size_t i = 0; i < columns; i++)
    buffer_add_format(&b, "%s?%zu", i ? ", " : " values (", i + 1);
  buffer_add_text(&b, ")");
  const char *sql = arena_text(a, buffer_text(&b));
  buffer_free(&b);
  return sql;
}

static const char *select_sql(const value *view, arena *a) {
  buffer b;
  buffer_init(&b, NAMES);
  buffer_add_text(&b, "select * from ");
  sql_quote(&b, view_of(view, a));
  const char *sql = arena_text(a, buffer_text(&b));
  buffer_free(&b);
  return sql;
}

static int fill(store_conn *c, const value *view, dts_error *e) {
  arena a = {0};
  value columns = value_list();
  const store_sql q = {select_sql(view, &a), NULL, KEEP_MS, KEEP_ROWS};
  filling f = {.conn = c};
  int rc = store_check(c, q.sql, &a, &columns, NULL, NULL, e);
  if (rc == 0) rc = run_on(c, "delete from ", name_of(view), "", e);
  f.insert = insert_sql(view, columns.list.count, &a);
  if (rc == 0) rc = store_query(c, &q, &a, NULL, NULL, fill_row, &f, e);
  store_touch(c, name_of(view));
  arena_free(&a);
  return rc;
}

/* In a savepoint: a view that fails keeps its rows, and is told of. */
static int fill_or_keep(store_conn *c, const value *view, bool *filled, dts_error *e) {
  dts_error inner = {0};
  if (store_exec(c, "savepoint dts_view", NULL, 0, e) < 0) return -1;
  *filled = fill(c, view, &inner) == 0;
  if (!*filled) {
    registry_fail(&inner, view);
    log_warn("%s: view '%s' keeps its old rows: %s", inner.where, name_of(view), inner.message);
    if (store_exec(c, "rollback to dts_view", NULL, 0, e) < 0) return -1;
  }
  if (rollups_stale(c, "view", name_of(view), *filled ? NULL : &inner, e) < 0) return -1;
  return store_exec(c, "release dts_view", NULL, 0, e);
}

/* ---- making ---- */

/* A column of which nothing is known takes any value, as the view's would. */
static const char *storage_of(const char *type) {
  if (strcmp(type, "integer") == 0 || strcmp(type, "boolean") == 0) return "INTEGER";
  if (strcmp(type, "real") == 0) return "REAL";
  return strcmp(type, "any") == 0 ? "ANY" : "TEXT";
}

static int save_column(store_conn *c, const value *view, const value *column, size_t i,
                       dts_error *e) {
  const char *type = value_get_text(column, "type", "any");
  value row[] = {value_text(name_of(view)), *value_get(column, "name"), value_text(type),
                 value_integer((int64_t)i)};
  if (strcmp(type, "any") == 0) return 0;
  return store_exec(
      c,
      "insert into dts_columns (table_name, name, type, position, doc) values (?1, ?2, ?3, "
      "?4, '') on conflict do update set type = excluded.type",
      row, 4, e);
}

static int create_table(store_conn *c, const value *view, const value *columns, dts_error *e) {
  buffer b;
  int rc = 0;
  buffer_init(&b, NAMES);
  buffer_add_text(&b, "CREATE TABLE ");
  sql_quote(&b, name_of(view));
  for (size_t i = 0; i < columns->list.count; i++) {
    buffer_add_text(&b, i ? ", " : " (");
    sql_quote(&b, value_get_text(&columns->list.items[i], "name", ""));
    buffer_add_format(&b, " %s",
                      storage_of(value_get_text(&columns->list.items[i], "type", "any")));
  }
  buffer_add_text(&b, ") STRICT");
  rc = store_exec(c, buffer_text(&b), NULL, 0, e);
  for (size_t i = 0; rc == 0 && i < columns->list.count; i++)
    rc = save_column(c, view, &columns->list.items[i], i, e);
  buffer_free(&b);
  return rc;
}

static const char *version_of(const value *view, arena *a) {
  char hex[CRYPTO_SHA256_HEX];
  if (!is_kept(view)) return "plain";
  crypto_sha256_hex(sql_of(view), strlen(sql_of(view)), hex);
  return arena_copy(a, hex, 16);
}

/* Its rows are a copy that anybody may read: of a private table only the table's own file makes one. */
static int check_private(const registry *set, const value *view, const value *tables,
                         dts_error *e) {
  for (size_t i = 0; i < tables->list.count; i++) {
    const char *name = tables->list.items[i].text.bytes;
    const table *t = registry_table(set, name);
    if (!registry_is_private(set, name)) continue;
    if (t && strcmp(t->file, value_get_text(view, "file", "")) == 0) continue;
    error_fail(e, "TABLE_REFUSED", "table '%s' is private", name);
    return error_hint(e, "declare the kept view in the file of the table");
  }
  return 0;
}

/* New SQL that its rows do not bear is refused if `strict`; what rows have broken since is not. */
static int ensure_kept(store_conn *c, const registry *set, const value *view, bool same,
                       bool strict, arena *a, dts_error *e) {
  value columns = value_list(), tables = value_list();
  dts_error fault = {0};
  bool filled;
  if (store_view_ensure(c, view_of(view, a), sql_of(view), e) < 0) return -1;
  int rc = store_check(c, select_sql(view, a), a, &columns, &tables, NULL, &fault);
  if (rc == 0 && check_private(set, view, &tables, e) < 0) return -1;
  if (same) return fill_or_keep(c, view, &filled, e);
  if (rc < 0) return *e = fault, -1;
  if (create_table(c, view, &columns, e) < 0) return -1;
  return strict ? fill(c, view, e) : fill_or_keep(c, view, &filled, e);
}

static int ensure_one(store_conn *c, const registry *set, const value *view, bool strict, arena *a,
                      dts_error *e) {
  value old;
  const char *version = version_of(view, a);
  if (known_version(c, name_of(view), a, &old, e) < 0) return -1;
  bool same = value_is(&old, version);
  if (old.kind == VALUE_TEXT && !same && drop_old(c, name_of(view), old.text.bytes, a, e) < 0)
    return -1;
  int rc = is_kept(view) ? ensure_kept(c, set, view, same, strict, a, e)
                         : store_view_ensure(c, name_of(view), sql_of(view), e);
  return rc < 0 ? -1 : remember(c, name_of(view), version, a, e);
}

int views_ensure(store_conn *c, const registry *set, bool strict, dts_error *e) {
  arena a = {0};
  size_t count = set->views.list.count;
  const value **ordered = arena_alloc(&a, (count + 1) * sizeof *ordered);
  int rc = views_order(&set->views, &a, ordered, e);
  for (size_t i = 0; rc == 0 && i < count; i++) {
    rc = ensure_one(c, set, ordered[i], strict, &a, e);
    if (rc < 0) registry_fail(e, ordered[i]);
  }
  arena_free(&a);
  return rc;
}

/* ---- after a commit ---- */

/* Does it read one of the changed tables? */
static int is_moved(store_conn *c, const value *view, const value *changed, arena *a, bool *moved,
                    dts_error *e) {
  value tables = value_list();
  *moved = false;
  if (store_check(c, select_sql(view, a), a, NULL, &tables, NULL, e) < 0) return -1;
  for (size_t i = 0; i < tables.list.count && !*moved; i++)
    *moved = value_has(changed, tables.list.items[i].text.bytes);
  return 0;
}

/* A view whose tables cannot be told now is looked at again with the next change. */
static int refresh_one(store_conn *c, const value *view, value *changed, arena *a, dts_error *e) {
  dts_error inner = {0};
  bool moved, filled;
  if (is_moved(c, view, changed, a, &moved, &inner) < 0) {
    registry_fail(&inner, view);
    log_warn("%s: view '%s' keeps its old rows: %s", inner.where, name_of(view), inner.message);
    return rollups_stale(c, "view", name_of(view), &inner, e);
  }
  if (!moved) return 0;
  if (fill_or_keep(c, view, &filled, e) < 0) return -1;
  if (filled) value_add(a, changed, value_text(name_of(view)));
  return 0;
}

int views_kept(const registry *set, arena *a, value *kept, dts_error *e) {
  size_t total = set->views.list.count;
  const value **ordered = arena_alloc(a, (total + 1) * sizeof *ordered);
  *kept = value_list();
  if (views_order(&set->views, a, ordered, e) < 0) return -1;
  for (size_t i = 0; i < total; i++)
    if (is_kept(ordered[i])) value_add(a, kept, *ordered[i]);
  return 0;
}

int views_refresh(store_conn *c, const value *kept, const char *const *tables, size_t count,
                  dts_error *e) {
  arena a = {0};
  value changed = value_list();
  int rc = 0;
  for (size_t i = 0; i < count; i++) value_add(&a, &changed, value_text(tables[i]));
  for (size_t i = 0; rc == 0 && i < kept->list.count; i++)
    rc = refresh_one(c, &kept->list.items[i], &changed, &a, e);
  arena_free(&a);
  return rc;
}
