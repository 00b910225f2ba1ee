/* reload_test.c -- saved scripts come into service, broken ones do not, and runs end on what they began with.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/kernel_help.h"

#define TABLE "dts.table { name = 't', key = { 'id' }, columns = { 'id integer', 'v text' } }\n"

static bench *begin(const char *text) {
  bench *b = bench_new();
  b->options.serving = true;
  bench_script(b, "a", text);
  bench_open(b);
  bench_faults(b);
  return b;
}

static bool has_pipeline(bench *b, void *name) {
  registry *set = kernel_registry(b->kernel);
  bool found = registry_pipeline(set, name) != NULL;
  registry_release(set);
  return found;
}

static bool lacks_pipeline(bench *b, void *name) { return !has_pipeline(b, name); }

static bool has_faults(bench *b, void *count) {
  arena a = {0};
  size_t faults = kernel_faults(b->kernel, &a).list.count;
  arena_free(&a);
  return faults == *(size_t *)count;
}

static void until_faults(bench *b, size_t count) { bench_until(b, has_faults, &count); }

static const value *first_fault(bench *b) {
  value *all = arena_alloc(&b->memory, sizeof *all);
  *all = kernel_faults(b->kernel, &b->memory);
  return &all->list.items[0];
}

static void a_saved_script_is_live_within_a_second(void **state) {
  (void)state;
  bench *b = begin("dts.pipeline { name = 'one', run = function() end }\n");
  int64_t begun = clock_monotonic_ms();
  bench_script(b, "a", "dts.pipeline { name = 'two', run = function() end }\n");
  bench_until(b, has_pipeline, (char[]){"two"});
  assert_true(clock_monotonic_ms() - begun < 1000);
  assert_false(has_pipeline(b, (char[]){"one"}));
  bench_script(b, "sub/deeper/b",
               TABLE "dts.pipeline { name = 'three', run = function(ctx) ctx:put('t', { id = 1 }) "
                     "end }\n"); /* a folder that is new */
  bench_until(b, has_pipeline, (char[]){"three"});
  assert_string_equal(bench_run(b, "three"), "done");
  bench_expect(b, "select count(*) from t", "1\n");
  bench_close(b);
}

static void a_broken_script_leaves_the_old_one_in_service(void **state) {
  (void)state;
  bench *b = begin(
      TABLE "dts.pipeline { name = 'p', run = function(ctx) ctx:put('t', { id = 1 }) end }\n");
  bench_script(b, "a", "dts.pipeline { name = 'p', run = function(ctx) ctx:put('t' }\n");
  until_faults(b, 1);
  const value *fault = first_fault(b);
  assert_string_equal(value_get_text(fault, "file", ""), "pipelines/a.lua");
  assert_int_equal(value_get_integer(fault, "line", 0), 2);
  assert_int_equal(strlen(value_get_text(fault, "in_service", "")), 16);
  assert_string_equal(bench_run(b, "p"), "done");
  bench_script(
      b, "a",
      TABLE
      "dts.pipeline { name = 'p', runn = function(ctx) end }\n"); /* it loads, but declares nonsense */
  bench_wait(b, 300);
  until_faults(b, 1);
  bench_contains(value_get_text(first_fault(b), "message", ""), "runn");
  assert_string_equal(bench_run(b, "p"), "done");
  bench_script(b, "a",
               TABLE
               "dts.pipeline { name = 'p', run = function(ctx) ctx:put('t', { id = 2 }) end }\n");
  until_faults(b, 0);
  assert_string_equal(bench_run(b, "p"), "done");
  bench_expect(b, "select id from t order by id", "1\n2\n");
  bench_close(b);
}

