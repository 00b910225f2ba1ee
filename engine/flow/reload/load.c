/* load.c -- see load.h. A load may ask for modules and data files and for nothing else; what it asked for
 * is what its script is made of.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/reload/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flow/reload/files_read.h"
#include "flow/kernel/parts.h"
#include "flow/runs/run_start.h"
#include "wire/pack.h"

enum { LOAD_MS = 5000, LOAD_MEMORY = 64 * 1024 * 1024, MODULES = 256, SCRIPT_MOST = 8 << 20 };

typedef struct load {
  kernel *kernel;
  worker *worker;
  arena memory;
  const char *file, *text;
  module modules[MODULES];
  size_t module_count;
  load_then *then; /* one of the two */
  load_config_then *config_then;
  void *arg;
  bool said; /* an ending came */
  value result;
  dts_error error;
} load;

static void finish(load *l) {
  const dts_error *e = l->error.code[0] ? &l->error : NULL;
  if (e && !e->where[0]) snprintf(l->error.where, sizeof l->error.where, "%s", l->file);
  if (l->config_then) {
    l->config_then(l->arg, e ? NULL : value_get(&l->result, "config"), e);
  } else {
    static const value none = {.kind = VALUE_LIST};
    const value *declared = value_get(&l->result, "declarations");
    script *s =
        e ? NULL
          : script_make(l->file, l->text, declared ? declared : &none, l->modules, l->module_count);
    l->then(l->arg, s, e);
  }
  arena_free(&l->memory);
  free(l);
}

/* ---- what the worker says ---- */

static void reply(load *l, uint32_t id, wire_op op, const buffer *b) {
  worker_send(l->worker, id, op, b, -1);
}

static void reply_source(load *l, uint32_t id, const char *file, const char *text) {
  buffer b;
  value v = value_map();
  value_set(&l->memory, &v, "file", value_text(file));
  value_set(&l->memory, &v, "source", value_text(text));
  buffer_init(&b, FRAME_LIMIT);
  pack_value(&b, &v);
  reply(l, id, OP_REPLY, &b);
  buffer_free(&b);
}

static void reply_error(load *l, uint32_t id, const dts_error *e) {
  buffer b;
  buffer_init(&b, FRAME_LIMIT);
  pack_error(&b, e);
  reply(l, id, OP_ERROR, &b);
  buffer_free(&b);
}

static module *next_module(load *l, dts_error *e) {
  if (l->module_count < MODULES) return &l->modules[l->module_count];
  error_fail(e, "MODULE", "a script may be made of %d modules and data files at most", MODULES);
  return NULL;
}

static void on_module(load *l, uint32_t id, const value *args) {
  dts_error e;
  const char *name = value_get_text(args, "name", "");
  module *m = next_module(l, &e);
  if (!m || kernel_find_module(l->kernel, name, &l->memory, m, &e) < 0)
    return reply_error(l, id, &e);
  l->module_count++;
  reply_source(l, id, m->file, m->source);
}

/* A data file is a module whose name is its path. One that is asked for twice is read once. */
static void on_file(load *l, uint32_t id, const value *args) {
  dts_error e;
  const char *path = value_get_text(args, "path", "");
  for (size_t i = 0; i < l->module_count; i++)
    if (strcmp(l->modules[i].name, path) == 0)
      return reply_source(l, id, path, l->modules[i].source);
  module *m = next_module(l, &e);
  if (!m || files_read_data(kernel_root(l->kernel), path, &l->memory, &m->source, &e) < 0)
    return reply_error(l, id, &e);
  m->name = m->file = arena_text(&l->memory, path);
  m->shipped = false;
  l->module_count++;
  reply_source(l, id, path, m->source);
}

static void on_other(load *l, const frame *in) {
  dts_error e;
  if (in->call == 0) return; /* a log line: nobody listens to a load */
  error_fail(&e, "LOAD", "a script does no work while it loads");
  error_hint(&e, "put it into the `run` function of a dts.pipeline");
  reply_error(l, in->call, &e);
}

