/* run_ops.c -- what a run's worker says: one-way frames here, questions to call_*.c.
 *
 * Permissions are looked at again on this side: a worker's own checks only make better messages.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/runs/run_ops.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flow/kernel/parts.h"
#include "flow/jobs/scheduler.h"
#include "store/objects.h"
#include "wire/pack.h"

enum { QUESTION_BYTES = 16 * 1024 }; /* about what one takes beside what it says */

static int may_write(run *r, const char *name, dts_error *e) {
  if (value_has(r->pipeline->tables, name)) return 0;
  error_fail(e, "TABLE_REFUSED", "pipeline '%s' may not write table '%s'", r->pipeline->name, name);
  return error_hint(e,
                    "a pipeline writes the tables of its own file; name others in allow = { tables "
                    "= { \"%s\" } }",
                    name);
}

/* The head of an OP_ROWS frame: table and step come before rows. */
static int rows_head(const frame *in, char name[64], char step[128], dts_error *e) {
  unpack u = {in->payload, in->payload + in->size};
  value map, key, v;
  bool ended;
  name[0] = step[0] = '\0';
  if (unpack_next(&u, &map, &ended, e) < 0) return -1;
  for (size_t i = 0; map.kind == VALUE_MAP && i < map.map.count; i++) {
    if (unpack_next(&u, &key, &ended, e) < 0) return -1;
    if (value_is(&key, "rows")) break;
    if (unpack_next(&u, &v, &ended, e) < 0) return -1;
    if (v.kind != VALUE_TEXT) continue;
    int size = (int)v.text.size;
    if (value_is(&key, "table"))
      snprintf(name, 64, "%.*s", size, v.text.bytes);
    else if (value_is(&key, "step"))
      snprintf(step, 128, "%.*s", size, v.text.bytes);
  }
  return name[0] ? 0 : error_fail(e, "WIRE", "rows without a table");
}

static int check_row_limit(run *r, const stage *s, dts_error *e) {
  if ((int64_t)stage_rows(s) <= r->pipeline->max_rows) return 0;
  error_fail(e, "LIMIT_ROWS", "more than %lld rows in one transaction",
             (long long)r->pipeline->max_rows);
  return error_hint(e, "call ctx:checkpoint() now and then, or raise limits = { rows = ... }");
}

static stage *stage_named(run *r, const char *step, dts_error *e) {
  stage *s = run_stage(r, step && step[0] ? step : NULL);
  if (!s) error_fail(e, "STEP", "step '%s' is not under way", step);
  return s;
}

static int take_rows(run *r, const frame *in, dts_error *e) {
  char name[64], step[128];
  if (rows_head(in, name, step, e) < 0 || may_write(r, name, e) < 0) return -1;
  stage *s = stage_named(r, step, e);
  if (!s || stage_add(s, OP_ROWS, in->payload, in->size, e) < 0) return -1;
  if (check_row_limit(r, s, e) < 0) return -1;
  bool batch = r->pipeline->trigger == TRIGGER_GAPS && s == r->stage;
  if (batch && stage_rows(s) >= (size_t)r->pipeline->batch) run_commit(r, s, NULL, NULL, NULL);
  return 0;
}

static int check_effect(run *r, const value *effect, dts_error *e) {
  const char *verb = value_get_text(effect, "verb", "");
  const char *name = value_get_text(effect, "table", NULL);
  if (strcmp(verb, "archive") == 0 || strcmp(verb, "validator") == 0)
    return error_fail(e, "WIRE", "an effect '%s' is the engine's own", verb);
  if (strcmp(verb, "update") == 0 && !value_get(effect, "row"))
    return error_fail(e, "WIRE", "an update without a row");
  if (name) return may_write(r, name, e);
  if (strcmp(verb, "enqueue") != 0) return 0;
  arena a = {0};
  const char *params;
  enqueued q = {.pipeline = value_get_text(effect, "pipeline", "?"),
                .params = value_get(effect, "params")};
  int rc = scheduler_check_enqueue(r->set, &q, &a, &params, e);
  arena_free(&a);
  return rc;
}

static int take_effect(run *r, const frame *in, const value *effect, dts_error *e) {
  if (check_effect(r, effect, e) < 0) return -1;
  stage *s = stage_named(r, value_get_text(effect, "step", NULL), e);
  return s ? stage_add(s, OP_STAGE, in->payload, in->size, e) : -1;
}

/* ---- ctx:archive: the bytes go to the objects now, the row with the run ---- */

typedef struct archiving {
  run *run;
  arena memory;
  value effect;
  int fd;
  char name[65];
  int64_t size;
  int rc;
  dts_error error;
} archiving;

