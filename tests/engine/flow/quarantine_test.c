/* quarantine_test.c -- what a person does with inputs: released, corrected, dropped; all of one
 * command or nothing.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/input_kernel.h"

#include "flow/jobs/quarantine.h"
#include "flow/runs/finish_input.h"

#define SET                                                                                        \
  "[{\"noun\":\"pipeline\",\"name\":\"sales\",\"file\":\"pipelines/"                               \
  "test.lua\",\"line\":1,\"trigger\":\"files\","                                                   \
  "\"retry\":2,\"files\":[\"incoming/*.csv\"]},{\"noun\":\"pipeline\",\"name\":\"load\",\"file\":" \
  "\"pipelines/test.lua\",\"line\":2,\"trigger\":\"hand\",\"retry\":2,"                            \
  "\"params\":[{\"name\":\"a\",\"type\":\"integer\"}]}]"

/* A job that failed for good, as jobs.c brings it there. */
typedef struct ruined {
  job_new given;
  int64_t id, now;
} ruined;

static int ruin(store_conn *c, void *arg, dts_error *e) {
  ruined *r = arg;
  bool fresh;
  job j;
  arena a = {0};
  job_effects fx;
  job_event lease = {.kind = JOB_LEASE}, fail = {.kind = JOB_FAIL, .epoch = 1};
  fail.fail.permanent = true;
  fail.fail.reason = "bad input";
  int rc = jobs_insert(c, &r->given, r->now, &r->id, &fresh, e);
  if (rc == 0) rc = jobs_load(c, r->id, &a, &j, e);
  if (rc == 0) rc = jobs_step(c, &j, &lease, r->now, 0, &fx, e);
  if (rc == 0) rc = jobs_step(c, &j, &fail, r->now, 0, &fx, e);
  if (rc == 0)
    rc = jobs_set_error(c, r->id, "{\"message\":\"price is n/a\",\"input_line\":17}", fx.reason, e);
  arena_free(&a);
  return rc;
}

static int64_t ruin_job(input_kernel *k, const char *of, const char *kind, const char *name,
                        const char *input) {
  ruined r = {.given = {.pipeline = of,
                        .trigger = "hand",
                        .kind = kind,
                        .name = name,
                        .input = input,
                        .limit = 2},
              .now = k->now};
  dts_error e = {0};
  if (store_write(k->kernel.store, ruin, &r, &e) < 0) fail_msg("%s", e.message);
  return r.id;
}

static input_answer *ask(input_kernel *k, control_fn *fn, const char *command) {
  arena a = {0};
  input_answer *answer = input_ask(k, fn, help_json(&a, command));
  arena_free(&a);
  return answer;
}

static void expect_count(input_kernel *k, control_fn *fn, const char *command, int64_t count) {
  input_answer *a = ask(k, fn, command);
  if (a->failed) fail_msg("%s: %s (%s)", command, a->error.message, a->error.hint);
  assert_int_equal(value_get_integer(&a->answer, "count", -1), count);
  input_forget(a);
}

static void expect_refused(input_kernel *k, control_fn *fn, const char *command, const char *code,
                           int status, const char *words) {
  input_answer *a = ask(k, fn, command);
  assert_true(a->failed);
  assert_string_equal(a->error.code, code);
  assert_int_equal(a->error.status, status);
  if (!strstr(a->error.message, words)) fail_msg("%s", a->error.message);
  input_forget(a);
}

static int64_t count(input_kernel *k, const char *sql) { return help_count(k->kernel.store, sql); }

static void shows_what_lies_there(void **state) {
  (void)state;
  input_kernel *k = input_open(SET, NULL);
  ruin_job(k, "load", "params", NULL, "{\"a\":1}");
  assert_int_equal(count(k,
                         "select count(*) from dts_quarantine where id = 'job-1' and pipeline = "
                         "'load' and input = "
                         "'params' and line = 17 and error = 'price is n/a' and retry_count = 1"),
                   1);
  input_close(k);
}

