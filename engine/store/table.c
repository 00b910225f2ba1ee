/* table.c -- a table's declaration, read and checked once.
 *
 * Whatever is wrong is said with the script's file and line. A declaration that was accepted here
 * can be made into SQL without further checks: names are plain words, types known, columns there.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "store/conn.h"

enum { NAME_SIZE = 63, COLUMNS = TABLE_COLUMNS };

static const char *const type_names[] = {"text", "integer",   "real", "boolean",
                                         "date", "timestamp", "json", NULL};

const char *column_type_name(column_type t) { return type_names[t]; }

int column_type_read(const char *name, column_type *t) {
  for (size_t i = 0; type_names[i]; i++)
    if (strcmp(type_names[i], name) == 0) return *t = (column_type)i, 0;
  return -1;
}

const table_column *table_find(const table *t, const char *name, size_t *index) {
  for (size_t i = 0; i < t->count; i++)
    if (strcmp(t->columns[i].name, name) == 0) {
      if (index) *index = i;
      return &t->columns[i];
    }
  return NULL;
}

const char *table_nearest(const table *t, const char *word, arena *a) {
  const char **names = arena_alloc(a, (t->count + 1) * sizeof *names);
  for (size_t i = 0; i < t->count; i++) names[i] = t->columns[i].name;
  return error_nearest(word, names);
}

int table_unknown_column(const table *t, const char *name, arena *a, dts_error *e) {
  const char *near = table_nearest(t, name, a);
  error_fail(e, "COLUMN", "table '%s' has no column '%s'", t->name, name);
  return near ? error_hint(e, "did you mean '%s'?", near) : -1;
}

/* ---- reading ---- */

typedef struct reading {
  arena *a;
  table *t;
  table_column *columns;
  const value *declaration;
  dts_error *e;
} reading;

static int check_name(const char *noun, const char *name, dts_error *e) {
  size_t size = name ? strlen(name) : 0;
  bool good = size && size <= NAME_SIZE && name[0] >= 'a' && name[0] <= 'z' &&
              strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == size;
  if (!good) {
    error_fail(e, "TABLE",
               "%s name \"%.80s\": small letters, digits and _ expected, a letter first", noun,
               name ? name : "");
    return error_hint(e, "at most %d characters", NAME_SIZE);
  }
  if (strncmp(name, "dts_", 4) == 0 || strncmp(name, "sqlite_", 7) == 0)
    return error_fail(e, "TABLE", "%s name \"%s\": names with this beginning are the engine's own",
                      noun, name);
  return 0;
}

static int check_fields(const value *map, const char *const *known, const char *where,
                        dts_error *e) {
  for (size_t i = 0; i < map->map.count; i++) {
    const char *name = map->map.pairs[i].key.text.bytes;
    bool found = false;
    for (const char *const *k = known; *k && !found; k++) found = strcmp(*k, name) == 0;
    if (found) continue;
    const char *near = error_nearest(name, known);
    error_fail(e, "TABLE", "%s: unknown field '%.60s'", where, name);
    return near ? error_hint(e, "did you mean '%s'?", near) : -1;
  }
  return 0;
}

static int read_type(reading *r, table_column *c, const char *type) {
  if (type && column_type_read(type, &c->type) == 0) return 0;
  const char *near = type ? error_nearest(type, type_names) : NULL;
  error_fail(
      r->e, "TABLE",
      "column '%s' of table '%s': type \"%.60s\", expected text, integer, real, boolean, date, "
      "timestamp or json",
      c->name, r->t->name, type ? type : "");
  return near ? error_hint(r->e, "did you mean '%s'?", near) : -1;
}

