/* call_test.c -- calls: values there and back, tasks that overlap, and the places where a call must
 * wait.
 *
 * SPDX-License-Identifier: MIT */
#include "script/fake_engine.h"

/* ── Answers of the test ── */

typedef struct held {
  uint32_t calls[16];
  int64_t numbers[16];
  size_t count, most, release_at;
} held;

static void give_number(talk *t, uint32_t call, int64_t n) {
  buffer_clear(&t->out);
  pack_map(&t->out, 1);
  put_number(&t->out, "n", n);
  talk_reply(t, call, -1);
}

/* Holds questions until `release_at` wait, then answers the last first: query.n with twice n. */
static void hold(talk *t, const frame *in, const value *v) {
  held *h = t->test;
  h->calls[h->count] = in->call;
  h->numbers[h->count++] = value_get_integer(value_get(v, "query"), "n", 0);
  if (h->count > h->most) h->most = h->count;
  if (h->count < h->release_at) return;
  while (h->count) h->count--, give_number(t, h->calls[h->count], 2 * h->numbers[h->count]);
}

static void echo(talk *t, const frame *in, const value *v) {
  (void)v;
  buffer_clear(&t->out);
  buffer_add(&t->out, in->payload, in->size);
  talk_reply(t, in->call, -1);
}

static void run_held(void **state, talk *t, held *h, const char *source) {
  talk_open(*state, t, 0, 0);
  t->answer = hold;
  t->test = h;
  talk_start(t, source, (start_options){0});
  talk_listen(t);
  talk_wait(t);
}

/* ── Values ── */

static void values_come_back_as_they_went(void **state) {
  talk t;
  talk_run(state, &t, echo,
           "return function(kernel)\n"
           "  local sent = { i = 2^53 | 1, f = 1.0, s = 'a\\0b', t = true, l = { 1, 'b', "
           "kernel.null, {} },\n"
           "    e = kernel.list {}, m = {}, n = kernel.null, d = { { { 1 } } } }\n"
           "  local got = kernel.call('lookup', sent)\n"
           "  assert(got.i == 9007199254740993 and math.type(got.i) == 'integer')\n"
           "  assert(math.type(got.f) == 'float' and got.s == 'a\\0b' and got.t == true)\n"
           "  assert(#got.l == 4 and got.l[3] == kernel.null and next(got.l[4]) == nil)\n"
           "  assert(next(got.e) == nil and next(got.m) == nil and got.n == nil and got.d[1][1][1] "
           "== 1)\n"
           "  local again = kernel.call('lookup', got)\n" /* an empty list stays one */
           "  assert(getmetatable(again.e) == getmetatable(kernel.list {}) and not "
           "getmetatable(again.m))\n"
           "  assert(kernel.call('lookup').x == nil)\n"
           "  assert(kernel.call('lookup', { body = kernel.body 'abc' }).body == 'abc')\n"
           "end");
  done(&t);
  talk_close(&t);
}

static void refuses(void **state, const char *shown, const char *message) {
  talk t;
  char source[512];
  snprintf(source, sizeof source,
           "return function(kernel)\n  kernel.call('lookup', { x = %s })\nend", shown);
  talk_run(state, &t, echo, source);
  failed(&t, "VALUE", "pipelines/x.lua:2", message);
  talk_close(&t);
}

static void what_is_no_data_is_refused(void **state) {
  refuses(state, "print",
          "a function cannot be kept or sent: only texts, numbers, booleans, tables");
  refuses(state, "{ 1, 2, a = 3 }",
          "a table is either a list without holes or has names: this one is both");
  refuses(state, "{ [2.5] = 1 }", "a table that is kept or sent has texts as keys, not a number");
  refuses(state, "(function() local t = {} t[1] = t return t end)()",
          "a table lies more than 128 tables deep (does it hold itself?)");
}

static void rows(talk *t, const frame *in, const value *v) {
  (void)v;
  buffer *b = &t->out;
  buffer_clear(b);
  pack_map(b, 3);
  pack_text(b, "columns", 7);
  pack_list(b, 2);
  pack_text(b, "a", 1), pack_text(b, "b", 1);
  pack_text(b, "rows", 4);
  pack_list(b, 2);
  for (int i = 1; i <= 2; i++) {
    pack_list(b, 2);
    pack_integer(b, i);
    if (i == 1)
      pack_null(b);
    else
      pack_text(b, "two", 3);
  }
  pack_text(b, "next", 4);
  pack_integer(b, 5);
  talk_reply(t, in->call, -1);
}

