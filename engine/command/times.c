/* times.c -- see times.h.
 *
 * SPDX-License-Identifier: MIT */
#include "command/times.h"

#include <string.h>

#include "base/clock.h"
#include "command/screen.h"
#include "format/date.h"
#include "format/duration.h"

static const char *const days[] = {"Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"};

static value local_text(arena *a, int64_t at, const char *zone_name_) {
  char text[32];
  int64_t ignored;
  zone *z = zone_open(zone_name_, NULL);
  screen_time(at, z, text);
  const char *day = days[date_weekday(date_of(z ? zone_local(z, at) : at, &ignored))];
  zone_close(z);
  return value_text(arena_format(a, "%s %.16s", day, text));
}

static value from_now(arena *a, int64_t at) {
  char text[32];
  duration_write(at > clock_now_ms() ? at - clock_now_ms() : 0, text);
  return value_text(arena_format(a, "in %s", text));
}

static value utc_text(arena *a, const value *firing) {
  const char *utc = value_get_text(firing, "utc", "");
  return value_text(strlen(utc) < 16 ? "" : arena_format(a, "%.10s %.5sZ", utc, utc + 11));
}

/* What is odd about it, and how long its jobs wait. */
static value note_text(arena *a, const value *firing) {
  const char *note = value_get_text(firing, "note", "");
  int64_t jitter = value_get_integer(firing, "jitter_ms", 0);
  char wait[32];
  if (jitter == 0) return value_text(note);
  duration_write(jitter, wait);
  return value_text(arena_format(a, "%s%sstarts %s later", note, *note ? "; " : "", wait));
}

static value row_of(arena *a, const value *firing) {
  const char *zone_name_ = value_get_text(firing, "timezone", "UTC");
  int64_t at = value_get_integer(firing, "at_ms", 0);
  value row = value_list();
  value_add(a, &row, value_text(value_get_text(firing, "pipeline", "?")));
  value_add(a, &row, value_text(value_get_text(firing, "trigger", "")));
  value_add(a, &row, local_text(a, at, zone_name_));
  value_add(a, &row, value_text(zone_name_));
  value_add(a, &row, utc_text(a, firing));
  value_add(a, &row, from_now(a, at));
  value_add(a, &row, value_text(value_get_text(firing, "words", "")));
  value_add(a, &row, note_text(a, firing));
  return row;
}

static const char *const spare[] = {"utc", "by", "", "zone", NULL};

void times_print(FILE *out, const value *firings) {
  static const char *const names[] = {"pipeline", "by", "at", "zone", "utc", "", "", ""};
  arena a = {0};
  screen s = screen_of(out);
  s.spare = spare;
  value result = value_map(), columns = value_list(), rows = value_list();
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    value_add(&a, &columns, value_text(names[i]));
  for (size_t i = 0; i < firings->list.count; i++)
    value_add(&a, &rows, row_of(&a, &firings->list.items[i]));
  value_set(&a, &result, "columns", columns);
  value_set(&a, &result, "rows", rows);
  if (rows.list.count)
    screen_table(&s, &result, NULL);
  else
    fputs("nothing fires by itself\n", out);
  arena_free(&a);
}
