/* loop.c -- see loop.h. epoll, two timer heaps behind timerfds, an eventfd for posts.
 *
 * Timer heaps are arrays ordered by time and then by age, so that equal times fire in the order they
 * were set. With no timer due the loop does not wake at all.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/kernel/loop.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/clock.h"

enum { POOL_THREADS = 4, EVENTS = 64 };

struct loop_timer {
  int64_t at;
  uint64_t age;
  size_t place; /* in its heap */
  struct heap *heap;
  loop_fn *fn;
  void *arg;
};

typedef struct heap {
  loop_timer **timers;
  size_t count, capacity;
  int fd; /* timerfd, or -1 on a virtual loop's wall clock */
  int clock;
  int64_t shift; /* what this clock is ahead of the system's */
} heap;

typedef struct watched {
  int fd;
  bool read, write;
  loop_io *ready;
  void *arg;
} watched;

typedef struct post {
  struct post *next;
  loop_fn *fn, *then; /* then: deferred work, to be posted when fn has run on the pool */
  void *arg;
} post;

typedef struct queue {
  post *first, **last;
  pthread_mutex_t lock;
  pthread_cond_t filled;
  bool closed;
} queue;

struct loop {
  int epoll, wake;
  heap elapsed, wall;
  uint64_t ages;
  watched *watched; /* by descriptor */
  size_t watched_count;
  queue posts, work;
  pthread_t pool[POOL_THREADS]; /* each begins when it is first of use */
  atomic_int pool_count;
  atomic_int pending; /* posts and deferred work not finished */
  atomic_bool stopping;
  bool is_virtual;
  _Atomic int64_t virtual_now;
};

/* ---- queues ---- */

static void queue_open(queue *q) {
  *q = (queue){0};
  q->last = &q->first;
  pthread_mutex_init(&q->lock, NULL);
  pthread_cond_init(&q->filled, NULL);
}

static void queue_put(queue *q, post *p) {
  p->next = NULL;
  pthread_mutex_lock(&q->lock);
  *q->last = p;
  q->last = &p->next;
  pthread_cond_signal(&q->filled);
  pthread_mutex_unlock(&q->lock);
}

static post *queue_take(queue *q, bool wait) {
  pthread_mutex_lock(&q->lock);
  while (wait && !q->first && !q->closed) pthread_cond_wait(&q->filled, &q->lock);
  post *p = q->first;
  if (p && !(q->first = p->next)) q->last = &q->first;
  pthread_mutex_unlock(&q->lock);
  return p;
}

static void queue_close(queue *q) {
  pthread_mutex_lock(&q->lock);
  q->closed = true;
  pthread_cond_broadcast(&q->filled);
  pthread_mutex_unlock(&q->lock);
}

static void queue_free(queue *q) {
  for (post *p; (p = queue_take(q, false));) free(p);
  pthread_mutex_destroy(&q->lock);
  pthread_cond_destroy(&q->filled);
}

static post *new_post(loop *l, loop_fn *fn, loop_fn *then, void *arg) {
  post *p = memory_alloc(sizeof *p);
  *p = (post){.fn = fn, .then = then, .arg = arg};
  atomic_fetch_add(&l->pending, 1);
  return p;
}

static void wake(loop *l) {
  uint64_t one = 1;
  ssize_t written = write(l->wake, &one, sizeof one); /* full means awake already */
  (void)written;
}

void loop_post(loop *l, loop_fn *fn, void *arg) {
  queue_put(&l->posts, new_post(l, fn, NULL, arg));
  wake(l);
}

static void *pool_main(void *arg) {
  loop *l = arg;
  for (post *p; (p = queue_take(&l->work, true));) {
    p->fn(p->arg);
    p->fn = p->then;
    queue_put(&l->posts, p);
    wake(l);
  }
  return NULL;
}

void loop_defer(loop *l, loop_fn *work, loop_fn *then, void *arg) {
  int count = atomic_load(&l->pool_count);
  queue_put(&l->work, new_post(l, work, then, arg));
  if (count < POOL_THREADS && atomic_compare_exchange_strong(&l->pool_count, &count, count + 1))
    pthread_create(&l->pool[count], NULL, pool_main, l);
}

/* ---- timers ---- */

static bool earlier(const loop_timer *a, const loop_timer *b) {
  return a->at < b->at || (a->at == b->at && a->age < b->age);
}

static void place(heap *h, size_t i, loop_timer *t) {
  h->timers[i] = t;
  t->place = i;
}

