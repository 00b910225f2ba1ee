/* worker_test.c -- a worker's life and its errors: modes, modules, environments, messages and
 * places.
 *
 * SPDX-License-Identifier: MIT */
#include "script/fake_engine.h"

/* ── Modes ── */

static void a_run_is_done(void **state) {
  talk t;
  talk_run(state, &t, NULL, "return function() print('hello', 1, nil) end");
  done(&t);
  assert_true(value_get_integer(&t.end, "peak", 0) > 20000);
  assert_string_equal(value_get_text(&t.logs.list.items[0], "message", ""), "hello 1 nil");
  assert_string_equal(value_get_text(&t.logs.list.items[0], "level", ""), "info");
  talk_close(&t);
}

static void a_load_declares(void **state) {
  talk t;
  talk_open(*state, &t, 64 << 20, 5000);
  talk_start(&t, "local dts = require 'dts'\n\ndts.table { name = 'a', columns = {} }\n",
             (start_options){.mode = "load", .memory = 64 << 20, .cpu_ms = 5000});
  talk_listen(&t);
  talk_wait(&t);
  done(&t);
  const value *list = value_get(&t.end, "declarations");
  assert_int_equal(list->list.count, 1);
  assert_string_equal(value_get_text(&list->list.items[0], "name", ""), "a");
  assert_string_equal(value_get_text(&list->list.items[0], "file", ""), "pipelines/x.lua");
  assert_int_equal(value_get_integer(&list->list.items[0], "line", 0), 3);
  talk_close(&t);
}

static void a_load_may_declare_nothing(void **state) {
  talk t;
  talk_open(*state, &t, 0, 0);
  talk_start(&t, "", (start_options){.mode = "load"});
  talk_listen(&t);
  talk_wait(&t);
  assert_int_equal(value_get(&t.end, "declarations")->kind, VALUE_LIST);
  talk_close(&t);
}

static void a_config_is_given(void **state) {
  talk t;
  talk_open(*state, &t, 0, 0);
  talk_start(&t, "return { name = 'fuel', hosts = { 'a', 'b' } }",
             (start_options){.mode = "config"});
  talk_listen(&t);
  talk_wait(&t);
  done(&t);
  assert_int_equal(value_get(value_get(&t.end, "config"), "hosts")->list.count, 2);
  talk_close(&t);
}

static void request(talk *t, uint32_t call, int64_t n, int64_t cpu_ms) {
  buffer_clear(&t->out);
  pack_map(&t->out, 2);
  put_number(&t->out, "n", n);
  put_number(&t->out, "cpu_ms", cpu_ms);
  assert_int_equal(frame_send(t->socket, call, OP_REQUEST, &t->out, -1, NULL), 0);
  talk_listen(t);
}

static void a_warm_worker_answers(void **state) {
  talk t;
  talk_open(*state, &t, 0, 0);
  talk_start(&t,
             "return function(m)\n  if m.n == 3 then error('three') end\n"
             "  while m.n == 4 do end\n  return { status = 200 + m.n }\nend",
             (start_options){.mode = "serve", .cpu_ms = 2000});
  talk_listen(&t);
  assert_int_equal(t.end_op, OP_DONE);
  for (int n = 0; n < 3; n++) {
    request(&t, (uint32_t)n + 1, n, 2000);
    assert_int_equal(t.end_op, OP_REPLY);
    assert_int_equal(value_get_integer(&t.end, "status", 0), 200 + n);
  }
  request(&t, 9, 3, 2000);
  assert_int_equal(t.end_op, OP_ERROR);
  assert_string_equal(value_get_text(&t.end, "message", ""), "three");
  assert_string_equal(value_get_text(&t.end, "where", ""), "pipelines/x.lua:2");
  request(&t, 10, 1, 2000); /* an error does not end it */
  assert_int_equal(t.end_op, OP_REPLY);
  request(&t, 11, 4, 100); /* a limit does */
  assert_int_equal(t.end_op, OP_ERROR);
  assert_string_equal(value_get_text(&t.end, "code", ""), "LIMIT_CPU");
  assert_string_equal(value_get_text(&t.end, "where", ""), "pipelines/x.lua:3");
  talk_wait(&t);
  talk_close(&t);
}

