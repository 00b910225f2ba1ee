/* agenda.c -- see agenda.h. After each call from the loop: collect what curl finished, end what is
 * past its deadline, begin what may go, tell who asked, and set the one timer.
 *
 * SPDX-License-Identifier: MIT */
#include "net/agenda.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "net/guard.h"
#include "net/host.h"

int64_t agenda_now(const fetch *f) { return f->loop.now(f->loop.arg); }

/* The loop's timer is set anew only to come earlier: a tick too early finds nothing to do and sets it
 * again, which costs less than setting it for each request. */
static void agenda_wake(fetch *f, int64_t at) {
  int64_t now = agenda_now(f);
  if (at >= f->woken) return;
  f->woken = at;
  f->loop.wake(f->loop.arg, at > now ? at - now : 0);
}

static void list_add(task_list *l, task *t) {
  t->next = NULL;
  t->previous = l->last;
  *(l->last ? &l->last->next : &l->first) = t;
  l->last = t;
}

static void list_remove(task_list *l, task *t) {
  *(t->previous ? &t->previous->next : &l->first) = t->next;
  *(t->next ? &t->next->previous : &l->last) = t->previous;
}

/* curl's two callbacks: which descriptors to watch, and when to be called. */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *arg, void *mark) {
  (void)easy, (void)mark;
  fetch *f = arg;
  sockets_want(&f->sockets, &f->loop, fd, what);
  return 0;
}

static int on_timer(CURLM *multi, long ms, void *arg) {
  (void)multi;
  fetch *f = arg;
  f->curl_due = ms < 0 ? AGENDA_NEVER : agenda_now(f) + ms;
  return 0;
}