static void releases_jobs(void **state) {
  (void)state;
  input_kernel *k = input_open(SET, NULL);
  for (int i = 0; i < 3; i++) ruin_job(k, i ? "load" : "sales", "params", NULL, "{\"a\":1}");
  expect_count(k, control_release, "{\"ids\":[\"job-2\"],\"reason\":\"script corrected\"}", 1);
  assert_int_equal(
      count(
          k,
          "select count(*) from dts_job where id = 2 and state = 'queued' and retry_count = 0 and "
          "releases = 1 and attempts = 1"),
      1);
  assert_int_equal(count(k, "select count(*) from dts_audit where subject = 'job-2' and reason = "
                            "'script corrected' and "
                            "payload = '{\"a\":1}'"),
                   1);
  expect_refused(k, control_release, "{\"ids\":[\"job-1\",\"job-2\"]}", "REFUSED", 409, "job 2");
  assert_int_equal(count(k, "select count(*) from dts_quarantine"),
                   2); /* job-1 as well: all or nothing */
  expect_count(k, control_drop, "{\"ids\":[\"job-1\",\"job-1\"],\"reason\":\"x\"}", 1); /* once */
  expect_refused(k, control_release, "{\"ids\":[\"job-99\"]}", "NOT_FOUND", 404, "job-99");
  expect_refused(k, control_release, "{\"ids\":[\"job-1x\"]}", "NOT_FOUND", 404, "job-1x");
  expect_refused(k, control_release, "{\"ids\":[\"7\"]}", "NOT_FOUND", 404, "is no id of an input");
  expect_refused(k, control_release, "{}", "QUARANTINE", 422, "nothing says which");
  expect_count(k, control_release, "{\"pipeline\":\"load\"}", 1);
  assert_int_equal(count(k, "select count(*) from dts_quarantine"), 0);
  input_close(k);
}

/* Both have looked before either writes: what the first has released is not meant by the second. */
static void two_conditions_at_once(void **state) {
  (void)state;
  static const char *const commands[] = {"{\"pipeline\":\"load\"}",
                                         "{\"where\":\"input = 'params'\"}"};
  input_kernel *k = input_open(SET, NULL);
  input_answer *answers[2];
  arena a = {0};
  for (int i = 0; i < 3; i++) ruin_job(k, i ? "load" : "sales", "params", NULL, "{}");
  for (int i = 0; i < 2; i++)
    answers[i] = input_begin(k, control_release, help_json(&a, commands[i]));
  usleep(200 * 1000);
  for (int i = 0; i < 2; i++) {
    while (!answers[i]->done) loop_turn(k->kernel.loop, 1000);
    if (answers[i]->failed) fail_msg("%s", answers[i]->error.message);
  }
  assert_int_equal(value_get_integer(&answers[0]->answer, "count", -1) +
                       value_get_integer(&answers[1]->answer, "count", -1),
                   3);
  assert_int_equal(count(k, "select count(*) from dts_job where releases = 1"), 3);
  for (int i = 0; i < 2; i++) input_forget(answers[i]);
  arena_free(&a);
  input_close(k);
}

static void asks_with_conditions(void **state) {
  (void)state;
  input_kernel *k = input_open(SET, NULL);
  for (int i = 0; i < 4; i++)
    ruin_job(k, i % 2 ? "load" : "sales", "params", i ? "later" : "first", "{}");
  expect_refused(k, control_release, "{\"where\":\"nome = 'x'\"}", "WHERE", 422, "nome");
  expect_refused(k, control_release, "{\"where\":\"1=1); delete from dts_job; --\"}", "WHERE", 422,
                 "is no condition");
  expect_refused(k, control_release, "{\"where\":\"1=1)) or ((1=1\"}", "WHERE", 422,
                 "is no condition");
  expect_refused(k, control_release, "{\"where\":\"\"}", "WHERE", 422, "is no condition");
  expect_refused(k, control_release, "{\"where\":\"error like :x\"}", "WHERE", 422, "a parameter");
  assert_int_equal(count(k, "select count(*) from dts_quarantine"), 4);
  expect_count(k, control_release, "{\"pipeline\":\"sales\",\"where\":\"1=1) or (1=1\"}",
               2); /* stays inside */
  expect_count(k, control_release, "{\"where\":\"name = 'first'\"}", 0);
  expect_count(k, control_release,
               "{\"where\":\"error like '%n/a%' and line = 17 -- all of them\"}", 2);
  input_close(k);
}