static void sift_up(heap *h, size_t i, loop_timer *t) {
  for (; i > 0 && earlier(t, h->timers[(i - 1) / 2]); i = (i - 1) / 2)
    place(h, i, h->timers[(i - 1) / 2]);
  place(h, i, t);
}

static void sift_down(heap *h, size_t i, loop_timer *t) {
  for (size_t child; (child = 2 * i + 1) < h->count; i = child) {
    if (child + 1 < h->count && earlier(h->timers[child + 1], h->timers[child])) child++;
    if (!earlier(h->timers[child], t)) break;
    place(h, i, h->timers[child]);
  }
  place(h, i, t);
}

static void arm(heap *h) {
  if (h->fd < 0) return;
  struct itimerspec when = {0};
  if (h->count) {
    int64_t real = h->timers[0]->at - h->shift, at = real > 0 ? real : 1;
    when.it_value = (struct timespec){at / 1000, at % 1000 * 1000000};
    if (!when.it_value.tv_sec && !when.it_value.tv_nsec) when.it_value.tv_nsec = 1;
  }
  int flags = TFD_TIMER_ABSTIME | (h->clock == CLOCK_REALTIME ? TFD_TIMER_CANCEL_ON_SET : 0);
  timerfd_settime(h->fd, flags, &when, NULL);
}

static loop_timer *add_timer(loop *l, heap *h, int64_t at, loop_fn *fn, void *arg) {
  loop_timer *t = memory_alloc(sizeof *t);
  *t = (loop_timer){.at = at, .age = l->ages++, .heap = h, .fn = fn, .arg = arg};
  if (h->count == h->capacity) {
    h->capacity = h->capacity ? 2 * h->capacity : 16;
    h->timers = memory_grow(h->timers, h->capacity * sizeof *h->timers);
  }
  sift_up(h, h->count++, t);
  if (t->place == 0) arm(h);
  return t;
}

static void remove_timer(heap *h, loop_timer *t) {
  size_t i = t->place;
  loop_timer *moved = h->timers[--h->count];
  if (moved == t) return;
  if (i > 0 && earlier(moved, h->timers[(i - 1) / 2]))
    sift_up(h, i, moved);
  else
    sift_down(h, i, moved);
}

loop_timer *loop_after(loop *l, int64_t ms, loop_fn *fn, void *arg) {
  return add_timer(l, &l->elapsed, clock_monotonic_ms() + (ms > 0 ? ms : 0), fn, arg);
}

loop_timer *loop_at(loop *l, int64_t now_ms, loop_fn *fn, void *arg) {
  return add_timer(l, &l->wall, now_ms, fn, arg);
}

void loop_cancel(loop *l, loop_timer *t) {
  (void)l;
  if (!t) return;
  heap *h = t->heap;
  bool first = t->place == 0;
  remove_timer(h, t);
  free(t);
  if (first) arm(h);
}

static bool fire_first(heap *h, int64_t now) {
  if (!h->count || h->timers[0]->at > now) return false;
  loop_timer *t = h->timers[0];
  remove_timer(h, t);
  loop_fn *fn = t->fn;
  void *arg = t->arg;
  free(t);
  fn(arg);
  return true;
}

static void fire_due(heap *h, int64_t now) {
  uint64_t expirations;
  ssize_t got = read(h->fd, &expirations, sizeof expirations); /* ECANCELED: the clock was set */
  (void)got;
  while (fire_first(h, now)) {
  }
  arm(h);
}

bool loop_advance(loop *l, int64_t until_ms) {
  heap *h = &l->wall;
  bool due = h->count && h->timers[0]->at <= until_ms;
  int64_t now = due ? h->timers[0]->at : until_ms;
  if (now > atomic_load(&l->virtual_now)) atomic_store(&l->virtual_now, now);
  return due && fire_first(h, atomic_load(&l->virtual_now));
}

void loop_skip(loop *l, int64_t ms) { atomic_fetch_add(&l->virtual_now, ms); }

/* ---- the loop ---- */

int64_t loop_now(const loop *l) {
  if (!l->is_virtual) return clock_now_ms() + l->wall.shift;
  return atomic_load(&((loop *)(uintptr_t)l)->virtual_now);
}

int64_t loop_elapsed(const loop *l) {
  (void)l;
  return clock_monotonic_ms();
}

static void add_own(loop *l, int fd) {
  if (fd < 0) return;
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &event);
}