/* The edit is at fault, not the file where it shows. */
static void an_edit_that_breaks_another_file_is_refused(void **state) {
  (void)state;
  bench *b = begin(TABLE "dts.pipeline { name = 'old', run = function() end }\n");
  bench_script(b, "b",
               "dts.pipeline { name = 'user', allow = { tables = { 't' } }, run = function(ctx) "
               "ctx:put('t', { id = 1 }) end }\n");
  bench_until(b, has_pipeline, (char[]){"user"});
  bench_script(b, "a", "dts.pipeline { name = 'new', run = function() end }\n"); /* t is gone */
  until_faults(b, 1);
  const value *fault = first_fault(b);
  assert_string_equal(value_get_text(fault, "file", ""), "pipelines/a.lua");
  bench_contains(value_get_text(fault, "message", ""),
                 "pipeline 'user' may write 't', which no script declares");
  bench_contains(value_get_text(fault, "where", ""), "pipelines/b.lua:");
  assert_true(has_pipeline(b, (char[]){"old"}) && has_pipeline(b, (char[]){"user"}) &&
              !has_pipeline(b, (char[]){"new"}));
  assert_string_equal(bench_run(b, "user"), "done");
  bench_script(
      b, "b",
      "dts.pipeline { name = 'user', run = function(ctx) end }\n"); /* nobody needs it any more */
  until_faults(b, 0);
  assert_true(has_pipeline(b, (char[]){"new"}) && !has_pipeline(b, (char[]){"old"}));
  bench_close(b);
}

static void a_file_that_others_need_stays_when_it_is_deleted(void **state) {
  (void)state;
  char path[128];
  bench *b = begin(TABLE);
  bench_script(b, "b",
               "dts.pipeline { name = 'user', allow = { tables = { 't' } }, run = function(ctx) "
               "ctx:put('t', { id = 1 }) end }\n");
  bench_until(b, has_pipeline, (char[]){"user"});
  snprintf(path, sizeof path, "%s/pipelines/a.lua", b->folder);
  assert_int_equal(unlink(path), 0);
  until_faults(b, 1);
  assert_string_equal(value_get_text(first_fault(b), "file", ""), "pipelines/a.lua");
  assert_string_equal(bench_run(b, "user"), "done");
  snprintf(path, sizeof path, "%s/pipelines/b.lua", b->folder);
  assert_int_equal(unlink(path), 0); /* now both may go */
  bench_until(b, lacks_pipeline, (char[]){"user"});
  until_faults(b, 0);
  bench_close(b);
}

static void a_table_that_the_store_refuses_is_a_fault(void **state) {
  (void)state;
  bench *b = begin(
      TABLE "dts.pipeline { name = 'p', run = function(ctx) ctx:put('t', { id = 1 }) end }\n");
  bench_script(b, "a",
               "dts.table { name = 't', key = { 'id' }, columns = { 'id integer', 'v integer' } "
               "}\n"); /* another type */
  until_faults(b, 1);
  bench_contains(value_get_text(first_fault(b), "message", ""),
                 "the type of v in table 't' changed from text to integer");
  assert_string_equal(bench_run(b, "p"), "done");
  bench_script(
      b, "a",
      "dts.table { name = 't', key = { 'id' }, columns = { 'id integer', 'v text', 'more integer' "
      "} }\n"
      "dts.pipeline { name = 'p', run = function(ctx) ctx:put('t', { id = 2, more = 4 }) end }\n");
  until_faults(b, 0); /* a new column is added by itself */
  assert_string_equal(bench_run(b, "p"), "done");
  bench_expect(b, "select id, more from t where id = 2", "2|4\n");
  bench_close(b);
}

static void rows_that_cannot_be_read_name_their_table_s_line(void **state) {
  (void)state;
  bench *b = begin("");
  bench_script(b, "a",
               "\n\ndts.table { name = 't', key = { 'id' }, columns = { 'id integer' }, rows = "
               "'../..' }\n");
  until_faults(b, 1);
  const value *fault = first_fault(b);
  assert_string_equal(value_get_text(fault, "where", ""), "pipelines/a.lua:4");
  assert_string_equal(value_get_text(fault, "message", ""),
                      "'../..' is not a path inside the project");
  bench_close(b);
}

