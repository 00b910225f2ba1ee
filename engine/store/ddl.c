/* ddl.c -- declared tables made, or brought up to date, in the database.
 *
 * SQLite's STRICT types know no booleans or dates, so dts_columns keeps what was declared. New
 * columns are added, indexes made and dropped; a changed type, key or check is refused, because it
 * needs every row looked at. Not-null and defaults are the engine's (check.c, put_sql): a column
 * that a script drops stays behind, and must not make the next row impossible.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "store/conn.h"

void sql_add_name(buffer *b, const char *name) {
  buffer_add_char(b, '"');
  for (; *name; name++) {
    if (*name == '"') buffer_add_char(b, '"');
    buffer_add_char(b, *name);
  }
  buffer_add_char(b, '"');
}

static int exec_buffer(store_conn *c, buffer *b, dts_error *e) {
  int result = b->failed ? error_fail(e, "STORE", "no memory for a statement")
                         : store_exec(c, buffer_text(b), NULL, 0, e);
  buffer_free(b);
  buffer_init(b, 1 << 20);
  return result;
}

int ddl_run(store_conn *c, const char *before, const char *name, const char *behind, dts_error *e) {
  buffer b;
  buffer_init(&b, 1 << 20);
  buffer_add_text(&b, before);
  sql_add_name(&b, name);
  buffer_add_text(&b, behind);
  return exec_buffer(c, &b, e);
}

/* ---- making ---- */

static const char *storage(column_type t) {
  switch (t) {
  case COLUMN_INTEGER:
  case COLUMN_BOOLEAN: return "INTEGER";
  case COLUMN_REAL: return "REAL";
  default: return "TEXT";
  }
}

static void add_column(buffer *b, const table_column *c) {
  sql_add_name(b, c->name);
  buffer_add_format(b, " %s", storage(c->type));
  if (c->type != COLUMN_BOOLEAN && !c->check) return;
  buffer_add_text(b, " CONSTRAINT "); /* a broken one is told by its name: the column's */
  sql_add_name(b, c->name);
  buffer_add_text(b, " CHECK (");
  if (c->type == COLUMN_BOOLEAN) sql_add_name(b, c->name);
  if (c->type == COLUMN_BOOLEAN) buffer_add_text(b, c->check ? " IN (0, 1) AND " : " IN (0, 1)");
  if (c->check) buffer_add_format(b, "(%s\n)", c->check);
  buffer_add_char(b, ')');
}

static int create(store_conn *c, const table *t, dts_error *e) {
  buffer b;
  buffer_init(&b, 1 << 20);
  buffer_add_text(&b, "CREATE TABLE ");
  sql_add_name(&b, t->name);
  for (size_t i = 0; i < t->count; i++) {
    buffer_add_text(&b, i ? ",\n  " : " (\n  ");
    add_column(&b, &t->columns[i]);
  }
  for (size_t i = 0; i < t->key_count; i++) {
    buffer_add_text(&b, i ? ", " : ",\n  PRIMARY KEY (");
    sql_add_name(&b, t->columns[t->key[i]].name);
  }
  buffer_add_text(&b, t->key_count ? ")\n) STRICT, WITHOUT ROWID" : "\n) STRICT");
  return exec_buffer(c, &b, e);
}

static int fill_default(store_conn *c, const table *t, const table_column *column, dts_error *e) {
  buffer b;
  buffer_init(&b, 1 << 20);
  buffer_add_text(&b, "UPDATE ");
  sql_add_name(&b, t->name);
  buffer_add_text(&b, " SET ");
  sql_add_name(&b, column->name);
  buffer_add_format(&b, " = (%s\n)", column->otherwise);
  store_touch(c, t->name);
  return exec_buffer(c, &b, e);
}

/* A new column without a value for the rows that are there. */
static int refuse_empty(store_conn *c, const table *t, const table_column *column, dts_error *e) {
  buffer b;
  value found = value_null();
  buffer_init(&b, 1 << 20);
  buffer_add_text(&b, "select 1 from ");
  sql_add_name(&b, t->name);
  buffer_add_text(&b, " limit 1");
  int result = store_get(c, buffer_text(&b), NULL, 0, NULL, &found, e);
  buffer_free(&b);
  if (result < 0 || found.kind == VALUE_NULL) return result;
  error_fail(e, "TABLE_CHANGED",
             "column '%s' is new in table '%s' and not null, but its rows have no value for it",
             column->name, t->name);
  return error_hint(e, "give it a default: \"%s %s not null default ...\"; or leave `not null` out",
                    column->name, column_type_name(column->type));
}

/* A number, a text in quotes, true or false: what ALTER TABLE takes for a default. */
static bool is_literal(const char *text) {
  char *end = NULL;
  size_t size = strlen(text);
  if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0) return true;
  if (strspn(text, "+-.0123456789eE") == size && size > 0) return strtod(text, &end), !*end;
  if (size < 2 || *text != '\'' || text[size - 1] != '\'') return false;
  for (size_t i = 1; i < size - 1; i++) /* a quote within is doubled */
    if (text[i] == '\'' && (++i == size - 1 || text[i] != '\'')) return false;
  return true;
}

