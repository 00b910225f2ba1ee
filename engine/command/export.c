/* export.c -- dts export TABLE: its rows as CSV or NDJSON, as a stream.
 *
 * One idea: the rows are read by a connection of this process, one after the other, in one
 * snapshot; an engine that runs beside is asked where the store lies, and no more.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "command/command.h"
#include "command/engine.h"
#include "command/faults.h"
#include "command/screen.h"
#include "format/json.h"

enum { ROW_LIMIT = 300 * 1024 * 1024, PATH_SIZE = 4096, STOP_EVERY = 256 };

typedef struct exporting {
  FILE *out;
  const char *name, *sql;
  bool csv, wrote_names;
  int64_t rows;
  buffer row;
  arena memory; /* of values that are decoded for one row */
  value columns;
} exporting;

/* ---- a row ---- */

static bool needs_quotes(const char *text, size_t size) {
  return memchr(text, ',', size) || memchr(text, '"', size) || memchr(text, '\n', size) ||
         memchr(text, '\r', size);
}

static void add_quoted(buffer *b, const char *text, size_t size) {
  buffer_add_char(b, '"');
  for (size_t i = 0; i < size; i++) {
    if (text[i] == '"') buffer_add_char(b, '"');
    buffer_add_char(b, text[i]);
  }
  buffer_add_char(b, '"');
}

/* An empty text is "" and a null is nothing, so that the two can be told apart. */
static void add_field(buffer *b, const value *v) {
  if (v->kind == VALUE_NULL) return;
  if (v->kind != VALUE_TEXT)
    json_write(b, v);
  else if (!v->text.size || needs_quotes(v->text.bytes, v->text.size))
    add_quoted(b, v->text.bytes, v->text.size);
  else
    buffer_add(b, v->text.bytes, v->text.size);
}

static void add_names(exporting *x, const store_header *header) {
  for (size_t i = 0; i < header->count; i++) {
    value name = value_text(header->names[i]);
    if (i) buffer_add_char(&x->row, ',');
    add_field(&x->row, &name);
  }
  buffer_add_text(&x->row, "\r\n");
}

static bool is_json(const exporting *x, size_t i) {
  return i < x->columns.list.count &&
         value_is(value_get(&x->columns.list.items[i], "type"), "json");
}

static void add_object(exporting *x, const store_header *header, const value *row) {
  buffer_add_char(&x->row, '{');
  for (size_t i = 0; i < header->count; i++) {
    if (i) buffer_add_char(&x->row, ',');
    json_write_text(&x->row, header->names[i], strlen(header->names[i]));
    buffer_add_char(&x->row, ':');
    if (is_json(x, i) && row[i].kind == VALUE_TEXT)
      buffer_add(&x->row, row[i].text.bytes, row[i].text.size); /* as it is kept: valid JSON */
    else
      json_write(&x->row, &row[i]);
  }
  buffer_add_text(&x->row, "}\n");
}

static int write_out(exporting *x, dts_error *e) {
  size_t wrote = fwrite(buffer_text(&x->row), 1, x->row.size, x->out);
  if (x->row.failed) return error_fail(e, "LIMIT_SIZE", "a row is larger than 300 MB");
  if (wrote == x->row.size) return 0;
  return error_fail(e, errno == EPIPE ? "PIPE" : "FILE", "cannot write: %s", strerror(errno));
}

static int add_row(void *arg, const store_header *header, const value *row, dts_error *e) {
  exporting *x = arg;
  buffer_clear(&x->row);
  if (x->csv && !x->wrote_names) add_names(x, header);
  x->wrote_names = true;
  for (size_t i = 0; x->csv && i < header->count; i++) {
    if (i) buffer_add_char(&x->row, ',');
    add_field(&x->row, &row[i]);
  }
  if (x->csv)
    buffer_add_text(&x->row, "\r\n");
  else
    add_object(x, header, row);
  if (x->rows++ % STOP_EVERY == 0 && engine_stop_asked()) return engine_fail_stopped(e);
  return write_out(x, e);
}

/* A table without rows has its line of names all the same. */
static int write_names(exporting *x, dts_error *e) {
  if (!x->csv || x->wrote_names) return 0;
  buffer_clear(&x->row);
  for (size_t i = 0; i < x->columns.list.count; i++) {
    if (i) buffer_add_char(&x->row, ',');
    add_field(&x->row, value_get(&x->columns.list.items[i], "name"));
  }
  buffer_add_text(&x->row, "\r\n");
  return write_out(x, e);
}

static int read_rows(store_conn *c, void *arg, dts_error *e) {
  exporting *x = arg;
  value none = value_map();
  store_sql q = {.sql = x->sql, .params = &none, .limit_ms = INT64_MAX / 4};
  if (store_query(c, &q, &x->memory, &x->columns, NULL, add_row, x, e) < 0) return -1;
  return write_names(x, e);
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
  static const char *const formats[] = {"csv", "ndjson", "parquet", NULL};
  const char *format = given_text(g, "format", g->json ? "ndjson" : "csv");
  if (given_one_of(g, "format", formats, e) < 0) return -1;
  x->csv = strcmp(format, "csv") == 0;
  if (strcmp(format, "parquet") != 0) return 0;
  error_fail(e, "USAGE", "--format parquet is not available in this version");
  return error_hint(e, "csv and ndjson are; most tools read both");
}

/* ---- writing ---- */

static int stream(exporting *x, const char *path, dts_error *e) {
  arena a = {0};
  store_options o = {.read_only = true, .readers = 1};
  store *s = store_open(arena_format(&a, "sqlite:%s", path), &o, e);
  int rc = s ? store_read(s, read_rows, x, e) : -1;
  store_close(s);
  arena_free(&a);
  if (rc == 0 && fflush(x->out) != 0) return write_out(x, e);
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
  if (rc == 0) rc = compose(g, &all.list.items[0], a, sql, e);
  if (rc == 0) *path = value_get_text(&where, "store", "");
  engine_close(n);
  x->name = given_word(g, 0);
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
  arena_free(&x.memory);
  arena_free(&a);
  return rc;
}

static const command_option options[] = {
    {"format", "csv|ndjson", "CSV (RFC 4180, the default), or a JSON object on each line"},
    {"columns", "A,B", "only these, in this order"},
    {"where", "SQL", "only rows for which this holds"},
    {"output", "FILE", "into this file, which is there whole or not at all"},
    {0}};

COMMAND(export) = {
    .name = "export",
    .words = "TABLE",
    .summary = "Print the rows of a table, a roll-up or a view as CSV or NDJSON.",
    .details = "Rows come as a stream in the order of the key, from one snapshot, also beside a "
               "running engine.\nIn CSV a null is an empty field and an empty text is \"\".",
    .least = 1,
    .most = 1,
    .options = options,
    .run = run};
