/* migrate_test.c -- a changed declaration: refused with the command to run, and what that command does.
 *
 * SPDX-License-Identifier: MIT */
#include "store/help.h"

static const char OLD[] =
    "{\"name\":\"t\",\"key\":[\"id\"],\"index\":[[\"n\"]],\"columns\":["
    "{\"name\":\"id\",\"type\":\"text\"},{\"name\":\"n\",\"type\":\"text\"},"
    "{\"name\":\"b\",\"type\":\"boolean\"},{\"name\":\"gone\",\"type\":\"text\"}]}";

typedef struct fixture {
  arena a;
  store *s;
  buffer report;
  const table *table;
} fixture;

static int ensure_work(store_conn *c, void *arg, dts_error *e) {
  return store_table_ensure(c, ((fixture *)arg)->table, e);
}

static int migrate_work(store_conn *c, void *arg, dts_error *e) {
  fixture *f = arg;
  return store_table_migrate(c, f->table, &f->report, e);
}

static int declare(fixture *f, const char *json, store_work *work, dts_error *e) {
  f->table = help_table(&f->a, json);
  buffer_clear(&f->report);
  return store_write(f->s, work, f, e);
}

static int setup(void **state) {
  fixture *f = memory_alloc(sizeof *f);
  *f = (fixture){.s = help_memory()};
  buffer_init(&f->report, 1 << 20);
  assert_int_equal(declare(f, OLD, ensure_work, NULL), 0);
  help_exec(
      f->s,
      "insert into t values ('1', '10', 1, 'x'), ('2', '20', 0, 'y'), ('3', null, null, 'z')");
  help_exec(f->s, "create view v as select id, n from t");
  *state = f;
  return 0;
}

static int teardown(void **state) {
  fixture *f = *state;
  store_close(f->s);
  buffer_free(&f->report);
  arena_free(&f->a);
  free(f);
  return 0;
}

static const char RETYPED[] =
    "{\"name\":\"t\",\"key\":[\"id\"],\"index\":[[\"n\"]],\"columns\":["
    "{\"name\":\"id\",\"type\":\"integer\"},{\"name\":\"n\",\"type\":\"real\"},"
    "{\"name\":\"b\",\"type\":\"text\"},{\"name\":\"fresh\",\"type\":\"text\",\"default\":\"'new'"
    "\"}]}";

static void a_changed_type_names_the_command(void **state) {
  fixture *f = *state;
  dts_error e = {0};
  assert_int_equal(declare(f, RETYPED, ensure_work, &e), -1);
  assert_string_equal(e.code, "TABLE_CHANGED");
  assert_string_equal(e.message, "the type of id in table 't' changed from text to integer");
  assert_non_null(strstr(e.hint, "dts migrate t"));
}

static void rows_are_copied_by_their_new_types(void **state) {
  fixture *f = *state;
  dts_error e = {0};
  if (declare(f, RETYPED, migrate_work, &e) < 0) fail_msg("%s", e.message);
  assert_string_equal(
      buffer_text(&f->report),
      "column id: text becomes integer\ncolumn n: text becomes real\n"
      "column b: boolean becomes text\ncolumn fresh is new (text)\n"
      "column gone is no longer declared: it goes, with its values\n3 rows copied\n");
  value row =
      help_get(f->s, &f->a,
               "select group_concat(id || ' ' || coalesce(n, '-') || ' ' || coalesce(b, '-') || "
               "' ' || fresh, ';') from t order by id");
  assert_string_equal(row.text.bytes, "1 10.0 true new;2 20.0 false new;3 - - new");
  assert_int_equal(
      help_count(f->s, "select count(*) from sqlite_schema where name glob 'dts_old*'"), 0);
  assert_int_equal(
      help_count(f->s, "select count(*) from sqlite_schema where name glob 'dts_index*'"), 1);
  assert_int_equal(declare(f, RETYPED, ensure_work, NULL), 0);
  assert_int_equal(declare(f, RETYPED, migrate_work, NULL), 0);
  assert_int_equal(f->report.size, 0); /* nothing is left to do */
}

