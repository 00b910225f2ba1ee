/* put_test.c -- rows: how they are packed, and how what does not fit is refused, word for word.
 *
 * SPDX-License-Identifier: MIT */
#include "script/fake_engine.h"

#include "format/json.h"

/* The rows of the n-th OP_ROWS frame as JSON. */
static void rows_are(const talk *t, size_t n, const char *json) {
  buffer b;
  buffer_init(&b, 1 << 20);
  assert_true(n < t->rows.list.count);
  assert_int_equal(json_write(&b, &t->rows.list.items[n]), 0);
  assert_string_equal(buffer_text(&b), json);
  buffer_free(&b);
}

static void one_row_a_list_an_iterator(void **state) {
  talk t;
  talk_run(
      state, &t, NULL,
      "return function(kernel)\n"
      "  local put = kernel.put\n"
      "  assert(put('pump', { station = 'a', date = '2026-03-01', price = 5.5 }) == 1)\n"
      "  assert(put('pump', {\n"
      "    { date = '2026-03-02', price = 6 },\n"
      "    { date = '2026-03-03', price = 7, unit = 'kg', count = 3.0 } }, { station = 'b' }) == "
      "2)\n"
      "  local n = 0\n"
      "  assert(put('pump', function()\n"
      "    n = n + 1\n"
      "    if n < 3 then return { station = 'c', date = '2026-03-0' .. n, price = n }, n + 10 end\n"
      "  end) == 2)\n"
      "  assert(put('pump', {}) == 0)\n"
      "  assert(put('pump', setmetatable({}, { __call = function() return nil end })) == 0)\n"
      "end");
  done(&t);
  rows_are(&t, 0,
           "{\"table\":\"pump\",\"rows\":["
           "[\"a\",\"2026-03-01\",5.5,null,null],[\"b\",\"2026-03-02\",6.0,null,null],"
           "[\"b\",\"2026-03-03\",7.0,\"kg\",3],"
           "[\"c\",\"2026-03-01\",1.0,null,null],[\"c\",\"2026-03-02\",2.0,null,null]]}");
  assert_int_equal(t.rows.list.count, 1);
  talk_close(&t);
}

static void values_become_canonical(void **state) {
  talk t;
  talk_run(state, &t, NULL,
           "return function(kernel)\n"
           "  kernel.put('all', { text = 'é', integer = 3.0, real = 2, boolean = true, date = "
           "'2024-02-29',\n"
           "    timestamp = '2026-03-10T10:00:00-03:00', json = { a = { 1, kernel.null } } })\n"
           "  kernel.put('all', { integer = '-42', real = '1.5e3', boolean = 'false',\n"
           "    json = '[1, \"two\"]', timestamp = '2026-03-10T13:00:00.123Z' })\n"
           "  kernel.put('all', { integer = math.mininteger, real = kernel.null, json = false })\n"
           "end");
  done(&t);
  rows_are(&t, 0,
           "{\"table\":\"all\",\"rows\":["
           "[\"é\",3,2.0,true,\"2024-02-29\",\"2026-03-10T13:00:00.000Z\",{\"a\":[1,null]}],"
           "[null,-42,1500.0,false,null,\"2026-03-10T13:00:00.123Z\","
           "\"[1, \\\"two\\\"]\"],"
           "[null,-9223372036854775808,null,null,null,null,false]]}");
  talk_close(&t);
}

static void refuses(void **state, const char *column, const char *shown, const char *message) {
  talk t;
  char source[512];
  snprintf(source, sizeof source, "return function(kernel)\n  kernel.put('all', { %s = %s })\nend",
           column, shown);
  talk_run(state, &t, NULL, source);
  failed(&t, "COLUMN", "pipelines/x.lua:2", message);
  assert_int_equal(t.row_count, 0);
  talk_close(&t);
}

static void wrong_types_are_shown(void **state) {
  refuses(state, "real", "'n/a'", "column 'real': a number expected, got \"n/a\" (row 1 of 'all')");
  refuses(state, "real", "0/0", "column 'real': a number expected, got NaN (0/0) (row 1 of 'all')");
  refuses(state, "real", "'1.'", "column 'real': a number expected, got \"1.\" (row 1 of 'all')");
  refuses(state, "real", "'0x10'",
          "column 'real': a number expected, got \"0x10\" (row 1 of 'all')");
  refuses(state, "integer", "3.5",
          "column 'integer': an integer expected, got 3.5 (row 1 of 'all')");
  refuses(state, "integer", "'3 '",
          "column 'integer': an integer expected, got \"3 \" (row 1 of 'all')");
  refuses(state, "integer", "'007'",
          "column 'integer': an integer expected, got \"007\" (row 1 of 'all')");
  refuses(state, "integer", "'9223372036854775808'",
          "column 'integer': an integer expected, got \"9223372036854775808\" (row 1 of 'all')");
  refuses(state, "integer", "true",
          "column 'integer': an integer expected, got true (row 1 of 'all')");
  refuses(state, "integer", "1e300",
          "column 'integer': an integer expected, got 1e+300 (row 1 of 'all')");
  refuses(state, "text", "5", "column 'text': text expected, got 5 (row 1 of 'all')");
  refuses(state, "text", "'a\\0b'",
          "column 'text': text expected, got \"a\\x00b\" (row 1 of 'all')");
  refuses(state, "text", "'\\xff'", "column 'text': text expected, got \"\\xFF\" (row 1 of 'all')");
  refuses(state, "text", "{}", "column 'text': text expected, got a table (row 1 of 'all')");
  refuses(state, "boolean", "1",
          "column 'boolean': true or false expected, got 1 (row 1 of 'all')");
  refuses(state, "date", "'2026-02-29'",
          "column 'date': a date YYYY-MM-DD expected, got \"2026-02-29\" (row 1 of 'all')");
  refuses(
      state, "json", "'plain'",
      "column 'json': plain data, or a text that is JSON expected, got \"plain\" (row 1 of 'all')");
  refuses(
      state, "timestamp", "'2026-03-10T10:00:00'",
      "column 'timestamp': a timestamp with an offset, such as 2026-03-10T13:00:00Z expected, got "
      "\"2026-03-10T10:00:00\" (row 1 of 'all')");
}

