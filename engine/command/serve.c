/* serve.c -- dts serve [DIR]: the engine as a service, until SIGTERM or Ctrl-C.
 *
 * SPDX-License-Identifier: MIT */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/log.h"
#include "command/command.h"
#include "command/engine.h"
#include "command/place.h"
#include "command/report.h"
#include "command/shipped.h"
#include "command/slim.h"
#include "command/times.h"
#include "flow/control/socket.h"
#include "serve/server.h"

enum { GRACE_S = 10, FIRINGS_SHOWN = 1000, QUIET_MS = 5000 };

typedef struct service {
  const char *root;
  kernel *kernel;
  server *server;
  control_socket *socket;
  int signals;
  bool stopping, moved;
  loop_timer *quiet;
  registry *set; /* as last told of */
  char *faults;  /* as last told: a fault is not told twice */
} service;

/* ---- what is told ---- */

static void ignore_answer(void *arg, const value *answer, const dts_error *e) {
  (void)arg, (void)answer, (void)e;
}

static void print_next(void *arg, const value *answer, const dts_error *e) {
  (void)arg;
  if (!e && answer->list.count) times_print(stdout, answer);
}

static void tell_next(service *s) {
  arena a = {0};
  value order = engine_command(&a, "next");
  value_set(&a, &order, "count", value_integer(FIRINGS_SHOWN));
  value_set(&a, &order, "each", value_integer(1));
  kernel_command(s->kernel, &order, NULL, print_next, NULL);
  arena_free(&a);
}

static void tell_faults(service *s) {
  arena a = {0};
  buffer b;
  screen screen_err = screen_of(stderr);
  value faults = kernel_faults(s->kernel, &a);
  buffer_init(&b, 1 << 20);
  for (size_t i = 0; i < faults.list.count; i++) {
    report_text(&b, &faults.list.items[i], s->root, screen_err.colour);
    if (value_get_text(&faults.list.items[i], "in_service", NULL))
      buffer_add_text(&b, "its last good version stays in service\n");
    buffer_add_char(&b, '\n');
  }
  bool news = strcmp(buffer_text(&b), s->faults ? s->faults : "") != 0;
  if (news) fputs(buffer_text(&b), stderr);
  if (news && !b.size) log_info("no script is at fault any more");
  free(s->faults);
  s->faults = memory_text(buffer_text(&b));
  buffer_free(&b);
  arena_free(&a);
}

static bool was_in(const registry *old, const script *now) {
  const script *before = old ? registry_script(old, now->file) : NULL;
  return before && strcmp(before->version, now->version) == 0;
}

/* Says which scripts are new or changed; what did not change is not mentioned. */
static void tell_reload(service *s) {
  registry *set = kernel_registry(s->kernel);
  for (size_t i = 0; i < set->script_count; i++)
    if (!was_in(s->set, set->scripts[i])) log_info("reloaded %s", set->scripts[i]->file);
  for (size_t i = 0; i < s->set->script_count; i++)
    if (!registry_script(set, s->set->scripts[i]->file))
      log_info("removed %s", s->set->scripts[i]->file);
  registry_release(s->set);
  s->set = set;
  tell_faults(s);
}

static void on_quiet(void *arg) {
  service *s = arg;
  bool moved = s->moved;
  s->moved = false;
  s->quiet = moved ? loop_after(kernel_loop(s->kernel), QUIET_MS, on_quiet, s) : NULL;
  if (moved) return;
  store_slim(kernel_store(s->kernel));
  slim_down();
}

static void on_event(void *arg, int op, const value *event) {
  service *s = arg;
  s->moved = s->quiet != NULL;
  if (!s->quiet) s->quiet = loop_after(kernel_loop(s->kernel), QUIET_MS, on_quiet, s);
  if (op == 0 && value_is(value_get(event, "name"), "reload")) tell_reload(s);
}

static void print_address(const service *s) {
  const char *host = server_host(s->server);
  int port = server_port(s->server);
  printf("dashboard, with a key for this session:\nhttp://%s:%d/#key=%s\n\n",
         strcmp(host, "0.0.0.0") == 0 ? "127.0.0.1" : host, port, server_session_key(s->server));
}

