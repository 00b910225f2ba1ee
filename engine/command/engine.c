/* engine.c -- see engine.h.
 *
 * SPDX-License-Identifier: MIT */
#include "command/engine.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "command/place.h"
#include "command/shipped.h"
#include "flow/control/socket.h"

enum {
  GRACE_S = 10, /* to hand back in, before this process ends by SIGALRM */
  PAUSE_MS = 50,
  PATIENCE_MS = 2000
};

struct engine {
  arena memory;
  const char *root;
  socket_client *client; /* one of the two */
  kernel *kernel;
  int signals;
  bool interrupted;
  struct wait { /* the command under way; the kernel may answer it as late as in kernel_close */
    kernel_event *event;
    void *arg;
    arena *memory;
    value answer;
    dts_error error;
    bool answered, failed;
  } wait;
};

/* ---- signals ---- */

static sigset_t stop_signals(void) {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGHUP);
  return set;
}

bool engine_stop_asked(void) {
  sigset_t set;
  sigpending(&set);
  return sigismember(&set, SIGINT) || sigismember(&set, SIGTERM) || sigismember(&set, SIGHUP);
}

int engine_fail_stopped(dts_error *e) { return error_fail(e, "INTERRUPTED", "interrupted"); }

void engine_signals_free(void) {
  sigset_t set = stop_signals();
  sigprocmask(SIG_UNBLOCK, &set, NULL);
}

