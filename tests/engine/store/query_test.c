/* query_test.c -- users' SQL: what it may do, what it says, where it stops.
 *
 * SPDX-License-Identifier: MIT */
#include "store/help.h"

#include "base/clock.h"

typedef struct ask {
  const char *sql, *params;
  int64_t limit_ms, limit_rows;
  bool check, stop;
  arena a;
  value columns, tables, parameters, rows;
  int64_t count;
} ask;

static int add_row(void *arg, const store_header *header, const value *row, dts_error *e) {
  ask *q = arg;
  if (q->stop) return error_fail(e, "TEST", "enough");
  value list = {.kind = VALUE_LIST, .list = {(value *)row, header->count}};
  if (q->count++ < 100) value_add(&q->a, &q->rows, value_copy(&q->a, &list));
  return 0;
}

static int run(store_conn *c, void *arg, dts_error *e) {
  ask *q = arg;
  value params = q->params ? help_json(&q->a, q->params) : value_null();
  store_sql sql = {q->sql, &params, q->limit_ms, q->limit_rows};
  q->rows = value_list();
  if (q->check) return store_check(c, q->sql, &q->a, &q->columns, &q->tables, &q->parameters, e);
  return store_query(c, &sql, &q->a, &q->columns, &q->tables, add_row, q, e);
}

static void same_json(const char *what, const value *got, arena *a, const char *expected) {
  value want = help_json(a, expected);
  char shown[2000];
  buffer b;
  buffer_init(&b, sizeof shown);
  json_write(&b, got);
  if (!value_equal(got, &want)) fail_msg("%s: %s, expected %s", what, buffer_text(&b), expected);
  buffer_free(&b);
}

static void gives(store *s, const char *sql, const char *params, const char *rows) {
  ask q = {.sql = sql, .params = params};
  dts_error e = {0};
  if (store_read(s, run, &q, &e) < 0) fail_msg("%s: %s", sql, e.message);
  same_json(sql, &q.rows, &q.a, rows);
  arena_free(&q.a);
}

static void describes(store *s, bool check, const char *sql, const char *columns,
                      const char *tables) {
  ask q = {.sql = sql, .check = check};
  dts_error e = {0};
  if (store_read(s, run, &q, &e) < 0) fail_msg("%s: %s", sql, e.message);
  same_json(sql, &q.columns, &q.a, columns);
  same_json(sql, &q.tables, &q.a, tables);
  arena_free(&q.a);
}

static void fails(store *s, const char *sql, const char *message, const char *hint) {
  ask q = {.sql = sql};
  dts_error e = {0};
  if (store_read(s, run, &q, &e) == 0) fail_msg("%s was taken", sql);
  assert_string_equal(e.message, message);
  if (hint) assert_string_equal(e.hint, hint);
  arena_free(&q.a);
}

static int make(store_conn *c, void *arg, dts_error *e) {
  arena a = {0};
  (void)arg;
  table *t = help_table(
      &a, "{\"name\":\"pump\",\"key\":[\"station\",\"date\"],\"columns\":["
          "{\"name\":\"station\",\"type\":\"text\"},{\"name\":\"date\",\"type\":\"date\"},"
          "{\"name\":\"price\",\"type\":\"real\"},{\"name\":\"open\",\"type\":\"boolean\"},"
          "{\"name\":\"big\",\"type\":\"integer\"},{\"name\":\"at\",\"type\":\"timestamp\"}]}");
  int result = store_table_ensure(c, t, e);
  static const char *const rows[] = {
      "insert into pump values('a', '2026-01-01', 5, 1, 9007199254740993, "
      "'2026-01-01T10:00:00.000Z')",
      "insert into pump values('a', '2026-01-02', 6.5, 0, -9223372036854775808, null)",
      "insert into pump values('b', '2026-01-01', null, null, null, null)"};
  for (size_t i = 0; result == 0 && i < 3; i++) result = store_exec(c, rows[i], NULL, 0, e);
  if (result == 0) result = store_view_ensure(c, "cheap", "select * from pump where price < 6", e);
  if (result == 0) result = store_view_ensure(c, "counts", "select count(*) as n from cheap", e);
  arena_free(&a);
  return result;
}

static int open_sample(void **state) {
  dts_error e = {0};
  store *s = help_memory();
  if (store_write(s, make, NULL, &e) < 0) fail_msg("%s", e.message);
  *state = s;
  return 0;
}

static int close_sample(void **state) {
  store_close(*state);
  return 0;
}

