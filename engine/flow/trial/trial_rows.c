/* trial_rows.c -- t:rows (rows put straight into a table) and t:request (the project's own API).
 * See trial.h.
 *
 * SPDX-License-Identifier: MIT */
#include <string.h>
#include <unistd.h>

#include "flow/kernel/kernel_parts.h"
#include "flow/trial/trial_parts.h"
#include "format/csv.h"

enum { REQUEST_MS = 30000, REPLY_LIMIT = 64 * 1024 * 1024 };

/* ---- rows ---- */

typedef struct putting {
  const table *table;
  value rows; /* lists in the table's column order */
  bool done;
  int result;
  dts_error error;
} putting;

static value empty_row(arena *a, const table *t) {
  value row = value_list();
  for (size_t i = 0; i < t->count; i++) value_add(a, &row, value_null());
  return row;
}

static int add_map(putting *p, const value *map, arena *a, dts_error *e) {
  value row = empty_row(a, p->table);
  if (map->kind != VALUE_MAP)
    return error_fail(e, "SPEC", "t:rows: a row is a table of columns, got a %s",
                      value_kind_name(map));
  for (size_t i = 0; i < map->map.count; i++) {
    size_t at;
    const char *name = map->map.pairs[i].key.text.bytes;
    if (!table_find(p->table, name, &at)) return table_unknown_column(p->table, name, a, e);
    row.list.items[at] = map->map.pairs[i].item;
  }
  if (table_check_row(p->table, a, row.list.items, e) < 0) return -1;
  value_add(a, &p->rows, row);
  return 0;
}

static int read_header(const table *t, const csv_field *fields, size_t count, size_t **places,
                       arena *a, dts_error *e) {
  *places = arena_alloc(a, (count + 1) * sizeof **places);
  for (size_t i = 0; i < count; i++)
    if (!table_find(t, fields[i].bytes, &(*places)[i]))
      return table_unknown_column(t, fields[i].bytes, a, e);
  return 0;
}

static int add_fields(putting *p, const csv_field *fields, size_t count, const size_t *places,
                      size_t columns, arena *a, dts_error *e) {
  value row = empty_row(a, p->table);
  if (count != columns)
    return error_fail(e, "CSV", "t:rows: a line has %zu fields, the first one %zu", count, columns);
  for (size_t i = 0; i < count; i++)
    if (fields[i].size || fields[i].quoted)
      row.list.items[places[i]] = value_text(arena_copy(a, fields[i].bytes, fields[i].size));
  if (table_check_row(p->table, a, row.list.items, e) < 0) return -1;
  value_add(a, &p->rows, row);
  return 0;
}

static int add_csv(putting *p, const value *text, arena *a, dts_error *e) {
  csv_reader r;
  const csv_field *fields;
  size_t count, columns = 0, *places = NULL;
  csv_status status;
  int rc;
  csv_open(&r, NULL);
  rc = csv_feed(&r, text->text.bytes, text->text.size, true);
  while (rc == 0 && (status = csv_next(&r, &fields, &count, e)) != CSV_END) {
    if (status != CSV_ROW)
      rc = -1;
    else if (!places)
      rc = read_header(p->table, fields, columns = count, &places, a, e);
    else
      rc = add_fields(p, fields, count, places, columns, a, e);
  }
  csv_close(&r);
  return rc;
}

static int put_work(store_conn *c, void *arg, dts_error *e) {
  putting *p = arg;
  for (size_t i = 0; i < p->rows.list.count; i++)
    if (store_put(c, p->table, p->rows.list.items[i].list.items, e) < 0) return -1;
  return 0;
}

static void put_then(void *arg, int result, const dts_error *e) {
  putting *p = arg;
  p->result = result;
  p->error = *e;
  p->done = true;
}

static int put_all(trial *t, putting *p, dts_error *e) {
  kernel_write(t->kernel, put_work, put_then, p);
  while (!p->done) loop_turn(t->kernel->loop, 100);
  trial_settle(t);
  if (p->result < 0) *e = p->error;
  return p->result;
}

