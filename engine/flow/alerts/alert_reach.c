/* alert_reach.c -- see alert_reach.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/alerts/alert_reach.h"

#include "flow/alerts/alert_send.h"
#include "flow/kernel/parts.h"

const value *alert_addresses(const kernel *k, const value *declared) {
  static const value none = {.kind = VALUE_LIST};
  const value *own = value_get(declared, "to");
  const value *list = own ? own : value_get(value_get(kernel_config(k), "alerts"), "to");
  return list && list->kind == VALUE_LIST ? list : &none;
}

int alert_reach(kernel *k, const value *declared, arena *a, dts_error *e) {
  const value *to = alert_addresses(k, declared);
  dts_error why;
  for (size_t i = 0; i < to->list.count; i++) {
    const value *one = &to->list.items[i];
    const char *address = one->kind == VALUE_TEXT ? arena_text(a, one->text.bytes) : NULL;
    if (!address || alert_send_check(k, address, &why) == 0) continue;
    error_fail(e, "ALERT", "%s: %s", address, why.message);
    return error_hint(e, "%s", why.hint);
  }
  return 0;
}

static void add_note(arena *a, value *notes, const char *where, const char *name,
                     const dts_error *e) {
  value v = value_map();
  value_set(a, &v, "where", value_text(where));
  value_set(a, &v, "alert", value_text(arena_text(a, name)));
  value_set(a, &v, "message",
            value_text(arena_format(a, "alert '%s' cannot tell %s", name, e->message)));
  value_set(a, &v, "hint", value_text(arena_text(a, e->hint)));
  value_add(a, notes, v);
}

/* The built-in alerts tell whom dts.lua names: one note stands for all of them. */
void alert_notes(kernel *k, const registry *set, arena *a, value *notes) {
  dts_error e;
  for (size_t i = 0; i < set->alerts.list.count; i++) {
    const value *d = &set->alerts.list.items[i];
    if (alert_reach(k, d, a, &e) == 0) continue;
    const char *where = arena_format(a, "%s:%lld", value_get_text(d, "file", "?"),
                                     (long long)value_get_integer(d, "line", 0));
    add_note(a, notes, where, value_get_text(d, "name", "?"), &e);
  }
  if (alert_reach(k, NULL, a, &e) < 0) add_note(a, notes, "dts.lua", "failed", &e);
}
