/* gaps_test.c -- which dates are looked for, and what becomes of each: against brute force, and in whole
 * engines under a clock of the test's own.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/kernel_help.h"

#include "flow/gaps/gaps.h"
#include "flow/reload/tables.h"
#include "format/date.h"

#define DAY ((int64_t)24 * 3600 * 1000)
#define NOW 1773147600000 /* 2026-03-10T13:00Z, a Tuesday */
#define QUOTES                                                                                     \
  "dts.table { name = 'q', key = { 'k', 'day' }, columns = { 'k text', 'day date', 'v real' } }\n"

/* ---- planning against brute force ---- */

typedef struct planning {
  registry *set;
  gaps_which which;
  gaps_look look;
  arena memory;
} planning;

static int look_work(store_conn *c, void *arg, dts_error *e) {
  planning *p = arg;
  return gaps_look_at(c, &p->set->pipelines[0], p->which, NULL, NOW, &p->memory, &p->look, e);
}

static const char DECLARED[] =
    "[{\"noun\":\"table\",\"name\":\"q\",\"key\":[\"k\",\"day\"],\"columns\":[{\"name\":\"k\","
    "\"type\":\"text\"},"
    "{\"name\":\"day\",\"type\":\"date\"},{\"name\":\"v\",\"type\":\"real\"}]},"
    "{\"noun\":\"pipeline\",\"name\":\"p\",\"trigger\":\"gaps\",\"schedule\":\"0 6 * * "
    "*\",\"retry\":5,\"gaps\":{"
    "\"table\":\"q\",\"complete\":\"v > "
    "0\",\"calendar\":{\"name\":\"%s\",\"closed\":[\"2026-01-15\"]},\"since\":\"2025-12-01\","
    "\"to\":\"2026-03-01\",\"lag_days\":1,\"refresh_days\":%d,\"max_span_days\":%d,\"bridge\":%d,"
    "\"empty\":\"retry\","
    "\"keys\":[{\"key\":\"A\",\"with\":{}}]}}]";

enum { SPAN_DAYS = 91 }; /* 2025-12-01 .. 2026-03-01 */

typedef struct calendar_day {
  bool expected, row, complete, known, held;
  gap_status status;
} calendar_day;

static bool is_expected(const char *calendar_named, int32_t day) {
  char text[11];
  date_write(day, text);
  if (strcmp(text, "2026-01-15") == 0) return false;
  int weekday = (int)((day + 3) % 7); /* 1970-01-01 was a Thursday; 0 is Monday */
  return strcmp(calendar_named, "daily") == 0 || weekday < 5;
}

static const char *random_status(unsigned *seed, calendar_day *d) {
  static const gap_status statuses[] = {GAP_RETRYING, GAP_QUARANTINED, GAP_ABSENT, GAP_RETRYING};
  d->status = statuses[(*seed >> 16) % 4];
  d->held = d->status == GAP_RETRYING && (*seed >> 19) % 3 == 0;
  return gap_status_name(d->status);
}

static void fill(store *s, calendar_day *days, int32_t first, unsigned *seed) {
  for (int32_t i = 0; i < SPAN_DAYS; i++) {
    char sql[300], text[11];
    calendar_day *d = &days[i];
    date_write(first + i, text);
    *seed = *seed * 1664525u + 1013904223u;
    unsigned what = (*seed >> 20) % 10;
    d->row = what < 6;
    d->complete = what < 5;
    if (d->row) {
      snprintf(sql, sizeof sql, "insert into q (k, day, v) values ('A', '%s', %s)", text,
               d->complete ? "1.0" : "0.0");
      help_exec(s, sql);
    }
    d->known = what >= 6 && (*seed >> 8) % 2;
    if (!d->known) continue;
    const char *status = random_status(seed, d);
    snprintf(sql, sizeof sql,
             "insert into dts_gap (pipeline, series, day, state, attempts, retry_count, held, at) "
             "values "
             "('p', 'A', '%s', '%s', %d, 1, %d, 0)",
             text, status, 1, d->held);
    help_exec(s, sql);
  }
}

/* 0: wanted · 1: may be bridged · 2: a span ends before it */
static int mark(const calendar_day *d, gaps_which which) {
  if (d->held || (d->known && d->status == GAP_QUARANTINED)) return 2;
  if (d->complete || (d->known && d->status == GAP_ABSENT)) return 1;
  bool tried = d->known;
  return (tried ? which != GAPS_NEW : which != GAPS_TRIED) ? 0 : 2;
}