static void fails(void **state, const char *call, const char *code, const char *message) {
  talk t;
  char source[512];
  snprintf(source, sizeof source, "return function(kernel)\n  kernel.put(%s)\nend", call);
  talk_run(state, &t, NULL, source);
  failed(&t, code, "pipelines/x.lua:2", message);
  talk_close(&t);
}

static void hints(void **state, const char *column, const char *lua, const char *part) {
  talk t;
  char source[512];
  snprintf(source, sizeof source, "return function(kernel)\n  kernel.put('all', { %s = %s })\nend",
           column, lua);
  talk_run(state, &t, NULL, source);
  assert_non_null(strstr(value_get_text(&t.end, "hint", ""), part));
  talk_close(&t);
}

static void refusals_say_what_to_write(void **state) {
  hints(state, "real", "'1.234,5'", "decimal = \",\"");
  hints(state, "integer", "'007'", "tonumber(text)");
  hints(state, "integer", "3.5", "math.floor");
  hints(state, "date", "'28/02/2026'", "%d/%m/%Y");
  hints(state, "date", "20260228", "%Y%m%d");
  hints(state, "text", "5", "tostring");
  hints(state, "whatever_else", "1", "declare it");
}

static void names_are_checked(void **state) {
  fails(state, "'pump', { station = 'a', date = '2026-03-01', prise = 1 }", "COLUMN",
        "table 'pump' has no column 'prise' (row 1); did you mean 'price'?");
  fails(state, "'pump', { whatever_else = 1 }", "COLUMN",
        "table 'pump' has no column 'whatever_else' (row 1)");
  fails(state, "'pump', { { station = 'a' } }, { dat = 1 }", "COLUMN",
        "table 'pump' has no column 'dat' (the shared columns); did you mean 'date'?");
  fails(state, "'pump', { station = 'a', [7] = 1 }", "COLUMN",
        "a row has column names as keys, not a number (row 1)");
  fails(state, "'pumps', {}", "TABLE_UNKNOWN", "there is no table 'pumps'; did you mean 'pump'?");
  fails(state, "'elsewhere', {}", "TABLE_UNKNOWN", "there is no table 'elsewhere'");
  fails(state, "'secret', {}", "TABLE_REFUSED", "this pipeline may not write table 'secret'");
  fails(state, "'pump', 5", "COLUMN",
        "rows for 'pump': a row, a list or an iterator expected, got a number");
  fails(state, "'pump', { 'a' }", "COLUMN", "a row of 'pump' is a table, got a string (row 1)");
}

static void what_is_required(void **state) {
  fails(state,
        "'pump', { { station = 'a', date = '2026-03-01', price = 1 }, { station = 'a', date = "
        "'2026-03-01' } }",
        "COLUMN", "column 'price': a value is required, got nothing (row 2 of 'pump')");
  fails(state, "'pump', { date = '2026-03-01', price = 1 }", "COLUMN",
        "column 'station': a value is required, got nothing (row 1 of 'pump')");
  fails(state, "'pump', function() return { station = 'a', date = 'x', price = 1 }, 17 end",
        "COLUMN",
        "column 'date': a date YYYY-MM-DD expected, got \"x\" (row 1, line 17 of 'pump')");
}

static void a_caught_error_leaves_the_others(void **state) {
  talk t;
  talk_run(state, &t, NULL,
           "return function(kernel)\n"
           "  for i = 1, 3 do pcall(kernel.put, 'all', { integer = i == 2 and 'x' or i }) end\n"
           "  pcall(kernel.put, 'all', { text = 'half', json = { print } })\n"
           "end");
  done(&t);
  rows_are(&t, 0,
           "{\"table\":\"all\",\"rows\":[[null,1,null,null,null,null,null],"
           "[null,3,null,null,null,null,null]]}");
  talk_close(&t);
}

/* ── Order ── */

