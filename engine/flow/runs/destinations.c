/* destinations.c -- nothing is leased for a destination whose breaker is open: its run could only be deferred.
 *
 * A pipeline's destinations are the sources that it may ask, those of its file among them, once a run of it
 * has asked anything. While one of them answers there is work to do, so that all of them must be broken
 * before its jobs wait. A job by hand never waits: its run says at once what is broken.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "flow/runs/runner_parts.h"
#include "format/json.h"

typedef struct asker { /* a pipeline that has made requests since the engine began */
  struct asker *next;
  char *name;
} asker;

static bool asks(const runner *r, const char *name) {
  const asker *a = r->askers;
  while (a && strcmp(a->name, name) != 0) a = a->next;
  return a != NULL;
}

void destinations_learn(runner *r, const run *n) {
  if (!n->requests || asks(r, n->pipeline->name)) return;
  asker *a = memory_alloc(sizeof *a);
  *a = (asker){r->askers, memory_text(n->pipeline->name)};
  r->askers = a;
}

void destinations_close(runner *r) {
  for (asker *a = r->askers, *next; a; a = next) {
    next = a->next;
    free(a->name);
    free(a);
  }
}

/* How long until one of its sources may be asked again; 0: now, or it has none. */
static int64_t wait_of(fetch *f, const registry *set, const pipeline *p) {
  int64_t least = 0;
  if (p->hosts->list.count) return 0;
  for (size_t i = 0; i < p->sources->list.count; i++) {
    const source *s = registry_source(set, p->sources->list.items[i].text.bytes);
    int64_t wait = s && s->url ? fetch_breaker_wait(f, s->url) : 0;
    if (!wait) return 0;
    if (!least || wait < least) least = wait;
  }
  return least;
}

static void on_mended(void *arg) {
  runner *r = arg;
  r->mended = NULL;
  runner_wake(r);
}

const char *destinations_broken(runner *r, const registry *set, arena *a) {
  loop *l = kernel_loop(r->kernel);
  fetch *f = kernel_fetch(r->kernel);
  value names = value_list();
  int64_t first = 0;
  loop_cancel(l, r->mended);
  r->mended = NULL;
  for (size_t i = 0; f && i < set->pipeline_count; i++) {
    const pipeline *p = &set->pipelines[i];
    int64_t wait = asks(r, p->name) ? wait_of(f, set, p) : 0;
    if (!wait) continue;
    value_add(a, &names, value_text(p->name));
    if (!first || wait < first) first = wait;
  }
  if (!names.list.count) return NULL;
  r->mended = loop_after(l, first + 1, on_mended, r);
  buffer b;
  buffer_init(&b, 1 << 20);
  json_write(&b, &names);
  const char *text = arena_text(a, buffer_text(&b));
  buffer_free(&b);
  return text;
}
