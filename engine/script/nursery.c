/* nursery.c -- see nursery.h.
 *
 * SPDX-License-Identifier: MIT */
#include "script/nursery.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/log.h"
#include "script/cage.h"
#include "script/loader.h"
#include "script/loop.h"
#include "script/witness.h"
#include "wire/frame.h"
#include "wire/op.h"
#include "wire/pack.h"

typedef struct offspring {
  pid_t pid;
  char *page; /* witness.h */
} offspring;

typedef struct nursery {
  int socket, signals;
  script *script; /* what each child continues with */
  cage cage;
  buffer in, out;
  offspring *children;
  size_t count;
} nursery;

/* ── Children ── */

static void keep_child(nursery *n, pid_t pid, char *page) {
  witness_hide(page);
  n->children = memory_grow(n->children, (n->count + 1) * sizeof *n->children);
  n->children[n->count++] = (offspring){pid, page};
}

/* What it left behind. */
static void drop_child(nursery *n, pid_t pid, char where[WITNESS_TEXT], bool *starved) {
  size_t i = 0;
  *starved = false;
  where[0] = '\0';
  while (i < n->count && n->children[i].pid != pid) i++;
  if (i == n->count) return;
  witness_read(n->children[i].page, where);
  *starved = witness_starved(n->children[i].page);
  witness_close(n->children[i].page);
  n->children[i] = n->children[--n->count];
}

static void add_number(buffer *b, const char *name, int64_t number) {
  pack_text(b, name, strlen(name));
  pack_integer(b, number);
}

static int64_t milliseconds(struct timeval t) {
  return (int64_t)t.tv_sec * 1000 + t.tv_usec / 1000;
}

static int report_exit(nursery *n, pid_t pid, int status, const struct rusage *used) {
  dts_error e;
  char where[WITNESS_TEXT];
  bool starved;
  drop_child(n, pid, where, &starved);
  buffer_clear(&n->out);
  pack_map(&n->out, 6);
  pack_text(&n->out, "starved", 7);
  pack_boolean(&n->out, starved);
  pack_text(&n->out, "where", 5);
  pack_text(&n->out, where, strlen(where));
  add_number(&n->out, "pid", pid);
  if (WIFSIGNALED(status))
    add_number(&n->out, "signal", WTERMSIG(status));
  else
    add_number(&n->out, "status", WEXITSTATUS(status));
  add_number(&n->out, "cpu_ms", milliseconds(used->ru_utime) + milliseconds(used->ru_stime));
  add_number(&n->out, "peak", (int64_t)used->ru_maxrss * 1024);
  return frame_send(n->socket, 0, OP_EXITED, &n->out, -1, &e);
}

static int reap(nursery *n) {
  struct signalfd_siginfo info;
  struct rusage used;
  int status;
  pid_t pid;
  while (read(n->signals, &info, sizeof info) > 0) continue;
  while ((pid = wait4(-1, &status, WNOHANG, &used)) > 0) {
    if (report_exit(n, pid, status, &used) < 0) return -1;
  }
  return 0;
}

static void end_children(nursery *n) {
  for (size_t i = 0; i < n->count; i++) kill(n->children[i].pid, SIGKILL);
  for (size_t i = 0; i < n->count; i++) waitpid(n->children[i].pid, NULL, 0);
  for (size_t i = 0; i < n->count; i++) witness_close(n->children[i].page);
  n->count = 0;
}

/* ── Forking ── */

typedef struct order {
  int64_t memory, cpu_ms;
} order;

static int read_order(const frame *in, order *out, dts_error *e) {
  arena a = {0};
  value v;
  unpack u = {in->payload, in->payload + in->size};
  int bad = unpack_value(&u, &a, &v, e);
  if (!bad) {
    out->memory = value_get_integer(&v, "memory", 0);
    out->cpu_ms = value_get_integer(&v, "cpu_ms", 0);
  }
  arena_free(&a);
  if (!bad && in->fd < 0) bad = error_fail(e, "WIRE", "a fork comes with the run's socket");
  return bad;
}

