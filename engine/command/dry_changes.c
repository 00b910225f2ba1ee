/* dry_changes.c -- what a dry run would change, row by row. See dry.h.
 *
 * For the n-th table there is dts_dry_N with the table's columns and dts_new: triggers put a row
 * there when its key is touched for the first time, with what stood in the table before, or with
 * its key alone and dts_new = 1 when there was none. A table without a key only appends: its new
 * rows are counted by rowid.
 *
 * SPDX-License-Identifier: MIT */
#include <stdio.h>
#include <string.h>

#include "command/dry_parts.h"
#include "command/screen.h"
#include "format/json.h"

enum { SQL_LIMIT = 1 << 20, EXAMPLES = 3, SHOWN = 40 };

/* ---- SQL ---- */

static void add_name(buffer *b, const char *prefix, const char *name) {
  buffer_add_format(b, "%s\"", prefix);
  for (; *name; name++) {
    if (*name == '"') buffer_add_char(b, '"');
    buffer_add_char(b, *name);
  }
  buffer_add_char(b, '"');
}

static void add_columns(buffer *b, const table *t, const char *prefix, bool only_key) {
  for (size_t i = 0, n = 0; i < t->count; i++) {
    if (only_key && !t->columns[i].key) continue;
    if (n++) buffer_add_char(b, ',');
    add_name(b, prefix, t->columns[i].name);
  }
}

/* "d.k = t.k and …" of the key. */
static void add_same_key(buffer *b, const table *t, const char *one, const char *other) {
  for (size_t i = 0; i < t->key_count; i++) {
    const char *name = t->columns[t->key[i]].name;
    if (i) buffer_add_text(b, " and ");
    add_name(b, one, name);
    buffer_add_text(b, " = ");
    add_name(b, other, name);
  }
}

static int exec(store_conn *c, buffer *b, dts_error *e) {
  int rc = b->failed ? error_fail(e, "LIMIT_SIZE", "a table is too wide for a dry run")
                     : store_exec(c, buffer_text(b), NULL, 0, e);
  buffer_clear(b);
  return rc;
}

/* ---- watching ---- */

static void add_trigger(buffer *b, const table *t, size_t n, const char *when, const char *row,
                        bool fresh) {
  buffer_add_format(b, "create trigger dts_dry_%zu_%s %s on ", n, fresh ? "new" : row + 4, when);
  add_name(b, "", t->name);
  buffer_add_format(b, " begin insert into dts_dry_%zu (dts_new, ", n);
  add_columns(b, t, "", fresh);
  buffer_add_format(b, ") select %d, ", fresh);
  add_columns(b, t, fresh ? "new." : "old.", fresh);
  buffer_add_format(b, " where not exists (select 1 from dts_dry_%zu d where ", n);
  add_same_key(b, t, "d.", fresh ? "new." : "old.");
  buffer_add_text(b, "); end");
}

static int watch_keyed(store_conn *c, const table *t, size_t n, buffer *b, dts_error *e) {
  buffer_add_format(b, "create table dts_dry_%zu as select 0 as dts_new, ", n);
  add_columns(b, t, "", false);
  add_name(b, " from ", t->name);
  buffer_add_text(b, " where 0");
  if (exec(c, b, e) < 0) return -1;
  buffer_add_format(b, "create unique index dts_dry_%zu_key on dts_dry_%zu (", n, n);
  add_columns(b, t, "", true);
  buffer_add_char(b, ')');
  if (exec(c, b, e) < 0) return -1;
  add_trigger(b, t, n, "before update", "old.u", false);
  if (exec(c, b, e) < 0) return -1;
  add_trigger(b, t, n, "before delete", "old.d", false);
  if (exec(c, b, e) < 0) return -1;
  add_trigger(b, t, n, "after insert", "new.i", true);
  return exec(c, b, e);
}

static int watch_keyless(store_conn *c, const table *t, size_t n, buffer *b, dts_error *e) {
  buffer_add_format(b, "create table dts_dry_%zu (id integer primary key)", n);
  if (exec(c, b, e) < 0) return -1;
  buffer_add_format(b, "create trigger dts_dry_%zu_new after insert on ", n);
  add_name(b, "", t->name);
  buffer_add_format(b, " begin insert into dts_dry_%zu values (new.rowid); end", n);
  return exec(c, b, e);
}

/* Roll-ups and kept views follow from the others. */
static bool is_watched(const registry *set, const table *t) {
  return !registry_find(&set->views, t->name) && !registry_rollup_of(set, t->name);
}

static int watch_all(store_conn *c, void *arg, dts_error *e) {
  const registry *set = arg;
  buffer b;
  int rc = 0;
  buffer_init(&b, SQL_LIMIT);
  for (size_t i = 0; rc == 0 && i < set->table_count; i++) {
    const table *t = set->tables[i];
    if (!is_watched(set, t)) continue;
    rc = t->key_count ? watch_keyed(c, t, i, &b, e) : watch_keyless(c, t, i, &b, e);
  }
  buffer_free(&b);
  return rc;
}