static void drops_with_a_reason(void **state) {
  (void)state;
  input_kernel *k = input_open(SET, NULL);
  ruin_job(k, "load", "params", NULL, "{\"a\":1}");
  expect_refused(k, control_drop, "{\"ids\":[\"job-1\"]}", "REASON", 422, "a reason");
  expect_refused(k, control_drop, "{\"ids\":[\"job-1\"],\"reason\":\"  \"}", "REASON", 422,
                 "a reason");
  expect_count(k, control_drop,
               "{\"ids\":[\"job-1\"],\"reason\":\"sent by mistake\",\"by\":\"ana\"}", 1);
  assert_int_equal(count(k, "select count(*) from dts_decisions where action = 'drop' and id = "
                            "'job-1' and who = 'ana' and reason = 'sent by mistake'"),
                   1);
  expect_refused(k, control_drop, "{\"ids\":[\"job-1\"],\"reason\":\"again\"}", "REFUSED", 409,
                 "cancelled");
  ruin_job(k, "sales", "params", NULL, "{}");
  ruin_job(k, "load", "params", NULL, "{}");
  expect_count(k, control_drop,
               "{\"pipeline\":\"sales\",\"where\":\"retry_count = 1\",\"reason\":\"old\"}", 1);
  expect_count(k, control_drop, "{\"pipeline\":\"sales\",\"reason\":\"none is left\"}", 0);
  assert_int_equal(count(k, "select count(*) from dts_quarantine where pipeline = 'load'"), 1);
  assert_int_equal(
      count(k, "select count(*) from dts_job where state = 'cancelled' and input = '{\"a\":1}'"),
      1);
  assert_int_equal(count(k, "select count(*) from dts_audit where reason = 'sent by mistake'"), 1);
  expect_refused(k, control_release, "{\"ids\":[\"job-1\"]}", "REFUSED", 409, "cancelled");
  input_close(k);
}

/* Each attempt with its run and its last HTTP status; a date's are the runs whose span held it. */
static void tells_what_was_tried(void **state) {
  (void)state;
  arena a = {0};
  input_kernel *k = input_open(SET, NULL);
  store *s = k->kernel.store;
  ruin_job(k, "load", "params", NULL, "{}");
  help_exec(s, "insert into dts_run (id, job, epoch, pipeline, trigger, state, outcome, started, "
               "ended, message) values (7, 1, 2, 'load', 'hand', 'failed', 'failed', 0, 1000, "
               "'HTTP 503'), (9, 2, 1, 'g', 'hand', 'failed', 'failed', 2000, 3000, 'HTTP 404')");
  help_exec(s, "insert into dts_request (run, seq, at, method, url, status, ms, tries) values (7, "
               "0, 0, 'GET', 'u', 200, 1, 1), (7, 1, 0, 'GET', 'u', 503, 1, 4), (9, 0, 0, 'GET', "
               "'u', 404, 1, 1)");
  const char *sql =
      arena_format(&a, "select count(*) from (%s) where run = 7 and http = 503 and attempt = 2",
                   quarantine_attempts_sql("job-1", &a));
  assert_int_equal(count(k, sql), 1);
  ruin_job(k, "load", "span", NULL,
           "{\"series\":\"USD/'BRL\",\"dates\":[\"2026-03-02\",\"2026-03-03\"]}");
  sql = arena_format(&a, "select count(*) from (%s) where attempt = 1 and run = 9 and http = 404",
                     quarantine_attempts_sql("date-load/USD/'BRL/2026-03-03", &a));
  assert_int_equal(count(k, sql), 1);
  sql = arena_format(&a, "select count(*) from (%s)",
                     quarantine_attempts_sql("date-load/USD/'BRL/2026-03-04", &a));
  assert_int_equal(count(k, sql), 0);
  assert_null(quarantine_attempts_sql("job-1 or 1", &a));
  assert_null(quarantine_attempts_sql("date-load", &a));
  assert_null(quarantine_attempts_sql("7", &a));
  input_close(k);
  arena_free(&a);
}

