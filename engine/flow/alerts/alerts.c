/* alerts.c -- the alerts of the set in force, and when each is looked at (alerts.h).
 *
 * SPDX-License-Identifier: MIT */
#include "flow/alerts/alerts.h"

#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "flow/alerts/alert_reach.h"
#include "flow/alerts/alerts_parts.h"
#include "flow/kernel/parts.h"
#include "format/json.h"

enum { FIRST_LOOK_MS = 60 * 1000, EVERY_MS = 600 * 1000 };

/* ---- timers ---- */

static void on_time(void *arg) {
  alert *x = arg;
  x->timer = NULL;
  alert_look(x);
  if (!x->look) alert_schedule(x);
}

void alert_schedule(alert *x) {
  kernel *k = x->owner->kernel;
  if (x->timer) return;
  x->timer = loop_at(kernel_loop(k), loop_now(kernel_loop(k)) + x->every_ms, on_time, x);
}

/* ---- a set's alerts ---- */

static void add_alert(alerts *s, const alert *made) {
  alert *x = arena_alloc(&s->memory, sizeof *x);
  kernel *k = s->kernel;
  *x = *made;
  x->owner = s;
  x->next = s->first;
  s->first = x;
  int64_t wait = x->every_ms < FIRST_LOOK_MS ? x->every_ms : FIRST_LOOK_MS;
  x->timer = loop_at(kernel_loop(k), loop_now(kernel_loop(k)) + wait, on_time, x);
}

static void add_declared(alerts *s, const value *d) {
  const alert x = {.name = value_get_text(d, "name", "?"),
                   .when = value_get_text(d, "when", ""),
                   .message = value_get_text(d, "message", NULL),
                   .every_ms = value_get_integer(d, "every_ms", EVERY_MS),
                   .hold_ms = value_get_integer(d, "hold_ms", 0),
                   .remind_ms = value_get_integer(d, "remind_ms", 0),
                   .to = value_copy(&s->memory, alert_addresses(s->kernel, d))};
  add_alert(s, &x);
}

static void add_builtins(alerts *s) {
  size_t count;
  const alert_builtin *all = alert_builtins(&count);
  if (!value_get(kernel_config(s->kernel), "alerts")) return;
  for (size_t i = 0; i < count; i++) {
    if (registry_find(&s->set->alerts, all[i].name)) continue;
    const alert x = {.name = all[i].name,
                     .when = all[i].when,
                     .message = all[i].message,
                     .builtin = &all[i],
                     .every_ms = all[i].every_ms,
                     .hold_ms = all[i].hold_ms,
                     .remind_ms = all[i].remind_ms,
                     .to = value_copy(&s->memory, alert_addresses(s->kernel, NULL))};
    add_alert(s, &x);
  }
}

/* ---- alerts that are there no longer ---- */

typedef struct naming {
  arena memory;
  value names;
} naming;

static int forget_faults(store_conn *c, void *arg, dts_error *e) {
  naming *n = arg;
  buffer b;
  buffer_init(&b, 1 << 20);
  json_write(&b, &n->names);
  value list = value_text(buffer_text(&b));
  int rc = store_exec(
      c, "delete from dts_alert_fault where name not in (select value from json_each(?1))", &list,
      1, e);
  buffer_free(&b);
  return rc;
}

static void forgotten(void *arg, int result, const dts_error *e) {
  naming *n = arg;
  if (result < 0) log_warn("faults of alerts that are gone could not be removed: %s", e->message);
  arena_free(&n->memory);
  free(n);
}

static void forget_others(alerts *s) {
  naming *n = memory_alloc(sizeof *n);
  n->names = value_list();
  for (const alert *x = s->first; x; x = x->next)
    value_add(&n->memory, &n->names, value_text(arena_text(&n->memory, x->name)));
  kernel_write(s->kernel, forget_faults, forgotten, n);
}

/* ---- sets that follow each other ---- */

static void cancel_timers(alerts *s) {
  for (alert *x = s->first; x; x = x->next) {
    if (x->timer) loop_cancel(kernel_loop(s->kernel), x->timer);
    x->timer = NULL;
  }
}

static void free_one(alerts *s) {
  registry_release(s->set);
  arena_free(&s->memory);
  free(s);
}

void alerts_free_when_done(alerts *s) {
  if (s->looks) return;
  alerts **at = &s->current->replaced;
  while (*at != s) at = &(*at)->replaced;
  *at = s->replaced;
  free_one(s);
}

/* What is under way ends on the set that it began with, apart from the new one's timers. */
static void set_aside(alerts *s) {
  alerts *old = memory_alloc(sizeof *old);
  *old = *s;
  for (alert *x = old->first; x; x = x->next) {
    x->owner = old;
    if (x->look) x->look->owner = old;
  }
  old->current = s;
  s->replaced = old;
  s->first = NULL;
  s->set = NULL;
  s->memory = (arena){0};
  s->looks = 0;
  alerts_free_when_done(old);
}

/* After a reload the alerts of the new set are looked at; not before alerts_start. */
static void on_event(void *arg, int op, const value *event) {
  alerts *s = arg;
  if (op != 0 || !s->set || strcmp(value_get_text(event, "name", ""), "reload") != 0) return;
  const registry *current = kernel_current(s->kernel);
  if (current && current != s->set) alerts_start(s, current);
}

alerts *alerts_open(kernel *k) {
  alerts *s = memory_alloc(sizeof *s);
  s->kernel = k;
  s->listening = kernel_listen(k, on_event, s);
  return s;
}

void alerts_start(alerts *s, const registry *set) {
  cancel_timers(s);
  if (s->set) set_aside(s);
  s->set = registry_hold((registry *)(uintptr_t)set);
  for (size_t i = 0; i < set->alerts.list.count; i++) add_declared(s, &set->alerts.list.items[i]);
  add_builtins(s);
  forget_others(s);
}

/* Nothing is being asked or written any more; what is being sent is given up, and sent again when
 * the engine next starts. */
static void give_up(alerts *s) {
  for (alert *x = s->first; x; x = x->next) {
    look *l = x->look;
    for (size_t i = 0; l && i < ADDRESSES; i++)
      if (l->sends[i]) alert_send_cancel(l->sends[i]);
    if (!l) continue;
    registry_release(l->set);
    arena_free(&l->memory);
    free(l);
  }
  free_one(s);
}

void alerts_close(alerts *s) {
  if (!s) return;
  kernel_unlisten(s->kernel, s->listening);
  cancel_timers(s);
  for (alerts *old = s->replaced, *next; old; old = next) {
    next = old->replaced;
    give_up(old);
  }
  give_up(s);
}