static void rows_come_by_name(void **state) {
  talk t;
  talk_run(state, &t, rows,
           "return function(kernel)\n"
           "  local q = kernel.call('query', { sql = 'x' })\n"
           "  assert(#q.rows == 2 and q.rows[1].a == 1 and q.rows[1].b == nil and q.rows[2].b == "
           "'two')\n"
           "  assert(q.columns[2] == 'b' and q.next == 5)\n"
           "  assert(kernel.call('archived', {}).rows[2][2] == 'two')\n" /* others as they are */
           "end");
  done(&t);
  talk_close(&t);
}

static void with_body(talk *t, const frame *in, const value *v) {
  (void)v;
  int fd = memfd_create("body", MFD_CLOEXEC);
  assert_int_equal(write(fd, "content", 7), 7);
  buffer_clear(&t->out);
  pack_map(&t->out, 1);
  put_number(&t->out, "status", 200);
  talk_reply(t, in->call, fd);
  close(fd);
}

static void descriptors_become_bodies(void **state) {
  talk t;
  talk_run(state, &t, with_body,
           "return function(kernel)\n"
           "  for i = 1, 400 do\n" /* more than may be open: each is closed */
           "    local answer = kernel.call('http', {})\n"
           "    assert(answer.status == 200 and answer.body:text() == 'content', i)\n"
           "    answer.body:close()\n"
           "  end\n"
           "end");
  done(&t);
  talk_close(&t);
}

static void deny(talk *t, const frame *in, const value *v) {
  (void)v;
  talk_fail(t, in->call, "HTTP_STATUS", "GET x answered 500");
}

static void errors_are_raised_at_the_call(void **state) {
  talk t;
  talk_run(state, &t, deny,
           "local dts = require 'dts'\nreturn function(kernel)\n"
           "  local ok, e = pcall(kernel.call, 'http', {})\n"
           "  assert(not ok and e.code == 'HTTP_STATUS')\n"
           "  local x = dts.call('http')\nend");
  failed(&t, "HTTP_STATUS", "pipelines/x.lua:5", "GET x answered 500");
  talk_close(&t);
}

static void cancel(talk *t, const frame *in, const value *v) {
  (void)v;
  talk_fail(t, in->call, "CANCELLED", "the run was cancelled");
}

static void cancellation_is_not_caught(void **state) {
  talk t;
  talk_run(state, &t, cancel,
           "return function(kernel)\n  pcall(kernel.call, 'http', {})\n  print('went on')\nend");
  failed(&t, "CANCELLED", "pipelines/x.lua:2", "the run was cancelled");
  assert_int_equal(t.logs.list.count, 0);
  talk_close(&t);
}

/* ── Tasks ── */

static void tasks_overlap(void **state) {
  talk t;
  held h = {.release_at = 4};
  run_held(state, &t, &h,
           "return function(kernel)\n"
           "  local list = { 1, 2, 3, 4, 5, 6, 7, 8 }\n"
           "  local out = kernel.tasks(list, 4, function(n, i)\n"
           "    assert(n == i)\n"
           "    return kernel.call('http', { query = { n = n } }).n, 'dropped'\n"
           "  end)\n"
           "  assert(out.n == 8 and #out == 8)\n"
           "  for i = 1, 8 do assert(out[i] == 2 * i) end\n"
           "  assert(kernel.tasks({}, 4, print).n == 0)\n"
           "  local i = 0\n"
           "  local r = kernel.tasks(function() i = i + 1 if i < 4 then return i end end, 2,\n"
           "    function(x) if x ~= 2 then return x * 10 end end)\n"
           "  assert(r.n == 3 and r[1] == 10 and r[2] == nil and r[3] == 30)\n"
           "end");
  done(&t);
  assert_int_equal(h.most, 4);
  talk_close(&t);
}

/* The trap: a call inside a generator must not reach the generator's consumer as a value. */
static void a_generator_waits(void **state) {
  talk t;
  held h = {.release_at = 2};
  run_held(state, &t, &h,
           "return function(kernel)\n"
           "  local function numbers(from)\n"
           "    return coroutine.wrap(function()\n"
           "      for i = from, from + 3 do\n"
           "        coroutine.yield(kernel.call('http', { query = { n = i } }).n)\n"
           "      end\n"
           "    end)\n"
           "  end\n"
           "  local out = kernel.tasks({ 10, 20 }, 2, function(from)\n"
           "    if from == 10 then return kernel.call('http', { query = { n = 1 } }).n end\n"
           "    local sum = 0\n"
           "    for n in numbers(from) do\n"
           "      assert(math.type(n) == 'integer')\n"
           "      sum = sum + n\n"
           "      if n == 40 then kernel.send('log', { level = 'info', message = 'one' }) end\n"
           "      if n == 40 then return sum end\n"
           "    end\n"
           "  end)\n"
           "  assert(out[1] == 2 and out[2] == 40, out[2])\n"
           "end");
  done(&t);
  talk_close(&t);
}

