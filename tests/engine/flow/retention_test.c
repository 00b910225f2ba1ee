/* What is past its time is forgotten, and nothing else: rows by `keep`, history by dts.lua's retention.
 *
 * SPDX-License-Identifier: MIT */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "flow/kernel/retention.h"
#include "flow/kernel/schema.h"
#include "format/date.h"
#include "format/json.h"

#define DAY ((int64_t)24 * 3600 * 1000)

static const char declared[] = "[{\"noun\":\"table\",\"name\":\"days\",\"file\":\"pipelines/"
                               "a.lua\",\"line\":1,\"key\":[\"k\",\"day\"],"
                               "\"columns\":[{\"name\":\"k\",\"type\":\"text\",\"doc\":\"\"},{"
                               "\"name\":\"day\",\"type\":\"date\",\"doc\":\"\"}],"
                               "\"keep_ms\":864000000},"
                               "{\"noun\":\"table\",\"name\":\"kept\",\"file\":\"pipelines/"
                               "a.lua\",\"line\":2,\"key\":[\"day\"],"
                               "\"columns\":[{\"name\":\"day\",\"type\":\"date\",\"doc\":\"\"}]}]";

typedef struct forgetting {
  const registry *set;
  value config;
  int64_t now;
  bool more;
} forgetting;

static registry *make_set(const char *json, dts_error *e) {
  arena a = {0};
  value list, config = value_map();
  assert_int_equal(0, json_read(&a, json, strlen(json), &list, e));
  script *s = script_make("pipelines/a.lua", "", &list, NULL, 0);
  registry *set = registry_make(&s, 1, &config, e);
  script_release(s);
  arena_free(&a);
  return set;
}

static int fill(store_conn *c, void *arg, dts_error *e) {
  const registry *set = arg;
  for (size_t i = 0; i < set->table_count; i++)
    if (store_table_ensure(c, set->tables[i], e) < 0) return -1;
  static const char *const rows[] = {"insert into days values ('a', '2026-03-01'), ('a', "
                                     "'2026-02-19'), ('b', '2026-02-18'), ('b', '2026-01-01')",
                                     "insert into kept values ('2020-01-01')"};
  for (size_t i = 0; i < 2; i++)
    if (store_exec(c, rows[i], NULL, 0, e) < 0) return -1;
  return 0;
}

static int forget(store_conn *c, void *arg, dts_error *e) {
  forgetting *f = arg;
  return retention_forget(c, f->set, &f->config, f->now, &f->more, e);
}

typedef struct counting {
  const char *sql;
  int64_t n;
} counting;

static int count_work(store_conn *c, void *arg, dts_error *e) {
  counting *q = arg;
  arena a = {0};
  value v;
  int rc = store_get(c, q->sql, NULL, 0, &a, &v, e);
  q->n = v.integer;
  arena_free(&a);
  return rc;
}

static int64_t count(store *s, const char *sql) {
  counting q = {sql, -1};
  assert_int_equal(0, store_read(s, count_work, &q, NULL));
  return q.n;
}

static int run_at(store_conn *c, void *arg,
                  dts_error *e) { /* a firing, its job and its run, over at *arg */
  value params[] = {value_integer(*(int64_t *)arg)};
  static const char *const sql[] = {"insert into dts_firing (pipeline, trigger, created, state) "
                                    "values ('p', 'hand', ?1, 'ended')",
                                    "insert into dts_job (firing, pipeline, trigger, kind, input, "
                                    "state, once, retry_limit, attempts, retry_count, "
                                    "deferrals, handbacks, interruptions, worker_deaths, releases, "
                                    "epoch, run_at, lease_until, deadline, created, "
                                    "age_from, ended) select max(id), 'p', 'hand', 'params', '{}', "
                                    "'done', 1, 5, 1, 0, 0, 0, 0, 0, 0, 1, ?1, 0, 0, "
                                    "?1, ?1, ?1 from dts_firing",
                                    "insert into dts_run (job, epoch, pipeline, trigger, state, "
                                    "outcome, started, ended) select max(id), 1, 'p', "
                                    "'hand', 'done', 'done', ?1, ?1 from dts_job"};
  for (size_t i = 0; i < sizeof sql / sizeof *sql; i++)
    if (store_exec(c, sql[i], params, 1, e) < 0) return -1;
  return 0;
}

