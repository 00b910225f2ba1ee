/* test.c -- dts test [PATH]: runs the project's specs; this process is the engine that they ask.
 *
 * SPDX-License-Identifier: MIT */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/log.h"
#include "command/command.h"
#include "command/place.h"
#include "command/shipped.h"
#include "flow/trial/trial.h"
#include "serve/server.h"

enum { SOCKET = 3, ARGUMENTS = 64, NUDGE_US = 2000 };

/* ---- the project's own API, for t:request ---- */

static void *open_server(kernel *k, char address[64], char key[128], dts_error *e) {
  server_options o = {.listen = "127.0.0.1:0", .web = NULL};
  server *s = server_open(k, &o, e);
  if (!s) return NULL;
  snprintf(address, 64, "http://127.0.0.1:%d", server_port(s));
  snprintf(key, 128, "%s", server_session_key(s));
  return s;
}

/* CivetWeb looks up from its poll every two seconds, or when somebody calls. */
typedef struct nudge {
  int port;
  atomic_bool over;
} nudge;

static void *call_often(void *arg) {
  nudge *n = arg;
  struct sockaddr_in to = {.sin_family = AF_INET,
                           .sin_port = htons((uint16_t)n->port),
                           .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  while (!atomic_load(&n->over)) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) return NULL;
    int rc = connect(fd, (struct sockaddr *)&to, sizeof to);
    close(fd);
    if (rc < 0) return NULL; /* it listens no more */
    usleep(NUDGE_US);
  }
  return NULL;
}

static void close_server(void *s) {
  pthread_t thread;
  nudge n = {.port = server_port(s)};
  bool called = pthread_create(&thread, NULL, call_often, &n) == 0;
  server_close(s);
  atomic_store(&n.over, true);
  if (called) pthread_join(thread, NULL);
}

/* ---- the specs' process ---- */

static size_t fill_arguments(const given *g, const char *worker, const char **out) {
  size_t count = 0;
  out[count++] = worker;
  out[count++] = "--spec";
  out[count++] = "--pattern=_spec%.lua$";
  if (g->json) out[count++] = "--output=json";
  if (given_has(g, "junit")) out[count++] = "--output=junit";
  if (given_has(g, "filter")) out[count++] = "--filter", out[count++] = given_text(g, "filter", "");
  for (size_t i = 0; i < g->word_count && count < ARGUMENTS - 2; i++) out[count++] = g->words[i];
  if (!g->word_count) out[count++] = "specs";
  out[count] = NULL;
  return count;
}

static void become_worker(int socket, const char **arguments) {
  if (dup2(socket, SOCKET) < 0) _exit(EXIT_USAGE);
  if (socket != SOCKET) close(socket);
  execv(arguments[0], (char *const *)(uintptr_t)arguments);
  fprintf(stderr, "%s cannot be started: %s\n", arguments[0], strerror(errno));
  _exit(EXIT_USAGE);
}

static int start_worker(const char **arguments, pid_t *pid, dts_error *e) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
    return error_fail(e, "WORKER", "no socket for dts-worker: %s", strerror(errno));
  fflush(NULL);
  *pid = fork();
  if (*pid == 0) {
    close(pair[0]);
    become_worker(pair[1], arguments);
  }
  close(pair[1]);
  if (*pid > 0) return pair[0];
  close(pair[0]);
  return error_fail(e, "WORKER", "no process for the specs: %s", strerror(errno));
}

static void on_interrupt(int number) { (void)number; }

/* Ctrl-C reaches the specs and the runs too, and ends them; this process then cleans up after them. */
static void outlive_interrupt(void) {
  struct sigaction act = {.sa_handler = on_interrupt, .sa_flags = SA_RESTART};
  sigaction(SIGINT, &act, NULL);
}

/* Looked at before the fork: a child that cannot become the worker has no error to hand back. */
static int check_worker(const char *worker, dts_error *e) {
  if (access(worker, X_OK) == 0) return 0;
  error_fail(e, "WORKER", "%s cannot be started: %s", worker, strerror(errno));
  return error_hint(e, "dts-worker belongs beside dts; reinstall the package or build again");
}

static int serve_specs(const given *g, const char *root, arena *a, dts_error *e) {
  static const trial_server web = {open_server, close_server};
  const char *arguments[ARGUMENTS];
  trial_options o = {
      .root = root, .worker = place_worker(a), .shipped = shipped_connectors(), .server = &web};
  pid_t pid = -1;
  int status = 0;
  fill_arguments(g, o.worker, arguments);
  if (check_worker(o.worker, e) < 0) return -1;
  outlive_interrupt();
  int socket = start_worker(arguments, &pid, e);
  if (socket < 0) return -1;
  int rc = trial_serve(socket, &o, e);
  close(socket);
  while (waitpid(pid, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) != 0) return EXIT_FAILED; /* it has said why */
  if (WIFSIGNALED(status))
    return error_fail(e, "WORKER_LOST", "the specs ended by signal %d", WTERMSIG(status));
  return rc < 0 ? -1 : EXIT_FINE;
}

/* ---- where ---- */

/* As messages show it: below the project's folder, if it lies there. */
static const char *below(const char *path, const char *root) {
  size_t size = strlen(root);
  return strncmp(path, root, size) == 0 && path[size] == '/' ? path + size + 1 : path;
}

/* A path is given relative to the working folder; specs run in the project's. */
static int enter(given *g, arena *a, const char **root, dts_error *e) {
  *root = place_project(".", a, e);
  if (!*root) return -1;
  for (size_t i = 0; i < g->word_count; i++) {
    char *real = realpath(g->words[i], NULL), *top = realpath(*root, NULL);
    if (!real)
      return free(top), error_fail(e, "FILE_MISSING", "there is no spec '%s'", g->words[i]);
    g->words[i] = arena_text(a, below(real, top ? top : "/"));
    free(real);
    free(top);
  }
  if (chdir(*root) < 0) return error_fail(e, "PROJECT", "%s cannot be entered", *root);
  if (g->word_count || file_exists("specs")) return 0;
  error_fail(e, "FILE_MISSING", "there is no folder specs/ in %s", *root);
  return error_hint(e, "a spec is a file specs/NAME_spec.lua; `dts new` shows one");
}

static int run(const given *g, dts_error *e) {
  arena a = {0};
  given copy = *g;
  const char *root;
  log_set_level(LOG_LEVEL_ERROR);
  int rc = enter(&copy, &a, &root, e);
  if (rc == 0) rc = serve_specs(&copy, root, &a, e);
  arena_free(&a);
  return rc;
}

static const command_option options[] = {
    {"filter", "PATTERN", "only specs whose name matches"},
    {"junit", NULL, "the verdicts as JUnit XML, for a CI server"},
    {0}};

COMMAND(test) = {
    .name = "test",
    .words = "[PATH...]",
    .summary = "Run the project's specs, with clock, network and store in their hands.",
    .details =
        "Specs are specs/NAME_spec.lua, written for busted; dts.test { } opens a throw-away\n"
        "project. No request leaves this machine.",
    .most = 16,
    .options = options,
    .run = run};