/* Each request changes all that it can reach, and finds nothing that another one changed. */
static const char tampering[] =
    "local dts = require 'dts'\n"
    "local mine = require 'connectors.a'\n"
    "local seen = 0\n"
    "return function(m, kernel)\n"
    "  seen = seen + 1\n"
    "  local clean = seen == 1 and mine.n == 0 and not rawget(dts, 'evil') and not dts.box.x\n"
    "    and ('%d'):format(1) == '1' and string.format('%d', 1) == '1' and table.evil == nil\n"
    "    and math.floor(1.5) == 1 and coroutine.wrap and utf8.char(65) == 'A' and not rawget(_ENV, "
    "'evil')\n"
    "    and require('cjson').evil == nil\n"
    "  mine.n = 7\n"
    "  rawset(dts, 'evil', true)\n"
    "  dts.box.x = true\n"
    "  require('cjson').evil = true\n"
    "  rawset(table, 'evil', true)\n"
    "  rawset(_ENV, 'evil', true)\n"
    "  for _, lib in ipairs { string, table, math, utf8, coroutine } do\n"
    "    for name in pairs(lib) do lib[name] = error end\n"
    "  end\n"
    "  return { status = clean and 200 or 500 }\n"
    "end";

static void modules(talk *t, const frame *in, const value *arguments);

static void a_request_leaves_nothing_behind(void **state) {
  talk t;
  talk_open(*state, &t, 0, 0);
  t.answer = modules;
  talk_start(&t, tampering, (start_options){.mode = "serve"});
  talk_listen(&t);
  assert_int_equal(t.end_op, OP_DONE);
  for (int n = 1; n <= 3; n++) {
    request(&t, (uint32_t)n, n, 2000);
    if (t.end_op == OP_ERROR) print_error("%s\n", value_get_text(&t.end, "message", ""));
    assert_int_equal(value_get_integer(&t.end, "status", 0), 200);
  }
  shutdown(t.socket, SHUT_WR);
  talk_wait(&t);
  talk_close(&t);
}

static void a_warm_worker_ends_with_its_socket(void **state) {
  talk t;
  talk_open(*state, &t, 0, 0);
  talk_start(&t, "return function() return {} end", (start_options){.mode = "serve"});
  talk_listen(&t);
  shutdown(t.socket, SHUT_WR);
  talk_wait(&t);
  assert_int_equal(t.status, 0);
  talk_close(&t);
}

/* ── Modules ── */

static void modules(talk *t, const frame *in, const value *v) {
  const char *name = value_get_text(v, "name", "");
  assert_int_equal(in->op, OP_MODULE);
  buffer_clear(&t->out);
  pack_map(&t->out, 2);
  if (strcmp(name, "connectors.a") == 0) {
    put_words(&t->out, "file", "connectors/a.lua");
    put_words(&t->out, "source",
              "local M = { n = 0 }\nfunction M.count() M.n = M.n + 1 return M.n end\n"
              "function M.fail() error('from a') end\nreturn M");
  } else if (strcmp(name, "circle") == 0) {
    put_words(&t->out, "file", "circle.lua");
    put_words(&t->out, "source", "\nreturn require 'circle'");
  } else {
    talk_fail(t, in->call, "MODULE", "no module 'nothing': looked for nothing.lua");
    return;
  }
  value_add(&t->arena, &t->stages, value_text("asked"));
  talk_reply(t, in->call, -1);
}

static void modules_load_once(void **state) {
  talk t;
  talk_run(
      state, &t, modules,
      "local a = require 'connectors.a'\n"
      "return function(kernel)\n"
      "  a.count() assert(require('connectors.a').count() == 2)\n"
      "  assert(require 'cjson'.encode({ 1 }) == '[1]' and not require 'cjson'.decode_max_depth)\n"
      "end");
  done(&t);
  assert_int_equal(t.stages.list.count, 1); /* asked once */
  talk_close(&t);
}

static void fails(void **state, talk_answer answer, const char *source, const char *code,
                  const char *where, const char *message) {
  talk t;
  talk_run(state, &t, answer, source);
  failed(&t, code, where, message);
  talk_close(&t);
}

static void modules_fail_clearly(void **state) {
  fails(state, modules, "\nlocal n = require 'nothing'", "MODULE", "pipelines/x.lua:2",
        "no module 'nothing': looked for nothing.lua");
  fails(state, modules, "local c = require 'circle'", "MODULE", "circle.lua:2",
        "module 'circle' requires itself, directly or through others");
  fails(state, modules, "local k = require 'dts.kernel'", "MODULE", "pipelines/x.lua:1",
        "'dts.kernel' is the engine's own: require \"dts\" gives all of it");
  fails(state, modules, "local a = require 'connectors.a'\nreturn function() a.fail() end",
        "SCRIPT", "connectors/a.lua:3", "from a");
}

/* ── Errors ── */