static void a_date_that_cannot_be_counted_is_an_error(void **state) {
  (void)state;
  bench *b =
      begin("dts.pipeline { name = 'far', retry = 0, run = function() print(#dts.sql 'select "
            ":today_minus_99999999999d as d') end }\n"
            "dts.pipeline { name = 'near', retry = 0, run = function() print(#dts.sql 'select "
            ":today_plus_2w as d /* :today_minus_x */') end }\n");
  assert_string_equal(bench_run(b, "far"), "failed");
  bench_expect(b, "select message from dts_run order by id desc limit 1",
               "the parameter :today_minus_99999999999d is no date\n");
  assert_string_equal(bench_run(b, "near"), "done");
  bench_close(b);
}

/* ---- private tables ---- */

#define SECRET                                                                                     \
  "dts.table { name = 'pay', private = true, key = { 'id' }, columns = { 'id integer' } }\n"
#define PAYS "dts.pipeline { name = 'pays', run = function(ctx) ctx:put('pay', { id = 7 }) end }\n"
#define SPY                                                                                        \
  TABLE                                                                                            \
  "dts.pipeline { name = 'spy', retry = 0, run = function(ctx) print(#dts.sql 'select * from "     \
  "PAY') end }\n"

static void a_private_table_stays_so_while_its_script_is_broken(void **state) {
  (void)state;
  bench *b = begin(SECRET PAYS);
  assert_string_equal(bench_run(b, "pays"), "done");
  bench_stop(b);
  bench_script(b, "a", "private = ('\n"); /* a fresh start knows of no declaration */
  bench_script(b, "b", SPY);
  bench_open(b);
  until_faults(b, 1);
  assert_string_equal(bench_run(b, "spy"), "failed");
  bench_expect(b, "select message from dts_run order by id desc limit 1",
               "table 'pay' is private\n");
  bench_script(b, "a", "dts.table { name = 'pay', key = { 'id' }, columns = { 'id integer' } }\n");
  until_faults(b, 0);
  assert_string_equal(bench_run(b, "spy"), "done"); /* a set in force says otherwise */
  bench_close(b);
}

static void a_kept_view_copies_no_private_table(void **state) {
  (void)state;
  static const char copy[] =
      "dts.view { name = 'copy', keep = true, sql = 'select id from pay' }\n";
  bench *b = begin(SECRET PAYS);
  bench_script(b, "b", copy);
  until_faults(b, 1);
  bench_contains(value_get_text(first_fault(b), "message", ""), "table 'pay' is private");
  bench_script(b, "b", "");
  until_faults(b, 0);
  bench_script(b, "a", arena_format(&b->memory, "%s%s%s", SECRET, PAYS, copy)); /* its own file */
  bench_wait(b, 400);
  until_faults(b, 0);
  assert_string_equal(bench_run(b, "pays"), "done");
  bench_expect(b, "select * from copy", "7\n");
  bench_close(b);
}

static void a_run_ends_on_the_version_it_began_with(void **state) {
  (void)state;
  bench *b = bench_new();
  b->options.serving = true;
  bench_write(b, "connectors/version.lua", "return 'old'\n");
  bench_script(
      b, "a",
      "local version = require 'connectors.version'\n" TABLE
      "dts.pipeline { name = 'p', run = function(ctx)\n"
      "  dts.log('begun')\n"
      "  repeat local n = 0 for _ in dts.query('t', { id = 100 }):rows() do n = n + 1 end until n "
      "> 0\n"
      "  ctx:put('t', { id = 1, v = version .. ' ' .. 'A' })\n"
      "end }\n"
      "dts.pipeline { name = 'go', run = function(ctx) ctx:put('t', { id = 100 }) end }\n");
  bench_open(b);
  bench_faults(b);
  bench_answer *slow = bench_begin(b, "{\"name\":\"run\",\"target\":\"p\"}");
  bench_until_sql(b, "select count(*) from dts_log");
  bench_write(b, "connectors/version.lua", "return 'new'\n");
  bench_script(
      b, "a",
      "local version = require 'connectors.version'\n" TABLE
      "dts.pipeline { name = 'q', run = function(ctx) ctx:put('t', { id = 2, v = version .. ' B' "
      "}) end }\n"
      "dts.pipeline { name = 'go', run = function(ctx) ctx:put('t', { id = 100 }) end }\n");
  bench_until(b, has_pipeline, (char[]){"q"});
  bench_ask(b, "{\"name\":\"run\",\"target\":\"go\"}");
  bench_finish(slow);
  assert_string_equal(value_get_text(&slow->answer, "state", "?"),
                      "done"); /* though p is declared no more */
  bench_run(b, "q");
  bench_expect(b, "select id, v from t where id < 100 order by id", "1|old A\n2|new B\n");
  bench_expect(b, "select count(distinct version) from dts_run", "2\n");
  bench_invariants(b);
  bench_close(b);
}