int engine_signals(void) {
  sigset_t set = stop_signals();
  sigprocmask(SIG_BLOCK, &set, NULL);
  signal(SIGPIPE, SIG_IGN);
  return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void on_signal(void *arg, int fd, bool readable, bool writable) {
  engine *g = arg;
  struct signalfd_siginfo info;
  (void)readable, (void)writable;
  while (read(fd, &info, sizeof info) == sizeof info) g->interrupted = true;
}

static int fail_interrupted(const engine *g, dts_error *e) {
  error_fail(e, "INTERRUPTED", "interrupted");
  if (!g->client)
    return error_hint(
        e, "what had not committed is undone, and nothing of it is left in the queue but "
           "what it had enqueued");
  return error_hint(e, "the engine goes on with it: see `dts runs`");
}

/* ---- opening ---- */

static kernel *open_kernel(engine *g, const kernel_options *options, dts_error *e) {
  kernel_options o = *options;
  o.root = g->root;
  o.worker = place_worker(&g->memory);
  o.shipped = shipped_connectors();
  kernel *k = kernel_open(&o, e);
  if (k) loop_watch(kernel_loop(k), g->signals, true, false, on_signal, g);
  return k;
}

static engine *open_empty(const char *root) {
  engine *g = memory_alloc(sizeof *g);
  g->root = root;
  g->signals = engine_signals();
  log_set_level(LOG_LEVEL_WARN);
  return g;
}

engine *engine_open_with(const kernel_options *options, dts_error *e) {
  engine *g = open_empty(options->root);
  if ((g->kernel = open_kernel(g, options, e))) return g;
  engine_close(g);
  return NULL;
}

engine *engine_open_alone(const char *root, const char *file, int64_t now_ms, bool replaying,
                          dts_error *e) {
  kernel_options o = {.root = root, .file = file, .now_ms = now_ms, .replaying = replaying};
  return engine_open_with(&o, e);
}

static int try_to_open(engine *g, const kernel_options *options, dts_error *e) {
  dts_error none = {0};
  if ((g->client = socket_connect(options->root, &none))) return 0;
  if (strcmp(none.code, "ENGINE_NONE") != 0) return *e = none, -1;
  return (g->kernel = open_kernel(g, options, e)) ? 0 : -1;
}

/* An engine that starts or stops holds the store, and cannot be reached: that is soon over. */
static engine *open_or_reach(const kernel_options *options, dts_error *e) {
  const struct timespec pause = {.tv_nsec = PAUSE_MS * 1000000L};
  engine *g = open_empty(options->root);
  int64_t latest = clock_monotonic_ms() + PATIENCE_MS;
  while (try_to_open(g, options, e) < 0) {
    bool held = strcmp(e->code, "STORE_LOCKED") == 0;
    if (!held || clock_monotonic_ms() > latest || engine_stop_asked()) {
      engine_close(g);
      return NULL;
    }
    nanosleep(&pause, NULL);
  }
  return g;
}

engine *engine_open(const char *root, const char *file, dts_error *e) {
  kernel_options o = {.root = root, .file = file};
  return open_or_reach(&o, e);
}

engine *engine_peek(const char *root, dts_error *e) {
  kernel_options o = {.root = root, .is_virtual = true};
  return open_or_reach(&o, e);
}

engine *engine_here(arena *a, dts_error *e) {
  const char *root = place_project(".", a, e);
  return root ? engine_open(root, NULL, e) : NULL;
}

int engine_do(engine_verb *verb, const struct given *words, dts_error *e) {
  arena a = {0};
  engine *n = engine_here(&a, e);
  int rc = n ? verb(n, words, e) : -1;
  engine_close(n);
  arena_free(&a);
  return rc;
}

void engine_close(engine *g) {
  if (!g) return;
  socket_leave(g->client);
  alarm(g->kernel ? GRACE_S : 0);
  if (g->kernel) loop_watch(kernel_loop(g->kernel), g->signals, false, false, NULL, NULL);
  kernel_close(g->kernel);
  alarm(0);
  if (g->signals >= 0) close(g->signals);
  arena_free(&g->memory);
  free(g);
}

bool engine_is_remote(const engine *g) { return g->client != NULL; }
kernel *engine_kernel(engine *g) { return g->kernel; }
const char *engine_root(const engine *g) { return g->root; }

/* ---- asking ---- */

static void on_event(void *arg, int op, const value *event) {
  engine *g = arg;
  if (g->wait.event) g->wait.event(g->wait.arg, op, event);
}

static void on_answer(void *arg, const value *answer, const dts_error *e) {
  engine *g = arg;
  g->wait.answered = true;
  g->wait.failed = e != NULL;
  if (e)
    g->wait.error = *e;
  else if (g->wait.memory)
    g->wait.answer = value_copy(g->wait.memory, answer);
}

static int ask_kernel(engine *g, const value *command, kernel_event *event, void *arg, arena *a,
                      value *answer, dts_error *e) {
  g->wait = (struct wait){.event = event, .arg = arg, .memory = a};
  kernel_command(g->kernel, command, on_event, on_answer, g);
  while (!g->wait.answered && !g->interrupted) loop_turn(kernel_loop(g->kernel), -1);
  g->wait.event = NULL;
  g->wait.memory = NULL;
  if (!g->wait.answered) return fail_interrupted(g, e);
  *answer = g->wait.answer;
  if (g->wait.failed && e) *e = g->wait.error; /* NULL: the caller can do without */
  return g->wait.failed ? -1 : 0;
}

/* Waits for a frame or a signal; the client then blocks only inside a frame. */
static int ask_remote(engine *g, const value *command, kernel_event *event, void *arg, arena *a,
                      value *answer, dts_error *e) {
  if (socket_send(g->client, command, e) < 0) return -1;
  struct pollfd waits[] = {{.fd = socket_descriptor(g->client), .events = POLLIN},
                           {.fd = g->signals, .events = POLLIN}};
  for (int more = 1; more == 1;) {
    if (poll(waits, 2, -1) < 0 && errno != EINTR)
      return error_fail(e, "ENGINE_GONE", "%s", strerror(errno));
    if (waits[1].revents) return fail_interrupted(g, e);
    if (!waits[0].revents) continue;
    more = socket_take(g->client, event, arg, a, answer, e);
    if (more <= 0) return more;
  }
  return 0;
}

int engine_ask(engine *g, const value *command, kernel_event *event, void *arg, arena *a,
               value *answer, dts_error *e) {
  dts_error unasked;
  if (!e) e = &unasked; /* the caller can do without */
  if (g->client) return ask_remote(g, command, event, arg, a, answer, e);
  return ask_kernel(g, command, event, arg, a, answer, e);
}

value engine_command(arena *a, const char *name) {
  value v = value_map();
  value_set(a, &v, "name", value_text(name));
  return v;
}

int engine_sql(engine *g, const char *sql, const value *params, int64_t limit_rows, arena *a,
               value *answer, dts_error *e) {
  value v = engine_command(a, "sql");
  value_set(a, &v, "sql", value_text(sql));
  if (params) value_set(a, &v, "params", *params);
  if (limit_rows) value_set(a, &v, "limit_rows", value_integer(limit_rows));
  return engine_ask(g, &v, NULL, NULL, a, answer, e);
}
