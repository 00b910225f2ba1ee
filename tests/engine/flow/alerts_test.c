/* Alerts, roll-ups and kept views in a whole engine: what a run's commit sets going, what people are
 * told, and that each of it is told once, also across failures and restarts.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/alerts/alert_reach.h"
#include "flow/kernel_help.h"

static const int64_t START = 1773147600000; /* 2026-03-10T13:00Z */
enum { MINUTE = 60 * 1000 };

typedef struct mailbox { /* a stand-in for the network */
  arena memory;
  value got;  /* "METHOD url subject-or-state" */
  int refuse; /* so many requests */
} mailbox;

static void on_request(void *arg, const value *request, const char *from, fetch_done *done,
                       void *done_arg) {
  mailbox *m = arg;
  fetch_reply reply = {.status = 200, .body_fd = -1};
  const char *body = value_get_text(request, "body", ""), *about;
  bool is_mail = strcmp(value_get_text(request, "method", ""), "MAIL") == 0;
  assert_string_equal(from, "alerts");
  if (is_mail) {
    about = value_get_text(value_get(request, "headers"), "Subject", "?");
  } else {
    value json = help_json(&m->memory, body);
    about = value_get_text(&json, "state", "?");
  }
  if (m->refuse > 0 && strstr(value_get_text(request, "url", ""), "a.example"))
    m->refuse--, reply.status = 503, about = "refused";
  value_add(&m->memory, &m->got,
            value_text(arena_format(&m->memory, "%s %s %s", value_get_text(request, "method", "?"),
                                    value_get_text(request, "url", "?"), about)));
  done(done_arg, &reply, NULL);
}

/* What came since the last call, a line each. */
static const char *letters(mailbox *m) {
  const char *text = "";
  for (size_t i = 0; i < m->got.list.count; i++)
    text = arena_format(&m->memory, "%s%s\n", text, m->got.list.items[i].text.bytes);
  m->got = value_list();
  return text;
}

#define TABLE "dts.table { name = 't', key = { 'id' }, columns = { 'id integer', 'v text' } }\n"
#define WRITES                                                                                     \
  "dts.pipeline { name = 'add', run = function(ctx) ctx:put('t', { id = 1, v = 'x' }) end }\n"     \
  "dts.pipeline { name = 'clear', run = function(ctx) ctx:delete('t', { id = 1 }) end }\n"
#define ALERT                                                                                      \
  "dts.alert { name = 'some', every = '10m', hold = '30m', remind = '1d', when = 'select id, v "   \
  "from t' }\n"

static bench *with_mailbox(mailbox *m, const char *config, const char *script_text) {
  bench *b = bench_new();
  m->got = value_list();
  bench_write(b, "dts.lua", config);
  bench_script(b, "x", script_text);
  bench_virtual(b, START);
  kernel_set_network(b->kernel, on_request, m);
  return b;
}

static void a_firing_alert_is_told_once(void **state) {
  (void)state;
  mailbox m = {0};
  bench *b = with_mailbox(&m,
                          "return { name = 'fuel', alerts = { to = { 'https://hooks.example/x', "
                          "'mailto:ops@example.com' } } }",
                          TABLE WRITES ALERT);
  bench_advance(b, 60 * MINUTE);
  assert_string_equal(letters(&m), "");
  bench_run(b, "add");
  bench_advance(b, 25 * MINUTE);
  assert_string_equal(letters(&m), "");
  bench_expect(b, "select state, told from dts_alert where name = 'some'", "pending|null\n");
  bench_advance(b, 40 * MINUTE);
  assert_string_equal(letters(&m), "POST https://hooks.example/x firing\nMAIL "
                                   "mailto:ops@example.com [fuel] some: firing (1 row)\n");
  bench_expect(b, "select state, rows from dts_alert where name = 'some'",
               "told|[{\"id\":1,\"v\":\"x\"}]\n");
  bench_advance(b, 20 * 60 * MINUTE);
  assert_string_equal(letters(&m), "");
  bench_advance(b, 5 * 60 * MINUTE);
  assert_string_equal(letters(&m), "POST https://hooks.example/x reminder\nMAIL "
                                   "mailto:ops@example.com [fuel] some: still firing (1 row)\n");
  bench_run(b, "clear");
  bench_advance(b, 11 * MINUTE);
  assert_string_equal(letters(&m), "POST https://hooks.example/x recovered\nMAIL "
                                   "mailto:ops@example.com [fuel] some: recovered\n");
  bench_advance(b, 3 * 24 * 60 * MINUTE);
  assert_string_equal(letters(&m), "");
  bench_expect(b, "select state from dts_alert where name = 'some'", "ok\n");
  bench_close(b);
  arena_free(&m.memory);
}