static int read_column(reading *r, const value *v, table_column *c) {
  static const char *const fields[] = {"name", "type", "not_null", "default", "check", "doc", NULL};
  char where[160];
  if (v->kind != VALUE_MAP)
    return error_fail(r->e, "TABLE", "table '%s': a column is a %s, not a map", r->t->name,
                      value_kind_name(v));
  c->name = arena_text(r->a, value_get_text(v, "name", ""));
  snprintf(where, sizeof where, "column '%.60s' of table '%.63s'", c->name, r->t->name);
  if (check_name("column", c->name, r->e) < 0 || check_fields(v, fields, where, r->e) < 0)
    return -1;
  c->doc = arena_text(r->a, value_get_text(v, "doc", ""));
  c->otherwise = arena_text(r->a, value_get_text(v, "default", NULL));
  c->check = arena_text(r->a, value_get_text(v, "check", NULL));
  c->not_null = value_get_boolean(v, "not_null", false);
  return read_type(r, c, value_get_text(v, "type", NULL));
}

static int read_columns(reading *r) {
  const value *list = value_get(r->declaration, "columns");
  if (!list || list->kind != VALUE_LIST || !list->list.count || list->list.count > COLUMNS)
    return error_fail(r->e, "TABLE", "table '%s': a list of 1 to %d columns expected", r->t->name,
                      COLUMNS);
  r->columns = arena_alloc(r->a, list->list.count * sizeof *r->columns);
  r->t->columns = r->columns;
  for (size_t i = 0; i < list->list.count; i++) {
    if (read_column(r, &list->list.items[i], &r->columns[i]) < 0) return -1;
    if (table_find(r->t, r->columns[i].name, NULL))
      return error_fail(r->e, "TABLE", "table '%s' has two columns '%s'", r->t->name,
                        r->columns[i].name);
    r->t->count++;
  }
  return 0;
}

/* The column that a key or an index names. */
static const table_column *named(reading *r, const char *noun, const value *v, size_t *index) {
  const char *name = v->kind == VALUE_TEXT ? v->text.bytes : "";
  const table_column *c = table_find(r->t, name, index);
  if (c) return c;
  const char *near = table_nearest(r->t, name, r->a);
  error_fail(r->e, "TABLE", "table '%s': the %s names column '%.60s', which it does not have",
             r->t->name, noun, name);
  if (near) error_hint(r->e, "did you mean '%s'?", near);
  return NULL;
}

static int read_key(reading *r) {
  const value *list = value_get(r->declaration, "key");
  if (!list) return 0;
  if (list->kind != VALUE_LIST)
    return error_fail(r->e, "TABLE", "table '%s': key is a %s, a list of columns expected",
                      r->t->name, value_kind_name(list));
  size_t *key = arena_alloc(r->a, list->list.count * sizeof *key);
  for (size_t i = 0; i < list->list.count; i++) {
    if (!named(r, "key", &list->list.items[i], &key[i])) return -1;
    table_column *c = &r->columns[key[i]];
    if (c->key)
      return error_fail(r->e, "TABLE", "table '%s': '%s' is twice in its key", r->t->name, c->name);
    c->key = c->not_null = true;
  }
  r->t->key = key;
  r->t->key_count = list->list.count;
  return 0;
}

static int read_indexes(reading *r) {
  const value *list = value_get(r->declaration, "index");
  if (!list) return 0;
  if (list->kind != VALUE_LIST)
    return error_fail(r->e, "TABLE", "table '%s': index is a %s, a list of lists expected",
                      r->t->name, value_kind_name(list));
  value copy = value_copy(r->a, list);
  for (size_t i = 0; i < copy.list.count; i++) {
    const value *columns = &copy.list.items[i];
    if (columns->kind != VALUE_LIST || !columns->list.count)
      return error_fail(r->e, "TABLE", "table '%s': index %zu is no list of columns", r->t->name,
                        i + 1);
    for (size_t j = 0; j < columns->list.count; j++)
      if (!named(r, "index", &columns->list.items[j], NULL)) return -1;
  }
  r->t->indexes = copy.list.items;
  r->t->index_count = copy.list.count;
  return 0;
}

/* ---- the upsert ---- */