static void errors_name_the_line(void **state) {
  fails(state, NULL, "return function()\n  local t = {}\n  t.x.y = 1\nend", "SCRIPT",
        "pipelines/x.lua:3", "attempt to index a nil value (field 'x')");
  fails(state, NULL, "local x = = 1", "SCRIPT", "pipelines/x.lua:1", "unexpected symbol near '='");
  fails(state, NULL, "local dts = require 'dts'\nreturn function()\n  dts.fail('no')\nend", "TEST",
        "pipelines/x.lua:3", "no");
  fails(state, NULL, "local dts = require 'dts'\nreturn function() return dts.fail('tail') end",
        "TEST", "pipelines/x.lua", "tail");
  fails(state, NULL, "return function() error({ code = 'MINE', message = 'own' }) end", "MINE",
        "pipelines/x.lua:1", "own");
  fails(state, NULL, "return function() error(nil) end", "SCRIPT", "pipelines/x.lua:1",
        "the script raised a nil value as its error");
  fails(state, NULL, "return function()\n local ok, e = pcall(error, 'again', 0)\n error(e, 0) end",
        "SCRIPT", "pipelines/x.lua:3", "again");
  fails(state, NULL,
        "return function()\n local ok, e = pcall(function()\n  local x = nil + 1\n end)\n error(e, "
        "0) end",
        "SCRIPT", "pipelines/x.lua:3", "attempt to perform arithmetic on a nil value");
  fails(state, NULL, "return function()\n  local function f() return f() + 1 end\n  f()\nend",
        "SCRIPT", "pipelines/x.lua:2", "stack overflow");
  fails(state, NULL,
        "return function()\n for x in coroutine.wrap(function()\n  error('in') end) do end end",
        "SCRIPT", "pipelines/x.lua:3", "in");
}

static void errors_are_one_value(void **state) {
  talk t;
  talk_run(state, &t, modules,
           "local dts = require 'dts'\n"
           "return function(kernel)\n"
           "  local ok, e = pcall(function()\n"
           "    dts.fail('no')\n"
           "  end)\n"
           "  assert(not ok and e.code == 'TEST' and e.message == 'no' and e.hint == 'none')\n"
           "  assert(e.where == 'pipelines/x.lua:4', e.where)\n"
           "  assert(tostring(e) == 'pipelines/x.lua:4: no [TEST]', tostring(e))\n"
           "  assert('got ' .. e == 'got pipelines/x.lua:4: no [TEST]')\n"
           "  assert(kernel.is_error(e) and not kernel.is_error({}))\n"
           "  local _, m = pcall(require, 'nothing')\n"
           "  assert(m.code == 'MODULE' and m.retryable == false)\n"
           "  assert(kernel.error { code = 'A', message = 'b', status = 404, retry_after = 1.5 "
           "}.status == 404)\n"
           "end");
  done(&t);
  talk_close(&t);
}

static void a_failure_carries_its_traceback(void **state) {
  talk t;
  talk_run(state, &t, NULL,
           "local function inner() error('deep') end\nreturn function(kernel)\n  inner()\nend");
  const char *traceback = value_get_text(&t.end, "traceback", "");
  assert_non_null(strstr(traceback, "pipelines/x.lua:1"));
  assert_non_null(strstr(traceback, "pipelines/x.lua:3"));
  assert_null(value_get(&t.end, "limit"));
  talk_close(&t);
  talk_run(state, &t, NULL, "return function(k) k.raise { message = 'm', permanent = true } end");
  assert_true(value_get_boolean(&t.end, "permanent", false));
  talk_close(&t);
}

/* ── The environment ── */

static void globals_are_closed(void **state) {
  fails(state, NULL, "\ncount = 1", "NAME", "pipelines/x.lua:2",
        "'count' is not declared: write `local count = ...`");
  fails(state, NULL, "local function f() count = 1 end\nreturn f", "NAME", "pipelines/x.lua:1",
        "'count' is not declared: write `local count = ...`");
  fails(state, NULL, "prnt('x')", "NAME", "pipelines/x.lua:1",
        "unknown name 'prnt'; did you mean 'print'?");
  fails(state, NULL, "local x = whatever_this_is", "NAME", "pipelines/x.lua:1",
        "unknown name 'whatever_this_is'");
  fails(state, NULL, "local dts = 1\nlocal t = dst.pipeline", "NAME", "pipelines/x.lua:2",
        "unknown name 'dst'; did you mean 'dts'?");
  fails(state, NULL, "local x = dst.pipeline", "NAME", "pipelines/x.lua:1",
        "unknown name 'dst'; did you mean 'dts'?");
  fails(state, NULL, "dts.log('x')", "NAME", "pipelines/x.lua:1", "unknown name 'dts'");
  fails(state, NULL, "local prices = {}\nreturn function() return prcies[1] end", "NAME",
        "pipelines/x.lua:2", "unknown name 'prcies'");
  fails(state, NULL, "local prices = {}\nreturn function() return #prices, prcies[1] end", "NAME",
        "pipelines/x.lua:2", "unknown name 'prcies'; did you mean 'prices'?");
}