static void on_frame(void *arg, const frame *in) {
  load *l = arg;
  value said = value_null();
  unpack u = {in->payload, in->payload + in->size};
  if (in->fd >= 0) close(in->fd);
  if (l->said || unpack_value(&u, &l->memory, &said, NULL) < 0) return;
  if (in->op == OP_MODULE) return on_module(l, in->call, &said);
  if (in->op == OP_FILE) return on_file(l, in->call, &said);
  if (in->op != OP_DONE && in->op != OP_FAILED) return on_other(l, in);
  l->said = true;
  l->result = said;
  if (in->op == OP_FAILED) unpack_error(&said, &l->error);
  worker_kill(l->worker); /* it has nothing left to do */
}

static void on_ended(void *arg, const worker_end *end) {
  load *l = arg;
  l->worker = NULL;
  if (!l->said) {
    if (end->timed_out)
      error_fail(&l->error, "LIMIT_TIME", "%s took longer than 5 s to load", l->file);
    else
      error_fail(&l->error, "LOAD", "%s could not be loaded: its process ended %s %d", l->file,
                 end->signal ? "by signal" : "with status",
                 end->signal ? end->signal : end->status);
    error_hint(&l->error, "declarations should do no work: move loops into `run`");
  }
  finish(l);
}

/* ---- starting ---- */

static void send_start(load *l, const char *mode) {
  kernel *k = l->kernel;
  value v = value_map();
  value_set(&l->memory, &v, "mode", value_text(mode));
  value_set(&l->memory, &v, "file", value_text(l->file));
  value_set(&l->memory, &v, "source", value_text(l->text));
  value_set(&l->memory, &v, "project", value_text(value_get_text(kernel_config(k), "name", "")));
  value_set(&l->memory, &v, "timezone",
            value_text(value_get_text(kernel_config(k), "timezone", "UTC")));
  const kernel_options *o = kernel_opened_with(k);
  const value *gaps = o->laid_over ? value_get(o->laid_over, "gaps") : NULL;
  if (gaps) value_set(&l->memory, &v, "gaps", *gaps);
  value_set(&l->memory, &v, "limits", start_limits(&l->memory, LOAD_MEMORY, LOAD_MS, LOAD_MS));
  buffer b;
  buffer_init(&b, FRAME_LIMIT);
  pack_value(&b, &v);
  worker_send(l->worker, 0, OP_START, &b, -1);
  buffer_free(&b);
}

static int check_size(load *l) {
  size_t size = strlen(l->text);
  if (size <= SCRIPT_MOST) return 0;
  error_fail(&l->error, "SCRIPT", "%s is %zu MB large: a script has 8 MB at most", l->file,
             size >> 20);
  return error_hint(&l->error, "rows belong into a file below data/: dts.table { rows = ... }");
}

static void start(load *l, const char *file, const char *mode) {
  kernel *k = l->kernel;
  l->file = arena_text(&l->memory, file);
  worker_owner owner = {on_frame, on_ended, l};
  worker_limits limits = {LOAD_MS + 1000, LOAD_MS, LOAD_MEMORY};
  bool ok = files_read(kernel_root(k), file, &l->memory, &l->text, &l->error) == 0 &&
            check_size(l) == 0 &&
            (l->worker = nursery_fork(kernel_nursery(k), &limits, &owner, &l->error));
  if (!ok) return finish(l);
  send_start(l, mode);
}

void load_script(kernel *k, const char *file, load_then *then, void *arg) {
  load *l = memory_alloc(sizeof *l);
  l->kernel = k;
  l->then = then;
  l->arg = arg;
  start(l, file, "load");
}

void load_config(kernel *k, const char *file, load_config_then *then, void *arg) {
  load *l = memory_alloc(sizeof *l);
  l->kernel = k;
  l->config_then = then;
  l->arg = arg;
  start(l, file, "config");
}
