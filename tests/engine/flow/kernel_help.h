/* kernel_help.h -- a whole engine for a test: a project in a folder of its own, real caged workers beside.
 *
 * The worker is the one of this build (DTS_WORKER names another); where there is none the test is skipped
 * and says so. Everything runs on the test's thread: bench_until turns the kernel's loop until something
 * holds, or fails after 20 s. Under a virtual clock, bench_advance lets time pass.
 *
 * SPDX-License-Identifier: MIT */
#ifndef DTS_TESTS_FLOW_KERNEL_HELP_H
#define DTS_TESTS_FLOW_KERNEL_HELP_H

#include "flow/flow_help.h"

#include <dirent.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "flow/kernel/kernel_parts.h"

typedef struct bench {
  kernel *kernel;
  kernel_options options;
  char folder[64], worker[4096];
  arena memory; /* of what is handed out */
} bench;

static inline bool bench_find_worker(char *out, size_t room) {
  const char *named = getenv("DTS_WORKER");
  if (named) return snprintf(out, room, "%s", named), access(out, X_OK) == 0;
  char self[2048];
  ssize_t size = readlink("/proc/self/exe", self, sizeof self - 1);
  self[size > 0 ? size : 0] = '\0';
  char *slash = strrchr(self, '/');
  if (slash) *slash = '\0';
  snprintf(out, room, "%s/../dts-worker", self);
  return access(out, X_OK) == 0;
}

/* The folder of a project that does not run yet. Skips the test where no worker was built. */
static inline bench *bench_new(void) {
  bench *b = memory_alloc(sizeof *b);
  if (!bench_find_worker(b->worker, sizeof b->worker)) {
    print_message("skipped: no dts-worker at %s; build it, or name one in DTS_WORKER\n", b->worker);
    free(b);
    skip();
  }
  snprintf(b->folder, sizeof b->folder, "/tmp/dts-flow-XXXXXX");
  assert_non_null(mkdtemp(b->folder));
  b->options = (kernel_options){.root = b->folder, .worker = b->worker};
  return b;
}

static inline void bench_write(bench *b, const char *path, const char *text) {
  char whole[512];
  snprintf(whole, sizeof whole, "%s/%s", b->folder, path);
  char *slash = strrchr(whole, '/');
  *slash = '\0';
  assert_int_equal(file_make_folder(whole, 0755, NULL), 0);
  *slash = '/';
  assert_int_equal(file_write_atomic(whole, text, strlen(text), 0600, NULL), 0);
}

static inline void bench_script(bench *b, const char *name, const char *text) {
  char path[128], *whole = NULL;
  snprintf(path, sizeof path, "pipelines/%s.lua", name);
  whole = arena_format(&b->memory, "local dts = require \"dts\"\n%s", text);
  bench_write(b, path, whole);
}

static inline void bench_faults(bench *b) { /* none is expected */
  value faults = kernel_faults(b->kernel, &b->memory);
  if (faults.list.count)
    fail_msg("%s: %s (%s)", value_get_text(&faults.list.items[0], "where", "?"),
             value_get_text(&faults.list.items[0], "message", "?"),
             value_get_text(&faults.list.items[0], "hint", ""));
}

static inline void bench_open(bench *b) {
  dts_error e = {0};
  b->kernel = kernel_open(&b->options, &e);
  if (!b->kernel) fail_msg("%s: %s (%s)", e.where, e.message, e.hint);
}

static inline bench *bench_with(const char *text) { /* one script */
  bench *b = bench_new();
  b->options.serving = true;
  bench_script(b, "x", text);
  bench_open(b);
  bench_faults(b);
  return b;
}

/* A clock in the test's hands, a store in memory, schedules that fire. */
static inline void bench_virtual(bench *b, int64_t now_ms) {
  b->options.is_virtual = b->options.serving = true;
  b->options.now_ms = now_ms;
  bench_open(b);
  bench_faults(b);
}

static inline void bench_stop(bench *b) {
  kernel_close(b->kernel);
  b->kernel = NULL;
}

