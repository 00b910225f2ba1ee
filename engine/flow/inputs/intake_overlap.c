/* intake_overlap.c -- patterns of two pipelines that match one name (intake.h): a file of such a
 * name is taken by neither, and `dts check` is to say so before one waits.
 *
 * Two patterns share a name when both automata reach their ends on one text: a table over the
 * places in both, filled from the back. A piece is a character, ? or a set in brackets.
 *
 * SPDX-License-Identifier: MIT */
#include <dirent.h>
#include <fnmatch.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "flow/inputs/intake.h"

enum { PIECES = 256, PIECE_BYTES = 64, NAMED = 3 };

typedef struct piece {
  char text[PIECE_BYTES]; /* a pattern for one character, or "*" */
} piece;

static size_t piece_size(const char *at) {
  const char *end = *at == '[' && at[1] ? strchr(at + 2 + (at[1] == '!' || at[1] == '^'), ']') : 0;
  return end ? (size_t)(end - at) + 1 : 1;
}

/* How many, or -1: too long to compare. */
static int split(const char *pattern, piece *out) {
  int count = 0;
  for (size_t size; *pattern; pattern += size, count++) {
    size = piece_size(pattern);
    if (count == PIECES || size >= PIECE_BYTES) return -1;
    memcpy(out[count].text, pattern, size);
    out[count].text[size] = '\0';
  }
  return count;
}

static bool is_star(const piece *p) { return strcmp(p->text, "*") == 0; }

static bool share_byte(const piece *p, const piece *q) {
  if (strcmp(p->text, q->text) == 0) return true;
  for (int c = 1; c < 256; c++) {
    char text[2] = {(char)c, 0};
    if (fnmatch(p->text, text, FNM_NOESCAPE) == 0 && fnmatch(q->text, text, FNM_NOESCAPE) == 0)
      return true;
  }
  return false;
}

static bool meet(const piece *p, int m, const piece *q, int n) {
  bool *reach = memory_alloc((size_t)(m + 1) * (size_t)(n + 1));
  for (int i = m; i >= 0; i--)
    for (int k = n; k >= 0; k--) {
      bool down = i < m && reach[(i + 1) * (n + 1) + k],
           right = k < n && reach[i * (n + 1) + k + 1];
      bool both = i < m && k < n && !is_star(&p[i]) && !is_star(&q[k]) &&
                  reach[(i + 1) * (n + 1) + k + 1] && share_byte(&p[i], &q[k]);
      reach[i * (n + 1) + k] = (i == m && k == n) || both ||
                               (i < m && is_star(&p[i]) && (down || right)) ||
                               (k < n && is_star(&q[k]) && (down || right));
    }
  bool met = reach[0];
  free(reach);
  return met;
}

bool intake_overlap(const char *one, const char *other) {
  char a[1024], b[1024];
  if (intake_folder_of(one, a, sizeof a) < 0 || intake_folder_of(other, b, sizeof b) < 0 ||
      strcmp(a, b) != 0)
    return false;
  piece *p = memory_alloc(2 * PIECES * sizeof *p);
  const char *s = strrchr(one, '/'), *t = strrchr(other, '/');
  int m = split(s ? s + 1 : one, p), n = split(t ? t + 1 : other, p + PIECES);
  bool met = m >= 0 && n >= 0 && meet(p, m, p + PIECES, n);
  free(p);
  return met;
}

/* ---- what lies there ---- */

static bool lies_there(const char *folder, const char *name) {
  char path[PATH_MAX];
  struct stat s;
  int size = snprintf(path, sizeof path, "%s/%s", folder, name);
  return size > 0 && size < PATH_MAX && lstat(path, &s) == 0 && S_ISREG(s.st_mode);
}

/* "; 4 lie there: a.csv, b.csv, c.csv, ..."; "" when none does. */
static const char *waiting(const char *root, const char *one, const char *other, arena *a,
                           int64_t *count) {
  char of[1024];
  const char *s = strrchr(one, '/'), *t = strrchr(other, '/'), *names = "";
  intake_folder_of(one, of, sizeof of);
  const char *folder = arena_format(a, "%s/%s", root, of);
  DIR *all = opendir(folder);
  for (struct dirent *d; all && (d = readdir(all));) {
    if (d->d_name[0] == '.' || fnmatch(s ? s + 1 : one, d->d_name, FNM_NOESCAPE) != 0 ||
        fnmatch(t ? t + 1 : other, d->d_name, FNM_NOESCAPE) != 0 || !lies_there(folder, d->d_name))
      continue;
    if (++*count <= NAMED) names = arena_format(a, "%s%s%s", names, *names ? ", " : "", d->d_name);
  }
  if (all) closedir(all);
  return names;
}

/* ---- the notes ---- */

typedef struct noting {
  const char *root;
  arena *memory;
  value *notes;
} noting;

static void add_note(const noting *n, const pipeline *p, const char *one, const pipeline *q,
                     const char *other) {
  arena *a = n->memory;
  value v = value_map();
  int64_t count = 0;
  const char *names = waiting(n->root, one, other, a, &count);
  const char *lie = !count
                        ? ""
                        : arena_format(a, "; %lld lie%s there: %s%s", (long long)count,
                                       count == 1 ? "s" : "", names, count > NAMED ? ", ..." : "");
  value_set(a, &v, "where", value_text(arena_text(a, p->file)));
  value_set(a, &v, "message",
            value_text(arena_format(a,
                                    "files may be wanted by two pipelines, '%s' (%s) and '%s' "
                                    "(%s), and are taken by neither%s",
                                    p->name, one, q->name, other, lie)));
  value_set(a, &v, "hint", value_text("make one of the two patterns narrower"));
  value_set(a, &v, "waiting", value_integer(count));
  value_add(a, n->notes, v);
}

static void compare(const noting *n, const pipeline *p, const pipeline *q) {
  const value *ps = value_get(p->declared, "files"), *qs = value_get(q->declared, "files");
  for (size_t i = 0; ps && i < ps->list.count; i++)
    for (size_t k = 0; qs && k < qs->list.count; k++) {
      const char *one = ps->list.items[i].text.bytes, *other = qs->list.items[k].text.bytes;
      if (intake_overlap(one, other)) add_note(n, p, one, q, other);
    }
}

void intake_notes(const registry *set, const char *root, arena *a, value *notes) {
  noting n = {root, a, notes};
  for (size_t i = 0; i < set->pipeline_count; i++)
    for (size_t k = i + 1; k < set->pipeline_count; k++) {
      const pipeline *p = &set->pipelines[i], *q = &set->pipelines[k];
      if (p->trigger == TRIGGER_FILES && q->trigger == TRIGGER_FILES) compare(&n, p, q);
    }
}