loop *loop_open(bool is_virtual, int64_t now_ms) {
  loop *l = memory_alloc(sizeof *l);
  l->epoll = epoll_create1(EPOLL_CLOEXEC);
  l->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  l->is_virtual = is_virtual;
  atomic_init(&l->virtual_now, now_ms);
  l->elapsed.clock = CLOCK_MONOTONIC;
  l->elapsed.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
  l->wall.clock = CLOCK_REALTIME;
  l->wall.shift = now_ms && !is_virtual ? now_ms - clock_now_ms() : 0;
  l->wall.fd = is_virtual ? -1 : timerfd_create(CLOCK_REALTIME, TFD_CLOEXEC | TFD_NONBLOCK);
  add_own(l, l->wake);
  add_own(l, l->elapsed.fd);
  add_own(l, l->wall.fd);
  queue_open(&l->posts);
  queue_open(&l->work);
  return l;
}

static void free_heap(heap *h) {
  for (size_t i = 0; i < h->count; i++) free(h->timers[i]);
  free(h->timers);
  if (h->fd >= 0) close(h->fd);
}

void loop_close(loop *l) {
  if (!l) return;
  queue_close(&l->work);
  for (int i = 0; i < atomic_load(&l->pool_count); i++) pthread_join(l->pool[i], NULL);
  queue_free(&l->work);
  queue_free(&l->posts);
  free_heap(&l->elapsed);
  free_heap(&l->wall);
  free(l->watched);
  close(l->wake);
  close(l->epoll);
  free(l);
}

static void make_room(loop *l, int fd) {
  if ((size_t)fd < l->watched_count) return;
  size_t count = (size_t)fd + 64;
  l->watched = memory_grow(l->watched, count * sizeof *l->watched);
  memset(l->watched + l->watched_count, 0, (count - l->watched_count) * sizeof *l->watched);
  l->watched_count = count;
}

void loop_watch(loop *l, int fd, bool read, bool write, loop_io *ready, void *arg) {
  make_room(l, fd);
  watched *w = &l->watched[fd];
  bool was = w->ready != NULL;
  if (!read && !write) {
    *w = (watched){0};
    if (was) epoll_ctl(l->epoll, EPOLL_CTL_DEL, fd, NULL);
    return;
  }
  *w = (watched){fd, read, write, ready, arg};
  struct epoll_event event = {.data.fd = fd};
  event.events = (read ? (uint32_t)EPOLLIN : 0) | (write ? (uint32_t)EPOLLOUT : 0);
  if (epoll_ctl(l->epoll, was ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) < 0 && was)
    epoll_ctl(l->epoll, EPOLL_CTL_ADD, fd, &event); /* it was closed and opened anew meanwhile */
}

static void run_posts(loop *l) {
  uint64_t count;
  ssize_t got = read(l->wake, &count, sizeof count);
  (void)got;
  for (post *p; (p = queue_take(&l->posts, false));) {
    p->fn(p->arg);
    free(p);
    atomic_fetch_sub(&l->pending, 1);
  }
}

static void dispatch(loop *l, const struct epoll_event *event) {
  int fd = event->data.fd;
  if (fd == l->wake) return run_posts(l);
  if (fd == l->elapsed.fd) return fire_due(&l->elapsed, clock_monotonic_ms());
  if (fd == l->wall.fd) return fire_due(&l->wall, loop_now(l));
  if ((size_t)fd >= l->watched_count || !l->watched[fd].ready) return; /* forgotten this round */
  watched w = l->watched[fd];
  bool failed = event->events & (EPOLLERR | EPOLLHUP);
  bool readable = (event->events & EPOLLIN) || failed;
  bool writable = (event->events & EPOLLOUT) || (failed && w.write);
  w.ready(w.arg, fd, readable && w.read, writable && w.write);
}

void loop_turn(loop *l, int64_t timeout_ms) {
  struct epoll_event events[EVENTS];
  int wait = timeout_ms < 0 ? -1 : timeout_ms > 60000 ? 60000 : (int)timeout_ms;
  int count = epoll_wait(l->epoll, events, EVENTS, wait);
  for (int i = 0; i < count; i++) dispatch(l, &events[i]);
}

void loop_run(loop *l) {
  while (!atomic_load(&l->stopping)) loop_turn(l, -1);
  atomic_store(&l->stopping, false);
}

void loop_stop(loop *l) {
  atomic_store(&l->stopping, true);
  wake(l);
}

bool loop_busy(const loop *l) { return atomic_load(&((loop *)(uintptr_t)l)->pending) > 0; }