static void only_who_was_not_reached_is_told_again(void **state) {
  (void)state;
  mailbox m = {.refuse = 3};
  bench *b = with_mailbox(&m, "return { name = 'fuel' }",
                          TABLE WRITES
                          "dts.alert { name = 'some', every = '10m', when = 'select id from t', "
                          "to = { 'https://a.example/', 'https://b.example/' } }\n");
  bench_run(b, "add");
  bench_advance(b, 3 * MINUTE); /* the first look, and its three tries */
  assert_string_equal(letters(&m), "POST https://a.example/ refused\n"
                                   "POST https://b.example/ firing\n"
                                   "POST https://a.example/ refused\n"
                                   "POST https://a.example/ refused\n");
  bench_expect(b, "select state, told from dts_alert", "firing|null\n");
  bench_expect(b, "select name, error from dts_alert_fault",
               "some|not told: https://a.example/: it answered 503\n");
  bench_advance(b, 10 * MINUTE);
  assert_string_equal(letters(&m), "POST https://a.example/ firing\n");
  bench_expect(b, "select state from dts_alert", "told\n");
  bench_expect(b, "select count(*) from dts_alert_fault", "0\n");
  bench_run(b, "clear");
  m.refuse = 1;
  bench_advance(b, 12 * MINUTE);
  assert_string_equal(letters(&m), "POST https://a.example/ refused\n"
                                   "POST https://b.example/ recovered\n"
                                   "POST https://a.example/ recovered\n");
  bench_close(b);
  arena_free(&m.memory);
}

static void what_was_not_told_before_a_restart_is_told_after(void **state) {
  (void)state;
  mailbox m = {0};
  bench *b = with_mailbox(&m, "return { name = 'fuel' }",
                          TABLE WRITES "dts.alert { name = 'some', every = '10m', when = 'select "
                                       "id from t', to = { 'https://a.example/' } }\n");
  help_exec(kernel_store(b->kernel),
            "insert into dts_alert values ('some', 'firing', 1773140400000, null, '[]')");
  bench_run(b, "add");
  bench_advance(b, MINUTE);
  assert_string_equal(letters(&m), "POST https://a.example/ firing\n");
  bench_expect(b, "select state, since from dts_alert", "told|1773140400000\n");
  help_exec(kernel_store(b->kernel), "update dts_alert set state = 'recovering'");
  help_exec(kernel_store(b->kernel), "delete from t");
  bench_advance(b, 11 * MINUTE);
  assert_string_equal(letters(&m), "POST https://a.example/ recovered\n");
  bench_close(b);
  arena_free(&m.memory);
}

static void built_in_alerts_come_with_the_configuration(void **state) {
  (void)state;
  mailbox m = {0};
  bench *b = with_mailbox(&m, "return { name = 'p', alerts = { to = { 'https://a.example/' } } }",
                          "dts.pipeline { name = 'bad', run = function() error('no') end }\n");
  bench_run(b, "bad");
  bench_advance(b, 6 * MINUTE);
  assert_string_equal(letters(&m), "POST https://a.example/ firing\n");
  bench_expect(b, "select name, rows ->> '$[0].pipeline' from dts_alert where state != 'ok'",
               "failed|bad\n");
  bench_expect(b, "select name from dts_alert order by 1", "disk\nfailed\nquarantined\nstale\n");
  bench_close(b);
  arena_free(&m.memory);
}

static void an_alert_that_cannot_be_asked_says_so_until_it_can(void **state) {
  (void)state;
  mailbox m = {0};
  bench *b = with_mailbox(&m, "return { name = 'p' }",
                          TABLE WRITES "dts.alert { name = 'some', every = '10m', when = 'select "
                                       "id / json(v) from t', to = { 'https://a.example/' } }\n");
  bench_expect(b, "select count(*) from dts_alert", "0\n"); /* not looked at yet */
  bench_advance(b, 2 * MINUTE);
  bench_expect(b, "select name, state from dts_alert", "some|ok\n");
  bench_run(b, "add");
  bench_advance(b, 10 * MINUTE);
  bench_expect(b,
               "select name, error like 'could not be asked: malformed JSON%' from "
               "dts_alert_fault",
               "some|1\n");
  help_exec(kernel_store(b->kernel), "insert into dts_alert_fault values ('gone', 1, 'x')");
  alerts_start(b->kernel->alerts, kernel_current(b->kernel)); /* as a reload does */
  bench_until_sql(b, "select group_concat(name) = 'some' from dts_alert_fault");
  bench_run(b, "clear");
  bench_advance(b, 10 * MINUTE);
  bench_expect(b, "select count(*) from dts_alert_fault", "0\n");
  assert_string_equal(letters(&m), "");
  bench_close(b);
  arena_free(&m.memory);
}