static void calls_stand_anywhere(void **state) {
  talk t;
  held h = {.release_at = 1};
  run_held(state, &t, &h,
           "return function(kernel)\n"
           "  local function ask(n) return kernel.call('http', { query = { n = n } }).n end\n"
           "  local function everywhere()\n"
           "    local list = { 3, 1, 2 }\n"
           "    table.sort(list, function(a, b) return ask(a) < ask(b) end)\n"
           "    assert(list[1] == 1 and list[3] == 3)\n"
           "    assert(('1 2'):gsub('%d', function(d) return ask(tonumber(d)) end) == '2 4')\n"
           "    local m = setmetatable({}, { __index = function(_, k) return ask(k) end,\n"
           "      __lt = function() return ask(1) == 2 end, __tostring = function() return 'v' .. "
           "ask(4) end,\n"
           "      __close = function() ask(9) end })\n"
           "    assert(m[7] == 14 and m < m and tostring(m) == 'v8')\n"
           "    do local c <close> = m end\n"
           "    local ok, v = pcall(ask, 5) assert(ok and v == 10)\n"
           "    for _, n in (function() return function(_, i) if i < 3 then return i + 1, ask(i) "
           "end end, nil, 0 end)() do\n"
           "      assert(n)\n"
           "    end\n"
           "    local w = coroutine.wrap(function() coroutine.yield(ask(6)) return ask(7) end)\n"
           "    assert(w() == 12 and w() == 14)\n"
           "    return true\n"
           "  end\n"
           "  assert(everywhere())\n"
           "  local out = kernel.tasks({ 1, 2, 3 }, 3, everywhere)\n"
           "  assert(out[1] and out[2] and out[3])\n"
           "end");
  done(&t);
  talk_close(&t);
}

static void tasks_inside_tasks(void **state) {
  talk t;
  held h = {.release_at = 6};
  run_held(
      state, &t, &h,
      "return function(kernel)\n"
      "  local function ask(n) return kernel.call('http', { query = { n = n } }).n end\n"
      "  local out = kernel.tasks({ 1, 2 }, 2, function(i)\n"
      "    local inner = kernel.tasks({ 1, 2, 3 }, 3, function(j) return ask(10 * i + j) end)\n"
      "    return inner[1] + inner[2] + inner[3]\n"
      "  end)\n"
      "  assert(out[1] == 72 and out[2] == 132, out[2])\n"
      "end");
  done(&t);
  assert_int_equal(h.most, 6); /* all six at once, from both levels */
  talk_close(&t);
}

static void the_first_error_stops_the_rest(void **state) {
  talk t;
  held h = {.release_at = 3};
  run_held(
      state, &t, &h,
      "return function(kernel)\n"
      "  local closed, finished = 0, 0\n"
      "  local ok, e = pcall(kernel.tasks, { 1, 2, 3, 4, 5 }, 3, function(n)\n"
      "    local c <close> = setmetatable({}, { __close = function() closed = closed + 1 end })\n"
      "    kernel.call('http', { query = { n = n } })\n"
      "    if n == 2 then\n"
      "      error('two')\n"
      "    end\n"
      "    kernel.call('http', { query = { n = n } })\n"
      "    finished = finished + 1\n"
      "  end)\n"
      "  assert(not ok and e.message == 'two' and e.where == 'pipelines/x.lua:7', tostring(e))\n"
      "  assert(e.traceback:find 'x.lua:7' and closed == 3 and finished == 0, closed)\n"
      "  print('still here')\n"
      "  local ok, e = pcall(kernel.tasks, { 1 }, 1, function() coroutine.yield() end)\n"
      "  assert(e.message == 'attempt to yield from outside a coroutine')\n"
      "end");
  done(&t);
  talk_close(&t);
}

/* ── A lost engine ── */

static void a_run_without_engine_ends(void **state) {
  talk t;
  talk_open(*state, &t, 0, 0);
  talk_start(&t, "return function(kernel)\n  while true do pcall(kernel.call, 'now') end\nend",
             (start_options){0});
  shutdown(t.socket, SHUT_RDWR);
  talk_wait(&t);
  assert_int_equal(t.status, 1);
  talk_close(&t);
}

#define TEST(name) cmocka_unit_test(name)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(values_come_back_as_they_went),
      TEST(what_is_no_data_is_refused),
      TEST(rows_come_by_name),
      TEST(descriptors_become_bodies),
      TEST(errors_are_raised_at_the_call),
      TEST(cancellation_is_not_caught),
      TEST(tasks_overlap),
      TEST(a_generator_waits),
      TEST(calls_stand_anywhere),
      TEST(tasks_inside_tasks),
      TEST(the_first_error_stops_the_rest),
      TEST(a_run_without_engine_ends),
  };
  return cmocka_run_group_tests(tests, engine_open, engine_close);
}
