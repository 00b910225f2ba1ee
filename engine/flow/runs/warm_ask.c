/* warm_ask.c -- see warm_ask.h. The reading itself is in reader.c, as that of runs is.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/runs/warm_ask.h"

#include <stdlib.h>
#include <string.h>

#include "base/random.h"
#include "flow/kernel/parts.h"
#include "flow/kernel/reader.h"
#include "flow/reload/files_read.h"
#include "format/date.h"

/* ---- at once ---- */

int warm_ask_source(kernel *k, const script *of, wire_op op, const value *args, arena *a,
                    value *out, dts_error *e) {
  *out = value_map();
  const char *name = value_get_text(args, "name", ""), *path = value_get_text(args, "path", ""),
             *text;
  module m = {0};
  if (op == OP_FILE) name = path;
  for (size_t i = 0; i < of->module_count; i++)
    if (strcmp(of->modules[i].name, name) == 0) m = of->modules[i];
  if (op == OP_FILE && !m.source) {
    if (files_read_data(kernel_root(k), path, a, &text, e) < 0) return -1;
    value_set(a, out, "file", value_text(path));
    return value_set(a, out, "source", value_text(text)), 0;
  }
  if (!m.source && kernel_find_module(k, name, a, &m, e) < 0) return -1;
  value_set(a, out, "file", value_text(m.file));
  value_set(a, out, "source", value_text(m.source));
  return 0;
}

void warm_ask_clock(kernel *k, const registry *set, wire_op op, arena *a, value *out) {
  int64_t now = loop_now(kernel_loop(k));
  char *text = arena_alloc(a, 40);
  *out = value_map();
  if (op == OP_RANDOM) {
    random_uuid(text);
    value_set(a, out, "uuid", value_text(text));
    value_set(a, out, "number", value_real(random_unit()));
    return;
  }
  date_write(zone_date(set->zone, now), text);
  value_set(a, out, "ms", value_integer(now));
  value_set(a, out, "today", value_text(text));
  value_set(a, out, "offset_ms", value_integer(1000 * (int64_t)zone_offset(set->zone, now)));
}

/* ---- the store ---- */

typedef struct reading {
  warm_read asked;
  warm_read_then *then;
} reading;

static void read_work(void *arg) {
  warm_read *r = arg;
  const reader_context x = {.set = r->set,
                            .store = kernel_store(r->kernel),
                            .now = r->now,
                            .zone = r->set->zone,
                            .limit_ms = r->limit_ms,
                            .read = &r->tables,
                            .read_memory = &r->memory};
  r->rc = r->op == OP_LOOKUP ? reader_lookup(&x, &r->args, &r->memory, &r->answer, &r->error)
                             : reader_query(&x, &r->args, &r->memory, &r->answer, &r->error);
}

static void read_then(void *arg) {
  reading *r = arg;
  r->then(&r->asked);
  registry_release(r->asked.set);
  arena_free(&r->asked.memory);
  free(r);
}

void warm_read_start(const warm_read *asked, registry *set, const value *args,
                     warm_read_then *then) {
  reading *r = memory_alloc(sizeof *r);
  *r = (reading){*asked, then};
  loop *l = kernel_loop(asked->kernel);
  r->asked.set = registry_hold(set);
  r->asked.args = value_copy(&r->asked.memory, args);
  r->asked.answer = value_null();
  r->asked.tables = value_list();
  r->asked.now = loop_now(l);
  loop_defer(l, read_work, read_then, r);
}
