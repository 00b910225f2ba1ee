/* host.c -- see host.h.
 *
 * SPDX-License-Identifier: MIT */
#include "net/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "net/agenda.h"

#define HOST_KEEP_MS ((int64_t)10 * 60 * 1000)

host *host_find(const fetch *f, const char *name) {
  host *h = f->hosts;
  while (h && strcmp(h->name, name) != 0) h = h->next;
  return h;
}

static bool host_forgettable(const host *h, int64_t now) {
  return !h->users && now - h->used_at > HOST_KEEP_MS && now > h->pause_until &&
         now - h->breaker.until > HOST_KEEP_MS && h->rate.due_us / 1000 < now;
}

static void host_sweep(fetch *f, int64_t now) {
  for (host **p = &f->hosts, *h; (h = *p);) {
    if (!host_forgettable(h, now)) {
      p = &h->next;
      continue;
    }
    *p = h->next;
    free(h);
  }
}

void host_free_all(fetch *f) {
  for (host *h; (h = f->hosts); free(h)) f->hosts = h->next;
}

/* The strictest declaration wins: the lowest count for each unit of time, the fewest at once. */
static void host_tighten(host *h, const fetch_manners *m) {
  if (m->concurrency > 0 && (!h->declared || m->concurrency < h->declared))
    h->slots.limit = h->declared = m->concurrency;
  if (m->rate_count <= 0 || m->rate_ms <= 0) return;
  double mine = h->rate.count > 0 ? (double)h->rate.count / (double)h->rate.period_ms : 0;
  if (mine > 0 && (double)m->rate_count / (double)m->rate_ms >= mine) return;
  int64_t debt = h->rate.due_us;
  rate_set(&h->rate, m->rate_count, m->rate_ms);
  h->rate.due_us = debt;
}

host *host_enter(fetch *f, const char *name, const fetch_manners *m) {
  int64_t now = agenda_now(f);
  host *h = host_find(f, name);
  if (!h) {
    host_sweep(f, now);
    h = memory_alloc(sizeof *h);
    *h = (host){.next = f->hosts, .slots.limit = HOST_CONCURRENCY};
    snprintf(h->name, sizeof h->name, "%s", name);
    f->hosts = h;
  }
  h->users++;
  host_tighten(h, m);
  return h;
}

void host_leave(host *h, int64_t now) {
  h->users--;
  h->used_at = now;
}

host_answer host_admit(host *h, int64_t now, int64_t *wait_ms, uint32_t *ticket) {
  if ((*wait_ms = breaker_wait(&h->breaker, now)) > 0) return HOST_BROKEN;
  if ((*wait_ms = h->pause_until - now) > 0) return HOST_WAIT;
  if (!slots_take(&h->slots)) return HOST_FULL;
  if ((*wait_ms = rate_take(&h->rate, now)) > 0) return slots_give(&h->slots), HOST_WAIT;
  breaker_enter(&h->breaker, now, ticket);
  return HOST_GO;
}

void host_finish(host *h, uint32_t ticket, breaker_result r, int64_t now, double random) {
  slots_give(&h->slots);
  breaker_report(&h->breaker, ticket, r, now, random);
}