static void archive_work(void *arg) {
  archiving *w = arg;
  objects *o = kernel_objects(w->run->kernel);
  const value *body = value_get(&w->effect, "body");
  if (w->fd >= 0) {
    w->rc = objects_put_file(o, w->fd, w->name, &w->size, &w->error);
  } else if (body && body->kind == VALUE_TEXT) {
    w->size = (int64_t)body->text.size;
    w->rc = objects_put(o, body->text.bytes, body->text.size, w->name, &w->error);
  } else {
    w->rc = error_fail(&w->error, "ARCHIVE", "ctx:archive was given nothing to keep");
  }
}

static value archive_effect(archiving *w) {
  value v = value_map();
  static const char *const kept[] = {"source", "meta", "type"};
  value_set(&w->memory, &v, "verb", value_text("archive"));
  value_set(&w->memory, &v, "object", value_text(w->name));
  value_set(&w->memory, &v, "size", value_integer(w->size));
  for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
    const value *given = value_get(&w->effect, kept[i]);
    if (given) value_set(&w->memory, &v, kept[i], *given);
  }
  return v;
}

static void archive_then(void *arg) {
  archiving *w = arg;
  run *r = w->run;
  stage *s =
      w->rc == 0 ? stage_named(r, value_get_text(&w->effect, "step", NULL), &w->error) : NULL;
  if (s) {
    value effect = archive_effect(w);
    if (stage_add_value(s, &effect, &w->error) < 0) run_fault(r, &w->error);
  } else {
    run_fault(r, &w->error);
  }
  if (w->fd >= 0) close(w->fd);
  arena_free(&w->memory);
  free(w);
  r->archiving = false;
  run_listen(r);
  run_release(r);
}

static void take_archive(run *r, const value *effect, int *fd) {
  archiving *w = memory_alloc(sizeof *w);
  w->run = r;
  w->effect = value_copy(&w->memory, effect);
  w->fd = *fd;
  *fd = -1;
  run_hold(r);
  r->archiving = true;
  run_listen(r);
  loop_defer(kernel_loop(r->kernel), archive_work, archive_then, w);
}

/* ---- frames ---- */

static void take_log(run *r, const value *said) {
  const value *message = value_get(said, "message");
  if (message && message->kind == VALUE_TEXT)
    run_log(r, value_get_text(said, "level", "info"), message->text.bytes, message->text.size);
  run_hold_log(r);
}

static void take_progress(run *r, const value *said) {
  arena a = {0};
  value event = value_copy(&a, said);
  if (event.kind == VALUE_MAP) {
    value_set(&a, &event, "run", value_integer(r->id));
    value_set(&a, &event, "firing", value_integer(r->job.firing));
    value_set(&a, &event, "pipeline", value_text(r->pipeline->name));
    kernel_tell(r->kernel, OP_PROGRESS, &event);
  }
  arena_free(&a);
}

/* What a worker asks lies in the engine's memory until it is answered: of one run no more than the run's
 * own may. */
static int check_asked(const run *r, dts_error *e) {
  if (r->asked <= (size_t)r->pipeline->memory) return 0;
  error_fail(e, "LIMIT_SIZE", "the requests under way at once hold more than %lld MB",
             (long long)(r->pipeline->memory >> 20));
  return error_hint(e,
                    "send fewer at once (concurrency = ...), or raise limits = { memory = ... }");
}

static void ask(run *r, frame *in, dts_error *e) {
  call_fn *fn = call_find((wire_op)in->op);
  if (!fn) {
    error_fail(e, "WIRE", "operation %d is not known", in->op);
    return;
  }
  call *c = memory_alloc(sizeof *c);
  *c = (call){.run = r, .id = in->call, .op = (wire_op)in->op, .fd = in->fd};
  in->fd = -1;
  r->asked += c->size = in->size + QUESTION_BYTES;
  run_hold(r);
  dts_error full;
  unpack u = {in->payload, in->payload + in->size};
  if (unpack_value(&u, &c->memory, &c->args, e) < 0)
    call_drop(c);
  else if (check_asked(r, &full) < 0)
    call_fail(c, &full);
  else
    fn(c);
}

static void take_said(run *r, frame *in, dts_error *e) {
  arena a = {0};
  value said;
  unpack u = {in->payload, in->payload + in->size};
  if (unpack_value(&u, &a, &said, e) == 0) {
    if (in->op == OP_LOG)
      take_log(r, &said);
    else if (in->op == OP_PROGRESS)
      take_progress(r, &said);
    else if (value_is(value_get(&said, "verb"), "archive"))
      take_archive(r, &said, &in->fd);
    else
      take_effect(r, in, &said, e);
  }
  arena_free(&a);
}

/* Whoever takes a descriptor that rode along leaves -1; what nobody asked for is closed. */
void run_ops_frame(run *r, const frame *came) {
  dts_error e = {0};
  frame own = *came, *in = &own;
  if (in->op == OP_ROWS)
    take_rows(r, in, &e);
  else if (in->op == OP_STAGE || in->op == OP_LOG || in->op == OP_PROGRESS)
    take_said(r, in, &e);
  else
    ask(r, in, &e);
  if (own.fd >= 0) close(own.fd);
  if (e.code[0]) run_fault(r, &e);
}
