/* export.c -- dts export TABLE: its rows as CSV, NDJSON or Parquet, as a stream.
 *
 * One idea: the rows are read by a connection of this process, one after the other, in one
 * snapshot; an engine that runs beside is asked where the store lies, and no more.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "command/engine.h"
#include "command/export_parts.h"
#include "command/faults.h"
#include "command/screen.h"

enum { ROW_LIMIT = 300 * 1024 * 1024, PATH_SIZE = 4096, STOP_EVERY = 256 };

int export_write(exporting *x, const void *bytes, size_t size, dts_error *e) {
  if (size == 0 || fwrite(bytes, 1, size, x->out) == size) return 0;
  return error_fail(e, errno == EPIPE ? "PIPE" : "FILE", "cannot write: %s", strerror(errno));
}

/* ---- reading ---- */

static int look(void *arg, const store_header *header, const value *row, dts_error *e) {
  exporting *x = arg;
  (void)header, (void)row;
  return x->rows++ % STOP_EVERY == 0 && engine_stop_asked() ? engine_fail_stopped(e) : 0;
}

static int add_row(void *arg, const store_header *header, const value *row, dts_error *e) {
  exporting *x = arg;
  return look(x, header, row, e) < 0 ? -1 : x->form->row(x, row, e);
}

static bool knows_types(const exporting *x) {
  for (size_t i = 0; i < x->columns.list.count; i++)
    if (value_is(value_get(&x->columns.list.items[i], "type"), "any")) return false;
  return true;
}

/* What a view computes has the type that its values show: they are read twice, in one snapshot. */
static int read_rows(store_conn *c, void *arg, dts_error *e) {
  exporting *x = arg;
  value none = value_map();
  store_sql q = {.sql = x->sql, .params = &none, .limit_ms = INT64_MAX / 4};
  if (store_check(c, x->sql, &x->memory, &x->columns, NULL, NULL, e) < 0) return -1;
  if (x->form->typed && !knows_types(x) &&
      store_query(c, &q, &x->memory, &x->columns, NULL, look, x, e) < 0)
    return -1;
  x->rows = 0;
  if (x->form->begin(x, e) < 0) return -1;
  if (store_query(c, &q, &x->memory, NULL, NULL, add_row, x, e) < 0) return -1;
  return x->form->end(x, e);
}

/* ---- what is asked ---- */

static void add_name(buffer *b, const char *text, size_t size) {
  buffer_add_char(b, '"');
  for (size_t i = 0; i < size; i++) {
    if (text[i] == '"') buffer_add_char(b, '"');
    buffer_add_char(b, text[i]);
  }
  buffer_add_char(b, '"');
}

static int check_column(const value *entry, const char *name, size_t size, arena *a, dts_error *e) {
  const value *columns = value_get(entry, "columns");
  const char **names = arena_alloc(a, (columns->list.count + 1) * sizeof *names),
             *word = arena_copy(a, name, size);
  for (size_t i = 0; i < columns->list.count; i++) {
    names[i] = value_get_text(&columns->list.items[i], "name", "");
    if (strcmp(names[i], word) == 0) return 0;
  }
  names[columns->list.count] = NULL;
  const char *nearest = error_nearest(word, names);
  error_fail(e, "USAGE", "table '%s' has no column '%s'", value_get_text(entry, "name", ""), word);
  if (nearest) return error_hint(e, "did you mean '%s'?", nearest);
  return error_hint(e, "`dts catalog %s` lists them", value_get_text(entry, "name", ""));
}

static int add_columns(const given *g, const value *entry, buffer *sql, arena *a, dts_error *e) {
  const char *at = given_text(g, "columns", NULL);
  if (!at) return buffer_add_char(sql, '*');
  for (bool first = true;; first = false, at++) {
    size_t size = strcspn(at, ",");
    if (check_column(entry, at, size, a, e) < 0) return -1;
    if (!first) buffer_add_char(sql, ',');
    add_name(sql, at, size);
    at += size;
    if (!*at) return 0;
  }
}

/* In the key's order, so that two exports of the same rows are the same bytes. */
static int compose(const given *g, const value *entry, arena *a, buffer *sql, dts_error *e) {
  const value *key = value_get(entry, "key");
  const char *name = value_get_text(entry, "name", ""), *where = given_text(g, "where", NULL);
  buffer_add_text(sql, "select ");
  if (add_columns(g, entry, sql, a, e) < 0) return -1;
  buffer_add_text(sql, " from ");
  add_name(sql, name, strlen(name));
  if (where) buffer_add_format(sql, " where (%s\n)", where);
  for (size_t i = 0; key && i < key->list.count; i++) {
    buffer_add_text(sql, i ? ", " : " order by ");
    add_name(sql, key->list.items[i].text.bytes, key->list.items[i].text.size);
  }
  return 0;
}