static store *open_store(registry *set) {
  dts_error e = {0};
  store_options options = {0};
  store *s = store_open("sqlite::memory:", &options, &e);
  assert_non_null(s);
  assert_int_equal(0, schema_create(s, &e));
  assert_int_equal(0, store_write(s, fill, set, &e));
  return s;
}

static void rows_past_their_keep_go(void **state) {
  (void)state;
  dts_error e = {0};
  registry *set = make_set(declared, &e);
  assert_non_null(set);
  store *s = open_store(set);
  int64_t now;
  assert_int_equal(0, timestamp_read("2026-03-01T12:00:00Z", 20, &now));
  forgetting f = {.set = set, .config = value_map(), .now = now};
  assert_int_equal(0, store_write(s, forget, &f, &e));
  assert_int_equal(2, count(s, "select count(*) from days"));
  assert_int_equal(2, count(s, "select count(*) from days where day >= '2026-02-19'"));
  assert_int_equal(1, count(s, "select count(*) from kept"));
  assert_false(f.more);
  store_close(s);
  registry_release(set);
}

static void history_goes_as_the_project_says(void **state) {
  (void)state;
  dts_error e = {0};
  registry *set = make_set(declared, &e);
  store *s = open_store(set);
  int64_t now = 100 * DAY, old = 60 * DAY, fresh = 99 * DAY;
  assert_int_equal(0, store_write(s, run_at, &old, &e));
  assert_int_equal(0, store_write(s, run_at, &fresh, &e));
  arena a = {0};
  forgetting f = {.set = set, .config = value_map(), .now = now};
  assert_int_equal(0, store_write(s, forget, &f, &e)); /* 90 days unless said */
  assert_int_equal(2, count(s, "select count(*) from dts_run"));
  value kept = value_map();
  value_set(&a, &kept, "runs_ms", value_integer(30 * DAY));
  value_set(&a, &f.config, "retention", kept);
  assert_int_equal(0, store_write(s, forget, &f, &e));
  assert_int_equal(1, count(s, "select count(*) from dts_run"));
  assert_int_equal(1, count(s, "select count(*) from dts_job"));
  assert_int_equal(1, count(s, "select count(*) from dts_firing"));
  arena_free(&a);
  store_close(s);
  registry_release(set);
}

static int add_descents(store_conn *c, void *arg, dts_error *e) {
  (void)arg;
  return store_exec(
      c,
      "insert into dts_descent (firing, origin, jobs) values (100, 100, 2), (101, 100, "
      "0), (1, 100, 0), (200, 200, 1), (201, 200, 0)",
      NULL, 0, e);
}

static void an_origin_counts_while_one_of_its_firings_is_there(void **state) {
  (void)state;
  dts_error e = {0};
  registry *set = make_set(declared, &e);
  store *s = open_store(set);
  int64_t fresh = 99 * DAY;
  assert_int_equal(0, store_write(s, run_at, &fresh, &e)); /* firing 1 */
  assert_int_equal(0, store_write(s, add_descents, NULL, &e));
  forgetting f = {.set = set, .config = value_map(), .now = 100 * DAY};
  assert_int_equal(0, store_write(s, forget, &f, &e));
  assert_int_equal(2, count(s, "select count(*) from dts_descent"));
  assert_int_equal(2, count(s, "select sum(jobs) from dts_descent where firing in (1, 100)"));
  store_close(s);
  registry_release(set);
}

static void keep_needs_one_date(void **state) {
  (void)state;
  dts_error e = {0};
  static const char two[] = "[{\"noun\":\"table\",\"name\":\"t\",\"file\":\"pipelines/"
                            "a.lua\",\"line\":7,\"key\":[\"a\",\"b\"],"
                            "\"columns\":[{\"name\":\"a\",\"type\":\"date\",\"doc\":\"\"},{"
                            "\"name\":\"b\",\"type\":\"date\",\"doc\":\"\"}],"
                            "\"keep_ms\":1000}]";
  assert_null(make_set(two, &e));
  assert_string_equal("table 't' has keep, but not one date or timestamp column to go by",
                      e.message);
  assert_string_equal("pipelines/a.lua:7", e.where);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(rows_past_their_keep_go), cmocka_unit_test(history_goes_as_the_project_says),
      cmocka_unit_test(an_origin_counts_while_one_of_its_firings_is_there),
      cmocka_unit_test(keep_needs_one_date)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
