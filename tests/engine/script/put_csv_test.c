/* put_csv_test.c -- a CSV iterator given to put whole, and the same one behind a function of Lua: both
 * ways give the same rows, and refuse the same with the same words.
 *
 * SPDX-License-Identifier: MIT */
#include "script/fake_engine.h"

#include "format/json.h"

/* The end of a script that begins with `local text, shape, also =`. `way` is how rows are handed on. */
#define PUT(way)                                                                                   \
  "\nreturn function(kernel, _, rows)\n"                                                           \
  "  local given = rows.csv(kernel.body(text), shape)\n"                                           \
  "  local handed = " way "\n"                                                                     \
  "  local ok, fault = pcall(kernel.put, 'all', handed, also)\n"                                   \
  "  kernel.put('pump', { station = ok and tostring(fault) or fault.message, date = "              \
  "'2024-02-29',\n"                                                                                \
  "    price = 1, unit = ok and '' or fault.code })\n"                                             \
  "end"

static const char TYPED[] =
    "types = { integer = 'integer', real = 'real', boolean = 'boolean', date = 'date',\n"
    "  timestamp = 'timestamp', json = 'json', text = 'text' }, origin = 'f.csv'";

/* What put wrote, by one way: all frames as JSON. */
static void run(void **state, const char *given, const char *end, buffer *out) {
  talk t;
  char source[8192];
  snprintf(source, sizeof source, "local text, shape, also = %s%s", given, end);
  talk_run(state, &t, NULL, source);
  done(&t);
  buffer_init(out, 1 << 20);
  assert_int_equal(json_write(out, &t.rows), 0);
  for (size_t i = 0; i < t.stages.list.count; i++)
    assert_int_equal(json_write(out, &t.stages.list.items[i]), 0);
  talk_close(&t);
}

static void assert_same_with(void **state, const char *given, const char *part) {
  buffer whole, behind;
  run(state, given, PUT("given"), &whole);
  run(state, given, PUT("function() return given() end"), &behind);
  assert_string_equal(buffer_text(&whole), buffer_text(&behind));
  if (!strstr(buffer_text(&whole), part)) fail_msg("%s lacks %s", buffer_text(&whole), part);
  buffer_free(&whole);
  buffer_free(&behind);
}

/* `text` is a Lua literal; `more` further fields of the shape and, behind it, `also`. */
static void assert_same(void **state, const char *text, const char *more, const char *part) {
  char given[4096];
  snprintf(given, sizeof given, "%s, { %s%s%s", text, TYPED, *more ? ", " : "",
           strchr(more, '}') ? more : "");
  if (!strchr(more, '}'))
    snprintf(given + strlen(given), sizeof given - strlen(given), "%s }", more);
  assert_same_with(state, given, part);
}

static void each_type(void **state) {
  const char *text = "'text,integer,real,boolean,date,timestamp,json\\n"
                     "é,-9223372036854775808,-0.5,TRUE,2024-02-29,2024-02-29T10:00:00-03:00,[1]\\n"
                     "\"a\"\"b\",12.0,1e3,no,1999-12-31,2024-02-29T10:00:00.5Z,{}\\n"
                     ",,,,,,\\n00,007,.5,0,,,\\n'";
  assert_same(state, "'text,integer\\n00123,9223372036854775807\\nx,\\n'", "",
              "[\"00123\",9223372036854775807,null");
  assert_same(state, text, "bad = 'null'", "1000.0");
  assert_same(state, "'date,real,integer\\n29/02/2024,\"1.234,5\",1 000\\n'",
              "dates = { '%d/%m/%Y' }, decimal = ','}", "1234.5");
}

static void what_all_rows_share(void **state) {
  assert_same(state, "'integer\\n1\\n\\n2\\n'", "}, { text = 'x', real = 2 }",
              "[\"x\",1,2.0,null,null,null,null],[\"x\",2,2.0");
  assert_same(state, "'integer,text\\n1,\\n2,y\\n'", "}, { text = 'x' }", "[\"y\",2");
  assert_same(state, "'integer\\n1\\n'", "}, { txt = 'x' }", "has no column 'txt'");
}

static void columns_of_other_types(void **state) {
  assert_same_with(state, "'integer,real,date\\n1,2.5,2024-02-29\\n', { origin = 'f.csv' }",
                   "[null,1,2.5,null,\"2024-02-29\"");
  assert_same_with(
      state, "'integer\\n1.5\\n', { origin = 'f.csv' }",
      "column 'integer': an integer expected, got \\\"1.5\\\" (row 1, line 2 of 'all')");
  assert_same_with(state,
                   "'r\\n7\\n', { columns = { real = 'r' }, types = { real = 'integer' }, "
                   "origin = 'f.csv' }",
                   "7.0");
}

static void what_is_refused(void **state) {
  assert_same(state, "'integer,reel\\n1,\\n2,3\\n'", "", "has no column 'reel' (row 2, line 3)");
  assert_same(state, "'integer\\n1\\nx\\n'", "",
              "column 'integer': a whole number expected, got \\\"x\\\" (line 3 of f.csv)");
  assert_same(state, "'text\\na\\0b\\n'", "", "column 'text': text expected");
  assert_same(state, "'text\\n\"a\\n'", "", "never closed");
  assert_same(state, "'text,real\\na\\n'", "", "2 fields expected");
  assert_same(state, "'text,real\\na\\n'", "ragged = 'pad'", "[\"a\",null,null");
  assert_same(state, "'json\\n{]\\n'", "", "JSON expected");
  assert_same(state, "'text\\n\\255\\n'", "", "not utf-8");
  assert_same(state, "''", "", "\"0\"");
}

static void rows_set_aside(void **state) {
  assert_same(state, "'integer,text\\nx,a\\n2,b\\n3,c,d\\n4,e\\n'",
              "bad = 'reject', reject = function() end", "[\"b\",2,null");
  assert_same(state, "'integer,text\\nx,a\\n2,b\\n'", "bad = 'reject'",
              "by the runs of a pipeline only");
}

static void many_rows_are_as_many(void **state) {
  talk t;
  talk_open(*state, &t, 0, 0);
  t.counting = true;
  talk_start(&t,
             "local text, shape, also = ('1,2.5,x\\n'):rep(100000), { header = { 'integer', "
             "'real', 'text' }, "
             "origin = 'f' }" PUT("given"),
             (start_options){0});
  talk_listen(&t);
  talk_wait(&t);
  done(&t);
  assert_int_equal(t.row_count, 100001);
  talk_close(&t);
}

/* No instruction of Lua runs between the rows: the limit has to be looked at. */
static void the_limit_of_time_holds(void **state) {
  talk t;
  talk_open(*state, &t, 0, 0);
  t.counting = true;
  talk_start(
      &t,
      "local text, shape, also = ('12345678,2.5,x\\n'):rep(4000000), { header = { 'integer', "
      "'real', 'text' }, origin = 'f' }" PUT("given"),
      (start_options){.cpu_ms = 300});
  talk_listen(&t);
  talk_wait(&t);
  failed(&t, "LIMIT_CPU", "pipelines/x.lua:5",
         "the script used more than its 0.3 s of processor time");
  talk_close(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(each_type),
      cmocka_unit_test(what_all_rows_share),
      cmocka_unit_test(columns_of_other_types),
      cmocka_unit_test(what_is_refused),
      cmocka_unit_test(rows_set_aside),
      cmocka_unit_test(many_rows_are_as_many),
      cmocka_unit_test(the_limit_of_time_holds),
  };
  return cmocka_run_group_tests(tests, engine_open, engine_close);
}
