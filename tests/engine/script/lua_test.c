/* lua_test.c -- scripts in real, caged workers with the engine's own Lua: what reaches the engine, where
 * errors are, and that a file larger than the run's memory is read as a stream.
 *
 * SPDX-License-Identifier: MIT */
#define embed_lua                                                                                  \
  other_lua /* fake_engine.h brings Lua of its own; these tests run what is shipped */
#include "script/fake_engine.h"
#undef embed_lua

/* ── Answers ── */

static void answer(talk *t, const frame *in, const value *v) {
  (void)v;
  buffer_clear(&t->out);
  pack_open_map(&t->out);
  if (in->op == OP_HTTP) {
    put_number(&t->out, "status", 200);
    put_words(&t->out, "url", "https://s.com/x");
    put_words(&t->out, "type", "application/json");
    put_words(&t->out, "body",
              "{\"items\":[{\"s\":\"a\",\"p\":\"1,5\"},{\"s\":\"b\",\"p\":\"2,5\"}]}");
  } else if (in->op == OP_STEP_FAIL) {
    pack_text(&t->out, "again", 5), pack_boolean(&t->out, true);
  }
  pack_end(&t->out);
  talk_reply(t, in->call, -1);
}

static void start(talk *t, const char *mode, const char *kind, const char *source, int64_t memory,
                  int fd) {
  buffer *b = &t->out;
  buffer_clear(b);
  pack_open_map(b);
  put_words(b, "mode", mode);
  put_words(b, "file", "pipelines/x.lua");
  put_words(b, "source", source);
  put_words(b, "pipeline", "p");
  put_words(b, "kind", kind);
  pack_text(b, "limits", 6);
  pack_map(b, 2);
  put_number(b, "memory", memory);
  put_number(b, "cpu_ms", 60000);
  pack_text(b, "input", 5);
  pack_map(b, 1);
  put_words(b, "name", "a.csv");
  pack_text(b, "ctx", 3);
  pack_map(b, 1);
  put_words(b, "date", "2024-02-29");
  put_tables(b);
  pack_end(b);
  assert_int_equal(frame_send(t->socket, 0, OP_START, b, fd, NULL), 0);
}

static void play(void **state, talk *t, const char *mode, const char *source) {
  talk_open(*state, t, 0, 60000);
  t->answer = answer;
  start(t, mode, "params", source, 0, -1);
  talk_listen(t);
  talk_wait(t);
}

/* ── Runs ── */

static void a_run_asks_and_puts(void **state) {
  talk t;
  play(state, &t, "run",
       "local dts = require 'dts'\n"
       "local s = dts.source { name = 's', url = 'https://s.com' }\n"
       "dts.pipeline { name = 'p', run = function(ctx)\n"
       "  local shape = { at = 'items', into = 'pump', columns = { station = 's', price = 'p' }, "
       "decimal = ',' }\n"
       "  local n = ctx:put('pump', s:get('/x'):rows(shape), { date = ctx.date })\n"
       "  local tries = 0\n"
       "  local got = ctx:step('many', { retry = 1 }, function()\n"
       "    tries = tries + 1\n"
       "    if tries == 1 then error('once') end\n"
       "    return dts.each({ 1, 2, 3 }, function(i)\n"
       "      ctx:put('pump', { station = 'c', date = ctx.date, price = s:get('/x').status + i })\n"
       "      return i\n"
       "    end)\n"
       "  end)\n"
       "  assert(n == 2 and #got == 3 and tries == 2)\n"
       "  dts.log.warn('rows', { n = n })\n"
       "end }\n");
  done(&t);
  assert_int_equal(t.row_count, 5);
  const value *first = value_get(&t.rows.list.items[0], "rows");
  assert_string_equal(first->list.items[0].list.items[0].text.bytes, "a");
  assert_true(first->list.items[0].list.items[2].real == 1.5);
  assert_string_equal(value_get_text(&t.rows.list.items[t.rows.list.count - 1], "step", ""),
                      "many");
  assert_string_equal(value_get_text(&t.logs.list.items[0], "message", ""), "rows {\"n\":2}");
  talk_close(&t);
}