static void binds_names(void **state) {
  gives(*state,
        "select price, big from pump where station = :station and (:from is null or date >= :from)",
        "{\"station\":\"a\"}", "[[5.0,9007199254740993],[6.5,-9223372036854775808]]");
  gives(*state,
        "select price from pump where station = :station and (:from is null or date >= :from)",
        "{\"station\":\"a\",\"from\":\"2026-01-02\",\"unused\":1}", "[[6.5]]");
  gives(*state, "select :b, :n, :x, :t", "{\"b\":true,\"n\":9223372036854775807,\"x\":0.5}",
        "[[1,9223372036854775807,0.5,null]]");
  gives(*state, "select open from cheap -- a comment\n;\n", NULL, "[[true]]");
  gives(*state, "select value from json_each('[1,\"x\"]')", NULL, "[[1],[\"x\"]]");
  fails(*state, "select ?", "parameter 1 is written ?: a name expected, such as :from",
        "write :name, and give its value under that name");
  fails(*state, "select @x", "parameter 1 is written @x: a name expected, such as :from", NULL);
  ask q = {.sql = "select :l", .params = "{\"l\":[1]}"};
  dts_error e = {0};
  assert_int_equal(store_read(*state, run, &q, &e), -1);
  assert_string_equal(e.message, ":l is a list: one plain value expected");
  arena_free(&q.a);
}

#define C(name, type) "{\"name\":\"" name "\",\"type\":\"" type "\"}"

static void knows_types(void **state) {
  describes(*state, false, "select station, date, price, open, big, at from pump",
            "[" C("station", "text") "," C("date", "date") "," C("price", "real") "," C(
                "open", "boolean") "," C("big", "integer") "," C("at", "timestamp") "]",
            "[\"pump\"]");
  describes(*state, false,
            "select count(*) n, avg(price) p, max(date) d, min(at) t, station || '!' s, null z,"
            " price + 0 m from pump group by station order by 1 desc",
            "[" C("n", "integer") "," C("p", "real") "," C("d", "date") "," C(
                "t", "timestamp") "," C("s", "text") "," C("z", "any") "," C("m", "real") "]",
            "[\"pump\"]");
  describes(*state, false, "select value from json_each('[1, 2.5]')", "[" C("value", "real") "]",
            "[]");
  describes(*state, true, "select open as o, price * 2 as p from cheap where station = :s",
            "[" C("o", "boolean") "," C("p", "any") "]", "[\"pump\",\"cheap\"]");
  describes(*state, true, "select n from counts", "[" C("n", "any") "]",
            "[\"pump\",\"counts\",\"cheap\"]");
  describes(*state, true, "with q as (select station from pump) select count(*) as n from q",
            "[" C("n", "any") "]", "[\"pump\"]");
}

static void names_parameters(void **state) {
  ask q = {.sql = "select :b, :a, :b", .check = true};
  dts_error e = {0};
  assert_int_equal(store_read(*state, run, &q, &e), 0);
  same_json(q.sql, &q.parameters, &q.a, "[\"b\",\"a\"]");
  arena_free(&q.a);
}

static void says_where(void **state) {
  fails(*state, "select station,\n  prise\nfrom pump",
        "unknown column 'prise' (line 2, column 3 of the SQL)", "did you mean 'price'?");
  fails(*state, "select p.dat from pump p", "unknown column 'p.dat' (line 1, column 8 of the SQL)",
        "did you mean 'date'?");
  fails(*state, "select 1\nfrom pumps", "unknown table 'pumps' (line 2, column 6 of the SQL)",
        "did you mean 'pump'?");
  fails(*state, "select medain(price) from pump",
        "unknown function 'medain' (line 1, column 8 of the SQL)", "did you mean 'median'?");
  fails(*state, "selec 1", "near \"selec\": syntax error (line 1, column 1 of the SQL)", NULL);
  fails(*state, "select '\xC3\xA9\xC3\xA9', from pump",
        "near \"from\": syntax error (line 1, column 14 of the SQL)", NULL);
  fails(*state, "select 1 from pump where", "incomplete input (line 1, column 25 of the SQL)",
        NULL);
  fails(*state, "select \"prise\" from pump",
        "unknown column 'prise' (line 1, column 8 of the SQL)", NULL);
  fails(*state, "", "there is no SQL statement here, only \"\"", NULL);
}

static void only_reads(void **state) {
  static const struct {
    const char *sql, *message;
  } refused[] = {
      {"insert into pump(station, date) values('x', '2026-01-01')",
       "only a SELECT may stand here, not insert"},
      {"delete from pump", "only a SELECT may stand here, not delete"},
      {"update pump set price = 1", "only a SELECT may stand here, not update"},
      {"drop table pump", "only a SELECT may stand here, not drop"},
      {"create index x on pump(price)", "only a SELECT may stand here, not create"},
      {"create view x as select 1", "only a SELECT may stand here, not create"},
      {"alter table pump add column x", "only a SELECT may stand here, not alter"},
      {"create table x(a)", "only a SELECT may stand here, not create"},
      {"create temp table x(a)", "only a SELECT may stand here, not create"},
      {"pragma query_only = off", "only a SELECT may stand here, not pragma"},
      {"attach ':memory:' as x", "only a SELECT may stand here, not attach"},
      {"begin", "only a SELECT may stand here, not begin or commit"},
      {"savepoint x", "only a SELECT may stand here, not savepoint"},
      {"vacuum", "a SELECT expected, not \"vacuum\""},
      {"explain select 1", "a SELECT expected, not \"explain select 1\""},
      {"select 1; select 2", "one statement expected, more follows:  select 2"},
      {"select 1; delete from pump", "one statement expected, more follows:  delete from pump"},
      {"select sql from sqlite_schema", "'sqlite_master' is SQLite's own and not on every store: "
                                        "`dts check` shows what is declared"},
      {"select * from pragma_table_info('pump')",
       "'pragma_table_info' is SQLite's own and not on every store: `dts check` shows what is "
       "declared"},
      {"select load_extension('x')", "the function load_extension is not available"},
      {"select zeroblob(100000000)", "the function zeroblob is not available"},
      {"select x'00ff'", "the result holds bytes (a blob): use hex(...)"},
      {"with x as (select 1) delete from pump", "only a SELECT may stand here, not delete"},
  };
  for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++)
    for (int again = 0; again < 2; again++) fails(*state, refused[i].sql, refused[i].message, NULL);
  assert_int_equal(help_count(*state, "select count(*) from pump"), 3);
}