static int read_format(const given *g, exporting *x, dts_error *e) {
  static const export_form *const forms[] = {&export_csv, &export_ndjson, &export_parquet};
  const char *names[] = {"csv", "ndjson", "parquet", NULL};
  const char *format = given_text(g, "format", g->json ? "ndjson" : "csv");
  if (given_one_of(g, "format", names, e) < 0) return -1;
  for (size_t i = 0; names[i]; i++)
    if (strcmp(format, names[i]) == 0) x->form = forms[i];
  if (!x->form->binary || given_has(g, "output") || !isatty(STDOUT_FILENO)) return 0;
  error_fail(e, "USAGE", "--format %s writes bytes, which a terminal cannot show", format);
  return error_hint(e, "write it to a file: --output %s.%s", given_word(g, 0), format);
}

/* ---- writing ---- */

static int stream(exporting *x, const char *path, dts_error *e) {
  arena a = {0};
  store_options o = {.read_only = true, .readers = 1};
  store *s = store_open(arena_format(&a, "sqlite:%s", path), &o, e);
  int rc = s ? store_read(s, read_rows, x, e) : -1;
  store_close(s);
  arena_free(&a);
  if (rc == 0 && fflush(x->out) != 0)
    return error_fail(e, errno == EPIPE ? "PIPE" : "FILE", "cannot write: %s", strerror(errno));
  return rc;
}

/* A file is there whole or not at all. */
static int to_file(exporting *x, const char *path, const char *target, dts_error *e) {
  char passing[PATH_SIZE];
  snprintf(passing, sizeof passing, "%s.part-%d", target, (int)getpid());
  x->out = fopen(passing, "wx");
  if (!x->out) return error_fail(e, "FILE", "cannot make %.300s: %s", passing, strerror(errno));
  int rc = stream(x, path, e);
  if (rc == 0 && fsync(fileno(x->out)) < 0)
    rc = error_fail(e, "FILE", "cannot write %.300s: %s", passing, strerror(errno));
  fclose(x->out);
  if (rc == 0 && rename(passing, target) < 0)
    rc = error_fail(e, "FILE", "cannot make %.300s: %s", target, strerror(errno));
  if (rc < 0) unlink(passing);
  return rc;
}

static int find(const given *g, arena *a, exporting *x, buffer *sql, const char **path,
                dts_error *e) {
  value order = engine_command(a, "catalog"), place = engine_command(a, "place"), all, where;
  value_set(a, &order, "table", value_text(given_word(g, 0)));
  value_set(a, &order, "rows", value_boolean(false));
  engine *n = engine_here(a, e);
  int rc = n ? faults_ask(n, &order, given_word(g, 0), a, &all, e) : -1;
  if (rc == 0) rc = engine_ask(n, &place, NULL, NULL, a, &where, e);
  if (rc == 0) x->entry = &all.list.items[0];
  if (rc == 0) rc = compose(g, x->entry, a, sql, e);
  if (rc == 0) *path = value_get_text(&where, "store", "");
  engine_close(n);
  return rc;
}

static void tell(const exporting *x, const char *target) {
  buffer b;
  buffer_init(&b, 256);
  screen_count(&b, x->rows, "row");
  fprintf(stderr, "%s written to %s\n", buffer_text(&b), target);
  buffer_free(&b);
}

static int run(const given *g, dts_error *e) {
  arena a = {0};
  buffer sql;
  const char *path = NULL, *target = given_text(g, "output", NULL);
  exporting x = {.out = stdout, .columns = value_list()};
  buffer_init(&sql, 1 << 20);
  buffer_init(&x.row, ROW_LIMIT);
  int rc = read_format(g, &x, e);
  if (rc == 0) rc = find(g, &a, &x, &sql, &path, e);
  x.sql = buffer_text(&sql);
  if (rc == 0) rc = target ? to_file(&x, path, target, e) : stream(&x, path, e);
  if (rc == 0 && target) tell(&x, target);
  buffer_free(&sql);
  buffer_free(&x.row);
  parquet_free(x.parquet);
  arena_free(&x.memory);
  arena_free(&a);
  return rc;
}

static const command_option options[] = {
    {"format", "csv|ndjson|parquet",
     "CSV (RFC 4180, the default), a JSON object on each line, or Apache Parquet"},
    {"columns", "A,B", "only these, in this order"},
    {"where", "SQL", "only rows for which this holds"},
    {"output", "FILE", "into this file, which is there whole or not at all"},
    {0}};

COMMAND(export) = {
    .name = "export",
    .words = "TABLE",
    .summary = "Print the rows of a table, a roll-up or a view as CSV, NDJSON or Parquet.",
    .details = "Rows come as a stream in the order of the key, from one snapshot, also beside a "
               "running engine.\nIn CSV a null is an empty field and an empty text is \"\".\n"
               "A Parquet file has the column types of the table, is packed with zstd, and is "
               "written to a file or a pipe.",
    .least = 1,
    .most = 1,
    .options = options,
    .run = run};
