/* retention.c -- see retention.h. Rows go in pieces, so that no transaction holds the writer for long.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/kernel/retention.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "flow/kernel/parts.h"
#include "flow/rollups/rollups.h"
#include "format/date.h"

enum { AT_ONCE = 10000, FIRST_MS = 1000, EVERY_MS = 6 * 3600 * 1000 };
#define DAY_MS ((int64_t)24 * 3600 * 1000)

struct retention {
  kernel *kernel;
  loop_timer *timer;
};

/* ---- which column ---- */

static const table_column *only_time(const table *t, bool in_key) {
  const table_column *found = NULL;
  for (size_t i = 0; i < t->count; i++) {
    const table_column *column = &t->columns[i];
    if ((in_key && !column->key) ||
        (column->type != COLUMN_DATE && column->type != COLUMN_TIMESTAMP))
      continue;
    if (found) return NULL;
    found = column;
  }
  return found;
}

const table_column *retention_column(const table *t, dts_error *e) {
  const table_column *column = only_time(t, true);
  if (!column) column = only_time(t, false);
  if (column) return column;
  error_fail(e, "TABLE", "table '%s' has keep, but not one date or timestamp column to go by",
             t->name);
  error_hint(e, "put the date that a row belongs to into the key, or leave keep out");
  return NULL;
}

/* ---- forgetting ---- */

static int forget(store_conn *c, const char *sql, value bound, bool *more, dts_error *e) {
  value params[] = {bound};
  if (store_exec(c, sql, params, 1, e) < 0) return -1;
  if (store_changes(c) >= AT_ONCE) *more = true;
  return 0;
}

static void add_key(buffer *b, const table *t) {
  if (!t->key_count) buffer_add_text(b, "rowid");
  for (size_t i = 0; i < t->key_count; i++)
    buffer_add_format(b, "%s\"%s\"", i ? ", " : "", t->columns[t->key[i]].name);
}

static int forget_rows(store_conn *c, const registry *set, const table *t, int64_t now, bool *more,
                       dts_error *e) {
  const table_column *column = retention_column(t, e);
  char bound[25];
  buffer sql;
  if (!column) return -1;
  if (column->type == COLUMN_DATE)
    date_write(date_of(now - t->keep_ms, NULL), bound);
  else
    timestamp_write(now - t->keep_ms, bound);
  if (rollups_keep(c, set, t, column, bound, e) < 0) return -1;
  buffer_init(&sql, 1 << 16);
  buffer_add_format(&sql, "delete from \"%s\" where (", t->name);
  add_key(&sql, t);
  buffer_add_text(&sql, ") in (select ");
  add_key(&sql, t);
  buffer_add_format(&sql, " from \"%s\" where \"%s\" < ?1 limit %d)", t->name, column->name,
                    AT_ONCE);
  int rc = forget(c, buffer_text(&sql), value_text(bound), more, e);
  bool gone = rc == 0 && store_changes(c);
  if (gone) store_touch(c, t->name);
  if (gone) rc = rollups_kept(c, set, t, column, e);
  buffer_free(&sql);
  return rc;
}

static int64_t setting(const value *config, const char *name, int64_t otherwise) {
  return value_get_integer(value_get(config, "retention"), name, otherwise);
}

/* A job goes once it is over and its key's window with it; what belongs to it goes along. */
static int forget_history(store_conn *c, const value *config, int64_t now, bool *more,
                          dts_error *e) {
  int64_t runs = setting(config, "runs_ms", 90 * DAY_MS),
          logs = setting(config, "logs_ms", 30 * DAY_MS);
  if (runs < DAY_MS) runs = DAY_MS;
  value old = value_integer(now - runs), quiet = value_integer(now - logs);
  static const char *const by_age[] = {"delete from dts_step where job in (select id from dts_job "
                                       "where ended > 0 and ended < ?1 order by id limit 10000)",
                                       "delete from dts_note where job in (select id from dts_job "
                                       "where ended > 0 and ended < ?1 order by id limit 10000)",
                                       "delete from dts_request where run in (select id from "
                                       "dts_run where ended < ?1 order by id limit 10000)",
                                       "delete from dts_run where job in (select id from dts_job "
                                       "where ended > 0 and ended < ?1 order by id limit 10000)",
                                       "delete from dts_job where id in (select id from dts_job "
                                       "where ended > 0 and ended < ?1 order by id limit 10000)",
                                       "delete from dts_firing where state = 'ended' and created < "
                                       "?1 and not exists (select 1 from dts_job j "
                                       "where j.firing = dts_firing.id)",
                                       "delete from dts_refusal where at < ?1"};
  if (forget(
          c,
          "delete from dts_log where run in (select id from dts_run where ended < ?1) and at < ?1",
          quiet, more, e) < 0)
    return -1;
  for (size_t i = 0; i < sizeof by_age / sizeof *by_age; i++)
    if (forget(c, by_age[i], old, more, e) < 0) return -1;
  return 0;
}

/* An origin counts for as long as a firing that comes of it is there. */
static int forget_descents(store_conn *c, bool *more, dts_error *e) {
  static const char gone[] = "delete from dts_descent where firing in (select d.firing from "
                             "dts_descent d where not exists "
                             "(select 1 from dts_firing f where f.id = d.firing) and d.firing not "
                             "in (select o.origin from "
                             "dts_descent o join dts_firing f on f.id = o.firing) limit 10000)";
  if (store_exec(c, gone, NULL, 0, e) < 0) return -1;
  if (store_changes(c) >= AT_ONCE) *more = true;
  return 0;
}

int retention_forget(store_conn *c, const registry *set, const value *config, int64_t now,
                     bool *more, dts_error *e) {
  *more = false;
  for (size_t i = 0; i < set->table_count; i++)
    if (set->tables[i]->keep_ms && forget_rows(c, set, set->tables[i], now, more, e) < 0) return -1;
  if (forget_history(c, config, now, more, e) < 0) return -1;
  return forget_descents(c, more, e);
}

/* ---- on the clock ---- */

typedef struct round {
  retention *retention;
  registry *set;
  int64_t now;
  bool more;
} round_;

static int round_work(store_conn *c, void *arg, dts_error *e) {
  round_ *r = arg;
  return retention_forget(c, r->set, kernel_config(r->retention->kernel), r->now, &r->more, e);
}

static void on_time(void *arg);

static void round_then(void *arg, int result, const dts_error *e) {
  round_ *r = arg;
  retention *t = r->retention;
  loop *l = kernel_loop(t->kernel);
  if (result < 0) log_error("old rows could not be forgotten: %s", e->message);
  t->timer = loop_after(l, result == 0 && r->more ? 100 : EVERY_MS, on_time, t);
  registry_release(r->set);
  free(r);
}

static void on_time(void *arg) {
  retention *t = arg;
  t->timer = NULL;
  round_ *r = memory_alloc(sizeof *r);
  *r = (round_){
      .retention = t, .set = kernel_registry(t->kernel), .now = loop_now(kernel_loop(t->kernel))};
  kernel_write(t->kernel, round_work, round_then, r);
}

retention *retention_open(kernel *k) {
  retention *r = memory_alloc(sizeof *r);
  r->kernel = k;
  return r;
}

void retention_start(retention *r) {
  if (!r->timer) r->timer = loop_after(kernel_loop(r->kernel), FIRST_MS, on_time, r);
}

void retention_close(retention *r) {
  if (!r) return;
  loop_cancel(kernel_loop(r->kernel), r->timer);
  free(r);
}