static void stops_in_time(void **state) {
  ask q = {
      .sql =
          "with recursive n(i) as (select 1 union all select i + 1 from n) select count(*) from n",
      .limit_ms = 150};
  dts_error e = {0};
  int64_t start = clock_monotonic_ms();
  assert_int_equal(store_read(*state, run, &q, &e), -1);
  int64_t took = clock_monotonic_ms() - start;
  assert_true(took >= 150 && took < 2000);
  assert_string_equal(e.code, "LIMIT_TIME");
  assert_string_equal(e.message, "the query was stopped at its limit of 150 ms");
  gives(*state, "select count(*) from pump", NULL, "[[3]]"); /* the connection is none the worse */
  arena_free(&q.a);
}

static void stops_at_rows(void **state) {
  static const char numbers[] =
      "with recursive n(i) as (select 1 union all select i + 1 from n limit 1000) select i from n";
  ask exact = {.sql = numbers, .limit_rows = 1000}, over = {.sql = numbers, .limit_rows = 999},
      stopped = {.sql = numbers, .stop = true};
  dts_error e = {0};
  assert_int_equal(store_read(*state, run, &exact, &e), 0);
  assert_int_equal(exact.count, 1000);
  assert_int_equal(store_read(*state, run, &over, &e), -1);
  assert_string_equal(e.message, "the query has more than 999 rows");
  assert_string_equal(e.code, "LIMIT_ROWS");
  assert_int_equal(store_read(*state, run, &stopped, &e), -1);
  assert_string_equal(e.message, "enough");
  arena_free(&exact.a);
  arena_free(&over.a);
  arena_free(&stopped.a);
}

static int change_view(store_conn *c, void *arg, dts_error *e) {
  return store_view_ensure(c, "cheap", arg, e);
}

/* A cached statement must not keep the tables and types of a view that has changed since. */
static void follows_changed_views(void **state) {
  dts_error e = {0};
  store *s = *state;
  help_exec(s, "create table other(flag integer) strict");
  describes(s, false, "select * from cheap where 0",
            "[" C("station", "text") "," C("date", "date") "," C("price", "real") "," C(
                "open", "boolean") "," C("big", "integer") "," C("at", "timestamp") "]",
            "[\"pump\",\"cheap\"]");
  assert_int_equal(store_write(s, change_view, "select flag from other", &e), 0);
  for (int i = 0; i < 6; i++)
    describes(s, false, "select * from cheap where 0", "[" C("flag", "integer") "]",
              "[\"other\",\"cheap\"]");
  assert_int_equal(store_write(s, change_view, "select * from pump where price < 6", &e), 0);
}

static void forgets_old_statements(void **state) {
  for (int i = 0; i < 1000; i++) {
    char sql[60], expected[30];
    snprintf(sql, sizeof sql, "select %d + :n", i);
    snprintf(expected, sizeof expected, "[[%d]]", i + 1);
    gives(*state, sql, "{\"n\":1}", expected);
  }
}

static int nested_row(void *arg, const store_header *header, const value *row, dts_error *e) {
  value sum;
  (void)header;
  assert_int_equal(
      store_get(arg, "select count(*) from pump where station = ?1", row, 1, NULL, &sum, e), 0);
  assert_true(sum.integer == 2 || sum.integer == 1);
  return 0;
}

static int nested(store_conn *c, void *arg, dts_error *e) {
  (void)arg;
  for (int i = 0; i < 3; i++)
    if (store_select(c, "select station from pump", NULL, 0, nested_row, c, e) < 0) return -1;
  return 0;
}

static void queries_nest(void **state) {
  dts_error e = {0};
  assert_int_equal(store_read(*state, nested, NULL, &e), 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(binds_names),
      cmocka_unit_test(knows_types),
      cmocka_unit_test(names_parameters),
      cmocka_unit_test(says_where),
      cmocka_unit_test(only_reads),
      cmocka_unit_test(stops_in_time),
      cmocka_unit_test(stops_at_rows),
      cmocka_unit_test(follows_changed_views),
      cmocka_unit_test(forgets_old_statements),
      cmocka_unit_test(queries_nest),
  };
  return cmocka_run_group_tests(tests, open_sample, close_sample);
}