/* Day by day: a span takes what may follow, as far as it goes. */
static const char *brute_force(const calendar_day *days, int32_t first, gaps_which which,
                               int bridge, int max, arena *a) {
  buffer b;
  buffer_init(&b, 1 << 16);
  for (int i = 0; i < SPAN_DAYS;) {
    if (!days[i].expected || mark(&days[i], which) != 0) {
      i++;
      continue;
    }
    int last = i, gap = 0;
    for (int k = i + 1; k < SPAN_DAYS && (max <= 0 || k - i < max); k++) {
      if (!days[k].expected) continue;
      int m = mark(&days[k], which);
      if (m == 2 || (m == 1 && ++gap > bridge)) break;
      if (m == 0) last = k, gap = 0;
    }
    char from[11], to[11];
    date_write(first + i, from);
    date_write(first + last, to);
    buffer_add_format(&b, "%s/%s ", from, to);
    i = last + 1;
  }
  const char *text = arena_text(a, buffer_text(&b));
  buffer_free(&b);
  return text;
}

static const char *spans_text(const gaps_look *look, arena *a) {
  buffer b;
  buffer_init(&b, 1 << 16);
  for (size_t i = 0; i < look->series[0].span_count; i++) {
    char from[11], to[11];
    date_write(look->series[0].spans[i].from, from);
    date_write(look->series[0].spans[i].to, to);
    buffer_add_format(&b, "%s/%s ", from, to);
  }
  const char *text = arena_text(a, buffer_text(&b));
  buffer_free(&b);
  return text;
}

static void planning_equals_brute_force(void **state) {
  (void)state;
  for (unsigned n = 0; n < 40; n++) {
    const char *calendar_named = n % 2 ? "daily" : "weekdays";
    int bridge = (int)(n % 3), max = n % 4 == 3 ? 10 : 0;
    char declared[1200];
    unsigned seed = n * 7919 + 1;
    calendar_day days[SPAN_DAYS] = {0};
    int32_t first;
    arena a = {0};
    assert_int_equal(date_read("2025-12-01", 10, &first), 0);
    snprintf(declared, sizeof declared, DECLARED, calendar_named, 0, max, bridge);
    planning p = {.set = help_good_set(declared), .which = (gaps_which)(n % 3)};
    store *s = help_store();
    help_tables(s, p.set);
    for (int32_t i = 0; i < SPAN_DAYS; i++)
      days[i].expected = is_expected(calendar_named, first + i);
    fill(s, days, first, &seed);
    dts_error e = {0};
    if (store_read(s, look_work, &p, &e) < 0) fail_msg("%s", e.message);
    assert_string_equal(spans_text(&p.look, &a),
                        brute_force(days, first, p.which, bridge, max, &a));
    arena_free(&p.memory);
    arena_free(&a);
    registry_release(p.set);
    store_close(s);
  }
}

/* ---- whole engines ---- */

static void a_date_is_tried_six_times(void **state) {
  (void)state;
  bench *b = bench_new();
  bench_script(
      b, "x",
      QUOTES
      "dts.pipeline { name = 'p', schedule = '0 20 * * *', recheck = '0 */6 * * *', retry = 5,\n"
      "  gaps = { table = 'q', since = '2026-03-05', to = '2026-03-09', keys = { 'A' } },\n"
      "  run = function(ctx, span)\n"
      "    for _, day in ipairs(span.dates) do\n"
      "      if day ~= '2026-03-07' then ctx:put('q', { k = span.key, day = day, v = 1 }) end\n"
      "    end\n"
      "  end }\n");
  bench_virtual(b, NOW);
  bench_advance(b, 8 * 3600 * 1000); /* past 20:00 */
  bench_expect(b, "select day, state, attempts, retry_count from dts_gap order by day",
               "2026-03-05|filled|1|0\n2026-03-06|filled|1|0\n2026-03-07|retrying|1|1\n2026-03-08|"
               "filled|1|0\n2026-03-09|filled|1|0\n");
  bench_advance(b,
                24 * 3600 * 1000); /* four rechecks: five attempts, and none more by the schedule */
  bench_expect(b, "select state, attempts, retry_count from dts_gap where day = '2026-03-07'",
               "retrying|5|5\n");
  bench_advance(b, 6 * 3600 * 1000);
  bench_expect(b, "select state, attempts, retry_count from dts_gap where day = '2026-03-07'",
               "quarantined|6|6\n");
  bench_advance(b, 10 * DAY);
  bench_expect(b, "select state, attempts from dts_gap where day = '2026-03-07'",
               "quarantined|6\n");
  bench_expect(b, "select input, attempts, retry_count, error from dts_quarantine",
               "date|6|6|the source gave no complete row\n");
  bench_expect(b, "select count(*) from dts_job where kind = 'span'",
               "6\n"); /* the filled ones were left alone */
  bench_invariants(b);
  bench_close(b);
}

