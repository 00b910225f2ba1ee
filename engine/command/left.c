/* left.c -- see left.h.
 *
 * SPDX-License-Identifier: MIT */
#include "command/left.h"

#include "command/screen.h"

enum { HOLDERS_SHOWN = 6, ROOM = 1024 };

/* Over its series. */
static int64_t sum_of(const value *plan, const char *name) {
  const value *all = value_get(plan, "series");
  int64_t n = 0;
  for (size_t i = 0; all && i < all->list.count; i++)
    n += value_get_integer(&all->list.items[i], name, 0);
  return n;
}

static void add_dates(buffer *b, int64_t count, const char *what) {
  if (b->size) buffer_add_text(b, "; ");
  screen_count(b, count, "date");
  buffer_add_text(b, what);
}

static void add_holders(buffer *b, const value *jobs) {
  size_t count = jobs ? jobs->list.count : 0;
  if (!count) return;
  buffer_add_text(b, count == 1 ? " by job " : " by jobs ");
  for (size_t i = 0; i < count && i < HOLDERS_SHOWN; i++)
    buffer_add_format(b, "%s%lld", i ? ", " : "", (long long)jobs->list.items[i].integer);
  if (count > HOLDERS_SHOWN) buffer_add_format(b, " and %zu more", count - HOLDERS_SHOWN);
}

const char *left_aside(const value *plan, arena *a) {
  int64_t quarantined = sum_of(plan, "quarantined"), held = sum_of(plan, "held");
  buffer b;
  buffer_init(&b, ROOM);
  if (quarantined)
    add_dates(&b, quarantined,
              quarantined == 1 ? " is in quarantine: dts quarantine list"
                               : " are in quarantine: dts quarantine list");
  if (held) {
    add_dates(&b, held, held == 1 ? " is held" : " are held");
    add_holders(&b, value_get(plan, "holders"));
    buffer_add_text(&b, ": dts jobs");
  }
  const char *text = arena_text(a, buffer_text(&b));
  buffer_free(&b);
  return text;
}

static const char *text_of(int64_t missing, const char *aside, arena *a) {
  buffer b;
  buffer_init(&b, ROOM);
  if (missing) add_dates(&b, missing, " still missing");
  if (*aside) buffer_add_format(&b, "%s%s", b.size ? "; " : "", aside);
  const char *text = arena_text(a, buffer_text(&b));
  buffer_free(&b);
  return text;
}

/* Of one without gaps there is no plan. */
static bool look_at(engine *n, const char *name, arena *a, value *out) {
  dts_error none = {0};
  value order = engine_command(a, "plan"), plan;
  value_set(a, &order, "pipeline", value_text(name));
  if (engine_ask(n, &order, NULL, NULL, a, &plan, &none) < 0) return false;
  int64_t missing = sum_of(&plan, "missing");
  const char *aside = left_aside(&plan, a);
  *out = value_map();
  value_set(a, out, "pipeline", value_text(name));
  value_set(a, out, "missing", value_integer(missing));
  value_set(a, out, "held", value_integer(sum_of(&plan, "held")));
  value_set(a, out, "quarantined", value_integer(sum_of(&plan, "quarantined")));
  value_set(a, out, "text", value_text(text_of(missing, aside, a)));
  return true;
}

value left_after(engine *n, const value *answer, arena *a) {
  const value *names = value_get(answer, "pipelines");
  value all = value_list(), one;
  for (size_t i = 0; names && i < names->list.count; i++)
    if (look_at(n, names->list.items[i].text.bytes, a, &one)) value_add(a, &all, one);
  return all;
}