static void what_stands_in_the_way_of_telling_is_known_before(void **state) {
  (void)state;
  arena a = {0};
  value notes = value_list();
  bench *b = bench_new();
  bench_write(b, "dts.lua", "return { alerts = { to = { 'http://far.example/' } } }");
  bench_script(b, "x",
               "dts.alert { name = 'a', when = 'select 1 where 0', to = 'mailto:me@example.com' }\n"
               "dts.alert { name = 'b', when = 'select 1 where 0', to = 'https://h.example/' }\n"
               "dts.alert { name = 'c', when = 'select 1 where 0', to = "
               "'https://h.example/{secret:NO_SUCH_ONE}' }\n");
  bench_open(b);
  alert_notes(b->kernel, kernel_current(b->kernel), &a, &notes);
  assert_int_equal(notes.list.count, 3);
  static const char *const expected[] = {
      "alert 'a' cannot tell mailto:me@example.com: mail is not configured",
      "alert 'c' cannot tell https://h.example/{secret:NO_SUCH_ONE}: secret NO_SUCH_ONE is not set",
      "alert 'failed' cannot tell http://far.example/: https:// expected (http:// only to this "
      "machine)"};
  for (size_t i = 0; i < 3; i++)
    assert_string_equal(value_get_text(&notes.list.items[i], "message", ""), expected[i]);
  bench_close(b);
  arena_free(&a);
}

static void a_commit_moves_roll_ups_and_kept_views(void **state) {
  (void)state;
  bench *b = bench_with(
      "dts.table { name = 's', key = { 'repo', 'date' }, columns = { 'repo text', 'date date', "
      "'stars integer' } }\n"
      "dts.rollup { name = 'trend', from = 's', time = 'date', by = { 'repo' }, every = { 'week' "
      "},\n"
      "  measures = { 'last(stars) as stars', 'change(stars) as gained', 'count(*) as days' } }\n"
      "dts.view { name = 'best', keep = true, sql = 'select max(stars) as stars from trend_week' "
      "}\n"
      "dts.pipeline { name = 'p', params = { n = 'integer = 1' }, run = function(ctx)\n"
      "  ctx:put('s', { repo = 'a', date = '2026-01-01', stars = 5 })\n"
      "  ctx:put('s', { repo = 'a', date = '2026-01-05', stars = 9 })\n"
      "end }\n"
      "dts.pipeline { name = 'late', run = function(ctx) ctx:put('s', { repo = 'a', date = "
      "'2026-01-02', stars = 7 }) end }\n"
      "dts.pipeline { name = 'gone', run = function(ctx) ctx:delete('s', { date = { from = "
      "'2026-01-03' } }) end }\n");
  assert_string_equal(bench_run(b, "p"), "done");
  bench_until_sql(b, "select coalesce(max(stars), 0) = 9 from best");
  bench_expect(b, "select * from trend_week", "a|2025-12-29|5|null|1\na|2026-01-05|9|4|1\n");
  assert_string_equal(bench_run(b, "late"), "done");
  bench_until_sql(b, "select sum(days) = 3 from trend_week");
  bench_expect(b, "select * from trend_week", "a|2025-12-29|7|null|2\na|2026-01-05|9|2|1\n");
  assert_string_equal(bench_run(b, "gone"), "done");
  bench_until_sql(b, "select stars = 7 from best");
  bench_expect(b, "select * from trend_week", "a|2025-12-29|7|null|2\n");
  bench_close(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_firing_alert_is_told_once),
      cmocka_unit_test(only_who_was_not_reached_is_told_again),
      cmocka_unit_test(what_was_not_told_before_a_restart_is_told_after),
      cmocka_unit_test(built_in_alerts_come_with_the_configuration),
      cmocka_unit_test(an_alert_that_cannot_be_asked_says_so_until_it_can),
      cmocka_unit_test(what_stands_in_the_way_of_telling_is_known_before),
      cmocka_unit_test(a_commit_moves_roll_ups_and_kept_views),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
