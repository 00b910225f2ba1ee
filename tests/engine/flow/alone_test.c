/* alone_test.c -- runs without a server: they end when only what was put off is left, say so, and the next
 * run of the same pipeline takes that on.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/kernel_help.h"

#define SCRIPT                                                                                     \
  "local s = dts.source { name = 's', url = 'http://127.0.0.1:1' }\n"                              \
  "dts.pipeline { name = 'child', params = { n = 'integer' }, run = function() s:get('/') end }\n" \
  "dts.pipeline { name = 'mother', run = function(ctx)\n"                                          \
  "  for n = 1, 2 do ctx:enqueue('child', { n = n }, { group = 'g' }) end end }\n"                 \
  "dts.pipeline { name = 'first', run = function() end }\n"                                        \
  "dts.pipeline { name = 'second', after = 'first', run = function() s:get('/') end }\n"           \
  "dts.pipeline { name = 'other', run = function() end }\n"

static bool refuses; /* the source asks to wait */

typedef struct reply {
  fetch_done *done;
  void *arg;
} reply;

static void say(void *arg) {
  reply *r = arg;
  fetch_reply said = {.status = refuses ? 0 : 204, .body_fd = -1};
  dts_error e = {0};
  if (refuses) {
    error_fail(&e, "HTTP_LATER", "s answered 429 and asks to wait 2 s");
    e.retry_after_ms = 2000;
  }
  r->done(r->arg, &said, refuses ? &e : NULL);
  free(r);
}

static void network(void *arg, const value *request, const char *from, fetch_done *done,
                    void *done_arg) {
  reply *r = memory_alloc(sizeof *r);
  (void)request, (void)from;
  *r = (reply){done, done_arg};
  loop_post(kernel_loop(arg), say, r);
}

/* One command of a terminal: an engine of its own. */
static const char *command(bench *b, const char *target, bool asked_to_wait) {
  if (b->kernel) bench_stop(b);
  bench_open(b);
  bench_faults(b);
  refuses = asked_to_wait; /* its first delay is no longer than that */
  kernel_set_network(b->kernel, network, b->kernel);
  return bench_run(b, target);
}

static void until_due(bench *b) {
  bench_stop(b);
  assert_int_equal(usleep(2100 * 1000), 0);
}

static void what_was_put_off_is_taken_on_when_due(void **state) {
  (void)state;
  bench *b = bench_new();
  bench_script(b, "x", SCRIPT);
  assert_string_equal(command(b, "mother", true), "failed");
  bench_expect(b, "select id, state, attempts, retry_count, deferrals from dts_job order by id",
               "1|done|1|0|0\n2|waiting|1|0|1\n3|queued|0|0|0\n");
  assert_string_equal(command(b, "other", false), "done"); /* not its business */
  assert_string_equal(command(b, "mother", false),
                      "done"); /* not yet: and its own wait behind it */
  bench_expect(b, "select id, state from dts_job where pipeline = 'child' order by id",
               "2|waiting\n3|queued\n6|queued\n7|queued\n");
  until_due(b);
  assert_string_equal(command(b, "other", false), "done");
  bench_expect(b, "select count(*) from dts_job where state = 'done' and pipeline = 'child'",
               "0\n");
  assert_string_equal(command(b, "mother", false), "done");
  bench_expect(b, "select distinct state, retry_count from dts_job", "done|0\n");
  bench_expect(b, "select count(*) from dts_job where pipeline = 'child'", "6\n");
  bench_invariants(b);
  bench_close(b);
}

static void so_is_one_that_followed(void **state) {
  (void)state;
  bench *b = bench_new();
  bench_script(b, "x", SCRIPT);
  assert_string_equal(command(b, "first", true), "failed");
  bench_expect(b, "select pipeline, state from dts_job order by id",
               "first|done\nsecond|waiting\n");
  until_due(b);
  assert_string_equal(command(b, "second", false), "done");
  bench_expect(b, "select pipeline, state, attempts from dts_job order by id",
               "first|done|1\nsecond|done|2\nsecond|done|1\n");
  bench_invariants(b);
  bench_close(b);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(what_was_put_off_is_taken_on_when_due),
      cmocka_unit_test(so_is_one_that_followed),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