static void loops_over_nothing_say_so(void **state) {
  fails(state, NULL, "local d = {}\nfor _, row in ipairs(d.rows) do end", "SCRIPT",
        "pipelines/x.lua:2", "bad argument #1 to 'ipairs' (table expected, got nil)");
  fails(state, NULL, "for k in pairs(nil) do end", "SCRIPT", "pipelines/x.lua:1",
        "bad argument #1 to 'pairs' (table expected, got nil)");
  fails(state, NULL, "for k in pairs('x') do end", "SCRIPT", "pipelines/x.lua:1",
        "bad argument #1 to 'pairs' (table expected, got string)");
  talk t;
  talk_run(
      state, &t, NULL,
      "return function()\n"
      "  local own = setmetatable({}, { __index = function(_, i) return i < 3 and i or nil end,\n"
      "    __pairs = function(t) return coroutine.wrap(function() coroutine.yield('a', 1) end) end "
      "})\n"
      "  local s = ''\n"
      "  for i, v in ipairs(own) do s = s .. i .. v end\n"
      "  for k, v in pairs(own) do s = s .. k .. v end\n"
      "  for i, v in ipairs { 5, 6, nil, 7 } do s = s .. i .. v end\n"
      "  for k, v in pairs { z = 1 } do s = s .. k .. v end\n"
      "  for _ in ipairs 'text' do s = s .. '!' end\n"
      "  local ok, e = pcall(ipairs, nil)\n"
      "  assert(not ok and e.hint:find 'x or {}', e)\n"
      "  assert(s == '1122a11526z1', s)\n"
      "  error(s)\n"
      "end");
  failed(&t, "SCRIPT", "pipelines/x.lua:13", "1122a11526z1");
  talk_close(&t);
  fails(state, NULL, "local t = os.time()", "NAME", "pipelines/x.lua:1",
        "'os.time' is not available to scripts");
  fails(state, NULL, "io.open('x')", "NAME", "pipelines/x.lua:1",
        "'io.open' is not available to scripts");
  fails(state, NULL, "return function() return math.random(6) + 0 end", "NAME", "pipelines/x.lua:1",
        "chance is not available to scripts: dts.uuid() gives a new name");
  fails(state, NULL, "setmetatable({}, { __gc = function() end })", "SCRIPT", "pipelines/x.lua:1",
        "__gc is not available to scripts: use a local with <close>");
}

static void what_remains_is_there(void **state) {
  talk t;
  talk_run(state, &t, NULL,
           "return function()\n"
           "  assert(string.dump == nil and ('x'):rep(3) == 'xxx' and utf8.char(233) == 'é')\n"
           "  assert(load('return 1 + 1')() == 2)\n"
           "  assert(load('x = 1') and not pcall(load 'x = 1'))\n"
           "  assert(not load('\\27Lua'), 'binary chunks')\n"
           "  local n = 0\n"
           "  local f = load(function() n = n + 1 return ({ 'return ', '7' })[n] end)\n"
           "  assert(f() == 7 and load('return a', 'c', 't', { a = 5 })() == 5)\n"
           "  local ok, e, more = pcall(function(...) return ... end, 1, nil, 3)\n"
           "  assert(ok and e == 1 and select('#', pcall(select, 1, 1, nil)) == 3)\n"
           "  local a, b = xpcall(error, function(m) return m .. '!' end, 'oh')\n"
           "  assert(a == false and b == 'oh!')\n"
           "  assert(select(2, xpcall(function(x) return x end, print, 9)) == 9)\n"
           "  assert(_G == nil or true)\n"
           "end");
  failed(&t, "NAME", "pipelines/x.lua:14", "unknown name '_G'");
  talk_close(&t);
}