static void a_changed_module_reloads_who_requires_it(void **state) {
  (void)state;
  bench *b = bench_new();
  b->options.serving = true;
  bench_write(b, "connectors/names.lua", "return { 'first' }\n");
  bench_script(b, "a",
               "for _, name in ipairs(require 'connectors.names') do dts.pipeline { name = name, "
               "run = function() end } end\n");
  bench_script(b, "b", "dts.pipeline { name = 'apart', run = function() end }\n");
  bench_open(b);
  bench_faults(b);
  registry *set = kernel_registry(b->kernel);
  script *apart = registry_pipeline(set, "apart")->script;
  bench_write(b, "connectors/names.lua", "return { 'first', 'second' }\n");
  bench_until(b, has_pipeline, (char[]){"second"});
  registry *fresh = kernel_registry(b->kernel);
  assert_ptr_equal(registry_pipeline(fresh, "apart")->script, apart); /* loaded once */
  assert_ptr_not_equal(registry_pipeline(fresh, "first")->script,
                       registry_pipeline(set, "first")->script);
  registry_release(set);
  registry_release(fresh);
  bench_write(b, "connectors/names.lua", "return {\n");
  until_faults(b, 1);
  assert_true(has_pipeline(b, (char[]){"second"}));
  bench_write(b, "connectors/names.lua",
              "return { 'third' }\n"); /* mending the module mends its users */
  bench_until(b, has_pipeline, (char[]){"third"});
  until_faults(b, 0);
  bench_close(b);
}

static void a_job_whose_pipeline_is_gone_is_kept_for_a_person(void **state) {
  (void)state;
  bench *b = begin("dts.pipeline { name = 'p', run = function() end }\n");
  bench_ask(b, "{\"name\":\"enqueue\",\"pipeline\":\"p\",\"delay_ms\":1500}");
  bench_script(b, "a", "dts.pipeline { name = 'q', run = function() end }\n");
  bench_until(b, has_pipeline, (char[]){"q"});
  bench_until_sql(b, "select count(*) from dts_job where state = 'quarantined'");
  bench_expect(b, "select reason from dts_job", "its pipeline is not declared any more\n");
  bench_expect(b, "select attempts || ' ' || retry_count from dts_job", "1 1\n");
  bench_settle(b);
  bench_invariants(b);
  bench_script(b, "a", "dts.pipeline { name = 'p', run = function() end }\n");
  bench_until(b, has_pipeline, (char[]){"p"});
  bench_ask(b, "{\"name\":\"release\",\"ids\":[\"job-1\"]}");
  bench_until_sql(b, "select count(*) from dts_job where state = 'done'");
  bench_settle(b);
  bench_invariants(b);
  bench_close(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_saved_script_is_live_within_a_second),
      cmocka_unit_test(a_broken_script_leaves_the_old_one_in_service),
      cmocka_unit_test(an_edit_that_breaks_another_file_is_refused),
      cmocka_unit_test(a_file_that_others_need_stays_when_it_is_deleted),
      cmocka_unit_test(a_table_that_the_store_refuses_is_a_fault),
      cmocka_unit_test(rows_that_cannot_be_read_name_their_table_s_line),
      cmocka_unit_test(a_date_that_cannot_be_counted_is_an_error),
      cmocka_unit_test(a_private_table_stays_so_while_its_script_is_broken),
      cmocka_unit_test(a_kept_view_copies_no_private_table),
      cmocka_unit_test(a_run_ends_on_the_version_it_began_with),
      cmocka_unit_test(a_changed_module_reloads_who_requires_it),
      cmocka_unit_test(a_job_whose_pipeline_is_gone_is_kept_for_a_person),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