static void a_failing_span_holds_nothing_back(void **state) {
  (void)state;
  bench *b = bench_new();
  bench_script(
      b, "x",
      QUOTES
      "dts.pipeline { name = 'p', schedule = '0 20 * * *', recheck = '0 */6 * * *', batch = 2,\n"
      "  gaps = { table = 'q', since = '2026-03-01', to = '2026-03-09', keys = { 'A', 'B' } },\n"
      "  run = function(ctx, span)\n"
      "    for n, day in ipairs(span.dates) do\n"
      "      if span.key == 'A' and n == 6 and ctx.trigger == 'schedule' then error('A breaks') "
      "end\n"
      "      ctx:put('q', { k = span.key, day = day, v = n })\n"
      "      dts.now()\n"
      "    end\n"
      "  end }\n");
  bench_virtual(b, NOW);
  bench_advance(b, 8 * 3600 * 1000);
  bench_expect(b, "select name, state, attempts from dts_job order by name",
               "A 2026-03-01/2026-03-09|failed|1\nB 2026-03-01/2026-03-09|done|1\n");
  int64_t kept = bench_number(b, "select count(*) from q where k = 'A'");
  assert_true(kept == 0 || kept == 2 || kept == 4); /* whole batches only */
  assert_int_equal(
      bench_number(b, "select count(*) from dts_gap where series = 'A' and state = 'filled'"),
      kept);
  assert_int_equal(bench_number(b, "select count(*) from dts_gap where series = 'A' and state = "
                                   "'retrying' and retry_count = 1"),
                   9 - kept);
  bench_contains(bench_text(b, "select error from dts_gap where state = 'retrying'"), "A breaks");
  bench_advance(b, 6 * 3600 * 1000);
  bench_expect(b, "select k, count(*) from q group by k order by k", "A|9\nB|9\n");
  bench_expect(b, "select distinct state, error from dts_gap", "filled|null\n");
  bench_invariants(b);
  bench_close(b);
}

/* Rows that go, and rows that come by another way. */
static void rows_that_come_and_go(void **state) {
  (void)state;
  bench *b = bench_new();
  bench_script(
      b, "x",
      QUOTES
      "dts.pipeline { name = 'p', schedule = '0 20 * * *', recheck = '0 */6 * * *', retry = 1,\n"
      "  gaps = { table = 'q', since = '2026-03-05', to = '2026-03-09', keys = { 'A' } },\n"
      "  run = function(ctx, span)\n"
      "    for _, day in ipairs(span.dates) do\n"
      "      if day ~= '2026-03-07' and day ~= '2026-03-08' then ctx:put('q', { k = 'A', day = "
      "day, v = 1 }) end\n"
      "    end\n"
      "  end }\n"
      "dts.pipeline { name = 'lose', run = function(ctx) ctx:delete('q', { day = '2026-03-05' }) "
      "end }\n"
      "dts.pipeline { name = 'bring', run = function(ctx)\n"
      "  ctx:put('q', { { k = 'A', day = '2026-03-07', v = 2 }, { k = 'A', day = '2026-03-08', v = "
      "2 } })\n"
      "end }\n");
  bench_virtual(b, NOW);
  bench_advance(b, 8 * 3600 * 1000);
  bench_expect(b, "select day, state from dts_gap where state <> 'filled' order by day",
               "2026-03-07|retrying\n2026-03-08|retrying\n");
  bench_run(b, "lose");
  bench_advance(b, 6 * 3600 * 1000); /* a recheck finds the lost date, too */
  bench_expect(b,
               "select day, state, retry_count from dts_gap where day in ('2026-03-05', "
               "'2026-03-07') order by day",
               "2026-03-05|filled|0\n2026-03-07|quarantined|2\n");
  bench_expect(b, "select count(*) from q", "3\n");
  bench_run(b, "bring");
  bench_advance(b, 6 * 3600 * 1000);
  bench_expect(b, "select distinct state from dts_gap", "filled\n"); /* also out of quarantine */
  bench_expect(b, "select count(*) from dts_quarantine", "0\n");
  bench_invariants(b);
  bench_close(b);
}

