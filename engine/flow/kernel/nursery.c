/* nursery.c -- see nursery.h.
 *
 * A worker is known by the call of the OP_FORK that asked for it until its pid is known; OP_EXITED names
 * the pid. Killing goes by pidfd, so a pid that was given to another process is never hit.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/kernel/nursery.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"
#include "base/log.h"
#include "wire/pack.h"

/* A worker at its time limit has NOTICE_MS to note its line. TURN_MS: how long the loop listens to one
 * worker that never stops talking before others have their turn. */
enum { NURSERY_SOCKET = 3, NOTICE_MS = 100, TURN_MS = 5 };

/* One that ends sooner is started again later and later; one that does not answer is stuck. */
enum { SHORT_LIFE_MS = 5000, FIRST_WAIT_MS = 100, LONGEST_WAIT_MS = 30000, STUCK_MS = 10000 };

struct worker {
  worker *next;
  nursery *nursery;
  frame_link *link;
  uint32_t call;
  int64_t pid;
  int pidfd;
  loop_timer *timer, *resume;
  worker_owner owner;
  bool timed_out, paused, kill_wanted, broken, exited;
  int watched;    /* as the loop was told last; 0: never */
  worker_end end; /* once exited; told when nobody pauses it */
};

struct nursery {
  loop *loop;
  char *program;
  frame_link *link;
  pid_t pid;
  uint32_t calls;
  worker *workers;
  int64_t started, wait; /* loop_elapsed; ms before the next start, 0 after a long life */
  loop_timer *again, *stuck;
};

static void on_nursery(void *arg, int fd, bool readable, bool writable);
static void on_worker(void *arg, int fd, bool readable, bool writable);
static void read_frames(nursery *n, uint32_t call);

/* ---- starting ---- */

static int spawn(nursery *n, int socket, dts_error *e) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, socket, NURSERY_SOCKET);
  char *const arguments[] = {n->program, NULL}, *const environment[] = {NULL};
  int failed = posix_spawn(&n->pid, n->program, &actions, NULL, arguments, environment);
  posix_spawn_file_actions_destroy(&actions);
  if (!failed) return 0;
  error_fail(e, "WORKER", "%s cannot be started: %s", n->program, strerror(failed));
  return error_hint(e, "dts-worker belongs beside dts; reinstall the package or build again");
}

static int move_up(int fd) { /* above the descriptor that the nursery uses */
  if (fd > NURSERY_SOCKET) return fd;
  int moved = fcntl(fd, F_DUPFD_CLOEXEC, NURSERY_SOCKET + 1);
  close(fd);
  return moved;
}

