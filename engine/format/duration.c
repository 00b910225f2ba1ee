/* duration.c -- "1h30m" to milliseconds, milliseconds to "1 h 30 m".
 *
 * SPDX-License-Identifier: MIT */
#include "format/duration.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

typedef struct unit {
  const char *name;
  int64_t ms;
} unit;

static const unit UNITS[] = {{"w", 604800000}, {"d", 86400000}, {"h", 3600000},
                             {"m", 60000},     {"s", 1000},     {"ms", 1}};
enum { UNIT_COUNT = sizeof UNITS / sizeof *UNITS };

static const char *read_number(const char *at, const char *end, int64_t *out) {
  const char *start = at;
  for (*out = 0; at < end && *at >= '0' && *at <= '9'; at++)
    if (__builtin_mul_overflow(*out, 10, out) || __builtin_add_overflow(*out, *at - '0', out))
      return NULL;
  return at > start ? at : NULL;
}

/* The index of the unit at `at`, which ends at a digit or at the end; -1 when there is none. */
static int read_unit(const char **at, const char *end) {
  const char *start = *at;
  while (*at < end && (**at < '0' || **at > '9')) (*at)++;
  size_t size = (size_t)(*at - start);
  for (int i = 0; i < UNIT_COUNT; i++)
    if (strlen(UNITS[i].name) == size && memcmp(UNITS[i].name, start, size) == 0) return i;
  return -1;
}

int duration_read(const char *text, size_t size, int64_t *ms) {
  const char *at = text, *end = text + size;
  int64_t total = 0;
  if (size == 0) return -1;
  for (int last = -1; at < end;) { /* each unit is smaller than the one before */
    int64_t n;
    at = read_number(at, end, &n);
    if (!at) return -1;
    int i = read_unit(&at, end);
    if (i <= last) return -1;
    if (__builtin_mul_overflow(n, UNITS[i].ms, &n)) return -1;
    if (__builtin_add_overflow(total, n, &total)) return -1;
    last = i;
  }
  *ms = total;
  return 0;
}

/* The largest unit of at most `ms`, from days down: weeks are not how people read a length. */
static int largest(int64_t ms) {
  int i = 1;
  while (i < UNIT_COUNT - 1 && ms < UNITS[i].ms) i++;
  return i;
}

static const int64_t LONGEST = 100000000000000; /* 3,000 years: longer is shown as this */

void duration_write(int64_t ms, char out[32]) {
  ms = ms < 0 ? 0 : ms > LONGEST ? LONGEST : ms;
  int i = largest(ms);
  const char *name = UNITS[i].name;
  unsigned whole = (unsigned)(ms / UNITS[i].ms), rest = (unsigned)(ms % UNITS[i].ms);
  bool last = UNITS[i].ms <= 1000;
  unsigned next = last ? 0 : rest / (unsigned)UNITS[i + 1].ms;
  if (UNITS[i].ms == 1000 && whole < 10 && rest >= 100)
    snprintf(out, 32, "%u.%u s", whole % 10, rest / 100 % 10);
  else if (next > 0)
    snprintf(out, 32, "%u %s %u %s", whole, name, next, UNITS[i + 1].name);
  else
    snprintf(out, 32, "%u %s", whole, name);
}
