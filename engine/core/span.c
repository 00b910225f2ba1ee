/* span.c -- grouping missing days, one pass, nothing kept.
 *
 * The idea: go on with the open span while the next missing day may join it, else close it; that
 * greedy choice is the fewest because every part of an allowed span is itself allowed. It must not
 * know calendars: the array of expected days is one.
 *
 * SPDX-License-Identifier: MIT */
#include "core/span.h"

#include <stdbool.h>

typedef struct grouping {
  const int32_t *expected;
  size_t bridge;
  int32_t max_days;
  span open;      /* missing == 0: none is open */
  size_t present; /* present days since its last missing one */
  bool barred;    /* a barred day since its last missing one */
} grouping;

static bool joins(const grouping *g, size_t i) {
  int64_t days = (int64_t)g->expected[i] - g->open.from + 1;
  if (!g->open.missing || g->barred || g->present > g->bridge) return false;
  return g->max_days <= 0 || days <= g->max_days;
}

static void join(grouping *g, size_t i) {
  g->open.to = g->expected[i];
  g->open.count = i - g->open.first + 1;
  g->open.missing++;
  g->present = 0;
  g->barred = false;
}

static size_t close_open(grouping *g, span *out, size_t room, size_t count) {
  if (!g->open.missing) return count;
  if (count < room) out[count] = g->open;
  return count + 1;
}

size_t span_group(const int32_t *expected, const uint8_t *marks, size_t n, size_t bridge,
                  int32_t max_days, span *out, size_t room) {
  grouping g = {.expected = expected, .bridge = bridge, .max_days = max_days};
  size_t count = 0;
  for (size_t i = 0; i < n; i++) {
    if (marks[i] == SPAN_PRESENT) {
      g.present++;
    } else if (marks[i] != SPAN_MISSING) {
      g.barred = true;
    } else {
      if (!joins(&g, i)) {
        count = close_open(&g, out, room, count);
        g.open = (span){.from = expected[i], .first = i};
      }
      join(&g, i);
    }
  }
  return close_open(&g, out, room, count);
}

size_t span_dates(const span *s, const int32_t *expected, const uint8_t *marks, int32_t *out) {
  size_t count = 0;
  for (size_t i = s->first; i < s->first + s->count; i++) {
    if (marks[i] == SPAN_MISSING) out[count++] = expected[i];
  }
  return count;
}
