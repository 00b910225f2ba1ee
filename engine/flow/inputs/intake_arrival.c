/* intake_arrival.c -- see intake_arrival.h.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/inputs/intake_arrival.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"

arrival *arrival_new(const char *folder, const char *name) {
  arrival *a = memory_alloc(sizeof *a);
  *a = (arrival){.folder = memory_text(folder), .name = memory_text(name)};
  return a;
}

void arrival_free(arrival *a) {
  free(a->folder);
  free(a->name);
  free(a);
}

void arrival_add(arrival **list, arrival *a) {
  arrival **at = list;
  for (; *at; at = &(*at)->next) {
    if (strcmp((*at)->name, a->name) != 0 || strcmp((*at)->folder, a->folder) != 0) continue;
    (*at)->whole = (*at)->whole || a->whole;
    return arrival_free(a);
  }
  *at = a;
}

void arrival_path(char out[PATH_MAX], const char *root, const arrival *a) {
  snprintf(out, PATH_MAX, "%s/%s%s%s", root, a->folder, *a->folder ? "/" : "", a->name);
}

static int64_t ms_of(struct timespec t) { return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000; }

void arrival_note(arrival *a, const struct stat *s) {
  a->size = s->st_size;
  a->changed = ms_of(s->st_mtim);
  a->inode_changed = ms_of(s->st_ctim);
}

bool arrival_is_same(const arrival *a, const struct stat *s) {
  return a->size == s->st_size && a->changed == ms_of(s->st_mtim);
}

/* ---- what was said ---- */

/* FNV-1a, 64 bits. */
static uint64_t mix(uint64_t hash, const void *bytes, size_t size) {
  for (const unsigned char *b = bytes; size--; b++) hash = (hash ^ *b) * 0x100000001b3u;
  return hash;
}

bool arrival_is_news(intake_said *s, const arrival *a, const char *what) {
  uint64_t mark = 0xcbf29ce484222325u;
  mark = mix(mark, a->folder, strlen(a->folder) + 1);
  mark = mix(mark, a->name, strlen(a->name) + 1);
  mark = mix(mark, what, strlen(what) + 1);
  mark = mix(mark, &a->size, sizeof a->size);
  mark = mix(mark, &a->changed, sizeof a->changed);
  for (size_t i = 0; i < s->count && i < INTAKE_SAID; i++)
    if (s->marks[i] == mark) return false;
  s->marks[s->count++ % INTAKE_SAID] = mark;
  return true;
}