static void agenda_open(fetch *f) {
  curl_global_init(CURL_GLOBAL_DEFAULT);
  f->multi = curl_multi_init();
  curl_multi_setopt(f->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(f->multi, CURLMOPT_SOCKETDATA, f);
  curl_multi_setopt(f->multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(f->multi, CURLMOPT_TIMERDATA, f);
  curl_multi_setopt(f->multi, CURLMOPT_MAXCONNECTS, 256L); /* kept open when idle */
}

/* The guard, on each socket that is opened and again before each use of a kept connection: one that
 * was opened with a permit must not serve a request without it. */
static const char *task_refusal(const task *t, const char *what) {
  if (t->reach == REACH_ANY || !what) return t->reach == REACH_LOOPBACK ? "not loopback" : NULL;
  if (t->reach == REACH_LOCAL && guard_is_local(what)) return NULL;
  return t->reach == REACH_LOOPBACK && !strcmp(what, "loopback") ? NULL : what;
}

static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *a) {
  task *t = arg;
  const char *refusal = task_refusal(t, guard_special(&a->addr));
  if (purpose != CURLSOCKTYPE_IPCXN) refusal = "not a connection";
  if (refusal) {
    snprintf(t->refused, sizeof t->refused, "%s", refusal);
    return CURL_SOCKET_BAD;
  }
  t->connected = true;
  int fd = socket(a->family, a->socktype | SOCK_CLOEXEC, a->protocol);
  sockets_opened(&t->fetch->sockets, fd);
  return fd;
}

static int on_close(void *arg, curl_socket_t fd) {
  fetch *f = arg;
  sockets_close(&f->sockets, &f->loop, fd);
  return 0;
}

static int on_use(void *arg, char *peer, char *own, int peer_port, int own_port) {
  (void)own, (void)peer_port, (void)own_port;
  task *t = arg;
  const char *refusal = task_refusal(t, guard_special_text(peer));
  if (!refusal) return CURL_PREREQFUNC_OK;
  snprintf(t->refused, sizeof t->refused, "%s", refusal);
  t->connected = false;
  return CURL_PREREQFUNC_ABORT;
}

/* CURLOPT_QUICK_EXIT: a look-up that hangs must not hold up the loop when its task is ended. */
static void task_common(fetch *f, task *t) {
  curl_easy_setopt(t->easy, CURLOPT_PRIVATE, t);
  curl_easy_setopt(t->easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(t->easy, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(t->easy, CURLOPT_PROXY, "");
  curl_easy_setopt(t->easy, CURLOPT_ERRORBUFFER, t->detail);
  curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETFUNCTION, on_open);
  curl_easy_setopt(t->easy, CURLOPT_OPENSOCKETDATA, t);
  curl_easy_setopt(t->easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
  curl_easy_setopt(t->easy, CURLOPT_CLOSESOCKETDATA, f);
  curl_easy_setopt(t->easy, CURLOPT_PREREQFUNCTION, on_use);
  curl_easy_setopt(t->easy, CURLOPT_PREREQDATA, t);
  if (!f->trust.size) return;
  struct curl_blob own = {f->trust.data, f->trust.size, CURL_BLOB_NOCOPY};
  curl_easy_setopt(t->easy, CURLOPT_CAINFO_BLOB, &own); /* instead of the file, beside the folder */
  curl_easy_setopt(t->easy, CURLOPT_CAPATH, "/etc/ssl/certs");
}

enum { CONNECT_MS = 10 * 1000, STALL_BYTES = 10 };

static long within(int64_t n, int64_t low, int64_t high) {
  return (long)(n < low ? low : n > high ? high : n);
}

/* The time to connect is shared out among a name's addresses. */
static void task_pace(task *t, int64_t left_ms) {
  int64_t connect = t->connect_ms > 0 ? t->connect_ms : CONNECT_MS;
  if (connect > left_ms) connect = left_ms;
  curl_easy_setopt(t->easy, CURLOPT_CONNECTTIMEOUT_MS, within(connect, 1, 300000));
  if (t->stall_ms <= 0) return;
  curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_LIMIT, (long)STALL_BYTES);
  curl_easy_setopt(t->easy, CURLOPT_LOW_SPEED_TIME, within((t->stall_ms + 999) / 1000, 1, 86400));
}

/* A handle brings its buffers along, which is most of what a new one costs. */
CURL *task_easy(fetch *f) { return f->spare_count ? f->spare[--f->spare_count] : curl_easy_init(); }

static void task_spare(fetch *f, CURL *easy) {
  if (f->spare_count == AGENDA_SPARE) {
    curl_easy_cleanup(easy);
    return;
  }
  curl_easy_reset(easy);
  f->spare[f->spare_count++] = easy;
}

void task_run(fetch *f, task *t, CURL *easy, int64_t deadline) {
  t->easy = easy;
  t->fetch = f;
  t->state = TASK_RUNNING;
  t->due = deadline;
  t->refused[0] = t->detail[0] = 0;
  t->connected = false;
  task_common(f, t);
  task_pace(t, deadline - agenda_now(f));
  curl_multi_add_handle(f->multi, easy);
}

static void task_stop(fetch *f, task *t) {
  if (!t->easy) return;
  curl_multi_remove_handle(f->multi, t->easy);
  curl_easy_cleanup(t->easy);
  t->easy = NULL;
  f->changed = true;
}

void task_wait(task *t, int64_t until) {
  t->state = TASK_WAITING;
  t->due = until;
}

void task_end(fetch *f, task *t) {
  t->state = TASK_ENDED;
  list_remove(&f->tasks, t);
  list_add(&f->ended, t);
  f->changed = true;
}

/* The kind looks at its easy handle before it goes. */
static void task_over(fetch *f, task *t, CURLcode code) {
  CURL *easy = t->easy;
  curl_multi_remove_handle(f->multi, easy);
  t->kind->ended(f, t, code);
  if (t->easy == easy) t->easy = NULL;
  if (code == CURLE_OK)
    task_spare(f, easy);
  else
    curl_easy_cleanup(easy);
  f->changed = true;
}

static bool agenda_collect(fetch *f) {
  int left;
  bool any = false;
  CURLMsg *message;
  while (f->multi && (message = curl_multi_info_read(f->multi, &left))) {
    task *t = NULL;
    CURLcode code = message->data.result;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &t);
    if (message->msg == CURLMSG_DONE) task_over(f, t, code), any = true;
  }
  return any;
}

static void agenda_begin(fetch *f) {
  int64_t now = agenda_now(f);
  bool changed = f->changed;
  f->changed = false;
  if (f->tasks.first && !f->multi) agenda_open(f);
  for (task *t = f->tasks.first, *next; t; t = next) {
    next = t->next;
    if (t->state == TASK_RUNNING && t->due <= now)
      task_over(f, t, CURLE_OPERATION_TIMEDOUT);
    else if (t->state == TASK_WAITING && (t->due <= now || (changed && t->due == AGENDA_NEVER)))
      t->kind->begin(f, t);
  }
}

static void agenda_deliver(fetch *f) {
  task *stop = f->ended.last; /* those that end meanwhile wait for the next round */
  for (task *t; (t = f->ended.first);) {
    list_remove(&f->ended, t);
    t->kind->deliver(f, t);
    t->kind->release(f, t);
    if (t == stop) break;
  }
}

static void agenda_rearm(fetch *f) {
  int64_t due = f->curl_due, now = agenda_now(f);
  for (task *t = f->tasks.first; t; t = t->next)
    if (t->due < due) due = t->due;
  if (f->changed || f->ended.first) due = now;
  agenda_wake(f, due);
}

void agenda_advance(fetch *f) {
  if (f->inside) return;
  f->inside = true;
  agenda_collect(f);
  agenda_begin(f);
  agenda_deliver(f);
  f->inside = false;
  agenda_rearm(f);
}

uint64_t agenda_add(fetch *f, task *t, const task_kind *kind) {
  t->id = ++f->last_id;
  t->kind = kind;
  task_wait(t, agenda_now(f));
  list_add(&f->tasks, t);
  if (!f->inside) agenda_wake(f, agenda_now(f));
  return t->id;
}

fetch *fetch_open(const fetch_loop *loop) {
  fetch *f = memory_alloc(sizeof *f);
  *f = (fetch){.loop = *loop, .curl_due = AGENDA_NEVER, .woken = AGENDA_NEVER};
  buffer_init(&f->trust, 4 << 20);
  return f;
}

/* curl asks to be called once for each timeout that it sets. One that comes early by curl's own
 * clock would be lost, so its wish is read again afterwards. */
static void curl_call(fetch *f, curl_socket_t fd, int what) {
  int running;
  long ms = -1;
  curl_multi_socket_action(f->multi, fd, what, &running);
  if (fd != CURL_SOCKET_TIMEOUT || curl_multi_timeout(f->multi, &ms) != CURLM_OK) return;
  f->curl_due = ms < 0 ? AGENDA_NEVER : agenda_now(f) + (ms ? ms : 1);
}

void fetch_ready(fetch *f, int fd, bool read, bool write) {
  if (!f->multi || !sockets_ready(&f->sockets, &f->loop, fd)) return;
  int64_t due = f->curl_due;
  curl_call(f, fd, (read ? CURL_CSELECT_IN : 0) | (write ? CURL_CSELECT_OUT : 0));
  if (agenda_collect(f) || f->curl_due != due) agenda_advance(f);
}

void fetch_tick(fetch *f) {
  f->woken = AGENDA_NEVER;
  if (f->multi && f->curl_due <= agenda_now(f)) curl_call(f, CURL_SOCKET_TIMEOUT, 0);
  agenda_advance(f);
}

static bool list_cancel(fetch *f, task_list *l, uint64_t id) {
  task *t = l->first;
  while (t && t->id != id) t = t->next;
  if (!t) return false;
  task_stop(f, t);
  list_remove(l, t);
  t->kind->release(f, t);
  f->changed = true;
  if (!f->inside) agenda_wake(f, agenda_now(f));
  return true;
}

void fetch_cancel(fetch *f, uint64_t id) {
  if (!list_cancel(f, &f->tasks, id)) list_cancel(f, &f->ended, id);
}

void fetch_close(fetch *f) {
  if (!f) return;
  f->inside = true;
  for (task *t; (t = f->tasks.first ? f->tasks.first : f->ended.first);) {
    bool told = t->state == TASK_ENDED;
    list_remove(told ? &f->ended : &f->tasks, t);
    task_stop(f, t);
    if (!told) error_fail(&t->error, "CANCELLED", "given up: the engine is stopping");
    t->kind->deliver(f, t);
    t->kind->release(f, t);
  }
  while (f->spare_count) curl_easy_cleanup(f->spare[--f->spare_count]);
  curl_multi_cleanup(f->multi);
  sockets_free(&f->sockets);
  host_free_all(f);
  buffer_free(&f->trust);
  free(f);
}