static void decides_about_dates(void **state) {
  (void)state;
  input_kernel *k = input_open(SET, NULL);
  help_exec(k->kernel.store,
            "insert into dts_gap (pipeline, series, day, state, attempts, retry_count, at) values "
            "('load', 'USD/BRL', '2026-03-02', 'quarantined', 6, 6, 0), "
            "('load', 'USD/BRL', '2026-03-03', 'quarantined', 6, 6, 0), "
            "('load', '', '2026-03-03', 'retrying', 2, 2, 0)");
  expect_count(k, control_release, "{\"ids\":[\"date-load/USD/BRL/2026-03-02\"]}", 1);
  assert_int_equal(count(k, "select count(*) from dts_gap where day = '2026-03-02' and state = "
                            "'retrying' and retry_count = "
                            "0 and attempts = 6 and releases = 1"),
                   1);
  expect_count(k, control_drop,
               "{\"ids\":[\"date-load/USD/BRL/2026-03-03\"],\"reason\":\"a holiday\"}", 1);
  assert_int_equal(count(k, "select count(*) from dts_gap where day = '2026-03-03' and state = "
                            "'absent' and series <> ''"),
                   1);
  assert_int_equal(count(k, "select count(*) from dts_audit"), 2);
  expect_refused(k, control_release, "{\"ids\":[\"date-load//2026-03-03\"]}", "REFUSED", 409,
                 "not in quarantine");
  expect_refused(k, control_release, "{\"ids\":[\"date-load/EUR/2026-03-03\"]}", "NOT_FOUND", 404,
                 "there is no date");
  expect_refused(k, control_release, "{\"ids\":[\"date-load\"]}", "NOT_FOUND", 404,
                 "is no id of a date");
  input_close(k);
}

/* ---- files ---- */

static int64_t ruin_file(input_kernel *k, const char *name, const char *bytes) {
  arena a = {0};
  char object[65];
  assert_int_equal(objects_put(k->kernel.objects, bytes, strlen(bytes), object, NULL), 0);
  int64_t id = ruin_job(
      k, "sales", "file", name,
      arena_format(&a, "{\"name\":\"%s\",\"size\":%zu,\"sha256\":\"%s\",\"object\":\"%s\"}", name,
                   strlen(bytes), object, object));
  help_exec(
      k->kernel.store,
      arena_format(
          &a,
          "insert into dts_file (name, size, sha256, pipeline, job, at) values ('%s', %zu, '%s', "
          "'sales', %lld, 0)",
          name, strlen(bytes), object, (long long)id));
  arena_free(&a);
  return id;
}

static void expect_known(input_kernel *k, const char *name, const char *bytes, int64_t id) {
  arena m = {0};
  char object[65];
  value command = value_map();
  assert_int_equal(objects_put(k->kernel.objects, bytes, strlen(bytes), object, NULL), 0);
  value_set(&m, &command, "file", value_text(name));
  value_set(&m, &command, "object", value_text(object));
  value_set(&m, &command, "size", value_integer((int64_t)strlen(bytes)));
  input_answer *a = input_ask(k, control_file, command);
  if (a->failed) fail_msg("%s", a->error.message);
  assert_int_equal(value_get_integer(&a->answer, "id", -1), id);
  assert_false(value_get_boolean(&a->answer, "fresh", true));
  input_forget(a);
  arena_free(&m);
}