static void empty_replies_close_dates(void **state) {
  (void)state;
  bench *b = bench_new();
  bench_script(b, "x",
               QUOTES
               "dts.pipeline { name = 'p', schedule = '0 20 * * *',\n"
               "  gaps = { table = 'q', since = '2026-03-05', to = '2026-03-09', keys = { 'A' }, "
               "empty = 'ok' },\n"
               "  run = function(ctx, span)\n"
               "    ctx:put('q', { k = 'A', day = '2026-03-05', v = 1 })\n"
               "    ctx:put('q', { k = 'A', day = '2026-03-06' })\n" /* there, but not complete */
               "  end }\n");
  bench_virtual(b, NOW);
  bench_advance(b, 8 * 3600 * 1000);
  bench_expect(b, "select day, state, retry_count from dts_gap order by day",
               "2026-03-05|filled|0\n2026-03-06|retrying|1\n2026-03-07|absent|0\n2026-03-08|absent|"
               "0\n2026-03-09|absent|0\n");
  bench_advance(b, 5 * DAY);
  bench_expect(b, "select count(*) from dts_gap where state = 'absent'", "3\n");
  bench_invariants(b);
  bench_close(b);
}

static void no_retry_quarantines_at_once(void **state) {
  (void)state;
  bench *b = bench_new();
  bench_script(
      b, "x",
      QUOTES
      "dts.pipeline { name = 'p', schedule = '0 20 * * *',\n"
      "  gaps = { table = 'q', since = '2026-03-08', to = '2026-03-09', keys = { 'A', 'B' } },\n"
      "  run = function(ctx, span)\n"
      "    if span.key == 'A' then ctx:fail('unknown series', { retry = false }) end\n"
      "    error('another time')\n"
      "  end }\n");
  bench_virtual(b, NOW);
  bench_advance(b, 8 * 3600 * 1000);
  bench_expect(
      b, "select series, state, retry_count, count(*) from dts_gap group by 1, 2, 3 order by 1",
      "A|quarantined|1|2\nB|retrying|1|2\n");
  bench_invariants(b);
  bench_close(b);
}

/* Keys that a table holds, several columns in a key, settings, refresh, the latest day by a zone. */
static void keys_of_every_kind(void **state) {
  (void)state;
  bench *b = bench_new();
  bench_script(
      b, "x",
      "dts.table { name = 'shops', key = { 'shop', 'item' }, columns = { 'shop text', 'item "
      "integer', 'code text', 'first date' } }\n"
      "dts.table { name = 'sold', key = { 'shop', 'item', 'day' }, columns = { 'shop text', 'item "
      "integer', 'day date', 'n integer' } }\n"
      "dts.pipeline { name = 'fill', run = function(ctx)\n"
      "  ctx:put('shops', { { shop = 'x', item = 1, code = 'c1', first = '2026-03-06' }, { shop = "
      "'y', item = 2, code = 'c2', first = '2026-03-08' } })\n"
      "end }\n"
      "dts.pipeline { name = 'p', schedule = '0 20 * * *', timezone = 'America/Sao_Paulo',\n"
      "  gaps = { table = 'sold', since = '2026-01-01', refresh = '2d',\n"
      "    keys = 'select shop, item, code, first as since from shops order by shop' },\n"
      "  run = function(ctx, span)\n"
      "    for _, day in ipairs(span.dates) do ctx:put('sold', { shop = span.key.shop, item = "
      "span.key.item, day = day, n = 1 }) end\n"
      "    dts.log(span.key.shop .. span.key.item .. ' ' .. span.with.code .. ' ' .. span.from .. "
      "'/' .. span.to)\n"
      "  end }\n");
  bench_virtual(b, NOW);
  bench_run(b, "fill");
  bench_advance(b, 11 * 3600 * 1000); /* 20:00 in São Paulo is 23:00 UTC */
  bench_expect(b, "select message from dts_log order by message",
               "x1 c1 2026-03-06/2026-03-09\ny2 c2 2026-03-08/2026-03-09\n");
  bench_advance(b, DAY);
  bench_expect(b, "select message from dts_log where message like 'x%' order by message",
               "x1 c1 2026-03-06/2026-03-09\nx1 c1 2026-03-09/2026-03-10\n"); /* two days again */
  bench_invariants(b);
  bench_close(b);
}