/* Files fire at no time that could be named. */
static void print_files(const service *s) {
  bool any = false;
  for (size_t i = 0; i < s->set->pipeline_count; i++) {
    const pipeline *p = &s->set->pipelines[i];
    const value *patterns = p->trigger == TRIGGER_FILES ? value_get(p->declared, "files") : NULL;
    for (size_t k = 0; patterns && k < patterns->list.count; k++)
      printf("%s takes files: %s\n", p->name, patterns->list.items[k].text.bytes), any = true;
  }
  if (any) putchar('\n');
}

/* ---- signals ---- */

static void reload(service *s) {
  arena a = {0};
  value order = engine_command(&a, "reload");
  kernel_command(s->kernel, &order, NULL, ignore_answer, NULL);
  arena_free(&a);
}

static void on_signal(void *arg, int fd, bool readable, bool writable) {
  service *s = arg;
  struct signalfd_siginfo info;
  (void)readable, (void)writable;
  while (read(fd, &info, sizeof info) == sizeof info) {
    if (info.ssi_signo == SIGHUP) {
      reload(s);
    } else {
      if (s->stopping)
        _exit(EXIT_FAILED); /* asked twice: the jobs are found again at the next start */
      s->stopping = true;
      loop_stop(kernel_loop(s->kernel));
    }
  }
}

/* ---- the service ---- */

static int open_service(service *s, const given *g, arena *a, dts_error *e) {
  kernel_options k = {.root = s->root,
                      .worker = place_worker(a),
                      .environment = given_text(g, "env", NULL),
                      .shipped = shipped_connectors(),
                      .serving = true};
  server_options o = {.listen = given_text(g, "listen", NULL), .web = shipped_web()};
  s->signals = engine_signals();
  if (!(s->kernel = kernel_open(&k, e)) || !(s->server = server_open(s->kernel, &o, e))) return -1;
  const char *address = arena_format(a, "%s:%d", server_host(s->server), server_port(s->server));
  if (!(s->socket = socket_open(s->kernel, address, e))) return -1;
  loop_watch(kernel_loop(s->kernel), s->signals, true, false, on_signal, s);
  return 0;
}

static void close_service(service *s) {
  alarm(GRACE_S); /* past it the process ends; the next start finds its jobs */
  registry_release(s->set);
  socket_close(s->socket);
  server_close(s->server);
  kernel_close(s->kernel);
  if (s->signals >= 0) close(s->signals);
  free(s->faults);
  alarm(0);
}

static void serve_until_stopped(service *s) {
  s->set = kernel_registry(s->kernel);
  uint64_t listening = kernel_listen(s->kernel, on_event, s);
  print_address(s);
  print_files(s);
  tell_next(s);
  tell_faults(s);
  fflush(stdout);
  slim_down();
  if (!s->stopping) loop_run(kernel_loop(s->kernel));
  kernel_unlisten(s->kernel, listening);
  loop_cancel(kernel_loop(s->kernel), s->quiet);
  log_info("stopping: runs under way are handed back");
}

static int run(const given *g, dts_error *e) {
  arena a = {0};
  service s = {.signals = -1};
  s.root = place_project(given_word(g, 0) ? given_word(g, 0) : ".", &a, e);
  int rc = s.root ? open_service(&s, g, &a, e) : -1;
  if (rc == 0) serve_until_stopped(&s);
  close_service(&s);
  arena_free(&a);
  return rc;
}

static const command_option options[] = {
    {"listen", "ADDR", "HOST:PORT, or dts.lua's `listen` (127.0.0.1:8080)"},
    {"env", "NAME", "an environment of dts.lua's `env`, laid over the rest"},
    {0}};

COMMAND(serve) = {
    .name = "serve",
    .words = "[DIR]",
    .summary = "Run the engine: scheduler, workers, web API, dashboard, hot reload.",
    .details =
        "Ctrl-C or SIGTERM stops it within 10 seconds and hands back what runs; SIGHUP reloads.",
    .most = 1,
    .options = options,
    .run = run};