static void an_error_names_the_analysts_line(void **state) {
  talk t;
  play(state, &t, "run",
       "local dts = require 'dts'\n"
       "dts.pipeline { name = 'p', run = function(ctx)\n"
       "  ctx:putt('pump', {})\n"
       "end }\n");
  failed(&t, "OPTION", "pipelines/x.lua:3", "ctx: there is no 'putt'; did you mean 'put'?");
  talk_close(&t);
  play(state, &t, "load", "local dts = require 'dts'\n\ndts.table { name = 'a', colums = {} }\n");
  failed(&t, "OPTION", "pipelines/x.lua:3",
         "dts.table 'a': unknown field 'colums'; did you mean 'columns'?");
  talk_close(&t);
}

static void what_is_absent_says_what_to_use(void **state) {
  talk t;
  play(state, &t, "load", "local x = 1\nos.execute('ls')\n");
  failed(&t, "NAME", "pipelines/x.lua:2", "'os.execute' is not available to scripts");
  assert_non_null(strstr(value_get_text(&t.end, "hint", ""), "other programs"));
  talk_close(&t);
  play(state, &t, "load", "local f = io.open('a.csv')\n");
  failed(&t, "NAME", "pipelines/x.lua:1", "'io.open' is not available to scripts");
  assert_non_null(strstr(value_get_text(&t.end, "hint", ""), "files = "));
  talk_close(&t);
  play(state, &t, "load", "local t = os.time()\n");
  failed(&t, "NAME", "pipelines/x.lua:1", "'os.time' is not available to scripts");
  assert_non_null(strstr(value_get_text(&t.end, "hint", ""), "dts.now()"));
  talk_close(&t);
}

static void tables_are_printed_by_their_content(void **state) {
  talk t;
  play(state, &t, "run",
       "local dts = require 'dts'\n"
       "dts.pipeline { name = 'p', run = function(ctx)\n"
       "  local t = { b = { 1, 'x', dts.null }, a = 2.5, f = print }\n"
       "  t.me = t\n"
       "  print('got', t, { }, { 1, n = 2 })\n"
       "  local all = {}\n"
       "  for i = 1, 5000 do all[i] = 'more' end\n"
       "  print(all)\n"
       "end }\n");
  done(&t);
  assert_string_equal(value_get_text(&t.logs.list.items[0], "message", ""),
                      "got {\"a\":2.5,\"b\":[1,\"x\",null],\"f\":(function),\"me\":(itself)}"
                      " {} {1,\"n\":2}");
  size_t size = strlen(value_get_text(&t.logs.list.items[1], "message", ""));
  assert_in_range(size, 1000, 1030);
  talk_close(&t);
}

static void fails_with(void **state, const char *call, const char *message) {
  talk t;
  char source[400];
  snprintf(source, sizeof source,
           "local dts = require 'dts'\n"
           "dts.pipeline { name = 'p', run = function(ctx)\n"
           "  local null = dts.null\n"
           "  %s\nend }\n",
           call);
  play(state, &t, "run", source);
  const char *said = value_get_text(&t.end, "message", "");
  if (!strstr(said, message)) fail_msg("%s: %s, not %s", call, said, message);
  talk_close(&t);
}

/* JSON's null is a value of its own, which Lua would tell by its address. */
static void null_is_told_by_its_name(void **state) {
  talk t;
  play(state, &t, "run",
       "local dts = require 'dts'\n"
       "dts.pipeline { name = 'p', run = function(ctx)\n"
       "  print(dts.null, tostring(dts.null), ('%s'):format(dts.null), getmetatable(dts.null))\n"
       "end }\n");
  done(&t);
  assert_string_equal(value_get_text(&t.logs.list.items[0], "message", ""), "null null null false");
  talk_close(&t);
  fails_with(state, "for _ in ipairs(null) do end", "(table expected, got null)");
  fails_with(state, "table.insert(null, 1)", "(table expected, got null)");
  fails_with(state, "dts.date.add(null, 1)", "expected, got null");
  fails_with(state, "dts.json.decode(null)", "a text expected, got null");
  fails_with(state, "error(null)", "the script raised null as its error");
  fails_with(state, "return 'x' .. null", "attempt to concatenate a null value");
  fails_with(state, "return null < 1", "attempt to compare null with number");
  fails_with(state, "return 1 < null", "attempt to compare number with null");
}