static inline void bench_close(bench *b) {
  char command[128];
  if (b->kernel) bench_stop(b);
  snprintf(command, sizeof command, "rm -rf '%s'", b->folder);
  assert_int_equal(system(command), 0);
  arena_free(&b->memory);
  free(b);
}

/* ---- the store ---- */

static inline const char *bench_text(bench *b, const char *sql) {
  return help_text(kernel_store(b->kernel), &b->memory, sql);
}

static inline int64_t bench_number(bench *b, const char *sql) {
  return strtoll(bench_text(b, sql), NULL, 10);
}

#define bench_expect(b, sql, text) assert_string_equal(bench_text(b, sql), text)

/* What jobs.md says must hold whenever nobody looks. Each row found is one broken sentence. */
static inline void bench_invariants(bench *b) {
  static const char *const broken[] = {
      "select 'attempt rows', j.id from dts_job j where j.attempts <> (select count(*) from "
      "dts_run r where r.job = "
      "j.id)",
      "select 'one attempt an epoch', job from dts_run group by job, epoch having count(*) > 1",
      "select 'outcome', id from dts_run where (outcome is null) <> (state = 'running')",
      "select 'open attempt without a lease', r.id from dts_run r join dts_job j on j.id = r.job "
      "where r.state = "
      "'running' and (j.state <> 'leased' or j.epoch <> r.epoch)",
      "select 'lease without an open attempt', id from dts_job j where state = 'leased' and not "
      "exists (select 1 from "
      "dts_run r where r.job = j.id and r.epoch = j.epoch and r.state = 'running')",
      "select 'retry_count', id from dts_job where retry_count > retry_limit + 1",
      "select 'past the limit outside quarantine', id from dts_job where retry_count > retry_limit "
      "and state not in "
      "('quarantined', 'failed', 'cancelled')",
      "select 'failures', j.id from dts_job j where releases = 0 and retry_count <> (select "
      "count(*) from dts_run r "
      "where r.job = j.id and r.outcome = 'failed')",
      "select 'state', id from dts_job where state not in ('waiting', 'queued', 'leased', 'done', "
      "'failed', "
      "'quarantined', 'cancelled')",
      "select 'open firing', f.id from dts_firing f where state = 'open' and not exists (select 1 "
      "from dts_job j where "
      "j.firing = f.id and j.state in ('waiting', 'queued', 'leased'))",
      "select 'held date', g.day from dts_gap g where held = 1 and not exists (select 1 from "
      "dts_job j where j.id = "
      "g.job and j.state in ('waiting', 'queued', 'leased'))",
      "select 'date retries', day from dts_gap where retry_count > 6 or (retry_count > 5 and state "
      "= 'retrying')",
      "select 'firing twice', pipeline from dts_firing where fire_time is not null group by "
      "pipeline, trigger, "
      "fire_time having count(*) > 1"};
  for (size_t i = 0; i < sizeof broken / sizeof *broken; i++) bench_expect(b, broken[i], "");
}

/* ---- time ---- */

typedef bool bench_cond(bench *b, void *arg);

static inline bool bench_at_rest(bench *b, void *arg) {
  (void)arg;
  kernel *k = b->kernel;
  return !k->writes && !loop_busy(k->loop) && !project_busy(k->project) && runner_idle(k->runner);
}

static inline void bench_until(bench *b, bench_cond *holds, void *arg) {
  int64_t end = clock_monotonic_ms() + 20000;
  while (!holds(b, arg)) {
    if (clock_monotonic_ms() > end)
      fail_msg("waited for 20 s:\n%s",
               bench_text(b, "select id, pipeline, state, run_at, error from dts_jobs"));
    loop_turn(kernel_loop(b->kernel), 20);
  }
}

static inline bool bench_is_settled(bench *b, void *arg) {
  return bench_at_rest(b, arg) &&
         !bench_number(b, "select count(*) from dts_job where state = 'leased'");
}

static inline void bench_settle(bench *b) { bench_until(b, bench_is_settled, NULL); }

