/* words.c -- see words.h.
 *
 * SPDX-License-Identifier: MIT */
#include "serve/words.h"

#include <string.h>

static const char *cron_text(const cron *schedule, const char *zone_name, arena *a) {
  buffer b;
  buffer_init(&b, 1024);
  cron_words(schedule, zone_name, &b);
  const char *text = arena_text(a, buffer_text(&b));
  buffer_free(&b);
  return text;
}

static const char *every_text(int64_t ms, arena *a) {
  static const struct {
    int64_t ms;
    const char *unit;
  } units[] = {{604800000, "week"},
               {86400000, "day"},
               {3600000, "hour"},
               {60000, "minute"},
               {1000, "second"}};
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    long long n = ms / units[i].ms;
    if (n && ms % units[i].ms == 0)
      return n == 1 ? arena_format(a, "every %s", units[i].unit)
                    : arena_format(a, "every %lld %ss", n, units[i].unit);
  }
  return arena_format(a, "every %lld ms", (long long)ms);
}

static const char *list_text(const value *list, const char *joint, arena *a) {
  const char *text = "";
  for (size_t i = 0; list && list->kind == VALUE_LIST && i < list->list.count; i++)
    if (list->list.items[i].kind == VALUE_TEXT)
      text = arena_format(a, "%s%s%s", text, i ? joint : "", list->list.items[i].text.bytes);
  return text;
}

const char *words_trigger(const pipeline *p, arena *a) {
  const value *d = p->declared;
  if (p->every_ms) return every_text(p->every_ms, a);
  if (p->has_schedule) return cron_text(&p->schedule, p->timezone, a);
  if (p->trigger == TRIGGER_FILES)
    return arena_format(a, "when %s arrives", list_text(value_get(d, "files"), " or ", a));
  if (p->trigger == TRIGGER_AFTER)
    return arena_format(a, "after %s", list_text(value_get(d, "after"), " and ", a));
  return p->trigger == TRIGGER_INGEST ? "on events" : "by hand";
}

const char *words_schedule(const pipeline *p, arena *a) {
  const char *text = value_get_text(p->declared, "schedule", NULL);
  if (text || !p->every_ms) return text;
  return every_text(p->every_ms, a);
}