static int start(nursery *n, dts_error *e) {
  int pair[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
    return error_fail(e, "WORKER", "no socket for dts-worker: %s", strerror(errno));
  pair[1] = move_up(pair[1]);
  if (spawn(n, pair[1], e) < 0) return close(pair[0]), close(pair[1]), -1;
  close(pair[1]);
  n->started = loop_elapsed(n->loop);
  n->link = frame_link_open(pair[0]);
  loop_watch(n->loop, pair[0], true, false, on_nursery, n);
  return 0;
}

nursery *nursery_open(loop *l, const char *program, dts_error *e) {
  nursery *n = memory_alloc(sizeof *n);
  n->loop = l;
  n->program = memory_text(program);
  if (start(n, e) == 0) return n;
  free(n->program);
  free(n);
  return NULL;
}

/* ---- ending ---- */

static void forget(worker *w) {
  nursery *n = w->nursery;
  worker **at = &n->workers;
  while (*at != w) at = &(*at)->next;
  *at = w->next;
  loop_cancel(n->loop, w->timer);
  loop_cancel(n->loop, w->resume);
  if (w->link) {
    loop_watch(n->loop, frame_link_socket(w->link), false, false, NULL, NULL);
    frame_link_close(w->link);
  }
  if (w->pidfd >= 0) close(w->pidfd);
  free(w);
}

static void end_worker(worker *w, worker_end *end) {
  end->timed_out = w->timed_out;
  worker_owner owner = w->owner;
  worker_end told = *end; /* it may lie in the worker */
  forget(w);
  owner.ended(owner.arg, &told);
}

static void lose_all(nursery *n) {
  while (n->workers) end_worker(n->workers, &(worker_end){.lost = true, .signal = SIGKILL});
}

static void stop(nursery *n) {
  loop_cancel(n->loop, n->again);
  loop_cancel(n->loop, n->stuck);
  n->again = n->stuck = NULL;
  if (!n->link) return;
  loop_watch(n->loop, frame_link_socket(n->link), false, false, NULL, NULL);
  frame_link_close(n->link);
  n->link = NULL;
  kill(n->pid, SIGKILL); /* our own child, not yet waited for: the pid is still its */
  waitpid(n->pid, NULL, 0);
}

void nursery_close(nursery *n) {
  if (!n) return;
  while (n->workers) {
    worker_kill(n->workers);
    forget(n->workers);
  }
  stop(n);
  free(n->program);
  free(n);
}

/* ---- what the nursery says ---- */

static worker *by_call(nursery *n, uint32_t call) {
  worker *w = n->workers;
  while (w && w->call != call) w = w->next;
  return w;
}

static worker *by_pid(nursery *n, int64_t pid) {
  worker *w = n->workers;
  while (w && w->pid != pid) w = w->next;
  return w;
}

static void on_forked(nursery *n, const frame *in, const value *reply) {
  worker *w = by_call(n, in->call);
  loop_cancel(n->loop, n->stuck);
  n->stuck = NULL;
  if (!w) {
    if (in->fd >= 0) close(in->fd);
    return;
  }
  w->pid = value_get_integer(reply, "pid", 0);
  w->pidfd = in->fd;
  if (w->kill_wanted) worker_kill(w);
}

static void on_fork_failed(nursery *n, const frame *in, const value *reply) {
  worker *w = by_call(n, in->call);
  log_warn("no worker: %s", value_get_text(reply, "message", "?"));
  if (w) end_worker(w, &(worker_end){.lost = true});
}

static void on_exited(nursery *n, const value *said) {
  worker *w = by_pid(n, value_get_integer(said, "pid", -1));
  if (!w) return;
  w->exited = true;
  w->end = (worker_end){.status = (int)value_get_integer(said, "status", 0),
                        .signal = (int)value_get_integer(said, "signal", 0),
                        .cpu_ms = value_get_integer(said, "cpu_ms", 0),
                        .peak = value_get_integer(said, "peak", 0),
                        .starved = value_get_boolean(said, "starved", false)};
  snprintf(w->end.where, sizeof w->end.where, "%s", value_get_text(said, "where", ""));
  read_frames(n, w->call);
}

static void heard(nursery *n, const frame *in) {
  arena a = {0};
  value said;
  unpack u = {in->payload, in->payload + in->size};
  if (unpack_value(&u, &a, &said, NULL) < 0) said = value_null();
  if (in->op == OP_REPLY)
    on_forked(n, in, &said);
  else if (in->op == OP_ERROR)
    on_fork_failed(n, in, &said);
  else if (in->op == OP_EXITED)
    on_exited(n, &said);
  arena_free(&a);
}

static void start_again(void *arg) {
  nursery *n = arg;
  dts_error e = {0};
  n->again = NULL;
  if (start(n, &e) == 0) return;
  log_error("%s", e.message);
  n->again = loop_after(n->loop, LONGEST_WAIT_MS, start_again, n);
}

static int64_t next_wait(const nursery *n) {
  if (loop_elapsed(n->loop) - n->started >= SHORT_LIFE_MS) return 0;
  if (!n->wait) return FIRST_WAIT_MS;
  return 2 * n->wait < LONGEST_WAIT_MS ? 2 * n->wait : LONGEST_WAIT_MS;
}

static void restart(nursery *n) {
  n->wait = next_wait(n);
  if (n->wait)
    log_warn("dts-worker ended soon after its start; it is started again in %lld ms",
             (long long)n->wait);
  else
    log_warn("dts-worker ended; starting it again");
  stop(n);
  lose_all(n);
  if (n->wait)
    n->again = loop_after(n->loop, n->wait, start_again, n);
  else
    start_again(n);
}

static void on_stuck(void *arg) {
  nursery *n = arg;
  n->stuck = NULL;
  const worker *w = n->workers;
  while (w && w->pid >= 0) w = w->next;
  if (!w) return;
  log_warn("dts-worker has not answered for %d s", STUCK_MS / 1000);
  restart(n);
}

static void on_nursery(void *arg, int fd, bool readable, bool writable) {
  nursery *n = arg;
  frame in;
  dts_error e;
  int got = 2;
  if (writable && frame_link_write(n->link) < 0) return restart(n);
  while (readable && (got = frame_link_read(n->link, &in, &e)) == 1) heard(n, &in);
  if (got == 0 || got == -1) return restart(n);
  loop_watch(n->loop, fd, true, frame_link_pending(n->link) > 0, on_nursery, n);
}

/* ---- workers ---- */

static void watch_worker(worker *w) {
  bool write = frame_link_pending(w->link) > 0, read = !w->paused && !w->broken;
  int watched = 1 + read + 2 * write;
  if (watched == w->watched) return;
  w->watched = watched;
  loop_watch(w->nursery->loop, frame_link_socket(w->link), read, write, on_worker, w);
}

static void on_resume(void *arg) {
  worker *w = arg;
  w->resume = NULL;
  read_frames(w->nursery, w->call);
}

static void go_on_later(worker *w) {
  if (!w->resume) w->resume = loop_after(w->nursery->loop, 0, on_resume, w);
  watch_worker(w);
}

/* All whole frames: the link reads ahead, so the socket need not become readable again. The owner may
 * pause or forget the worker at any of them. */
static void read_frames(nursery *n, uint32_t call) {
  frame in;
  dts_error e;
  worker *w;
  int64_t end = clock_monotonic_ms() + TURN_MS;
  while ((w = by_call(n, call)) && !w->paused && !w->broken) {
    if (clock_monotonic_ms() > end) return go_on_later(w);
    int got = frame_link_read(w->link, &in, &e);
    if (got == 2 && !w->exited) return watch_worker(w);
    if (got == 1) {
      w->owner.frame(w->owner.arg, &in);
      continue;
    }
    w->broken = true; /* OP_EXITED follows, or is made to follow */
    if (got == -1) worker_kill(w);
  }
  if (!w) return;
  if (w->exited && !w->paused)
    end_worker(w, &w->end);
  else
    watch_worker(w);
}

static void on_worker(void *arg, int fd, bool readable, bool writable) {
  worker *w = arg;
  (void)fd;
  if (writable && frame_link_write(w->link) < 0) w->broken = true;
  if (readable)
    read_frames(w->nursery, w->call);
  else
    watch_worker(w);
}

static void on_notice_over(void *arg) {
  worker *w = arg;
  w->timer = NULL;
  worker_kill(w);
}

static void on_time(void *arg) {
  worker *w = arg;
  w->timed_out = true;
  w->timer = loop_after(w->nursery->loop, NOTICE_MS, on_notice_over, w);
  if (w->pidfd >= 0) syscall(SYS_pidfd_send_signal, w->pidfd, SIGUSR1, NULL, 0);
}

static void ask_fork(nursery *n, worker *w, const worker_limits *limits, int socket) {
  buffer b;
  buffer_init(&b, 4096);
  pack_map(&b, limits->cpu_ms ? 2 : 1);
  pack_text(&b, "memory", 6);
  pack_integer(&b, limits->memory);
  if (limits->cpu_ms) {
    pack_text(&b, "cpu_ms", 6);
    pack_integer(&b, limits->cpu_ms);
  }
  frame_link_queue(n->link, w->call, OP_FORK, &b, socket);
  close(socket); /* the link has its own */
  buffer_free(&b);
  if (frame_link_write(n->link) < 0) log_warn("dts-worker does not listen");
  loop_watch(n->loop, frame_link_socket(n->link), true, frame_link_pending(n->link) > 0, on_nursery,
             n);
}

worker *nursery_fork(nursery *n, const worker_limits *limits, const worker_owner *owner,
                     dts_error *e) {
  int pair[2];
  if (!n->link) {
    error_fail(e, "WORKER", "%s has ended, and is being started again", n->program);
    return e->retryable = true, NULL;
  }
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
    return error_fail(e, "WORKER", "no socket for a worker: %s", strerror(errno)), NULL;
  worker *w = memory_alloc(sizeof *w);
  *w = (worker){.next = n->workers, .nursery = n, .call = ++n->calls, .pid = -1, .pidfd = -1};
  w->owner = *owner;
  w->link = frame_link_open(pair[0]);
  n->workers = w;
  ask_fork(n, w, limits, pair[1]);
  worker_expire(w, limits->time_ms);
  watch_worker(w);
  if (!n->stuck) n->stuck = loop_after(n->loop, STUCK_MS, on_stuck, n);
  return w;
}

bool nursery_is_well(const nursery *n) { return n->link != NULL; }

bool worker_send(worker *w, uint32_t call, wire_op op, const buffer *payload, int fd) {
  bool fits = w->broken || frame_link_queue(w->link, call, (uint8_t)op, payload, fd) == 0;
  if (fd >= 0) close(fd); /* the link has its own */
  if (w->broken) return true;
  if (!fits || frame_link_write(w->link) < 0) w->broken = true;
  if (!fits) worker_kill(w); /* it would wait for ever */
  watch_worker(w);
  return fits;
}

void worker_pause(worker *w, bool paused) {
  if (w->paused == paused) return;
  w->paused = paused;
  if (paused)
    watch_worker(w);
  else
    go_on_later(w);
}

void worker_expire(worker *w, int64_t time_ms) {
  loop_cancel(w->nursery->loop, w->timer);
  w->timer = time_ms > 0 ? loop_after(w->nursery->loop, time_ms, on_time, w) : NULL;
}

void worker_give(worker *w, const worker_owner *owner) { w->owner = *owner; }

bool worker_is_well(const worker *w) {
  return w->pidfd >= 0 && !w->broken && !w->exited && !w->kill_wanted && !w->timed_out;
}

void worker_kill(worker *w) {
  w->kill_wanted = true;
  if (w->pidfd >= 0) syscall(SYS_pidfd_send_signal, w->pidfd, SIGKILL, NULL, 0);
}