static inline void bench_wait(bench *b, int64_t ms) {
  for (int64_t end = clock_monotonic_ms() + ms; clock_monotonic_ms() < end;)
    loop_turn(kernel_loop(b->kernel), 10);
}

static inline bool bench_sql_holds(bench *b, void *sql) { return bench_number(b, sql) != 0; }

static inline void bench_until_sql(bench *b, const char *sql) {
  bench_until(b, bench_sql_holds, (void *)(uintptr_t)sql);
}

static inline void bench_advance(bench *b, int64_t ms) {
  int64_t until = loop_now(kernel_loop(b->kernel)) + ms;
  do bench_settle(b);
  while (loop_advance(kernel_loop(b->kernel), until));
  bench_settle(b);
}

/* ---- commands ---- */

typedef struct bench_answer {
  bench *bench;
  value answer;
  dts_error error;
  bool done;
} bench_answer;

static inline void bench_answered(void *arg, const value *answer, const dts_error *e) {
  bench_answer *a = arg;
  if (e)
    a->error = *e;
  else
    a->answer = value_copy(&a->bench->memory, answer);
  a->done = true;
}

static inline bool bench_is_answered(bench *b, void *arg) {
  (void)b;
  return ((bench_answer *)arg)->done;
}

/* Begins; wait for a->done with bench_finish. The command is JSON. */
static inline bench_answer *bench_begin(bench *b, const char *command) {
  bench_answer *a = arena_alloc(&b->memory, sizeof *a);
  value v = help_json(&b->memory, command);
  *a = (bench_answer){.bench = b};
  kernel_command(b->kernel, &v, NULL, bench_answered, a);
  return a;
}

static inline const bench_answer *bench_finish(bench_answer *a) {
  bench_until(a->bench, bench_is_answered, a);
  return a;
}

static inline const bench_answer *bench_ask(bench *b, const char *command) {
  return bench_finish(bench_begin(b, command));
}

/* Runs a pipeline by hand; its state, "done" or "failed". */
static inline const char *bench_run(bench *b, const char *target) {
  const bench_answer *a =
      bench_ask(b, arena_format(&b->memory, "{\"name\":\"run\",\"target\":\"%s\"}", target));
  if (a->error.code[0]) fail_msg("%s: %s", a->error.where, a->error.message);
  bench_settle(b);
  return value_get_text(&a->answer, "state", "?");
}

/* The error of a run by hand that must fail, as "CODE: message". */
static inline const char *bench_run_error(bench *b, const char *target) {
  assert_string_equal(bench_run(b, target), "failed");
  return bench_text(b, "select coalesce(error ->> 'code', '-') || ': ' || coalesce(error ->> "
                       "'message', '-') from dts_run where error is not null "
                       "order by id desc limit 1");
}

static inline void bench_contains(const char *text, const char *part) {
  if (!strstr(text, part)) fail_msg("'%s' lacks '%s'", text, part);
}

/* The youngest child of a process, 0 when it has none: nursery of this one, worker of the nursery. */
static inline long bench_child(long parent) {
  long child = 0;
  DIR *all = opendir("/proc");
  for (struct dirent *d; all && (d = readdir(all));) {
    char path[300];
    long pid = strtol(d->d_name, NULL, 10), of = 0;
    char state = 0;
    snprintf(path, sizeof path, "/proc/%ld/stat", pid);
    FILE *f = pid > 0 ? fopen(path, "re") : NULL;
    if (f && fscanf(f, "%*d (%*[^)]) %c %ld", &state, &of) == 2 && of == parent && state != 'Z' &&
        pid > child)
      child = pid;
    if (f) fclose(f);
  }
  if (all) closedir(all);
  return child;
}

static inline void bench_kill_worker(bench *b) { /* that runs now, as a crash would */
  (void)b;
  long worker_pid = bench_child(bench_child(getpid()));
  assert_true(worker_pid > 1);
  assert_int_equal(kill((pid_t)worker_pid, SIGKILL), 0);
}

#endif
