/* call_wait.c -- a call that is answered after a while: a short sleep, a step's pause before its next try.
 *
 * A wait belongs to its run and ends with the run's worker, so that no timer outlives the engine's runs.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>

#include "flow/calls/calls.h"
#include "flow/kernel/parts.h"

struct run_wait {
  run_wait *next;
  call *call;
  loop_timer *timer;
  void (*then)(call *c);
};

static void forget(run_wait *w) {
  run_wait **at = &w->call->run->waits;
  while (*at != w) at = &(*at)->next;
  *at = w->next;
  free(w);
}

static void on_time(void *arg) {
  run_wait *w = arg, over = *w;
  forget(w);
  over.then(over.call);
}

void call_wait(call *c, int64_t ms, void (*then)(call *c)) {
  if (!c->run->worker) return call_drop(c); /* it went while the call was on its way here */
  run_wait *w = memory_alloc(sizeof *w);
  *w = (run_wait){.next = c->run->waits, .call = c, .then = then};
  w->timer = loop_after(kernel_loop(c->run->kernel), ms, on_time, w);
  c->run->waits = w;
}

void call_wait_drop(run *r) {
  while (r->waits) {
    call *c = r->waits->call;
    loop_cancel(kernel_loop(r->kernel), r->waits->timer);
    forget(r->waits);
    call_drop(c);
  }
}