static void a_row_that_does_not_fit_leaves_all_as_it_was(void **state) {
  fixture *f = *state;
  dts_error e = {0};
  help_exec(f->s, "update t set n = 'many' where id = '2'");
  assert_int_equal(declare(f, RETYPED, migrate_work, &e), -1);
  assert_string_equal(
      e.message, "column 'n' of table 't': a number expected, got \"many\" (row 2; its key: 2)");
  assert_int_equal(help_count(f->s, "select count(*) from t where n in ('10', 'many')"), 2);
  assert_int_equal(help_count(f->s, "select count(*) from v"), 3);
  assert_int_equal(declare(f, OLD, ensure_work, NULL), 0);
}

static void two_rows_of_one_new_key_are_refused(void **state) {
  fixture *f = *state;
  dts_error e = {0};
  help_exec(f->s, "update t set n = '10' where n is null or n = '20'");
  int result = declare(f,
                       "{\"name\":\"t\",\"key\":[\"n\"],\"columns\":[{\"name\":\"n\",\"type\":"
                       "\"text\"},{\"name\":\"id\",\"type\":\"text\"}]}",
                       migrate_work, &e);
  assert_int_equal(result, -1);
  assert_string_equal(e.message, "a row with the same t.n is there already (n \"10\")");
  assert_int_equal(help_count(f->s, "select count(*) from t"), 3);
}

static void not_null_needs_values(void **state) {
  fixture *f = *state;
  dts_error e = {0};
  static const char strict[] =
      "{\"name\":\"t\",\"key\":[\"id\"],\"columns\":[{\"name\":\"id\",\"type\":\"text\"},"
      "{\"name\":\"n\",\"type\":\"text\",\"not_null\":true%s}]}";
  char json[400];
  snprintf(json, sizeof json, strict, "");
  assert_int_equal(declare(f, json, ensure_work, &e), -1);
  assert_string_equal(e.message,
                      "column 'n' of table 't' is not null now, and has rows without a value");
  assert_int_equal(declare(f, json, migrate_work, &e), -1);
  snprintf(json, sizeof json, strict, ",\"default\":\"'none'\"");
  if (declare(f, json, migrate_work, &e) < 0) fail_msg("%s", e.message);
  assert_int_equal(help_count(f->s, "select count(*) from t where n = 'none'"), 1);
}

static void a_new_column_of_old_rows(void **state) {
  fixture *f = *state;
  dts_error e = {0};
  char json[500];
  static const char more[] =
      "{\"name\":\"t\",\"key\":[\"id\"],\"columns\":[{\"name\":\"id\",\"type\":\"text\"},"
      "{\"name\":\"m\",\"type\":\"integer\",\"not_null\":true%s}]}";
  snprintf(json, sizeof json, more, "");
  assert_int_equal(declare(f, json, ensure_work, &e), -1);
  assert_string_equal(
      e.message, "column 'm' is new in table 't' and not null, but its rows have no value for it");
  snprintf(json, sizeof json, more, ",\"default\":\"7\"");
  if (declare(f, json, ensure_work, &e) < 0) fail_msg("%s", e.message);
  assert_int_equal(help_count(f->s, "select sum(m) from t"), 21);
  help_exec(f->s, "insert into t (id, m) values ('4', 1)"); /* the dropped columns do not hinder */
}

int main(void) {
#define test(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
  const struct CMUnitTest tests[] = {test(a_changed_type_names_the_command),
                                     test(rows_are_copied_by_their_new_types),
                                     test(a_row_that_does_not_fit_leaves_all_as_it_was),
                                     test(two_rows_of_one_new_key_are_refused),
                                     test(not_null_needs_values),
                                     test(a_new_column_of_old_rows)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
