/* control_next.c -- the command `next`: when pipelines fire, and which of these times are odd.
 *
 * A time is odd where the clock on the wall was changed: it stands in for one that is missing, it comes twice
 * that day, or the clock moved since the firing before it.
 *
 * SPDX-License-Identifier: MIT */
#include <stdlib.h>
#include <string.h>

#include "flow/control/controls.h"
#include "flow/jobs/scheduler.h"
#include "flow/kernel/parts.h"
#include "format/date.h"
#include "format/duration.h"

enum { LAST_DAY_MS = 27 * 3600 * 1000 }; /* the longest that there are */

typedef struct timetable { /* one schedule of one pipeline */
  const pipeline *pipeline;
  const char *trigger;
  const cron *cron; /* NULL: every */
} timetable;

static value words_of(arena *a, const timetable *t) {
  buffer b;
  buffer_init(&b, 4096);
  if (t->cron) cron_words(t->cron, t->pipeline->timezone, &b);
  value v = t->cron ? value_text(arena_text(a, buffer_text(&b))) : value_null();
  buffer_free(&b);
  return v;
}

static const char *repeated_note(const zone *z, int64_t at) {
  int64_t both[2];
  bool second = zone_resolve(z, zone_local(z, at), both) == 2 && both[1] == at;
  return second ? "its time comes twice that day: this is the second"
                : "its time comes twice that day: this is the first";
}

/* What is odd about a firing, NULL: nothing. `before` is the firing, or the present, before it; of changes of
 * the clock those of the last day are told. */
static const char *note_of(arena *a, const timetable *t, int64_t before, int64_t at) {
  const zone *z = t->pipeline->zone;
  cron_shift shift = t->cron ? cron_shift_of(t->cron, z, at) : CRON_PLAIN;
  int64_t since = before > at - LAST_DAY_MS ? before : at - LAST_DAY_MS;
  int moved = zone_offset(z, at) - zone_offset(z, since);
  char by[32];
  if (shift == CRON_MOVED) return "moved: its own time is missing that day";
  if (shift == CRON_REPEATED) return repeated_note(z, at);
  if (moved == 0) return NULL;
  duration_write(abs(moved) * 1000LL, by);
  return arena_format(a, "the clock goes %s %s before it", moved > 0 ? "forward" : "back", by);
}

static const char *local_text(arena *a, const zone *z, int64_t at) {
  char text[25];
  int minutes = zone_offset(z, at) / 60, size = abs(minutes);
  timestamp_write(zone_local(z, at), text);
  return arena_format(a, "%.19s%c%02d:%02d", text, minutes < 0 ? '-' : '+', size / 60, size % 60);
}

static void add_times(arena *a, value *list, const timetable *t, int64_t after, int64_t count) {
  const pipeline *p = t->pipeline;
  for (int64_t at, before = after; count-- > 0; before = at) {
    at = t->cron ? cron_next(t->cron, p->zone, before) : scheduler_next(p, before);
    if (at < 0) return;
    value v = value_map();
    const char *note = note_of(a, t, before, at);
    value_set(a, &v, "pipeline", value_text(arena_text(a, p->name)));
    value_set(a, &v, "trigger", value_text(t->trigger));
    value_set(a, &v, "at_ms", value_integer(at));
    value_set(a, &v, "utc", timestamp_value(a, at));
    value_set(a, &v, "local", value_text(local_text(a, p->zone, at)));
    value_set(a, &v, "timezone", value_text(arena_text(a, p->timezone)));
    value_set(a, &v, "words", words_of(a, t));
    if (p->jitter_ms) value_set(a, &v, "jitter_ms", value_integer(scheduler_jitter(p)));
    if (note) value_set(a, &v, "note", value_text(note));
    value_add(a, list, v);
  }
}

static int by_time(const void *left, const void *right) {
  int64_t a = value_get_integer(left, "at_ms", 0), b = value_get_integer(right, "at_ms", 0);
  int order = a < b ? -1 : a > b;
  return order
             ? order
             : strcmp(value_get_text(left, "pipeline", ""), value_get_text(right, "pipeline", ""));
}

void control_next(kernel *k, question *q) {
  arena *a = &q->memory;
  dts_error e;
  registry *set = kernel_registry(k);
  const char *name = value_get_text(&q->command, "pipeline", NULL);
  bool rechecks = strcmp(value_get_text(&q->command, "trigger", "recheck"), "recheck") == 0;
  bool schedules = strcmp(value_get_text(&q->command, "trigger", "schedule"), "schedule") == 0;
  int64_t count = value_get_integer(&q->command, "count", 10), now = loop_now(kernel_loop(k));
  int64_t each = value_get_integer(&q->command, "each", count); /* of one schedule, so many */
  value list = value_list();
  if (name && !registry_pipeline(set, name)) {
    registry_unknown_pipeline(set, name, &e);
    registry_release(set);
    return question_fail(q, &e);
  }
  for (size_t i = 0; i < set->pipeline_count; i++) {
    const pipeline *p = &set->pipelines[i];
    timetable plain = {p, "schedule", p->has_schedule ? &p->schedule : NULL},
              recheck = {p, "recheck", &p->recheck};
    if (name && strcmp(p->name, name) != 0) continue;
    if (schedules && (p->has_schedule || p->every_ms)) add_times(a, &list, &plain, now, each);
    if (rechecks && p->has_recheck) add_times(a, &list, &recheck, now, each);
  }
  registry_release(set);
  if (list.list.count) qsort(list.list.items, list.list.count, sizeof *list.list.items, by_time);
  if ((int64_t)list.list.count > count) list.list.count = (size_t)count;
  question_answer(q, list);
}