static void coroutines_work_as_luas(void **state) {
  talk t;
  talk_run(state, &t, NULL,
           "return function()\n"
           "  local co = coroutine.create(function(a, b)\n"
           "    assert(a == 1 and b == 2 and coroutine.isyieldable())\n"
           "    local c = coroutine.yield(a + b)\n"
           "    return c * 2, 'end'\n"
           "  end)\n"
           "  assert(coroutine.status(co) == 'suspended')\n"
           "  local ok, x = coroutine.resume(co, 1, 2) assert(ok and x == 3)\n"
           "  local ok, y, z = coroutine.resume(co, 21) assert(ok and y == 42 and z == 'end')\n"
           "  assert(coroutine.status(co) == 'dead')\n"
           "  local ok, e = coroutine.resume(co) assert(not ok and e == 'cannot resume dead "
           "coroutine')\n"
           "  local closed = false\n"
           "  local w = coroutine.create(function()\n"
           "    local c <close> = setmetatable({}, { __close = function() closed = true end })\n"
           "    coroutine.yield()\n"
           "  end)\n"
           "  coroutine.resume(w) assert(coroutine.close(w) and closed)\n"
           "  closed = false\n"
           "  local g = coroutine.wrap(function()\n"
           "    local c <close> = setmetatable({}, { __close = function() closed = true end })\n"
           "    error('oops', 0)\n"
           "  end)\n"
           "  local ok, e = pcall(g) assert(not ok and e == 'oops' and closed)\n"
           "  local ok, e = pcall(coroutine.yield)\n"
           "  assert(e == 'attempt to yield from outside a coroutine')\n"
           "  assert(select(2, coroutine.running()) == true)\n"
           "end");
  done(&t);
  talk_close(&t);
}

/* ── Bodies ── */

static void bodies_are_streams(void **state) {
  talk t;
  int fd = memfd_create("body", MFD_CLOEXEC | MFD_ALLOW_SEALING);
  assert_int_equal(write(fd, "0123456789", 10), 10);
  talk_open(*state, &t, 0, 0);
  talk_start(
      &t,
      "return function(kernel, start)\n"
      "  for _, b in ipairs { start.body, kernel.body '0123456789' } do\n"
      "    assert(b:size() == 10 and b:read(4) == '0123' and b:text() == '0123456789')\n"
      "    assert(b:read(100) == '456789' and b:read(1) == nil and b:rewind():read(1) == '0')\n"
      "    assert(tostring(b) == 'body of 10 bytes')\n"
      "    b:close() assert(b:size() == 0 and b:read(1) == nil and b:text() == '')\n"
      "    b:close()\n"
      "  end\n"
      "end",
      (start_options){.fd = fd});
  close(fd);
  talk_listen(&t);
  talk_wait(&t);
  done(&t);
  talk_close(&t);
}

/* ── One process, run after run ── */

static void a_worker_that_stays_is_as_new(void **state) {
  static const char source[] =
      "local dts, json = require 'dts', require 'cjson'\n"
      "return function(kernel, start)\n"
      "  local words, bodies = {}, {}\n"
      "  assert(not dts.box.x and not rawget(string, 'evil') and not getmetatable(dts.box))\n"
      "  assert(kernel.start() == start and #kernel.declared() == 0)\n"
      "  for i = 1, 3000 do words[i] = ('w'):rep(i) .. i end\n"
      "  for i = 1, 50 do bodies[i] = kernel.body(words[i]) end\n"
      "  dts.box.x, dts.box.words, dts.box.bodies = true, words, bodies\n"
      "  setmetatable(dts.box, { __index = function() return 'left behind' end })\n"
      "  pcall(rawset, string, 'evil', true)\n"
      "  dts.table { name = 't' }\n"
      "  kernel.send('log', { text = json.encode { #words } })\n"
      "end";
  talk t;
  talk_open(*state, &t, 0, 60000);
  for (int i = 0; i < 20; i++) {
    talk_start(&t, source, (start_options){.again = i < 19, .cpu_ms = 60000});
    talk_listen(&t);
    done(&t);
    assert_int_equal(value_get_boolean(&t.end, "stays", false), i < 19);
  }
  assert_int_equal(t.logs.list.count, 20);
  talk_wait(&t);
  done(&t);
  talk_close(&t);
}

#define TEST(name) cmocka_unit_test(name)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(a_run_is_done),
      TEST(a_load_declares),
      TEST(a_load_may_declare_nothing),
      TEST(a_config_is_given),
      TEST(a_warm_worker_answers),
      TEST(a_request_leaves_nothing_behind),
      TEST(a_warm_worker_ends_with_its_socket),
      TEST(modules_load_once),
      TEST(modules_fail_clearly),
      TEST(errors_name_the_line),
      TEST(errors_are_one_value),
      TEST(a_failure_carries_its_traceback),
      TEST(globals_are_closed),
      TEST(loops_over_nothing_say_so),
      TEST(what_remains_is_there),
      TEST(coroutines_work_as_luas),
      TEST(bodies_are_streams),
      TEST(a_worker_that_stays_is_as_new),
  };
  return cmocka_run_group_tests(tests, engine_open, engine_close);
}