/* Twenty-five rows are a commit: whoever is killed half-way leaves whole batches, and those alone. */
static void a_killed_worker_leaves_whole_batches(void **state) {
  (void)state;
  bench *b = bench_with(
      QUOTES "dts.pipeline { name = 'p', schedule = '0 20 1 1 *',\n"
             "  gaps = { table = 'q', since = '2025-01-01', to = '2025-12-31', keys = { 'A' } },\n"
             "  run = function(ctx, span)\n"
             "    for n, day in ipairs(span.dates) do\n"
             "      ctx:put('q', { k = 'A', day = day, v = n })\n"
             "      if n == 190 then dts.now() dts.log('there') while true do end end\n"
             "    end\n"
             "  end }\n");
  bench_answer *asked = bench_begin(b, "{\"name\":\"run\",\"target\":\"p\"}");
  bench_until_sql(b, "select count(*) from dts_log");
  int64_t committed = bench_number(b, "select count(*) from q");
  assert_int_equal(committed, 175); /* seven batches in one run, and fifteen rows that wait */
  bench_kill_worker(b);
  bench_finish(asked);
  bench_settle(b);
  assert_int_equal(bench_number(b, "select count(*) from q"),
                   committed); /* what was staged went with the worker */
  assert_int_equal(bench_number(b, "select max(v) from q"), committed);
  assert_int_equal(bench_number(b, "select rows from dts_run"), committed);
  assert_int_equal(bench_number(b, "select count(*) from dts_gap where state = 'filled'"),
                   committed);
  assert_int_equal(bench_number(b, "select count(*) from dts_gap where state = 'retrying'"),
                   365 - committed);
  bench_invariants(b);
  bench_close(b);
}

static void max_span_cuts_and_bridge_joins(void **state) {
  (void)state;
  bench *b = bench_with(
      QUOTES
      "dts.pipeline { name = 'cut', schedule = '0 20 1 1 *', gaps = { table = 'q', since = "
      "'2026-01-01', to = '2026-01-10', keys = { 'A' }, max_span = '4d' }, run = function() end }\n"
      "dts.pipeline { name = 'join', schedule = '0 20 1 1 *', gaps = { table = 'q', since = "
      "'2026-01-01', to = '2026-01-10', keys = { 'B' }, bridge = 2 }, run = function() end }\n"
      "dts.pipeline { name = 'some', run = function(ctx) for _, d in ipairs { '03', '04', '06', "
      "'07', '08' } do ctx:put('q', { k = 'B', day = '2026-01-' .. d, v = 1 }) end end }\n");
  bench_run(b, "some");
  const bench_answer *cut = bench_ask(b, "{\"name\":\"plan\",\"pipeline\":\"cut\"}"),
                     *join = bench_ask(b, "{\"name\":\"plan\",\"pipeline\":\"join\"}");
  buffer text;
  buffer_init(&text, 1 << 16);
  json_write(&text, value_get(&value_get(&cut->answer, "series")->list.items[0], "spans"));
  assert_string_equal(
      buffer_text(&text),
      "[\"2026-01-01/2026-01-04\",\"2026-01-05/2026-01-08\",\"2026-01-09/2026-01-10\"]");
  buffer_clear(&text);
  json_write(&text, value_get(&value_get(&join->answer, "series")->list.items[0], "spans"));
  assert_string_equal(buffer_text(&text), "[\"2026-01-01/2026-01-05\",\"2026-01-09/2026-01-10\"]");
  buffer_free(&text);
  bench_close(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(planning_equals_brute_force),
      cmocka_unit_test(a_date_is_tried_six_times),
      cmocka_unit_test(a_failing_span_holds_nothing_back),
      cmocka_unit_test(rows_that_come_and_go),
      cmocka_unit_test(empty_replies_close_dates),
      cmocka_unit_test(no_retry_quarantines_at_once),
      cmocka_unit_test(keys_of_every_kind),
      cmocka_unit_test(a_killed_worker_leaves_whole_batches),
      cmocka_unit_test(max_span_cuts_and_bridge_joins),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
