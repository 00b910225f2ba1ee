/* spare.c -- see spare.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/runs/spare.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flow/kernel/parts.h"

enum { IDLE_MS = 2000 };

typedef struct spare {
  struct spare *next;
  spares *home;
  worker *worker;
  char *file, *version;
  int64_t memory, cpu_ms; /* of its cage */
  loop_timer *idle;
} spare;

struct spares {
  kernel *kernel;
  spare *first;
  size_t room;
};

static void forget(spare *one) {
  spares *s = one->home;
  spare **at = &s->first;
  while (*at != one) at = &(*at)->next;
  *at = one->next;
  loop_cancel(kernel_loop(s->kernel), one->idle);
  free(one->file);
  free(one->version);
  free(one);
}

/* Nobody asked it anything: what it says now is no good sign. */
static void on_frame(void *arg, const frame *in) {
  spare *one = arg;
  if (in->fd >= 0) close(in->fd);
  worker_kill(one->worker);
}

static void on_ended(void *arg, const worker_end *end) {
  (void)end;
  forget(arg);
}

static void on_idle(void *arg) {
  spare *one = arg;
  one->idle = NULL;
  worker_kill(one->worker);
}

/* The one that nobody has asked for the longest leaves: what ran last is what runs again. */
static void keep_to_room(spares *s) {
  size_t waiting = 0;
  spare *oldest = NULL;
  for (spare *one = s->first; one; one = one->next)
    if (one->idle) waiting++, oldest = one;
  if (waiting <= s->room) return;
  loop_cancel(kernel_loop(s->kernel), oldest->idle);
  oldest->idle = NULL;
  worker_kill(oldest->worker);
}

void spares_keep(spares *s, worker *w, const pipeline *p) {
  spare *one = memory_alloc(sizeof *one);
  *one = (spare){.next = s->first, .home = s, .worker = w};
  one->file = memory_text(p->script->file);
  one->version = memory_text(p->script->version);
  one->memory = p->memory;
  one->cpu_ms = p->cpu_ms;
  s->first = one;
  worker_expire(w, 0);
  worker_give(w, &(worker_owner){on_frame, on_ended, one});
  worker_pause(w, false); /* the commit before its end may have held it */
  one->idle = loop_after(kernel_loop(s->kernel), IDLE_MS, on_idle, one);
  keep_to_room(s);
}

static bool fits(const spare *one, const pipeline *p) {
  return one->idle && one->memory == p->memory && one->cpu_ms == p->cpu_ms &&
         strcmp(one->version, p->script->version) == 0 && strcmp(one->file, p->script->file) == 0 &&
         worker_is_well(one->worker);
}

worker *spares_take(spares *s, const pipeline *p, const worker_owner *owner) {
  spare *one = s->first;
  while (one && !fits(one, p)) one = one->next;
  if (!one) return NULL;
  worker *w = one->worker;
  forget(one);
  worker_give(w, owner);
  worker_expire(w, p->time_ms);
  return w;
}

spares *spares_open(kernel *k, size_t room) {
  spares *s = memory_alloc(sizeof *s);
  *s = (spares){.kernel = k, .room = room};
  return s;
}

void spares_close(spares *s) {
  while (s && s->first) forget(s->first);
  free(s);
}