static void add_updates(const table *t, buffer *b) {
  buffer_add_text(b, " on conflict(");
  for (size_t i = 0; i < t->key_count; i++) {
    if (i) buffer_add_char(b, ',');
    sql_add_name(b, t->columns[t->key[i]].name);
  }
  buffer_add_text(b, t->key_count == t->count ? ") do nothing" : ") do update set ");
  for (size_t i = 0, n = 0; i < t->count; i++) {
    if (t->columns[i].key) continue;
    if (n++) buffer_add_char(b, ',');
    sql_add_name(b, t->columns[i].name);
    buffer_add_text(b, "=excluded.");
    sql_add_name(b, t->columns[i].name);
  }
}

/* A null parameter stands for "left out", so it becomes the column's default where it has one. */
static void add_values(const table *t, const char *parameter, size_t first, buffer *b) {
  for (size_t i = 0; i < t->count; i++) {
    const char *otherwise = t->columns[i].otherwise, *comma = i ? "," : "";
    if (otherwise)
      buffer_add_format(b, "%scoalesce(%s%zu,(%s\n))", comma, parameter, i + first, otherwise);
    else
      buffer_add_format(b, "%s%s%zu", comma, parameter, i + first);
  }
}

/* `all`: from a source of rows. What it wrote when a row is refused is undone by the caller with
 * its transaction, so it may fail where it stands (OR FAIL) and keeps no journal of its own. */
static const char *make_put_sql(const table *t, bool all, bool upsert, arena *a) {
  buffer b;
  buffer_init(&b, SIZE_MAX / 2);
  buffer_add_text(&b, all ? "insert or fail into " : "insert into ");
  sql_add_name(&b, t->name);
  for (size_t i = 0; i < t->count; i++) {
    buffer_add_char(&b, i ? ',' : '(');
    sql_add_name(&b, t->columns[i].name);
  }
  buffer_add_text(&b, all ? ") select " : ") values(");
  add_values(t, all ? "c" : "?", all ? 0 : 1, &b);
  buffer_add_text(&b, all ? " from dts_bulk(?1) where true" : ")");
  if (t->key_count && upsert) add_updates(t, &b);
  const char *sql = arena_text(a, buffer_text(&b));
  buffer_free(&b);
  return sql;
}

static int read_all(reading *r) {
  static const char *const fields[] = {"name", "file",    "line",    "key",  "columns", "index",
                                       "rows", "keep_ms", "private", "noun", NULL};
  const value *d = r->declaration;
  table *t = r->t;
  char where[96];
  if (d->kind != VALUE_MAP) return error_fail(r->e, "TABLE", "a table's declaration is no map");
  t->name = arena_text(r->a, value_get_text(d, "name", ""));
  snprintf(where, sizeof where, "table '%.63s'", t->name);
  if (check_name("table", t->name, r->e) < 0 || check_fields(d, fields, where, r->e) < 0) return -1;
  t->file = arena_text(r->a, value_get_text(d, "file", ""));
  t->rows = arena_text(r->a, value_get_text(d, "rows", NULL));
  t->keep_ms = value_get_integer(d, "keep_ms", 0);
  t->line = value_get_integer(d, "line", 0);
  t->is_private = value_get_boolean(d, "private", false);
  if (t->keep_ms < 0)
    return error_fail(r->e, "TABLE", "table '%s': keep is less than nothing", t->name);
  if (read_columns(r) < 0 || read_key(r) < 0 || read_indexes(r) < 0) return -1;
  t->put_sql = make_put_sql(t, false, true, r->a);
  t->put_all_sql = make_put_sql(t, true, true, r->a);
  t->add_all_sql = make_put_sql(t, true, false, r->a);
  return 0;
}

table *table_read(arena *a, const value *declaration, dts_error *e) {
  dts_error own = {0};
  reading r = {
      .a = a, .t = arena_alloc(a, sizeof *r.t), .declaration = declaration, .e = e ? e : &own};
  if (read_all(&r) == 0) return r.t;
  snprintf(r.e->where, sizeof r.e->where, "%.200s:%lld", value_get_text(declaration, "file", ""),
           (long long)value_get_integer(declaration, "line", 0));
  return NULL;
}
