/* zone_names.c -- what to say about a time zone that does not exist.
 *
 * Only a wrong name comes here, so the names are read from the system's list there and then. A bare
 * city ("sao paulo") finds its zone, a misspelt name the nearest one, whatever its capitals.
 *
 * SPDX-License-Identifier: MIT */
#include "format/zone_file.h"

#include <string.h>

#include "base/arena.h"
#include "base/buffer.h"
#include "base/file.h"
#include "format/zone.h"

enum { LIST_LIMIT = 1 << 20, MOST_NAMES = 2000 };

static const char LIST[] = "/usr/share/zoneinfo/tzdata.zi";

typedef struct names {
  const char *of[MOST_NAMES + 1], *lower[MOST_NAMES + 1];
  size_t count;
} names;

static char *lowered(arena *a, const char *text) {
  char *copy = arena_text(a, text);
  for (char *c = copy; *c; c++)
    if (*c >= 'A' && *c <= 'Z')
      *c = (char)(*c + 32);
    else if (*c == ' ')
      *c = '_';
  return copy;
}

static void add(arena *a, names *n, const char *start, size_t size) {
  if (n->count == MOST_NAMES || size == 0) return;
  n->of[n->count] = arena_copy(a, start, size);
  n->lower[n->count] = lowered(a, n->of[n->count]);
  n->count++;
}

/* Lines "Z NAME ..." are zones, lines "L TARGET NAME" links to them. */
static void add_line(arena *a, names *n, const char *line, size_t size) {
  if (size < 3 || line[1] != ' ' || (line[0] != 'Z' && line[0] != 'L')) return;
  const char *end = line + size, *word = line + 2;
  if (line[0] == 'L') {
    word = memchr(word, ' ', (size_t)(end - word));
    if (!word) return;
    word++;
  }
  const char *stop = memchr(word, ' ', (size_t)(end - word));
  add(a, n, word, (size_t)((stop ? stop : end) - word));
}

static void read_names(arena *a, names *n) {
  buffer b;
  buffer_init(&b, LIST_LIMIT);
  file_read(LIST, LIST_LIMIT, &b, NULL); /* without the list there is no suggestion */
  for (const char *at = buffer_text(&b); *at;) {
    size_t size = strcspn(at, "\n");
    add_line(a, n, at, size);
    at += size + (at[size] == '\n');
  }
  buffer_free(&b);
}

static const char *of_lower(const names *n, const char *lower) {
  for (size_t i = 0; lower && i < n->count; i++)
    if (strcmp(n->lower[i], lower) == 0) return n->of[i];
  return NULL;
}

/* A zone whose last part is this word. */
static const char *of_city(const names *n, const char *word) {
  for (size_t i = 0; i < n->count; i++) {
    const char *slash = strrchr(n->lower[i], '/');
    if (slash && strcmp(slash + 1, word) == 0) return n->of[i];
  }
  return NULL;
}

zone *zone_unknown(const char *name, dts_error *e) {
  arena a = {0};
  names *n = arena_alloc(&a, sizeof *n);
  read_names(&a, n);
  const char *word = lowered(&a, strlen(name) < 64 ? name : "");
  const char *near = of_lower(n, word);
  if (!near) near = of_city(n, word);
  if (!near) near = of_lower(n, error_nearest(word, n->lower));
  error_fail(e, "ZONE", "there is no time zone '%.64s'", name);
  if (near)
    error_hint(e, "did you mean '%s'?", near);
  else if (n->count == 0)
    error_hint(e, "this machine has no time zones: install tzdata");
  else
    error_hint(e, "use a name of the IANA database, such as 'America/Sao_Paulo' or 'UTC'");
  arena_free(&a);
  return NULL;
}