/* The default stands in the store, too: runs that began before the column was declared do not name it. */
static int add_to(store_conn *c, const table *t, const table_column *column, dts_error *e) {
  buffer b;
  buffer_init(&b, 1 << 20);
  buffer_add_text(&b, "ALTER TABLE ");
  sql_add_name(&b, t->name);
  buffer_add_text(&b, " ADD COLUMN ");
  add_column(&b, column);
  if (column->otherwise && is_literal(column->otherwise))
    buffer_add_format(&b, " DEFAULT %s", column->otherwise);
  if (exec_buffer(c, &b, e) < 0) return -1;
  if (column->otherwise) return fill_default(c, t, column, e);
  return column->not_null ? refuse_empty(c, t, column, e) : 0;
}

/* ---- what is there already ---- */

static int refuse_change(const table *t, const char *what, const char *name, const char *from,
                         const char *to, dts_error *e) {
  error_fail(e, "TABLE_CHANGED", "the %s of %s in table '%s' changed from %s to %s", what, name,
             t->name, from, to);
  return error_hint(e,
                    "`dts migrate %s` shows what would become of its rows, with --apply it "
                    "rebuilds the table; or keep it as it was",
                    t->name);
}

typedef struct existing {
  arena *memory;
  value columns;
} existing;

static int add_existing(void *arg, const store_header *header, const value *row, dts_error *e) {
  existing *x = arg;
  value column = value_map();
  (void)e;
  for (size_t i = 1; i < header->count; i++)
    value_set(x->memory, &column, header->names[i], value_copy(x->memory, &row[i]));
  value name = value_copy(x->memory, &row[0]);
  value_set(x->memory, &x->columns, name.text.bytes, value_copy(x->memory, &column));
  return 0;
}

int ddl_read_columns(store_conn *c, const char *table_name, arena *a, value *columns,
                     dts_error *e) {
  existing x = {.memory = a, .columns = value_map()};
  value name = value_text(table_name);
  int result = store_select(c,
                            "select name, type, position, doc, check_sql, not_null from dts_columns"
                            " where table_name = ?1 order by position",
                            &name, 1, add_existing, &x, e);
  *columns = x.columns;
  return result;
}

static int save_column(store_conn *c, const table *t, size_t i, dts_error *e) {
  const table_column *k = &t->columns[i];
  const value row[] = {
      value_text(t->name),       value_text(k->name), value_text(column_type_name(k->type)),
      value_integer((int64_t)i), value_text(k->doc),  value_text(k->check),
      value_integer(k->not_null)};
  return store_exec(
      c,
      "insert into dts_columns(table_name, name, type, position, doc, check_sql, not_null)"
      " values(?1, ?2, ?3, ?4, ?5, ?6, ?7) on conflict do update set type = excluded.type,"
      " position = excluded.position, doc = excluded.doc, check_sql = excluded.check_sql,"
      " not_null = excluded.not_null",
      row, 7, e);
}

/* Rows that are there already must not break what is said of all rows from now on. */
static int refuse_nulls(store_conn *c, const table *t, const table_column *k, dts_error *e) {
  buffer b;
  value found = value_null();
  buffer_init(&b, 1 << 20);
  buffer_add_text(&b, "select 1 from ");
  sql_add_name(&b, t->name);
  buffer_add_text(&b, " where ");
  sql_add_name(&b, k->name);
  buffer_add_text(&b, " is null limit 1");
  int result = store_get(c, buffer_text(&b), NULL, 0, NULL, &found, e);
  buffer_free(&b);
  if (result < 0 || found.kind == VALUE_NULL) return result;
  error_fail(e, "TABLE_CHANGED",
             "column '%s' of table '%s' is not null now, and has rows without a value", k->name,
             t->name);
  return error_hint(
      e,
      "give it a default and run `dts migrate %s --apply`, which fills it in; or leave "
      "`not null` out",
      t->name);
}

static int update_column(store_conn *c, const table *t, size_t i, const value *old, dts_error *e) {
  const table_column *k = &t->columns[i];
  if (!old) return add_to(c, t, k, e) < 0 ? -1 : save_column(c, t, i, e);
  const char *type = value_get_text(old, "type", ""), *check = value_get_text(old, "check_sql", "");
  if (strcmp(type, column_type_name(k->type)) != 0)
    return refuse_change(t, "type", k->name, type, column_type_name(k->type), e);
  if (strcmp(check, k->check ? k->check : "") != 0)
    return refuse_change(t, "check", k->name, *check ? check : "none", k->check ? k->check : "none",
                         e);
  bool was = value_get_integer(old, "not_null", 0) != 0;
  if (k->not_null && !was && refuse_nulls(c, t, k, e) < 0) return -1;
  bool same = was == k->not_null && value_get_integer(old, "position", -1) == (int64_t)i &&
              strcmp(value_get_text(old, "doc", ""), k->doc) == 0;
  return same ? 0 : save_column(c, t, i, e);
}

void ddl_join_key(const table *t, buffer *b) {
  for (size_t i = 0; i < t->key_count; i++)
    buffer_add_format(b, "%s%s", i ? ", " : "", t->columns[t->key[i]].name);
}