static void takes_a_corrected_file(void **state) {
  (void)state;
  input_kernel *k = input_open(SET, NULL);
  ruin_file(k, "a.csv", "n/a");
  ruin_file(k, "a.csv", "5");
  help_exec(k->kernel.store, "insert into dts_step (job, name, state, attempts, started, result) "
                             "values (1, 's', 'done', 1, "
                             "0, '{}')");
  expect_refused(k, control_release, "{\"ids\":[\"job-1\",\"job-2\"],\"with\":\"4\"}", "QUARANTINE",
                 422, "2 are meant");
  expect_refused(k, control_release, "{\"ids\":[\"job-1\"],\"with\":\"5\"}", "CONFLICT", 409,
                 "taken before, as file 2");
  assert_int_equal(count(k, "select count(*) from dts_quarantine"), 2);
  expect_count(k, control_release, "{\"ids\":[\"job-1\"],\"with\":\"4.25\"}", 1);
  assert_int_equal(
      count(k, "select count(*) from dts_job j join dts_file f on f.job = j.id where j.id = 1 and "
               "j.state = "
               "'queued' and json_extract(j.input, '$.object') = f.sha256 and f.size = 4 and "
               "json_extract(j.input, '$.size') = 4"),
      1);
  assert_int_equal(count(k, "select count(*) from dts_step"), 0); /* of the old content */
  expect_known(k, "a.csv", "n/a", 1);      /* what was replaced lies there still */
  expect_known(k, "a-copy.csv", "n/a", 1); /* under another name too */
  expect_known(k, "a.csv", "4.25", 1);
  assert_int_equal(count(k, "select count(*) from dts_file"), 2);
  arena a = {0};
  value object = help_get(k->kernel.store, &a, "select sha256 from dts_file where job = 1");
  int fd;
  int64_t size;
  char bytes[8] = "";
  assert_int_equal(objects_get(k->kernel.objects, object.text.bytes, &fd, &size, NULL), 0);
  assert_int_equal(read(fd, bytes, sizeof bytes), 4);
  assert_string_equal(bytes, "4.25");
  close(fd);
  arena_free(&a);
  input_close(k);
}

static void corrects_params_too(void **state) {
  (void)state;
  input_kernel *k = input_open(SET, NULL);
  ruin_job(k, "load", "params", NULL, "{\"a\":1}");
  ruin_job(k, "load", "batch", "3 events", "{}");
  expect_refused(k, control_release, "{\"ids\":[\"job-1\"],\"with\":\"[]\"}", "PARAMS", 422,
                 "a JSON object");
  expect_refused(k, control_release, "{\"ids\":[\"job-2\"],\"with\":\"{}\"}", "REFUSED", 409,
                 "a batch of events");
  expect_refused(k, control_release, "{\"ids\":[\"job-1\"],\"with\":\"{\\\"b\\\":2}\"}", "PARAM",
                 422, "no parameter 'b'");
  expect_refused(k, control_release, "{\"ids\":[\"job-1\"],\"with\":\"{\\\"a\\\":\\\"x\\\"}\"}",
                 "PARAM", 422, "integer expected");
  expect_count(k, control_release, "{\"ids\":[\"job-1\"],\"with\":\"{\\\"a\\\":2}\"}", 1);
  assert_int_equal(
      count(k, "select count(*) from dts_job where input = '{\"a\":2}' and state = 'queued'"), 1);
  input_close(k);
}

static int end_file(store_conn *c, void *arg, dts_error *e) {
  arena a = {0};
  job j;
  int rc = jobs_load(c, *(int64_t *)arg, &a, &j, e);
  if (rc == 0) rc = finish_input(c, NULL, &j, RUN_DONE, NULL, 0, e);
  arena_free(&a);
  return rc;
}