int dry_watch(dry *d, engine *n, dts_error *e) {
  kernel *k = engine_kernel(n);
  registry *set = kernel_registry(k);
  (void)d;
  int rc = store_write(kernel_store(k), watch_all, set, e);
  registry_release(set);
  return rc;
}

/* ---- comparing ---- */

typedef struct comparing {
  const registry *set;
  arena *memory;
  value out;
  const table *table; /* while rows of one are read */
  value *examples;
  const char *what;
} comparing;

static void add_from(buffer *b, const table *t, size_t n, const char *rest) {
  buffer_add_format(b, " from dts_dry_%zu d left join ", n);
  add_name(b, "", t->name);
  buffer_add_text(b, " t on ");
  add_same_key(b, t, "d.", "t.");
  buffer_add_text(b, rest);
}

/* "(d.a is t.a and …)" over the columns that are no key. */
static void add_equal(buffer *b, const table *t) {
  buffer_add_text(b, "(true");
  for (size_t i = 0; i < t->count; i++) {
    if (t->columns[i].key) continue;
    add_name(b, " and d.", t->columns[i].name);
    add_name(b, " is t.", t->columns[i].name);
  }
  buffer_add_char(b, ')');
}

static int count_keyed(void *arg, const store_header *header, const value *row, dts_error *e) {
  static const char *const names[] = {"added", "changed", "unchanged", "removed"};
  comparing *x = arg;
  value *entry = x->examples;
  (void)header, (void)e;
  for (size_t i = 0; i < 4; i++)
    value_set(x->memory, entry, names[i],
              value_integer(row[i].kind == VALUE_INTEGER ? row[i].integer : 0));
  return 0;
}

static value key_of(comparing *x, const value *row) { /* the row begins with the key */
  value key = value_map();
  for (size_t i = 0; i < x->table->key_count; i++)
    value_set(x->memory, &key, x->table->columns[x->table->key[i]].name,
              value_copy(x->memory, &row[i]));
  return key;
}

/* key…, then old and new of each column. */
static int add_example(void *arg, const store_header *header, const value *row, dts_error *e) {
  comparing *x = arg;
  const table *t = x->table;
  value v = value_map(), columns = value_list();
  size_t at = t->key_count;
  (void)header, (void)e;
  for (size_t i = 0; i < t->count; i++) {
    if (t->columns[i].key) continue;
    const value *old = &row[at++], *now = &row[at++];
    if (old->kind == now->kind && value_equal(old, now)) continue;
    value one = value_map();
    value_set(x->memory, &one, "column", value_text(t->columns[i].name));
    value_set(x->memory, &one, "old", value_copy(x->memory, old));
    value_set(x->memory, &one, "new", value_copy(x->memory, now));
    value_add(x->memory, &columns, one);
  }
  value_set(x->memory, &v, "was", value_text(x->what));
  value_set(x->memory, &v, "key", key_of(x, row));
  value_set(x->memory, &v, "columns", columns);
  value_add(x->memory, x->examples, v);
  return 0;
}

static int read_examples(store_conn *c, comparing *x, size_t n, const char *what, bool fresh,
                         dts_error *e) {
  const table *t = x->table;
  buffer b;
  buffer_init(&b, SQL_LIMIT);
  buffer_add_text(&b, "select ");
  for (size_t i = 0; i < t->key_count; i++) {
    add_name(&b, i ? ",d." : "d.", t->columns[t->key[i]].name);
  }
  for (size_t i = 0; i < t->count; i++) {
    if (t->columns[i].key) continue;
    add_name(&b, ",d.", t->columns[i].name);
    add_name(&b, ",t.", t->columns[i].name);
  }
  add_from(&b, t, n, fresh ? " where d.dts_new = 1 and t." : " where d.dts_new = 0 and t.");
  add_name(&b, "", t->columns[t->key[0]].name);
  buffer_add_text(&b, " is not null");
  if (!fresh) buffer_add_text(&b, " and not ");
  if (!fresh) add_equal(&b, t);
  buffer_add_format(&b, " limit %d", EXAMPLES);
  x->what = what;
  int rc = b.failed ? error_fail(e, "LIMIT_SIZE", "table '%s' is too wide for a dry run", t->name)
                    : store_select(c, buffer_text(&b), NULL, 0, add_example, x, e);
  buffer_free(&b);
  return rc;
}

