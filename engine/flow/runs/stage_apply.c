/* stage_apply.c -- a stage's effects, written: groups in their order, each one's rows by key.
 *
 * SPDX-License-Identifier: MIT */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/text.h"
#include "flow/runs/stage_verbs.h"
#include "format/json.h"
#include "wire/pack.h"

#include "flow/runs/stage_parts.h"

enum { RESET_EVERY = 1024 };

typedef struct applying {
  stage *stage;
  stage_group *group;
  const char *base, *end; /* the log */
  size_t at;              /* the next row's reference */
  arena memory;           /* of values that are made new: of a thousand rows at most */
} applying;

/* ---- rows ---- */

/* The next put has the same key, so that this one never shows. */
static bool is_replaced(const applying *ap, const stage_ref *ref) {
  stage_group *g = ap->group;
  if (!g->repeats || ap->at >= g->count || ref[1].prefix != ref->prefix) return false;
  return stage_read_key(g, ap->base + ref[0].place, ap->end, g->left) &&
         stage_read_key(g, ap->base + ref[1].place, ap->end, g->right) &&
         stage_compare(g, g->left, g->right) == 0;
}

static bool is_same(const applying *ap, const stage_ref *a, const stage_ref *b) {
  const char *left = ap->base + a->place, *right = ap->base + b->place;
  unpack u = {left, ap->end}, v = {right, ap->end};
  if (unpack_skip(&u, NULL) < 0 || unpack_skip(&v, NULL) < 0) return false;
  size_t size = (size_t)(u.at - left);
  return size == (size_t)(v.at - right) && memcmp(left, right, size) == 0;
}

/* The group's `left` holds its key. */
static void count_replaced(applying *ap) {
  const table *t = ap->group->table;
  stage *s = ap->stage;
  char *out = s->first_replaced, one[TEXT_SHORT];
  if (s->replaced++) return;
  size_t size = (size_t)snprintf(out, sizeof s->first_replaced, "table '%s' (", t->name);
  for (size_t i = 0; i < t->key_count && size < sizeof s->first_replaced; i++)
    size += (size_t)snprintf(out + size, sizeof s->first_replaced - size, "%s%s %s%s",
                             i ? ", " : "", t->columns[t->key[i]].name,
                             json_shorten(one, sizeof one, &ap->group->left[t->key[i]]),
                             i + 1 < t->key_count ? "" : ")");
}

static int next_row(void *arg, value *row, dts_error *e) {
  applying *ap = arg;
  stage_group *g = ap->group;
  const stage_ref *refs = g->refs.at, *ref;
  if (ap->at % RESET_EVERY == 0) arena_free(&ap->memory);
  for (;;) {
    if (ap->at == g->count) return 0;
    ref = &refs[ap->at++];
    if (!is_replaced(ap, ref)) break;
    if (!is_same(ap, &ref[0], &ref[1])) count_replaced(ap);
  }
  unpack u = {ap->base + ref->place, ap->end};
  if (stage_read_row(g->table, &u, &ap->memory, row, e) != 0) return -1;
  if (g->unchecked && table_check_row(g->table, &ap->memory, row, e) < 0) return -1;
  return 1;
}

static int apply_rows(applying *ap, store_conn *c, dts_error *e) {
  ap->at = 0;
  stage_sort(ap->group, ap->base, ap->end);
  int rc = store_put_all(c, ap->group->table, next_row, ap, e);
  arena_free(&ap->memory);
  return rc;
}

/* ---- verbs ---- */

static int apply_verbs(const applying *ap, store_conn *c, const stage_context *x, dts_error *e) {
  int rc = 0;
  for (uint64_t at = ap->group->from; rc == 0 && at < ap->group->to;) {
    uint32_t length;
    memcpy(&length, ap->base + at + 1, sizeof length);
    unpack u = {ap->base + at + STAGE_HEAD, ap->base + at + STAGE_HEAD + length};
    arena a = {0};
    value effect;
    rc = unpack_value(&u, &a, &effect, e);
    if (rc == 0) rc = stage_verb_apply(c, x, &effect, e);
    arena_free(&a);
    at += STAGE_HEAD + length;
  }
  return rc;
}

/* ---- all ---- */

static int apply_log(stage *s, const char *base, size_t size, store_conn *c, const stage_context *x,
                     dts_error *e) {
  int rc = 0;
  for (stage_group *g = s->first; rc == 0 && g; g = g->next) {
    applying ap = {.stage = s, .group = g, .base = base, .end = base + size};
    rc = g->table ? apply_rows(&ap, c, e) : apply_verbs(&ap, c, x, e);
  }
  return rc;
}

/* A log that is in a file is read where it lies; what is still in memory stands behind it. */
static int apply_file(stage *s, store_conn *c, const stage_context *x, dts_error *e) {
  if (s->bytes.size && stage_spill(s, e) < 0) return -1;
  void *bytes = mmap(NULL, s->in_file, PROT_READ, MAP_PRIVATE, s->fd, 0);
  if (bytes == MAP_FAILED)
    return error_fail(e, "LIMIT_STAGE", "a run's rows could not be read back: %s", strerror(errno));
  int rc = apply_log(s, bytes, s->in_file, c, x, e);
  munmap(bytes, s->in_file);
  return rc;
}

int stage_apply(stage *s, store_conn *c, const stage_context *context, dts_error *e) {
  s->replaced = 0; /* a write that was undone comes again */
  return s->fd >= 0 ? apply_file(s, c, context, e)
                    : apply_log(s, s->bytes.data, s->bytes.size, c, context, e);
}