int trial_rows(trial *t, const value *args, arena *a, value *answer, dts_error *e) {
  const char *name = value_get_text(args, "table", "");
  const value *rows = value_get(args, "rows"), *csv = value_get(args, "csv");
  registry *set = kernel_registry(t->kernel);
  putting p = {.table = registry_table(set, name), .rows = value_list()};
  int rc = p.table ? 0 : error_fail(e, "TABLE", "there is no table named '%s'", name);
  if (rc == 0 && csv && csv->kind == VALUE_TEXT) rc = add_csv(&p, csv, a, e);
  for (size_t i = 0; rc == 0 && rows && rows->kind == VALUE_LIST && i < rows->list.count; i++)
    rc = add_map(&p, &rows->list.items[i], a, e);
  if (rc == 0) rc = put_all(t, &p, e);
  value_set(a, answer, "count", value_integer((int64_t)p.rows.list.count));
  registry_release(set);
  return rc;
}

/* ---- requests ---- */

typedef struct requesting {
  arena *memory;
  value *answer;
  dts_error error;
  bool done, failed;
} requesting;

static void read_body(requesting *r, fetch_reply *reply) {
  size_t size = reply->body_fd >= 0 ? (size_t)reply->body_size : reply->body.size;
  char *text = arena_alloc(r->memory, size + 1);
  ssize_t got = reply->body_fd >= 0 ? pread(reply->body_fd, text, size, 0) : (ssize_t)size;
  if (reply->body_fd < 0 && size) memcpy(text, reply->body.data, size);
  value_set(r->memory, r->answer, "body", value_bytes(text, got > 0 ? (size_t)got : 0));
}

static void on_reply(void *arg, fetch_reply *reply, const dts_error *e) {
  requesting *r = arg;
  r->done = true;
  r->failed = e != NULL;
  if (e) {
    r->error = *e;
    return;
  }
  value_set(r->memory, r->answer, "status", value_integer(reply->status));
  value_set(r->memory, r->answer, "headers", value_copy(r->memory, &reply->headers));
  read_body(r, reply);
}

static int open_server(trial *t, dts_error *e) {
  const trial_server *server = t->owner->options->server;
  if (t->server) return 0;
  if (!server) return error_fail(e, "SPEC", "t:request is not available here");
  t->server = server->open(t->kernel, t->address, t->key, e);
  return t->server ? 0 : -1;
}

/* With the key of everything, unless the spec says by whom it is asked. */
static value headers_of(const trial *t, const value *given, arena *a) {
  value headers = given && given->kind == VALUE_MAP ? value_copy(a, given) : value_map();
  for (size_t i = 0; i < headers.map.count; i++)
    if (strcasecmp(headers.map.pairs[i].key.text.bytes, "authorization") == 0) return headers;
  value_set(a, &headers, "Authorization", value_text(arena_format(a, "Bearer %s", t->key)));
  return headers;
}

int trial_request(trial *t, const value *args, arena *a, value *answer, dts_error *e) {
  const value *body = value_get(args, "body");
  requesting r = {.memory = a, .answer = answer};
  if (open_server(t, e) < 0) return -1;
  value headers = headers_of(t, value_get(args, "headers"), a), allowed = value_list();
  value_add(a, &allowed, value_text(t->address + strlen("http://")));
  fetch_request q = {.method = value_get_text(args, "method", "GET"),
                     .url = arena_format(a, "%s%s", t->address, value_get_text(args, "path", "/")),
                     .headers = &headers,
                     .timeout_ms = REQUEST_MS,
                     .body_limit = REPLY_LIMIT,
                     .tries = 1,
                     .once = true, /* or the server waits for more of it when it ends */
                     .allow_private = &allowed};
  if (body && body->kind == VALUE_TEXT) q.body = body->text.bytes, q.body_size = body->text.size;
  fetch_start(t->kernel->fetch, &q, on_reply, &r);
  while (!r.done) loop_turn(t->kernel->loop, 100);
  trial_settle(t);
  if (r.failed) *e = r.error;
  return r.failed ? -1 : 0;
}