static int compare_keyed(store_conn *c, comparing *x, size_t n, value *entry, dts_error *e) {
  const table *t = x->table;
  const char *key = t->columns[t->key[0]].name;
  value list = value_list();
  buffer b;
  buffer_init(&b, SQL_LIMIT);
  buffer_add_text(&b, "select coalesce(sum(d.dts_new = 1 and t.");
  add_name(&b, "", key);
  buffer_add_text(&b, " is not null), 0), coalesce(sum(d.dts_new = 0 and t.");
  add_name(&b, "", key);
  buffer_add_text(&b, " is not null and not ");
  add_equal(&b, t);
  buffer_add_text(&b, "), 0), coalesce(sum(d.dts_new = 0 and t.");
  add_name(&b, "", key);
  buffer_add_text(&b, " is not null and ");
  add_equal(&b, t);
  buffer_add_text(&b, "), 0), coalesce(sum(d.dts_new = 0 and t.");
  add_name(&b, "", key);
  buffer_add_text(&b, " is null), 0)");
  add_from(&b, t, n, "");
  x->examples = entry;
  int rc = b.failed ? error_fail(e, "LIMIT_SIZE", "table '%s' is too wide for a dry run", t->name)
                    : store_select(c, buffer_text(&b), NULL, 0, count_keyed, x, e);
  buffer_free(&b);
  x->examples = &list;
  if (rc == 0) rc = read_examples(c, x, n, "changed", false, e);
  if (rc == 0) rc = read_examples(c, x, n, "added", true, e);
  value_set(x->memory, entry, "examples", list);
  return rc;
}

static int compare_keyless(store_conn *c, comparing *x, size_t n, value *entry, dts_error *e) {
  value v;
  const char *sql = arena_format(x->memory, "select count(*) from dts_dry_%zu", n);
  if (store_get(c, sql, NULL, 0, x->memory, &v, e) < 0) return -1;
  value_set(x->memory, entry, "added", v);
  return 0;
}

static bool is_touched(const value *entry) {
  return value_get_integer(entry, "added", 0) || value_get_integer(entry, "changed", 0) ||
         value_get_integer(entry, "unchanged", 0) || value_get_integer(entry, "removed", 0);
}

static int compare_all(store_conn *c, void *arg, dts_error *e) {
  comparing *x = arg;
  for (size_t i = 0; i < x->set->table_count; i++) {
    const table *t = x->table = x->set->tables[i];
    value entry = value_map();
    if (!is_watched(x->set, t)) continue;
    value_set(x->memory, &entry, "table", value_text(arena_text(x->memory, t->name)));
    int rc = t->key_count ? compare_keyed(c, x, i, &entry, e) : compare_keyless(c, x, i, &entry, e);
    if (rc < 0) return -1;
    if (is_touched(&entry)) value_add(x->memory, &x->out, entry);
  }
  return 0;
}

int dry_changes(dry *d, engine *n, arena *a, value *out, dts_error *e) {
  kernel *k = engine_kernel(n);
  registry *set = kernel_registry(k);
  comparing x = {.set = set, .memory = a, .out = value_list()};
  (void)d;
  int rc = store_read(kernel_store(k), compare_all, &x, e);
  *out = value_copy(a, &x.out);
  registry_release(set);
  return rc;
}

/* ---- printing ---- */

static void add_shown(buffer *b, const value *v) {
  char text[SHOWN + 16];
  buffer_add_text(b, v ? json_shorten(text, SHOWN, v) : "null");
}

static void print_example(const value *example) {
  const value *key = value_get(example, "key"), *columns = value_get(example, "columns");
  bool added = value_is(value_get(example, "was"), "added");
  buffer b, safe;
  buffer_init(&b, 64 * 1024);
  buffer_init(&safe, 256 * 1024);
  buffer_add_text(&b, added ? "  + " : "  ~ ");
  for (size_t i = 0; i < key->map.count; i++) {
    if (i) buffer_add_text(&b, ", ");
    const value *one = &key->map.pairs[i].item;
    if (one->kind == VALUE_TEXT)
      buffer_add(&b, one->text.bytes, one->text.size);
    else
      add_shown(&b, one);
  }
  buffer_add_char(&b, ':');
  for (size_t i = 0; columns && i < columns->list.count; i++) {
    const value *one = &columns->list.items[i];
    buffer_add_format(&b, "%s %s: ", i ? "," : "", value_get_text(one, "column", ""));
    if (!added) add_shown(&b, value_get(one, "old"));
    if (!added) buffer_add_text(&b, " → ");
    add_shown(&b, value_get(one, "new"));
  }
  screen s = screen_of(stdout);
  screen_fit(&safe, buffer_text(&b), b.size, s.width ? s.width : b.size * 4, false);
  printf("%s\n", buffer_text(&safe));
  buffer_free(&b);
  buffer_free(&safe);
}

void dry_print(const value *changes) {
  static const char *const names[] = {"added", "changed", "unchanged", "removed"};
  for (size_t i = 0; i < changes->list.count; i++) {
    const value *entry = &changes->list.items[i], *examples = value_get(entry, "examples");
    printf("%s: ", value_get_text(entry, "table", ""));
    for (size_t k = 0, n = 0; k < 4; k++) {
      int64_t count = value_get_integer(entry, names[k], 0);
      buffer b;
      buffer_init(&b, 256);
      screen_count(&b, count, "row");
      if (count)
        printf("%s%s %s%s", n++ ? ", " : "", buffer_text(&b), k == 2 ? "" : "to be ", names[k]);
      buffer_free(&b);
    }
    putchar('\n');
    for (size_t k = 0; examples && k < examples->list.count; k++)
      print_example(&examples->list.items[k]);
  }
  if (!changes->list.count) puts("no row would be written");
}