static void agree(talk *t, const frame *in, const value *v) {
  (void)v;
  value_add(&t->arena, &t->stages, value_integer((int64_t)t->row_count));
  buffer_clear(&t->out);
  pack_map(&t->out, 0);
  talk_reply(t, in->call, -1);
}

static void rows_go_before_what_depends_on_them(void **state) {
  talk t;
  talk_run(state, &t, agree,
           "return function(kernel)\n"
           "  kernel.put('all', { integer = 1 })\n"
           "  kernel.call('http', {})\n" /* does not */
           "  kernel.call('checkpoint', {})\n"
           "  kernel.put('all', { integer = 2 }, nil, 'one')\n"
           "  kernel.put('all', { integer = 3 }, nil, 'two')\n"
           "  kernel.call('step_end', { name = 'two' })\n"
           "  kernel.put('all', { integer = 4 })\n"
           "  kernel.flush()\n"
           "  kernel.call('lookup', {})\n"
           "end");
  done(&t);
  static const int64_t seen[] = {0, 1, 3, 4};
  for (size_t i = 0; i < 4; i++) assert_int_equal(t.stages.list.items[i].integer, seen[i]);
  assert_null(value_get(&t.rows.list.items[0], "step"));
  assert_string_equal(value_get_text(&t.rows.list.items[1], "step", ""), "one");
  assert_string_equal(value_get_text(&t.rows.list.items[2], "step", ""), "two");
  talk_close(&t);
}

static void iterators_may_ask_and_put(void **state) {
  talk t;
  talk_run(state, &t, agree,
           "return function(kernel)\n"
           "  kernel.tasks({ 1, 2 }, 2, function(task)\n"
           "    local n = 0\n"
           "    kernel.put('all', function()\n"
           "      n = n + 1\n"
           "      kernel.call('lookup', {})\n"
           "      kernel.put('all', { real = n }, nil, 'inner' .. task)\n"
           "      if n < 4 then return { integer = n } end\n"
           "    end, nil, 'outer' .. task)\n"
           "  end)\n"
           "end");
  done(&t);
  assert_int_equal(t.row_count, 2 * (3 + 4));
  for (size_t i = 0; i < t.rows.list.count; i++) {
    const value *frame_ = &t.rows.list.items[i];
    bool outer = strncmp(value_get_text(frame_, "step", ""), "outer", 5) == 0;
    const value *row = &value_get(frame_, "rows")->list.items[0];
    assert_int_equal(row->list.items[outer ? 1 : 2].kind, outer ? VALUE_INTEGER : VALUE_REAL);
  }
  talk_close(&t);
}

static void parts_of_rows_are_checked(void **state) {
  talk t;
  talk_run(
      state, &t, NULL,
      "return function(kernel)\n"
      "  local row = kernel.check('pump', { station = 'a', date = '2026-03-01', price = 3,\n"
      "    count = kernel.null, unit = 'l' })\n"
      "  assert(math.type(row.price) == 'float' and row.count == kernel.null and row.unit == 'l')\n"
      "  kernel.check('pump', { price = 'dear' })\n"
      "end");
  failed(&t, "COLUMN", "pipelines/x.lua:5",
         "column 'price': a number expected, got \"dear\" (of 'pump')");
  talk_close(&t);
  talk_run(state, &t, NULL,
           "return function(kernel)\n  kernel.check('pump', { station = 'a', price = 3 })\nend");
  failed(&t, "COLUMN", "pipelines/x.lua:2",
         "an update of table 'pump' names its whole key: 'date' is missing");
  talk_close(&t);
}

/* ── Speed ── */

static void a_million_rows(void **state) {
  talk t;
  struct timespec start, end;
  talk_open(*state, &t, 0, 0);
  t.counting = true;
  clock_gettime(CLOCK_MONOTONIC, &start);
  talk_start(
      &t,
      "return function(kernel)\n"
      "  local put = kernel.put\n"
      "  for i = 1, 1000000 do\n"
      "    put('pump', { station = 'station ' .. i % 1000, date = '2026-03-01', price = i / 7,\n"
      "      unit = 'l', count = i })\n"
      "  end\n"
      "end",
      (start_options){0});
  talk_listen(&t);
  clock_gettime(CLOCK_MONOTONIC, &end);
  talk_wait(&t);
  done(&t);
  double s = (double)(end.tv_sec - start.tv_sec) + (double)(end.tv_nsec - start.tv_nsec) / 1e9;
  print_message("1,000,000 puts of five columns: %.2f s, %.2f M rows/s\n", s, 1 / s);
  assert_int_equal(t.row_count, 1000000);
  talk_close(&t);
}

#define TEST(name) cmocka_unit_test(name)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(one_row_a_list_an_iterator),
      TEST(values_become_canonical),
      TEST(wrong_types_are_shown),
      TEST(names_are_checked),
      TEST(refusals_say_what_to_write),
      TEST(what_is_required),
      TEST(a_caught_error_leaves_the_others),
      TEST(rows_go_before_what_depends_on_them),
      TEST(iterators_may_ask_and_put),
      TEST(parts_of_rows_are_checked),
      TEST(a_million_rows),
  };
  return cmocka_run_group_tests(tests, engine_open, engine_close);
}