static void misuse_is_told_without_addresses(void **state) {
  fails_with(state, "ctx:fail({ a = 1 })", "{\"a\":1}");
  fails_with(state, "ctx:fail(print)", "a function");
  fails_with(state, "dts.http.request({}, 'http://x')", "a method such as \"GET\" expected first");
  fails_with(state, "dts.http.request(nil, 'http://x')", "a method such as \"GET\" expected first");
}

static void a_fault_of_the_project_file_names_its_line(void **state) {
  talk t;
  play(state, &t, "config", "return {\n  name = 'fuel',\n  -- wokers\n  wokers = 2,\n}\n");
  failed(&t, "OPTION", "pipelines/x.lua:4", "unknown field 'wokers'; did you mean 'workers'?");
  talk_close(&t);
  play(state, &t, "config", "return { limits = {\n  time = 5 } }\n");
  assert_string_equal(value_get_text(&t.end, "where", ""), "pipelines/x.lua:2");
  talk_close(&t);
}

static void a_load_reports(void **state) {
  talk t;
  play(state, &t, "load",
       "local dts = require 'dts'\n"
       "dts.table { name = 'a', columns = { 'n integer -- how many' } }\n"
       "dts.pipeline { name = 'p', every = '15m', run = function() end }\n");
  done(&t);
  const value *list = value_get(&t.end, "declarations");
  assert_int_equal(list->list.count, 2);
  assert_string_equal(value_get_text(&list->list.items[1], "trigger", ""), "every");
  assert_int_equal(value_get_integer(&list->list.items[1], "every_ms", 0), 900000);
  assert_int_equal(value_get_integer(&list->list.items[1], "run_line", 0), 3);
  assert_true(value_is(&value_get(&list->list.items[1], "tables")->list.items[0], "a"));
  talk_close(&t);
}

/* ── A file larger than the memory ── */

enum { LINES = 1500000 };

static int make_file(void) {
  static const char line[] = "00123456000199;29/02/2024;1.005,89;litro;12\r\n";
  int fd = memfd_create("rows", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  FILE *f = fdopen(dup(fd), "wb");
  fputs("\xef\xbb\xbfposto;dia;preco;unidade;n\r\n", f);
  for (int i = 0; i < LINES; i++) fputs(line, f);
  fclose(f);
  return fd;
}

static void a_large_file_is_a_stream(void **state) {
  talk t;
  int fd = make_file();
  talk_open(*state, &t, 16 << 20, 60000);
  t.counting = true;
  start(&t, "run", "file",
        "local dts = require 'dts'\n"
        "dts.pipeline { name = 'p', files = 'incoming/*.csv', run = function(ctx, file)\n"
        "  local n = ctx:put('pump', file:rows { into = 'pump', delimiter = ';', decimal = ',', "
        "dates = '%d/%m/%Y',\n"
        "    encoding = { 'utf-8', 'latin1' },\n"
        "    columns = { station = 'posto', date = 'dia', price = 'preco', unit = 'unidade', count "
        "= 'n' } })\n"
        "  dts.log(n)\n"
        "end }\n",
        16 << 20, fd);
  close(fd);
  talk_listen(&t);
  talk_wait(&t);
  done(&t);
  assert_int_equal(t.row_count, LINES);
  assert_true(value_get_integer(&t.end, "peak", 0) < 16 << 20);
  talk_close(&t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(a_run_asks_and_puts, engine_open, engine_close),
      cmocka_unit_test_setup_teardown(an_error_names_the_analysts_line, engine_open, engine_close),
      cmocka_unit_test_setup_teardown(what_is_absent_says_what_to_use, engine_open, engine_close),
      cmocka_unit_test_setup_teardown(tables_are_printed_by_their_content, engine_open,
                                      engine_close),
      cmocka_unit_test_setup_teardown(null_is_told_by_its_name, engine_open, engine_close),
      cmocka_unit_test_setup_teardown(misuse_is_told_without_addresses, engine_open, engine_close),
      cmocka_unit_test_setup_teardown(a_fault_of_the_project_file_names_its_line, engine_open,
                                      engine_close),
      cmocka_unit_test_setup_teardown(a_load_reports, engine_open, engine_close),
      cmocka_unit_test_setup_teardown(a_large_file_is_a_stream, engine_open, engine_close),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
