/* schema_check.c -- walking a value along compiled nodes, and telling the first fault.
 *
 * The way from the root is kept twice on the stack of calls: as keys and indexes, for the fault's
 * JSON pointer, and as the resources entered, for $dynamicRef. Nothing is allocated unless
 * somebody asks what has been evaluated. Branches that may fail are run quietly and leave their
 * marks only if they fit.
 *
 * SPDX-License-Identifier: MIT */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "format/json.h"
#include "format/schema_parts.h"

enum { DEEPEST = 1024 }; /* nodes inside each other; some 500 bytes of stack each */

typedef struct way {
  const struct way *up;
  const value *key; /* NULL: index */
  size_t index;
} way;

typedef struct scope {
  const struct scope *up;
  const resource *where;
} scope;

struct run {
  const schema *schema;
  schema_fault *fault;
  const way *way;
  const scope *scope;
  int quiet, depth;
};

/* Writes the way from the root, and gives the size written. */
static size_t write_way(const way *w, char *out, size_t size) {
  if (!w) return 0;
  size_t used = write_way(w->up, out, size);
  if (used + 2 >= size) return used;
  out[used++] = '/';
  if (!w->key) {
    int n = snprintf(out + used, size - used, "%zu", w->index);
    return used + (size_t)n < size ? used + (size_t)n : size - 1;
  }
  for (size_t i = 0; i < w->key->text.size && used + 3 < size; i++) {
    char c = w->key->text.bytes[i];
    if (c == '~' || c == '/') out[used++] = '~';
    out[used++] = c == '~' ? '0' : c == '/' ? '1' : c;
  }
  return used;
}

bool schema_fault_add(run *r, const value *v, const char *expected, ...) {
  char shown[120];
  schema_fault *f = r->fault;
  if (r->quiet || !f || f->message[0]) return false;
  f->path[write_way(r->way, f->path, sizeof f->path)] = '\0';
  const char *text = json_shorten(shown, sizeof shown, v);
  va_list arguments;
  va_start(arguments, expected);
  int used = vsnprintf(f->message, sizeof f->message, expected, arguments);
  va_end(arguments);
  if (used >= 0 && (size_t)used < sizeof f->message)
    snprintf(f->message + used, sizeof f->message - (size_t)used, ", got %s", text);
  return false;
}

const node *schema_run_dynamic(const run *r, const char *anchor) {
  const node *outermost = NULL;
  for (const scope *s = r->scope; s; s = s->up)
    for (const dynamic *d = r->schema->dynamics; d; d = d->next)
      if (d->where == s->where && strcmp(d->anchor, anchor) == 0) outermost = d->node;
  return outermost;
}

static bool run_checks(run *r, const node *n, const value *v, seen *s) {
  for (const check *k = n->checks; k; k = k->next)
    if (!k->run(r, k, v, s)) return false;
  return true;
}

static size_t count_of(const value *v) {
  return v->kind == VALUE_LIST ? v->list.count : v->kind == VALUE_MAP ? v->map.count : 0;
}

static void add_marks(seen *to, const seen *from) {
  for (size_t i = 0; to && i < to->count; i++) to->marks[i] |= from->marks[i];
}

/* Runs with marks of its own, which join those of the caller if all is well: an unevaluated*
 * keyword sees what its own schema has evaluated, not what a neighbour has. */
static bool run_apart(run *r, const node *n, const value *v, seen *s) {
  seen own = {NULL, count_of(v)};
  if (!own.count) return run_checks(r, n, v, NULL);
  own.marks = memory_alloc(own.count);
  bool fits = run_checks(r, n, v, &own);
  if (fits) add_marks(s, &own);
  free(own.marks);
  return fits;
}

bool schema_run(run *r, const node *n, const value *v, seen *s) {
  if (n->never) return schema_fault_add(r, v, "expected no value here");
  if (!n->checks) return true;
  if (r->depth == DEEPEST) return schema_fault_add(r, v, "expected fewer levels");
  const scope *outer = r->scope;
  scope inner = {outer, n->where};
  if (!outer || outer->where != n->where) r->scope = &inner;
  r->depth++;
  bool fits = n->unevaluated ? run_apart(r, n, v, s) : run_checks(r, n, v, s);
  r->depth--;
  r->scope = outer;
  return fits;
}

bool schema_run_quiet(run *r, const node *n, const value *v, seen *s) {
  seen own = {NULL, s ? s->count : 0};
  if (own.count) own.marks = memory_alloc(own.count);
  r->quiet++;
  bool fits = schema_run(r, n, v, own.count ? &own : NULL);
  r->quiet--;
  if (fits && own.count) add_marks(s, &own);
  free(own.marks);
  return fits;
}

bool schema_run_item(run *r, const node *n, const value *v, const value *key, size_t index) {
  way here = {r->way, key, index};
  r->way = &here;
  bool fits = schema_run(r, n, v, NULL);
  r->way = here.up;
  return fits;
}

int schema_check(const schema *s, const value *v, schema_fault *fault) {
  run r = {.schema = s, .fault = fault};
  if (fault) *fault = (schema_fault){0};
  return schema_run(&r, s->root, v, NULL) ? 0 : -1;
}
