/* run_start.c -- see run_start.h. An input that lies in the store or among the objects is read on a pool
 * thread.
 *
 * SPDX-License-Identifier: MIT */
#include "flow/runs/run_start.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "flow/kernel/parts.h"
#include "format/date.h"
#include "format/json.h"
#include "wire/pack.h"

value start_limits(arena *a, int64_t memory, int64_t cpu_ms, int64_t time_ms) {
  value v = value_map();
  value_set(a, &v, "memory", value_integer(memory));
  value_set(a, &v, "cpu_ms", value_integer(cpu_ms));
  value_set(a, &v, "time_ms", value_integer(time_ms));
  return v;
}

static value column_value(arena *a, const table_column *column) {
  value v = value_map();
  value_set(a, &v, "name", value_text(column->name));
  value_set(a, &v, "type", value_text(column_type_name(column->type)));
  if (column->not_null) value_set(a, &v, "not_null", value_boolean(true));
  if (column->otherwise) value_set(a, &v, "default", value_text(column->otherwise));
  return v;
}

static value table_value(arena *a, const table *t) {
  value v = value_map(), columns = value_list(), key = value_list();
  for (size_t i = 0; i < t->count; i++) value_add(a, &columns, column_value(a, &t->columns[i]));
  for (size_t i = 0; i < t->key_count; i++)
    value_add(a, &key, value_text(t->columns[t->key[i]].name));
  value_set(a, &v, "name", value_text(t->name));
  value_set(a, &v, "columns", columns);
  value_set(a, &v, "key", key);
  return v;
}

value start_tables(arena *a, const registry *set) {
  value v = value_map();
  for (size_t i = 0; i < set->table_count; i++)
    value_set(a, &v, set->tables[i]->name, table_value(a, set->tables[i]));
  return v;
}

/* ---- the input ---- */

typedef struct starting {
  run *run;
  arena memory;
  value input;
  int fd;
  int rc;
  dts_error error;
} starting;

typedef struct events {
  arena *memory;
  value list;
} events;

static int add_event(void *arg, const store_header *header, const value *row, dts_error *e) {
  events *all = arg;
  static const char *const names[] = {"id", "type", "time", "json"};
  value event = value_map();
  (void)header, (void)e;
  for (size_t i = 0; i < 4; i++)
    if (row[i].kind != VALUE_NULL)
      value_set(all->memory, &event, names[i], value_copy(all->memory, &row[i]));
  value_add(all->memory, &all->list, event);
  return 0;
}

static int read_events(store_conn *c, void *arg, dts_error *e) {
  starting *s = arg;
  events all = {&s->memory, value_list()};
  value params[] = {value_integer(s->run->job.id)};
  int rc = store_select(c, "select id, type, time, data from dts_event where job = ?1 order by seq",
                        params, 1, add_event, &all, e);
  s->input = value_map();
  value_set(&s->memory, &s->input, "events", all.list);
  return rc;
}

static void input_work(void *arg) {
  starting *s = arg;
  run *r = s->run;
  const char *kind = r->job.kind;
  if (strcmp(kind, "batch") == 0) {
    s->rc = store_read(kernel_store(r->kernel), read_events, s, &s->error);
    return;
  }
  s->rc = json_read(&s->memory, r->job.input, strlen(r->job.input), &s->input, &s->error);
  if (s->rc < 0 || strcmp(kind, "file") != 0) return;
  int64_t size;
  const char *object = value_get_text(&s->input, "object", "");
  s->rc = objects_get(kernel_objects(r->kernel), object, &s->fd, &size, &s->error);
}

static value context_value(arena *a, run *r) {
  value v = value_map(), window = value_map(), cursor = value_null();
  if (r->job.cursor) json_read(a, r->job.cursor, strlen(r->job.cursor), &cursor, NULL);
  value_set(a, &v, "run", value_integer(r->id));
  value_set(a, &v, "attempt", value_integer(r->job.state.attempts));
  value_set(a, &v, "pipeline", value_text(r->pipeline->name));
  value_set(a, &v, "trigger", value_text(r->job.trigger));
  value_set(a, &v, "date", value_text(r->day));
  if (r->window_from) value_set(a, &window, "from_ms", value_integer(r->window_from));
  value_set(a, &window, "to_ms", value_integer(r->fire_time));
  value_set(a, &v, "window", window);
  value_set(a, &v, "state", cursor);
  return v;
}

static value start_value(starting *s) {
  run *r = s->run;
  arena *a = &s->memory;
  value v = value_map();
  const pipeline *p = r->pipeline;
  value_set(a, &v, "mode", value_text("run"));
  value_set(a, &v, "again", value_boolean(true));
  value_set(a, &v, "file", value_text(p->script->file));
  value_set(a, &v, "source", value_text(p->script->source));
  value_set(a, &v, "project", value_text(value_get_text(kernel_config(r->kernel), "name", "")));
  value_set(a, &v, "timezone", value_text(r->set->timezone));
  value limits = start_limits(a, p->memory, p->cpu_ms, p->time_ms);
  value_set(a, &limits, "log", value_integer(p->max_log));
  value_set(a, &v, "limits", limits);
  value_set(a, &v, "tables", start_tables(a, r->set));
  value_set(a, &v, "writes", *p->tables);
  value_set(a, &v, "pipeline", value_text(p->name));
  value_set(a, &v, "kind", value_text(r->job.kind));
  value_set(a, &v, "input", s->input);
  value_set(a, &v, "ctx", context_value(a, r));
  if (p->trigger == TRIGGER_GAPS) value_set(a, &v, "batch", value_integer(p->batch));
  return v;
}

static void input_then(void *arg) {
  starting *s = arg;
  run *r = s->run;
  if (s->rc < 0) {
    run_fault(r, &s->error);
  } else if (r->worker) {
    value v = start_value(s);
    buffer b;
    buffer_init(&b, FRAME_LIMIT);
    pack_value(&b, &v);
    worker_send(r->worker, 0, OP_START, &b, s->fd);
    buffer_free(&b);
    s->fd = -1;
  }
  if (s->fd >= 0) close(s->fd);
  arena_free(&s->memory);
  free(s);
  run_release(r);
}

void run_start(run *r) {
  starting *s = memory_alloc(sizeof *s);
  s->run = r;
  s->fd = -1;
  run_hold(r);
  bool at_hand = strcmp(r->job.kind, "batch") != 0 && strcmp(r->job.kind, "file") != 0;
  if (!at_hand) return loop_defer(kernel_loop(r->kernel), input_work, input_then, s);
  input_work(s);
  input_then(s);
}