int ddl_read_key(store_conn *c, const char *table_name, arena *a, value *key, dts_error *e) {
  value name = value_text(table_name);
  return store_get(c,
                   "select coalesce(group_concat(name, ', '), '') from"
                   " (select name from pragma_table_info(?1) where pk > 0 order by pk)",
                   &name, 1, a, key, e);
}

static int check_key(store_conn *c, const table *t, dts_error *e) {
  arena a = {0};
  value old = value_null();
  buffer now;
  buffer_init(&now, 1 << 20);
  ddl_join_key(t, &now);
  int result = ddl_read_key(c, t->name, &a, &old, e);
  if (result == 0 && !value_is(&old, buffer_text(&now)))
    result = refuse_change(t, "key", "its rows", old.text.size ? old.text.bytes : "none",
                           now.size ? buffer_text(&now) : "none", e);
  buffer_free(&now);
  arena_free(&a);
  return result;
}

static int update_columns(store_conn *c, const table *t, bool is_new, dts_error *e) {
  arena a = {0};
  value columns;
  int result = ddl_read_columns(c, t->name, &a, &columns, e);
  for (size_t i = 0; result == 0 && i < t->count; i++)
    result = is_new ? save_column(c, t, i, e)
                    : update_column(c, t, i, value_get(&columns, t->columns[i].name), e);
  arena_free(&a);
  return result;
}

/* ---- indexes: named dts_index.TABLE.COLUMN.COLUMN, so a list of columns has one name ---- */

static void add_index_name(const table *t, const value *columns, buffer *b) {
  buffer_add_format(b, "dts_index.%s", t->name);
  for (size_t i = 0; i < columns->list.count; i++)
    buffer_add_format(b, ".%s", columns->list.items[i].text.bytes);
}

static int make_index(store_conn *c, const table *t, const value *columns, dts_error *e) {
  buffer name, b;
  buffer_init(&name, 1 << 20);
  buffer_init(&b, 1 << 20);
  add_index_name(t, columns, &name);
  buffer_add_text(&b, "CREATE INDEX IF NOT EXISTS ");
  sql_add_name(&b, buffer_text(&name));
  buffer_add_text(&b, " ON ");
  sql_add_name(&b, t->name);
  for (size_t i = 0; i < columns->list.count; i++) {
    buffer_add_char(&b, i ? ',' : '(');
    sql_add_name(&b, columns->list.items[i].text.bytes);
  }
  buffer_add_char(&b, ')');
  buffer_free(&name);
  return exec_buffer(c, &b, e);
}

static bool is_declared(const table *t, const value *index) {
  bool found = false;
  for (size_t i = 0; i < t->index_count && !found; i++) {
    buffer name;
    buffer_init(&name, 1 << 20);
    add_index_name(t, &t->indexes[i], &name);
    found = value_is(index, buffer_text(&name));
    buffer_free(&name);
  }
  return found;
}

static int drop_indexes(store_conn *c, const table *t, dts_error *e) {
  arena a = {0};
  existing x = {.memory = &a, .columns = value_map()};
  value name = value_text(t->name);
  int result = store_select(c,
                            "select name from sqlite_schema where type = 'index' and tbl_name = ?1"
                            " and name glob 'dts_index.*'",
                            &name, 1, add_existing, &x, e);
  for (size_t i = 0; result == 0 && i < x.columns.map.count; i++) {
    const value *index = &x.columns.map.pairs[i].key;
    if (is_declared(t, index)) continue;
    result = ddl_run(c, "DROP INDEX ", index->text.bytes, "", e);
  }
  arena_free(&a);
  return result;
}

static int update_indexes(store_conn *c, const table *t, dts_error *e) {
  for (size_t i = 0; i < t->index_count; i++)
    if (make_index(c, t, &t->indexes[i], e) < 0) return -1;
  return drop_indexes(c, t, e);
}

/* "new", "ours", or an error: a view, or a table that was not declared. */
int ddl_find_table(store_conn *c, const table *t, bool *is_new, dts_error *e) {
  arena a = {0};
  value name = value_text(t->name), type, ours;
  int result =
      store_get(c, "select type from sqlite_schema where name = ?1", &name, 1, &a, &type, e);
  if (result == 0)
    result = store_get(c, "select count(*) from dts_columns where table_name = ?1", &name, 1, &a,
                       &ours, e);
  *is_new = result == 0 && type.kind == VALUE_NULL;
  if (result == 0 && !*is_new && (!value_is(&type, "table") || !ours.integer))
    result = error_fail(e, "TABLE",
                        "table '%s': the store has a %s of this name that no script declares",
                        t->name, type.text.bytes);
  arena_free(&a);
  return result;
}

int store_table_ensure(store_conn *c, const table *t, dts_error *e) {
  bool is_new;
  if (fragments_check(c, t, e) < 0 || ddl_find_table(c, t, &is_new, e) < 0) return -1;
  if ((is_new ? create(c, t, e) : check_key(c, t, e)) < 0) return -1;
  if (update_columns(c, t, is_new, e) < 0) return -1;
  return update_indexes(c, t, e);
}