static void become_worker(nursery *n, int socket, const order *o, pid_t parent, char *page) {
  dts_error e;
  sigset_t none;
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent) _exit(1); /* it died in between */
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, NULL);
  witness_stand(n->script, page);
  if (cage_enter(&n->cage, socket, o->memory, o->cpu_ms, &e) < 0) _exit(2);
  n->script->socket = CAGE_SOCKET;
  _exit(loop_run(n->script));
}

static int answer_fork(nursery *n, uint32_t call, pid_t pid) {
  dts_error e;
  int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  buffer_clear(&n->out);
  pack_map(&n->out, 1);
  add_number(&n->out, "pid", pid);
  int bad = frame_send(n->socket, call, OP_REPLY, &n->out, pidfd, &e);
  if (pidfd >= 0) close(pidfd);
  return bad;
}

static int answer_error(nursery *n, uint32_t call, const dts_error *why) {
  dts_error e;
  buffer_clear(&n->out);
  pack_error(&n->out, why);
  return frame_send(n->socket, call, OP_ERROR, &n->out, -1, &e);
}

static int fork_worker(nursery *n, const frame *in) {
  dts_error e;
  order o = {0};
  if (read_order(in, &o, &e) < 0) return answer_error(n, in->call, &e);
  char *page = witness_open();
  pid_t parent = getpid(), pid = fork();
  if (pid == 0) become_worker(n, in->fd, &o, parent, page);
  if (pid < 0) {
    witness_close(page);
    error_fail(&e, "FORK", "no process for a run: %s", strerror(errno));
    e.retryable = true;
    return answer_error(n, in->call, &e);
  }
  keep_child(n, pid, page);
  return answer_fork(n, in->call, pid);
}

/* ── The loop ── */

/* 1: go on; 0: the engine has closed; -1: broken. */
static int handle_frame(nursery *n) {
  dts_error e;
  frame in;
  int got = frame_receive(n->socket, &n->in, &in, &e);
  if (got <= 0) return got;
  int bad = 0;
  if (in.op == OP_FORK) {
    bad = fork_worker(n, &in);
  } else {
    error_fail(&e, "WIRE", "a nursery only forks; operation %d is not for it", in.op);
    bad = answer_error(n, in.call, &e);
  }
  if (in.fd >= 0) close(in.fd);
  return bad ? -1 : 1;
}

static int loop(nursery *n) {
  struct pollfd waits[] = {{.fd = n->socket, .events = POLLIN},
                           {.fd = n->signals, .events = POLLIN}};
  for (;;) {
    if (poll(waits, 2, -1) < 0) {
      if (errno == EINTR) continue;
      return 1;
    }
    if (waits[1].revents && reap(n) < 0) return 1;
    if (!waits[0].revents) continue;
    int more = handle_frame(n);
    if (more <= 0) return more < 0;
  }
}

static int open_signals(void) {
  sigset_t child;
  sigemptyset(&child);
  sigaddset(&child, SIGCHLD);
  sigprocmask(SIG_BLOCK, &child, NULL);
  return signalfd(-1, &child, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int open_nursery(nursery *n) {
  dts_error e;
  n->signals = open_signals();
  n->script = script_open(false);
  if (n->signals < 0 || !n->script) return log_error("the nursery cannot start"), -1;
  loader_preload(n->script->L);
  lua_gc(n->script->L, LUA_GCCOLLECT);
  script_keep(n->script);
  if (cage_open(&n->cage, &e) < 0) return log_error("the nursery cannot start: %s", e.message), -1;
  return 0;
}

int nursery_run(int socket) {
  nursery n = {.socket = socket, .signals = -1, .cage = {.null_fd = -1}};
  buffer_init(&n.in, FRAME_LIMIT);
  buffer_init(&n.out, FRAME_LIMIT);
  int status = open_nursery(&n) < 0 ? 2 : loop(&n);
  end_children(&n);
  cage_close(&n.cage);
  script_close(n.script);
  buffer_free(&n.in);
  buffer_free(&n.out);
  free(n.children);
  return status;
}