static void clears_notes_when_the_input_runs_clean(void **state) {
  (void)state;
  input_kernel *k = input_open(SET, NULL);
  ruin_file(k, "a.csv", "old");
  ruin_file(k, "b.csv", "other");
  int64_t id = ruin_file(k, "a.csv", "new");
  ruin_job(k, "sales", "file", "a.csv", "{}"); /* a run by hand: no row of dts_file */
  ruin_job(k, "sales", "params", "a.csv", "{}");
  dts_error e = {0};
  help_exec(
      k->kernel.store,
      "insert into dts_note (job, seq, reason, row) values (1, 1, 'x', '{}'), (1, 2, 'x', '{}'), "
      "(2, 1, 'x', '{}'), (3, 1, 'x', '{}'), (4, 1, 'by hand', '{}'), (5, 1, 'no file', '{}')");
  if (store_write(k->kernel.store, end_file, &id, &e) < 0) fail_msg("%s", e.message);
  assert_int_equal(count(k, "select count(*) from dts_note where job = 1"),
                   0); /* the content before it */
  assert_int_equal(count(k, "select count(*) from dts_note where job = 4"), 0);
  assert_int_equal(count(k, "select count(*) from dts_note"), 3); /* its own, and another input's */
  input_close(k);
}

/* An older content that failed is named beside the newer one that did not. */
static void names_the_newer_content_that_is_done(void **state) {
  (void)state;
  input_kernel *k = input_open(SET, NULL);
  ruin_file(k, "a.csv", "broken");
  ruin_file(k, "b.csv", "another");
  ruin_file(k, "a.csv", "newer, broken too");
  assert_int_equal(count(k, "select count(*) from dts_quarantine where newer is not null"), 0);
  int64_t id = ruin_file(k, "a.csv", "mended");
  assert_int_equal(id, 4);
  help_exec(k->kernel.store, "update dts_job set state = 'done', ended = 1 where id = 4");
  assert_int_equal(count(k, "select count(*) from dts_quarantine where newer = 'job-4' and id in "
                            "('job-1', 'job-3')"),
                   2);
  assert_int_equal(count(k, "select count(*) from dts_quarantine where newer is not null"), 2);
  ruin_file(k, "a.csv", "newest, broken again");
  assert_int_equal(count(k, "select count(*) from dts_quarantine where newer is null"), 2);
  expect_count(k, control_drop, "{\"where\":\"newer is not null\",\"reason\":\"mended\"}", 2);
  input_close(k);
}

static void runs_a_file_with_notes_again(void **state) {
  (void)state;
  input_kernel *k = input_open(SET, NULL);
  ruin_file(k, "a.csv", "x");
  help_exec(k->kernel.store, "update dts_job set state = 'done', ended = 1 where id = 1");
  expect_refused(k, control_release, "{\"ids\":[\"job-1\"]}", "REFUSED", 409, "job 1 is done");
  help_exec(k->kernel.store,
            "insert into dts_note (job, seq, reason, row) values (1, 1, 'x', '{}')");
  expect_count(k, control_release, "{\"ids\":[\"job-1\"]}", 1);
  assert_int_equal(
      count(k, "select count(*) from dts_job n join dts_job o on o.input = n.input join dts_file f "
               "on f.job = "
               "n.id where o.id = 1 and n.id = 2 and n.state = 'queued' and o.state = 'done'"),
      1);
  assert_int_equal(count(k, "select count(*) from dts_note"), 0);
  input_close(k);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(shows_what_lies_there),
      cmocka_unit_test(releases_jobs),
      cmocka_unit_test(asks_with_conditions),
      cmocka_unit_test(two_conditions_at_once),
      cmocka_unit_test(drops_with_a_reason),
      cmocka_unit_test(tells_what_was_tried),
      cmocka_unit_test(decides_about_dates),
      cmocka_unit_test(takes_a_corrected_file),
      cmocka_unit_test(corrects_params_too),
      cmocka_unit_test(clears_notes_when_the_input_runs_clean),
      cmocka_unit_test(names_the_newer_content_that_is_done),
      cmocka_unit_test(runs_a_file_with_notes_again),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
