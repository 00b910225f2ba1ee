/* orphans.c -- see orphans.h. Names are listed first and rows are read after: a row that is written
 * later belongs to a put that renewed its object, and objects_delete looks at the age once more.
 * Seven days are longer than any run: what one has put and not yet committed is younger.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/kernel/orphans.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "flow/kernel/parts.h"

enum { SLICES = 16, FIRST_MS = 1000, NEXT_MS = 20, EVERY_MS = 6 * 3600 * 1000 };
#define AGE_MS ((int64_t)7 * 24 * 3600 * 1000)

struct orphans {
  kernel *kernel;
  loop_timer *timer;
  int slice, removed;
};

/* ---- one slice ---- */

typedef struct searching {
  objects_names old;
  bool *named;
} searching;

static int by_name(const void *a, const void *b) { return strcmp(a, b); }

static int mark(void *arg, const store_header *header, const value *row, dts_error *e) {
  searching *s = arg;
  char name[65] = "";
  (void)header, (void)e;
  if (row[0].kind != VALUE_TEXT || row[0].text.size != 64) return 0;
  memcpy(name, row[0].text.bytes, 64);
  char(*found)[65] = bsearch(name, s->old.names, s->old.count, sizeof *s->old.names, by_name);
  if (found) s->named[found - s->old.names] = true;
  return 0;
}

/* Every column that holds an object's name; a file by hand is named by its job alone. */
static int mark_named(store_conn *c, void *arg, dts_error *e) {
  static const char *const names[] = {
      "select object from dts_archive", "select object from dts_validator",
      "select sha256 from dts_file", "select sha256 from dts_replaced",
      "select json_extract(input, '$.object') from dts_job where kind = 'file'"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (store_select(c, names[i], NULL, 0, mark, arg, e) < 0) return -1;
  return 0;
}

int orphans_remove(store *s, objects *o, int first, int64_t before, dts_error *e) {
  searching q = {0};
  int removed = 0;
  int rc = objects_old(o, first, before, &q.old, e);
  q.named = memory_alloc((q.old.count + 1) * sizeof *q.named);
  if (rc == 0 && q.old.count) rc = store_read(s, mark_named, &q, e);
  for (size_t i = 0; rc == 0 && i < q.old.count; i++) {
    if (q.named[i]) continue;
    rc = objects_delete(o, q.old.names[i], before, e);
    removed += rc == 0;
  }
  free(q.named);
  free(q.old.names);
  return rc < 0 ? -1 : removed;
}

/* ---- whose they are ---- */

static bool names_places(const value *layer) {
  return value_get(layer, "store") || value_get(layer, "objects");
}

bool orphans_shared(const value *config) {
  const value *layers = value_get(config, "env");
  if (names_places(config)) return true;
  for (size_t i = 0; layers && layers->kind == VALUE_MAP && i < layers->map.count; i++)
    if (names_places(&layers->map.pairs[i].item)) return true;
  return false;
}

/* ---- on the clock ---- */

typedef struct slicing {
  orphans *orphans;
  int first, rc;
  dts_error error;
} slicing;

static void on_time(void *arg);

static void slice_work(void *arg) { /* a pool thread */
  slicing *s = arg;
  kernel *k = s->orphans->kernel;
  s->rc = orphans_remove(kernel_store(k), kernel_objects(k), s->first, clock_now_ms() - AGE_MS,
                         &s->error);
}

static void slice_then(void *arg) {
  slicing *s = arg;
  orphans *o = s->orphans;
  if (s->rc < 0) log_error("objects that nothing names could not be removed: %s", s->error.message);
  if (s->rc > 0) o->removed += s->rc;
  o->slice = s->rc < 0 ? 0 : (o->slice + 1) % SLICES;
  if (o->slice == 0 && o->removed)
    log_info("%d objects that nothing names were removed", o->removed);
  if (o->slice == 0) o->removed = 0;
  o->timer = loop_after(kernel_loop(o->kernel), o->slice ? NEXT_MS : EVERY_MS, on_time, o);
  free(s);
}

static void on_time(void *arg) {
  orphans *o = arg;
  loop *l = kernel_loop(o->kernel);
  o->timer = NULL;
  if (orphans_shared(kernel_config(o->kernel))) {
    o->timer = loop_after(l, EVERY_MS, on_time, o);
    return;
  }
  slicing *s = memory_alloc(sizeof *s);
  *s = (slicing){.orphans = o, .first = o->slice};
  loop_defer(l, slice_work, slice_then, s);
}

orphans *orphans_open(kernel *k) {
  orphans *o = memory_alloc(sizeof *o);
  *o = (orphans){.kernel = k};
  return o;
}

void orphans_start(orphans *o) {
  if (!o->timer) o->timer = loop_after(kernel_loop(o->kernel), FIRST_MS, on_time, o);
}

void orphans_close(orphans *o) {
  if (!o) return;
  loop_cancel(kernel_loop(o->kernel), o->timer);
  free(o);
}
